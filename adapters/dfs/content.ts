/**
 * The bytes of files, in a transaction: sizes and copies.
 *
 * @module
 */

import {
  type ContainerView,
  type Epoch,
  type ObjectId,
  Pattern,
  type Transaction,
  wholeOf,
} from "../../core/index.js";
import { COPY_CHUNK_SIZE } from "./limits.js";

/** A file as a transaction sees it. */
export interface OwnFile {
  readonly view: ContainerView;
  readonly own: Transaction;
  readonly oid: ObjectId;
  /** See `Transaction.write`. */
  readonly incarnation?: Epoch | undefined;
}

/** Writes bytes at an offset. */
export function writeAt(
  { own, oid, incarnation }: OwnFile,
  start: number,
  bytes: Uint8Array,
): void {
  if (bytes.length === 0) return;
  const range = wholeOf(Pattern.contiguous(start, start + bytes.length));
  own.write(oid, range, bytes, incarnation);
}

/** Cuts a file, or makes it longer by zeros. @param size In bytes. */
export function setSize(file: OwnFile, size: number): void {
  const { view, own, oid, incarnation } = file;
  const current = view.arraySize(oid, own);
  if (size < current) {
    own.punchRange(oid, wholeOf(Pattern.contiguous(size, current)), incarnation);
  }
  // Holes at the end do not count: the last byte is written where it is one.
  if (size > 0 && view.arraySize(oid, own) < size) writeAt(file, size - 1, new Uint8Array(1));
}

/**
 * Copies all bytes of a file; what was never written stays so.
 *
 * @param source The file, as of a version.
 * @param target A file with nothing in it.
 */
export function copyContent(
  source: { readonly view: ContainerView; readonly oid: ObjectId },
  target: OwnFile,
): void {
  const size = source.view.arraySize(source.oid);
  const buffer = Buffer.allocUnsafeSlow(Math.min(size, COPY_CHUNK_SIZE));
  for (const { start, end } of source.view.writtenRanges(source.oid, { start: 0, end: size })) {
    for (let at = start; at < end; at += COPY_CHUNK_SIZE) {
      const bytes = buffer.subarray(0, Math.min(COPY_CHUNK_SIZE, end - at));
      source.view.readArray(source.oid, wholeOf(Pattern.contiguous(at, at + bytes.length)), bytes);
      writeAt(target, at, bytes);
    }
  }
}
