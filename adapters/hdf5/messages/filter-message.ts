/**
 * The filter pipeline message of the HDF5 file format.
 *
 *     version 1   u8 1, u8 count, 6 bytes reserved; per filter: u16 id, u16 bytes of the name, u16 flags
 *                 (1: optional), u16 count of parameters, name padded to 8 bytes, u32 parameters,
 *                 4 bytes if their count is odd
 *     version 2   u8 2, u8 count; per filter: u16 id, from 256 on u16 bytes of the name, u16 flags,
 *                 u16 count of parameters, from 256 on the name, u32 parameters
 *
 * Version 1 is written, which keeps the names of all filters. Little-endian.
 *
 * Source: HDF5 File Format Specification, section IV.A.2.l.
 *
 * @module
 */

import type { FilterDescription } from "../description.js";
import { FieldReader, FieldWriter } from "./field-codec.js";

const IS_OPTIONAL = 1;
/** Most filters of a pipeline, as in HDF5. */
export const FILTERS_MAX = 32;

/** Encodes a pipeline as the body of a filter pipeline message. */
export function encodeFilters(filters: readonly FilterDescription[]): Uint8Array {
  const writer = new FieldWriter(64).u8(1).u8(filters.length).zeros(6);
  for (const { id, name, isOptional, parameters } of filters) {
    const text = name === "" ? Buffer.alloc(0) : Buffer.from(`${name}\0`, "utf8");
    const length = Math.ceil(text.length / 8) * 8;
    writer
      .u16(id)
      .u16(length)
      .u16(isOptional ? IS_OPTIONAL : 0)
      .u16(parameters.length);
    writer.raw(text).zeros(length - text.length);
    for (const parameter of parameters) writer.u32(parameter);
    if (parameters.length % 2 === 1) writer.zeros(4);
  }
  return writer.finish();
}

/**
 * Decodes a pipeline.
 *
 * @throws `DaosError` `DER_DF_INVAL` for what does not follow the grammar.
 */
export function decodeFilters(bytes: Uint8Array, what: string): FilterDescription[] {
  const reader = new FieldReader(bytes, what);
  const version = reader.u8();
  const count = reader.u8();
  if (version !== 1 && version !== 2) {
    throw reader.malformed(`filter pipeline version ${version} is not known`);
  }
  if (count > FILTERS_MAX) throw reader.malformed(`a pipeline has ${count} filters`);
  if (version === 1) reader.skip(6);
  return Array.from({ length: count }, () => {
    const id = reader.u16();
    const nameSize = version === 1 || id >= 256 ? reader.u16() : 0;
    const isOptional = (reader.u16() & IS_OPTIONAL) !== 0;
    const parameterCount = reader.u16();
    const name = Buffer.from(reader.raw(nameSize)).toString("utf8").replace(/\0.*$/s, "");
    const parameters = Array.from({ length: parameterCount }, () => reader.u32());
    if (version === 1 && parameterCount % 2 === 1) reader.skip(4);
    return { id, name, isOptional, parameters };
  });
}
