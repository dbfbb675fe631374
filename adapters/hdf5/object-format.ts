/**
 * What makes an object of the namespace a part of an HDF5 file.
 *
 * A header is the single value under dkey `.`, akey `H5_OBJECT` of the object; an attribute the one
 * under the attribute's name, akey `H5_ATTR`. Version 1, with the primitives of `ByteWriter`:
 *
 *     header      u8 version, u8 kind (0 file, 1 dataset); of a dataset also: datatype, dataspace
 *     attribute   u8 version, datatype, dataspace, bytes: elements in row-major order, or UTF-8 text
 *     datatype    u8 class (HDF5's number), u8 flags (1 signed), varint bytes of an element
 *                 (0: variable length)
 *     dataspace   u8 kind (0 scalar, 1 simple); of a simple one also: u8 rank, rank x varint extent
 *
 * Elements are little-endian.
 *
 * @module
 */

import { ByteReader, ByteWriter, DaosError } from "../../core/index.js";
import {
  arrayOver,
  bytesOf,
  type DType,
  dtypeOf,
  factsOf,
  findDType,
  itemSizeOf,
  TypeClass,
  type TypedArrayOf,
} from "./dtype.js";

/** The dkey of headers: a name that no file can have. */
export const HEADER_DKEY = Buffer.from(".");
/** The akey of headers. */
export const HEADER_AKEY = Buffer.from("H5_OBJECT");
/** The akey of attributes. */
export const ATTRIBUTE_AKEY = Buffer.from("H5_ATTR");
/** Most dimensions, as in HDF5. */
export const RANK_MAX = 32;

const VERSION = 1;
const FLAG_SIGNED = 1;
const SPACE_SCALAR = 0;
const SPACE_SIMPLE = 1;
/** Durable: DO NOT CHANGE THESE VALUES. */
const KINDS = ["file", "dataset"] as const;

/** The header of the root of a file, or of a dataset. */
export type ObjectHeader =
  | { readonly kind: "file" }
  | { readonly kind: "dataset"; readonly dtype: DType; readonly shape: readonly number[] };

/** What an attribute can hold: text, a number, or a list of numbers. */
export type AttributeValue = string | number | bigint | TypedArrayOf<DType>;

function writeType(writer: ByteWriter, dtype: DType): ByteWriter {
  const { typeClass, isSigned } = factsOf(dtype);
  return writer
    .u8(typeClass)
    .u8(isSigned ? FLAG_SIGNED : 0)
    .varint(itemSizeOf(dtype));
}

function readType(reader: ByteReader): DType | "text" {
  const typeClass = reader.u8();
  const flags = reader.u8();
  const size = reader.varint();
  if (typeClass === TypeClass.string && size === 0) return "text";
  const dtype = findDType(typeClass, size, (flags & FLAG_SIGNED) !== 0);
  if (dtype === undefined) throw reader.malformed(`datatype ${typeClass}.${size} is not known`);
  return dtype;
}

function writeSpace(writer: ByteWriter, shape: readonly number[] | undefined): ByteWriter {
  if (shape === undefined) return writer.u8(SPACE_SCALAR);
  writer.u8(SPACE_SIMPLE).u8(shape.length);
  for (const extent of shape) writer.varint(extent);
  return writer;
}

function readSpace(reader: ByteReader): number[] | undefined {
  const kind = reader.u8();
  if (kind === SPACE_SCALAR) return undefined;
  if (kind !== SPACE_SIMPLE) throw reader.malformed(`dataspace ${kind} is not known`);
  return Array.from({ length: reader.u8() }, () => reader.varint());
}

function openRecord(value: Uint8Array, what: string): ByteReader {
  const reader = new ByteReader(value, what);
  const version = reader.u8();
  if (version === VERSION) return reader;
  throw new DaosError(
    "DER_DF_INCOMPT",
    {
      what: `Reading ${what}`,
      why: `its format version is ${version}, this program knows version ${VERSION}`,
      remedy: "use a release that knows that version",
    },
    { version, known: VERSION },
  );
}

