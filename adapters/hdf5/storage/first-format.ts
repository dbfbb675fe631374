/**
 * Datatypes and dataspaces as version 1 of headers and attributes had them. They are read only.
 *
 *     datatype    u8 class (HDF5's number: 0 integer, 1 float, 3 string), u8 flags (1 signed),
 *                 varint bytes of an element (0: variable length)
 *     dataspace   u8 kind (0 scalar, 1 simple); of a simple one also: u8 rank, rank x varint extent
 *
 * @module
 */

import type { ByteReader } from "../../../core/index.js";
import { type Datatype, floatType, integerType } from "../datatype/datatype.js";
import type { Dataspace } from "../description.js";
import { RANK_MAX } from "../messages/dataspace-message.js";

const CLASS = { integer: 0, float: 1, string: 3 } as const;
const FLAG_SIGNED = 1;
const SPACE_SCALAR = 0;
const SPACE_SIMPLE = 1;

/** Text as attributes hold it: UTF-8 of any length. */
export const TEXT: Datatype = { class: "vlenString", padding: "nullterm", charset: "utf8" };

/** The next datatype. */
export function readFirstType(reader: ByteReader): Datatype {
  const typeClass = reader.u8();
  const isSigned = (reader.u8() & FLAG_SIGNED) !== 0;
  const size = reader.varint();
  if (typeClass === CLASS.string && size === 0) return TEXT;
  if (typeClass === CLASS.float && (size === 4 || size === 8)) {
    return floatType(size === 4 ? "float32" : "float64");
  }
  if (typeClass === CLASS.integer && [1, 2, 4, 8].includes(size)) {
    return integerType(size, isSigned);
  }
  throw reader.malformed(`datatype ${typeClass}.${size} is not known`);
}

/** The next dataspace. */
export function readFirstSpace(reader: ByteReader): Dataspace {
  const kind = reader.u8();
  if (kind === SPACE_SCALAR) return { kind: "scalar" };
  if (kind !== SPACE_SIMPLE) throw reader.malformed(`dataspace ${kind} is not known`);
  const rank = reader.u8();
  if (rank > RANK_MAX) throw reader.malformed(`a dataspace has ${rank} dimensions`);
  const shape = Array.from({ length: rank }, () => reader.varint());
  return { kind: "simple", shape, maxShape: shape };
}
