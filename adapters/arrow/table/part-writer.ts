/**
 * Writes a part of a table: an Arrow IPC file, whose buffers lie as readers want to map them.
 *
 *     ARROW1 \0 \0 ─ schema ─┬─ dictionary, batch, batch, ... ─ end of stream ─ footer, size, ARROW1
 *     0                      └ at a multiple of 64 bytes, each body in one piece
 *
 * @module
 */

import type { Data, Schema } from "apache-arrow";
import { FileBlock, Footer } from "apache-arrow/ipc/metadata/file";
import {
  RecordBatch as BatchHeader,
  BodyCompression,
  BufferRegion,
  DictionaryBatch,
} from "apache-arrow/ipc/metadata/message";
import { type ObjectId, Pattern, type Transaction, wholeOf } from "../../../core/index.js";
import { type Assembled, assemble } from "../ipc/assemble.js";
import {
  COMPRESSION_TYPES,
  type Codec,
  type Compression,
  compressBuffer,
} from "../ipc/compression.js";
import { DictionaryLog } from "../ipc/dictionaries.js";
import { aligned, END_OF_STREAM, encodeMessage, encodeSchema, framed } from "../ipc/messages.js";
import { statisticsOf } from "./statistics.js";
import {
  type BatchEntry,
  type Block,
  encodeContents,
  PART_AKEY,
  TABLE_DKEY,
} from "./table-format.js";

const MAGIC = Buffer.from("ARROW1\0\0");
const ZEROS = new Uint8Array(64);

/** How buffers are written. */
export interface BufferCodec {
  readonly compression: Compression;
  readonly codec: Codec;
}

/** What a part is of. */
export interface PartOrigin {
  readonly own: Transaction;
  readonly oid: ObjectId;
  /** Its dictionaries are numbered one by one. */
  readonly schema: Schema;
  readonly columnIds: readonly number[];
  readonly codec: BufferCodec | undefined;
}

/** Writes one part in a transaction. */
export class PartWriter {
  readonly oid: ObjectId;
  readonly #origin: PartOrigin;
  readonly #dictionaryLog = new DictionaryLog();
  readonly #dictionaries: (Block & { id: number })[] = [];
  readonly #batches: BatchEntry[] = [];
  #position = 0;
  readonly #schemaEnd: number;
  /** Rows so far. */
  rows = 0;

  constructor(origin: PartOrigin) {
    this.#origin = origin;
    this.oid = origin.oid;
    const schema = framed(encodeSchema(origin.schema), MAGIC.length);
    origin.own.keepWhole(MAGIC.length + schema.length);
    this.#put(MAGIC);
    this.#put(schema);
    this.#schemaEnd = this.#position;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#position;
  }

  #put(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const range = wholeOf(Pattern.contiguous(this.#position, this.#position + bytes.length));
    this.#origin.own.write(this.oid, range, bytes);
    this.#position += bytes.length;
  }

  #header({ nodes, buffers, variadicCounts }: Assembled, length: number) {
    const { codec } = this.#origin;
    const stored =
      codec === undefined ? buffers : buffers.map((buffer) => compressBuffer(codec.codec, buffer));
    let end = 0;
    const regions = stored.map(({ length: size }) => {
      const region = new BufferRegion(end, size);
      end = aligned(end + size);
      return region;
    });
    const type = codec && new BodyCompression(COMPRESSION_TYPES[codec.compression]);
    const header = new BatchHeader(length, nodes, regions, type ?? null, variadicCounts);
    return { header, stored, bodySize: end };
  }

  #message(metadata: Uint8Array, buffers: readonly Uint8Array[], bodySize: number): Block {
    const offset = this.#position;
    const frame = framed(metadata, offset);
    this.#origin.own.keepWhole(frame.length + bodySize);
    this.#put(frame);
    for (const buffer of buffers) {
      this.#put(buffer);
      this.#put(ZEROS.subarray(0, aligned(buffer.length) - buffer.length));
    }
    return { offset, metadataSize: frame.length, bodySize };
  }

  /**
   * Adds a batch, with the dictionaries that it needs.
   *
   * @returns Whether it was added; not, if a dictionary would have to be replaced, which a file cannot say: then it
   *   begins another part.
   */
  add(columns: readonly Data[], rows: number): boolean {
    const { fields } = this.#origin.schema;
    const types = fields.map(({ type }) => type);
    const { parts, replaces } = this.#dictionaryLog.changeFor(types, columns);
    if (replaces) return false;
    for (const { id, values, isDelta } of parts) {
      const { header, stored, bodySize } = this.#header(assemble([values]), values.length);
      const metadata = encodeMessage(new DictionaryBatch(header, id, isDelta), bodySize);
      this.#dictionaries.push({ id, ...this.#message(metadata, stored, bodySize) });
    }
    this.#dictionaryLog.commit();
    const { header, stored, bodySize } = this.#header(assemble(columns), rows);
    const block = this.#message(encodeMessage(header, bodySize), stored, bodySize);
    this.#batches.push({ ...block, rows, statistics: columns.map(statisticsOf) });
    this.rows += rows;
    return true;
  }

  /** Writes the footer, and what is known of the contents. */
  finish(): void {
    const { own, schema, columnIds } = this.#origin;
    const blockOf = ({ metadataSize, bodySize, offset }: Block) => {
      return new FileBlock(metadataSize, bodySize, offset);
    };
    this.#put(END_OF_STREAM);
    const [batches, dictionaries] = [this.#batches.map(blockOf), this.#dictionaries.map(blockOf)];
    const footer = Footer.encode(new Footer(schema, 4, batches, dictionaries));
    const size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, footer.length, true);
    this.#put(footer);
    this.#put(size);
    this.#put(MAGIC.subarray(0, 6));
    const contents = encodeContents({
      columnIds,
      schemaEnd: this.#schemaEnd,
      dictionaries: this.#dictionaries,
      batches: this.#batches,
    });
    own.put({
      oid: this.oid,
      dkey: TABLE_DKEY,
      akey: PART_AKEY,
      value: contents,
      condition: "none",
    });
  }
}
