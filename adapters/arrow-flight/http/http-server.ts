/**
 * Tables as Arrow streams by plain HTTP: for programs that have no Flight, and for people with curl.
 *
 * Callers are those of the Flight server, and so are their rights, the limit on calls and the patience with clients. A
 * failure is told as JSON; one within a stream cuts it off, so that nobody takes half of a table for all of it.
 *
 * @module
 */

import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { DaosError, isDaosError, type Pool } from "../../../core/index.js";
import { END_OF_STREAM, framedMessage, IpcEncoder, listTables } from "../../arrow/index.js";
import { readableContainers } from "../access/pool-handles.js";
import { piecesOf } from "../calls/batch-stream.js";
import type { CallHost } from "../calls/call.js";
import { waitFor } from "../calls/client-stream.js";
import { type Dataset, openDataset } from "../datasets/dataset.js";
import { cancelled, clientError, tooManyCalls } from "../errors.js";
import { REQUEST_MS_MAX, URL_SIZE_MAX } from "../limits.js";
import { ARROW_STREAM_TYPE, accepts, requestOfUrl } from "./http-request.js";

const WHAT = "Answering an HTTP request";

/** A listening server. */
export interface HttpServer {
  readonly port: number;
  /** Takes no more requests; resolves when those that go on have ended. */
  close(): Promise<void>;
  /** Cuts off what goes on. */
  destroy(): void;
}

/** Certificates, as they are in their files. */
export interface HttpCertificates {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | undefined;
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...(status === 401 ? { "www-authenticate": 'Bearer realm="daos", Basic realm="daos"' } : {}),
  };
  response.writeHead(status, headers).end(body);
}

function sendError(host: CallHost, response: ServerResponse, error: unknown): void {
  const { http: status, code, text } = clientError(error);
  if (status === 500) host.report(error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const parts = isDaosError(error) && status !== 500 ? error.text : {};
  sendJson(response, status, { error: { code, message: text, ...parts } });
}

function certificateName(request: IncomingMessage): string | undefined {
  const socket = request.socket as TLSSocket;
  if (socket.authorized !== true) return undefined;
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : undefined;
}

/** The tables that the caller may read. */
async function listed(pool: Pool) {
  const tables: object[] = [];
  for (const container of readableContainers(pool)) {
    using view = container.view();
    const { epoch } = view;
    for await (const { path, schema, numRows } of listTables(container, { epoch })) {
      const columns = schema.fields.map(({ name, type, nullable }) => {
        return { name, type: String(type), nullable };
      });
      const table = `${container.label}/${path}`;
      tables.push({ table, rows: numRows, epoch: `0x${epoch.toString(16)}`, columns });
    }
  }
  return { tables };
}

/** Writes a dataset as the client takes it. */
async function stream(
  { idleMsMax }: CallHost,
  response: ServerResponse,
  dataset: Dataset,
  signal: AbortSignal,
): Promise<void> {
  const drained = async () => {
    if (!response.writableNeedDrain) return;
    await waitFor({ what: WHAT, idleMsMax, signal }, (wake) => {
      response.on("drain", wake);
      return () => response.off("drain", wake);
    });
  };
  const write = async (pieces: readonly Uint8Array[]) => {
    response.cork();
    for (const piece of pieces) response.write(piece);
    response.uncork();
    await drained();
  };
  const encoder = new IpcEncoder(dataset.schema);
  await write(framedMessage(encoder.schema()));
  for await (const batch of dataset.batches(signal)) {
    for (const piece of piecesOf(batch)) {
      for (const message of encoder.encode(piece)) await write(framedMessage(message));
    }
  }
  response.end(END_OF_STREAM);
}

async function answer(
  host: CallHost,
  request: IncomingMessage,
  { response, signal }: { response: ServerResponse; signal: AbortSignal },
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    const why = `the method is ${request.method}`;
    const text = { what: WHAT, why, remedy: "use GET or HEAD; write with Flight's DoPut" };
    return sendJson(response, 405, { error: { code: "DER_NOSYS", ...text } });
  }
  const { authorization } = request.headers;
  const credentials = { authorization, certificateName: certificateName(request) };
  const identity = await host.authenticator.identify(credentials);
  using lease = host.handles.lease(identity);
  const wanted = requestOfUrl(request.url ?? "/");
  const type = wanted === undefined ? "application/json" : ARROW_STREAM_TYPE;
  if (!accepts(request, type)) {
    const why = `the client takes ${request.headers.accept?.slice(0, 200)}`;
    const text = { what: WHAT, why, remedy: `send "Accept: ${type}"` };
    return sendJson(response, 406, { error: { code: "DER_NOSYS", ...text } });
  }
  if (wanted === undefined) return sendJson(response, 200, await listed(lease.pool));
  using dataset = await openDataset(lease.pool, wanted);
  response.writeHead(200, {
    "content-type": type,
    "daos-epoch": `0x${dataset.epoch.toString(16)}`,
  });
  if (request.method === "HEAD") response.end();
  else await stream(host, response, dataset, signal);
}

function handlerOf(host: CallHost) {
  return (request: IncomingMessage, response: ServerResponse) => {
    // A body is of no use here.
    request.resume();
    if (host.open.size >= host.callsMax) {
      return sendError(host, response, tooManyCalls(WHAT, host.callsMax));
    }
    const controller = new AbortController();
    host.open.add(controller);
    response.on("close", () => controller.abort(cancelled(WHAT)));
    answer(host, request, { response, signal: controller.signal })
      .catch((error) => sendError(host, response, error))
      .finally(() => host.open.delete(controller));
  };
}

/**
 * Starts to listen.
 *
 * @throws `DaosError` `DER_BUSY` if it cannot listen there.
 */
export async function serveHttp(
  host: CallHost,
  listen: { readonly host: string; readonly port: number },
  certificates: HttpCertificates | undefined,
): Promise<HttpServer> {
  const limits = { maxHeaderSize: URL_SIZE_MAX, requestTimeout: REQUEST_MS_MAX };
  const tls = certificates && {
    cert: certificates.cert,
    key: certificates.key,
    ...(certificates.clientCa === undefined
      ? {}
      : { ca: certificates.clientCa, requestCert: true, rejectUnauthorized: true }),
  };
  const server =
    tls === undefined
      ? http.createServer(limits, handlerOf(host))
      : https.createServer({ ...limits, ...tls }, handlerOf(host));
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const what = `Listening on ${listen.host}:${listen.port}`;
      const remedy = "choose a host and a port of this machine that nobody listens on";
      reject(new DaosError("DER_BUSY", { what, why: error.message, remedy }, {}, error));
    });
    server.listen(listen.port, listen.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
    destroy: () => server.closeAllConnections(),
  };
}
