/**
 * Checks of buffers that come from elsewhere.
 *
 * @module
 */

import { malformed } from "../errors.js";

/** Offsets begin at 0 or later, do not decrease, and end within what they lead into. */
export function checkOffsets(
  offsets: Int32Array | BigInt64Array,
  size: number,
  what: string,
): void {
  let last = 0;
  for (let row = 0; row < offsets.length; row++) {
    const offset = Number(offsets[row]);
    if (offset < last) throw malformed(what, "offsets decrease");
    last = offset;
  }
  if (last > size) throw malformed(what, "an offset leads out of its buffer");
}

const VIEW_SIZE = 16;
const VIEW_INLINE_MAX = 12;

/** Views name bytes that are there. */
export function checkViews(views: Uint8Array, buffers: readonly Uint8Array[], what: string): void {
  const view = new DataView(views.buffer, views.byteOffset, views.byteLength);
  for (let at = 0; at < views.length; at += VIEW_SIZE) {
    const size = view.getInt32(at, true);
    if (size < 0) throw malformed(what, "a value has less than no bytes");
    if (size <= VIEW_INLINE_MAX) continue;
    const buffer = buffers[view.getInt32(at + 8, true)];
    const offset = view.getInt32(at + 12, true);
    if (buffer === undefined || offset < 0 || offset + size > buffer.length) {
      throw malformed(what, "a value lies out of its buffer");
    }
  }
}

/** The parts of a union. */
interface UnionParts {
  readonly typeIds: Uint8Array;
  readonly offsets: Int32Array | undefined;
  readonly ids: ArrayLike<number>;
  readonly lengths: readonly number[];
}

/** Rows of a union are of its types, and lie in its children. */
export function checkUnion({ typeIds, offsets, ids, lengths }: UnionParts, what: string): void {
  const lengthOf = new Map(Array.from(ids, (id, index) => [id, lengths[index] as number]));
  for (let row = 0; row < typeIds.length; row++) {
    const length = lengthOf.get(((typeIds[row] as number) << 24) >> 24);
    if (length === undefined) throw malformed(what, "a row of a union has none of its types");
    if (offsets === undefined) continue;
    const offset = offsets[row] as number;
    if (offset < 0 || offset >= length) throw malformed(what, "an offset leads out of its union");
  }
}

/** The indices of a dictionary column. */
interface Indices {
  readonly bytes: Uint8Array;
  /** Bytes of an index. */
  readonly size: number;
  /** Values of the dictionary. */
  readonly count: number;
  readonly nulls: Uint8Array;
}

/** Indices of rows that are not null name values of the dictionary. */
export function checkIndices({ bytes, size, count, nulls }: Indices, what: string): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let row = 0, at = 0; at < bytes.length; row++, at += size) {
    const index = indexAt(view, at, size);
    // Negative signed indices are large as unsigned ones.
    if (index < count) continue;
    const isNull = nulls.length > 0 && ((nulls[row >> 3] as number) & (1 << (row & 7))) === 0;
    if (!isNull) throw malformed(what, `index ${index} is not in its dictionary`);
  }
}

function indexAt(view: DataView, at: number, size: number): number {
  if (size === 1) return view.getUint8(at);
  if (size === 2) return view.getUint16(at, true);
  if (size === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}
