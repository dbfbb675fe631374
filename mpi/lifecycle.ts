/**
 * Lifecycle: ending MPI and PMIx exactly once, however the process ends.
 *
 * A rank that disappears leaves the others waiting forever, and a process that leaves PMIx without
 * saying so takes its whole job down. So, when this process exits:
 *
 *     status 0                                      finalize: PMIx, then MPI
 *     another status, in a job of several ranks     abort the job with that status
 *     an uncaught error (Node then exits with 1)    as above, after printing the error
 *
 * Node prints an uncaught error only after its exit handlers have run, and an abort does not come back
 * from them. So the error is printed here, and by nobody else.
 *
 * Death by a signal runs no handlers; the launcher sees it and ends the job.
 *
 * @module
 */

import { writeSync } from "node:fs";
import { inspect } from "node:util";

/** A library that must be ended before the process ends. */
export interface Runtime {
  /** Ends it; called at most once. */
  finalize(): void;
  /**
   * Ends the whole job; absent where the end of this process harms no other. Does not come back.
   *
   * @param status Exit status, not 0.
   */
  readonly abort: ((status: number) => void) | undefined;
  /** Whether the library counts its users and MPI is one of them: it ends first then, so that MPI ends it for good. */
  readonly isShared: boolean;
  /** Who failed, to open the printed error: "rank 1 of 4". */
  readonly who: string;
}

/** Milliseconds between the error and the abort; launchers share busy machines with their ranks. */
const PRINT_MS = 500;

const runtimes: Runtime[] = [];
let uncaught: { readonly error: unknown } | undefined;
let installed = false;
let finalized = false;

/** Whether MPI has been finalized in this thread, natively or solo. */
export function isFinalized(): boolean {
  return finalized;
}

/** Records that MPI has been finalized; it cannot be started again. */
export function markFinalized(): void {
  finalized = true;
}

/** Registers a runtime that was just initialized. */
export function registerRuntime(runtime: Runtime): void {
  if (!installed) {
    installed = true;
    process.on("uncaughtExceptionMonitor", (error) => {
      uncaught = { error };
    });
    process.on("exit", endRuntimes);
  }
  runtimes.push(runtime);
}

/** Finalizes one runtime now instead of at exit; does nothing the second time. */
export function endRuntime(runtime: Runtime): void {
  const index = runtimes.indexOf(runtime);
  if (index < 0) return;
  runtimes.splice(index, 1);
  runtime.finalize();
}

function endRuntimes(status: number): void {
  const aborting = runtimes.find(({ abort }) => abort !== undefined);
  if (status !== 0 && aborting?.abort) {
    if (uncaught && process.listenerCount("uncaughtException") === 0) {
      printLastError(`Uncaught error on ${aborting.who}: ${inspect(uncaught.error)}\n`);
    }
    aborting.abort(status);
  }
  const inOrder = [...runtimes].sort((a, b) => Number(b.isShared) - Number(a.isShared));
  for (const runtime of inOrder) {
    try {
      endRuntime(runtime);
    } catch (error) {
      writeError(`${inspect(error)}\n`);
    }
  }
}

/** Prints why the job is about to be aborted, and gives the launcher the time to pass it on. */
export function printLastError(text: string): void {
  writeError(text);
  // MPICH's launcher drops what it has not passed on when the job is aborted.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PRINT_MS);
}

/** Writes to standard error before anything else happens, as far as that is possible. */
function writeError(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody reads it any more.
  }
}
