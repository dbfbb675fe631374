/**
 * Decodes Arrow IPC that comes from elsewhere: message by message, or as a stream of bytes.
 *
 * Nothing is believed: metadata is verified before it is read, sizes are limited, buffers must lie in their body and
 * hold what their rows need (see load.ts). Memory is bounded by what has come, not by what a header promises.
 *
 * @module
 */

import {
  type Data,
  type DataType,
  makeData,
  RecordBatch,
  type Schema,
  Struct,
  Vector,
} from "apache-arrow";
import type {
  RecordBatch as BatchHeader,
  DictionaryBatch,
} from "apache-arrow/ipc/metadata/message";
import { malformed } from "../errors.js";
import { BODY_SIZE_MAX, METADATA_SIZE_MAX } from "../limits.js";
import { type Codec, compressionOf, decompressBuffer, loadCodec } from "./compression.js";
import { decodedLayout, type Region } from "./layout.js";
import { Loader } from "./load.js";
import { decodeMessage, decodeSchema, PREFIX_SIZE, schemaOfFooter } from "./messages.js";
import type { BatchStream } from "./types.js";

const CONTINUATION = 0xffff_ffff;
const MAGIC = "ARROW1";
/** Bytes of a file's magic number with its padding. */
const MAGIC_SIZE = 8;

/** Bytes of a message's buffers, before they are one. */
class Budget {
  #left = BODY_SIZE_MAX;

  spend(size: number, what: string): void {
    this.#left -= size;
    if (this.#left < 0) throw malformed(what, `a body becomes larger than ${BODY_SIZE_MAX} bytes`);
  }
}

/** Decodes the messages of one stream. */
export class IpcDecoder {
  /** The schema that the stream began with. */
  readonly schema: Schema;
  readonly #what: string;
  readonly #dictionaries = new Map<number, Vector>();

  /**
   * @param metadata The schema message's metadata: a flatbuffer, without what frames it.
   * @param what What is done, for errors.
   * @throws `DaosError` `DER_INVAL` if it is no schema; `DER_NOSYS` if it is big-endian, or has types that are not read.
   */
  constructor(metadata: Uint8Array, what = "Reading Arrow IPC") {
    this.#what = what;
    this.schema = decodeSchema(metadata, what);
  }

  /**
   * Decodes the next message.
   *
   * @param metadata A flatbuffer, without what frames it.
   * @param body The buffers; those of the batch are views of it, where they are aligned and not compressed.
   * @returns A batch; `undefined` if the message was a dictionary.
   * @throws `DaosError` `DER_INVAL` if the message is damaged.
   */
  async decode(metadata: Uint8Array, body: Uint8Array): Promise<RecordBatch | undefined> {
    const { message, header } = decodeMessage(metadata, this.#what);
    if (message.isDictionaryBatch()) {
      await this.#dictionary(header as DictionaryBatch, body);
      return undefined;
    }
    if (!message.isRecordBatch()) throw malformed(this.#what, "a second schema follows");
    const batch = header as BatchHeader;
    const length = Number(batch.length);
    const loader = await this.#loader(batch, body);
    const children = this.schema.fields.map(({ type }) => {
      const data = loader.load(type);
      if (data.length === length) return data;
      throw malformed(this.#what, "a column has another number of rows than its batch");
    });
    const type = new Struct(this.schema.fields);
    const data = makeData({ type, length, nullCount: 0, children } as never);
    return new RecordBatch(this.schema, data as never, message.metadata);
  }

  async #dictionary({ id, data: batch, isDelta }: DictionaryBatch, body: Uint8Array) {
    const type = this.schema.dictionaries.get(id) as DataType | undefined;
    if (type === undefined) throw malformed(this.#what, `no column has dictionary ${id}`);
    const loader = await this.#loader(batch, body);
    const data: Data = loader.load(type);
    const known = isDelta ? this.#dictionaries.get(id) : undefined;
    this.#dictionaries.set(id, new Vector([...(known?.data ?? []), data]));
  }

  async #loader(batch: BatchHeader, body: Uint8Array): Promise<Loader> {
    const what = this.#what;
    const { compression } = batch as BatchHeader & { compression: { type: number } | null };
    const codec: Codec | undefined = compression
      ? await loadCodec(compressionOf(compression.type))
      : undefined;
    const budget = new Budget();
    const bytesOf = ({ offset, length }: Region): Uint8Array => {
      const isInside = offset >= 0 && length >= 0 && offset + length <= body.length;
      if (!isInside) throw malformed(what, "a buffer lies out of its body");
      const bytes = body.subarray(offset, offset + length);
      const content = codec === undefined ? bytes : decompressBuffer(codec, bytes, what);
      budget.spend(content.length, what);
      return content;
    };
    const dictionary = (id: number) => this.#dictionaries.get(id);
    const source = { what, isTrusted: false, bytesOf, dictionary };
    return new Loader(decodedLayout(batch), source);
  }
}

/** Takes bytes of a source in pieces of any size. */
class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Uint8Array[] = [];
  #size = 0;

  constructor(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.#chunks = (async function* () {
      yield* source;
    })();
  }

