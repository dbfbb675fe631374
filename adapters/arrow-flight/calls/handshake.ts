/**
 * `Handshake`: a name and password become a token, which later calls show.
 *
 * A client shows them in the header `authorization` of the call, or, as older clients do, as a message BasicAuth. The
 * token goes back in the same header, and as the answer's payload.
 *
 * @module
 */

import { Metadata, status as Status, type UntypedHandleCall } from "@grpc/grpc-js";
import type { Identity } from "../../../core/index.js";
import { clientError } from "../errors.js";
import { codecs } from "../protocol/messages.js";
import { type CallHost, credentialsOf } from "./call.js";
import { incoming, type RawCall } from "./client-stream.js";

interface HandshakeCall extends RawCall {
  readonly metadata: Metadata;
  getAuthContext(): Record<never, never>;
  sendMetadata(metadata: Metadata): void;
  emit(event: string, ...args: unknown[]): boolean;
  end(metadata?: Metadata): void;
}

/** Who shakes hands. */
async function identityOf(
  { authenticator, idleMsMax }: CallHost,
  call: HandshakeCall,
  signal: AbortSignal,
): Promise<Identity> {
  const credentials = credentialsOf(call);
  if (credentials.authorization !== undefined) return authenticator.identify(credentials);
  for await (const bytes of incoming(call, { what: "Handshake", idleMsMax, signal })) {
    const { payload } = codecs.handshakeRequest.decode(bytes);
    if (payload.length === 0) continue;
    const { username, password } = codecs.basicAuth.decode(payload);
    return authenticator.ofPassword(username, password);
  }
  return authenticator.identify(credentials);
}

async function answer(host: CallHost, call: HandshakeCall): Promise<void> {
  const controller = new AbortController();
  call.on("cancelled", () => controller.abort());
  const identity = await identityOf(host, call, controller.signal);
  const token = host.authenticator.issue(identity) ?? "";
  const metadata = new Metadata();
  if (token !== "") metadata.set("authorization", `Bearer ${token}`);
  call.sendMetadata(metadata);
  call.write(codecs.handshakeResponse.encode({ payload: Buffer.from(token) }));
  call.end(metadata);
}

/** The handler, for grpc-js. */
export function handshake(host: CallHost): UntypedHandleCall {
  const handle = (call: HandshakeCall) => {
    answer(host, call).catch((error: unknown) => {
      const { grpc, text } = clientError(error);
      if (grpc === Status.INTERNAL) host.report(error);
      call.emit("error", { code: grpc, details: text });
    });
  };
  return handle as unknown as UntypedHandleCall;
}
