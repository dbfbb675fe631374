/**
 * The Flight server: the containers of one pool for clients of Arrow Flight, Flight SQL and HTTP.
 *
 *     client ─ gRPC ─▶ services ─ identity ─▶ a handle of the pool with the caller's rights ─▶ tables and arrays
 *
 * @module
 */

import { readFileSync } from "node:fs";
import {
  type ChannelOptions,
  logVerbosity,
  Server,
  ServerCredentials,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { DaosError } from "../../core/index.js";
import {
  type AuthenticationOptions,
  Authenticator,
  requireCallers,
} from "./access/authenticator.js";
import { PoolHandles } from "./access/pool-handles.js";
import type { CallHost } from "./calls/call.js";
import { Health, reflection } from "./calls/common-services.js";
import { flightService } from "./calls/flight-service.js";
import { cancelled } from "./errors.js";
import { type HttpCertificates, type HttpServer, serveHttp } from "./http/http-server.js";
import {
  CALLS_MAX,
  CONNECTION_IDLE_MS_MAX,
  ENDPOINTS_DEFAULT,
  IDLE_MS_MAX,
  KEEPALIVE_ANSWER_MS_MAX,
  KEEPALIVE_MS,
  MESSAGE_SIZE_MAX,
  STOP_MS_MAX,
  STREAMS_PER_CONNECTION_MAX,
} from "./limits.js";
import {
  FLIGHT_SERVICE,
  HEALTH_SERVICE,
  REFLECTION_SERVICES,
  serviceOf,
} from "./protocol/services.js";
import type { SqlLimits } from "./sql/engine.js";
import { FlightSql } from "./sql/flight-sql.js";

/** Certificates of a server, as files in PEM form. */
export interface TlsFiles {
  /** File of the server's certificate, with those that lead to its issuer. */
  readonly cert: string;
  /** File of its key. */
  readonly key: string;
  /**
   * File of the issuers whose clients may call: mutual TLS. A client that shows a certificate and nothing else is the
   * user of its common name.
   */
  readonly clientCa?: string;
}

/** What is served, to whom, and how. */
export interface FlightServerOptions extends AuthenticationOptions {
  /** Directory of the pool. */
  readonly pool: string;
  /** Host and port to listen on, `127.0.0.1:0` by default; port 0 takes a free one. */
  readonly listen?: string;
  /** Host and port on which the same is served by plain HTTP; not at all by default. */
  readonly http?: string;
  /** Serves with TLS. */
  readonly tls?: TlsFiles;
  /** Largest message that is taken, in bytes; 64 MiB by default. */
  readonly messageSizeMax?: number;
  /** How long a call may wait for its client, in milliseconds; 5 minutes by default. */
  readonly idleMsMax?: number;
  /** Most calls at once; 256 by default. */
  readonly callsMax?: number;
  /** Most endpoints of a dataset, for clients that read in parallel; 4 by default. */
  readonly endpoints?: number;
  /** Rows that an endpoint has at least; 256 Ki by default. */
  readonly endpointRowsMin?: number;
  /** Addresses of servers of the same pool, such as `grpc+tcp://node7:8815`, among which endpoints are shared out. */
  readonly locations?: readonly string[];
  /** Limits of SQL statements. */
  readonly sql?: SqlLimits;
  /** Hears of failures that are the server's own. */
  readonly onError?: (error: unknown) => void;
}

const GRPC_OPTIONS: ChannelOptions = {
  "grpc.max_concurrent_streams": STREAMS_PER_CONNECTION_MAX,
  "grpc.max_connection_idle_ms": CONNECTION_IDLE_MS_MAX,
  "grpc.keepalive_time_ms": KEEPALIVE_MS,
  "grpc.keepalive_timeout_ms": KEEPALIVE_ANSWER_MS_MAX,
  "grpc.max_send_message_length": -1,
};

/** Reads certificates. */
function certificatesOf({ cert, key, clientCa }: TlsFiles): HttpCertificates {
  return {
    cert: readFileSync(cert),
    key: readFileSync(key),
    clientCa: clientCa === undefined ? undefined : readFileSync(clientCa),
  };
}

function credentialsFor(certificates: HttpCertificates | undefined): ServerCredentials {
  if (certificates === undefined) return ServerCredentials.createInsecure();
  const { cert, key, clientCa } = certificates;
  const pairs = [{ private_key: key, cert_chain: cert }];
  return ServerCredentials.createSsl(clientCa ?? null, pairs, clientCa !== undefined);
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) return resolve(port);
      const text = {
        what: `Listening on ${address}`,
        why: error.message,
        remedy: "choose a host and a port of this machine that nobody listens on",
      };
      reject(new DaosError("DER_BUSY", text, { address }, error));
    });
  });
}

/** Splits "127.0.0.1:8815" or "[::1]:8815". */
function parseListen(listen: string): { host: string; port: number } {
  const [, host = "", port = ""] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(listen) ?? [];
  if (host !== "" && Number(port) < 65_536) {
    return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
  }
  const text = { what: "Starting the Flight server", why: `"${listen}" is no host and port` };
  throw new DaosError("DER_INVAL", { ...text, remedy: "write 127.0.0.1:8815" }, { listen });
}

