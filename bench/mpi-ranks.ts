/**
 * The ranks of the suite `mpi`: the loops of mpi-peer.c in TypeScript. Prints one JSON line of seconds per
 * operation.
 *
 *     mpi-ranks.js pingpong | allreduce <bytes> <count>
 *
 * @module
 */

import { Op, world, wtime } from "node-mpi-bindings";

const [, , kind, size, operations] = process.argv;
const comm = world();
const bytes = Number(size);
const count = Number(operations);

function pingPong(): number {
  const buffer = new Uint8Array(bytes);
  comm.barrier();
  const start = wtime();
  for (let i = 0; i < count; i += 1) {
    if (comm.rank === 0) {
      comm.send(buffer, 1);
      comm.recv(buffer, 1, 0);
    } else if (comm.rank === 1) {
      comm.recv(buffer, 0, 0);
      comm.send(buffer, 0);
    }
  }
  return (wtime() - start) / count / 2;
}

function allreduce(): number {
  const buffer = new Float64Array(bytes / 8);
  const result = new Float64Array(bytes / 8);
  comm.barrier();
  const start = wtime();
  for (let i = 0; i < count; i += 1) comm.allreduce(buffer, result, Op.SUM);
  return (wtime() - start) / count;
}

const run = kind === "allreduce" ? allreduce : pingPong;
run(); // Warms up.
const seconds = run();
if (comm.rank === 0) console.log(JSON.stringify({ seconds }));
