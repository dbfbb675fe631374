/**
 * `daos arrow serve`: the tables and arrays of a pool for clients of Arrow Flight, until a signal stops it.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import type { FlightServer, FlightServerOptions, TlsFiles } from "daos-ts/arrow-flight";
import { currentIdentity, DaosError } from "../../core/index.js";
import type { Output } from "../output/output.js";
import { number, object, optional, text, type Value } from "../output/schema.js";
import { type Call, defineVerb, option, poolOperand } from "../verb.js";

interface ServeOptions {
  readonly listen: string;
  readonly http?: string;
  readonly auth?: string;
  readonly anonymous?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
  readonly endpoints?: number;
  readonly location?: readonly string[];
  readonly grace: number;
}

const LISTEN_DEFAULT = "127.0.0.1:8815";
const GRACE_SECONDS_DEFAULT = 10;
const TOKEN_SIZE = 24;

const schema = object({
  location: text("Where Flight clients found it"),
  http: optional(text("Where HTTP clients found it")),
  signal: text("Which signal stopped it"),
  seconds: number("How long it served"),
});
type Answer = Value<typeof schema>;

function fault(why: string, remedy: string): DaosError {
  return new DaosError("DER_INVAL", { what: "Starting the Flight server", why, remedy });
}

function wholeNumber(written: string): number {
  if (/^\d{1,6}$/.test(written)) return Number(written);
  throw fault(`"${written}" is no whole number`, "give one, such as 4");
}

function collected(written: string, before: readonly string[] = []): string[] {
  return [...before, written];
}

function tlsOf({ tlsCert, tlsKey, tlsClientCa }: ServeOptions): { tls?: TlsFiles } {
  if (tlsCert === undefined && tlsKey === undefined && tlsClientCa === undefined) return {};
  if (tlsCert === undefined || tlsKey === undefined) {
    throw fault("--tls-cert and --tls-key belong together", "give both");
  }
  const clients = tlsClientCa === undefined ? {} : { clientCa: tlsClientCa };
  return { tls: { cert: tlsCert, key: tlsKey, ...clients } };
}

/** Who may call, and the token that was made for it. */
async function callersOf(options: ServeOptions) {
  const { auth, anonymous, tlsClientCa } = options;
  if (auth !== undefined && anonymous === true) {
    throw fault("--auth and --anonymous were both given", "give one of them");
  }
  const identity = currentIdentity();
  if (anonymous === true) return { anonymous: identity };
  if (auth !== undefined) {
    const { readUsers } = await import("daos-ts/arrow-flight");
    return { users: readUsers(auth) };
  }
  if (tlsClientCa !== undefined) return {};
  // On a machine of many users, whoever can connect is not yet whoever started it.
  const token = randomBytes(TOKEN_SIZE).toString("base64url");
  const name = identity.user.replace(/@$/, "");
  const groups = identity.groups.map((group) => group.replace(/@$/, ""));
  const { isAdministrator = false } = identity;
  return { users: [{ name, groups, isAdministrator, tokens: [token] }], token };
}

/** Waits for a signal that ends the server; a second one does not wait for calls. */
function endSignal(): { first: Promise<string>; second: Promise<void>; [Symbol.dispose](): void } {
  let tellFirst: (name: string) => void;
  let tellSecond: () => void;
  const first = new Promise<string>((resolve) => {
    tellFirst = resolve;
  });
  const second = new Promise<void>((resolve) => {
    tellSecond = resolve;
  });
  let count = 0;
  const listener = (name: string) => {
    count += 1;
    if (count === 1) tellFirst(name);
    else tellSecond();
  };
  const names = ["SIGTERM", "SIGINT"] as const;
  for (const name of names) process.on(name, listener);
  const end = () => {
    for (const name of names) process.off(name, listener);
  };
  return { first, second, [Symbol.dispose]: end };
}

/** Says where it listens, at once: the answer itself comes when it has stopped. */
function announce(server: FlightServer, token: string | undefined, output: Output): void {
  const { location, httpAddress } = server;
  if (output.json) {
    process.stderr.write(`${JSON.stringify({ location, http: httpAddress, token })}\n`);
    return;
  }
  output.line(`Flight: ${location}`);
  if (httpAddress !== undefined) output.line(`HTTP: ${httpAddress}`);
  if (token !== undefined) output.line(`Token: ${token}`);
}

async function run({ pool, options, output }: Call<ServeOptions>): Promise<Answer> {
  const { listen, http, endpoints, location, grace } = options;
  const { token, ...callers } = { token: undefined, ...(await callersOf(options)) };
  const served: FlightServerOptions = {
    pool,
    listen,
    ...callers,
    ...tlsOf(options),
    ...(http === undefined ? {} : { http }),
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(location === undefined ? {} : { locations: location }),
    onError: (error) => output.warn(error instanceof Error ? error.message : String(error)),
  };
  // gRPC is loaded by those who serve only.
  const { FlightServer: Server } = await import("daos-ts/arrow-flight");
  const started = performance.now();
  const server = await Server.start(served);
  using signals = endSignal();
  announce(server, token, output);
  const signal = await signals.first;
  const { httpAddress } = server;
  void signals.second.then(() => server.stop(0));
  await server.stop(grace * 1000);
  const seconds = Math.round(performance.now() - started) / 1000;
  const where = { location: server.location, ...(httpAddress ? { http: httpAddress } : {}) };
  return { ...where, signal, seconds };
}

/** `daos arrow serve` */
export const arrowServe = defineVerb({
  name: "serve",
  summary: "serve a pool to clients of Arrow Flight",
  description:
    "Serve the tables and arrays of a pool to clients of Arrow Flight and Flight SQL, and by HTTP if asked, until SIGTERM or SIGINT: then no new calls are taken, and those that go on may end. Without --auth, --anonymous and --tls-client-ca, a token for yourself is made and printed. See docs/guides/arrow-flight.md.",
  operands: [poolOperand],
  options: [
    option("--listen <host:port>", "where to listen; port 0 takes a free one").default(
      LISTEN_DEFAULT,
    ),
    option("--http <host:port>", "serve Arrow streams by HTTP there, too"),
    option("--auth <file>", "users, with their passwords and tokens: a JSON file of mode 600"),
    option("--anonymous", "let whoever can connect act as you"),
    option("--tls-cert <file>", "certificate of the server, PEM"),
    option("--tls-key <file>", "its key, PEM"),
    option("--tls-client-ca <file>", "issuers of the certificates that clients must show, PEM"),
    option("--endpoints <count>", "into how many parts datasets are divided", wholeNumber),
    option("--location <uri>", "a server of the same pool, for those parts; repeat it", collected),
    option("--grace <seconds>", "how long calls may go on when it stops", wholeNumber).default(
      GRACE_SECONDS_DEFAULT,
    ),
  ],
  examples: [
    "daos arrow serve /scratch/run.pool",
    "daos arrow serve run.pool --listen 0.0.0.0:8815 --http 0.0.0.0:8816 --auth users.json --tls-cert server.pem --tls-key server.key",
  ],
  schema,
  run,
  print: ({ signal, seconds }, output) => output.line(`Stopped by ${signal} after ${seconds} s.`),
});
