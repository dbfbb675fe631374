/**
 * The check of one-sided operations: from arguments to a sound call.
 *
 * @module
 */

import { type BuiltInOp, type Op, viewOf } from "../collectives/op.js";
import { elementsOf } from "../collectives/pieces.js";
import { basicTypeOf, isDefinedOn, requireOp } from "../collectives/reduction-types.js";
import { PROC_NULL } from "../constants.js";
import type { BasicName } from "../datatype/basic-types.js";
import { Datatype } from "../datatype/datatype.js";
import { MpiError } from "../errors.js";
import {
  type Message,
  type MessageBuffer,
  messageOf,
  TypedElements,
  unitOf,
} from "../messages/message-buffer.js";
import { rankError } from "../messages/point-to-point.js";
import type { RmaCall, RmaKind } from "./window-transport.js";

/** Elements of a target's window. */
export interface WindowElements {
  /** Where they start, in units of the target's window (in a dynamic one, an address); 0 by default. */
  readonly displacement?: number;
  /** What they are; by default as the origin's. */
  readonly datatype?: Datatype;
  /** How many; by default as many as the origin's data makes. */
  readonly count?: number;
}

/** Where in a target's window elements lie: a displacement alone, or all about them. */
export type WindowPlace = number | WindowElements;

/** What is known of the ranks' windows. */
export interface WindowShape {
  /** Number of ranks. */
  readonly ranks: number;
  /** Of each rank's memory, in bytes; undefined if it is not known. */
  readonly sizes: ArrayLike<number> | undefined;
  /** Of each rank's displacements, in bytes. */
  readonly units: ArrayLike<number>;
}

interface Operands {
  readonly origin?: Message | undefined;
  readonly result?: Message | undefined;
  readonly compare?: Message | undefined;
}

/** Where the checked call goes. */
export interface Target {
  readonly shape: WindowShape;
  readonly rank: number;
  readonly at: WindowPlace;
}

const NO_PLACE: WindowElements = {};
const NO_COMPUTATION = { op: "replace", basicType: undefined } as const;

/** @throws {@link MpiError} `MPI_ERR_RANK`. */
export function requireTargetRank(call: string, rank: number, ranks: number): void {
  if ((rank | 0) === rank && rank < ranks && (rank >= 0 || rank === PROC_NULL)) return;
  throw rankError(call, "MPI_ERR_RANK", rank, ranks);
}

/** The target's elements: as many bytes of data as the operand has. */
function elementsAt(
  call: string,
  at: WindowPlace,
  operand: Message,
): { displacement: number; count: number; datatype: Datatype | undefined; unit: number } {
  if (typeof at !== "number" && (typeof at !== "object" || at === null)) {
    const why = `the place in the window is ${at === null ? "null" : `a ${typeof at}`}`;
    throw new MpiError({ code: "MPI_ERR_DISP", call, why, remedy: "Pass a displacement" });
  }
  const place = typeof at === "number" ? NO_PLACE : at;
  const displacement = typeof at === "number" ? at : (at.displacement ?? 0);
  const own = operand instanceof TypedElements ? operand.datatype : undefined;
  const datatype = place.datatype ?? own;
  if (datatype !== undefined && !(datatype instanceof Datatype)) {
    throw new MpiError({ code: "MPI_ERR_TYPE", call, why: "the target's datatype is none" });
  }
  const unit = datatype?.size ?? unitOf(operand);
  const count = place.count ?? (unit === 0 ? 0 : operand.byteLength / unit);
  const isCount = Number.isSafeInteger(count) && count >= 0 && count <= 0x7fffffff;
  if (!isCount || count * unit !== operand.byteLength) {
    throw new MpiError({
      code: "MPI_ERR_COUNT",
      call,
      why: `${operand.byteLength} bytes of data are not ${count} elements of ${unit} bytes`,
      remedy: "Make the target's elements as long as the origin's",
    });
  }
  return { displacement, count, datatype, unit };
}

