/**
 * Lists of external raw files, and whether they hold what a dataset holds.
 *
 *     message      u8 1, 3 bytes, u16 slots, u16 used, u64 local heap; per file: u64 name in the heap,
 *                  u64 first byte, u64 bytes
 *     local heap   "HEAP", u8 0, 3 bytes, u64 size, u64 free list (1: none), u64 address of names
 *
 * Source: HDF5 File Format Specification, sections III.D (local heap) and IV.A.2.h (external data files).
 *
 * @module
 */

import path from "node:path";
import type { TargetFile } from "../../local/target-file.js";
import type { LayoutDescription, SourceDataset } from "../description.js";
import { ExternalBytes } from "../h5-file/external-bytes.js";
import { FieldWriter } from "../messages/field-codec.js";
import { linearBoxes } from "./boxes.js";
import { beginRecord, UNDEFINED_ADDRESS } from "./fields.js";
import { BOX_SIZE_MAX } from "./limits.js";
import { MESSAGE, type Message } from "./object-header.js";

/** Files of an external layout. */
export type ExternalFiles = Extract<LayoutDescription, { kind: "external" }>["files"];

/** No free space in a local heap. */
const NONE_FREE = 1;

/** Writes the names of external files, and returns the message that lists them. */
export function writeExternalFiles(target: TargetFile, files: ExternalFiles): Message {
  // An empty name comes first, as in HDF5.
  const names = new FieldWriter(64).zeros(8);
  const offsets = files.map(({ name }) => {
    const offset = names.size;
    names.cString(name).align(8);
    return offset;
  });
  const bytes = names.finish();
  const place = target.append(bytes);
  const heap = beginRecord("HEAP", 32).u32(0).u64(bytes.length).u64(NONE_FREE).u64(place);
  const body = new FieldWriter(64).u8(1).zeros(3).u16(files.length).u16(files.length);
  body.u64(target.append(heap.finish()));
  for (const [index, { offset, size }] of files.entries()) {
    body
      .u64(offsets[index] as number)
      .u64(offset)
      .u64(size ?? UNDEFINED_ADDRESS);
  }
  return { type: MESSAGE.externalFiles, body: body.finish(), isConstant: true };
}

/**
 * Whether external files, as seen from the folder of the new file, hold the elements of a dataset.
 *
 * @param advance Told how many bytes were compared.
 */
export async function externalFilesMatch(
  dataset: SourceDataset,
  files: ExternalFiles,
  {
    target,
    itemSize,
    advance,
  }: { target: TargetFile; itemSize: number; advance: (bytes: number) => Promise<void> },
): Promise<boolean> {
  const { space } = dataset.description;
  const shape = space.kind === "simple" ? space.shape : [];
  const external = new ExternalBytes(files, path.dirname(target.path));
  let at = 0;
  for (const box of linearBoxes(shape, Math.max(1, Math.floor(BOX_SIZE_MAX / itemSize)))) {
    const { bytes } = await dataset.read(box);
    const found = Buffer.allocUnsafeSlow(bytes.length);
    try {
      external.readInto(found, at, "external files");
    } catch {
      // Not there, too short, not readable: they do not hold the elements, for whatever reason.
      return false;
    }
    if (Buffer.compare(found, bytes) !== 0) return false;
    at += bytes.length;
    await advance(bytes.length);
  }
  return true;
}
