/**
 * An open HDF5 file: the version that is read, and the changes since the last flush.
 *
 * The file, its groups, datasets and attributes share one session. Changes gather in one transaction,
 * which the session's own reads see; a flush commits it.
 *
 * With several ranks, metadata are changed by all ranks alike, and elements by each rank for itself: see
 * `parallel/rank-changes.ts`.
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
import type { NamespaceChange, NamespaceState } from "../dfs/index.js";
import { type Changes, OwnChanges, type StoredType } from "./changes.js";
import { type ChunkPiece, exchangePieces } from "./parallel/chunk-exchange.js";
import { type ParallelGroup, RankChanges } from "./parallel/rank-changes.js";

/** What a session is made of. */
export interface SessionOrigin {
  readonly container: Container;
  /** Path of the file in the container. */
  readonly path: string;
  readonly canWrite: boolean;
  /** Version to read; the newest by default. */
  readonly epoch: Epoch | undefined;
  /** The ranks that open the file together. */
  readonly group?: ParallelGroup | undefined;
}

/** What keeps changes back until the next flush. */
export interface FlushPart {
  /** Puts what was kept back into the transaction. */
  flush(): Promise<void>;
  /** Forgets what was read, and what was kept back. */
  reset(): void;
  /** What was kept back for the other ranks. */
  takePieces(): ChunkPiece[];
}

/** Puts pieces of other ranks where they belong. */
export type PieceTaker = (pieces: readonly ChunkPiece[]) => Promise<void>;

/** Ids of blocks that are drawn at once. */
const BLOCKS_DRAWN = 64;

/** What sessions of files that link to each other share: one version, one transaction. */
interface Shared {
  readonly parts: Map<ObjectId, FlushPart>;
  readonly orders: Map<string, number>;
  readonly siblings: Map<string, Session>;
  /** Objects of references that were given to the program: those of readers are not in the store. */
  readonly referred: Map<bigint, ObjectId>;
  readonly changes: Changes;
  readonly group: ParallelGroup | undefined;
  blocks: { next: bigint; end: bigint };
}

/** The state that all handles of an open file share. */
export class Session {
  /** Where the file lies. */
  readonly container: Container;
  /** Path of the file in the container. */
  readonly path: string;
  /** The root group. */
  root: ObjectId = 0n;
  readonly #canWrite: boolean;
  readonly #shared: Shared;

  /** Takes what other ranks wrote of chunks; set by whoever can open datasets. */
  takePieces: PieceTaker | undefined;

