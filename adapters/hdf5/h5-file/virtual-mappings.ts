/**
 * The mappings of a virtual dataset: an item of the global heap.
 *
 *     u8 version, length count, per mapping: (1: u8 flags), file name, dataset name, selection of the source,
 *     selection of the virtual dataset; u32 checksum
 *
 * Version 1, of HDF5 2.0, does not repeat names: with flag 1 a file name, with flag 2 a dataset name is the one
 * of an earlier mapping, whose number is there instead as a length; flag 4 is the file itself.
 *
 * Source: HDF5 File Format Specification, section IV.C ("Virtual Dataset Global Heap Block").
 *
 * @module
 */

import type { VirtualMapping } from "../description.js";
import { CHECKSUM_SIZE, Fields, type H5Format } from "./format.js";
import { lookup3 } from "./lookup3.js";
import { decodeSelection } from "./selection-codec.js";

const EARLIER_FILE = 1;
const EARLIER_DATASET = 2;
const SAME_FILE = 4;

/** Decodes the mappings. */
export function decodeVirtualMappings(
  bytes: Uint8Array,
  format: H5Format,
  what: string,
): VirtualMapping[] {
  const fields = new Fields(bytes.subarray(0, -CHECKSUM_SIZE), what, format);
  const version = fields.version("list of virtual mappings", 0, 1);
  const stored = new Fields(bytes.subarray(-CHECKSUM_SIZE), what, format).u32();
  if (stored !== lookup3(bytes.subarray(0, -CHECKSUM_SIZE))) {
    throw fields.malformed("the checksum of the virtual mappings does not match");
  }
  const count = fields.size();
  // Two selections have at least 16 bytes each.
  if (count * 32 > bytes.length) throw fields.malformed(`${count} mappings are too many`);
  const mappings: VirtualMapping[] = [];
  for (let index = 0; index < count; index++) {
    const flags = version === 1 ? fields.u8() : 0;
    const earlier = (): VirtualMapping => {
      const found = mappings[fields.size()];
      if (found === undefined) throw fields.malformed("a mapping refers to a later one");
      return found;
    };
    const file =
      (flags & SAME_FILE) !== 0
        ? "."
        : (flags & EARLIER_FILE) !== 0
          ? earlier().file
          : fields.cString();
    const dataset = (flags & EARLIER_DATASET) !== 0 ? earlier().dataset : fields.cString();
    const source = decodeSelection(fields);
    mappings.push({ file, dataset, source, target: decodeSelection(fields) });
  }
  return mappings;
}
