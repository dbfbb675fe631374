/**
 * The datatype message of the HDF5 file format: the durable form of a {@link Datatype}.
 *
 *     datatype    u8 version (high 4 bits) and class (low 4 bits), u24 class bits, u32 size, properties
 *     properties  integer, bitfield  u16 bit offset, u16 precision
 *                 float              u16 bit offset, u16 precision, u8 exponent location, u8 its size,
 *                                    u8 mantissa location, u8 its size, u32 exponent bias
 *                 time               u16 precision
 *                 opaque             tag, padded with zeros to a multiple of 8 bytes
 *                 compound           per member: name, offset, datatype
 *                 enum               base datatype, names, values
 *                 vlen               base datatype
 *                 array              u8 rank, u32 extents, base datatype
 *
 * Versions 1 to 5 are read, complex numbers of version 5 as compounds of `r` and `i`, which is how others
 * store them; version 3, which HDF5 1.8 and later read, is written for what has members
 * or a shape, version 1 for all else, as HDF5 does. Little-endian.
 *
 * Source: HDF5 File Format Specification, section IV.A.2.d.
 *
 * @module
 */

import {
  type ArrayType,
  type BitField,
  type ByteOrder,
  type CompoundMember,
  type CompoundType,
  type Datatype,
  type EnumType,
  type FloatType,
  type IntegerType,
  itemSizeOf,
  type StringPadding,
} from "../datatype/datatype.js";
import { FieldReader, FieldWriter } from "./field-codec.js";

/** HDF5's numbers of classes. Durable: DO NOT CHANGE THESE VALUES. */
const CLASS = {
  integer: 0,
  float: 1,
  time: 2,
  string: 3,
  bitfield: 4,
  opaque: 5,
  compound: 6,
  reference: 7,
  enum: 8,
  vlen: 9,
  array: 10,
  complex: 11,
} as const;
const PADDINGS: readonly StringPadding[] = ["nullterm", "nullpad", "spacepad"];
const CHARSETS = ["ascii", "utf8"] as const;
const NORMALIZATIONS = ["none", "set", "implied"] as const;
const REFERENCES = ["object", "region"] as const;
/** Deepest nesting of types that is read: hostile files nest without end. */
const DEPTH_MAX = 32;

/** Bytes in which offsets into a compound of this size are written. */
function offsetWidth(size: number): number {
  let width = 1;
  while (size >= 256 ** width) width++;
  return width;
}

function writeHead(
  writer: FieldWriter,
  head: { version: number; typeClass: number; bits: number; size: number },
): FieldWriter {
  const { version, typeClass, bits, size } = head;
  return writer
    .u8((version << 4) | typeClass)
    .uint(bits, 3)
    .u32(size);
}

const orderBits = (order: ByteOrder | "vax"): number =>
  order === "little" ? 0 : order === "big" ? 1 : 0x41;
const paddingBits = ({ padding }: BitField): number => (padding.low << 1) | (padding.high << 2);
const textBits = (padding: StringPadding, charset: (typeof CHARSETS)[number]): number =>
  PADDINGS.indexOf(padding) | (CHARSETS.indexOf(charset) << 4);

function writeFloat(writer: FieldWriter, type: FloatType): void {
  const inner = (type.innerPadding << 3) | (NORMALIZATIONS.indexOf(type.normalization) << 4);
  const bits = orderBits(type.order) | paddingBits(type) | inner | (type.signLocation << 8);
  writeHead(writer, { version: 1, typeClass: CLASS.float, bits, size: type.size })
    .u16(type.bitOffset)
    .u16(type.precision)
    .u8(type.exponentLocation)
    .u8(type.exponentSize)
    .u8(type.mantissaLocation)
    .u8(type.mantissaSize)
    .u32(type.exponentBias);
}

function writeCompound(writer: FieldWriter, { size, members }: CompoundType): void {
  const bits = members.length;
  writeHead(writer, { version: 3, typeClass: CLASS.compound, bits, size });
  for (const { name, offset, type } of members) {
    writer.cString(name).uint(offset, offsetWidth(size));
    writeType(writer, type);
  }
}

function writeEnum(writer: FieldWriter, { base, members }: EnumType): void {
  const head = { version: 3, typeClass: CLASS.enum, bits: members.length, size: base.size };
  writeType(writeHead(writer, head), base);
  for (const { name } of members) writer.cString(name);
  for (const { value } of members) {
    const bytes = new FieldWriter(8).uint(BigInt.asUintN(8 * base.size, value), base.size).finish();
    writer.raw(base.order === "big" ? bytes.reverse() : bytes);
  }
}

function writeArray(writer: FieldWriter, type: ArrayType): void {
  const size = itemSizeOf(type);
  writeHead(writer, { version: 3, typeClass: CLASS.array, bits: 0, size }).u8(type.shape.length);
  for (const extent of type.shape) writer.u32(extent);
  writeType(writer, type.base);
}

