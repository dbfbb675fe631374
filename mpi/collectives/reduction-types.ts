/**
 * Which operations the standard defines for which elements.
 *
 * @module
 */

import { elementTypeOf } from "../buffers.js";
import { BASIC_NAMES, type BasicName } from "../datatype/basic-types.js";
import { Datatype } from "../datatype/datatype.js";
import { MpiError } from "../errors.js";
import { type Message, TypedElements } from "../messages/message-buffer.js";
import type { CollectiveBuffer } from "./collective-transport.js";
import { type BuiltInOp, OP_NAMES, type Op, UserOp } from "./op.js";

/** The named type of a plain buffer's elements. */
const ELEMENT_TYPES: Readonly<Record<string, BasicName>> = {
  Int8Array: "INT8_T",
  Uint8Array: "UINT8_T",
  Uint8ClampedArray: "UINT8_T",
  Int16Array: "INT16_T",
  Uint16Array: "UINT16_T",
  Int32Array: "INT32_T",
  Uint32Array: "UINT32_T",
  BigInt64Array: "INT64_T",
  BigUint64Array: "UINT64_T",
  Float32Array: "FLOAT",
  Float64Array: "DOUBLE",
  DataView: "BYTE",
  ArrayBuffer: "BYTE",
};

const ARITHMETIC = ["max", "min", "sum", "prod"];
const LOGICAL = ["land", "lor", "lxor"];
const BITWISE = ["band", "bor", "bxor"];
const PLACES = ["minloc", "maxloc"];

const FLOATS = ["FLOAT", "DOUBLE"];
const ADDRESSES = ["AINT", "OFFSET", "COUNT"];
const COMPLEX = ["C_FLOAT_COMPLEX", "C_DOUBLE_COMPLEX"];
/** Types that the standard defines no operation for. */
const TEXT = ["CHAR", "WCHAR", "PACKED"];

/** Operations by the name of a type. */
const DEFINED = new Map<BasicName, ReadonlySet<string>>(
  BASIC_NAMES.map((name) => [name, new Set(operationsOn(name))]),
);

const KNOWN: ReadonlySet<unknown> = new Set(OP_NAMES);

function operationsOn(name: BasicName): readonly string[] {
  if (FLOATS.includes(name)) return ARITHMETIC;
  if (ADDRESSES.includes(name)) return [...ARITHMETIC, ...BITWISE];
  if (COMPLEX.includes(name)) return ["sum", "prod"];
  if (TEXT.includes(name)) return [];
  if (name === "BYTE") return BITWISE;
  if (name === "C_BOOL") return LOGICAL;
  if (name.endsWith("_INT")) return PLACES;
  return [...ARITHMETIC, ...LOGICAL, ...BITWISE];
}

/** The type of a message's elements: a name, or a derived type. */
function typeOf(message: Message): BasicName | Datatype {
  if (!(message instanceof TypedElements)) {
    return ELEMENT_TYPES[elementTypeOf(message) ?? "Uint8Array"] as BasicName;
  }
  const { datatype } = message;
  if (!datatype.isPredefined) return datatype;
  return BASIC_NAMES.find((name) => datatype.name === `MPI_${name}`) ?? datatype;
}

/** The one named type that a datatype, or the elements of a message, are made of; undefined for a mixture. */
export function basicTypeOf(of: Message | Datatype): BasicName | undefined {
  const type = of instanceof Datatype ? of : typeOf(of);
  if (typeof type === "string") return type;
  if (type.isPredefined) return BASIC_NAMES.find((name) => type.name === `MPI_${name}`);
  const [first, ...others] = type.contents.datatypes.map(basicTypeOf);
  return others.every((name) => name === first) ? first : undefined;
}

/** Whether the standard defines an operation for a named type. */
export function isDefinedOn(op: BuiltInOp, name: BasicName): boolean {
  return DEFINED.get(name)?.has(op) === true;
}

function show(type: BasicName | Datatype): string {
  return typeof type === "string" ? `MPI_${type}` : type.name || "a derived datatype";
}

/** @throws {@link MpiError} `MPI_ERR_OP` for what is no operation. */
export function requireOp(call: string, op: Op): void {
  if (KNOWN.has(op) || op instanceof UserOp) return;
  throw new MpiError({ code: "MPI_ERR_OP", call, why: `"${String(op)}" is no operation` });
}

/** What a reduction works on. */
export interface Operands {
  /** What is sent; null for IN_PLACE, undefined where it does not count. */
  readonly send: CollectiveBuffer;
  readonly recv: Message | undefined;
  readonly op: Op;
}

/**
 * Refuses operations that are not defined for the elements, and buffers of unlike elements.
 *
 * @returns The name of the elements' type; undefined for a derived one.
 * @throws {@link MpiError} `MPI_ERR_OP`, `MPI_ERR_TYPE`.
 */
export function requireReduction(
  call: string,
  { send, recv, op }: Operands,
): BasicName | undefined {
  requireOp(call, op);
  const sent = send ? typeOf(send) : undefined;
  const received = recv ? typeOf(recv) : undefined;
  const type = sent ?? received;
  if (type === undefined) return undefined;
  if (received !== undefined && received !== type) {
    const why = `it sends ${show(type)} and receives ${show(received)}`;
    throw new MpiError({ code: "MPI_ERR_TYPE", call, why });
  }
  if (op instanceof UserOp) requirePlainElements(call, type);
  else if (typeof type !== "string" || !DEFINED.get(type)?.has(op)) {
    const why = `"${op}" is not defined for ${show(type)}`;
    throw new MpiError({ code: "MPI_ERR_OP", call, why });
  }
  return typeof type === "string" ? type : undefined;
}

/** Functions get elements as bytes from their origin on: data before it, or going backwards, is not there. */
function requirePlainElements(call: string, type: BasicName | Datatype): void {
  if (typeof type === "string") return;
  const { trueLowerBound, trueExtent, extent } = type;
  if (trueLowerBound >= 0 && trueLowerBound + trueExtent <= extent) return;
  throw new MpiError({
    code: "MPI_ERR_TYPE",
    call,
    why: `data of ${show(type)} lies outside of its extent`,
    remedy: "Use Datatype.resized, so that elements do not overlap",
  });
}
