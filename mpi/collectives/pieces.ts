/**
 * Pieces: which elements of a buffer belong to which rank, and the arithmetic of contributions.
 *
 * @module
 */

import { bytesOf, elementCountOf } from "../buffers.js";
import { MpiError } from "../errors.js";
import { type Message, TypedElements, unitOf } from "../messages/message-buffer.js";

const INT_MAX = 0x7fffffff;

/** Numbers, one per rank or neighbour. */
export type NumberList = ArrayLike<number>;

/** Where each rank's piece lies in a buffer, in elements. */
export interface Pieces {
  /** Elements of each rank. */
  readonly counts: Int32Array;
  /** Index of each rank's first element. */
  readonly displs: Int32Array;
}

/** Elements of a message. */
export function elementsOf(message: Message): number {
  return message instanceof TypedElements ? message.count : elementCountOf(message);
}

/** The memory that a message lies in. */
function memoryOf(message: Message): ArrayBufferLike {
  const buffer = message instanceof TypedElements ? message.buffer : message;
  return ArrayBuffer.isView(buffer) ? buffer.buffer : buffer;
}

/** Where in its memory a message starts, in bytes. */
function startOf(message: Message): number {
  const isTyped = message instanceof TypedElements;
  const buffer = isTyped ? message.buffer : message;
  const start = ArrayBuffer.isView(buffer) ? buffer.byteOffset : 0;
  return isTyped ? start + message.offset : start;
}

/** Some elements of a message, as a message. */
export function partOf(message: Message, start: number, count: number): Message {
  if (message instanceof TypedElements) {
    const { buffer, datatype, offset } = message;
    const at = count === 0 ? offset : offset + start * datatype.extent;
    return new TypedElements("A collective", { buffer, datatype, count, offset: at });
  }
  const unit = unitOf(message);
  return bytesOf(message).subarray(start * unit, (start + count) * unit);
}

/**
 * How many elements of a message one contribution is.
 *
 * @param size Of the contribution, in bytes.
 * @param parts How many of them the message has to hold.
 * @throws {@link MpiError} `MPI_ERR_TYPE` if it is not a whole number of elements, `MPI_ERR_BUFFER` if they do
 *   not fit.
 */
export function elementsPerPart(
  call: string,
  message: Message,
  { size, parts }: { size: number; parts: number },
): number {
  const unit = unitOf(message);
  const count = size === 0 ? 0 : size / unit;
  if (!Number.isInteger(count)) {
    const why = `a contribution of ${size} bytes is not a whole number of elements of ${unit} bytes`;
    throw new MpiError({ code: "MPI_ERR_TYPE", call, why });
  }
  requireElements(call, message, count * parts);
  return count;
}

/**
 * The contribution of which a message holds several.
 *
 * @returns Its size, in bytes.
 * @throws {@link MpiError} `MPI_ERR_COUNT` if the message is not so many equal contributions.
 */
export function sizeOfPart(call: string, message: Message, parts: number): number {
  const count = parts === 0 ? 0 : elementsOf(message) / parts;
  if (Number.isInteger(count)) return count * unitOf(message);
  const why = `${elementsOf(message)} elements are not ${parts} equal contributions`;
  throw new MpiError({ code: "MPI_ERR_COUNT", call, why });
}

/**
 * Refuses a buffer that is too short.
 *
 * @throws {@link MpiError} `MPI_ERR_BUFFER`.
 */
export function requireElements(call: string, message: Message, count: number): void {
  if (elementsOf(message) >= count) return;
  throw new MpiError({
    code: "MPI_ERR_BUFFER",
    call,
    why: `the buffer has ${elementsOf(message)} elements and needs ${count}`,
    remedy: "Pass a longer buffer",
  });
}

/**
 * Checks counts and displacements; without displacements, pieces follow each other.
 *
 * @param room Elements of the buffer.
 * @param ranks How many pieces.
 * @throws {@link MpiError} `MPI_ERR_COUNT` for lists of a wrong length or negative entries,
 *   `MPI_ERR_BUFFER` if a piece does not fit.
 */
export function requirePieces(
  call: string,
  { room, ranks }: { room: number; ranks: number },
  counts: NumberList | null | undefined,
  displs: NumberList | undefined,
): Pieces {
  if (counts?.length !== ranks || (displs !== undefined && displs.length !== ranks)) {
    throw countError(call, `counts or displs do not list ${ranks} ranks`);
  }
  const pieces = { counts: new Int32Array(ranks), displs: new Int32Array(ranks) };
  let next = 0;
  for (let rank = 0; rank < ranks; rank += 1) {
    const count = counts[rank] ?? -1;
    const start = displs?.[rank] ?? next;
    if (!isSize(count) || !isSize(start)) {
      throw countError(call, `count ${count} or index ${start} is no size`);
    }
    next = start + count;
    if (count > 0 && next > room) {
      const why = `the buffer has ${room} elements and needs ${next}`;
      const remedy = "Pass a longer buffer";
      throw new MpiError({ code: "MPI_ERR_BUFFER", call, why, remedy });
    }
    pieces.counts[rank] = count;
    pieces.displs[rank] = start;
  }
  return pieces;
}

/** Counts of parts that follow each other. */
export function requireCounts(call: string, ranks: number, counts: NumberList): Int32Array {
  return requirePieces(call, { room: Infinity, ranks }, counts, undefined).counts;
}

function isSize(value: number): boolean {
  return (value | 0) === value && value >= 0 && value <= INT_MAX;
}

/** The error of counts that make no sense. */
export function countError(call: string, why: string): MpiError {
  const remedy = "Give one count, and one displacement, per rank, in elements";
  return new MpiError({ code: "MPI_ERR_COUNT", call, why, remedy });
}

/**
 * Refuses a message that does not have the size that a count says.
 *
 * @throws {@link MpiError} `MPI_ERR_COUNT`.
 */
export function requireSize(call: string, message: Message, size: number): void {
  if (message.byteLength === size) return;
  throw new MpiError({
    code: "MPI_ERR_COUNT",
    call,
    why: `this rank's buffer has ${message.byteLength} bytes and its count says ${size}`,
    remedy: "Make counts[rank] the number of elements that the rank contributes",
  });
}

/**
 * Refuses two buffers that start at the same byte.
 *
 * @throws {@link MpiError} `MPI_ERR_BUFFER`.
 */
export function requireApart(call: string, send: Message, recv: Message): void {
  if (send.byteLength === 0 || recv.byteLength === 0) return;
  if (memoryOf(send) !== memoryOf(recv) || startOf(send) !== startOf(recv)) return;
  throw new MpiError({
    code: "MPI_ERR_BUFFER",
    call,
    why: "the send buffer is the receive buffer",
    remedy: "Pass IN_PLACE as the send buffer, where the call allows it",
  });
}
