/**
 * One rank ends badly while the others wait for it.
 *
 *     crash.mjs throw | reject | exit | handled | abort | fatal | fatal-comm | fatal-window | early
 */

import { Errhandler, File, Mode, self, world } from "node-mpi-bindings";

const [how] = process.argv.slice(2);
const comm = world();
const victim = comm.size - 1;

const ENDINGS = {
  throw: () => {
    throw new Error("the reactor is too hot");
  },
  reject: () => {
    void Promise.reject(new Error("the reactor is too hot"));
  },
  exit: () => process.exit(7),
  abort: () => comm.abort(9),
  fatal: () => {
    File.setErrhandler(Errhandler.ERRORS_ARE_FATAL);
    File.open(self(), "/nonexistent/file", Mode.RDONLY);
  },
  "fatal-comm": () => {
    comm.setErrhandler(Errhandler.ERRORS_ARE_FATAL);
    comm.send(new Uint8Array(1), comm.size);
  },
  "fatal-window": () => {
    const window = self().allocateWindow(8);
    window.setErrhandler(Errhandler.ERRORS_ABORT);
    window.put(new Uint8Array(1), 0);
  },
  handled: () => {
    process.on("uncaughtException", (error) => {
      console.error(`handled: ${error.message}`);
    });
    setTimeout(() => comm.barrier(), 50);
    throw new Error("the reactor is too hot");
  },
};

console.log(JSON.stringify({ rank: comm.rank, ready: true }));
comm.barrier();
if (comm.rank === victim) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  ENDINGS[how]();
} else {
  comm.barrier();
}
