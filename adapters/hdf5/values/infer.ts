/**
 * What elements a program means: type and shape of what it gives.
 *
 *     1.5            float64, scalar            [[1, 2], [3, 4]]        float64, [2, 2]
 *     7n             int64 (uint64), scalar     Float32Array of 6       float32, [6]
 *     true           bool, scalar               { data, shape }         of the data, in that shape
 *     "text"         string, scalar             { x: [...], y: [...] }  compound, one column for each member
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import { compoundType, referenceType } from "../datatype/constructors.js";
import type { Datatype } from "../datatype/datatype.js";
import { type DType, datatypeOf, dtypeOfArray } from "../datatype/names.js";
import { complexPartOf } from "../datatype/usual-types.js";
import { countGiven } from "./encode.js";
import { Reference, RegionReference } from "./references.js";

/** No elements at all, but a type: the value of a null dataspace. */
export class Empty {
  /** Element type. */
  readonly dtype: DType;

  /** @param dtype Element type. */
  constructor(dtype: DType) {
    this.dtype = dtype;
  }
}

/** A list of lists of values, as deep as there are dimensions. */
export type Nested<T> = T | readonly Nested<T>[];

/** What a program gave, taken apart. */
export interface Given {
  readonly type: Datatype;
  /** Extents; `undefined` if only the number of elements is known: they were given in one list. */
  readonly shape: readonly number[];
  /** Whether the shape was said, by lists in lists or with the data. */
  readonly hasShape: boolean;
  /** Elements behind one another. */
  readonly elements: unknown;
}

function invalid(why: string, remedy: string): DaosError {
  return new DaosError("DER_INVAL", { what: "Taking elements", why, remedy });
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

/** Whether a value has data and their shape. */
export function isNdArray(value: unknown): value is { data: unknown; shape: readonly number[] } {
  return (
    typeof value === "object" &&
    value !== null &&
    // Their elements are keys too.
    !ArrayBuffer.isView(value) &&
    !isList(value) &&
    Object.keys(value).length === 2 &&
    Object.hasOwn(value, "data") &&
    isList((value as { shape?: unknown }).shape)
  );
}

/** Extents of lists in lists, down to what is no list. */
function nestedShape(value: unknown): number[] {
  const shape: number[] = [];
  for (let at = value; isList(at); at = at[0]) shape.push(at.length);
  return shape;
}

function flatten(value: readonly unknown[], shape: readonly number[]): unknown[] {
  if (shape.length === 1) return [...value];
  return value.flatMap((row) => {
    if (isList(row) && row.length === shape[1]) return flatten(row, shape.slice(1));
    throw invalid("lists are of different lengths", "give lists of the same length");
  });
}

function typeOfItem(item: unknown, items: readonly unknown[]): Datatype | undefined {
  switch (typeof item) {
    case "number":
      return datatypeOf("float64");
    case "boolean":
      return datatypeOf("bool");
    case "string":
      return datatypeOf("string");
    case "bigint":
      return typeOfBigints(items.filter((other) => typeof other === "bigint"));
    default:
      if (item instanceof RegionReference) return referenceType("region");
      return item instanceof Reference ? referenceType() : undefined;
  }
}

function typeOfBigints(items: readonly bigint[]): Datatype | undefined {
  const holds = (least: bigint, most: bigint) =>
    items.every((item) => item >= least && item <= most);
  if (holds(-(2n ** 63n), 2n ** 63n - 1n)) return datatypeOf("int64");
  return holds(0n, 2n ** 64n - 1n) ? datatypeOf("uint64") : undefined;
}

function unknownValue(value: unknown): DaosError {
  const kind = value === null ? "null" : Object.prototype.toString.call(value).slice(8, -1);
  const why = `a value of kind ${kind} (${String(value).slice(0, 40)}) has no type here`;
  return invalid(why, "give numbers, text, truth values, typed arrays, or a dtype");
}

function inferList(value: readonly unknown[]): Given {
  const shape = nestedShape(value);
  const elements = shape.includes(0) ? [] : flatten(value, shape);
  const [first] = elements;
  if (ArrayBuffer.isView(first)) return inferRows(elements as ArrayBufferView[], shape);
  const type = elements.length === 0 ? datatypeOf("float64") : typeOfItem(first, elements);
  if (type === undefined) throw unknownValue(first);
  return { type, shape, hasShape: true, elements };
}

/** Typed arrays in lists: one more dimension. */
function inferRows(rows: readonly ArrayBufferView[], shape: readonly number[]): Given {
  const name = dtypeOfArray(rows[0]);
  const length = (rows[0] as Uint8Array).length;
  const isEven = rows.every(
    (row) => dtypeOfArray(row) === name && (row as Uint8Array).length === length,
  );
  if (name === undefined || !isEven) {
    throw invalid("typed arrays of different kinds or lengths were given", "give equal ones");
  }
  const elements = rows.flatMap((row) => [...(row as unknown as Iterable<number>)]);
  return { type: datatypeOf(name), shape: [...shape, length], hasShape: true, elements };
}

function inferPlain(value: unknown): Given {
  if (isList(value)) return inferList(value);
  const name = dtypeOfArray(value);
  if (name !== undefined) {
    const shape = [(value as Uint8Array).length];
    return { type: datatypeOf(name), shape, hasShape: false, elements: value };
  }
  const scalar = typeOfItem(value, [value]);
  if (scalar !== undefined) return { type: scalar, shape: [], hasShape: false, elements: [value] };
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) {
    throw unknownValue(value);
  }
  const columns = Object.entries(value).map(([key, column]) => [key, inferPlain(column)] as const);
  if (columns.length === 0) throw unknownValue(value);
  const members = Object.fromEntries(columns.map(([key, { type }]) => [key, type]));
  const elements = Object.fromEntries(columns.map(([key, column]) => [key, column.elements]));
  const type = compoundType(members);
  return { type, shape: [countGiven(type, elements)], hasShape: false, elements };
}