function writeInteger(writer: FieldWriter, type: IntegerType): void {
  const bits = orderBits(type.order) | paddingBits(type) | (type.isSigned ? 8 : 0);
  writeHead(writer, { version: 1, typeClass: CLASS.integer, bits, size: type.size })
    .u16(type.bitOffset)
    .u16(type.precision);
}

const BYTE = { class: "integer", size: 1, order: "little", isSigned: false } as const;

function writeType(writer: FieldWriter, type: Datatype): void {
  const head = (typeClass: number, bits: number, version = 1) =>
    writeHead(writer, { version, typeClass, bits, size: itemSizeOf(type) });
  switch (type.class) {
    case "integer":
      writeInteger(writer, type);
      return;
    case "float":
      writeFloat(writer, type);
      return;
    case "time":
      head(CLASS.time, orderBits(type.order)).u16(type.precision);
      return;
    case "string":
      head(CLASS.string, textBits(type.padding, type.charset));
      return;
    case "bitfield":
      head(CLASS.bitfield, orderBits(type.order) | paddingBits(type))
        .u16(type.bitOffset)
        .u16(type.precision);
      return;
    case "opaque": {
      const tag = Buffer.from(type.tag, "latin1");
      const length = Math.ceil(tag.length / 8) * 8;
      head(CLASS.opaque, length)
        .raw(tag)
        .zeros(length - tag.length);
      return;
    }
    case "compound":
      writeCompound(writer, type);
      return;
    case "reference":
      head(CLASS.reference, REFERENCES.indexOf(type.kind));
      return;
    case "enum":
      writeEnum(writer, type);
      return;
    case "vlen":
      writeType(head(CLASS.vlen, 0), type.base);
      return;
    case "vlenString": {
      const bits = 1 | (textBits(type.padding, type.charset) << 4);
      const bitsOfBase = { bitOffset: 0, precision: 8, padding: { low: 0, high: 0 } } as const;
      writeType(head(CLASS.vlen, bits), { ...BYTE, ...bitsOfBase });
      return;
    }
    case "array":
      writeArray(writer, type);
      return;
  }
}

/** Encodes a datatype as the body of a datatype message. */
export function encodeDatatype(type: Datatype): Uint8Array {
  const writer = new FieldWriter(64);
  writeType(writer, type);
  return writer.finish();
}

/** The fields in front of each datatype. */
interface Head {
  readonly version: number;
  readonly bits: number;
  readonly size: number;
  readonly depth: number;
}

const orderOf = (bits: number): ByteOrder => ((bits & 1) === 0 ? "little" : "big");

function readBits(reader: FieldReader, bits: number): BitField {
  const padding = { low: ((bits >> 1) & 1) as 0 | 1, high: ((bits >> 2) & 1) as 0 | 1 };
  return { bitOffset: reader.u16(), precision: reader.u16(), padding };
}

function choose<T>(reader: FieldReader, list: readonly T[], index: number, what: string): T {
  const found = list[index];
  if (found === undefined) throw reader.malformed(`${what} ${index} is not known`);
  return found;
}

function readFloat(reader: FieldReader, { bits, size }: Head): FloatType {
  const isVax = (bits & 0x41) === 0x41;
  return {
    class: "float",
    size,
    order: isVax ? "vax" : orderOf(bits),
    ...readBits(reader, bits),
    signLocation: (bits >> 8) & 0xff,
    exponentLocation: reader.u8(),
    exponentSize: reader.u8(),
    mantissaLocation: reader.u8(),
    mantissaSize: reader.u8(),
    exponentBias: reader.u32(),
    normalization: choose(reader, NORMALIZATIONS, (bits >> 4) & 3, "normalization"),
    innerPadding: ((bits >> 3) & 1) as 0 | 1,
  };
}

/** A name: padded with zeros to a multiple of 8 bytes before version 3. */
function readName(reader: FieldReader, version: number): string {
  const start = reader.position;
  const name = reader.cString();
  if (version < 3) reader.skip((8 - ((reader.position - start) % 8)) % 8);
  return name;
}

/** The dimensions that a member of version 1 has in place of an array datatype. */
function readOldShape(reader: FieldReader): number[] {
  const rank = reader.u8();
  if (rank > 4) throw reader.malformed(`a member has ${rank} dimensions`);
  reader.skip(11);
  const shape = Array.from({ length: 4 }, () => reader.u32());
  return shape.slice(0, rank);
}

function readMember(reader: FieldReader, { version, size, depth }: Head): CompoundMember {
  const name = readName(reader, version);
  const offset = version < 3 ? reader.u32() : reader.length(offsetWidth(size));
  const shape = version === 1 ? readOldShape(reader) : [];
  const base = readType(reader, depth + 1);
  const type: Datatype = shape.length === 0 ? base : { class: "array", shape, base };
  if (offset + itemSizeOf(type) > size) {
    throw reader.malformed(`member "${name}" ends beyond the ${size} bytes of its compound`);
  }
  return { name, offset, type };
}

