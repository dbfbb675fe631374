/**
 * Errhandler: what happens with failures of a communicator, a window or a file, before its call throws them
 * (MPI_Errhandler).
 *
 *     ERRORS_RETURN      nothing: the call throws. That is how every object begins.
 *     ERRORS_ARE_FATAL   the error is printed, and the job ends
 *     a function         is called with the error and the object; then the call throws
 *
 * @module
 */

import { MpiError } from "./errors.js";
import { printLastError } from "./lifecycle.js";

/** Status of a job that a failure has ended. */
const FATAL_STATUS = 1;

/** What a program does with an error: of type T is what failed; undefined for a file that could not be opened. */
export type ErrorFunction<T> = (error: MpiError, object: T | undefined) => void;

/** What happens with errors. */
export class Errhandler<T = unknown> {
  /** Calls throw their errors. */
  static readonly ERRORS_RETURN = new Errhandler<unknown>("MPI_ERRORS_RETURN");
  /** The error is printed, and all ranks of the job end. */
  static readonly ERRORS_ARE_FATAL = new Errhandler<unknown>("MPI_ERRORS_ARE_FATAL");
  /** As `ERRORS_ARE_FATAL`: a launcher ends the whole job. */
  static readonly ERRORS_ABORT = new Errhandler<unknown>("MPI_ERRORS_ABORT");

  /** What the standard calls it; "" of a function. */
  readonly name: string;
  // `private`, not `#`: TypeScript 6.0 miscompiles a class whose static fields and #fields both name the class.
  private readonly told: ErrorFunction<T> | undefined;

  private constructor(name: string, told?: ErrorFunction<T>) {
    this.name = name;
    this.told = told;
  }

  /**
   * Makes a handler of a function. What the function throws is thrown in place of the error.
   *
   * @throws {@link MpiError} `MPI_ERR_ARG` for what is no function.
   * @mpi MPI_Comm_create_errhandler, MPI_Win_create_errhandler, MPI_File_create_errhandler
   */
  static create<T>(told: ErrorFunction<T>): Errhandler<T> {
    if (typeof told === "function") return new Errhandler("", told);
    throw new MpiError({
      code: "MPI_ERR_ARG",
      call: "MPI_Errhandler_create",
      why: "the handler is no function",
      remedy: "Give a function of an error and its object",
    });
  }

  /**
   * Does what is to be done with an error, and returns if the call is to throw it.
   *
   * @internal
   */
  handle(error: unknown, object: T | undefined, abort: (code: number) => void): void {
    if (!(error instanceof MpiError)) return;
    if (this.told !== undefined) this.told(error, object);
    else if (this.name !== "MPI_ERRORS_RETURN") {
      printLastError(`${error.message} (${this.name})\n`);
      abort(FATAL_STATUS);
    }
  }
}

/** Refuses what is no handler. @throws {@link MpiError} `MPI_ERR_ARG`. */
export function requireErrhandler(call: string, handler: unknown): void {
  if (handler instanceof Errhandler) return;
  const remedy = "Use a constant of Errhandler, or Errhandler.create";
  throw new MpiError({ code: "MPI_ERR_ARG", call, why: "the error handler is none", remedy });
}

/**
 * Makes methods tell what they throw, before they throw it.
 *
 * @param prototype Of the class.
 * @param names Methods that a program calls; none calls another one of them.
 * @param tell What is done with an error.
 * @internal
 */
export function tellErrors<T extends object>(
  prototype: T,
  names: readonly (keyof T)[],
  tell: (object: T, error: unknown) => void,
): void {
  for (const name of names) {
    const run = prototype[name] as (...args: unknown[]) => unknown;
    const told = function (this: T, ...args: unknown[]): unknown {
      try {
        return run.apply(this, args);
      } catch (error) {
        tell(this, error);
        throw error;
      }
    };
    Object.defineProperty(told, "name", { value: name });
    Object.defineProperty(prototype, name, { value: told, writable: true, configurable: true });
  }
}
