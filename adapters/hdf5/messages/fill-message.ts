/**
 * The fill value message of the HDF5 file format.
 *
 *     version 3   u8 3, u8 flags: bits 0 and 1 allocation, 2 and 3 fill time, 4 undefined, 5 defined;
 *                 if defined: u32 size, value
 *     version 2   u8 2, u8 allocation, u8 fill time, u8 defined; if defined: u32 size, value
 *     version 1   as 2, with the size in any case
 *
 * Version 2 is written, as HDF5 1.10 does by default. Little-endian.
 *
 * Source: HDF5 File Format Specification, section IV.A.2.f.
 *
 * @module
 */

import type { FillDescription } from "../description.js";
import { FieldReader, FieldWriter } from "./field-codec.js";

/** A fill value as the message has it: its bytes, whatever they mean. */
export interface FillMessage extends Omit<FillDescription, "value"> {
  /** `undefined` is the default, `null` none at all. */
  readonly bytes: Uint8Array | null | undefined;
}

const ALLOCATIONS = ["default", "early", "late", "incremental"] as const;
const TIMES = ["alloc", "never", "ifset"] as const;
const UNDEFINED = 1 << 4;
const DEFINED = 1 << 5;

/** Encodes a fill value as the body of a fill value message. */
export function encodeFill({ allocation, time, bytes }: FillMessage): Uint8Array {
  const writer = new FieldWriter(16).u8(2).u8(ALLOCATIONS.indexOf(allocation));
  writer.u8(TIMES.indexOf(time)).u8(bytes === null ? 0 : 1);
  if (bytes !== null) writer.u32(bytes?.length ?? 0).raw(bytes ?? new Uint8Array(0));
  return writer.finish();
}

/**
 * Decodes a fill value.
 *
 * @throws `DaosError` `DER_DF_INVAL` for what does not follow the grammar.
 */
export function decodeFill(bytes: Uint8Array, what: string): FillMessage {
  const reader = new FieldReader(bytes, what);
  const version = reader.u8();
  if (version < 1 || version > 3) {
    throw reader.malformed(`fill value version ${version} is not known`);
  }
  const flags = version === 3 ? reader.u8() : 0;
  const allocation = ALLOCATIONS[version === 3 ? flags & 3 : reader.u8()];
  const time = TIMES[version === 3 ? (flags >> 2) & 3 : reader.u8()];
  if (allocation === undefined || time === undefined) {
    throw reader.malformed("its allocation or fill time is not known");
  }
  const isDefined = version === 3 ? (flags & UNDEFINED) === 0 : reader.u8() !== 0;
  const hasSize = version === 3 ? (flags & DEFINED) !== 0 : version === 1 || isDefined;
  const size = hasSize ? reader.u32() : 0;
  if (!isDefined) return { allocation, time, bytes: null };
  return { allocation, time, bytes: size === 0 ? undefined : Uint8Array.from(reader.raw(size)) };
}