/** Dimensions of lists that elements of a type are made of themselves. */
function innerRank(type: Datatype): number {
  if (type.class === "array") return type.shape.length + innerRank(type.base);
  if (type.class === "vlen") return 1;
  return type.class === "compound" && complexPartOf(type) !== undefined ? 1 : 0;
}

/** Lists in lists of elements of a type: those outside are dimensions. */
function takeLists(value: readonly unknown[], type: Datatype): Given {
  const depth = nestedShape(value).length;
  const inner = innerRank(type);
  if (type.class === "vlen") {
    const isDeep = depth > 2 || (depth === 2 && ArrayBuffer.isView(firstLeaf(value)));
    const shape = isDeep ? nestedShape(value).slice(0, depth - 1) : [value.length];
    return { type, shape, hasShape: isDeep, elements: isDeep ? flatten(value, shape) : value };
  }
  const shape = nestedShape(value);
  const elements = shape.includes(0) ? [] : flatten(value, shape);
  if (ArrayBuffer.isView(elements[0])) {
    const rows = inferRows(elements as ArrayBufferView[], shape);
    const outer = rows.shape.slice(0, rows.shape.length - inner);
    return { type, shape: outer, hasShape: true, elements: rows.elements };
  }
  if (depth <= inner) {
    return { type, shape: [countGiven(type, elements)], hasShape: false, elements };
  }
  return { type, shape: shape.slice(0, depth - inner), hasShape: depth > 1, elements };
}

function firstLeaf(value: unknown): unknown {
  let at = value;
  while (isList(at)) at = at[0];
  return at;
}

/**
 * Takes what was given as elements of a type, or of the type that it has.
 *
 * @throws `DaosError` `DER_INVAL` for a value that has no type, or that is none of the type's.
 */
export function take(value: unknown, wanted?: Datatype): Given {
  if (isNdArray(value)) {
    const { type, elements } = take(value.data, wanted);
    const count = value.shape.reduce((product, extent) => product * extent, 1);
    const given = countGiven(type, elements);
    if (given !== count) {
      throw invalid(`${given} elements were given for [${value.shape}]`, "correct the shape");
    }
    return { type, shape: [...value.shape], hasShape: true, elements };
  }
  if (wanted === undefined) return inferPlain(value);
  const { type, value: given } = { type: wanted, value };
  const isColumns = type.class === "compound" && complexPartOf(type) === undefined;
  if (isList(given) && !isColumns) return takeLists(given, type);
  const isScalar =
    typeof given !== "object" ||
    given === null ||
    given instanceof Reference ||
    isColumnsOfOne(given);
  const count = countGiven(type, given);
  const shape = isScalar && count === 1 ? [] : [count];
  return { type, shape, hasShape: false, elements: given };
}

/** Whether each member has one value, not in a list. */
function isColumnsOfOne(value: object): boolean {
  if (ArrayBuffer.isView(value) || isList(value)) return false;
  return Object.values(value).every((column) => typeof column !== "object" || column === null);
}
