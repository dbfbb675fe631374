/**
 * Updates of the akeys of one dkey: single values and arrays of records, from scattered buffers.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { RECORD_SIZE_MAX } from "../limits.js";
import type { KeyCondition } from "./contribution-format.js";

/** Bytes in one buffer, or in several, one after the other. */
export type Bytes = Uint8Array | readonly Uint8Array[];

/** Records `[index, index + count)` of an array. */
export interface RecordRange {
  /** 0 to 2^63 - 1. */
  readonly index: number | bigint;
  /** At least 1. */
  readonly count: number | bigint;
}

/** What an update does to one akey. */
export type AkeyUpdate =
  | {
      /** Attribute key. */
      readonly akey: Uint8Array;
      /** Replaces the single value, or the array; up to 1 GiB. */
      readonly value: Bytes;
      /** What the akey must be; nothing by default. */
      readonly condition?: KeyCondition;
    }
  | {
      /** Attribute key. */
      readonly akey: Uint8Array;
      /** Bytes of a record; the same for the life of the array. */
      readonly recordSize: number;
      /** Where the records go. */
      readonly ranges: readonly RecordRange[];
      /** The records of all ranges, one after the other; `undefined` punches the ranges. */
      readonly data: Bytes | undefined;
      /** What the akey must be; nothing by default. */
      readonly condition?: KeyCondition;
    };

/** What a fetch wants of one akey. */
export type AkeyFetch =
  | {
      /** Attribute key. */
      readonly akey: Uint8Array;
      /** Where the single value goes; without buffers, only its size is asked for. */
      readonly into?: Bytes;
    }
  | {
      /** Attribute key. */
      readonly akey: Uint8Array;
      /** Which records. */
      readonly ranges: readonly RecordRange[];
      /** Where the records go; records that were never written leave it as it is. */
      readonly into: Bytes;
      /** Whether the ranges that were written are asked for. */
      readonly map?: boolean;
    };

/** What a fetch found of one akey. */
export interface AkeyFetched {
  /** Bytes of the single value, or of a record; 0 if the akey does not exist. */
  readonly size: number;
  /** The ranges that were written, in the order asked for; only if a map was asked for. */
  readonly written?: readonly ExactRange[];
}

const INDEX_END = 1n << 63n;

/** The buffers of some bytes. */
export function buffersOf(bytes: Bytes): readonly Uint8Array[] {
  return bytes instanceof Uint8Array ? [bytes] : bytes;
}

/** Bytes in all buffers. */
export function sizeOf(bytes: Bytes): number {
  return bytes instanceof Uint8Array
    ? bytes.length
    : bytes.reduce((size, buffer) => size + buffer.length, 0);
}

/** One buffer with all bytes; of a single one, itself. */
export function gathered(bytes: Bytes): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  return bytes.length === 1 ? (bytes[0] as Uint8Array) : Buffer.concat(bytes);
}

/** Hands out buffers in parts of a given size. */
export class BufferCursor {
  readonly #buffers: readonly Uint8Array[];
  #index = 0;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#buffers = buffersOf(bytes);
  }

  /** Calls `each` with the next `size` bytes, in as many parts as they lie in. */
  take(size: number, each: (part: Uint8Array) => void): void {
    let left = size;
    while (left > 0) {
      const buffer = this.#buffers[this.#index] as Uint8Array;
      const part = buffer.subarray(this.#at, this.#at + left);
      left -= part.length;
      this.#at += part.length;
      if (this.#at === buffer.length) {
        this.#index += 1;
        this.#at = 0;
      }
      if (part.length > 0) each(part);
    }
  }
}

function invalid(what: string, why: string, remedy: string): DaosError {
  return new DaosError("DER_INVAL", { what, why, remedy });
}

/** Ranges with exact numbers. */
export interface ExactRange {
  /** First record. */
  readonly index: bigint;
  /** Number of records. */
  readonly count: bigint;
}

/**
 * Checks ranges of records.
 *
 * @throws {@link DaosError} `DER_INVAL`.
 */
export function checkRanges(what: string, ranges: readonly RecordRange[]): ExactRange[] {
  return ranges.map(({ index, count }) => {
    const isWhole = [index, count].every(
      (value) => typeof value === "bigint" || Number.isSafeInteger(value),
    );
    if (!isWhole) throw invalid(what, `${index} + ${count} is not a range`, "use whole numbers");
    const exact = { index: BigInt(index), count: BigInt(count) };
    if (exact.index < 0n || exact.count < 1n || exact.index + exact.count > INDEX_END) {
      const why = `records ${index} + ${count} do not lie in 0 to 2^63`;
      throw invalid(what, why, "use an index of at least 0 and a count of at least 1");
    }
    return exact;
  });
}

/** @throws {@link DaosError} `DER_INVAL` if records cannot have this size. */
export function checkRecordSize(what: string, recordSize: number): void {
  if (Number.isSafeInteger(recordSize) && recordSize >= 1 && recordSize <= RECORD_SIZE_MAX) return;
  const why = `a record cannot have ${recordSize} bytes`;
  throw invalid(what, why, `use 1 to ${RECORD_SIZE_MAX} bytes`);
}

/** @throws {@link DaosError} `DER_INVAL` if buffers do not hold exactly the records of some ranges. */
export function checkDataSize(
  what: string,
  ranges: readonly ExactRange[],
  recordSize: number,
  bytes: Bytes,
): void {
  const records = ranges.reduce((sum, { count }) => sum + count, 0n);
  const needed = records * BigInt(recordSize);
  if (needed === BigInt(sizeOf(bytes))) return;
  const why = `${records} records of ${recordSize} bytes do not fit buffers of ${sizeOf(bytes)} bytes`;
  throw invalid(what, why, `pass buffers of ${needed} bytes in all`);
}
