/**
 * Longer than 500 lines: all of its calls share one handle and one exchange.
 *
 * The index: an ordered, transactional key store that several processes share (LMDB).
 *
 * Keys and values are bytes with documented codecs. Readers never block; a write transaction holds
 * the single writer lock of all processes, so it is short, synchronous, and never waits for
 * anything: no `await`, no MPI call, no data I/O.
 *
 * Invariants:
 *
 * 1. A process opens the index of one real path once; handles share it and count references.
 * 2. No read transaction outlives one call: a stale one would hide commits and pin dead pages.
 * 3. In a durable index a transaction is on stable storage when `transact` returns.
 * 4. A transaction takes no page that its budget does not have (index-budget.ts), so that a full tier
 *    is found before anything is written.
 * 5. Opening and closing pass the gate: see index-gate.ts.
 *
 * @module
 */

import fs from "node:fs";
import { assert, DaosError, isDaosError, storageError } from "../errors.js";
import { INDEX_CHECK_SIZE_MAX, INDEX_MAP_SIZE, INDEX_READERS_MAX } from "../limits.js";
import { events } from "../metrics/events.js";
import { metrics } from "../metrics/process-metrics.js";
import { writeShort } from "./component.js";
import { ExchangedVersion, largeVersion } from "./exchanged-version.js";
import {
  ENTRY_HEADER_SIZE,
  EXCHANGE_END,
  EXCHANGE_FOUND,
  type IndexHandle,
  indexAddon,
  isIndexError,
  type LoadedIndexAddon,
  OpenFlag,
  ScanFlag,
  VALUE_HEAD_SIZE,
} from "./index-addon.js";
import { IndexBudget, type IndexSpace, type PageCounts } from "./index-budget.js";
import { checkIndexFile, isWritable } from "./index-file.js";
import { IndexGate } from "./index-gate.js";
import type {
  EntryVisitor,
  FoundVersion,
  IndexEntry,
  IndexReader,
  IndexTransaction,
  IndexVersion,
  KeyRange,
  VisitOptions,
} from "./index-reader.js";
import { EPOCH_MASK, prefixEnd } from "./key-codec.js";
import { getSpace, putSpace, type SpaceUse } from "./space-record.js";
import { once, overtakenError, steadily } from "./unguarded.js";

export type * from "./index-reader.js";

/** How an index is opened. */
export interface IndexOptions {
  /** Whether a transaction survives a power cut (and not only a killed process). */
  readonly durable: boolean;
  /** Makes a new index; without it, there must be one. */
  readonly create?: boolean;
}

/** Entries of the first batch of a visit, and of the largest. */
const VISIT_BATCH_MIN = 4;
const VISIT_BATCH_MAX = 512;

/** What a part of a check has read. */
export interface CheckedPages {
  /** Pages. */
  readonly count: number;
  readonly next: Uint8Array | undefined;
  /** The damaged page, and the first key that it, or what lies below it, may hold. */
  readonly damage:
    | { readonly problem: string; readonly page: number; readonly firstKey: Uint8Array }
    | undefined;
}

/** How a part of a visit is read. */
type BatchOptions = VisitOptions & { readonly resumed: boolean; readonly countMax: number };

/** A part of a visit. */
interface Batch {
  readonly entries: (IndexEntry & { size: number })[];
  readonly ended: boolean;
}

const openStores = new Map<string, IndexStore>();

// What is still open when the process ends would be closed by LMDB itself, past the gate.
process.on("exit", () => {
  for (const store of openStores.values()) store.closeNow();
});

