/**
 * Selections of elements, as virtual mappings and references to regions hold them.
 *
 *     all, none     u32 kind (3, 0), u32 1, 8 bytes
 *     points        u32 1, version 1: u32 1, u32 0, u32 size, u32 rank, u32 count, u32 indices
 *                   version 2: u32 2, u8 width, u32 rank, count, indices
 *     hyperslabs    u32 2, version 1: u32 1, u32 0, u32 size, u32 rank, u32 count, per block u32 first and
 *                   last index; version 2: u32 2, u8 flags, u32 size, u32 rank, per dimension
 *                   u64 start, stride, count, block; version 3: u32 3, u8 flags, u8 width, u32 rank,
 *                   regular as 2, else count and blocks as 1
 *
 * A count or block of all ones is as many as there are.
 *
 * Source: HDF5 File Format Specification, section IV.C ("Dataspace Selection").
 *
 * @module
 */

import type { SpaceSelection } from "../description.js";
import { RANK_MAX } from "../messages/dataspace-message.js";
import type { FieldReader } from "../messages/field-codec.js";

const KIND = { none: 0, points: 1, hyperslabs: 2, all: 3 } as const;
const IS_REGULAR = 1;

/** Decodes a selection; what follows it is not read. */
export function decodeSelection(reader: FieldReader): SpaceSelection {
  const kind = reader.u32();
  const version = reader.u32();
  switch (kind) {
    case KIND.none:
      reader.skip(8);
      return { kind: "none" };
    case KIND.all:
      reader.skip(8);
      return { kind: "all" };
    case KIND.points:
      return decodePoints(reader, version);
    case KIND.hyperslabs:
      return decodeHyperslabs(reader, version);
  }
  throw reader.malformed(`a selection of kind ${kind} is not known`);
}

function readRank(reader: FieldReader): number {
  const rank = reader.u32();
  if (rank === 0 || rank > RANK_MAX) throw reader.malformed(`a selection has ${rank} dimensions`);
  return rank;
}

function readCount(reader: FieldReader, width: number, itemSize: number): number {
  const count = reader.length(width);
  if (count * itemSize > reader.remaining) {
    throw reader.malformed(`a selection of ${count} parts ends too early`);
  }
  return count;
}

function checkWidth(reader: FieldReader, width: number): number {
  if ([2, 4, 8].includes(width)) return width;
  throw reader.malformed(`indices of ${width} bytes are not known`);
}

const indices = (reader: FieldReader, rank: number, width: number): number[] =>
  Array.from({ length: rank }, () => reader.length(width));

function decodePoints(reader: FieldReader, version: number): SpaceSelection {
  if (version !== 1 && version !== 2) {
    throw reader.malformed(`version ${version} of points is not known`);
  }
  const width = version === 1 ? 4 : checkWidth(reader, reader.u8());
  if (version === 1) reader.skip(8);
  const rank = readRank(reader);
  const count = readCount(reader, width, rank * width);
  return {
    kind: "points",
    points: Array.from({ length: count }, () => indices(reader, rank, width)),
  };
}

function decodeHyperslabs(reader: FieldReader, version: number): SpaceSelection {
  if (version < 1 || version > 3) {
    throw reader.malformed(`version ${version} of hyperslabs is not known`);
  }
  if (version === 1) {
    reader.skip(8);
    return decodeBlocks(reader, readRank(reader), 4);
  }
  const isRegular = (reader.u8() & IS_REGULAR) !== 0;
  const width = version === 2 ? 8 : checkWidth(reader, reader.u8());
  if (version === 2) reader.skip(4);
  const rank = readRank(reader);
  if (!isRegular) return decodeBlocks(reader, rank, width);
  const unlimited = BigInt.asUintN(8 * width, -1n);
  const readLimit = (): number | null => {
    const value = reader.uint(width);
    if (value === unlimited) return null;
    if (value > Number.MAX_SAFE_INTEGER) throw reader.malformed(`a count of ${value} is too large`);
    return Number(value);
  };
  const start: number[] = [];
  const stride: number[] = [];
  const count: (number | null)[] = [];
  const block: (number | null)[] = [];
  for (let dimension = 0; dimension < rank; dimension++) {
    start.push(reader.length(width));
    stride.push(reader.length(width));
    count.push(readLimit());
    block.push(readLimit());
  }
  return { kind: "hyperslab", slab: { start, stride, count, block } };
}

function decodeBlocks(reader: FieldReader, rank: number, width: number): SpaceSelection {
  const count = readCount(reader, width, 2 * rank * width);
  const blocks = Array.from({ length: count }, () => {
    const first = indices(reader, rank, width);
    const last = indices(reader, rank, width);
    if (last.some((index, dimension) => index < (first[dimension] as number))) {
      throw reader.malformed("a block of a selection has no elements");
    }
    return [first, last.map((index) => index + 1)] as const;
  });
  const [only] = blocks;
  if (only === undefined || blocks.length > 1) return { kind: "blocks", blocks };
  const [start, end] = only;
  const ones = start.map(() => 1);
  const block = end.map((index, dimension) => index - (start[dimension] as number));
  return { kind: "hyperslab", slab: { start, stride: block, count: ones, block } };
}
