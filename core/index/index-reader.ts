/**
 * What the layers above read of the index, and what they change in a transaction.
 *
 * @module
 */

/** A half-open range of keys, `[start, end)`. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

/** How a range is visited. */
export interface VisitOptions {
  /** From the last key to the first. */
  readonly reverse?: boolean;
  /** Visitors get the first 16 bytes of values at most: for scans that pass over large ones. */
  readonly heads?: boolean;
}

/** One entry. The bytes are the caller's to keep. */
export type IndexEntry = Readonly<{ key: Uint8Array; value: Uint8Array }>;

/**
 * Visits one entry, in key order; returns `false` to stop. The bytes are the visitor's to keep.
 *
 * @param size Bytes of the value, of which a visit of heads hands out a part.
 */
export type EntryVisitor = (
  key: Uint8Array,
  value: Uint8Array,
  size: number,
) => boolean | undefined;

/** A version: what a key that ends with an epoch, inverted, leads to. */
export interface IndexVersion {
  readonly epoch: bigint;
  readonly value: Uint8Array;
}

/** A version that was found, as long as nothing else is looked for. */
export interface FoundVersion {
  /** First byte of the value. */
  readonly head: number;
  readonly epoch: bigint;
  /** Bytes of the value behind its first one. */
  readonly size: number;
  /** The value behind its first byte, copied; the caller's to keep. */
  body(): Uint8Array;
  /** Copies the bytes of the body from `start` on to a buffer, as many as there are and as it holds. */
  copyTo(target: Uint8Array, start: number): void;
}

/** Reads of one consistent state of the index. */
export interface IndexReader {
  /** The value of a key, or `undefined`. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** The first entry at or after `key` whose key begins as it does, in `prefixSize` bytes. */
  seek(key: Uint8Array, prefixSize: number): IndexEntry | undefined;
  /**
   * The newest version at or before an epoch of a key that goes on with the epoch, inverted.
   *
   * @param prefix The key without the epoch; no other key begins with it.
   * @param suffix The epoch, inverted: 8 bytes.
   */
  newest(prefix: Uint8Array, suffix: Uint8Array): IndexVersion | undefined;
  /**
   * As {@link newest}, of a key that goes on with two components, and without making an object: what it
   * returns is good until the next call.
   */
  newestOf(
    prefix: Uint8Array,
    components: { readonly first: Uint8Array; readonly second: Uint8Array },
    suffix: Uint8Array,
  ): FoundVersion | undefined;
  /** Visits the entries of a range in order. */
  visit(range: KeyRange, visitor: EntryVisitor, options?: VisitOptions): void;
}

/** A write transaction; its reads see its own writes. */
export interface IndexTransaction extends IndexReader {
  /** Stores a value, replacing an earlier one. */
  put(key: Uint8Array, value: Uint8Array): void;
  /** Stores a value under a key that comes in two parts. */
  putVersion(prefix: Uint8Array, suffix: Uint8Array, value: Uint8Array): void;
  /** Removes a key, if it is there. */
  remove(key: Uint8Array): void;
}