/** Encodes a header. */
export function encodeHeader(header: ObjectHeader): Uint8Array {
  const writer = new ByteWriter(32).u8(VERSION).u8(KINDS.indexOf(header.kind));
  if (header.kind === "dataset") {
    const { dtype, shape } = header;
    writeSpace(writeType(writer, dtype), shape.length === 0 ? undefined : shape);
  }
  return writer.finish();
}

/**
 * Decodes a header.
 *
 * @throws `DaosError` `DER_DF_INCOMPT` if another format version wrote it, `DER_DF_INVAL` if it is
 *   damaged.
 */
export function decodeHeader(value: Uint8Array, name: string): ObjectHeader {
  const reader = openRecord(value, `the header of HDF5 object "${name}"`);
  const kind = KINDS[reader.u8()];
  if (kind === undefined) throw reader.malformed("its kind is not known");
  if (kind === "file") {
    reader.end();
    return { kind };
  }
  const dtype = readType(reader);
  const shape = readSpace(reader) ?? [];
  reader.end();
  if (dtype === "text") throw reader.malformed("a dataset has no text");
  return { kind, dtype, shape };
}

/**
 * Encodes an attribute: a number becomes a scalar float64, a bigint a scalar int64 (uint64 if it is
 * too large for that), a typed array a list of its elements.
 *
 * @throws `DaosError` `DER_INVAL` for another value.
 */
export function encodeAttribute(
  name: string,
  value: AttributeValue | readonly number[],
): Uint8Array {
  const writer = new ByteWriter(64).u8(VERSION);
  if (typeof value === "string") {
    writer.u8(TypeClass.string).u8(0).varint(0);
    return writeSpace(writer, undefined).text(value).finish();
  }
  const isList = typeof value === "object" && value !== null;
  const elements = toElements(value);
  const dtype = dtypeOf(elements);
  if (elements === undefined || dtype === undefined) throw badAttribute(name, value);
  writeSpace(writeType(writer, dtype), isList ? [elements.length] : undefined);
  return writer.bytes(bytesOf(elements)).finish();
}

function toElements(value: unknown): TypedArrayOf<DType> | undefined {
  if (typeof value === "number") return Float64Array.of(value);
  if (typeof value === "bigint") {
    const signed = BigInt64Array.of(value);
    if (signed[0] === value) return signed;
    const unsigned = BigUint64Array.of(value);
    return unsigned[0] === value ? unsigned : undefined;
  }
  if (ArrayBuffer.isView(value)) return value as TypedArrayOf<DType>;
  const isNumbers = Array.isArray(value) && value.every((item) => typeof item === "number");
  return isNumbers ? Float64Array.from(value) : undefined;
}

function badAttribute(name: string, value: unknown): DaosError {
  const kind = value === null ? "null" : Object.prototype.toString.call(value).slice(8, -1);
  const why = `a value of kind ${kind} (${String(value).slice(0, 40)}) has no type here`;
  const remedy = "give a string, a number, a 64-bit bigint, a typed array or a list of numbers";
  return new DaosError("DER_INVAL", { what: `Setting attribute "${name}"`, why, remedy }, { name });
}

/**
 * Decodes an attribute.
 *
 * @throws `DaosError` as {@link decodeHeader}.
 */
export function decodeAttribute(value: Uint8Array, name: string): AttributeValue {
  const reader = openRecord(value, `attribute "${name}"`);
  const dtype = readType(reader);
  const shape = readSpace(reader);
  const bytes = reader.bytes();
  reader.end();
  if (dtype === "text") return Buffer.from(bytes).toString();
  const count = (shape ?? []).reduce((product, extent) => product * extent, 1);
  if (bytes.length !== count * itemSizeOf(dtype)) throw reader.malformed("its size is wrong");
  const elements = arrayOver(dtype, new Uint8Array(bytes).buffer);
  return shape === undefined ? (elements[0] as number | bigint) : elements;
}
