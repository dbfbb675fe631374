/**
 * Writes object headers of version 2.
 *
 *     header         "OHDR", u8 2, u8 flags, size of its messages, messages, u32 checksum
 *     message        u8 type, u16 size, u8 flags, (creation order tracked: u16 order), body
 *     continuation   "OCHK", messages, u32 checksum
 *
 * An object whose address was needed before it was written has a header of a reserved size that says nothing but
 * where its messages are. Each header has an empty message in which the count of its references is put if it
 * turns out to be more than one.
 *
 * Source: HDF5 File Format Specification, section IV.A.1.b.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import type { TargetFile } from "../../local/target-file.js";
import type { CreationOrder } from "../description.js";
import { lookup3 } from "../h5-file/lookup3.js";
import { FieldWriter } from "../messages/field-codec.js";
import { beginRecord, endRecord } from "./fields.js";
import { MESSAGE_SIZE_MAX } from "./limits.js";

/** HDF5's numbers of messages. Durable: DO NOT CHANGE THESE VALUES. */
export const MESSAGE = {
  nil: 0x00,
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  fill: 0x05,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  groupInfo: 0x0a,
  filters: 0x0b,
  attribute: 0x0c,
  comment: 0x0d,
  continuation: 0x10,
  attributeInfo: 0x15,
  referenceCount: 0x16,
} as const;

const ORDER_TRACKED = 1 << 2;
const ORDER_INDEXED = 1 << 3;
const IS_CONSTANT = 1;
const IS_SHARED = 2;
/** Version and count. */
const COUNT_SIZE = 5;
const CHECKSUM_SIZE = 4;

/** Space of a header that says nothing but where its messages are. */
export const STUB_SIZE = 40;

/** A message of a header. */
export interface Message {
  readonly type: number;
  readonly body: Uint8Array;
  /** Whether it never changes. */
  readonly isConstant?: boolean;
  /** Whether the body says where the message is. */
  readonly isShared?: boolean;
  /** Of attributes. */
  readonly order?: number;
}

/** Where the count of an object's references is to be put. */
export interface CountPlace {
  /** The record with the messages. */
  readonly address: number;
  readonly size: number;
  /** First byte of the message in it. */
  readonly at: number;
}

/** What a header is written from. */
export interface HeaderOptions {
  readonly messages: readonly Message[];
  readonly attributeOrder: CreationOrder;
  /** Address of the space that was reserved for it, if it was: {@link STUB_SIZE} bytes. */
  readonly stub: number | undefined;
  /** Of the object, for errors. */
  readonly path: string;
}

function appendMessage(writer: FieldWriter, message: Message, hasOrder: boolean): void {
  const { type, body, isConstant = false, isShared = false, order = 0 } = message;
  writer.u8(type).u16(body.length);
  writer.u8((isConstant ? IS_CONSTANT : 0) | (isShared ? IS_SHARED : 0));
  if (hasOrder) writer.u16(order);
  writer.raw(body);
}

function tooLarge(path: string, size: number): DaosError {
  const text = {
    what: `Writing the header of "${path}"`,
    why: `its description has ${size} bytes, and HDF5 takes at most ${MESSAGE_SIZE_MAX}`,
    remedy: "use a datatype with fewer members or shorter names",
  };
  return new DaosError("DER_REC2BIG", text, { path });
}

function headerRecord(flags: number, messages: Uint8Array): FieldWriter {
  const [code, width] =
    messages.length < 0x100 ? [0, 1] : messages.length < 0x1_0000 ? [1, 2] : [2, 4];
  const writer = beginRecord("OHDR", messages.length + 16).u8(2);
  return writer
    .u8(flags | (code as number))
    .uint(messages.length, width as number)
    .raw(messages);
}

/**
 * Writes a header.
 *
 * @returns Its address, and where its count of references goes.
 * @throws `DaosError` `DER_REC2BIG` if a message is larger than headers can have.
 */
export function writeObjectHeader(
  target: TargetFile,
  { messages, attributeOrder, stub, path }: HeaderOptions,
): { address: number; count: CountPlace } {
  const { isTracked, isIndexed } = attributeOrder;
  const flags = (isTracked ? ORDER_TRACKED : 0) | (isTracked && isIndexed ? ORDER_INDEXED : 0);
  const writer = new FieldWriter(512);
  for (const message of messages) {
    const { length } = message.body;
    if (length > MESSAGE_SIZE_MAX) throw tooLarge(path, length);
    appendMessage(writer, message, isTracked);
  }
  const countAt = writer.size;
  appendMessage(writer, { type: MESSAGE.nil, body: new Uint8Array(COUNT_SIZE) }, isTracked);
  const body = writer.finish();
  if (stub === undefined) {
    const record = endRecord(headerRecord(flags, body));
    const address = target.append(record);
    const at = record.length - CHECKSUM_SIZE - body.length + countAt;
    return { address, count: { address, size: record.length, at } };
  }
  const record = endRecord(beginRecord("OCHK", body.length + 8).raw(body));
  const address = target.append(record);
  const continuation = new FieldWriter(32);
  const place = new FieldWriter(16).u64(address).u64(record.length).finish();
  appendMessage(continuation, { type: MESSAGE.continuation, body: place }, isTracked);
  target.write(stub, endRecord(headerRecord(flags, continuation.finish())));
  return { address: stub, count: { address, size: record.length, at: 4 + countAt } };
}

/** Puts the count of its references into a header. */
export function writeReferenceCount(
  target: TargetFile,
  { address, size, at }: CountPlace,
  { count, hasOrder }: { count: number; hasOrder: boolean },
): void {
  const record = target.read(address, size);
  record[at] = MESSAGE.referenceCount;
  record.writeUInt32LE(count, at + 4 + (hasOrder ? 2 : 0) + 1);
  const end = size - CHECKSUM_SIZE;
  record.writeUInt32LE(lookup3(record.subarray(0, end)), end);
  target.write(address, record);
}
