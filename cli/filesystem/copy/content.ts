/**
 * Moving and comparing the bytes of files, in a buffer of bounded size.
 *
 * @module
 */

import { crc32c, DaosError } from "../../../core/index.js";
import type { ByteRange, Content, SourceTree, Written } from "./tree.js";

/** Bytes that are moved at once. */
export const CHUNK_SIZE = 8 << 20;

const shared = Buffer.allocUnsafeSlow(CHUNK_SIZE);

/** Whether bytes are all zero. */
function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, zeros.subarray(0, bytes.length)) === 0;
}
const zeros = Buffer.alloc(CHUNK_SIZE);

/**
 * Reads the data of a file in chunks; the buffer is used again for the next one.
 *
 * @param each Given each chunk and where it starts.
 */
export function eachChunk(
  content: Content,
  ranges: Iterable<ByteRange>,
  each: (bytes: Uint8Array, position: number) => void,
): void {
  for (const { start, end } of ranges) {
    for (let at = start; at < end; at += CHUNK_SIZE) {
      const bytes = shared.subarray(0, Math.min(CHUNK_SIZE, end - at));
      content.read(bytes, at);
      each(bytes, at);
    }
  }
}

/**
 * Moves a file's data; holes, and chunks of zeros that no file system calls a hole, stay holes.
 *
 * @param write Given each chunk and where it starts.
 */
export function moveContent(
  path: string,
  content: Content,
  write: (bytes: Uint8Array, position: number) => void,
): Written {
  const ranges: ByteRange[] = [];
  let crc = 0;
  eachChunk(content, content.ranges(), (bytes, position) => {
    if (isZero(bytes)) return;
    crc = crc32c(bytes, 0, bytes.length, crc);
    const end = position + bytes.length;
    const last = ranges.at(-1);
    if (last?.end === position) ranges[ranges.length - 1] = { start: last.start, end };
    else ranges.push({ start: position, end });
    write(bytes, position);
  });
  return { path, size: content.size, ranges, crc };
}

/** The parts of `[start, end)` ranges that are outside of sorted others. */
function* outside(ranges: Iterable<ByteRange>, others: readonly ByteRange[]): Generator<ByteRange> {
  let next = 0;
  for (const { start, end } of ranges) {
    let at = start;
    while (next < others.length && (others[next] as ByteRange).end <= at) next += 1;
    for (let other = next; other < others.length && at < end; other++) {
      const known = others[other] as ByteRange;
      if (known.start >= end) break;
      if (known.start > at) yield { start: at, end: known.start };
      at = Math.max(at, known.end);
    }
    if (at < end) yield { start: at, end };
  }
}

/** How a file differs from what was written to it; `undefined` if it does not. */
export function difference(content: Content, written: Written): string | undefined {
  const { size, ranges, crc } = written;
  if (content.size !== size) return `it has ${content.size} bytes instead of ${size}`;
  let found = 0;
  eachChunk(content, ranges, (bytes) => {
    found = crc32c(bytes, 0, bytes.length, found);
  });
  if (found !== crc) return "its bytes have another checksum than those of the source";
  let clean = true;
  eachChunk(content, outside(content.ranges(), ranges), (bytes) => {
    clean &&= isZero(bytes);
  });
  return clean ? undefined : "it has bytes where the source has a hole";
}

/**
 * Reads a written file again.
 *
 * @throws {@link DaosError} `DER_CSUM` if it is not what was written.
 */
export function verify(tree: SourceTree, written: Written): void {
  using content = tree.open(written.path);
  const why = difference(content, written);
  if (why === undefined) return;
  const what = `Verifying ${tree.display(written.path)}`;
  const remedy = "copy it again; if it happens again, check the device with `dmg scrub`";
  throw new DaosError("DER_CSUM", { what, why, remedy }, { path: written.path });
}

/** Whether two files have the same bytes. */
export function isSameContent(source: Content, target: Content): boolean {
  if (source.size !== target.size) return false;
  const read = moveContent("", source, () => undefined);
  return difference(target, read) === undefined;
}
