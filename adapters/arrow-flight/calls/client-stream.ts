/**
 * The client's side of a call: what it sends, read one message at a time, and what is sent to it, held back when it does
 * not take it.
 *
 * Whatever waits for the client ends when the call is cut off, and when the client does nothing for too long. The iterator
 * of a stream cannot be used for that: a call that is cut off neither ends nor fails its stream.
 *
 * @module
 */

import { Metadata } from "@grpc/grpc-js";
import { badRequest, cancelled, idleTooLong } from "../errors.js";
import { PENDING_MESSAGES_MAX, PENDING_SIZE_MAX, WINDOW_SIZE } from "../limits.js";
import { framesOf, type Scattered } from "../protocol/frames.js";

/** What grpc-js hands to a handler of a call with streams, as far as it is used here. */
export interface RawCall {
  cancelled: boolean;
  write(message: unknown, taken?: () => void): boolean;
  sendMetadata(metadata: Metadata): void;
  read(): Buffer | null;
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
  readonly readableEnded?: boolean;
  /** What grpc-js has below. Tests with broken clients notice if it has it no longer. */
  readonly call?: {
    readonly stream?: ServerStream;
    readonly decoder?: { readonly readState: number };
  };
}

/** The stream of the connection, as far as it is used here. */
export interface ServerStream {
  readonly closed: boolean;
  readonly destroyed: boolean;
  readonly aborted: boolean;
  /** What HTTP/2 knows of it; `remoteClose` is 1 once the client has said that it sends no more. */
  readonly state: { readonly remoteClose?: number };
  readonly session?: Session | undefined;
  close(code: number): void;
  cork(): void;
  uncork(): void;
  write(bytes: Uint8Array, taken?: (error?: Error | null) => void): boolean;
}

/** The connection, as far as it is used here. */
interface Session {
  setLocalWindowSize(size: number): void;
  settings(settings: { initialWindowSize: number }): void;
}

const widened = new WeakSet<Session>();

/**
 * Lets the client of a call send more before it hears from the server: grpc-js leaves the windows of a server's
 * connections at 64 KiB, whatever its options say, and each of them costs a round trip then.
 */
export function widenWindows(call: RawCall): void {
  const session = call.call?.stream?.session;
  if (session === undefined || session === null || widened.has(session)) return;
  widened.add(session);
  session.setLocalWindowSize(WINDOW_SIZE);
  session.settings({ initialWindowSize: WINDOW_SIZE });
}

/** How long a client may do nothing, and who it is, for errors. */
export interface ClientPatience {
  readonly what: string;
  readonly idleMsMax: number;
  readonly signal: AbortSignal;
}

/** Waits for one of some events, for the end of the call, or until the client was idle for too long. */
export function waitFor(
  { what, idleMsMax, signal }: ClientPatience,
  listen: (wake: () => void) => () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      unlisten();
      end();
    };
    const abort = () => settle(() => reject(signal.reason));
    const timer = setTimeout(
      () => settle(() => reject(idleTooLong(what, idleMsMax))),
      idleMsMax,
    ).unref();
    const unlisten = listen(() => settle(resolve));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

/**
 * Sends messages, and waits while too much is on its way.
 *
 * They go to the stream of the connection in their pieces: grpc-js would copy each message into a new buffer. Pieces are
 * kept until the connection has taken them, and must not change before.
 */
export class Outgoing {
  readonly #call: RawCall;
  readonly #patience: ClientPatience;
  #pending = 0;
  #isBegun = false;
  #isBroken = false;
  #wake: (() => void) | undefined;

  constructor(call: RawCall, patience: ClientPatience) {
    this.#call = call;
    this.#patience = patience;
  }

