/**
 * Writes Parquet files, by way of the Arrow implementation in Rust as WebAssembly.
 *
 * They are written by row groups: memory is bounded by the largest one. The module is loaded when the first file is
 * met.
 *
 * @module
 */

import { Schema } from "apache-arrow";
import type * as Wasm from "parquet-wasm";
import { unsupported } from "../errors.js";
import { type BatchStream, numberDictionaries } from "../ipc/types.js";
import { IpcWriter } from "../ipc/writer.js";
import { ROW_GROUP_ROWS } from "../limits.js";
import { nullColumn } from "../table/gather.js";
import { columnsFor } from "../table/table-batches.js";
import type { EncodedPart } from "./write-file.js";

const load = (): Promise<typeof Wasm> => import("parquet-wasm");

/** How columns of a Parquet file are compressed. */
export type ParquetCompression = "lz4" | "zstd" | "snappy" | "gzip" | "none";

type Encode = (columns: Parameters<IpcWriter["add"]>[0], rows: number) => Wasm.Table;

/** Makes tables of the module, each out of a stream that has nothing else. */
function encoderOf(wasm: typeof Wasm, schema: Schema): Encode {
  return (columns, rows) => {
    const writer = new IpcWriter(schema, "stream", undefined);
    const bytes = Buffer.concat([...writer.begin(), ...writer.add(columns, rows), ...writer.end()]);
    return wasm.Table.fromIPCStream(bytes);
  };
}

/**
 * Finds out whether Parquet has the types of a schema, with a row of nulls: in a stream, the module would not survive
 * what it cannot write.
 */
function checkTypes(wasm: typeof Wasm, { fields }: Schema, what: string): void {
  const nullable = new Schema(fields.map((field) => field.clone({ nullable: true })));
  const columns = fields.map(({ type }) => nullColumn(type, 1));
  try {
    wasm.writeParquet(encoderOf(wasm, nullable)(columns, 1));
  } catch (error) {
    const why = String((error as Error).message ?? error).split("\n")[0] as string;
    throw unsupported(what, why, "write an Arrow file, or leave the column out");
  }
}

/** The batches of a stream as those of the module; at least one, which may be empty. */
async function* wasmBatches(
  encode: Encode,
  stream: BatchStream,
  schema: Schema,
): AsyncGenerator<{ batch: Wasm.RecordBatch; rows: number }> {
  let isEmpty = true;
  for await (const batch of stream) {
    if (batch.numRows === 0) continue;
    isEmpty = false;
    const columns = columnsFor(schema, batch, "a Parquet file");
    for (const one of encode(columns, batch.numRows).recordBatches()) {
      yield { batch: one, rows: one.numRows };
    }
  }
  if (!isEmpty) return;
  const columns = schema.fields.map(({ type }) => nullColumn(type, 0));
  for (const batch of encode(columns, 0).recordBatches()) yield { batch, rows: 0 };
}

function propertiesOf(wasm: typeof Wasm, compression: ParquetCompression): Wasm.WriterProperties {
  const { UNCOMPRESSED, LZ4_RAW, ZSTD, SNAPPY, GZIP } = wasm.Compression;
  const codes = { none: UNCOMPRESSED, lz4: LZ4_RAW, zstd: ZSTD, snappy: SNAPPY, gzip: GZIP };
  return new wasm.WriterPropertiesBuilder()
    .setCompression(codes[compression])
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setCreatedBy("daos-ts")
    .build();
}

/** Batches for the module. It would not survive that they fail, or are broken off: they end, and then that is told. */
class BatchSource {
  readonly #batches: ReturnType<typeof wasmBatches>;
  /** Rows that were taken since they were asked for last. */
  #rows = 0;
  #isStopped = false;
  failure: unknown;

  constructor(batches: ReturnType<typeof wasmBatches>) {
    this.#batches = batches;
  }

  stream(): ReadableStream<Wasm.RecordBatch> {
    return new ReadableStream({ pull: (controller) => this.#pull(controller) });
  }

  async #pull(controller: ReadableStreamDefaultController<Wasm.RecordBatch>): Promise<void> {
    try {
      const next = this.#isStopped ? undefined : await this.#batches.next();
      if (next === undefined || next.done === true) {
        controller.close();
        return;
      }
      this.#rows += next.value.rows;
      controller.enqueue(next.value.batch);
    } catch (error) {
      this.failure = error;
      controller.close();
    }
  }

  takeRows(): number {
    const rows = this.#rows;
    this.#rows = 0;
    return rows;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#batches.return(undefined);
  }
}

/** Encodes batches as a Parquet file. */
export async function* encodeParquet(
  stream: BatchStream,
  compression: ParquetCompression = "zstd",
): AsyncGenerator<EncodedPart> {
  const what = "Writing a Parquet file";
  const wasm = await load();
  const schema = numberDictionaries(stream.schema);
  checkTypes(wasm, schema, what);
  const source = new BatchSource(wasmBatches(encoderOf(wasm, schema), stream, schema));
  const properties = propertiesOf(wasm, compression);
  const encoded = await wasm.transformParquetStream(source.stream() as never, properties);
  const reader = (encoded as ReadableStream<Uint8Array>).getReader();
  let isDone = false;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      isDone = done;
      if (value === undefined) break;
      yield { pieces: [value], rows: source.takeRows() };
    }
    if (source.failure !== undefined) throw source.failure;
  } finally {
    await source.stop();
    while (!isDone) isDone = (await reader.read()).done;
  }
}
