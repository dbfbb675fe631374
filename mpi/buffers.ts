/**
 * Buffers: which JavaScript objects MPI can read and write, and the arithmetic on their sizes.
 *
 * Memory is used where it is; nothing is copied. A typed array has the MPI type of its elements;
 * `Uint8Array`, `Buffer`, `DataView` and `ArrayBuffer` are bytes (MPI_BYTE).
 *
 * @module
 */

import type { Op } from "./constants.js";
import { MpiError } from "./errors.js";

/** Arrays of numbers whose elements MPI knows. */
export type MpiTypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/**
 * Memory that MPI reads or writes in place: the whole of it.
 *
 * Do not transfer or resize it (`structuredClone`, `postMessage`) while a nonblocking operation uses
 * it.
 */
export type MpiBuffer = MpiTypedArray | DataView | ArrayBuffer;

/** Element types by `Symbol.toStringTag`, which works across realms where `instanceof` does not. */
const ELEMENT_SIZES: Readonly<Record<string, number>> = {
  Int8Array: 1,
  Uint8Array: 1,
  Uint8ClampedArray: 1,
  Int16Array: 2,
  Uint16Array: 2,
  Int32Array: 4,
  Uint32Array: 4,
  BigInt64Array: 8,
  BigUint64Array: 8,
  Float32Array: 4,
  Float64Array: 8,
  DataView: 1,
  ArrayBuffer: 1,
};

/** Name of the element type, such as "Float64Array"; undefined if MPI cannot use the value. */
export function elementTypeOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const tag = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  return typeof tag === "string" && Object.hasOwn(ELEMENT_SIZES, tag) ? tag : undefined;
}

/**
 * Refuses what is no buffer. Cheap for typed arrays, which are the common case.
 *
 * @throws {@link MpiError} `MPI_ERR_TYPE`.
 */
export function requireBuffer(call: string, buffer: unknown): asserts buffer is MpiBuffer {
  if (ArrayBuffer.isView(buffer)) return;
  if (elementTypeOf(buffer) !== undefined) return;
  const given = buffer === null ? "null" : typeof buffer;
  throw new MpiError({ code: "MPI_ERR_TYPE", call, why: `the buffer is no buffer (${given})` });
}

/** Size of an element, in bytes. */
export function elementSizeOf(buffer: MpiBuffer): number {
  return "BYTES_PER_ELEMENT" in buffer ? buffer.BYTES_PER_ELEMENT : 1;
}

/** Number of elements. */
export function elementCountOf(buffer: MpiBuffer): number {
  return buffer.byteLength / elementSizeOf(buffer);
}

/** The same memory as bytes. */
export function bytesOf(buffer: MpiBuffer): Uint8Array {
  if (ArrayBuffer.isView(buffer)) {
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }
  return new Uint8Array(buffer);
}

/**
 * How many elements of the receive buffer one rank's contribution fills.
 *
 * @param bytesPerRank Contribution of each rank, in bytes.
 * @throws {@link MpiError} `MPI_ERR_BUFFER` if `ranks` contributions do not fit, `MPI_ERR_TYPE` if one
 *   is not a whole number of elements.
 */
export function elementsPerRank(
  call: string,
  { receive, bytesPerRank, ranks }: { receive: MpiBuffer; bytesPerRank: number; ranks: number },
): number {
  const count = bytesPerRank / elementSizeOf(receive);
  if (!Number.isInteger(count)) {
    throw new MpiError({
      code: "MPI_ERR_TYPE",
      call,
      why: `a contribution of ${bytesPerRank} bytes is not a whole number of elements to receive`,
    });
  }
  requireLength(call, receive, bytesPerRank * ranks);
  return count;
}

/**
 * Refuses a buffer that is too short.
 *
 * @param size What it must hold, in bytes.
 * @throws {@link MpiError} `MPI_ERR_BUFFER`.
 */
export function requireLength(call: string, buffer: MpiBuffer, size: number): void {
  if (buffer.byteLength >= size) return;
  throw new MpiError({
    code: "MPI_ERR_BUFFER",
    call,
    why: `the receive buffer has ${buffer.byteLength} bytes and needs ${size}`,
    remedy: "Pass a longer receive buffer",
  });
}

/** Where each rank's piece lies in the receive buffer of a gatherv, in elements. */
export interface Pieces {
  /** Elements from each rank. */
  readonly counts: Int32Array;
  /** Index of each rank's first element. */
  readonly displs: Int32Array;
}

/**
 * Checks counts and displacements; without displacements, pieces follow each other.
 *
 * @throws {@link MpiError} `MPI_ERR_COUNT` for lists of a wrong length or negative entries,
 *   `MPI_ERR_BUFFER` if a piece does not fit.
 */
export function requirePieces(
  call: string,
  receive: MpiBuffer,
  ranks: number,
  counts: ArrayLike<number> | undefined,
  displs: ArrayLike<number> | undefined,
): Pieces {
  const code = "MPI_ERR_COUNT";
  const remedy = "Give one count, and one displacement, per rank, in elements";
  if (counts?.length !== ranks || (displs !== undefined && displs.length !== ranks)) {
    throw new MpiError({ code, call, why: `counts or displs do not list ${ranks} ranks`, remedy });
  }
  const pieces = { counts: new Int32Array(ranks), displs: new Int32Array(ranks) };
  const available = elementCountOf(receive);
  let next = 0;
  for (let rank = 0; rank < ranks; rank += 1) {
    const count = counts[rank] ?? -1;
    const start = displs?.[rank] ?? next;
    if (!Number.isSafeInteger(count) || count < 0 || !Number.isSafeInteger(start) || start < 0) {
      throw new MpiError({
        code,
        call,
        why: `count ${count} or index ${start} is no size`,
        remedy,
      });
    }
    next = start + count;
    requireLength(call, receive, next * elementSizeOf(receive));
    if (next > available || next > 0x7fffffff) {
      throw new MpiError({ code, call, why: `${next} elements are more than MPI can count` });
    }
    pieces.counts[rank] = count;
    pieces.displs[rank] = start;
  }
  return pieces;
}

/**
 * Refuses an operation that MPI does not define for the buffer's elements: bit and truth operations
 * on floating point numbers, arithmetic on untyped bytes.
 *
 * @throws {@link MpiError} `MPI_ERR_OP`.
 */
export function requireOperation(call: string, buffer: MpiBuffer, op: Op): void {
  const type = elementTypeOf(buffer) ?? "Uint8Array";
  const onBits = op === "band" || op === "bor" || op === "bxor";
  const onTruth = op === "land" || op === "lor" || op === "lxor";
  const isFloat = type === "Float32Array" || type === "Float64Array";
  const isRaw = type === "DataView" || type === "ArrayBuffer";
  if ((isFloat && (onBits || onTruth)) || (isRaw && !onBits)) {
    throw new MpiError({ code: "MPI_ERR_OP", call, why: `"${op}" is not defined for ${type}` });
  }
}
