/**
 * Encodes batches as an Arrow IPC stream or file.
 *
 *     stream      schema ─┬─ dictionaries, batch ─┬─ end of stream
 *     file        ARROW1 \0 \0 ─ (the stream) ─ footer, size, ARROW1
 *
 * Each message, its body, and each buffer in it begin at a multiple of 64 bytes: a file that is mapped into memory is
 * read without a copy. Buffers of the batches are passed on as they are.
 *
 * @module
 */

import type { Data, Schema } from "apache-arrow";
import { DictionaryBatch } from "apache-arrow/ipc/metadata/message";
import { assemble } from "./assemble.js";
import { type BufferCodec, bodyOf } from "./body.js";
import { DictionaryLog } from "./dictionaries.js";
import {
  END_OF_STREAM,
  encodeFooter,
  encodeMessage,
  encodeSchema,
  framed,
  MAGIC,
  type MessageBlock,
} from "./messages.js";

/** The two forms of Arrow IPC. */
export type IpcFormat = "stream" | "file";

/** Encodes one stream or file: {@link begin}, {@link add} for each batch, {@link end}. */
export class IpcWriter {
  readonly #schema: Schema;
  readonly #format: IpcFormat;
  readonly #codec: BufferCodec | undefined;
  readonly #log = new DictionaryLog();
  readonly #dictionaries: MessageBlock[] = [];
  readonly #batches: MessageBlock[] = [];
  #position = 0;

  /** @param schema Its dictionaries are numbered one by one. */
  constructor(schema: Schema, format: IpcFormat, codec: BufferCodec | undefined) {
    this.#schema = schema;
    this.#format = format;
    this.#codec = codec;
  }

  #counted(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    for (const { length } of pieces) this.#position += length;
    return pieces;
  }

  /** What comes first. */
  begin(): readonly Uint8Array[] {
    const before = this.#format === "file" ? [MAGIC] : [];
    const position = this.#format === "file" ? MAGIC.length : 0;
    return this.#counted([...before, framed(encodeSchema(this.#schema), position)]);
  }

  #message(metadata: Uint8Array, buffers: readonly Uint8Array[], bodySize: number) {
    const offset = this.#position;
    const frame = framed(metadata, offset);
    const block = { offset, metadataSize: frame.length, bodySize };
    return { block, pieces: this.#counted([frame, ...buffers]) };
  }

  /**
   * A batch, with the dictionaries that it needs.
   *
   * @param columns In a file, none may replace a dictionary: see `unify-dictionaries.ts`.
   */
  add(columns: readonly Data[], rows: number): readonly Uint8Array[] {
    const types = this.#schema.fields.map(({ type }) => type);
    const all: Uint8Array[] = [];
    for (const { id, values, isDelta } of this.#log.changeFor(types, columns).parts) {
      const { header, buffers, bodySize } = bodyOf(assemble([values]), values.length, this.#codec);
      const metadata = encodeMessage(new DictionaryBatch(header, id, isDelta), bodySize);
      const { block, pieces } = this.#message(metadata, buffers, bodySize);
      this.#dictionaries.push(block);
      all.push(...pieces);
    }
    this.#log.commit();
    const { header, buffers, bodySize } = bodyOf(assemble(columns), rows, this.#codec);
    const metadata = encodeMessage(header, bodySize);
    const { block, pieces } = this.#message(metadata, buffers, bodySize);
    this.#batches.push(block);
    all.push(...pieces);
    return all;
  }

  /** What comes last. */
  end(): readonly Uint8Array[] {
    if (this.#format === "stream") return this.#counted([END_OF_STREAM]);
    const footer = encodeFooter(this.#schema, this.#dictionaries, this.#batches);
    return this.#counted([END_OF_STREAM, footer]);
  }
}
