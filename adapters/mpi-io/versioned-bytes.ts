/**
 * The bytes of an open file: the version that this rank reads, its own writes on top, and the commits.
 *
 * @module
 */

import type { Communicator } from "node-mpi-bindings";
import {
  attempt,
  type ContainerView,
  commitCollectively,
  type Epoch,
  newestEpochOfAll,
  Pattern,
  type PatternRange,
  type Transaction,
  wholeOf,
} from "../../core/index.js";
import type { OpenedFile } from "./open-file.js";
import type { MoveRange } from "./pattern-stream.js";

const ROOT = 0;

/** One state of the file, for the time of a call. */
export interface FileState {
  /** In bytes. */
  readonly size: number;
  readonly read: MoveRange;
}

/** What one rank sees of a file, and has written to it. */
export class VersionedBytes {
  readonly #comm: Communicator;
  readonly #opened: OpenedFile;
  readonly #isPinned: boolean;
  readonly #isWritten: boolean;
  #state: ContainerView;
  #epoch: Epoch;
  #transaction: Transaction | undefined;
  #isAtomic = false;

  /** @param options Whether the version is fixed; whether the file may be written. */
  constructor(
    comm: Communicator,
    opened: OpenedFile,
    options: { readonly isPinned: boolean; readonly isWritten: boolean },
  ) {
    this.#comm = comm;
    this.#opened = opened;
    this.#state = opened.view;
    this.#epoch = opened.view.epoch;
    this.#isPinned = options.isPinned;
    this.#isWritten = options.isWritten;
  }

  /** The epoch that reads see, own writes apart. */
  get epoch(): Epoch {
    return this.#epoch;
  }

  /** Whether each write is a commit. */
  get isAtomic(): boolean {
    return this.#isAtomic;
  }

  /** Size in bytes, own writes included. */
  get size(): number {
    return this.read(({ size }) => size);
  }

  /** Runs a read on one state of the file. */
  read<T>(body: (state: FileState) => T): T {
    // What another rank's write has committed is seen by every read that starts after it.
    if (this.#isAtomic && !this.#isPinned) this.#replace(this.#opened.container.view());
    const { oid } = this.#opened;
    const state = this.#state;
    const own = this.#transaction;
    const size = state.arraySize(oid, own);
    return body({ size, read: (range, bytes) => state.readArray(oid, range, bytes, own) });
  }

  /** Runs a write: in atomic mode a commit of its own, otherwise part of the next collective one. */
  write(body: (write: MoveRange) => void): void {
    const { container, oid, incarnation } = this.#opened;
    const into = (transaction: Transaction) => {
      body((range: PatternRange, bytes) => transaction.write(oid, range, bytes, incarnation));
    };
    if (this.#isAtomic) {
      container.update(into);
      return;
    }
    into(this.begin());
  }

  /** The transaction of this rank's writes, begun if need be. */
  begin(): Transaction {
    this.#transaction ??= this.#opened.container.begin();
    return this.#transaction;
  }

  /** Changes between the modes; what was written before is committed. Collective. */
  setAtomicity(isAtomic: boolean): void {
    this.commit();
    this.#isAtomic = isAtomic;
  }

  /**
   * Commits what all ranks have written, at one epoch, and shows the newest version from then on. Collective.
   *
   * @returns The epoch that reads see now.
   * @throws `DaosError` on all ranks, if one of them failed: nothing written since the last commit is visible then.
   */
  commit(): Epoch {
    if (!this.#isWritten) return this.#refresh();
    this.#show(this.#publish());
    this.#aggregate();
    return this.epoch;
  }

  /**
   * Commits as {@link commit} does, and ends the use of the file, also if the commit fails. Collective if the
   * file may be written.
   */
  finish(): void {
    // Before the commit: when it has taken effect, no rank holds the version before.
    this.#state.close();
    if (!this.#isWritten) return;
    this.#epoch = this.#publish();
    this.#aggregate();
  }

  /** Commits what was written, then makes the file as long as is asked, in a second commit. Collective. */
  resize(size: number, how: "exactly" | "at-least"): void {
    this.commit();
    attempt(this.#comm, () => {
      if (this.#comm.rank !== ROOT) return;
      const current = this.#state.arraySize(this.#opened.oid);
      if (how === "at-least" && size <= current) return;
      this.#transaction = this.#opened.container.begin();
      this.#setSize(this.#transaction, size, current);
    });
    this.commit();
  }

  #publish(): Epoch {
    const { container } = this.#opened;
    const transaction = this.#transaction ?? container.begin();
    this.#transaction = undefined;
    const id = container.newTransactionId();
    return commitCollectively(this.#comm, container, transaction, id).epoch;
  }

  #setSize(own: Transaction, size: number, current: number): void {
    const { oid, incarnation } = this.#opened;
    if (size < current) {
      own.punchRange(oid, wholeOf(Pattern.contiguous(size, current)), incarnation);
    }
    // Holes at the end do not count: the last byte is written where it is one.
    if (size === 0 || this.#state.arraySize(oid, own) === size) return;
    const last = wholeOf(Pattern.contiguous(size - 1, size));
    own.write(oid, last, new Uint8Array(1), incarnation);
  }

  /** Shows the newest version, unless the file was opened at a fixed one. Collective. */
  #refresh(): Epoch {
    if (!this.#isPinned) this.#show(newestEpochOfAll(this.#comm, this.#opened.container));
    return this.epoch;
  }

  /** Moves this rank's reads to another version. Collective. */
  #show(epoch: Epoch): void {
    this.#replace(attempt(this.#comm, () => this.#opened.container.view(epoch)));
  }

  #replace(state: ContainerView): void {
    const old = this.#state;
    this.#state = state;
    this.#epoch = state.epoch;
    old.close();
  }

  /** Frees what no version needs any more, on one rank of the node. */
  #aggregate(): void {
    if (this.#comm.rank !== this.#opened.leader) return;
    try {
      // Between checkpoints, time is the simulation's: data is copied when somebody asks for it.
      this.#opened.container.aggregate({ compact: false });
    } catch (error) {
      // The commit stands; space that was not freed now is freed by a later pass.
      process.emitWarning(error as Error);
    }
  }
}
