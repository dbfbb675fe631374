/**
 * Requests of accesses that were done when they were started, and what requests of files share.
 *
 * @module
 */

import { MpiError } from "../errors.js";
import { Request } from "../messages/request.js";
import type { Status } from "../messages/status.js";

/** A nonblocking access that was done when it was started. */
export class EndedRequest extends Request {
  readonly #status: Status;

  constructor(status: Status) {
    super();
    this.#status = status;
  }

  protected waitForCompletion(): Status {
    return this.#status;
  }

  protected testForCompletion(): Status {
    return this.#status;
  }

  protected cancelOperation(): void {
    throw cannotCancel();
  }
}

/** The error of giving up an access. */
export function cannotCancel(): MpiError {
  const why = "an access to a file cannot be given up";
  return new MpiError({ code: "MPI_ERR_REQUEST", call: "MPI_Cancel", why, remedy: "Wait for it" });
}
