/**
 * `DoGet` and `DoExchange`: batches for a ticket, and for any number of requests to one version.
 *
 * @module
 */

import type { Running } from "../access/running.js";
import { openDataset } from "../datasets/dataset.js";
import { parseObject, parseRequest, type ReadRequest, requestOf } from "../datasets/request.js";
import { badRequest, cancelled } from "../errors.js";
import { EXCHANGE_REQUESTS_MAX } from "../limits.js";
import { decodeFlightData, encodeFlightData } from "../protocol/flight-data.js";
import { codecs } from "../protocol/messages.js";
import { type FlightSql, sqlMessage } from "../sql/flight-sql.js";
import { BatchSender } from "./batch-stream.js";
import type { CallContext, ExchangeHandler, StreamHandler } from "./call.js";
import type { Outgoing } from "./client-stream.js";

const NONE = new Uint8Array(0);

/** Streams what a ticket asks for. */
export function doGet(running: Running, sql: FlightSql): StreamHandler {
  return async (bytes, context, out) => {
    const { ticket } = codecs.ticket.decode(bytes);
    using _ = running.add(context.identity, ticket, () => {
      context.cancel(cancelled(context.what, "it was cancelled by an action"));
    });
    const statement = sqlMessage(ticket);
    if (statement !== undefined) await sql.get(statement, context, out);
    else await sendRequest(parseRequest(ticket), context, out);
  };
}

async function sendRequest(request: ReadRequest, context: CallContext, out: Outgoing) {
  using dataset = await openDataset(context.pool, request);
  const sender = new BatchSender(out, dataset.schema);
  await sender.begin();
  await sender.send(dataset.batches(context.signal));
}

/** What one message of an exchange asks for, of the dataset that its first message named. */
function narrowed(base: ReadRequest, metadata: Uint8Array): ReadRequest {
  const what = "Reading a request of DoExchange";
  const object = parseObject(metadata, what);
  const known = base.kind === "table" ? ["rows", "where", "limit"] : ["rows"];
  const other = Object.keys(object).find((key) => !known.includes(key));
  if (other !== undefined) {
    const remedy = `use ${known.join(", ")}; columns and version are those of the descriptor`;
    throw badRequest(what, `"${other.slice(0, 80)}" cannot be chosen here`, remedy);
  }
  const path = `${base.name.container}/${base.name.path}`;
  const { rows, where, limit } = parseRequest(
    Buffer.from(JSON.stringify({ table: path, version: "", ...object })),
  ) as Extract<ReadRequest, { kind: "table" }>;
  if (base.kind === "array") return { ...base, rows: rows ?? base.rows };
  return {
    ...base,
    rows: rows ?? base.rows,
    where: where ?? base.where,
    limit: limit ?? base.limit,
  };
}

/**
 * Answers requests to one version of one dataset, one after the other.
 *
 * The first message has the descriptor. Each message with application metadata is a request; its batches are followed
 * by a message whose application metadata says how many rows there were, and of which epoch.
 */
export const doExchange: ExchangeHandler = async (requests, context, out) => {
  let base: ReadRequest | undefined;
  let sender: BatchSender | undefined;
  let pinned: Disposable | undefined;
  let epoch = 0n;
  let count = 0;
  try {
    for await (const bytes of requests) {
      const { descriptor, header, appMetadata } = decodeFlightData(bytes);
      if (header.length > 0) {
        const remedy = "send requests as application metadata; write with DoPut";
        throw badRequest(context.what, "the client sends batches", remedy);
      }
      if (base === undefined) {
        if (descriptor === undefined) {
          throw badRequest(context.what, "the first message has no descriptor", "send one");
        }
        const opened = await openDataset(context.pool, requestOf(descriptor));
        pinned = opened;
        epoch = opened.epoch;
        const request = requestOf(descriptor);
        base = { ...request, name: { ...request.name, version: `0x${epoch.toString(16)}` } };
        sender = new BatchSender(out, opened.schema);
        await sender.begin();
      }
      if (appMetadata.length === 0) continue;
      count += 1;
      if (count > EXCHANGE_REQUESTS_MAX) {
        const why = `there were ${EXCHANGE_REQUESTS_MAX} requests`;
        throw badRequest(context.what, why, "begin another exchange");
      }
      using dataset = await openDataset(context.pool, narrowed(base, appMetadata));
      const rows = await (sender as BatchSender).send(dataset.batches(context.signal));
      const end = JSON.stringify({ rows, epoch: `0x${epoch.toString(16)}` });
      await out.send(encodeFlightData({ header: NONE, appMetadata: Buffer.from(end), body: [] }));
    }
  } finally {
    pinned?.[Symbol.dispose]();
  }
};