/** Where a server listens. */
interface Addresses {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly http: { readonly host: string; readonly server: HttpServer } | undefined;
}

/** A host as it stands in an address. */
function written(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** A Flight server. Stop it before the process ends. */
export class FlightServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #host: CallHost;
  readonly #health: Health;
  readonly #sql: FlightSql;
  readonly #address: Addresses;
  #stopped: Promise<void> | undefined;
  #hurry: (() => void) | undefined;

  private constructor(
    server: Server,
    host: CallHost,
    rest: { health: Health; sql: FlightSql; address: Addresses },
  ) {
    this.#server = server;
    this.#host = host;
    this.#health = rest.health;
    this.#sql = rest.sql;
    this.#address = rest.address;
  }

  /**
   * Starts a server.
   *
   * @throws `DaosError` `DER_INVAL` if nobody could call it, or the users make no sense; `DER_NONEXIST` if there is no
   *   pool; `DER_BUSY` if it cannot listen there; what `fs` throws for certificates.
   *
   * @example
   * ```ts
   * const users = [{ name: "alice", tokens: ["a secret of some length"] }];
   * await using server = await FlightServer.start({ pool: "/scratch/run.pool", users });
   * console.log(server.location); // grpc+tcp://127.0.0.1:43211
   * ```
   */
  static async start(options: FlightServerOptions): Promise<FlightServer> {
    const { listen = "127.0.0.1:0", tls } = options;
    requireCallers(options, tls?.clientCa !== undefined);
    parseListen(listen);
    const certificates = tls && certificatesOf(tls);
    // What fails is thrown or told to the client; gRPC would print it besides.
    if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
    const host: CallHost = {
      authenticator: new Authenticator(options),
      handles: new PoolHandles(options.pool),
      idleMsMax: options.idleMsMax ?? IDLE_MS_MAX,
      callsMax: options.callsMax ?? CALLS_MAX,
      report: options.onError ?? (() => undefined),
      open: new Set(),
    };
    host.handles.check();
    const server = new Server({
      ...GRPC_OPTIONS,
      "grpc.max_receive_message_length": options.messageSizeMax ?? MESSAGE_SIZE_MAX,
    });
    const health = new Health();
    const add = (name: string, service: UntypedServiceImplementation) => {
      server.addService(serviceOf(name), service);
    };
    const endpoints = {
      count: options.endpoints ?? ENDPOINTS_DEFAULT,
      rowsMin: options.endpointRowsMin,
      locations: options.locations ?? [],
    };
    const sql = new FlightSql(options.sql);
    add(FLIGHT_SERVICE, flightService(host, endpoints, sql));
    add(HEALTH_SERVICE, health.service);
    add(REFLECTION_SERVICES[0], reflection("v1"));
    add(REFLECTION_SERVICES[1], reflection("v1alpha"));
    const port = await bind(server, listen, credentialsFor(certificates));
    const address = { host: parseListen(listen).host, port, isTls: tls !== undefined };
    if (options.http === undefined) {
      return new FlightServer(server, host, {
        health,
        sql,
        address: { ...address, http: undefined },
      });
    }
    try {
      const listenHttp = parseListen(options.http);
      const http = { ...listenHttp, server: await serveHttp(host, listenHttp, certificates) };
      return new FlightServer(server, host, { health, sql, address: { ...address, http } });
    } catch (error) {
      server.forceShutdown();
      throw error;
    }
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#address.port;
  }

  /** Where clients find it: `grpc+tcp://` or `grpc+tls://`, host and port. */
  get location(): string {
    const { host, port, isTls } = this.#address;
    return `grpc+${isTls ? "tls" : "tcp"}://${written(host)}:${port}`;
  }

  /** Where the same is served by HTTP; `undefined` if it is not. */
  get httpAddress(): string | undefined {
    const { http, isTls } = this.#address;
    if (http === undefined) return undefined;
    return `http${isTls ? "s" : ""}://${written(http.host)}:${http.server.port}/`;
  }

  /** Calls that go on. */
  get calls(): number {
    return this.#host.open.size;
  }

  /**
   * Stops: takes no more calls, lets those that go on end, and cuts off what is left after a while. What was not
   * written whole by then is not written at all. Another call with 0 does not wait any longer.
   *
   * @param graceMs How long calls may go on, in milliseconds; 10 seconds by default.
   */
  stop(graceMs: number = STOP_MS_MAX): Promise<void> {
    this.#stopped ??= this.#end(graceMs);
    if (graceMs === 0) this.#hurry?.();
    return this.#stopped;
  }

  async #end(graceMs: number): Promise<void> {
    this.#health.stop();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
      this.#hurry = resolve;
    });
    const ended = new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => resolve());
    });
    const { http } = this.#address;
    await Promise.race([Promise.all([ended, http?.server.close()]), late]);
    clearTimeout(timer);
    for (const call of this.#host.open) call.abort(cancelled("The call", "the server stops"));
    this.#server.forceShutdown();
    http?.server.destroy();
    this.#sql.close();
    this.#host.handles.close();
  }

  /** Stops at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
