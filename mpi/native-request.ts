/**
 * Requests of an MPI library.
 *
 * The addon holds the buffer until the operation has completed. A request that the program forgets is
 * finished here: when the collector takes the object, its handle is asked until it has completed, so
 * that handle and buffer are given back.
 *
 * @module
 */

import type { Handle, MpiLibrary } from "./native-mpi.js";
import { Phase } from "./native-mpi.js";
import { Request } from "./request.js";
import { Status } from "./status.js";

interface Forgotten {
  readonly library: MpiLibrary;
  readonly handle: Handle;
}

/** Forgotten requests that have not completed yet. */
let forgotten: Forgotten[] = [];

const collector = new FinalizationRegistry<Forgotten>((entry) => {
  forgotten.push(entry);
  forgotten = forgotten.filter((request) => !isFinished(request));
});

function isFinished({ library, handle }: Forgotten): boolean {
  if (library.native.phase() !== Phase.ACTIVE) return true;
  try {
    return library.native.requestTest(handle);
  } catch {
    return true; // It failed and nobody is left to be told.
  }
}

/** A nonblocking send or receive of an MPI library. */
export class NativeRequest extends Request {
  readonly #library: MpiLibrary;
  readonly #handle: Handle;
  readonly #elementSize: number;

  /**
   * @param elementSize Size of an element of the buffer, in bytes.
   */
  constructor(library: MpiLibrary, handle: Handle, elementSize: number) {
    super();
    this.#library = library;
    this.#handle = handle;
    this.#elementSize = elementSize;
    collector.register(this, { library, handle }, this);
  }

  protected override waitForCompletion(): Status {
    collector.unregister(this);
    this.#library.native.requestWait(this.#handle);
    return statusOf(this.#library, this.#elementSize);
  }

  protected override testForCompletion(): Status | undefined {
    let completed = true;
    try {
      completed = this.#library.native.requestTest(this.#handle);
    } finally {
      if (completed) collector.unregister(this);
    }
    return completed ? statusOf(this.#library, this.#elementSize) : undefined;
  }
}

/** The status of the receive that the library has just completed. */
export function statusOf(library: MpiLibrary, elementSize: number): Status {
  const { status } = library;
  return new Status(status[0] as number, status[1] as number, status[2] as number, elementSize);
}
