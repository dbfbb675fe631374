/**
 * Encodes selections for virtual mappings and references to regions.
 *
 * Written are the forms that HDF5 1.10 reads: version 1, and version 2 for regular hyperslabs; indices beyond
 * 32 bits in points and blocks need those of HDF5 1.12. See `h5-file/selection-codec.ts` for the forms.
 *
 * @module
 */

import type { Hyperslab, SpaceSelection } from "../description.js";
import type { FieldWriter } from "../messages/field-codec.js";

const KIND = { none: 0, points: 1, hyperslabs: 2, all: 3 } as const;
const IS_REGULAR = 1;
const UNLIMITED = 0xffff_ffff_ffff_ffffn;
const INDEX32_MAX = 0xffff_ffff;

/** Appends a selection. */
export function encodeSelection(writer: FieldWriter, selection: SpaceSelection): FieldWriter {
  switch (selection.kind) {
    case "all":
    case "none":
      return writer.u32(KIND[selection.kind]).u32(1).u64(0);
    case "points":
      return encodePoints(writer, selection.points);
    case "hyperslab":
      return encodeRegular(writer, selection.slab);
    case "blocks":
      return encodeBlocks(
        writer,
        selection.blocks.map(([first, end]) => [first, end.map((index) => index - 1)]),
      );
  }
}

const fits32 = (indices: readonly (readonly number[])[]): boolean =>
  indices.every((one) => one.every((index) => index <= INDEX32_MAX));

function encodePoints(writer: FieldWriter, points: readonly (readonly number[])[]): FieldWriter {
  const rank = points[0]?.length ?? 1;
  writer.u32(KIND.points);
  if (fits32(points)) {
    const size = 8 + 4 * rank * points.length;
    writer.u32(1).u32(0).u32(size).u32(rank).u32(points.length);
    for (const point of points) for (const index of point) writer.u32(index);
    return writer;
  }
  writer.u32(2).u8(8).u32(rank).u64(points.length);
  for (const point of points) for (const index of point) writer.u64(index);
  return writer;
}

function encodeRegular(writer: FieldWriter, slab: Hyperslab): FieldWriter {
  const rank = slab.start.length;
  const size = 4 + 32 * rank;
  writer.u32(KIND.hyperslabs).u32(2).u8(IS_REGULAR).u32(size).u32(rank);
  for (let dimension = 0; dimension < rank; dimension++) {
    const count = slab.count[dimension] ?? UNLIMITED;
    // Of a single block, the distance to the next one says nothing; HDF5 writes 1.
    const stride = count === 1 ? 1 : (slab.stride[dimension] as number);
    writer
      .u64(slab.start[dimension] as number)
      .u64(stride)
      .u64(count)
      .u64(slab.block[dimension] ?? UNLIMITED);
  }
  return writer;
}

function encodeBlocks(
  writer: FieldWriter,
  blocks: readonly (readonly [readonly number[], readonly number[]])[],
): FieldWriter {
  const rank = blocks[0]?.[0].length ?? 1;
  writer.u32(KIND.hyperslabs);
  if (blocks.every(([, last]) => fits32([last]))) {
    const size = 8 + 8 * rank * blocks.length;
    writer.u32(1).u32(0).u32(size).u32(rank).u32(blocks.length);
    for (const [first, last] of blocks) for (const index of [...first, ...last]) writer.u32(index);
    return writer;
  }
  writer.u32(3).u8(0).u8(8).u32(rank).u64(blocks.length);
  for (const [first, last] of blocks) for (const index of [...first, ...last]) writer.u64(index);
  return writer;
}
