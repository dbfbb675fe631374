/**
 * HDF5 datatypes: what one element of a dataset or attribute is, to the bit.
 *
 * A datatype is plain data, as in the HDF5 file format: classes, sizes in bytes, byte orders, members.
 * Names as in NumPy (`float64`) are made into datatypes in `dtype.ts`; the durable form is the
 * datatype message of the HDF5 file format (`messages/datatype-message.ts`), in the store as in `.h5`
 * files.
 *
 * Elements of variable length, and references to regions, are *slots*: they point to items of a heap.
 * See {@link RawElements} in `description.ts`.
 *
 * @module
 */

/** Order of the bytes of a number: least or most significant first. */
export type ByteOrder = "little" | "big";

/** Which bits of an element are significant. */
export interface BitField {
  /** Lowest significant bit. */
  readonly bitOffset: number;
  /** Number of significant bits. */
  readonly precision: number;
  /** What the bits below and above are set to: 0 or 1. */
  readonly padding: {
    /** The bits below. */
    readonly low: 0 | 1;
    /** The bits above. */
    readonly high: 0 | 1;
  };
}

/** Whole numbers. */
export interface IntegerType extends BitField {
  /** Which class this is. */
  readonly class: "integer";
  /** Bytes of an element. */
  readonly size: number;
  /** Order of the bytes. */
  readonly order: ByteOrder;
  /** Whether it is signed, in two's complement. */
  readonly isSigned: boolean;
}

/** Floating-point numbers, of any format. */
export interface FloatType extends BitField {
  /** Which class this is. */
  readonly class: "float";
  /** Bytes of an element. */
  readonly size: number;
  /** Order of the bytes. */
  readonly order: ByteOrder | "vax";
  /** Bit of the sign. */
  readonly signLocation: number;
  /** Lowest bit of the exponent. */
  readonly exponentLocation: number;
  /** Bits of the exponent. */
  readonly exponentSize: number;
  /** What is subtracted from the stored exponent. */
  readonly exponentBias: number;
  /** Lowest bit of the mantissa. */
  readonly mantissaLocation: number;
  /** Bits of the mantissa. */
  readonly mantissaSize: number;
  /** Whether the leading bit of the mantissa is not stored (`implied`), always set, or neither. */
  readonly normalization: "none" | "set" | "implied";
  /** What unused bits inside are set to. */
  readonly innerPadding: 0 | 1;
}

/** Times; no program is known that writes them. */
export interface TimeType {
  /** Which class this is. */
  readonly class: "time";
  /** Bytes of an element. */
  readonly size: number;
  /** Order of the bytes. */
  readonly order: ByteOrder;
  /** Number of significant bits. */
  readonly precision: number;
}

/** Encoding of text. */
export type CharacterSet = "ascii" | "utf8";
/** How text that is shorter than its type ends. */
export type StringPadding = "nullterm" | "nullpad" | "spacepad";

/** Text of a fixed number of bytes. */
export interface StringType {
  /** Which class this is. */
  readonly class: "string";
  /** Bytes of an element. */
  readonly size: number;
  /** How shorter text ends. */
  readonly padding: StringPadding;
  /** Encoding of the text. */
  readonly charset: CharacterSet;
}

/** Bits without a number. */
export interface BitfieldType extends BitField {
  /** Which class this is. */
  readonly class: "bitfield";
  /** Bytes of an element. */
  readonly size: number;
  /** Order of the bytes. */
  readonly order: ByteOrder;
}

/** Bytes that only their writer understands. */
export interface OpaqueType {
  /** Which class this is. */
  readonly class: "opaque";
  /** Bytes of an element. */
  readonly size: number;
  /** What they are, in ASCII; at most 255 bytes. */
  readonly tag: string;
}

/** A member of a compound. */
export interface CompoundMember {
  /** Its name. */
  readonly name: string;
  /** First byte in the element. */
  readonly offset: number;
  /** Its datatype. */
  readonly type: Datatype;
}

/** Named members, at fixed places. */
export interface CompoundType {
  /** Which class this is. */
  readonly class: "compound";
  /** Bytes of an element, gaps included. */
  readonly size: number;
  /** In the order of the file. */
  readonly members: readonly CompoundMember[];
}

/** A reference to an object of the same file, or to elements of a dataset. */
export interface ReferenceType {
  /** Which class this is. */
  readonly class: "reference";
  /** What it refers to. */
  readonly kind: "object" | "region";
}

/** Names for whole numbers. */
export interface EnumType {
  /** Which class this is. */
  readonly class: "enum";
  /** The numbers that are named. */
  readonly base: IntegerType;
  /** Names and their values. */
  readonly members: readonly {
    /** The name. */
    readonly name: string;
    /** The number that it stands for. */
    readonly value: bigint;
  }[];
}

