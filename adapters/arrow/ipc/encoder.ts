/**
 * Encodes batches as messages of Arrow IPC, for streams that go elsewhere.
 *
 * The buffers of a message stay where they are until somebody writes them: what is encoded here is a header, and a list
 * of pieces.
 *
 * @module
 */

import type { DataType, RecordBatch, Schema } from "apache-arrow";
import {
  RecordBatch as BatchHeader,
  BufferRegion,
  DictionaryBatch,
} from "apache-arrow/ipc/metadata/message";
import { type Assembled, assemble } from "./assemble.js";
import { DictionaryLog } from "./dictionaries.js";
import { aligned, encodeMessage, framed } from "./messages.js";
import { numberDictionaries } from "./types.js";

/** A message of a stream. */
export interface IpcMessage {
  /** A flatbuffer, without what frames it. */
  readonly metadata: Uint8Array;
  /** The buffers and the zeros between them, one behind the other. They belong to whoever made the batch. */
  readonly body: readonly Uint8Array[];
  /** Bytes of the body. */
  readonly bodySize: number;
}

const ZEROS = new Uint8Array(64);

/** The buffers of a body with what lies between them. */
function placed({ nodes, buffers, variadicCounts }: Assembled, length: number) {
  const body: Uint8Array[] = [];
  let bodySize = 0;
  const regions = buffers.map((buffer) => {
    const region = new BufferRegion(bodySize, buffer.length);
    const end = aligned(bodySize + buffer.length);
    if (buffer.length > 0) body.push(buffer);
    const padding = end - bodySize - buffer.length;
    if (padding > 0) body.push(ZEROS.subarray(0, padding));
    bodySize = end;
    return region;
  });
  const header = new BatchHeader(length, nodes, regions, null, variadicCounts);
  return { header, body, bodySize };
}

/** Encodes the batches of one stream. */
export class IpcEncoder {
  readonly #schema: Schema;
  readonly #types: readonly DataType[];
  readonly #dictionaries = new DictionaryLog();

  /** @param schema Of all batches. */
  constructor(schema: Schema) {
    this.#schema = numberDictionaries(schema);
    this.#types = this.#schema.fields.map(({ type }) => type);
  }

  /** The message that a stream begins with. */
  schema(): IpcMessage {
    return { metadata: encodeMessage(this.#schema), body: [], bodySize: 0 };
  }

  /** The messages of a batch: the dictionaries that a reader does not have yet, and the batch. */
  encode(batch: RecordBatch): IpcMessage[] {
    const columns = batch.data.children.map((data) => {
      return data.length === batch.numRows ? data : data.slice(0, batch.numRows);
    });
    const { parts } = this.#dictionaries.changeFor(this.#types, columns);
    const messages = parts.map(({ id, values, isDelta }): IpcMessage => {
      const { header, body, bodySize } = placed(assemble([values]), values.length);
      const metadata = encodeMessage(new DictionaryBatch(header, id, isDelta), bodySize);
      return { metadata, body, bodySize };
    });
    this.#dictionaries.commit();
    const { header, body, bodySize } = placed(assemble(columns), batch.numRows);
    messages.push({ metadata: encodeMessage(header, bodySize), body, bodySize });
    return messages;
  }
}

/** A message as a stream or file has it: framed, so that each buffer lies at a multiple of 64 bytes of it. */
export function framedMessage({ metadata, body }: IpcMessage): Uint8Array[] {
  return [framed(metadata, 0), ...body];
}

/** The bytes behind the last message of a stream. */
export { END_OF_STREAM } from "./messages.js";
