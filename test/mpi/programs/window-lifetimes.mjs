/**
 * Lifetimes of windows: what becomes of their memory when MPI ends, objects are forgotten, and threads come and go.
 *
 *     window-lifetimes.mjs memory | threads
 *
 * Prints one JSON line per rank. Run with --expose-gc.
 *
 * @module
 */

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { finalize, Op, world } from "node-mpi-bindings";

const range = (count) => Array.from({ length: count }, (_, i) => i);

/** What a call throws. */
function codeOf(call) {
  try {
    call();
    return "nothing";
  } catch (error) {
    return error.code;
  }
}

/** MPI ends while windows are open: their memory is detached, and their calls are refused. */
function endWithWindows() {
  const comm = world();
  const windows = [comm.allocateWindow(64), comm.splitShared().allocateSharedWindow(64)];
  const own = new Float64Array(8).fill(comm.rank);
  windows.push(comm.createWindow(own));
  const buffers = [windows[0].memory, windows[1].memory, windows[1].sharedMemory(0)];
  const before = buffers.map(({ byteLength }) => byteLength);
  comm.barrier();
  finalize();
  globalThis.gc();
  return {
    before,
    after: buffers.map(({ byteLength }) => byteLength),
    own: own[7] === comm.rank,
    codes: windows.flatMap((window) => [
      codeOf(() => window.fence()),
      codeOf(() => window.put(new Uint8Array(1), 0)),
      codeOf(() => window.free()),
    ]),
  };
}

/** Windows and buffers are forgotten; the collector must take nothing that others use, and call nothing. */
function forgetWindows() {
  const comm = world();
  const up = (comm.rank + 1) % comm.size;
  const wrong = [];
  let memories = range(3).map(() => {
    const window = comm.createWindow(new Float64Array(100_000));
    comm.allocateWindow(1 << 16).lockAll();
    window.fence();
    for (const i of range(100))
      window.put(new Float64Array(1000).fill(comm.rank + i), up, 1000 * i);
    globalThis.gc();
    window.fence({ noSucceed: true });
    return window.memory;
  });
  globalThis.gc();
  const down = (comm.rank + comm.size - 1) % comm.size;
  for (const memory of memories) {
    for (const i of range(100)) if (memory[1000 * i + 999] !== down + i) wrong.push(i);
  }
  memories = undefined;
  globalThis.gc();
  comm.barrier();
  return { wrong };
}

/** Each thread has a window of its own, over a communicator of its own. */
function useWindow(comm, rounds) {
  const window = comm.createWindow(new Int32Array(1));
  const before = new Int32Array(1);
  window.lockAll();
  for (const _ of range(rounds)) {
    window.fetchAndOp(Int32Array.of(1), before, 0, Op.SUM);
    window.flush(0);
  }
  window.unlockAll();
  comm.barrier();
  window.lock(0, "shared");
  const total = new Int32Array(1);
  window.get(total, 0);
  window.unlock(0);
  comm.barrier();
  window.free();
  return total[0];
}

const ROUNDS = 200;

async function useThreads() {
  const comm = world().dup();
  const worker = new Worker(fileURLToPath(import.meta.url), { argv: ["threads"] });
  await once(worker, "message"); // Its communicator is there: two threads must not make one at a time.
  worker.postMessage("go");
  const totals = [useWindow(comm, ROUNDS)];
  const [fromWorker] = await once(worker, "message");
  await once(worker, "exit");
  comm.barrier();
  return { totals: [...totals, fromWorker], expected: ROUNDS * comm.size };
}

if (!isMainThread) {
  const comm = world().dup();
  parentPort.postMessage("ready");
  parentPort.once("message", () => {
    parentPort.postMessage(useWindow(comm, ROUNDS));
  });
} else {
  const { rank } = world();
  const isThreaded = process.argv[2] === "threads";
  const outcome = isThreaded ? await useThreads() : { ...forgetWindows(), ...endWithWindows() };
  console.log(JSON.stringify({ rank, ...outcome }));
}