/** As many elements of another type as each element likes. */
export interface SequenceType {
  /** Which class this is. */
  readonly class: "vlen";
  /** Datatype of what an element has many of. */
  readonly base: Datatype;
}

/** Text of any length. */
export interface VlenStringType {
  /** Which class this is. */
  readonly class: "vlenString";
  /** How shorter text ends. */
  readonly padding: StringPadding;
  /** Encoding of the text. */
  readonly charset: CharacterSet;
}

/** Arrays of one shape. */
export interface ArrayType {
  /** Which class this is. */
  readonly class: "array";
  /** At least one dimension; row-major. */
  readonly shape: readonly number[];
  /** Datatype of what is in the array. */
  readonly base: Datatype;
}

/** Any type of element. */
export type Datatype =
  | IntegerType
  | FloatType
  | TimeType
  | StringType
  | BitfieldType
  | OpaqueType
  | CompoundType
  | ReferenceType
  | EnumType
  | SequenceType
  | VlenStringType
  | ArrayType;

/** Bytes of a slot: u32 count of elements (bytes of text), u32 0, u64 item of the heap; little-endian. */
export const SLOT_SIZE = 16;
/** Bytes of a reference to an object, as in HDF5. */
export const OBJECT_REFERENCE_SIZE = 8;
/** Bytes of a reference to a region, as in HDF5: u64 item of the heap, u32 its bytes. */
export const REGION_REFERENCE_SIZE = 12;

/** Bytes of one element. */
export function itemSizeOf(type: Datatype): number {
  switch (type.class) {
    case "reference":
      return type.kind === "object" ? OBJECT_REFERENCE_SIZE : REGION_REFERENCE_SIZE;
    case "vlen":
    case "vlenString":
      return SLOT_SIZE;
    case "enum":
      return type.base.size;
    case "array":
      return type.shape.reduce((count, extent) => count * extent, itemSizeOf(type.base));
    default:
      return type.size;
  }
}

/** Whether elements point to items of a heap, themselves or in a member. */
export function hasSlots(type: Datatype): boolean {
  switch (type.class) {
    case "vlen":
    case "vlenString":
      return true;
    case "reference":
      return type.kind === "region";
    case "compound":
      return type.members.some((member) => hasSlots(member.type));
    case "array":
      return hasSlots(type.base);
    default:
      return false;
  }
}

/** Whether elements refer to objects or regions, themselves or in a member. */
export function hasReferences(type: Datatype): boolean {
  switch (type.class) {
    case "reference":
      return true;
    case "compound":
      return type.members.some((member) => hasReferences(member.type));
    case "array":
    case "vlen":
      return hasReferences(type.base);
    default:
      return false;
  }
}

/** Whether two datatypes are the same, to the bit. */
export function sameDatatype(first: unknown, second: unknown): boolean {
  if (
    typeof first !== "object" ||
    typeof second !== "object" ||
    first === null ||
    second === null
  ) {
    return Object.is(first, second);
  }
  const [keys, others] = [Object.keys(first), Object.keys(second)];
  return (
    keys.length === others.length &&
    keys.every(
      (key) =>
        Object.hasOwn(second, key) && sameDatatype(memberOf(first, key), memberOf(second, key)),
    )
  );
}

function memberOf(holder: object, key: string): unknown {
  return (holder as Record<string, unknown>)[key];
}

const NO_PADDING = { low: 0, high: 0 } as const;

/** The usual integer of a size in bytes. */
export function integerType(
  size: number,
  isSigned: boolean,
  order: ByteOrder = "little",
): IntegerType {
  const bits = { bitOffset: 0, precision: 8 * size, padding: NO_PADDING };
  return { class: "integer", size, order, isSigned, ...bits };
}

/** Sizes in bits, as [exponent, mantissa], of the usual floats. */
const FLOATS = {
  float16: [5, 10],
  bfloat16: [8, 7],
  float32: [8, 23],
  float64: [11, 52],
} as const;

/** The usual float of a name: IEEE 754's, or `bfloat16`. */
export function floatType(name: keyof typeof FLOATS, order: ByteOrder = "little"): FloatType {
  const [exponentSize, mantissaSize] = FLOATS[name];
  const precision = 1 + exponentSize + mantissaSize;
  return {
    class: "float",
    size: precision / 8,
    order,
    bitOffset: 0,
    precision,
    padding: NO_PADDING,
    signLocation: precision - 1,
    exponentLocation: mantissaSize,
    exponentSize,
    exponentBias: 2 ** (exponentSize - 1) - 1,
    mantissaLocation: 0,
    mantissaSize,
    normalization: "implied",
    innerPadding: 0,
  };
}