/** Names the file itself, since a pool can be removed and another one made at its path. */
function registryKeyOf(path: string): string | undefined {
  const stat = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}`;
}

/** Counts and tells that space is short. */
function noted(error: DaosError): DaosError {
  metrics.noSpace.add(1);
  if (events.nospace.hasSubscribers) events.nospace.publish({ error });
  return error;
}

/** One open index. All processes open it through {@link IndexStore.open}, with the same flags. */
export class IndexStore implements IndexReader {
  readonly #addon: LoadedIndexAddon;
  readonly #handle: IndexHandle;
  readonly #path: string;
  readonly #registryKey: string;
  readonly #budget: IndexBudget;
  readonly #gate: IndexGate;
  #references = 1;
  readonly #found: ExchangedVersion;
  readonly #transaction: IndexTransaction;
  #inTransaction = false;
  #visits = 0;
  /** Whether states are read that nothing holds back; see unguarded.ts. */
  readonly #isUnguarded: boolean;

  private constructor(
    addon: LoadedIndexAddon,
    { handle, path, gate }: { handle: IndexHandle; path: string; gate: IndexGate },
  ) {
    this.#addon = addon;
    this.#handle = handle;
    this.#path = path;
    this.#gate = gate;
    this.#found = new ExchangedVersion(addon);
    this.#transaction = this.#makeTransaction();
    const registryKey = registryKeyOf(path);
    assert(registryKey !== undefined, "an open index has a file");
    this.#registryKey = registryKey;
    this.#isUnguarded = !isWritable(path);
    this.#budget = new IndexBudget(path, {
      readOnly: this.#isUnguarded,
      source: { counts: () => this.#counts(), usable: () => addon.calls.usable(handle) },
      limit: () => getSpace(this).scmLimit,
    });
    openStores.set(registryKey, this);
  }

  /**
   * Opens or creates the index file at `path`, or returns this process's open one.
   *
   * An index of up to `INDEX_CHECK_SIZE_MAX` bytes is read whole and checked: LMDB trusts its file. A
   * larger one is checked by scrubs.
   *
   * @throws {@link DaosError} `DER_NONEXIST`, `DER_DF_INVAL`, `DER_NO_PERM`, `DER_NOSPACE` or `DER_IO` if LMDB cannot open it.
   */
  static open(path: string, options: IndexOptions): IndexStore {
    const shared = openStores.get(registryKeyOf(path) ?? "");
    if (shared !== undefined) {
      shared.#references += 1;
      return shared;
    }
    let gate: IndexGate | undefined;
    try {
      const create = options.create === true;
      if (!create && !fs.existsSync(path)) checkIndexFile(path);
      gate = new IndexGate(path, { writable: isWritable(path), create });
      const addon = indexAddon();
      // LMDB may open a file once in a process: a handle that only reads shares the environment of one
      // that writes, and is read-only where the user may not write at all.
      const flags =
        (isWritable(path) ? 0 : OpenFlag.readOnly) | (options.durable ? 0 : OpenFlag.noSync);
      const handle = gate.pass(() => {
        if (!create) checkIndexFile(path);
        return addon.calls.open(path, flags, INDEX_MAP_SIZE, INDEX_READERS_MAX);
      });
      // LMDB leaves its first two pages to the sync of the first transaction.
      if (create && options.durable) gate.sync();
      const store = new IndexStore(addon, { handle, path, gate });
      // The store closes it from now on.
      gate = undefined;
      if (create) store.#budget.allocateBallast();
      else if (fs.statSync(path).size <= INDEX_CHECK_SIZE_MAX) store.#checkOpened();
      return store;
    } catch (error) {
      gate?.close();
      throw storageError(error, "Opening the index", path);
    }
  }

  #checkOpened(): void {
    try {
      this.check();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Reads every page that the newest state refers to.
   *
   * @throws {@link DaosError} `DER_DF_INVAL` if one is damaged.
   */
  check(): void {
    const why = this.#read("Checking the index", () => this.#addon.calls.check(this.#handle));
    if (why === undefined) return;
    throw new DaosError(
      "DER_DF_INVAL",
      {
        what: `Checking index ${this.#path}`,
        why,
        remedy: "restore the pool from a copy",
      },
      { path: this.#path },
    );
  }

  /**
   * Checks the pages of the entries from a key on, about `pages` of them or up to the first damaged one.
   *
   * @returns What was read, and where to go on; `undefined` at the end.
   */
  checkFrom(key: Uint8Array, pages: number): CheckedPages {
    return this.#steadily(() => {
      const { calls, bytes } = this.#addon;
      bytes.set(key);
      const [count, nextSize, problem, page, lowSize] = this.#read("Checking the index", () =>
        calls.checkFrom(this.#handle, key.length, pages),
      );
      const next =
        nextSize === 0 ? undefined : bytes.slice(EXCHANGE_FOUND, EXCHANGE_FOUND + nextSize);
      const low = EXCHANGE_FOUND + EXCHANGE_END;
      const damage = problem && { problem, page, firstKey: bytes.slice(low, low + lowSize) };
      return { count, next, damage: damage || undefined };
    });
  }

  /** Runs one call of the addon; its failures become typed errors. */
  #read<T>(what: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw storageError(error, what, this.#path);
    }
  }

  /** The value of a key in the newest committed state (inside a transaction: in that one). */
  get(key: Uint8Array): Uint8Array | undefined {
    return this.#isUnguarded ? this.#steadily(() => this.#get(key)) : this.#get(key);
  }

  /** Reads again what a writer has overtaken. */
  #steadily<T>(call: () => T): T {
    return steadily(call, () => this.#isOvertaken, this.#path);
  }

  /** Whether pages of the state that was read last may be others by now. */
  get #isOvertaken(): boolean {
    return this.#isUnguarded && this.#addon.calls.overtaken(this.#handle);
  }

  #get(key: Uint8Array): Uint8Array | undefined {
    const { calls, bytes } = this.#addon;
    try {
      bytes.set(key);
      const size = calls.get(this.#handle, key.length);
      if (size < 0) return undefined;
      if (size <= bytes.length - EXCHANGE_FOUND) {
        return bytes.slice(EXCHANGE_FOUND, EXCHANGE_FOUND + size);
      }
      return calls.getCopy(this.#handle, key.length);
    } catch (error) {
      throw storageError(error, "Reading the index", this.#path);
    }
  }

  seek(key: Uint8Array, prefixSize: number): IndexEntry | undefined {
    if (!this.#isUnguarded) return this.#seek(key, prefixSize);
    return this.#steadily(() => this.#seek(key, prefixSize));
  }

  #seek(key: Uint8Array, prefixSize: number): IndexEntry | undefined {
    const { calls, bytes } = this.#addon;
    try {
      bytes.set(key);
      const found = calls.seek(this.#handle, key.length, prefixSize);
      if (found === 0) return undefined;
      if (found === 1) return this.#entryAt(EXCHANGE_FOUND);
    } catch (error) {
      throw storageError(error, "Reading the index", this.#path);
    }
    // The value did not fit, and may be another one by the time that it is asked for.
    let entry: IndexEntry | undefined;
    const end = prefixEnd(key.subarray(0, prefixSize));
    this.visit({ start: key, end }, (foundKey, value) => {
      entry = { key: foundKey, value };
      return false;
    });
    return entry;
  }

  newest(prefix: Uint8Array, suffix: Uint8Array): IndexVersion | undefined {
    if (!this.#isUnguarded) return this.#newest(prefix, suffix);
    return this.#steadily(() => this.#newest(prefix, suffix));
  }

  #newest(prefix: Uint8Array, suffix: Uint8Array): IndexVersion | undefined {
    const { calls, bytes, view } = this.#addon;
    const size = prefix.length;
    try {
      for (;;) {
        bytes.set(prefix);
        bytes.set(suffix, size);
        const found = calls.seek(this.#handle, size + suffix.length, size);
        if (found === 0) return undefined;
        const keyStart = EXCHANGE_FOUND + ENTRY_HEADER_SIZE;
        const keyEnd = keyStart + view.getUint32(EXCHANGE_FOUND, true);
        const epoch = view.getBigUint64(keyEnd - 8) ^ EPOCH_MASK;
        if (found === 1) {
          const end = keyEnd + view.getUint32(EXCHANGE_FOUND + 4, true);
          return { epoch, value: bytes.slice(keyEnd, end) };
        }
        bytes.copyWithin(0, keyStart, keyEnd);
        const value = calls.getCopy(this.#handle, keyEnd - keyStart);
        // It may have been removed in between: then there is another newest one, or none.
        if (value !== undefined) return { epoch, value };
      }
    } catch (error) {
      throw storageError(error, "Reading the index", this.#path);
    }
  }

  newestOf(
    prefix: Uint8Array,
    components: { readonly first: Uint8Array; readonly second: Uint8Array },
    suffix: Uint8Array,
  ): FoundVersion | undefined {
    if (!this.#isUnguarded) return this.#newestOf(prefix, components, suffix);
    return this.#steadily(() => this.#newestOf(prefix, components, suffix));
  }

  #newestOf(
    prefix: Uint8Array,
    { first, second }: { readonly first: Uint8Array; readonly second: Uint8Array },
    suffix: Uint8Array,
  ): FoundVersion | undefined {
    const { calls, bytes } = this.#addon;
    try {
      bytes.set(prefix);
      const size = writeShort(bytes, writeShort(bytes, prefix.length, first), second);
      bytes.set(suffix, size);
      const found = calls.seek(this.#handle, size + suffix.length, size);
      if (found === 0) return undefined;
      if (found === 1) return this.#found.at(size + suffix.length);
      const key = bytes.slice(0, size);
      const version = this.newest(key, suffix);
      return version && { epoch: version.epoch, ...largeVersion(version.value) };
    } catch (error) {
      throw storageError(error, "Reading the index", this.#path);
    }
  }

  /** Copies an entry out of the exchange. */
  #entryAt(start: number): IndexEntry {
    const { bytes, view } = this.#addon;
    const keyStart = start + ENTRY_HEADER_SIZE;
    const keyEnd = keyStart + view.getUint32(start, true);
    const valueEnd = keyEnd + view.getUint32(start + 4, true);
    return { key: bytes.slice(keyStart, keyEnd), value: bytes.slice(keyEnd, valueEnd) };
  }

  /**
   * Visits a range of the newest committed state (inside a transaction: of that one).
   *
   * @throws {@link DaosError} `DER_BUSY` to a user who may only read, if a writer overtook the visit; what was
   *   visited by then was right.
   */
  visit(range: KeyRange, visitor: EntryVisitor, options: VisitOptions = {}): void {
    const { calls } = this.#addon;
    const holds = this.#visits === 0 && !this.#inTransaction;
    if (holds) this.#read("Reading the index", () => calls.hold(this.#handle));
    this.#visits += 1;
    try {
      let { start, end } = range;
      let resumed = false;
      let countMax = VISIT_BATCH_MIN;
      for (;;) {
        const how = { ...options, resumed, countMax };
        const range = { start, end };
        const { entries, ended } = this.#isUnguarded
          ? this.#unguardedBatch(range, how, holds && !resumed)
          : this.#batch(range, how);
        for (const { key, value, size } of entries) {
          if (visitor(key, value, size) === false) return;
        }
        const last = entries.at(-1);
        if (ended || last === undefined) return;
        if (options.reverse === true) end = last.key;
        else start = last.key;
        resumed = true;
        countMax = Math.min(VISIT_BATCH_MAX, countMax * 4);
      }
    } finally {
      this.#visits -= 1;
      // The state is consistent inside the call; the pages it pinned are released with it.
      if (holds) calls.release(this.#handle);
    }
  }

  /** A part of a visit that a writer may overtake. While nobody has seen any, it begins anew then. */
  #unguardedBatch(range: KeyRange, how: BatchOptions, isFirst: boolean): Batch {
    if (!isFirst)
      return once(
        () => this.#batch(range, how),
        () => this.#isOvertaken,
        this.#path,
      );
    return this.#steadily(() => {
      this.#addon.calls.release(this.#handle);
      this.#addon.calls.hold(this.#handle);
      return this.#batch(range, how);
    });
  }

  #batch({ start, end }: KeyRange, options: BatchOptions): Batch {
    const { calls, bytes, view } = this.#addon;
    const { reverse = false, heads = false } = options;
    bytes.set(start);
    bytes.set(end, EXCHANGE_END);
    const how =
      (reverse ? ScanFlag.reverse : options.resumed ? ScanFlag.exclusive : 0) |
      (heads ? ScanFlag.heads : 0);
    const found = this.#read("Reading the index", () =>
      calls.scan(this.#handle, start.length, end.length, options.countMax, how),
    );
    const count = found < 0 ? -1 - found : found;
    const entries: (IndexEntry & { size: number })[] = [];
    let at = EXCHANGE_FOUND;
    for (let index = 0; index < count; index++) {
      const keyStart = at + ENTRY_HEADER_SIZE;
      const valueStart = keyStart + view.getUint32(at, true);
      const key = bytes.slice(keyStart, valueStart);
      const size = view.getUint32(at + 4, true);
      at = valueStart + (heads ? Math.min(size, VALUE_HEAD_SIZE) : size);
      if (at > bytes.length) {
        // A value that does not fit comes alone.
        return { entries: [{ key, value: this.#large(key), size }], ended: false };
      }
      entries.push({ key, value: bytes.slice(valueStart, at), size });
    }
    return { entries, ended: found < 0 };
  }

  #large(key: Uint8Array): Uint8Array {
    this.#addon.bytes.set(key);
    const value = this.#read("Reading the index", () =>
      this.#addon.calls.getCopy(this.#handle, key.length),
    );
    if (value === undefined && this.#isOvertaken) throw overtakenError(this.#path);
    assert(value !== undefined, "an entry stays while its state is held");
    return value;
  }

  #put(key: Uint8Array, value: Uint8Array): void {
    this.#addon.bytes.set(key);
    this.#budget.require(this.#addon.calls.put(this.#handle, key.length, value));
  }

  #putVersion(prefix: Uint8Array, suffix: Uint8Array, value: Uint8Array): void {
    const { bytes, calls } = this.#addon;
    bytes.set(prefix);
    bytes.set(suffix, prefix.length);
    const size = prefix.length + suffix.length;
    this.#budget.require(calls.put(this.#handle, size, value));
  }

  #remove(key: Uint8Array): void {
    this.#addon.bytes.set(key);
    this.#budget.require(this.#addon.calls.remove(this.#handle, key.length));
  }

  /**
   * Runs `body` in a write transaction: all of its writes take effect, or none.
   *
   * The body runs under the writer lock of all processes: it must be synchronous and short. On a tier
   * that is nearly full it may be run a second time, after the first was undone.
   *
   * @param use Whether it may take pages of the reserve; see space-record.ts.
   * @throws {@link DaosError} `DER_NOSPACE` or `DER_IO` if the commit fails; nothing is changed then.
   *   What the body throws aborts the transaction and is passed on.
   */
  transact(what: string, body: (tx: IndexTransaction) => void, use: SpaceUse = "write"): void {
    try {
      this.#attempt(what, body, use);
    } catch (error) {
      if (!isDaosError(error, "DER_NOSPACE")) throw error;
      if (!this.#settle()) throw noted(error);
      try {
        this.#attempt(what, body, use);
      } catch (again) {
        throw isDaosError(again, "DER_NOSPACE") ? noted(again) : again;
      }
    }
  }

  /**
   * Makes the pages that the last transaction freed usable, by one that changes nothing; returns whether
   * there were any.
   */
  #settle(): boolean {
    if (!this.#budget.takePending()) return false;
    try {
      const touch = (tx: IndexTransaction) => putSpace(tx, getSpace(tx));
      this.#attempt("Settling free pages", touch, "reclaim");
      return true;
    } catch (error) {
      if (isDaosError(error)) return false;
      throw error;
    }
  }

  /** What the bodies of transactions get. */
  #makeTransaction(): IndexTransaction {
    return {
      get: (key) => this.get(key),
      seek: (key, prefixSize) => this.seek(key, prefixSize),
      newest: (prefix, suffix) => this.newest(prefix, suffix),
      newestOf: (prefix, components, suffix) => this.newestOf(prefix, components, suffix),
      visit: (range, visitor, options) => this.visit(range, visitor, options),
      put: (key, value) => this.#put(key, value),
      putVersion: (prefix, suffix, value) => this.#putVersion(prefix, suffix, value),
      remove: (key) => this.#remove(key),
    };
  }

  #attempt(what: string, body: (tx: IndexTransaction) => void, use: SpaceUse): void {
    assert(!this.#inTransaction, "index transactions do not nest");
    const { calls } = this.#addon;
    try {
      calls.begin(this.#handle);
      this.#inTransaction = true;
      this.#budget.begin(what, use);
      const result: unknown = body(this.#transaction);
      assert(result === undefined, "a transaction body is synchronous and returns nothing");
      this.#budget.requireReserve();
      calls.commit(this.#handle);
    } catch (error) {
      if (this.#inTransaction) calls.abort(this.#handle);
      // LMDB's own failures become typed errors; what the body threw stays what it was.
      throw isIndexError(error) ? storageError(error, what, this.#path) : error;
    } finally {
      this.#inTransaction = false;
    }
  }

  /** Whether this user may only read it. */
  get readOnly(): boolean {
    return this.#isUnguarded;
  }

  /**
   * Number of the newest state: while it is the same, so is all that can be read, whichever process asks.
   * 0 if that cannot be told: in a transaction, and for a user who may only read.
   */
  get stateNumber(): number {
    return this.#addon.calls.stateNumber(this.#handle);
  }

  #counts(): PageCounts {
    const [pageSize, pageCount, freePages, , , , treePages, freeListPages, changedPages] =
      this.#read("Reading the index", () => this.#addon.calls.stat(this.#handle));
    return { pageSize, pageCount, freePages, treePages, freeListPages, changedPages };
  }

  /**
   * Space of the index, in bytes; used are also those of the reader table.
   *
   * @param available What its file system still has.
   */
  space(available: number): IndexSpace {
    const { used, live, free } = this.#budget.space(available);
    // The reader table is never opened beside LMDB: closing it would end the locks by which other
    // processes know that this one lives.
    const table = fs.statSync(`${this.#path}-lock`, { throwIfNoEntry: false })?.size ?? 0;
    return { used: used + table, live, free };
  }

  /**
   * Gives back what the file has beyond a new limit of its tier. Call it in a transaction.
   *
   * @throws {@link DaosError} `DER_NOSPACE` if more is in use.
   */
  shrinkTo(limit: number): void {
    assert(this.#inTransaction, "an index is shrunk in a transaction");
    this.#budget.shrinkTo(limit);
  }

  /** Releases this handle; the last one closes the index. */
  close(): void {
    this.#references -= 1;
    if (this.#references === 0) this.closeNow();
  }

  /** Closes the index, whoever still holds it: for the end of the process. */
  closeNow(): void {
    openStores.delete(this.#registryKey);
    this.#budget.close();
    this.#gate.pass(() => this.#addon.calls.close(this.#handle));
    this.#gate.close();
  }
}