  /** The next `size` bytes, which stay where they are; fewer at the end. */
  async peek(size: number): Promise<Uint8Array> {
    while (this.#size < size) {
      const { value, done } = await this.#chunks.next();
      if (done === true) break;
      this.#held.push(value as Uint8Array);
      this.#size += (value as Uint8Array).length;
    }
    // Copied once, to where elements of any size can be viewed.
    const [first] = this.#held;
    if (this.#held.length !== 1 || (first as Uint8Array).byteOffset % 8 !== 0) {
      const joined = new Uint8Array(this.#size);
      let at = 0;
      for (const chunk of this.#held) {
        joined.set(chunk, at);
        at += chunk.length;
      }
      this.#held = [joined];
    }
    return (this.#held[0] as Uint8Array).subarray(0, size);
  }

  async take(size: number): Promise<Uint8Array> {
    const bytes = await this.peek(size);
    this.#size -= bytes.length;
    this.#held = [(this.#held[0] as Uint8Array).subarray(bytes.length)];
    return bytes;
  }

  async end(): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** The next message's metadata; `undefined` at the end of the stream. */
async function nextMetadata(source: ByteSource, what: string): Promise<Uint8Array | undefined> {
  const prefix = await source.take(PREFIX_SIZE);
  if (prefix.length === 0) return undefined;
  const cut = () => malformed(what, "it is cut off within a message");
  if (prefix.length < PREFIX_SIZE) throw cut();
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_SIZE);
  if (view.getUint32(0, true) !== CONTINUATION) throw malformed(what, "it is no Arrow IPC stream");
  const size = view.getUint32(4, true);
  if (size === 0) return undefined;
  if (size > METADATA_SIZE_MAX) {
    throw malformed(
      what,
      `a message has ${size} bytes of metadata, more than ${METADATA_SIZE_MAX}`,
    );
  }
  const metadata = await source.take(size);
  if (metadata.length < size) throw cut();
  return metadata;
}

async function* batchesOf(source: ByteSource, decoder: IpcDecoder, what: string) {
  try {
    for (;;) {
      const metadata = await nextMetadata(source, what);
      if (metadata === undefined) return;
      const { bodyLength } = decodeMessage(metadata, what).message;
      if (bodyLength < 0 || bodyLength > BODY_SIZE_MAX) {
        throw malformed(what, `a body has ${bodyLength} bytes, more than ${BODY_SIZE_MAX}`);
      }
      const body = bodyLength === 0 ? new Uint8Array(0) : await source.take(bodyLength);
      if (body.length < bodyLength) throw malformed(what, "it is cut off within a body");
      const batch = await decoder.decode(metadata, body);
      if (batch !== undefined) yield batch;
    }
  } finally {
    await source.end();
  }
}

/** The metadata of the schema; the source goes on behind its message. */
async function firstSchema(source: ByteSource, what: string): Promise<Uint8Array> {
  const begin = await source.peek(MAGIC_SIZE + PREFIX_SIZE);
  if (Buffer.from(begin.subarray(0, MAGIC.length)).toString("latin1") === MAGIC) {
    await source.take(MAGIC_SIZE);
    const prefix = new DataView(begin.buffer, begin.byteOffset, begin.byteLength);
    const size = begin.length < MAGIC_SIZE + PREFIX_SIZE ? 0 : prefix.getUint32(12, true);
    const peeked = await source.peek(PREFIX_SIZE + Math.min(size, METADATA_SIZE_MAX));
    const isSchema =
      size > 0 && decodeMessage(peeked.subarray(PREFIX_SIZE), what).message.isSchema();
    if (!isSchema) return schemaOfFooter(await source.peek(Number.POSITIVE_INFINITY), what);
  }
  const metadata = await nextMetadata(source, what);
  if (metadata === undefined) throw malformed(what, "it is empty");
  return metadata;
}

/**
 * Reads an IPC stream, or a file as the stream that is in it, batch by batch.
 *
 * @param chunks The bytes, in pieces of any size. A file that has its schema only in the footer, as those that
 *   apache-arrow for JavaScript writes, is held in memory as a whole.
 * @param what What is done, for errors.
 * @throws `DaosError` `DER_INVAL` if it is no Arrow IPC, or damaged; `DER_NOSYS` for other byte orders, and types that
 *   are not read here.
 *
 * @example
 * ```ts
 * const stream = await readIpc(createReadStream("flights.arrow"));
 * const table = await Table.create(container, "flights", stream.schema);
 * await table.append(stream);
 * ```
 */
export async function readIpc(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  what = "Reading Arrow IPC",
): Promise<BatchStream> {
  const source = new ByteSource(chunks);
  try {
    const decoder = new IpcDecoder(await firstSchema(source, what), what);
    const batches = batchesOf(source, decoder, what);
    return { schema: decoder.schema, [Symbol.asyncIterator]: () => batches };
  } catch (error) {
    await source.end();
    throw error;
  }
}

/**
 * Reads the messages of a file whose schema is known from its footer.
 *
 * @param chunks The bytes behind the magic number. The schema may follow there too, or not.
 * @param schema The metadata of its message.
 */
export async function readMessages(
  chunks: AsyncIterable<Uint8Array>,
  schema: Uint8Array,
  what: string,
): Promise<BatchStream> {
  const source = new ByteSource(chunks);
  try {
    const decoder = new IpcDecoder(schema, what);
    const prefix = await source.peek(PREFIX_SIZE);
    if (prefix.length === PREFIX_SIZE) {
      const size = Math.min(Buffer.from(prefix).readUInt32LE(4), METADATA_SIZE_MAX);
      const metadata = (await source.peek(PREFIX_SIZE + size)).subarray(PREFIX_SIZE);
      const isSchema = size > 0 && decodeMessage(metadata, what).message.isSchema();
      if (isSchema) await source.take(PREFIX_SIZE + size);
    }
    const batches = batchesOf(source, decoder, what);
    return { schema: decoder.schema, [Symbol.asyncIterator]: () => batches };
  } catch (error) {
    await source.end();
    throw error;
  }
}
