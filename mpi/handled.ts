/**
 * Handled: what communicators and windows do with their errors, by their error handler.
 *
 * Calls throw, which is ERRORS_RETURN, and cost nothing more for it. Another handler puts a wrapper around each method
 * of the one object that it is set for:
 *
 *     comm.send      the wrapper, an own property of the object
 *        │             catches, tells the handler, throws on; hands the handler on to what the method has made
 *        ▼
 *     prototype      the method as it was
 *
 * Invariants:
 *
 * 1. A method that calls others tells an error once: when it leaves the object.
 * 2. While a handler runs, failures of its object are thrown only.
 *
 * @module
 */

import { CommunicatorRequest } from "./communicator-request.js";
import { Errhandler, requireErrhandler } from "./error-handler.js";
import { MpiError } from "./errors.js";
import { Request } from "./messages/request.js";

/** What objects of a kind offer whose errors can be handled. */
export interface ErrhandlerCalls<Kind> {
  /**
   * Says what happens with errors of this object's calls before they are thrown; at first nothing
   * (`Errhandler.ERRORS_RETURN`). It also counts for requests that are started from now on. Communicators that are made
   * of a communicator begin with its handler; windows begin with `ERRORS_RETURN`.
   *
   * @throws {@link MpiError} `MPI_ERR_ARG` for what is no handler; `MPI_ERR_COMM`, `MPI_ERR_WIN` after `free`.
   * @mpi MPI_Comm_set_errhandler, MPI_Win_set_errhandler
   */
  setErrhandler(handler: Errhandler<Kind>): void;
  /** What happens with errors. @mpi MPI_Comm_get_errhandler, MPI_Win_get_errhandler */
  getErrhandler(): Errhandler<Kind>;
  /**
   * Does with an error what would be done with one of this object's calls; throws nothing by itself.
   *
   * @throws {@link MpiError} `MPI_ERR_ARG` for what is no MpiError.
   * @mpi MPI_Comm_call_errhandler, MPI_Win_call_errhandler
   */
  callErrhandler(error: MpiError): void;
}

type Method = (...args: unknown[]) => unknown;

/** Methods that are not told of: those of handlers, and the end of the job. */
const UNTOLD = new Set<PropertyKey>([
  "constructor",
  "abort",
  "setErrhandler",
  "getErrhandler",
  "callErrhandler",
]);

/** An object of a kind whose errors are handled. */
export abstract class Handled<Kind> implements ErrhandlerCalls<Kind> {
  #handler: Errhandler<Kind> | undefined;
  /** Calls of methods that this object is in. */
  #depth = 0;
  #isTelling = false;

  /** What the calls of handlers are of, in the names of the standard. @internal */
  protected abstract get handledAs(): "MPI_Comm" | "MPI_Win";
  /** Refuses a call after `free`. @internal */
  protected abstract requireLive(call: string): void;
  /** Ends the job. @internal */
  protected abstract endJob(code: number): void;

  setErrhandler(handler: Errhandler<Kind>): void {
    const call = `${this.handledAs}_set_errhandler`;
    this.requireLive(call);
    requireErrhandler(call, handler);
    this.#handle(handler);
  }

  getErrhandler(): Errhandler<Kind> {
    this.requireLive(`${this.handledAs}_get_errhandler`);
    return this.#handler ?? Errhandler.ERRORS_RETURN;
  }

  callErrhandler(error: MpiError): void {
    const call = `${this.handledAs}_call_errhandler`;
    this.requireLive(call);
    if (error instanceof MpiError) {
      this.#tell(error);
      return;
    }
    const remedy = "Pass an MpiError";
    throw new MpiError({ code: "MPI_ERR_ARG", call, why: "the error is no MpiError", remedy });
  }

  #handle(handler: Errhandler<Kind>): void {
    const [was, is] = [this.#handler !== undefined, handler !== Errhandler.ERRORS_RETURN];
    this.#handler = is ? handler : undefined;
    if (is === was) return;
    for (const [name, descriptor] of methodsOf(this)) {
      if (is) Object.defineProperty(this, name, this.#wrapped(descriptor));
      else Reflect.deleteProperty(this, name);
    }
  }

  #wrapped({ value, get }: PropertyDescriptor): PropertyDescriptor {
    if (get) return { configurable: true, get: () => this.#run(get as Method, []) };
    const run = (...args: unknown[]) => this.#run(value as Method, args);
    Object.defineProperty(run, "name", { value: (value as Method).name });
    return { configurable: true, writable: true, value: run };
  }

  #run(method: Method, args: unknown[]): unknown {
    const isOutermost = this.#depth === 0;
    this.#depth += 1;
    try {
      const result = method.apply(this, args);
      if (isOutermost) this.#handOn(result);
      return result;
    } catch (error) {
      if (isOutermost) this.#tell(error);
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  #tell(error: unknown): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      this.#handler?.handle(error, this as unknown as Kind, (code) => this.endJob(code));
    } finally {
      this.#isTelling = false;
    }
  }

  /** What a call has made shares the handler: requests of this object, and communicators made of it. */
  #handOn(result: unknown): void {
    const handler = this.#handler as Errhandler | undefined; // What is made is of the same kind.
    if (handler === undefined) return;
    if (result instanceof Request) {
      result.onFailure((error) => this.#tell(error));
      if (result instanceof CommunicatorRequest) result.onMade((made) => inherit(made, handler));
    } else if (result !== this) inherit(result, handler);
  }

  /** Takes the handler of what this object was made of. @internal */
  static inherit(made: Handled<unknown>, handler: Errhandler): void {
    if (made.handledAs === "MPI_Comm") made.#handle(handler);
  }
}

function inherit(made: unknown, handler: Errhandler): void {
  if (made instanceof Handled) Handled.inherit(made, handler);
}

/** Methods and getters of an object's classes, those of the last one first. */
function methodsOf(object: Handled<never>): Map<PropertyKey, PropertyDescriptor> {
  const found = new Map<PropertyKey, PropertyDescriptor>();
  for (
    let prototype = Object.getPrototypeOf(object);
    prototype !== Handled.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const name of Reflect.ownKeys(prototype)) {
      if (UNTOLD.has(name) || found.has(name)) continue;
      const descriptor = Reflect.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
      if (descriptor.get || typeof descriptor.value === "function") found.set(name, descriptor);
    }
  }
  return found;
}
