/**
 * The dataspace message of the HDF5 file format: the durable form of a {@link Dataspace}.
 *
 *     version 2   u8 2, u8 rank, u8 flags (1: has limits), u8 kind (0 scalar, 1 simple, 2 null),
 *                 rank x u64 extent, with limits: rank x u64 limit (all ones: none)
 *     version 1   u8 1, u8 rank, u8 flags, 5 bytes reserved, extents, limits
 *
 * Version 2 is written, which HDF5 1.8 and later read. Little-endian.
 *
 * Source: HDF5 File Format Specification, section IV.A.2.b.
 *
 * @module
 */

import type { Dataspace } from "../description.js";
import { FieldReader, FieldWriter } from "./field-codec.js";

const HAS_LIMITS = 1;
const UNLIMITED = 0xffff_ffff_ffff_ffffn;
const KINDS = ["scalar", "simple", "null"] as const;
/** Most dimensions, as in HDF5. */
export const RANK_MAX = 32;

/** Encodes a dataspace as the body of a dataspace message. */
export function encodeDataspace(space: Dataspace): Uint8Array {
  const writer = new FieldWriter(32).u8(2);
  if (space.kind !== "simple") {
    return writer.u8(0).u8(0).u8(KINDS.indexOf(space.kind)).finish();
  }
  const { shape, maxShape } = space;
  const canGrow = maxShape.some((limit, dimension) => limit !== shape[dimension]);
  writer
    .u8(shape.length)
    .u8(canGrow ? HAS_LIMITS : 0)
    .u8(KINDS.indexOf("simple"));
  for (const extent of shape) writer.u64(extent);
  if (canGrow) for (const limit of maxShape) writer.u64(limit ?? UNLIMITED);
  return writer.finish();
}

/**
 * Decodes a dataspace; what follows it is not read.
 *
 * @param lengthSize Bytes of a length in the file.
 * @throws `DaosError` `DER_DF_INVAL` for what does not follow the grammar.
 */
export function decodeDataspace(
  bytes: Uint8Array | FieldReader,
  what: string,
  lengthSize = 8,
): Dataspace {
  const reader = bytes instanceof FieldReader ? bytes : new FieldReader(bytes, what);
  const version = reader.u8();
  const rank = reader.u8();
  const flags = reader.u8();
  if (version !== 1 && version !== 2) {
    throw reader.malformed(`dataspace version ${version} is not known`);
  }
  if (rank > RANK_MAX) throw reader.malformed(`a dataspace has ${rank} dimensions`);
  const number = version === 2 ? reader.u8() : rank === 0 ? 0 : 1;
  if (version === 1) reader.skip(5);
  const kind = KINDS[number];
  if (kind === undefined) throw reader.malformed(`dataspace kind ${number} is not known`);
  if (kind !== "simple") return { kind };
  const shape = Array.from({ length: rank }, () => reader.length(lengthSize));
  const unlimited = BigInt.asUintN(8 * lengthSize, UNLIMITED);
  const maxShape = shape.map((extent) => {
    if ((flags & HAS_LIMITS) === 0) return extent;
    const limit = reader.uint(lengthSize);
    // A limit beyond what a number can say is as good as none.
    return limit === unlimited || limit > Number.MAX_SAFE_INTEGER ? null : Number(limit);
  });
  return { kind, shape, maxShape };
}
