/**
 * CommunicatorRequest: a communicator that is being made (MPI_Comm_idup).
 *
 * @module
 */

import { MpiError } from "./errors.js";
import { Request } from "./messages/request.js";
import { emptyStatus, type Status } from "./messages/status.js";

/**
 * A request whose completion gives a communicator.
 *
 * @example
 * ```ts
 * const request = comm.idup();
 * await request.promise();
 * const copy = request.communicator;
 * ```
 */
export class CommunicatorRequest<Made> extends Request {
  readonly #operation: Request;
  readonly #make: () => Made;
  #made: Made | undefined;
  #told: ((made: unknown) => void) | undefined;

  /**
   * @param operation What makes it.
   * @param make Gives it, as soon as the operation has completed.
   * @internal
   */
  constructor(operation: Request, make: () => Made) {
    super();
    this.#operation = operation;
    this.#make = make;
  }

  /**
   * The new communicator.
   *
   * @throws {@link MpiError} `MPI_ERR_REQUEST` if `wait`, `test` or `promise` have not completed the request yet.
   */
  get communicator(): Made {
    if (this.#made !== undefined) return this.#made;
    throw new MpiError({
      code: "MPI_ERR_REQUEST",
      call: "MPI_Comm_idup",
      why: "the communicator is still being made",
      remedy: "Complete the request first: wait(), test() or promise()",
    });
  }

  /** Says who is told of the communicator, before anybody else has it. @internal */
  onMade(told: (made: unknown) => void): void {
    this.#told = told;
  }

  protected override waitForCompletion(): Status {
    this.#operation.wait();
    return this.#finish();
  }

  protected override testForCompletion(): Status | undefined {
    return this.#operation.test() === undefined ? undefined : this.#finish();
  }

  #finish(): Status {
    this.#made = this.#make();
    this.#told?.(this.#made);
    return emptyStatus();
  }

  protected override cancelOperation(): never {
    const why = "the making of a communicator cannot be cancelled";
    const remedy = "Wait for it, and free the communicator";
    throw new MpiError({ code: "MPI_ERR_REQUEST", call: "MPI_Cancel", why, remedy });
  }
}
