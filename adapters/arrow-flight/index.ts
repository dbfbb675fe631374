/**
 * Arrow Flight server: the tables and arrays of a pool for clients on other machines, at any version.
 *
 * Loading this module loads gRPC; the other front ends do without it.
 *
 * @example
 * ```ts
 * import { FlightServer } from "daos-ts/arrow-flight";
 *
 * const users = [{ name: "alice", tokens: ["a secret of some length"] }];
 * await using server = await FlightServer.start({ pool: "/scratch/run.pool", users });
 * console.log(server.location);
 * ```
 *
 * @module
 */

export type { AuthenticationOptions } from "./access/authenticator.js";
export { type FlightUser, hashPassword, readUsers } from "./access/users.js";
export { FlightServer, type FlightServerOptions, type TlsFiles } from "./server.js";
export type { SqlLimits } from "./sql/engine.js";
