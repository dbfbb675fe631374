/**
 * What a view shows of a file: which bytes of the file are which of the view's.
 *
 * The data of the file type, repeated from the displacement on, is a stream without gaps:
 *
 *     file      ....[xx..xx..][xx..xx..]
 *     stream        01  23    45  67
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { blocksOf } from "../datatype/typemap.js";
import type { View } from "./file-calls.js";

/** A run of bytes of a file. */
export interface FileRange {
  /** In bytes from the start of the file. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

/** The runs of a part of the stream; made one by one, as they are asked for. */
export function* rangesOf(view: View, from: number, size: number): Generator<FileRange, void> {
  let open: FileRange | undefined;
  for (const range of piecesOf(view, from, size)) {
    if (open !== undefined && open.offset + open.length === range.offset) {
      open = { offset: open.offset, length: open.length + range.length };
      continue;
    }
    if (open !== undefined) yield open;
    open = range;
  }
  if (open !== undefined) yield open;
}

function* piecesOf(view: View, from: number, size: number): Generator<FileRange, void> {
  const { displacement, filetype } = view;
  if (size === 0) return;
  if (isWhole(view)) {
    yield { offset: displacement + from, length: size };
    return;
  }
  const end = from + size;
  for (let at = from; at < end; ) {
    const tile = Math.floor(at / filetype.size);
    const start = tile * filetype.size;
    const part = { from: at - start, to: Math.min(filetype.size, end - start) };
    for (const block of blocksOf(filetype.typemap, part)) {
      const offset = displacement + tile * filetype.extent + block.offset;
      yield { offset, length: block.length };
    }
    at = start + part.to;
  }
}

/** Whether the view leaves nothing out. */
function isWhole({ filetype }: View): boolean {
  const { size, extent, trueExtent, trueLowerBound } = filetype;
  return size === extent && size === trueExtent && trueLowerBound === 0;
}

/** Bytes of the stream that lie before a place in the file. */
export function streamSize(view: View, fileSize: number): number {
  const { displacement, filetype } = view;
  const { size, extent, trueExtent, trueLowerBound } = filetype;
  const relative = fileSize - displacement - trueLowerBound;
  if (relative <= 0) return 0;
  const whole = relative < trueExtent ? 0 : Math.floor((relative - trueExtent) / extent) + 1;
  const inTile = fileSize - displacement - whole * extent;
  let visible = whole * size;
  for (const { offset, length } of blocksOf(filetype.typemap)) {
    if (offset >= inTile) break;
    visible += Math.min(length, inTile - offset);
  }
  return visible;
}
