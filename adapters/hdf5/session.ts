/**
 * An open HDF5 file: the version that is read, and the changes since the last flush.
 *
 * The file, its groups, datasets and attributes share one session. Changes gather in one transaction,
 * which the session's own reads see; a flush commits it.
 *
 * @module
 */

import {
  type Container,
  type ContainerView,
  DaosError,
  type Epoch,
  type ObjectId,
  type Pattern,
  type Transaction,
  type ValueChange,
  wholeOf,
} from "../../core/index.js";
import type { NamespaceState } from "../dfs/index.js";

/** What a session is made of. */
export interface SessionOrigin {
  readonly container: Container;
  /** Path of the file in the container. */
  readonly path: string;
  readonly canWrite: boolean;
  /** Version to read; the newest by default. */
  readonly epoch: Epoch | undefined;
}

/** The state that all handles of an open file share. */
export class Session {
  /** Where the file lies. */
  readonly container: Container;
  /** Path of the file in the container. */
  readonly path: string;
  readonly #canWrite: boolean;
  #view: ContainerView | undefined;
  #transaction: Transaction | undefined;

  constructor({ container, path, canWrite, epoch }: SessionOrigin) {
    this.container = container;
    this.path = path;
    this.#canWrite = canWrite;
    this.#view = container.view(epoch);
  }

  /** Whether the session may change the file. */
  get canWrite(): boolean {
    return this.#canWrite;
  }

  /**
   * What reads see.
   *
   * @throws `DaosError` `DER_NO_HDL` once the file is closed.
   */
  state(what: string): NamespaceState {
    if (this.#view !== undefined) return { view: this.#view, own: this.#transaction };
    const text = { what, why: `file "${this.path}" was closed`, remedy: "open the file again" };
    throw new DaosError("DER_NO_HDL", text, { path: this.path });
  }

  /**
   * What changes go to.
   *
   * @throws `DaosError` `DER_NO_PERM` if the file was opened for reading, `DER_NO_HDL`.
   */
  change(what: string): NamespaceState & { own: Transaction } {
    const { view } = this.state(what);
    if (!this.#canWrite) {
      const remedy = 'open it with mode "r+" or "a"';
      const text = { what, why: `file "${this.path}" was opened for reading`, remedy };
      throw new DaosError("DER_NO_PERM", text, { path: this.path });
    }
    this.#transaction ??= this.container.begin();
    return { view, own: this.#transaction };
  }

  /** A single value of an object. */
  get(oid: ObjectId, dkey: Uint8Array, akey: Uint8Array): Uint8Array | undefined {
    const { view, own } = this.state("Reading");
    return view.getValue(oid, dkey, akey, own);
  }

  /** Whether an object has a single value, which is not read. */
  has(oid: ObjectId, dkey: Uint8Array, akey: Uint8Array): boolean {
    const { view, own } = this.state("Reading");
    return view.valueSize(oid, dkey, akey, own) !== undefined;
  }

  /** Changes a single value of an object. */
  put(change: Omit<ValueChange, "condition">): void {
    this.change("Writing").own.put({ ...change, condition: "none" });
  }

  /** Reads the bytes of a pattern, packed. */
  read(oid: ObjectId, pattern: Pattern, target: Uint8Array): void {
    const { view, own } = this.state("Reading");
    view.readArray(oid, wholeOf(pattern), target, own);
  }

  /**
   * Writes the bytes of a pattern, packed.
   *
   * @throws `DaosError` `DER_NOSPACE` or `DER_IO`: the changes since the last flush are dropped.
   */
  write(oid: ObjectId, pattern: Pattern, bytes: Uint8Array, incarnation: Epoch): void {
    try {
      this.change("Writing").own.write(oid, wholeOf(pattern), bytes, incarnation);
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /** Commits the changes, at one epoch, and reads the newest version from then on. */
  flush(): Epoch {
    const { view } = this.state("Flushing");
    const transaction = this.#transaction;
    if (transaction === undefined) return view.epoch;
    this.#transaction = undefined;
    const { epoch } = this.container.commit(transaction);
    this.#view = this.container.view();
    view.close();
    return epoch;
  }

  /** Drops the changes since the last flush. */
  abort(): void {
    this.#transaction?.abort();
    this.#transaction = undefined;
  }

  /** Ends the session; changes that were not flushed are dropped. Later calls do nothing. */
  close(): void {
    this.abort();
    this.#view?.close();
    this.#view = undefined;
  }

  /** Whether the session has ended. */
  get isClosed(): boolean {
    return this.#view === undefined;
  }
}
