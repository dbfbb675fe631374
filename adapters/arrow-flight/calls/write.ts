/**
 * `DoPut`: appends a stream of batches to a table, which is made if it is not there. All of it at one epoch, or nothing.
 *
 * @module
 */

import type { RecordBatch } from "apache-arrow";
import { type Container, type Epoch, isDaosError } from "../../../core/index.js";
import { batchStream, type Compression, IpcDecoder, Table } from "../../arrow/index.js";
import { type DatasetName, parseName, parseObject } from "../datasets/request.js";
import { badRequest, notServed } from "../errors.js";
import { decodeFlightData, type FlightData } from "../protocol/flight-data.js";
import { codecs, DescriptorType, type FlightDescriptor } from "../protocol/messages.js";
import { sqlMessage } from "../sql/flight-sql.js";
import type { CallContext, ExchangeHandler } from "./call.js";

const WHAT = "Writing with DoPut";

/** Where a client writes, and how. */
interface WriteRequest {
  readonly name: DatasetName;
  /** Whether the table is to be made; `undefined` if it is only where it is missing. */
  readonly create: boolean | undefined;
  /** How many rows there are to be. */
  readonly rowCount: number | undefined;
  readonly compression: Compression | undefined;
}

function fault(why: string, remedy: string): Error {
  return badRequest(WHAT, why, remedy);
}

function writeRequest({ type, cmd, path }: FlightDescriptor): WriteRequest {
  if (type === DescriptorType.path) {
    const name = parseName(path.join("/"));
    return { name, create: undefined, rowCount: undefined, compression: undefined };
  }
  const statement = sqlMessage(cmd);
  if (statement !== undefined) {
    const why = `${statement.name} is not served: SQL reads only, and statements take no parameters`;
    throw notServed(WHAT, why, "write with a descriptor that names a table");
  }
  if (type !== DescriptorType.command) throw fault("there is no descriptor", "name a table");
  const { table, create, rowCount, compression, ...others } = parseObject(cmd, WHAT);
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw fault(`"${other.slice(0, 80)}" is not known`, "use table, create, rowCount, compression");
  }
  if (typeof table !== "string") throw fault("it names no table", 'give "table"');
  if (create !== undefined && typeof create !== "boolean") {
    throw fault('"create" is neither true nor false', "leave it out, or correct it");
  }
  if (rowCount !== undefined && !(Number.isSafeInteger(rowCount) && (rowCount as number) >= 0)) {
    throw fault('"rowCount" is no count', "give the number of rows that are sent");
  }
  if (compression !== undefined && compression !== "lz4" && compression !== "zstd") {
    throw fault(`there is no compression "${String(compression).slice(0, 80)}"`, "use lz4 or zstd");
  }
  return { name: parseName(table), create, rowCount: rowCount as number | undefined, compression };
}

/** The batches of a stream, after its first message. */
async function* batchesOf(
  decoder: IpcDecoder,
  messages: AsyncGenerator<Buffer>,
  { rowCount }: WriteRequest,
  written: { rows: number },
): AsyncGenerator<RecordBatch> {
  for await (const bytes of messages) {
    const { header, body } = decodeFlightData(bytes);
    if (header.length === 0) continue;
    const batch = await decoder.decode(header, body[0] as Uint8Array);
    if (batch === undefined) continue;
    written.rows += batch.numRows;
    yield batch;
  }
  if (rowCount === undefined || rowCount === written.rows) return;
  const why = `${rowCount} rows were announced, and ${written.rows} came`;
  throw fault(why, "send them all, or correct the number");
}

/** The table that is appended to; `undefined` if one is to be made. */
async function tableOf(
  container: Container,
  { name, create, compression }: WriteRequest,
): Promise<Table | undefined> {
  if (create === true) return undefined;
  try {
    return await Table.open(container, name.path, compression === undefined ? {} : { compression });
  } catch (error) {
    if (create === false || !isDaosError(error, "DER_NONEXIST")) throw error;
    return undefined;
  }
}

/** Appends, or creates; whichever was asked for or is possible. */
async function store(
  container: Container,
  request: WriteRequest,
  decoder: IpcDecoder,
  batches: AsyncIterable<RecordBatch>,
): Promise<Epoch> {
  using table = await tableOf(container, request);
  if (table !== undefined) return await table.append(batches);
  const { name, compression } = request;
  const options = compression === undefined ? {} : { compression };
  const stream = batchStream(decoder.schema, batches);
  using made = await Table.createFrom(container, name.path, stream, options);
  return made.createdAt as Epoch;
}

/** What the first message of a stream says. */
export async function firstMessage(messages: AsyncGenerator<Buffer>): Promise<FlightData> {
  const { value, done } = await messages.next();
  if (done === true) throw fault("the client sent nothing", "send a descriptor and a schema");
  return decodeFlightData(value);
}

/** Writes the stream that begins with a message. */
export async function write(
  first: FlightData,
  messages: AsyncGenerator<Buffer>,
  { pool }: CallContext,
): Promise<{ epoch: Epoch; rows: number }> {
  const { descriptor, header } = first;
  if (descriptor === undefined) throw fault("the first message has no descriptor", "send one");
  const request = writeRequest(descriptor);
  if (request.name.version !== undefined) {
    throw fault("it names a version", "write to the table itself: old versions never change");
  }
  if (header.length === 0) throw fault("the first message has no schema", "send it first");
  const decoder = new IpcDecoder(header, WHAT);
  const container = pool.openContainer(request.name.container, { mode: "rw" });
  try {
    const written = { rows: 0 };
    const batches = batchesOf(decoder, messages, request, written);
    const epoch = await store(container, request, decoder, batches);
    return { epoch, ...written };
  } finally {
    container.close();
  }
}

/** `DoPut`: the answer has the epoch and the number of rows. */
export const doPut: ExchangeHandler = async (messages, context, out) => {
  const { epoch, rows } = await write(await firstMessage(messages), messages, context);
  const text = JSON.stringify({ epoch: `0x${epoch.toString(16)}`, rows });
  await out.send(codecs.putResult.encode({ appMetadata: Buffer.from(text) }));
};