function readEnum(reader: FieldReader, { version, bits, depth }: Head): EnumType {
  const base = readType(reader, depth + 1);
  if (base.class !== "integer") throw reader.malformed(`an enum is of class ${base.class}`);
  const names = Array.from({ length: bits & 0xffff }, () => readName(reader, version));
  const members = names.map((name) => {
    const bytes = Uint8Array.from(reader.raw(base.size));
    if (base.order === "big") bytes.reverse();
    const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    return { name, value: base.isSigned ? BigInt.asIntN(8 * base.size, value) : value };
  });
  return { class: "enum", base, members };
}

function readArray(reader: FieldReader, { version, depth, size }: Head): ArrayType {
  const rank = reader.u8();
  if (version < 3) reader.skip(3);
  if (rank === 0 || rank > DEPTH_MAX) throw reader.malformed(`an array has ${rank} dimensions`);
  const shape = Array.from({ length: rank }, () => reader.u32());
  if (version < 3) reader.skip(4 * rank);
  const type: ArrayType = { class: "array", shape, base: readType(reader, depth + 1) };
  // Slots and references may have other sizes on disk than here, hence no comparison of those.
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (count === 0 || count > size) throw reader.malformed(`an array has ${count} elements`);
  return type;
}

/** Complex numbers of HDF5 2.0: two numbers, the real part first. */
function readComplex(reader: FieldReader, { size, depth }: Head): CompoundType {
  const base = readType(reader, depth + 1);
  if (2 * itemSizeOf(base) !== size) throw reader.malformed("a complex number has no two parts");
  const members = ["r", "i"].map((name, part) => ({ name, offset: (part * size) / 2, type: base }));
  return { class: "compound", size, members };
}

function readVlen(reader: FieldReader, { bits, depth }: Head): Datatype {
  const base = readType(reader, depth + 1);
  if ((bits & 0xf) === 0) return { class: "vlen", base };
  return {
    class: "vlenString",
    padding: choose(reader, PADDINGS, (bits >> 4) & 0xf, "padding"),
    charset: choose(reader, CHARSETS, (bits >> 8) & 0xf, "character set"),
  };
}

function readType(reader: FieldReader, depth: number): Datatype {
  const first = reader.u8();
  const head = { version: first >> 4, bits: reader.length(3), size: reader.u32(), depth };
  const { version, bits, size } = head;
  if (version < 1 || version > 5)
    throw reader.malformed(`datatype version ${version} is not known`);
  if (depth > DEPTH_MAX) throw reader.malformed(`datatypes nest deeper than ${DEPTH_MAX}`);
  if (size === 0) throw reader.malformed("a datatype has no bytes");
  switch (first & 0xf) {
    case CLASS.integer: {
      const isSigned = (bits & 8) !== 0;
      return { class: "integer", size, order: orderOf(bits), isSigned, ...readBits(reader, bits) };
    }
    case CLASS.float:
      return readFloat(reader, head);
    case CLASS.time:
      return { class: "time", size, order: orderOf(bits), precision: reader.u16() };
    case CLASS.string: {
      const padding = choose(reader, PADDINGS, bits & 0xf, "padding");
      const charset = choose(reader, CHARSETS, (bits >> 4) & 0xf, "character set");
      return { class: "string", size, padding, charset };
    }
    case CLASS.bitfield:
      return { class: "bitfield", size, order: orderOf(bits), ...readBits(reader, bits) };
    case CLASS.opaque: {
      const tag = Buffer.from(reader.raw(bits & 0xff)).toString("latin1");
      return { class: "opaque", size, tag: tag.replace(/\0.*$/s, "") };
    }
    case CLASS.compound: {
      const members = Array.from({ length: bits & 0xffff }, () => readMember(reader, head));
      return { class: "compound", size, members };
    }
    case CLASS.reference:
      return { class: "reference", kind: choose(reader, REFERENCES, bits & 0xf, "reference") };
    case CLASS.enum:
      return readEnum(reader, head);
    case CLASS.vlen:
      return readVlen(reader, head);
    case CLASS.array:
      return readArray(reader, head);
    case CLASS.complex:
      return readComplex(reader, head);
    default:
      throw reader.malformed(`datatype class ${first & 0xf} is not known`);
  }
}

/**
 * Decodes a datatype; what follows it is not read.
 *
 * @param what What the datatype is of, for errors.
 * @throws `DaosError` `DER_DF_INVAL` for what does not follow the grammar.
 */
export function decodeDatatype(bytes: Uint8Array | FieldReader, what: string): Datatype {
  return readType(bytes instanceof FieldReader ? bytes : new FieldReader(bytes, what), 0);
}
