/**
 * Receives of objects: of a message that a probe has taken, and of one that is still to come.
 *
 * @module
 */

import { MpiError } from "../errors.js";
import type { MatchedMessage } from "../messages/point-to-point.js";
import { Request } from "../messages/request.js";
import { emptyStatus, type Status } from "../messages/status.js";
import { objectOfBytes } from "./object-codec.js";

/** Receives a message that was taken for this. */
export function objectOfMessage(call: string, message: MatchedMessage): unknown {
  const bytes = new Uint8Array(message.status.count);
  message.recv(bytes);
  return objectOfBytes(call, bytes);
}

/** An object that a probe has taken for its caller: receive it once. */
export class MatchedObject<T = unknown> {
  readonly #message: MatchedMessage;

  /** @internal */
  constructor(message: MatchedMessage) {
    this.#message = message;
  }

  /** Where it comes from, and how many bytes it has. */
  get status(): Status {
    return this.#message.status;
  }

  /**
   * Receives it.
   *
   * @throws {@link MpiError} `MPI_ERR_REQUEST` if it has been received, `MPI_ERR_TYPE` if it is no object.
   */
  recv(): T {
    return objectOfMessage("Receiving an object", this.#message) as T;
  }
}

/** How a receive finds its message. */
export interface ObjectSource {
  /** Waits for one. */
  mprobe(): MatchedMessage;
  /** Asks for one. */
  improbe(): MatchedMessage | undefined;
}

/**
 * The receive of an object whose size is not known yet: the message is matched by the `test`, `wait` or `promise` that
 * finds it, not when the request is made.
 */
export class ObjectRequest<T = unknown> extends Request {
  readonly #source: ObjectSource;
  #received: { readonly value: T } | undefined;
  #isCancelled = false;

  /** @internal */
  constructor(source: ObjectSource) {
    super();
    this.#source = source;
  }

  /**
   * The object.
   *
   * @throws {@link MpiError} `MPI_ERR_REQUEST` before the request has completed, or if it was cancelled.
   */
  get value(): T {
    if (this.#received) return this.#received.value;
    throw new MpiError({
      code: "MPI_ERR_REQUEST",
      call: "Receiving an object",
      why: this.#isCancelled ? "the receive was cancelled" : "no object has been received yet",
      remedy: "Wait for the request first",
    });
  }

  protected waitForCompletion(): Status {
    if (this.#isCancelled) return emptyStatus(true);
    return this.#take(this.#source.mprobe());
  }

  protected testForCompletion(): Status | undefined {
    if (this.#isCancelled) return emptyStatus(true);
    const found = this.#source.improbe();
    return found && this.#take(found);
  }

  protected cancelOperation(): void {
    this.#isCancelled = true;
  }

  #take(message: MatchedMessage): Status {
    const value = objectOfMessage("Receiving an object", message) as T;
    this.#received = { value };
    return message.status;
  }
}
