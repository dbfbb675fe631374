/**
 * The messages of Arrow IPC, encoded and decoded.
 *
 *     ff ff ff ff, u32 size of the metadata, metadata (a flatbuffer, padded), body
 *
 * What is written is padded so that the body begins, and the message ends, at a multiple of 64 bytes: then the
 * buffers of a body lie as Arrow wants them, wherever such messages lie one behind the other.
 *
 * What is read is verified first, and refused where apache-arrow would misread it: other byte orders, and types
 * that it does not know.
 *
 * @module
 */

import { Field, type Schema, Schema as SchemaClass } from "apache-arrow";
import type { Field as FlatField } from "apache-arrow/fb/field";
import { Footer as FlatFooter } from "apache-arrow/fb/footer";
import { Message as FlatMessage } from "apache-arrow/fb/message";
import { Schema as FlatSchema } from "apache-arrow/fb/schema";
import { FileBlock, Footer } from "apache-arrow/ipc/metadata/file";
import { type DictionaryBatch, Message, type RecordBatch } from "apache-arrow/ipc/metadata/message";
import { ByteBuffer } from "flatbuffers";
import { malformed, unsupported } from "../errors.js";
import { BUFFER_ALIGNMENT, NESTING_MAX } from "../limits.js";
import { isSoundType } from "./type-checks.js";
import { numberDictionaries } from "./types.js";
import { MessageFault, verifyFooter, verifyMessage } from "./verify.js";

/** Bytes before the metadata of a message. */
export const PREFIX_SIZE = 8;
const CONTINUATION = 0xffff_ffff;
/** Bytes of a message's end: a message without metadata. */
export const END_OF_STREAM = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** What a file begins with: its magic number, padded. */
export const MAGIC: Uint8Array = Buffer.from("ARROW1\0\0");
/** Bytes of the magic number at a file's end. */
const MAGIC_END_SIZE = 6;

/** Number of the metadata version that is read at least: those before it lay buffers out otherwise. */
const VERSION_MIN = 3;

/** A position moved up to where buffers may begin. */
export function aligned(position: number): number {
  return Math.ceil(position / BUFFER_ALIGNMENT) * BUFFER_ALIGNMENT;
}

/** Puts the prefix before a message's metadata, and zeros behind it up to a multiple of 64 bytes of the stream. */
export function framed(metadata: Uint8Array, position: number): Uint8Array {
  const size = aligned(position + PREFIX_SIZE + metadata.length) - position;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, CONTINUATION, true);
  view.setUint32(4, size - PREFIX_SIZE, true);
  bytes.set(metadata, PREFIX_SIZE);
  return bytes;
}

/** What {@link encodeMessage} takes. */
export type MessageHeader = Schema | RecordBatch | DictionaryBatch;

/** The metadata of a message: a flatbuffer. */
export function encodeMessage(header: MessageHeader, bodySize = 0): Uint8Array {
  return Message.encode(Message.from(header as never, bodySize) as never);
}

/** Numbers of the types in Arrow's schema that apache-arrow cannot read. */
const UNREADABLE: Readonly<Record<number, string>> = {
  22: "run-end encoded",
  25: "list-view",
  26: "large list-view",
};
const TYPE_MAX = 26;

function checkField(field: FlatField, what: string, depth: number): void {
  const name = field.name() ?? "";
  if (depth > NESTING_MAX) throw malformed(what, `column "${name}" is nested too deeply`);
  const type = field.typeType();
  const unreadable = UNREADABLE[type];
  if (unreadable !== undefined) {
    const why = `"${name}" is of type ${unreadable}, which cannot be read here`;
    throw unsupported(what, why, "convert it to a list, or to plain values, before it is sent");
  }
  if (type < 1 || type > TYPE_MAX) throw malformed(what, `"${name}" has no known type`);
  for (let index = 0; index < field.childrenLength(); index++) {
    const child = field.children(index);
    if (child !== null) checkField(child, what, depth + 1);
  }
}

function checkSchema(schema: FlatSchema, what: string): void {
  if (schema.endianness() !== 0) {
    const remedy = "write it on a little-endian machine, or convert it there";
    throw unsupported(what, "it is big-endian", remedy);
  }
  for (let index = 0; index < schema.fieldsLength(); index++) {
    const field = schema.fields(index);
    if (field !== null) checkField(field, what, 0);
  }
}

/** The metadata of a message, decoded. */
export interface DecodedMessage {
  readonly message: Message;
  readonly header: Schema | RecordBatch | DictionaryBatch;
}

/**
 * Decodes the metadata of a message.
 *
 * @param what What is done, for errors.
 * @throws `DaosError` `DER_INVAL` if it is no message, `DER_NOSYS` if it is one that is not read here.
 */
