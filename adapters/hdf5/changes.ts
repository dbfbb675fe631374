/**
 * The version of a container that an open file reads, and where its changes go until they are committed.
 *
 * @module
 */

import type {
  Container,
  ContainerView,
  Epoch,
  ObjectId,
  ObjectType,
  Transaction,
} from "../../core/index.js";

/** A type of object of the store. */
export type StoredType = (typeof ObjectType)[keyof typeof ObjectType];

/** What an open file reads and changes: alone, or with the other ranks of a communicator. */
export interface Changes {
  /** The version that is read; `undefined` once it was closed. */
  readonly view: ContainerView | undefined;
  /** Changes of metadata since the last commit. */
  readonly metadata: Transaction | undefined;
  /** Changes of elements since the last commit. */
  readonly data: Transaction | undefined;
  /** Whether this process commits metadata: of several ranks one does. */
  readonly leads: boolean;
  /** What changes of metadata go to. */
  changeMetadata(): Transaction;
  /** What changes of elements go to. */
  changeData(): Transaction;
  /** Draws an object id, the same on all ranks. */
  allocateOid(type: StoredType): ObjectId;
  /** Commits, and reads the newest version from then on. */
  commit(): Epoch;
  /** Drops the changes. */
  abort(): void;
  /** Drops the changes, and reads no more. */
  close(): void;
}

/** The changes of one process: one transaction for all of them. */
export class OwnChanges implements Changes {
  readonly leads = true;
  readonly #container: Container;
  readonly #isPinned: boolean;
  #view: ContainerView | undefined;
  #transaction: Transaction | undefined;

  /** @param epoch Version to read for good; the newest, up to the next commit, by default. */
  constructor(container: Container, epoch: Epoch | undefined) {
    this.#container = container;
    this.#isPinned = epoch !== undefined;
    this.#view = container.view(epoch);
  }

  get view(): ContainerView | undefined {
    return this.#view;
  }

  get metadata(): Transaction | undefined {
    return this.#transaction;
  }

  get data(): Transaction | undefined {
    return this.#transaction;
  }

  changeMetadata(): Transaction {
    this.#transaction ??= this.#container.begin();
    return this.#transaction;
  }

  changeData(): Transaction {
    return this.changeMetadata();
  }

  allocateOid(type: StoredType): ObjectId {
    return this.#container.allocateOid(type);
  }

  commit(): Epoch {
    const view = this.#view as ContainerView;
    const transaction = this.#transaction;
    if (transaction === undefined && this.#isPinned) return view.epoch;
    this.#transaction = undefined;
    const epoch = transaction && this.#container.commit(transaction).epoch;
    // Also where nothing was changed: others may have.
    this.#view = this.#container.view();
    view.close();
    return epoch ?? this.#view.epoch;
  }

  abort(): void {
    this.#transaction?.abort();
    this.#transaction = undefined;
  }

  close(): void {
    this.abort();
    this.#view?.close();
    this.#view = undefined;
  }
}
