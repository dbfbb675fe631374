/**
 * The calls of `index.node`, and the buffer that keys and values cross in; see the C source.
 *
 * @module
 */

import { requireAddon } from "../device/addon.js";
import { isDaosError } from "../errors.js";

/** A handle that `open` returned. */
export type IndexHandle = number;

/** The calls of `index.node`; keys lie in the exchange before a call, and what was found after it. */
export interface IndexAddon {
  readonly exchange: ArrayBuffer;
  open(path: string, flags: number, mapSize: number, readers: number): IndexHandle;
  close(handle: IndexHandle): void;
  get(handle: IndexHandle, keySize: number): number;
  getCopy(handle: IndexHandle, keySize: number): Uint8Array | undefined;
  seek(handle: IndexHandle, keySize: number, prefixSize: number): 0 | 1 | 2;
  scan(
    handle: IndexHandle,
    startSize: number,
    endSize: number,
    countMax: number,
    how: number,
  ): number;
  hold(handle: IndexHandle): void;
  release(handle: IndexHandle): void;
  overtaken(handle: IndexHandle): boolean;
  begin(handle: IndexHandle): void;
  commit(handle: IndexHandle): void;
  abort(handle: IndexHandle): void;
  put(handle: IndexHandle, keySize: number, value: Uint8Array): number;
  remove(handle: IndexHandle, keySize: number): number;
  usable(handle: IndexHandle): number;
  /** Number of the transaction whose state the next look reads; 0 if that cannot be told. */
  stateNumber(handle: IndexHandle): number;
  check(handle: IndexHandle): string | undefined;
  checkFrom(
    handle: IndexHandle,
    keySize: number,
    budget: number,
  ): [number, number, string | undefined, number, number];
  /**
   * Page size, pages of the file, free ones among them, entries, depth, transaction, branch and leaf
   * pages, pages of the free list, pages that the running transaction has changed.
   */
  stat(
    handle: IndexHandle,
  ): [number, number, number, number, number, number, number, number, number];
}

/** Flags of `open`. */
export const OpenFlag = { readOnly: 1, noSync: 2 } as const;
/** Ways to `scan`. */
export const ScanFlag = { reverse: 1, exclusive: 2, heads: 4 } as const;
/** Bytes of a value that a scan of heads returns. */
export const VALUE_HEAD_SIZE = 16;

/** Where the end of a range lies in the exchange. */
export const EXCHANGE_END = 2048;
/** Where what was found lies in the exchange. */
export const EXCHANGE_FOUND = 4096;
/** Key size and value size of an entry in the exchange. */
export const ENTRY_HEADER_SIZE = 8;

/** The addon and its buffer, once a thread. */
export interface LoadedIndexAddon {
  readonly calls: IndexAddon;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
}

let loaded: LoadedIndexAddon | undefined;

/**
 * The index addon.
 *
 * @throws {@link DaosError} `DER_SETUP` if it was not built, or does not load here.
 */
export function indexAddon(): LoadedIndexAddon {
  if (loaded === undefined) {
    const calls = requireAddon<IndexAddon>("index");
    const { exchange } = calls;
    loaded = { calls, bytes: new Uint8Array(exchange), view: new DataView(exchange) };
  }
  return loaded;
}

/** Whether LMDB threw it. */
export function isIndexError(error: unknown): boolean {
  if (isDaosError(error)) return false;
  const { code } = error as { code?: unknown };
  return (
    typeof code === "string" && /^(MDB_|E[A-Z0-9]+$)/.test(code) && code !== "ERR_INVALID_ARG_TYPE"
  );
}
