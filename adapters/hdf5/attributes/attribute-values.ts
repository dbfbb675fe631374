/**
 * Values of attributes in memory: what they are stored as, and what they become.
 *
 * @module
 */

import { DaosError, isDaosError } from "../../../core/index.js";
import type { CommittedType } from "../committed-type.js";
import { type Datatype, itemSizeOf } from "../datatype/datatype.js";
import { type DType, datatypeOf } from "../datatype/names.js";
import { complexPartOf, isBool } from "../datatype/usual-types.js";

import type { Dataspace } from "../description.js";
import { product } from "../region.js";
import type { NamedAttribute, NewAttribute } from "../storage/stored-attributes.js";
import { broadcast } from "../values/broadcast.js";
import { decodeElements, innerShapeOf } from "../values/decode.js";
import type { Elements } from "../values/elements.js";
import { encodeElements } from "../values/encode.js";
import { Empty, type Given, take } from "../values/infer.js";
import type { Reference } from "../values/references.js";

/** A single value: of a compound, an object with a value for each member. */
export type ScalarValue =
  | string
  | number
  | bigint
  | boolean
  | Reference
  | undefined
  | Elements
  | { readonly [member: string]: ScalarValue };

/** What an attribute can hold: one value, elements, or a type without any. */
export type AttributeValue = ScalarValue | Empty;

/** What an attribute is, and its elements. */
export interface AttributeContent {
  /** Elements; of a scalar, a list of one. */
  readonly data: Elements;
  /** Extents, slowest first; empty for a single element. */
  readonly shape: readonly number[];
  /** Of an element. */
  readonly type: Datatype;
  /** Whether there are no elements, only a type; or one; or many. */
  readonly space: Dataspace["kind"];
}

/** What a new attribute is to be, where its value does not say it. */
export interface AttributeOptions {
  /** Extents; those of the value by default. */
  readonly shape?: readonly number[];
  /** Element type, or a committed one; that of the value by default. */
  readonly dtype?: DType | CommittedType;
}

function invalid(name: string, why: string, remedy: string, cause?: unknown): DaosError {
  return new DaosError(
    "DER_INVAL",
    { what: `Setting attribute "${name}"`, why, remedy },
    { name },
    cause,
  );
}

function takeFor(name: string, value: unknown, type: Datatype | undefined): Given {
  try {
    return take(value, type);
  } catch (error) {
    if (!isDaosError(error, "DER_INVAL")) throw error;
    const remedy = "give text, numbers, truth values, a typed array, lists of them, or a dtype";
    throw invalid(name, error.message, remedy, error);
  }
}

/** A committed type has attributes itself: its class cannot be asked for here. */
function isCommitted(dtype: DType | CommittedType | undefined): dtype is CommittedType {
  return typeof dtype === "object" && dtype !== null && "stored" in dtype;
}

function spaceOf(shape: readonly number[]): Dataspace {
  if (shape.length === 0) return { kind: "scalar" };
  return { kind: "simple", shape: [...shape], maxShape: [...shape] };
}

/** Zeros, as many as a shape has. */
function zeros(type: Datatype, shape: readonly number[]) {
  return { bytes: new Uint8Array(product(shape) * itemSizeOf(type)), heap: [] };
}

/**
 * The attribute for a value.
 *
 * @throws `DaosError` `DER_INVAL` for a value that has no type, or does not fit the shape.
 */
export function attributeOf(
  name: string,
  value: unknown,
  { shape, dtype }: AttributeOptions = {},
): NewAttribute {
  if (name === "") throw invalid(name, "an attribute has no name", "give it one");
  const committed = isCommitted(dtype) ? dtype : undefined;
  const common = { name, committedType: committed?.stored.id };
  const type = isCommitted(dtype) ? dtype.type : dtype && datatypeOf(dtype);
  if (value instanceof Empty) {
    const elements = { bytes: new Uint8Array(0), heap: [] };
    const own = type ?? datatypeOf(value.dtype);
    return { ...common, type: own, space: { kind: "null" }, elements };
  }
  if (value === undefined && type !== undefined && shape !== undefined) {
    return { ...common, type, space: spaceOf(shape), elements: zeros(type, shape) };
  }
  const given = takeFor(name, value, type);
  const elements = encodeElements(given.type, given.elements);
  const target = shape ?? given.shape;
  const isSame = product(target) === product(given.shape);
  const itemSize = itemSizeOf(given.type);
  // Attributes keep their bytes; the program may change its own array.
  const own = Uint8Array.from(elements.bytes);
  const bytes = isSame ? own : broadcast(own, { from: given.shape, to: target, itemSize });
  return { ...common, type: given.type, space: spaceOf(target), elements: { ...elements, bytes } };
}

/** The single value of elements of which there is one. */
function scalarOf(type: Datatype, elements: Elements): ScalarValue {
  switch (type.class) {
    case "array":
    case "opaque":
    case "time":
      return elements;
    case "compound": {
      if (complexPartOf(type) !== undefined) return elements;
      const members = type.members.map((member) => {
        const column = (elements as { readonly [name: string]: Elements })[member.name];
        return [member.name, scalarOf(member.type, column as Elements)] as const;
      });
      return Object.fromEntries(members);
    }
    default: {
      const value = (elements as readonly unknown[])[0];
      return isBool(type) ? value === 1 : (value as ScalarValue);
    }
  }
}

/** The elements of an attribute, with type and shape. */
export function contentOf({ type, space, elements }: NamedAttribute): AttributeContent {
  const own = { bytes: Uint8Array.from(elements.bytes), heap: elements.heap };
  const data = decodeElements(type, own);
  const outer = space.kind === "simple" ? space.shape : space.kind === "null" ? [0] : [];
  return { data, shape: [...outer, ...innerShapeOf(type)], type, space: space.kind };
}

/** The value of an attribute. */
export function valueOfAttribute(attribute: NamedAttribute): AttributeValue {
  const { type, space } = attribute;
  if (space.kind === "null") return new Empty(type);
  const { data } = contentOf(attribute);
  return space.kind === "scalar" ? scalarOf(type, data) : data;
}
