/**
 * Single values whose bytes lie in a log: those of more than `VALUE_INDEX_SIZE_MAX` bytes.
 *
 *     version of the akey    kind long, size
 *     run                    where the bytes of an array of 1-byte records under the akey would be, in window
 *                            0, from 0 to the size, at the epoch of the version
 *
 * So the bytes are merged, moved, checked and freed as those of arrays are. Whoever sees the version reads
 * the runs of its own epoch only: what older versions left there is hidden, also where it is longer. Of several
 * runs of that epoch the newest covers all of the value.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { COMPACTION_COPY_SIZE } from "../limits.js";
import type { ArrayReader } from "./array-reader.js";
import type { Epoch } from "./epoch.js";
import { formatOid } from "./object-id.js";
import { Pattern, wholeOf } from "./pattern.js";

/** Where a value lies. */
export interface LongValue {
  /** In bytes. */
  readonly size: number;
  /** When it was written. */
  readonly epoch: Epoch;
  /** The beginning of the keys of its akey. */
  readonly akey: Uint8Array;
}

/** A value as the index has it: its bytes, or where they are. */
export type StoredValue = Uint8Array | LongValue;

/** Whether the bytes of a value lie in a log. */
export function isLongValue(value: StoredValue | CopyableValue): value is LongValue {
  return !ArrayBuffer.isView(value) && !("copyTo" in value);
}

/** Bytes of a value. */
export function storedSize(value: StoredValue): number {
  return isLongValue(value) ? value.size : value.length;
}

/** A single value that can be copied from where it lies. */
export interface CopyableValue {
  /** In bytes. */
  readonly size: number;
  /** Copies its bytes from `start` on to a buffer, as many as there are and as it holds. */
  copyTo(target: Uint8Array, start: number): void;
}

/** Bytes in memory, to be copied. */
export function copyable(value: Uint8Array): CopyableValue {
  return {
    size: value.length,
    copyTo: (target, start) => target.set(value.subarray(start, start + target.length)),
  };
}

/**
 * A value in a log, to be copied.
 *
 * @param reader Of the array space of its akey, at its epoch and no other.
 */
export function copyableLong({ size, epoch }: LongValue, reader: ArrayReader): CopyableValue {
  const copyTo = (buffer: Uint8Array, start: number): void => {
    const target = buffer.subarray(0, size - start);
    const range = wholeOf(Pattern.contiguous(start, start + target.length));
    const missing = reader.read(range, target);
    if (missing === 0) return;
    const { container, oid } = reader.object;
    throw new DaosError(
      "DER_DF_INVAL",
      {
        what: `Reading a value of ${size} bytes of object ${formatOid(oid)} in container ${container}`,
        why: `the index does not say where ${missing} bytes of it are`,
        remedy: "the pool's files are damaged: restore the pool from a copy",
      },
      { container, oid, epoch },
    );
  };
  return { size, copyTo };
}

/** All of a value, in a new buffer. */
export function bytesOfCopyable(value: CopyableValue): Uint8Array {
  const bytes = new Uint8Array(value.size);
  value.copyTo(bytes, 0);
  return bytes;
}

/** Whether two values have the same bytes; reads them in parts. */
export function haveSameBytes(a: CopyableValue, b: CopyableValue): boolean {
  if (a.size !== b.size) return false;
  const partSize = Math.min(a.size, COMPACTION_COPY_SIZE);
  const parts = [new Uint8Array(partSize), new Uint8Array(partSize)] as const;
  for (let at = 0; at < a.size; at += partSize) {
    const [left, right] = parts.map((part) => part.subarray(0, a.size - at));
    a.copyTo(left as Uint8Array, at);
    b.copyTo(right as Uint8Array, at);
    if (Buffer.compare(left as Uint8Array, right as Uint8Array) !== 0) return false;
  }
  return true;
}
