/**
 * A send and a receive as one request (MPI_Isendrecv).
 *
 * It is made of an `irecv` and an `isend` with every library: Open MPI 4 does not have the call, and that of
 * MPICH 4.0 leaves the status empty and does not notice a message that is too long.
 *
 * @module
 */

import { MpiError } from "../errors.js";
import { Request } from "./request.js";
import type { Status } from "./status.js";

/** Completes when its receive and its send have; its status is that of the receive. */
export class ExchangeRequest extends Request {
  /** The receive first: its failure is told first. */
  readonly #parts: readonly [receive: Request, send: Request];

  /**
   * @param receive A receive that has been started.
   * @param start Starts the send. If it throws, the receive is given up.
   */
  constructor(receive: Request, start: () => Request) {
    super();
    try {
      this.#parts = [receive, start()];
    } catch (error) {
      receive.cancel();
      receive.wait();
      throw error;
    }
  }

  protected override waitForCompletion(): Status {
    return Request.waitAll(this.#parts)[0] as Status;
  }

  protected override testForCompletion(): Status | undefined {
    return Request.testAll(this.#parts)?.[0];
  }

  protected override cancelOperation(): never {
    throw new MpiError({
      code: "MPI_ERR_REQUEST",
      call: "MPI_Cancel",
      why: "a send and a receive at once cannot be cancelled",
      remedy: "Wait for it, or use irecv and isend",
    });
  }
}
