/**
 * What all calls have in common: who calls, with which handle of the pool, when it ends, how it fails.
 *
 *     grpc-js ─▶ count, identify ─▶ handler(request, context, outgoing) ─▶ status
 *
 * A handler throws; what the client is told of it is decided here. A call that fails before it has begun to answer, and
 * one that fails later, end the same way: with a status.
 *
 * @module
 */

import { constants } from "node:http2";
import { Metadata, status as Status, type UntypedHandleCall } from "@grpc/grpc-js";
import type { DaosError, Identity, Pool } from "../../../core/index.js";
import type { Authenticator } from "../access/authenticator.js";
import type { PoolHandles } from "../access/pool-handles.js";
import { cancelled, clientError, tooManyCalls } from "../errors.js";
import { incoming, Outgoing, type RawCall, widenWindows } from "./client-stream.js";

/** What the calls of a server share. */
export interface CallHost {
  readonly authenticator: Authenticator;
  readonly handles: PoolHandles;
  readonly idleMsMax: number;
  readonly callsMax: number;
  /** Hears of failures that are not the caller's. */
  readonly report: (error: unknown) => void;
  /** Calls that go on. */
  readonly open: Set<AbortController>;
}

/** What a handler knows of its call. */
export interface CallContext {
  /** For errors: "DoGet". */
  readonly what: string;
  readonly identity: Identity;
  /** A handle of the caller's. */
  readonly pool: Pool;
  /** Aborted when the call is cut off. */
  readonly signal: AbortSignal;
  /** Cuts the call off. */
  readonly cancel: (reason: DaosError) => void;
}

/** Answers a request with one message. */
export type UnaryHandler = (request: Buffer, context: CallContext) => Promise<Buffer>;
/** Answers a request with any number of messages. */
export type StreamHandler = (request: Buffer, context: CallContext, out: Outgoing) => Promise<void>;
/** Answers a stream of messages with others. */
export type ExchangeHandler = (
  requests: AsyncGenerator<Buffer>,
  context: CallContext,
  out: Outgoing,
) => Promise<void>;

interface PeerCertificate {
  readonly subject?: { readonly CN?: string | string[] };
}

/** A call of grpc-js, whatever its streams. */
interface AnyCall extends RawCall {
  readonly metadata: Metadata;
  readonly request?: Buffer;
  getAuthContext(): { readonly sslPeerCertificate?: PeerCertificate };
  emit(event: string, ...args: unknown[]): boolean;
  end(): void;
}

/** What the caller shows. */
export function credentialsOf(call: Pick<AnyCall, "metadata" | "getAuthContext">) {
  const [authorization] = call.metadata.get("authorization");
  const name = call.getAuthContext().sslPeerCertificate?.subject?.CN;
  return {
    authorization: authorization?.toString(),
    certificateName: typeof name === "string" ? name : undefined,
  };
}

/** The status that an error is sent as. */
function statusOf(host: CallHost, error: unknown) {
  const { grpc, code, text } = clientError(error);
  if (grpc === Status.INTERNAL || grpc === Status.DATA_LOSS) host.report(error);
  const metadata = new Metadata();
  metadata.set("daos-code", code);
  return { code: grpc, details: text, metadata };
}

/** How long a status may wait behind what a client does not take, in milliseconds. */
const STATUS_MS_MAX = 2000;

/** Ends a call with a status, and its stream if the client does not even take that. */
function fail(host: CallHost, call: AnyCall, error: unknown): void {
  const stream = call.call?.stream;
  call.emit("error", statusOf(host, error));
  setTimeout(() => {
    if (stream?.closed === false) stream.close(constants.NGHTTP2_CANCEL);
  }, STATUS_MS_MAX).unref();
}

/** Runs the body of a call with its context, from identification to the end. */
async function within<T>(
  host: CallHost,
  call: AnyCall,
  what: string,
  body: (context: CallContext) => Promise<T>,
): Promise<T> {
  if (host.open.size >= host.callsMax) throw tooManyCalls(what, host.callsMax);
  const controller = new AbortController();
  const cut = () => controller.abort(cancelled(what));
  host.open.add(controller);
  call.on("cancelled", cut);
  if (call.cancelled) cut();
  try {
    const identity = await host.authenticator.identify(credentialsOf(call));
    using lease = host.handles.lease(identity);
    const { pool } = lease;
    const { signal } = controller;
    const cancel = (reason: DaosError) => controller.abort(reason);
    return await body({ what, identity, pool, signal, cancel });
  } catch (error) {
    // What a cut made fail is told as the cut.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    host.open.delete(controller);
    call.off("cancelled", cut);
  }
}

/** A handler of a call without streams, for grpc-js. */
export function unary(host: CallHost, what: string, handler: UnaryHandler): UntypedHandleCall {
  const handle = (call: AnyCall, answer: (error: unknown, reply?: Buffer) => void) => {
    const body = (context: CallContext) => handler(call.request as Buffer, context);
    within(host, call, what, body).then(
      (reply) => answer(null, reply),
      (error) => answer(statusOf(host, error)),
    );
  };
  return handle as unknown as UntypedHandleCall;
}

function streaming(
  host: CallHost,
  what: string,
  handler: (call: AnyCall, context: CallContext, out: Outgoing) => Promise<void>,
): UntypedHandleCall {
  const handle = (call: AnyCall) => {
    widenWindows(call);
    const body = async (context: CallContext) => {
      const out = new Outgoing(call, { what, idleMsMax: host.idleMsMax, signal: context.signal });
      await handler(call, context, out);
      await out.flush();
    };
    within(host, call, what, body).then(
      () => call.end(),
      (error) => fail(host, call, error),
    );
  };
  return handle as unknown as UntypedHandleCall;
}

/** A handler of a call that answers with a stream, for grpc-js. */
export function stream(host: CallHost, what: string, handler: StreamHandler): UntypedHandleCall {
  return streaming(host, what, (call, context, out) => {
    return handler(call.request as Buffer, context, out);
  });
}

/** A handler of a call with streams both ways, for grpc-js. */
export function exchange(
  host: CallHost,
  what: string,
  handler: ExchangeHandler,
): UntypedHandleCall {
  return streaming(host, what, (call, context, out) => {
    const patience = { what, idleMsMax: host.idleMsMax, signal: context.signal };
    return handler(incoming(call, patience), context, out);
  });
}