export function decodeMessage(bytes: Uint8Array, what: string): DecodedMessage {
  // Lists in it are viewed as arrays of larger numbers.
  const metadata = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  verified(metadata, what, verifyMessage);
  const flat = FlatMessage.getRootAsMessage(new ByteBuffer(metadata));
  if (flat.version() < VERSION_MIN) {
    const why = `it has metadata version V${flat.version() + 1}`;
    throw unsupported(what, why, "write it again with a current release of Arrow");
  }
  const schema = flat.headerType() === 1 ? flat.header(new FlatSchema()) : null;
  if (schema !== null) checkSchema(schema as FlatSchema, what);
  try {
    const message = Message.decode(metadata) as unknown as Message;
    return { message, header: message.header() as unknown as DecodedMessage["header"] };
  } catch (error) {
    throw malformed(what, (error as Error).message);
  }
}

function verified(bytes: Uint8Array, what: string, verify: (bytes: Uint8Array) => void): void {
  try {
    verify(bytes);
  } catch (error) {
    if (error instanceof MessageFault) throw malformed(what, error.message);
    throw error;
  }
}

/** Bytes behind the footer of a file: its size, and the magic number again. */
export const FILE_END_SIZE = 10;

/** Where a message lies in a file. */
export interface MessageBlock {
  readonly offset: number;
  /** Bytes of the metadata with its frame. */
  readonly metadataSize: number;
  readonly bodySize: number;
}

/** The end of a file, behind the end of its stream: footer, size, magic number. */
export function encodeFooter(
  schema: Schema,
  dictionaries: readonly MessageBlock[],
  batches: readonly MessageBlock[],
): Uint8Array {
  const blockOf = ({ metadataSize, bodySize, offset }: MessageBlock) => {
    return new FileBlock(metadataSize, bodySize, offset);
  };
  const footer = Footer.encode(
    new Footer(schema, 4, batches.map(blockOf), dictionaries.map(blockOf)),
  );
  const bytes = new Uint8Array(footer.length + FILE_END_SIZE);
  bytes.set(footer);
  new DataView(bytes.buffer).setUint32(footer.length, footer.length, true);
  bytes.set(MAGIC.subarray(0, MAGIC_END_SIZE), footer.length + FILE_END_SIZE - MAGIC_END_SIZE);
  return bytes;
}

/** Whether bytes end as a file does. */
export function endsAsFile(bytes: Uint8Array): boolean {
  const end = bytes.subarray(-MAGIC_END_SIZE);
  return Buffer.compare(end, MAGIC.subarray(0, MAGIC_END_SIZE)) === 0;
}

/**
 * The schema in the footer of a file, as the metadata of a message: apache-arrow's files have it nowhere else.
 *
 * @param file The whole file.
 * @throws `DaosError` as {@link decodeMessage}.
 */
export function schemaOfFooter(file: Uint8Array, what: string): Uint8Array {
  const cut = malformed(what, "the file has no footer");
  if (file.length < FILE_END_SIZE) throw cut;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const size = view.getUint32(file.length - FILE_END_SIZE, true);
  if (size > file.length - FILE_END_SIZE) throw cut;
  const end = file.length - FILE_END_SIZE;
  const footer = new Uint8Array(file.subarray(end - size, end));
  verified(footer, what, verifyFooter);
  const schema = FlatFooter.getRootAsFooter(new ByteBuffer(footer)).schema();
  if (schema === null) throw malformed(what, "the footer has no schema");
  checkSchema(schema, what);
  try {
    return encodeMessage(Footer.decode(footer).schema);
  } catch (error) {
    throw malformed(what, (error as Error).message);
  }
}

/** Fields have the names that they were given: a reader of flatbuffers has `null` for an empty one. */
function named(fields: readonly Field[]): Field[] {
  return fields.map(
    (field) => new Field(field.name ?? "", field.type, field.nullable, field.metadata),
  );
}

/**
 * The schema of a schema message.
 *
 * @throws `DaosError` as {@link decodeMessage}; `DER_INVAL` if it is another message.
 */
export function decodeSchema(metadata: Uint8Array, what: string): Schema {
  const { message, header } = decodeMessage(metadata, what);
  if (!message.isSchema()) throw malformed(what, "it does not begin with a schema");
  const schema = header as Schema;
  const bad = schema.fields.find(({ type }) => !isSoundType(type));
  if (bad !== undefined)
    throw malformed(what, `the type of column "${bad.name}" is none of Arrow's`);
  return new SchemaClass(named(schema.fields), schema.metadata, schema.dictionaries);
}

/** A schema as the metadata of a message; its dictionaries numbered anew. */
export function encodeSchema(schema: Schema): Uint8Array {
  return encodeMessage(numberDictionaries(schema));
}