  constructor({ container, path, canWrite, epoch, group }: SessionOrigin, shared?: Shared) {
    this.container = container;
    this.path = path;
    this.#canWrite = canWrite;
    this.#shared = shared ?? {
      parts: new Map(),
      orders: new Map(),
      siblings: new Map(),
      referred: new Map(),
      changes:
        group === undefined
          ? new OwnChanges(container, epoch)
          : new RankChanges(group, container, { epoch, canWrite }),
      group,
      blocks: { next: 0n, end: 0n },
    };
    this.#shared.siblings.set(path, this);
  }

  /** The session of another file of the container: read at the same version, changed in the same commit. */
  sibling(path: string, root: ObjectId): Session {
    const known = this.#shared.siblings.get(path);
    if (known !== undefined) return known;
    const origin = { container: this.container, path, canWrite: this.#canWrite, epoch: undefined };
    const session = new Session(origin, this.#shared);
    session.root = root;
    return session;
  }

  /** Whether the session may change the file. */
  get canWrite(): boolean {
    return this.#canWrite;
  }

  /**
   * What reads of metadata see.
   *
   * @throws `DaosError` `DER_NO_HDL` once the file is closed.
   */
  state(what: string): NamespaceState {
    const { view, metadata } = this.#shared.changes;
    if (view !== undefined) return { view, own: metadata };
    const text = { what, why: `file "${this.path}" was closed`, remedy: "open the file again" };
    throw new DaosError("DER_NO_HDL", text, { path: this.path });
  }

  /** What reads of elements see. */
  dataState(what: string): NamespaceState {
    const { view } = this.state(what);
    return { view, own: this.#shared.changes.data };
  }

  /** Whether this process commits metadata: of several ranks one does. */
  get leads(): boolean {
    return this.#shared.changes.leads;
  }

  /** Whether several ranks have opened the file together. */
  get isParallel(): boolean {
    return (this.#shared.group?.size ?? 1) > 1;
  }

  #requireWritable(what: string): ContainerView {
    const { view } = this.state(what);
    if (this.#canWrite) return view;
    const remedy = 'open it with mode "r+" or "a"';
    const text = { what, why: `file "${this.path}" was opened for reading`, remedy };
    throw new DaosError("DER_NO_PERM", text, { path: this.path });
  }

  /**
   * What changes of metadata go to.
   *
   * @throws `DaosError` `DER_NO_PERM` if the file was opened for reading, `DER_NO_HDL`.
   */
  change(what: string): NamespaceChange {
    const view = this.#requireWritable(what);
    return { view, own: this.#shared.changes.changeMetadata() };
  }

  /**
   * What changes of elements go to.
   *
   * @throws `DaosError` as {@link change}; of several ranks also `DER_CANCELED` if an earlier change failed.
   */
  changeData(what: string): NamespaceChange {
    const view = this.#requireWritable(what);
    const own = this.#shared.changes.changeData();
    if (own.isOpen) return { view, own };
    const remedy = "flush the file on all ranks, and write again";
    const text = { what, why: "an earlier change failed on this rank", remedy };
    throw new DaosError("DER_CANCELED", text, { path: this.path });
  }

  /** Draws an object id, the same on all ranks. */
  allocateOid(type: StoredType): ObjectId {
    return this.#shared.changes.allocateOid(type);
  }

  /** Draws numbers that follow one another, and that nobody else gets. @returns The first. */
  allocateBlocks(count: number): bigint {
    const { blocks } = this.#shared;
    if (count > BLOCKS_DRAWN) return this.container.allocateOids(count).first;
    if (blocks.end - blocks.next < count) {
      const { first } = this.container.allocateOids(BLOCKS_DRAWN);
      this.#shared.blocks = { next: first, end: first + BigInt(BLOCKS_DRAWN) };
    }
    const first = this.#shared.blocks.next;
    this.#shared.blocks.next += BigInt(count);
    return first;
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

  /** Removes an object with all that it holds. */
  punch(oid: ObjectId): void {
    this.#shared.parts.get(oid)?.reset();
    this.change("Removing").own.punch(oid);
  }

  /** Reads the bytes of a pattern, packed; those never written become 0, or stay as they are. */
  read(oid: ObjectId, pattern: Pattern, target: Uint8Array, keepsUnwritten = false): void {
    const { view, own } = this.dataState("Reading");
    if (keepsUnwritten) view.readWritten(oid, wholeOf(pattern), target, own);
    else view.readArray(oid, wholeOf(pattern), target, own);
  }

  /**
   * Changes elements. A failure drops the changes since the last flush.
   *
   * @throws `DaosError` `DER_NOSPACE` or `DER_IO`.
   */
  write(what: string, step: (own: Transaction) => void): void {
    const { own } = this.changeData(what);
    try {
      step(own);
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /**
   * The next place in an order of creation.
   *
   * @param count Finds the first one, when it is asked for the first time.
   */
  nextOrder(key: string, count: () => number): number {
    const next = this.#shared.orders.get(key) ?? count();
    this.#shared.orders.set(key, next + 1);
    return next;
  }

  /** Notes a reference that a program was given. */
  noteReferred(reference: bigint, oid: ObjectId): void {
    this.#shared.referred.set(reference, oid);
  }

  /** The object of a reference that a program was given by this session. */
  noted(reference: bigint): ObjectId | undefined {
    return this.#shared.referred.get(reference);
  }

  /** What keeps changes of an object back; made by `make` if there is none. */
  part<T extends FlushPart>(oid: ObjectId, make: () => T): T {
    const known = this.#shared.parts.get(oid) as T | undefined;
    if (known !== undefined) return known;
    const part = make();
    this.#shared.parts.set(oid, part);
    return part;
  }

  /** Commits the changes, at one epoch, and reads the newest version from then on. Of several ranks, collective. */
  async flush(): Promise<Epoch> {
    this.state("Flushing");
    try {
      await this.#settleParts();
    } catch (error) {
      this.abort();
      // The other ranks wait for this one.
      if (!this.isParallel) throw error;
      this.#shared.changes.commit();
      throw error;
    }
    this.#forget();
    return this.#shared.changes.commit();
  }

  /** Puts what was kept back into the transaction, or where the rank that stores it puts it. */
  async #settleParts(): Promise<void> {
    const { group, parts } = this.#shared;
    const { takePieces } = this;
    if (group !== undefined && this.isParallel && this.#canWrite && takePieces !== undefined) {
      const pieces = [...parts.values()].flatMap((part) => part.takePieces());
      await exchangePieces(group, pieces, takePieces);
    }
    for (const part of parts.values()) await part.flush();
  }

  #forget(): void {
    this.#shared.orders.clear();
    for (const part of this.#shared.parts.values()) part.reset();
    this.#shared.parts.clear();
  }

  /** Drops the changes since the last flush. */
  abort(): void {
    this.#forget();
    this.#shared.changes.abort();
  }

  /** Ends the session; changes that were not flushed are dropped. Later calls do nothing. */
  close(): void {
    this.#forget();
    this.#shared.changes.close();
  }

  /** Whether the session has ended. */
  get isClosed(): boolean {
    return this.#shared.changes.view === undefined;
  }
}
