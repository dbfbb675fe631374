/**
 * FlightData: the message that carries a batch, encoded without putting its pieces together first.
 *
 *     0a descriptor   12 metadata (a flatbuffer without its prefix)   1a app_metadata   c2 3e body
 *
 * Each field is its tag, its length and its bytes. What is sent stays a list of pieces until grpc-js copies it into
 * the frame that goes out, which it does in any case: buffers of a mapped pool are copied once. What comes is viewed
 * in the frame that came.
 *
 * @module
 */

import { badRequest } from "../errors.js";
import { codecs, type FlightDescriptor } from "./messages.js";

/** A message of a stream of batches. */
export interface FlightData {
  /** What the stream is about; in its first message. */
  readonly descriptor?: FlightDescriptor | undefined;
  /** Metadata of an IPC message, without what frames it; empty for one that carries application metadata only. */
  readonly header: Uint8Array;
  readonly appMetadata: Uint8Array;
  /** The body, in pieces. */
  readonly body: readonly Uint8Array[];
}

const NONE: Uint8Array = new Uint8Array(0);
const DESCRIPTOR_TAG = 0x0a;
const HEADER_TAG = 0x12;
const APP_METADATA_TAG = 0x1a;
/** Field 1000: the bytes c2 3e. */
const BODY_TAG = (1000 << 3) | 2;
const WHAT = "Reading a FlightData message";

/** Adds a varint to bytes. */
function pushVarint(to: number[], value: number): void {
  let left = value;
  while (left >= 0x80) {
    to.push((left % 0x80) | 0x80);
    left = Math.floor(left / 0x80);
  }
  to.push(left);
}

/** Bytes that lie in pieces. */
export class ScatteredBytes {
  readonly pieces: readonly Uint8Array[];
  readonly byteLength: number;

  constructor(pieces: readonly Uint8Array[]) {
    this.pieces = pieces;
    this.byteLength = pieces.reduce((sum, { length }) => sum + length, 0);
  }

  /** The same as `byteLength`. */
  get length(): number {
    return this.byteLength;
  }

  /** Copies all bytes into a buffer, from `start` on. */
  copy(target: Uint8Array, start = 0): number {
    let at = start;
    for (const piece of this.pieces) {
      target.set(piece, at);
      at += piece.length;
    }
    return at - start;
  }
}

/** Bytes before and in the fields of a message, whose body stays in its pieces. */
export function encodeFlightData({ descriptor, header, appMetadata, body }: FlightData) {
  const pieces: Uint8Array[] = [];
  const field = (tag: number, size: number) => {
    const head: number[] = [];
    pushVarint(head, tag);
    pushVarint(head, size);
    pieces.push(Uint8Array.from(head));
  };
  if (descriptor !== undefined) {
    const bytes = codecs.descriptor.encode(descriptor);
    field(DESCRIPTOR_TAG, bytes.length);
    pieces.push(bytes);
  }
  if (header.length > 0) {
    field(HEADER_TAG, header.length);
    pieces.push(header);
  }
  if (appMetadata.length > 0) {
    field(APP_METADATA_TAG, appMetadata.length);
    pieces.push(appMetadata);
  }
  // Clients take a message without a body for the end of what they know: an empty one is said, too.
  if (header.length > 0) {
    const size = body.reduce((sum, { length }) => sum + length, 0);
    field(BODY_TAG, size);
    pieces.push(...body);
  }
  return new ScatteredBytes(pieces);
}

/** Goes through the fields of a message. */
class FieldReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  #cut(): Error {
    return badRequest(WHAT, "it is cut off", "send whole messages of Arrow Flight's protocol");
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw this.#cut();
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw badRequest(WHAT, "a number is too long", "send messages of Arrow Flight's protocol");
  }

  take(size: number): Uint8Array {
    if (size > this.#bytes.length - this.#at) throw this.#cut();
    const part = this.#bytes.subarray(this.#at, this.#at + size);
    this.#at += size;
    return part;
  }

  /** Goes on behind a field of no interest. */
  skip(wire: number): void {
    if (wire === 0) this.varint();
    else if (wire === 1) this.take(8);
    else if (wire === 2) this.take(this.varint());
    else if (wire === 5) this.take(4);
    else throw badRequest(WHAT, `there is no wire type ${wire}`, "send Protocol Buffers");
  }
}

/**
 * Reads a message; its parts are views of the bytes.
 *
 * @throws `DaosError` `DER_INVAL`.
 */
export function decodeFlightData(bytes: Uint8Array): FlightData {
  const reader = new FieldReader(bytes);
  let descriptor: FlightDescriptor | undefined;
  let [header, appMetadata, body] = [NONE, NONE, NONE];
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    if (tag === DESCRIPTOR_TAG) {
      descriptor = codecs.descriptor.decode(reader.take(reader.varint()));
    } else if (tag === HEADER_TAG) header = reader.take(reader.varint());
    else if (tag === APP_METADATA_TAG) appMetadata = reader.take(reader.varint());
    else if (tag === BODY_TAG) body = reader.take(reader.varint());
    else reader.skip(tag & 7);
  }
  return { descriptor, header, appMetadata, body: [body] };
}
