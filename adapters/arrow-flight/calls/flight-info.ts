/**
 * What a client learns of a dataset before it reads it, and the tickets to read its parts with.
 *
 * A ticket names the version that the client was told of: parts that are read in parallel are of one epoch.
 *
 * @module
 */

import type { Schema } from "apache-arrow";
import { framedMessage, IpcEncoder, listTables } from "../../arrow/index.js";
import { readableContainers } from "../access/pool-handles.js";
import { openDataset, type RowRange } from "../datasets/dataset.js";
import { type ReadRequest, requestOf, ticketOf } from "../datasets/request.js";
import { ENDPOINT_ROWS_MIN, ENDPOINTS_MAX } from "../limits.js";
import {
  codecs,
  DescriptorType,
  type FlightDescriptor,
  type FlightInfo,
} from "../protocol/messages.js";
import type { CallContext, StreamHandler } from "./call.js";

/** How datasets are divided among readers. */
export interface EndpointOptions {
  /** Most endpoints of a dataset. */
  readonly count: number;
  /** Rows that an endpoint has at least. */
  readonly rowsMin?: number | undefined;
  /** Addresses of servers of the same pool, among which the endpoints are shared out; this server if empty. */
  readonly locations: readonly string[];
}

/** What is told of a dataset. */
interface Described {
  readonly schema: Schema;
  readonly epoch: bigint;
  readonly rows: RowRange;
  readonly isWhole: boolean;
}

/** A schema as Flight has it outside of streams: the message with what frames it. */
export function schemaBytes(schema: Schema): Buffer {
  return Buffer.concat(framedMessage(new IpcEncoder(schema).schema()));
}

/** Divides rows into parts of about the same length. */
export function divided([start, end]: RowRange, count: number, rowsMin: number): RowRange[] {
  const rows = end - start;
  const parts = Math.max(1, Math.min(count, ENDPOINTS_MAX, Math.floor(rows / rowsMin)));
  return Array.from({ length: parts }, (_, part) => [
    start + Math.floor((rows * part) / parts),
    start + Math.floor((rows * (part + 1)) / parts),
  ]);
}

function infoOf(
  request: ReadRequest,
  { schema, epoch, rows, isWhole }: Described,
  { count, rowsMin = ENDPOINT_ROWS_MIN, locations }: EndpointOptions,
  descriptor: FlightDescriptor,
): Partial<FlightInfo> {
  // A limit counts the rows of one stream.
  const hasLimit = request.kind === "table" && request.limit !== undefined;
  const parts = divided(rows, hasLimit ? 1 : count, rowsMin);
  const endpoint = parts.map((part, index) => {
    const uri = locations[index % Math.max(1, locations.length)];
    return {
      ticket: { ticket: ticketOf(request, epoch, part) },
      location: uri === undefined ? [] : [{ uri }],
    };
  });
  return {
    schema: schemaBytes(schema),
    flightDescriptor: descriptor,
    endpoint,
    totalRecords: isWhole ? rows[1] - rows[0] : -1,
    totalBytes: -1,
    ordered: true,
    appMetadata: Buffer.from(JSON.stringify({ epoch: `0x${epoch.toString(16)}` })),
  };
}

/** What a client learns of what a descriptor names. */
export async function describe(
  descriptor: FlightDescriptor,
  { pool }: CallContext,
  options: EndpointOptions,
): Promise<Partial<FlightInfo>> {
  const request = requestOf(descriptor);
  using dataset = await openDataset(pool, request);
  return infoOf(request, dataset, options, descriptor);
}

/** The schema of what a descriptor names. */
export async function describeSchema(
  descriptor: FlightDescriptor,
  { pool }: CallContext,
): Promise<Schema> {
  using dataset = await openDataset(pool, requestOf(descriptor));
  return dataset.schema;
}

/** `ListFlights`: the tables that the caller may read, whose names begin as the criteria say. */
export function listFlights(options: EndpointOptions): StreamHandler {
  return async (bytes, { pool, signal }, out) => {
    const prefix = Buffer.from(codecs.criteria.decode(bytes).expression).toString();
    for (const container of readableContainers(pool)) {
      const { label } = container;
      if (!label.startsWith(prefix) && !prefix.startsWith(`${label}/`)) continue;
      using view = container.view();
      const { epoch } = view;
      for await (const { path, schema, numRows } of listTables(container, { epoch })) {
        signal.throwIfAborted();
        if (!`${label}/${path}`.startsWith(prefix)) continue;
        const request: ReadRequest = { kind: "table", name: { container: label, path } };
        const described = { schema, epoch, rows: [0, numRows] as const, isWhole: true };
        const descriptor = {
          type: DescriptorType.path,
          cmd: new Uint8Array(0),
          path: [label, ...path.split("/")],
        };
        const info = infoOf(request, described, options, descriptor);
        await out.send(codecs.info.encode(info));
      }
    }
  };
}
