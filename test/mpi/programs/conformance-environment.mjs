/**
 * Conformance of the environment: what a library says of itself, and small things around messages.
 *
 * @module
 */

import {
  Datatype,
  init,
  isInitialized,
  libraryVersion,
  MpiError,
  Op,
  packSize,
  processorName,
  standardVersion,
  wtick,
  wtime,
} from "node-mpi-bindings";
import { equal } from "./checks.mjs";

export const environmentCases = {
  "the library says who and where it is"() {
    libraryVersion(); // Starts it, where nothing has.
    equal(isInitialized(), true);
    equal(libraryVersion().length > 0 && !libraryVersion().endsWith("\n"), true);
    equal(processorName().length > 0, true);
    const { major, minor } = standardVersion();
    equal(major >= 3 && Number.isInteger(minor), true);
  },

  "wtime() runs forward"() {
    const start = wtime();
    while (wtime() === start);
    equal(wtime() > start, true);
  },

  "wtick() is the resolution of wtime(), in seconds"() {
    equal(wtick() > 0 && wtick() < 0.1, true, `${wtick()}`);
  },

  "init() is harmless where a library runs"(comm) {
    if (libraryVersion() === "solo") return; // It would start one.
    equal(["single", "funneled", "serialized", "multiple"].includes(init()), true);
    comm.barrier();
  },

  "operations, sizes and errors tell of themselves"() {
    const sum = Op.create((inout, left) => {
      for (const [i, value] of left.entries()) inout[i] += value;
    });
    equal([sum.isCommutative, Op.create(() => {}, { commute: true }).isCommutative], [false, true]);
    equal(packSize(Datatype.vector(3, 1, 5, Datatype.DOUBLE), 2), 48);
    const error = new MpiError({
      code: "MPI_ERR_TAG",
      call: "MPI_Send",
      why: "none",
      errorClass: 4,
    });
    equal([error.errorClass, error.errorCode], [4, 0]);
  },
};
