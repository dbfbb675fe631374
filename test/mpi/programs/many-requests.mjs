/**
 * Many nonblocking operations, 5,000 that nobody waits for, and accesses to a file. Prints what memory grew by.
 *
 *     many-requests.mjs <pairs> <path of a file>
 *
 * Run with --expose-gc.
 */

import { setImmediate as turn } from "node:timers/promises";
import { File, Mode, Request, world } from "node-mpi-bindings";

const [, , pairs, path] = process.argv;
const PAIR_COUNT = Number(pairs);
const ACCESS_COUNT = PAIR_COUNT / 50;
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

/** Writes and reads at once, some of them forgotten. */
function access(file, count) {
  const place = (i) => 128 * (i * comm.size + comm.rank);
  for (let i = 0; i < count; i += IN_FLIGHT_COUNT) {
    Request.waitAll(received.map((buffer, j) => file.iwriteAt(place(j), buffer)));
    const requests = received.map((buffer, j) => file.ireadAt(place(j), buffer));
    Request.waitAll(requests.slice(0, IN_FLIGHT_COUNT / 2));
  }
}

exchange(1000);
const before = await memory();
const residentBefore = process.memoryUsage.rss();
exchange(PAIR_COUNT);
const grown = (await memory()) - before;
const resident = process.memoryUsage.rss() - residentBefore;

const file = File.open(comm, path, Mode.CREATE | Mode.RDWR | Mode.DELETE_ON_CLOSE);
access(file, 1000);
const beforeFiles = await memory();
access(file, ACCESS_COUNT);
const ofFiles = (await memory()) - beforeFiles;
file.close();

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
console.log(JSON.stringify({ rank: comm.rank, grown, resident, ofFiles, forgotten }));
