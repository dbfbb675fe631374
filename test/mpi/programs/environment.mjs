/**
 * Prints what the library says of itself, or the code of the error that kept it from starting.
 *
 *     environment.mjs [init | worker]
 */

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import * as mpi from "node-mpi-bindings";

const how = process.argv[2];

function report() {
  const threadLevel = how === "init" ? mpi.init() : undefined;
  const comm = mpi.world();
  const started = mpi.wtime();
  return {
    rank: comm.rank,
    size: comm.size,
    name: comm.name,
    selfSize: mpi.self().size,
    threadLevel,
    isInitialized: mpi.isInitialized(),
    libraryVersion: mpi.libraryVersion().slice(0, 40),
    standard: mpi.standardVersion(),
    processor: mpi.processorName(),
    ticks: mpi.wtime() >= started,
  };
}

/** In a worker: a message from this rank to itself, through the library that the main thread started. */
function talkToMyself() {
  const comm = mpi.self();
  const received = new Int32Array(1);
  const request = comm.irecv(received, 0, 3);
  comm.send(Int32Array.of(17), 0, 3);
  return { source: request.wait().source, received: received[0] };
}

if (!isMainThread) {
  parentPort.postMessage(talkToMyself());
} else {
  try {
    const facts = report();
    if (how === "worker") {
      const worker = new Worker(fileURLToPath(import.meta.url));
      [facts.worker] = await once(worker, "message");
      await once(worker, "exit");
      mpi.world().barrier(); // Still there after the worker has gone.
    }
    console.log(JSON.stringify(facts));
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, message: error.message }));
    process.exitCode = 3;
  }
}
