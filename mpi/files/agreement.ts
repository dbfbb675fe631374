/**
 * Agreement: an error that one rank finds in a collective call is thrown on all, so that none waits for it.
 *
 * @module
 */

import { Op } from "../collectives/op.js";
import type { Communicator } from "../communicator.js";
import { MpiError } from "../errors.js";

/** Longest code that is told to the others, in bytes. */
const CODE_SIZE = 64;

/**
 * Runs a check on every rank. Collective.
 *
 * @param value A number that must be the same on all ranks; 0 by default.
 * @throws What this rank's check threw, or an {@link MpiError} with the code of the first rank whose check failed, or
 *   `MPI_ERR_NOT_SAME`.
 */
export function agree<T>(comm: Communicator, call: string, check: () => T, value = 0): T {
  let result: T | undefined;
  let failure: unknown;
  try {
    result = check();
  } catch (error) {
    failure = error ?? new Error("nothing was thrown");
  }
  const own = failure === undefined ? 0 : comm.size - comm.rank;
  const number = value | 0;
  const most = new Int32Array(3);
  comm.allreduce(Int32Array.of(own, number, -number), most, Op.MAX);
  const [failed, largest, smallest] = [...most] as [number, number, number];
  if (failed > 0) throw codeOfFirst(comm, call, comm.size - failed, failure);
  if (largest === -smallest) return result as T;
  throw new MpiError({
    code: "MPI_ERR_NOT_SAME",
    call,
    why: "ranks differ in an argument that must be the same on all",
    remedy: "Give the same mode, size, offset or hint on all ranks",
  });
}

function codeOfFirst(comm: Communicator, call: string, first: number, failure: unknown): unknown {
  const told = new Uint8Array(CODE_SIZE);
  if (comm.rank === first && failure instanceof MpiError) {
    new TextEncoder().encodeInto(failure.code, told);
  }
  comm.bcast(told, first);
  if (failure !== undefined) return failure;
  const code = new TextDecoder().decode(told).replace(/\0+$/, "") || "MPI_ERR_OTHER";
  const why = `rank ${first} found an error in its arguments`;
  return new MpiError({ code, call, why, remedy: `See the error of rank ${first}` });
}