/** @throws {@link MpiError} `MPI_ERR_DISP`, `MPI_ERR_RMA_RANGE`. */
function requireRange(
  call: string,
  { shape, rank }: Target,
  { displacement, count, datatype, unit }: ReturnType<typeof elementsAt>,
): void {
  if (!Number.isSafeInteger(displacement) || displacement < 0) {
    const why = `the displacement is ${displacement}`;
    const remedy = "Use a whole number from 0, in units of the target's window";
    throw new MpiError({ code: "MPI_ERR_DISP", call, why, remedy });
  }
  if (shape.sizes === undefined || count === 0 || rank === PROC_NULL) return;
  const size = shape.sizes[rank] as number;
  const from = displacement * (shape.units[rank] as number);
  const extent = datatype?.extent ?? unit;
  const last = (count - 1) * extent;
  const start = from + (datatype?.trueLowerBound ?? 0) + Math.min(0, last);
  const end =
    from + (datatype?.trueLowerBound ?? 0) + (datatype?.trueExtent ?? unit) + Math.max(0, last);
  if (start >= 0 && end <= size) return;
  throw new MpiError({
    code: "MPI_ERR_RMA_RANGE",
    call,
    why: `bytes ${start} to ${end} lie outside of the ${size} bytes of rank ${rank}'s window`,
    remedy: "Use a smaller displacement, or fewer elements",
  });
}

function sound(
  kind: RmaKind,
  target: Target,
  operands: Operands,
  computation: { readonly op: BuiltInOp; readonly basicType: BasicName | undefined },
): RmaCall {
  requireTargetRank(kind, target.rank, target.shape.ranks);
  const { origin, result, compare } = operands;
  const elements = elementsAt(kind, target.at, (origin ?? result) as Message);
  requireRange(kind, target, elements);
  const { displacement, count, datatype } = elements;
  return {
    kind,
    origin,
    result,
    compare,
    target: target.rank,
    displacement,
    count,
    datatype,
    ...computation,
  };
}

/** MPI_Put. */
export function putCall(origin: MessageBuffer, target: Target): RmaCall {
  return sound("MPI_Put", target, { origin: messageOf("MPI_Put", origin) }, NO_COMPUTATION);
}

/** MPI_Get. */
export function getCall(result: MessageBuffer, target: Target): RmaCall {
  return sound("MPI_Get", target, { result: messageOf("MPI_Get", result) }, NO_COMPUTATION);
}

/**
 * The one named type that elements are made of.
 *
 * @throws {@link MpiError} `MPI_ERR_TYPE` for a mixture, `MPI_ERR_OP` if the operation is not defined for it.
 */
function requireComputable(call: string, message: Message, op: Op): BasicName {
  requireOp(call, op);
  const name = basicTypeOf(message);
  if (name === undefined) {
    const why = "the datatype is made of elements of several types";
    const remedy = "Use a datatype of elements of one named type";
    throw new MpiError({ code: "MPI_ERR_TYPE", call, why, remedy });
  }
  if (typeof op !== "string") {
    const why = "a function cannot be called at the target";
    const remedy = "Use one of the operations of Op";
    throw new MpiError({ code: "MPI_ERR_OP", call, why, remedy });
  }
  const isKnown = op === "replace" || op === "no_op" || isDefinedOn(op, name);
  if (isKnown) return name;
  throw new MpiError({ code: "MPI_ERR_OP", call, why: `"${op}" is not defined for MPI_${name}` });
}

/** Both sides of a computation have elements of one named type. */
function requireSameType(call: string, name: BasicName, message: Message | undefined): void {
  if (message === undefined) return;
  const other = basicTypeOf(message);
  if (other === name) return;
  const why = `one side has elements of MPI_${name}, the other of ${other ? `MPI_${other}` : "several types"}`;
  throw new MpiError({ code: "MPI_ERR_TYPE", call, why });
}

/**
 * Plain buffers take the name that the target's datatype has for their elements: INT and INT32_T are two types to a
 * library.
 */
function namedAs(call: string, message: Message, at: WindowPlace): Message {
  const datatype = typeof at === "object" && at !== null ? at.datatype : undefined;
  if (!(datatype instanceof Datatype) || message instanceof TypedElements) return message;
  const [wanted, own] = [basicTypeOf(datatype), basicTypeOf(message)];
  if (wanted === undefined || own === undefined || viewOf(wanted) !== viewOf(own)) return message;
  const named = Datatype.named(wanted);
  if (named.size !== unitOf(message)) return message;
  return new TypedElements(call, {
    buffer: message,
    datatype: named,
    count: elementsOf(message),
  });
}

