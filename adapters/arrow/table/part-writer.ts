/**
 * Writes a part of a table: an Arrow IPC file, whose buffers lie as readers want to map them.
 *
 *     ARROW1 \0 \0 ─ schema ─┬─ dictionary, batch, batch, ... ─ end of stream ─ footer, size, ARROW1
 *     0                      └ at a multiple of 64 bytes, each body in one piece
 *
 * @module
 */

import type { Data, Schema } from "apache-arrow";
import { DictionaryBatch } from "apache-arrow/ipc/metadata/message";
import { type ObjectId, Pattern, type Transaction, wholeOf } from "../../../core/index.js";
import { assemble } from "../ipc/assemble.js";
import { type Body, type BufferCodec, bodyOf } from "../ipc/body.js";
import { DictionaryLog } from "../ipc/dictionaries.js";
import {
  END_OF_STREAM,
  encodeFooter,
  encodeMessage,
  encodeSchema,
  framed,
  MAGIC,
} from "../ipc/messages.js";
import { statisticsOf } from "./statistics.js";
import {
  type BatchEntry,
  type Block,
  encodeContents,
  PART_AKEY,
  TABLE_DKEY,
} from "./table-format.js";

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

  #message(metadata: Uint8Array, { buffers, bodySize }: Body): Block {
    const offset = this.#position;
    const frame = framed(metadata, offset);
    this.#origin.own.keepWhole(frame.length + bodySize);
    this.#put(frame);
    for (const buffer of buffers) this.#put(buffer);
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
      const body = bodyOf(assemble([values]), values.length, this.#origin.codec);
      const header = new DictionaryBatch(body.header, id, isDelta);
      const metadata = encodeMessage(header, body.bodySize);
      this.#dictionaries.push({ id, ...this.#message(metadata, body) });
    }
    this.#dictionaryLog.commit();
    const body = bodyOf(assemble(columns), rows, this.#origin.codec);
    const block = this.#message(encodeMessage(body.header, body.bodySize), body);
    this.#batches.push({ ...block, rows, statistics: columns.map(statisticsOf) });
    this.rows += rows;
    return true;
  }

  /** Writes the footer, and what is known of the contents. */
  finish(): void {
    const { own, schema, columnIds } = this.#origin;
    this.#put(END_OF_STREAM);
    this.#put(encodeFooter(schema, this.#dictionaries, this.#batches));
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
