/**
 * Buffers: which JavaScript objects MPI can read and write, and how large they are.
 *
 * Memory is used where it is; nothing is copied. A typed array has the MPI type of its elements;
 * `Uint8Array`, `Buffer`, `DataView` and `ArrayBuffer` are bytes (MPI_BYTE).
 *
 * @module
 */

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
 * @throws {@link MpiError} `MPI_ERR_TYPE`, `MPI_ERR_BUFFER` for memory that was transferred.
 */
export function requireBuffer(call: string, buffer: unknown): asserts buffer is MpiBuffer {
  if (ArrayBuffer.isView(buffer) && hasElements(buffer)) return;
  if (elementTypeOf(buffer) === undefined) {
    const given = buffer === null ? "null" : typeof buffer;
    throw new MpiError({ code: "MPI_ERR_TYPE", call, why: `the buffer is no buffer (${given})` });
  }
  requireMemory(call, buffer as MpiBuffer);
}

/** Whether it is a typed array that is not empty. V8 reads a `length` at once; a `byteLength` takes it 10 ns. */
function hasElements(buffer: ArrayBufferView | ArrayBuffer): boolean {
  return (buffer as MpiTypedArray).length > 0;
}

function requireMemory(call: string, buffer: MpiBuffer): void {
  const memory = ArrayBuffer.isView(buffer) ? buffer.buffer : buffer;
  try {
    new Uint8Array(memory);
  } catch {
    const why = "the memory of the buffer was transferred or detached";
    throw new MpiError({ code: "MPI_ERR_BUFFER", call, why });
  }
}

/** Size of an element, in bytes. */
export function elementSizeOf(buffer: MpiBuffer): number {
  return (buffer as Partial<MpiTypedArray>).BYTES_PER_ELEMENT ?? 1;
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
