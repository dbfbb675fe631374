/**
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
 * 4. Opening, closing and writing pass the gate: see index-gate.ts.
 *
 * @module
 */

import fs from "node:fs";
import { open, type RootDatabase } from "lmdb";
import { assert, storageError, systemCode } from "../errors.js";
import { INDEX_MAP_SIZE, INDEX_READERS_MAX } from "../limits.js";
import { checkIndexFile, isWritable } from "./index-file.js";
import { IndexGate } from "./index-gate.js";

/** A half-open range of keys, `[start, end)`. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

/** Visits one entry, in key order; returns `false` to stop. The bytes are the visitor's to keep. */
export type EntryVisitor = (key: Uint8Array, value: Uint8Array) => boolean | undefined;

/** Reads of one consistent state of the index. */
export interface IndexReader {
  /** The value of a key, or `undefined`. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** Visits the entries of a range in order. */
  visit(range: KeyRange, visitor: EntryVisitor): void;
}

/** A write transaction; its reads see its own writes. */
export interface IndexTransaction extends IndexReader {
  /** Stores a value, replacing an earlier one. */
  put(key: Uint8Array, value: Uint8Array): void;
  /** Removes a key, if it is there. */
  remove(key: Uint8Array): void;
}

/** How an index is opened. */
export interface IndexOptions {
  /** Whether a transaction survives a power cut (and not only a killed process). */
  readonly durable: boolean;
  /** Makes a new index; without it, there must be one. */
  readonly create?: boolean;
}

type Database = RootDatabase<Uint8Array, Uint8Array>;

const openStores = new Map<string, IndexStore>();

// What is still open when the process ends would be closed by LMDB itself, past the gate.
process.on("exit", () => {
  for (const store of openStores.values()) store.closeNow();
});

function openDatabase(path: string, options: IndexOptions): Database {
  return open<Uint8Array, Uint8Array>({
    path,
    noSubdir: true,
    keyEncoding: "binary",
    encoding: "binary",
    mapSize: INDEX_MAP_SIZE,
    maxReaders: INDEX_READERS_MAX,
    // Without overlapping sync, a commit returns only when it is durable. Without a writable map,
    // a full disk is an error and not a SIGBUS.
    overlappingSync: false,
    noSync: !options.durable,
    useWritemap: false,
    // LMDB may open a file once in a process: a handle that only reads shares the environment of one
    // that writes, and is read-only where the user may not write at all.
    readOnly: !isWritable(path),
    cache: false,
    eventTurnBatching: false,
  });
}

/** Names the file itself, since a pool can be removed and another one made at its path. */
function registryKeyOf(path: string): string | undefined {
  const stat = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}`;
}

/** One open index. All processes open it through {@link IndexStore.open}, with the same flags. */
export class IndexStore implements IndexReader {
  readonly #database: Database;
  readonly #path: string;
  readonly #registryKey: string;
  readonly #gate: IndexGate;
  #references = 1;
  #inTransaction = false;

  private constructor(
    database: Database,
    opened: { path: string; registryKey: string; gate: IndexGate },
  ) {
    this.#database = database;
    this.#path = opened.path;
    this.#registryKey = opened.registryKey;
    this.#gate = opened.gate;
  }

  /**
   * Opens or creates the index file at `path`, or returns this process's open one.
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
      const database = gate.pass(() => {
        if (!create) checkIndexFile(path);
        return openDatabase(path, options);
      });
      // LMDB leaves its first two pages to the sync of the first transaction.
      if (create && options.durable) gate.sync();
      const registryKey = registryKeyOf(path);
      assert(registryKey !== undefined, "an open index has a file");
      const store = new IndexStore(database, { path, registryKey, gate });
      openStores.set(registryKey, store);
      return store;
    } catch (error) {
      gate?.close();
      throw storageError(error, "Opening the index", path);
    }
  }

  /** The value of a key in the newest committed state (inside a transaction: in that one). */
  get(key: Uint8Array): Uint8Array | undefined {
    try {
      if (!this.#inTransaction) this.#database.resetReadTxn();
      return this.#database.getBinary(key);
    } catch (error) {
      throw storageError(error, "Reading the index", this.#path);
    }
  }

  /** Visits a range of the newest committed state (inside a transaction: of that one). */
  visit(range: KeyRange, visitor: EntryVisitor): void {
    if (!this.#inTransaction) this.#database.resetReadTxn();
    let inVisitor = false;
    try {
      for (const { key, value } of this.#database.getRange(range)) {
        inVisitor = true;
        if (visitor(key, value) === false) break;
        inVisitor = false;
      }
    } catch (error) {
      throw inVisitor ? error : storageError(error, "Reading the index", this.#path);
    } finally {
      // The state is consistent inside the call; the pages it pinned are released with it.
      if (!this.#inTransaction) this.#database.resetReadTxn();
    }
  }

  /**
   * Runs `body` in a write transaction: all of its writes take effect, or none.
   *
   * The body runs under the writer lock of all processes: it must be synchronous and short.
   *
   * @throws {@link DaosError} `DER_NOSPACE` or `DER_IO` if the commit fails; nothing is changed then.
   *   What the body throws aborts the transaction and is passed on.
   */
  transact(what: string, body: (tx: IndexTransaction) => void): void {
    assert(!this.#inTransaction, "index transactions do not nest");
    const tx: IndexTransaction = {
      get: (key) => this.get(key),
      visit: (range, visitor) => this.visit(range, visitor),
      put: (key, value) => {
        this.#database.putSync(key, value);
      },
      remove: (key) => {
        this.#database.removeSync(key);
      },
    };
    this.#inTransaction = true;
    let thrownByBody: unknown;
    try {
      this.#gate.enter();
    } catch (error) {
      this.#inTransaction = false;
      throw storageError(error, what, this.#path);
    }
    try {
      this.#database.transactionSync(() => {
        try {
          const result: unknown = body(tx);
          assert(result === undefined, "a transaction body is synchronous and returns nothing");
        } catch (error) {
          thrownByBody = error;
          throw error;
        }
      });
    } catch (error) {
      // LMDB's own failures become typed errors; what the body threw stays what it was.
      throw error === thrownByBody && !isSystemError(error)
        ? error
        : storageError(error, what, this.#path);
    } finally {
      this.#inTransaction = false;
      this.#gate.leave();
    }
  }

  /** Whether this user may only read it. */
  get readOnly(): boolean {
    return !isWritable(this.#path);
  }

  /** Bytes of the index file in use. */
  size(): number {
    return fs.statSync(this.#path).size;
  }

  /** Releases this handle; the last one closes the index. */
  close(): void {
    this.#references -= 1;
    if (this.#references === 0) this.closeNow();
  }

  /** Closes the index, whoever still holds it: for the end of the process. */
  closeNow(): void {
    openStores.delete(this.#registryKey);
    this.#database.resetReadTxn();
    this.#gate.pass(() => {
      // Nothing asynchronous is ever queued, so that this closes at once.
      void this.#database.close();
    });
    this.#gate.close();
  }
}

function isSystemError(error: unknown): boolean {
  return systemCode(error) !== undefined || /^MDB_|No space left/.test((error as Error).message);
}