/** MPI_Accumulate. */
export function accumulateCall(origin: MessageBuffer, target: Target, op: Op): RmaCall {
  const call = "MPI_Accumulate";
  const message = namedAs(call, messageOf(call, origin), target.at);
  const basicType = requireComputable(call, message, op);
  if (op === "no_op") {
    const why = '"no_op" accumulates nothing';
    const remedy = "Use getAccumulate() or fetchAndOp() to read without a change";
    throw new MpiError({ code: "MPI_ERR_OP", call, why, remedy });
  }
  requireTargetType(call, basicType, target.at);
  return sound(call, target, { origin: message }, { op: op as BuiltInOp, basicType });
}

function requireTargetType(call: string, name: BasicName, at: WindowPlace): void {
  const datatype = typeof at === "object" && at !== null ? at.datatype : undefined;
  if (!(datatype instanceof Datatype) || basicTypeOf(datatype) === name) return;
  const why = `the origin's elements are of MPI_${name}, and the target's are not`;
  throw new MpiError({ code: "MPI_ERR_TYPE", call, why });
}

/** MPI_Get_accumulate; without an origin for NO_OP. */
export function getAccumulateCall(
  origin: MessageBuffer | null,
  result: MessageBuffer,
  target: Target,
  op: Op,
): RmaCall {
  const call = "MPI_Get_accumulate";
  const into = namedAs(call, messageOf(call, result), target.at);
  const from =
    op === "no_op" ? undefined : namedAs(call, messageOf(call, origin as MessageBuffer), target.at);
  const basicType = requireComputable(call, into, op);
  requireSameType(call, basicType, from);
  requireTargetType(call, basicType, target.at);
  if (from && from.byteLength !== into.byteLength) {
    const why = `${from.byteLength} bytes are combined and ${into.byteLength} bytes fetched`;
    const remedy = "Pass two buffers of one length";
    throw new MpiError({ code: "MPI_ERR_COUNT", call, why, remedy });
  }
  return sound(call, target, { origin: from, result: into }, { op: op as BuiltInOp, basicType });
}

/** The first element of a buffer of a named type. */
function oneElement(call: string, buffer: MessageBuffer): Message {
  const message = messageOf(call, buffer);
  const isNamed = !(message instanceof TypedElements) || message.datatype.isPredefined;
  if (isNamed && elementsOf(message) === 1) return message;
  throw new MpiError({
    code: isNamed ? "MPI_ERR_COUNT" : "MPI_ERR_TYPE",
    call,
    why: isNamed ? `the buffer has ${elementsOf(message)} elements` : "the datatype is derived",
    remedy: "Pass a buffer of one element of a named type",
  });
}

/** MPI_Fetch_and_op; without an origin for NO_OP. */
export function fetchAndOpCall(
  origin: MessageBuffer | null,
  result: MessageBuffer,
  target: Target,
  op: Op,
): RmaCall {
  const call = "MPI_Fetch_and_op";
  const into = oneElement(call, result);
  const from = op === "no_op" ? undefined : oneElement(call, origin as MessageBuffer);
  const basicType = requireComputable(call, into, op);
  requireSameType(call, basicType, from);
  return sound(call, target, { origin: from, result: into }, { op: op as BuiltInOp, basicType });
}

/** MPI_Compare_and_swap. */
export function compareAndSwapCall(
  origin: MessageBuffer,
  compare: MessageBuffer,
  result: MessageBuffer,
  target: Target,
): RmaCall {
  const call = "MPI_Compare_and_swap";
  const [from, like, into] = [origin, compare, result].map((one) => oneElement(call, one)) as [
    Message,
    Message,
    Message,
  ];
  const name = basicTypeOf(into) as BasicName;
  const isComparable = name === "C_BOOL" || name === "BYTE" || isDefinedOn("band", name);
  if (!isComparable) {
    const why = `elements of MPI_${name} are not compared`;
    throw new MpiError({ code: "MPI_ERR_TYPE", call, why, remedy: "Use integers or bytes" });
  }
  requireSameType(call, name, from);
  requireSameType(call, name, like);
  const operands = { origin: from, result: into, compare: like };
  return sound(call, target, operands, { op: "replace", basicType: name });
}
