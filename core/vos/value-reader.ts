/**
 * Reads long values: mostly one run in one piece, which needs none of what readers of arrays prepare.
 *
 * What does not lie in the newest run of the value's epoch, or fails, is read as an array is: that reader
 * follows segments that move, and names what is damaged.
 *
 * @module
 */

import type { IndexReader } from "../index/index-store.js";
import { arrayUnder } from "./array-address.js";
import { layerOf } from "./array-cache.js";
import { ArrayReader, type ArraySource, FragmentCopier } from "./array-reader.js";
import { type CopyableValue, copyableLong, type LongValue } from "./long-value.js";
import type { ObjectAddress } from "./names.js";
import { firstOffset, lastOffset } from "./pattern.js";
import { isHole, pieceSize } from "./piece.js";
import { decodeRun, type RunBody, runKey } from "./run-format.js";

const SEQUENCE_SIZE = 4;
const SEQUENCE_MAX = 0xffff_ffff;

/** Copies bytes of a value; whether all of them lie in this run. Throws if they cannot be read. */
function copyFrom(source: ArraySource, run: RunBody, start: number, target: Uint8Array): boolean {
  const end = start + target.length;
  const copier = new FragmentCopier(source, target, { writer: undefined, keepsHoles: false });
  let copied = 0;
  for (const piece of run.pieces) {
    const [first, last] = [firstOffset(piece), lastOffset(piece)];
    const from = Math.max(start, first);
    const to = Math.min(end, last);
    if (from >= to) continue;
    if (isHole(piece) || last - first !== pieceSize(piece)) return false;
    const extent = run.extents.find(({ segment }) => segment === piece.segment);
    if (extent === undefined) return false;
    const packed = piece.from + (from - first);
    copier.fragment(layerOf(piece, extent), from - start, packed, to - from);
    copied += to - from;
  }
  copier.flush();
  return copied === target.length;
}

/** A value in a log, to be copied. */
export function readValue(
  openIndex: () => IndexReader,
  source: ArraySource,
  object: ObjectAddress,
  value: LongValue,
): CopyableValue {
  const { epoch, akey, size } = value;
  const address = arrayUnder(object, akey, 0);
  let run: RunBody | undefined;
  let slow: CopyableValue | undefined;
  const newestRun = (): RunBody | undefined => {
    const key = runKey(address, epoch, SEQUENCE_MAX);
    const entry = openIndex().seek(key, key.length - SEQUENCE_SIZE);
    return entry && decodeRun(entry.value);
  };
  const readDirectly = (start: number, target: Uint8Array): boolean => {
    try {
      run ??= newestRun();
      return run !== undefined && copyFrom(source, run, start, target);
    } catch {
      return false;
    }
  };
  const copyTo = (buffer: Uint8Array, start: number): void => {
    const target = buffer.subarray(0, size - start);
    if (slow === undefined && readDirectly(start, target)) return;
    slow ??= copyableLong(value, new ArrayReader(source, address, { epoch, since: epoch }));
    slow.copyTo(target, start);
  };
  return { size, copyTo };
}
