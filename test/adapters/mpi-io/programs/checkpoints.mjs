/**
 * Writes checkpoints for ever: every byte of the file is the step's number, in records strided over
 * the ranks. Usage: checkpoints.mjs <address> <records per rank> <record size>. Each rank prints its
 * process id first; rank 0 then prints each step that was acknowledged.
 */

import { Datatype, File, Mode, world } from "daos-ts/mpi-io";

const [address, recordsText, sizeText] = process.argv.slice(2);
const records = Number(recordsText);
const size = Number(sizeText);
const comm = world();
const file = File.open(comm, address, Mode.CREATE | Mode.RDWR);
const type = Datatype.vector(records, size, size * comm.size, Datatype.BYTE);
file.setView(comm.rank * size, Datatype.BYTE, type);
console.log(JSON.stringify({ pid: process.pid, rank: comm.rank }));
comm.barrier();

for (let step = 1; ; step++) {
  const bytes = new Uint8Array(records * size).fill(step % 256);
  // Half in one call, half record by record, so that a kill meets staged and direct writes.
  const half = Math.floor(records / 2) * size;
  file.writeAtAll(0, bytes.subarray(0, half));
  for (let at = half; at < bytes.length; at += size)
    file.writeAt(at, bytes.subarray(at, at + size));
  const epoch = file.sync();
  if (comm.rank === 0) console.log(JSON.stringify({ step, epoch: String(epoch) }));
}
