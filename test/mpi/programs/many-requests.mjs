/**
 * 100,000 pairs of nonblocking operations, and 5,000 that nobody waits for. Prints what memory grew by.
 *
 * Run with --expose-gc.
 */

import { setImmediate as turn } from "node:timers/promises";
import { Request, world } from "node-mpi-bindings";

const PAIR_COUNT = 100_000;
const FORGOTTEN_COUNT = 5_000;
const IN_FLIGHT_COUNT = 100;

const comm = world();
const right = (comm.rank + 1) % comm.size;
const left = (comm.rank + comm.size - 1) % comm.size;
const sent = new Float64Array(16);
const received = Array.from({ length: IN_FLIGHT_COUNT }, () => new Float64Array(16));

/** Heap and external memory after a collection, in bytes. */
async function memory() {
  for (let i = 0; i < 3; i += 1) {
    globalThis.gc();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Many at a time: ranks that share a core would otherwise wait a time slice for each message. */
function exchange(count) {
  for (let i = 0; i < count; i += IN_FLIGHT_COUNT) {
    const requests = received.map((buffer) => comm.irecv(buffer, left, 1));
    for (const _ of received) requests.push(comm.isend(sent, right, 1));
    Request.waitAll(requests);
  }
}

exchange(1000);
const before = await memory();
exchange(PAIR_COUNT);
const grown = (await memory()) - before;

for (let i = 0; i < FORGOTTEN_COUNT; i += 1) {
  comm.irecv(new Float64Array(16), left, 2); // Fresh memory, which only the request keeps alive.
  comm.isend(new Float64Array(16), right, 2);
  if (i % 1000 === 0) {
    comm.barrier();
    globalThis.gc();
    await turn();
  }
}
comm.barrier();
const forgotten = (await memory()) - before;

// Left over at exit: a receive that no message meets, and a send that no receive meets.
comm.irecv(new Float64Array(4), left, 99);
comm.isend(new Float64Array(4), right, 98);
console.log(JSON.stringify({ rank: comm.rank, grown, forgotten }));