  /**
   * Sends a message; returns when more may be made.
   *
   * @throws `DaosError` `DER_CANCELED` if the call was cut off, `DER_TIMEDOUT` if the client takes nothing.
   */
  async send(message: Scattered): Promise<void> {
    this.#patience.signal.throwIfAborted();
    const stream = this.#call.call?.stream;
    if (stream === undefined || stream.closed || stream.destroyed) throw this.#broken();
    if (!this.#isBegun) this.#call.sendMetadata(new Metadata());
    this.#isBegun = true;
    const size = message.byteLength;
    this.#pending += size;
    const frames = framesOf(message);
    stream.cork();
    for (const [index, frame] of frames.entries()) {
      if (index < frames.length - 1) stream.write(frame);
      else stream.write(frame, (error) => this.#taken(size, error));
    }
    stream.uncork();
    await this.#until(PENDING_SIZE_MAX);
  }

  #taken(size: number, error: Error | null | undefined): void {
    this.#pending -= size;
    this.#isBroken ||= error !== null && error !== undefined;
    this.#wake?.();
  }

  #broken(): Error {
    this.#patience.signal.throwIfAborted();
    return cancelled(this.#patience.what, "the connection or the stream broke");
  }

  async #until(limit: number): Promise<void> {
    while (this.#pending > limit) {
      await waitFor(this.#patience, (wake) => {
        this.#wake = wake;
        return () => {
          this.#wake = undefined;
        };
      });
    }
    if (this.#isBroken) throw this.#broken();
  }

  /** Returns when the client has taken everything. */
  async flush(): Promise<void> {
    await this.#until(0);
  }
}

/** Keeps the queue of a stream short: by default it holds 16 messages, of whatever size. */
function shorten(call: RawCall): void {
  const { _readableState: state } = call as { _readableState?: { highWaterMark: number } };
  if (state !== undefined) state.highWaterMark = PENDING_MESSAGES_MAX;
}

/** Rounds of the event loop within which HTTP/2 knows why a stream ended. */
const END_ROUNDS_MAX = 100;
/**
 * How long a stream that has ended could still turn out to be reset, in milliseconds: clients on Node end a stream with
 * one packet before they reset it with the next.
 */
const RESET_MS_MAX = 10;

/**
 * Refuses an end that the client did not mean. A stream that is reset, or whose connection breaks, first ends as one
 * does whose client has sent everything: only what HTTP/2 says of it a moment later tells them apart. And grpc-js takes
 * an end within a message for one behind the last.
 */
async function requireMeant(call: RawCall, { what, signal }: ClientPatience): Promise<void> {
  const { stream, decoder } = call.call ?? {};
  const isWhole = decoder?.readState === 0;
  const isCut = () => {
    signal.throwIfAborted();
    return stream === undefined || stream.closed || stream.destroyed || stream.aborted;
  };
  let isEnded = false;
  for (let round = 0; round < END_ROUNDS_MAX && !isEnded && !isCut(); round++) {
    await new Promise(setImmediate);
    isEnded = stream?.state.remoteClose === 1;
  }
  if (isEnded) await new Promise((resolve) => setTimeout(resolve, RESET_MS_MAX));
  if (!isEnded || isCut()) throw cancelled(what, "the connection or the stream broke");
  if (!isWhole) {
    throw badRequest(what, "the stream ends within a message", "send whole messages");
  }
}

/**
 * The messages that a client sends, until it says that there are no more.
 *
 * @throws `DaosError` `DER_CANCELED` if the call was cut off, `DER_TIMEDOUT` if the client sends nothing.
 */
export async function* incoming(call: RawCall, patience: ClientPatience): AsyncGenerator<Buffer> {
  shorten(call);
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  call.on("end", end);
  try {
    for (;;) {
      patience.signal.throwIfAborted();
      const message = call.read();
      if (message !== null) {
        yield message;
        continue;
      }
      if (isOver || call.readableEnded === true) break;
      await waitFor(patience, (wake) => {
        for (const event of ["readable", "end"]) call.on(event, wake);
        return () => {
          for (const event of ["readable", "end"]) call.off(event, wake);
        };
      });
    }
    await requireMeant(call, patience);
  } finally {
    call.off("end", end);
  }
}
