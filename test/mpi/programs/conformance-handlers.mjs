/**
 * Conformance of error handlers of communicators and windows.
 *
 * @module
 */

import { Errhandler, MpiError, PROC_NULL, Request } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const left = (comm) => (comm.rank + comm.size - 1) % comm.size;
const right = (comm) => (comm.rank + 1) % comm.size;

/** A handler that notes the codes of errors, and whether it was given the object. */
function noting(told, object) {
  return Errhandler.create((error, of) => told.push([error.code, of === object()]));
}

const isReturn = (object) => object.getErrhandler() === Errhandler.ERRORS_RETURN;

export const handlerCases = {
  "setErrhandler() has a communicator's errors told once, before they are thrown"(comm) {
    const copy = comm.dup();
    equal(isReturn(copy), true);
    const told = [];
    const handler = noting(told, () => copy);
    copy.setErrhandler(handler);
    equal(copy.getErrhandler() === handler, true);
    const buf = new Uint8Array(8);
    fails("MPI_ERR_RANK", () => copy.send(buf, copy.size));
    fails("MPI_ERR_TAG", () => copy.irecv(buf, 0, -7));
    fails("MPI_ERR_ROOT", () => copy.bcast(buf, -9));
    fails("MPI_ERR_SIZE", () => copy.allocateWindow(-1)); // Calls others of its methods.
    copy.callErrhandler(new MpiError({ code: "MPI_ERR_OTHER", call: "ours", why: "a try" }));
    equal(told, [
      ["MPI_ERR_RANK", true],
      ["MPI_ERR_TAG", true],
      ["MPI_ERR_ROOT", true],
      ["MPI_ERR_SIZE", true],
      ["MPI_ERR_OTHER", true],
    ]);
    // What works is as before, and other communicators tell nothing.
    const sum = new Int32Array(1);
    copy.allreduce(Int32Array.of(1), sum, "sum");
    fails("MPI_ERR_RANK", () => comm.send(buf, comm.size));
    equal([sum[0], told.length, isReturn(comm)], [comm.size, 5, true]);
    copy.setErrhandler(Errhandler.ERRORS_RETURN);
    fails("MPI_ERR_RANK", () => copy.send(buf, copy.size));
    equal([told.length, isReturn(copy), Object.hasOwn(copy, "send")], [5, true, false]);
    copy.free();
  },

  "setErrhandler() counts for requests that are started then"(comm) {
    const copy = comm.dup();
    const told = [];
    const before = copy.irecv(new Uint8Array(1), left(copy), 1);
    copy.setErrhandler(noting(told, () => copy));
    const after = copy.irecv(new Uint8Array(1), left(copy), 2);
    const fits = copy.irecv(new Uint8Array(4), left(copy), 3);
    copy.barrier();
    // Longer than what libraries send at once: see the limitations of Open MPI 4.
    const sends = [1, 2].map((tag) => copy.isend(new Uint8Array(1 << 18), right(copy), tag));
    copy.send(new Uint8Array(4), right(copy), 3);
    fails("MPI_ERR_TRUNCATE", () => before.wait());
    fails("MPI_ERR_TRUNCATE", () => Request.waitAll([after, fits]));
    fails("MPI_ERR_TRUNCATE", () => after.wait());
    Request.waitAll(sends);
    equal([fits.wait().count, told], [4, [["MPI_ERR_TRUNCATE", true]]]);
    copy.free();
  },

  async "communicators that are made of one begin with its handler"(comm) {
    const copy = comm.dup();
    const handler = noting([], () => undefined);
    copy.setErrhandler(handler);
    const request = copy.idup();
    await request.promise();
    const made = [
      copy.dup(),
      request.communicator,
      copy.split(0),
      copy.createCart([copy.size], [false]),
      copy.create(copy.group),
    ];
    for (const one of made) {
      equal(one.getErrhandler() === handler, true);
      one.free();
    }
    const window = copy.allocateWindow(8);
    equal(isReturn(window), true);
    window.free();
    copy.free();
    equal(isReturn(comm), true);
  },

  "what a handler throws is thrown, and its own failures are not told"(comm) {
    const copy = comm.dup();
    let calls = 0;
    copy.setErrhandler(
      Errhandler.create((error, of) => {
        calls += 1;
        fails("MPI_ERR_RANK", () => of.send(new Uint8Array(1), of.size));
        of.callErrhandler(error);
        throw new MpiError({ code: "MPI_ERR_INTERN", call: "ours", why: "it broke", remedy: "Go" });
      }),
    );
    fails("MPI_ERR_INTERN", () => copy.send(new Uint8Array(1), copy.size));
    equal(calls, 1);
    copy.free();
  },

  "setErrhandler() and callErrhandler() refuse what they cannot use"(comm) {
    fails("MPI_ERR_ARG", () => comm.setErrhandler("abort"));
    fails("MPI_ERR_ARG", () => comm.setErrhandler(undefined));
    fails("MPI_ERR_ARG", () => comm.callErrhandler(new Error("no MpiError")));
    fails("MPI_ERR_ARG", () => Errhandler.create("abort"));
    equal(isReturn(comm), true);
    // Handled errors that are none of MPI's: a handler is not told of them.
    const copy = comm.dup();
    const told = [];
    copy.setErrhandler(noting(told, () => copy));
    const failing = () => copy.objects.allreduce(1, () => BigInt("no number"));
    if (copy.size > 1 && copy.rank === 0) {
      let name;
      try {
        failing();
      } catch (error) {
        name = error.name;
      }
      equal(name, "SyntaxError");
    } else if (copy.size > 1) {
      try {
        failing();
      } catch {
        // The other ranks learn of it by an error of their own.
      }
    }
    copy.barrier();
    const codes = told.map(([code]) => code);
    equal(codes.includes(undefined), false);
    copy.free();
    for (const call of [
      () => copy.setErrhandler(Errhandler.ERRORS_RETURN),
      () => copy.getErrhandler(),
      () => copy.callErrhandler(new MpiError({ code: "MPI_ERR_IO", call: "ours", why: "a try" })),
    ]) {
      fails("MPI_ERR_COMM", call);
    }
  },

  "windows have error handlers of their own"(comm) {
    const window = comm.allocateWindow(8);
    const told = [];
    equal(isReturn(window), true);
    window.setErrhandler(noting(told, () => window));
    fails("MPI_ERR_RMA_SYNC", () => window.put(new Uint8Array(1), comm.rank));
    window.fence();
    fails("MPI_ERR_RMA_RANGE", () => window.put(new Uint8Array(9), comm.rank));
    fails("MPI_ERR_RANK", () => window.get(new Uint8Array(1), comm.size));
    window.put(new Uint8Array(1), PROC_NULL);
    window.fence({ noSucceed: true });
    window.callErrhandler(new MpiError({ code: "MPI_ERR_OTHER", call: "ours", why: "a try" }));
    const codes = ["MPI_ERR_RMA_SYNC", "MPI_ERR_RMA_RANGE", "MPI_ERR_RANK", "MPI_ERR_OTHER"];
    equal(
      told,
      codes.map((code) => [code, true]),
    );
    window.setErrhandler(Errhandler.ERRORS_RETURN);
    fails("MPI_ERR_RANK", () => window.lock(comm.size));
    fails("MPI_ERR_ARG", () => window.setErrhandler(() => {}));
    equal([told.length, window.memory.byteLength], [4, 8]);
    window.free();
    fails("MPI_ERR_WIN", () => window.getErrhandler());
  },
};
