/**
 * Streams of batches as Flight has them: a schema, then dictionaries and batches.
 *
 * @module
 */

import type { RecordBatch, Schema } from "apache-arrow";
import { IpcEncoder, type IpcMessage } from "../../arrow/index.js";
import { SENT_BODY_SIZE, SENT_ROWS_MIN } from "../limits.js";
import { encodeFlightData } from "../protocol/flight-data.js";
import type { Outgoing } from "./client-stream.js";

const NONE = new Uint8Array(0);

/** Cuts a batch by rows into what is sent at once: nobody has to hold more than that. */
export function* piecesOf(batch: RecordBatch): Generator<RecordBatch> {
  const size = batch.data.byteLength;
  if (size <= SENT_BODY_SIZE || batch.numRows <= SENT_ROWS_MIN) {
    yield batch;
    return;
  }
  const fitting = Math.floor((batch.numRows * SENT_BODY_SIZE) / size);
  const rows = Math.max(SENT_ROWS_MIN, fitting);
  for (let start = 0; start < batch.numRows; start += rows) {
    yield batch.slice(start, Math.min(batch.numRows, start + rows));
  }
}

/** A message of IPC as one of Flight. */
export function flightDataOf({ metadata, body }: IpcMessage, appMetadata: Uint8Array = NONE) {
  return encodeFlightData({ header: metadata, appMetadata, body });
}

/** Sends the batches of one schema. */
export class BatchSender {
  readonly #out: Outgoing;
  readonly #encoder: IpcEncoder;

  constructor(out: Outgoing, schema: Schema) {
    this.#out = out;
    this.#encoder = new IpcEncoder(schema);
  }

  /** Sends the schema, which everything else follows. */
  async begin(): Promise<void> {
    await this.#out.send(flightDataOf(this.#encoder.schema()));
  }

  /**
   * Sends batches as the client takes them.
   *
   * @returns How many rows were sent.
   */
  async send(batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>): Promise<number> {
    let rows = 0;
    for await (const batch of batches) {
      for (const piece of piecesOf(batch)) {
        for (const message of this.#encoder.encode(piece)) {
          await this.#out.send(flightDataOf(message));
        }
      }
      rows += batch.numRows;
    }
    return rows;
  }
}
