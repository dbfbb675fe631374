/**
 * The data layout message: where the elements of a dataset are.
 *
 *     version 1, 2   u8 version, u8 rank, u8 class, 5 bytes, (address), u32 extents, (u32 size, bytes)
 *     version 3      u8 3, u8 class; compact: u16 size, bytes; contiguous: address, length;
 *                    chunked: u8 rank + 1, address, u32 extents, u32 bytes of an element
 *     version 4, 5   u8 4, u8 class; as 3, but chunked: u8 flags, u8 rank + 1, u8 width, extents,
 *                    u8 kind of index, its parameters, address; virtual: address and u32 item
 *
 * Source: HDF5 File Format Specification, section IV.A.2.i.
 *
 * @module
 */

import { RANK_MAX } from "../messages/dataspace-message.js";
import type { Fields } from "./format.js";

const CLASS = { compact: 0, contiguous: 1, chunked: 2, virtual: 3 } as const;
const INDEX = { single: 1, implicit: 2, fixed: 3, extensible: 4, tree: 5 } as const;
/** Chunks that end beyond the dataset are stored without filters. */
const PARTIAL_UNFILTERED = 1;
const SINGLE_IS_FILTERED = 2;

/** How chunks are found. */
export type ChunkIndex =
  | { readonly kind: "oldTree" | "implicit" | "fixed" | "extensible" | "tree" }
  | {
      readonly kind: "single";
      /** Bytes of the chunk, and the filters that it went without; `undefined` if there are none. */
      readonly filtered: { readonly size: number; readonly mask: number } | undefined;
    };

/** Where elements are. */
export type StoredLayout =
  | { readonly kind: "compact"; readonly bytes: Uint8Array }
  | { readonly kind: "contiguous"; readonly address: number | undefined }
  | {
      readonly kind: "chunked";
      readonly chunkShape: readonly number[];
      readonly index: ChunkIndex;
      readonly address: number | undefined;
      readonly leavesPartialUnfiltered: boolean;
      /** Bytes of the size of a chunk in its index, if that is not to be computed. */
      readonly sizeWidth: number | undefined;
    }
  | { readonly kind: "virtual"; readonly heap: number | undefined; readonly item: number };

/** Decodes a layout message. */
export function decodeLayout(fields: Fields): StoredLayout {
  const version = fields.version("layout", 1, 2, 3, 4, 5);
  if (version < 3) return decodeOld(fields);
  const kind = fields.u8();
  switch (kind) {
    case CLASS.compact:
      return { kind: "compact", bytes: Uint8Array.from(fields.raw(fields.u16())) };
    case CLASS.contiguous:
      return { kind: "contiguous", address: fields.address() };
    case CLASS.chunked:
      return version === 3 ? decodeChunked(fields) : decodeIndexed(fields, version);
    case CLASS.virtual:
      if (version > 3) return { kind: "virtual", heap: fields.address(), item: fields.u32() };
  }
  throw fields.malformed(`layout class ${kind} is not known`);
}

function readRank(fields: Fields): number {
  const rank = fields.u8();
  // The bytes of an element count as one dimension more.
  if (rank < 1 || rank > RANK_MAX + 1) throw fields.malformed(`a chunk has ${rank} dimensions`);
  return rank;
}

function checkedShape(fields: Fields, extents: readonly number[]): readonly number[] {
  if (extents.includes(0)) throw fields.malformed("a chunk has no elements");
  return extents.slice(0, -1);
}

function decodeOld(fields: Fields): StoredLayout {
  const rank = fields.u8();
  const kind = fields.u8();
  fields.skip(5);
  const address = kind === CLASS.compact ? undefined : fields.address();
  if (rank > RANK_MAX + 1) throw fields.malformed(`a layout has ${rank} dimensions`);
  const extents = Array.from({ length: rank }, () => fields.u32());
  switch (kind) {
    case CLASS.compact:
      return { kind: "compact", bytes: Uint8Array.from(fields.raw(fields.u32())) };
    case CLASS.contiguous:
      return { kind: "contiguous", address };
    case CLASS.chunked:
      return oldChunks(fields, extents, address);
  }
  throw fields.malformed(`layout class ${kind} is not known`);
}

function oldChunks(
  fields: Fields,
  extents: readonly number[],
  address: number | undefined,
): StoredLayout {
  return {
    kind: "chunked",
    chunkShape: checkedShape(fields, extents),
    index: { kind: "oldTree" },
    address,
    leavesPartialUnfiltered: false,
    sizeWidth: undefined,
  };
}

function decodeChunked(fields: Fields): StoredLayout {
  const rank = readRank(fields);
  const address = fields.address();
  const extents = Array.from({ length: rank }, () => fields.u32());
  return oldChunks(fields, extents, address);
}

function decodeIndexed(fields: Fields, version: number): StoredLayout {
  const flags = fields.u8();
  const rank = readRank(fields);
  const width = fields.u8();
  if (width < 1 || width > 8) throw fields.malformed(`extents of ${width} bytes are not known`);
  const extents = Array.from({ length: rank }, () => fields.length(width));
  const index = decodeIndex(fields, flags);
  return {
    kind: "chunked",
    chunkShape: checkedShape(fields, extents),
    index,
    address: fields.address(),
    leavesPartialUnfiltered: (flags & PARTIAL_UNFILTERED) !== 0,
    sizeWidth: version > 4 ? fields.widths.lengthSize : undefined,
  };
}

function decodeIndex(fields: Fields, flags: number): ChunkIndex {
  const kind = fields.u8();
  switch (kind) {
    case INDEX.single: {
      if ((flags & SINGLE_IS_FILTERED) === 0) return { kind: "single", filtered: undefined };
      return { kind: "single", filtered: { size: fields.size(), mask: fields.u32() } };
    }
    case INDEX.implicit:
      return { kind: "implicit" };
    case INDEX.fixed:
      fields.skip(1);
      return { kind: "fixed" };
    case INDEX.extensible:
      fields.skip(5);
      return { kind: "extensible" };
    case INDEX.tree:
      fields.skip(6);
      return { kind: "tree" };
  }
  throw fields.malformed(`index ${kind} of chunks is not known`);
}
