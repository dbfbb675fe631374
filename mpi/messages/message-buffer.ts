/**
 * Message buffers: memory that a message is taken from or put into.
 *
 *     buf                        all of a typed array, DataView or ArrayBuffer
 *     [buf, datatype]            as many elements of a datatype as fit
 *     [buf, count, datatype]     so many
 *     { buffer, datatype, count, offset }
 *
 * Calls turn what they are given into a *message*: the buffer itself, or checked elements of a datatype.
 *
 * @module
 */

import { bytesOf, elementSizeOf, type MpiBuffer, requireBuffer } from "../buffers.js";
import { Datatype } from "../datatype/datatype.js";
import { pack, requireInside, unpack } from "../datatype/pack.js";
import { MpiError } from "../errors.js";

/** Elements of a datatype in a buffer. */
export interface BufferSpec {
  /** The memory. */
  readonly buffer: MpiBuffer;
  /** What lies in it. */
  readonly datatype: Datatype;
  /** Elements of the datatype; as many as fit by default. */
  readonly count?: number;
  /** Where the first element's origin lies, in bytes from the start of the buffer; 0 by default. */
  readonly offset?: number;
}

/** What a message is taken from or put into. */
export type MessageBuffer =
  | MpiBuffer
  | BufferSpec
  | readonly [buffer: MpiBuffer, datatype: Datatype]
  | readonly [buffer: MpiBuffer, count: number, datatype: Datatype];

/**
 * Elements of a datatype, all of them inside of their buffer.
 *
 * @internal
 */
export class TypedElements {
  readonly buffer: MpiBuffer;
  readonly datatype: Datatype;
  readonly count: number;
  readonly offset: number;

  constructor(call: string, { buffer, datatype, count, offset = 0 }: BufferSpec) {
    requireBuffer(call, buffer);
    if (!(datatype instanceof Datatype)) {
      const why = "the buffer's datatype is none";
      throw new MpiError({ code: "MPI_ERR_TYPE", call, why, remedy: "Pass a Datatype" });
    }
    const size = buffer.byteLength;
    const elements = count ?? elementsThatFit(datatype, size - offset);
    if (!Number.isSafeInteger(elements) || elements < 0 || elements > 0x7fffffff) {
      throw new MpiError({ code: "MPI_ERR_COUNT", call, why: `the count is ${elements}` });
    }
    requireInside(call, datatype, { count: elements, offset, size });
    this.buffer = buffer;
    this.datatype = datatype;
    this.count = elements;
    this.offset = offset;
  }

  /** Bytes of data. */
  get byteLength(): number {
    return this.datatype.size * this.count;
  }
}

/** What calls hand on: sound memory. */
export type Message = MpiBuffer | TypedElements;

function elementsThatFit(datatype: Datatype, room: number): number {
  const { trueLowerBound, trueExtent, extent } = datatype;
  const rest = room - trueLowerBound - trueExtent;
  if (datatype.size === 0 || rest < 0) return 0;
  return extent > 0 ? Math.floor(rest / extent) + 1 : 1;
}

/**
 * Checks a message buffer.
 *
 * @throws {@link MpiError} `MPI_ERR_TYPE` for what is none, `MPI_ERR_COUNT`, `MPI_ERR_BUFFER` for elements that
 *   lie outside.
 */
export function messageOf(call: string, buffer: MessageBuffer): Message {
  // Typed arrays are the common case.
  if (!ArrayBuffer.isView(buffer)) {
    if (Array.isArray(buffer)) {
      const [memory, second, third] = buffer as [MpiBuffer, number | Datatype, Datatype?];
      if (third === undefined) {
        return new TypedElements(call, { buffer: memory, datatype: second as Datatype });
      }
      return new TypedElements(call, { buffer: memory, count: second as number, datatype: third });
    }
    const isSpec = typeof buffer === "object" && buffer !== null && "datatype" in buffer;
    if (isSpec) return new TypedElements(call, buffer as BufferSpec);
  }
  requireBuffer(call, buffer);
  return buffer;
}

/** Bytes of one element: what a status counts in. */
export function unitOf(message: Message): number {
  if (ArrayBuffer.isView(message)) return elementSizeOf(message);
  return message instanceof TypedElements ? message.datatype.size : elementSizeOf(message);
}

/** The data of a message, packed; of a plain buffer, its own memory. */
export function packedBytes(message: Message): Uint8Array {
  if (!(message instanceof TypedElements)) return bytesOf(message);
  const packed = new Uint8Array(message.byteLength);
  const { datatype, buffer, count, offset } = message;
  pack(datatype, buffer, packed, { count, offset });
  return packed;
}

/** Puts packed data into a message's memory, which is at least as large. */
export function placeBytes(message: Message, bytes: Uint8Array): void {
  if (!(message instanceof TypedElements)) {
    bytesOf(message).set(bytes);
    return;
  }
  const { datatype, buffer, offset } = message;
  const whole = datatype.size === 0 ? 0 : Math.floor(bytes.length / datatype.size);
  unpack(datatype, bytes, buffer, { count: whole, offset });
  const rest = bytes.subarray(whole * datatype.size);
  if (rest.length === 0) return;
  // A message may end within an element.
  const last = offset + whole * datatype.extent;
  const element = new Uint8Array(datatype.size);
  pack(datatype, buffer, element, { offset: last });
  element.set(rest);
  unpack(datatype, element, buffer, { offset: last });
}
