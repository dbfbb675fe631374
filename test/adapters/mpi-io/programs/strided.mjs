/**
 * Writes a strided file twice, a commit each: through a view in one call, then one call for each record.
 *
 * Usage: strided.mjs <address> <records of a rank>. Records have 16 bytes, those of the ranks lie in turn.
 */

import { Datatype, File, Mode, world } from "daos-ts/mpi-io";

const RECORD = 16;
const [address, countText] = process.argv.slice(2);
const count = Number(countText);
const comm = world();
const file = File.open(comm, address, Mode.CREATE | Mode.RDWR);
const filetype = Datatype.vector(count, RECORD, RECORD * comm.size, Datatype.BYTE);
file.setView(RECORD * comm.rank, Datatype.BYTE, filetype);
file.writeAtAll(0, new Uint8Array(count * RECORD).fill(comm.rank + 1));
file.sync();
file.setView(0, Datatype.BYTE, Datatype.BYTE);
const record = new Uint8Array(RECORD).fill(comm.rank + 11);
for (let i = 0; i < count; i += 1) file.writeAt((i * comm.size + comm.rank) * RECORD, record);
file.sync();
const bytes = new Uint8Array(count * RECORD * comm.size);
file.readAtAll(0, bytes);
const wrong = bytes.findIndex((byte, at) => byte !== 11 + (Math.floor(at / RECORD) % comm.size));
file.close();
console.log(JSON.stringify({ rank: comm.rank, wrong }));
