/**
 * The arguments of `read` and `write` of a file handle, in all the forms of `node:fs/promises`:
 *
 *     (buffer, offset, length, position)   (buffer, { offset, length, position })
 *     ({ buffer, offset, length, position })   (text, position, encoding)
 *
 * @module
 */

import { READ_SIZE_DEFAULT } from "./limits.js";

/** A place in a file, in bytes; `null` and -1 stand for where the last call without a position ended. */
export type Position = number | bigint | null;

/** Which bytes of a buffer and of a file a call is about. */
export interface TransferOptions {
  /** First byte of the buffer; 0 by default. */
  readonly offset?: number | null | undefined;
  /** Bytes to transfer; by default the rest of the buffer. */
  readonly length?: number | null | undefined;
  /** First byte in the file; by default where the last call without a position ended. */
  readonly position?: Position | undefined;
}

/** What is read, and where to. */
export interface ReadOptions<B extends NodeJS.ArrayBufferView = Buffer> extends TransferOptions {
  /** Where the bytes go; by default a new buffer of 16 KiB. */
  readonly buffer?: B | undefined;
}

/** A transfer whose arguments were checked. */
export interface Transfer {
  /** The caller's bytes. */
  readonly bytes: Uint8Array;
  /** First byte in the file; `undefined` where the last call ended. */
  readonly position: number | undefined;
}

/** Makes the error for an argument: why it is refused, and what to do. */
export type ArgumentError = (why: string, remedy: string) => Error;

/** The bytes of a buffer of any kind. */
export function bytesOf(buffer: NodeJS.ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** A position as a number; `undefined` where the last call ended. */
export function checkPosition(
  position: Position | undefined,
  length: number,
  fail: ArgumentError,
): number | undefined {
  if (position === undefined || position === null) return undefined;
  const start = Number(position);
  if (start === -1) return undefined;
  if (isCount(start) && isCount(start + length)) return start;
  throw fail(`${position} is no position in a file`, "give whole bytes from the start");
}

/** Checks which bytes of a buffer are meant. */
export function checkTransfer(
  buffer: NodeJS.ArrayBufferView,
  options: TransferOptions,
  fail: ArgumentError,
): Transfer {
  if (!ArrayBuffer.isView(buffer)) {
    throw fail(`${typeof buffer} is no buffer`, "give a Buffer, a typed array or a DataView");
  }
  const all = bytesOf(buffer);
  const offset = options.offset ?? 0;
  const length = options.length ?? all.length - offset;
  if (!isCount(offset) || !isCount(length) || offset + length > all.length) {
    const why = `bytes [${offset}, ${offset + length}) do not lie in a buffer of ${all.length}`;
    throw fail(why, "give offset and length in the buffer");
  }
  const position = checkPosition(options.position, length, fail);
  return { bytes: all.subarray(offset, offset + length), position };
}

/** The arguments of a read. */
export function readArguments<B extends NodeJS.ArrayBufferView>(
  first: B | ReadOptions<B> | null | undefined,
  second: TransferOptions | number | null | undefined,
  rest: { length: number | null | undefined; position: Position | undefined },
): { buffer: B; options: TransferOptions } {
  if (!ArrayBuffer.isView(first)) {
    const { buffer, ...options } = first ?? {};
    return {
      buffer: buffer ?? (Buffer.alloc(READ_SIZE_DEFAULT) as NodeJS.ArrayBufferView as B),
      options,
    };
  }
  if (typeof second === "object" && second !== null) return { buffer: first, options: second };
  return { buffer: first, options: { offset: second, ...rest } };
}

/** The arguments of a write. */
export function writeArguments(
  data: NodeJS.ArrayBufferView | string,
  second: TransferOptions | Position | undefined,
  third: number | string | null | undefined,
  position: Position | undefined,
): { buffer: NodeJS.ArrayBufferView; options: TransferOptions } {
  if (typeof data === "string") {
    const encoding = typeof third === "string" ? (third as BufferEncoding) : "utf8";
    const start = typeof second === "object" ? null : second;
    return { buffer: Buffer.from(data, encoding), options: { position: start } };
  }
  if (typeof second === "object" && second !== null) return { buffer: data, options: second };
  const offset = second === undefined || second === null ? second : Number(second);
  const length = typeof third === "number" ? third : undefined;
  return { buffer: data, options: { offset, length, position } };
}
