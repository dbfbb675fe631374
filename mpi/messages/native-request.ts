/**
 * Requests of an MPI library.
 *
 * The addon holds the buffer until the operation has completed. A request that the program forgets is
 * finished here: when the collector takes the object, its handle is asked until it has completed, so
 * that handle and buffer are given back.
 *
 * @module
 */

import { type Handle, type MpiLibrary, Phase, SharedField } from "../native-mpi.js";
import { PersistentRequest, Request } from "./request.js";
import { Status } from "./status.js";

interface Forgotten {
  readonly library: MpiLibrary;
  readonly handle: Handle;
  readonly isPersistent: boolean;
}

/** Forgotten requests that have not completed yet. */
let forgotten: Forgotten[] = [];

const collector = new FinalizationRegistry<Forgotten>((entry) => {
  forgotten.push(entry);
  forgotten = forgotten.filter((request) => !isFinished(request));
});

function isFinished({ library, handle, isPersistent }: Forgotten): boolean {
  const { native } = library;
  if (native.phase() !== Phase.ACTIVE) return true;
  try {
    if (!native.requestTest(handle)) return false;
    if (isPersistent) native.requestFree(handle);
    return true;
  } catch {
    return true; // It failed and nobody is left to be told.
  }
}

/** What requests of a library share: a handle, and how long an element of their buffer is. */
interface Operation {
  readonly library: MpiLibrary;
  readonly handle: Handle;
  readonly elementSize: number;
}

const operations = new WeakMap<Request, Operation>();

/** Waits in the library if it knows all requests; otherwise undefined. */
function pollAny(requests: readonly Request[]): number | undefined {
  const known = requests.flatMap((request) => operations.get(request) ?? []);
  const [first] = known;
  if (first === undefined || known.length < requests.length) return undefined;
  return first.library.native.requestPollAny(Float64Array.from(known, ({ handle }) => handle));
}

/** A nonblocking operation of an MPI library. */
export class NativeRequest extends Request {
  readonly #operation: Operation;

  /**
   * @param elementSize Size of an element of the buffer, in bytes.
   * @param isPolled Whether the library can ask the operation without completing it.
   */
  constructor(library: MpiLibrary, handle: Handle, elementSize: number, isPolled = true) {
    super();
    this.#operation = { library, handle, elementSize };
    if (isPolled) operations.set(this, this.#operation);
    collector.register(this, { library, handle, isPersistent: false }, this);
  }

  protected override waitForCompletion(): Status {
    const { library, handle, elementSize } = this.#operation;
    collector.unregister(this);
    library.native.requestWait(handle);
    return statusOf(library, elementSize);
  }

  protected override testForCompletion(): Status | undefined {
    const { library, handle, elementSize } = this.#operation;
    let completed = true;
    try {
      completed = library.native.requestTest(handle);
    } finally {
      if (completed) collector.unregister(this);
    }
    return completed ? statusOf(library, elementSize) : undefined;
  }

  protected override cancelOperation(): void {
    this.#operation.library.native.requestCancel(this.#operation.handle);
  }

  protected override waitForAny(requests: readonly Request[]): number {
    return pollAny(requests) ?? super.waitForAny(requests);
  }
}

/** An operation that makes a communicator. */
export class MakingRequest extends NativeRequest {
  readonly #library: MpiLibrary;
  #made: Handle | undefined;

  constructor(library: MpiLibrary, handle: Handle) {
    super(library, handle, 1);
    this.#library = library;
  }

  /** What it has made; it has completed. */
  get made(): Handle {
    return this.#made as Handle;
  }

  protected override waitForCompletion(): Status {
    const status = super.waitForCompletion();
    this.#keep();
    return status;
  }

  protected override testForCompletion(): Status | undefined {
    const status = super.testForCompletion();
    if (status !== undefined) this.#keep();
    return status;
  }

  /** The addon leaves the handle in place of a status. */
  #keep(): void {
    this.#made = this.#library.shared[0] as Handle;
  }
}

/** A persistent operation of an MPI library. */
export class NativePersistentRequest extends PersistentRequest {
  readonly #operation: Operation;

  /** @param elementSize Size of an element of the buffer, in bytes. */
  constructor(library: MpiLibrary, handle: Handle, elementSize: number) {
    super();
    this.#operation = { library, handle, elementSize };
    operations.set(this, this.#operation);
    collector.register(this, { library, handle, isPersistent: true }, this);
  }

  protected override startOperation(): void {
    this.#operation.library.native.requestStart(this.#operation.handle);
  }

  protected override freeOperation(): void {
    collector.unregister(this);
    this.#operation.library.native.requestFree(this.#operation.handle);
  }

  protected override waitForCompletion(): Status {
    const { library, handle, elementSize } = this.#operation;
    library.native.requestWait(handle);
    return statusOf(library, elementSize);
  }

  protected override testForCompletion(): Status | undefined {
    const { library, handle, elementSize } = this.#operation;
    return library.native.requestTest(handle) ? statusOf(library, elementSize) : undefined;
  }

  protected override cancelOperation(): void {
    this.#operation.library.native.requestCancel(this.#operation.handle);
  }

  protected override waitForAny(requests: readonly Request[]): number {
    return pollAny(requests) ?? super.waitForAny(requests);
  }
}

/** The status of what the library has just completed. */
export function statusOf(library: MpiLibrary, elementSize: number): Status {
  // By index: taking it apart as a list costs more than the rest of a receive.
  const shared = library.shared as { readonly [index: number]: number };
  return new Status(
    shared[SharedField.SOURCE] as number,
    shared[SharedField.TAG_RECEIVED] as number,
    shared[SharedField.BYTES] as number,
    elementSize,
    shared[SharedField.CANCELLED] !== 0,
  );
}
