/**
 * Flight's service: which handler each call has.
 *
 * @module
 */

import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { Running } from "../access/running.js";
import { codecs } from "../protocol/messages.js";
import { type FlightSql, sqlMessage } from "../sql/flight-sql.js";
import { cancelAction, doAction, listActions, snapshotActions } from "./actions.js";
import { type CallContext, type CallHost, exchange, stream, unary } from "./call.js";
import {
  describe,
  describeSchema,
  type EndpointOptions,
  listFlights,
  schemaBytes,
} from "./flight-info.js";
import { handshake } from "./handshake.js";
import { doExchange, doGet } from "./read.js";
import { doPut } from "./write.js";

/** The service, for grpc-js. */
export function flightService(
  host: CallHost,
  endpoints: EndpointOptions,
  sql: FlightSql,
): UntypedServiceImplementation {
  const running = new Running();
  const actions = new Map([
    ...Object.entries(snapshotActions),
    ["CancelFlightInfo", cancelAction(running)],
    ...Object.entries(sql.actions),
  ]);
  const infoOf = async (bytes: Buffer, context: CallContext) => {
    const descriptor = codecs.descriptor.decode(bytes);
    const isSql = sqlMessage(descriptor.cmd) !== undefined;
    const info = isSql
      ? await sql.info(descriptor, context)
      : await describe(descriptor, context, endpoints);
    return info;
  };
  return {
    Handshake: handshake(host),
    ListFlights: stream(host, "ListFlights", listFlights(endpoints)),
    GetFlightInfo: unary(host, "GetFlightInfo", async (bytes, context) => {
      return codecs.info.encode(await infoOf(bytes, context));
    }),
    PollFlightInfo: unary(host, "PollFlightInfo", async (bytes, context) => {
      const info = await infoOf(bytes, context);
      // There is nothing to wait for: what can be read can be read at once.
      return codecs.pollInfo.encode({ info: info as never, progress: 1 });
    }),
    GetSchema: unary(host, "GetSchema", async (bytes, context) => {
      const descriptor = codecs.descriptor.decode(bytes);
      const isSql = sqlMessage(descriptor.cmd) !== undefined;
      const schema = isSql
        ? await sql.schema(descriptor, context)
        : schemaBytes(await describeSchema(descriptor, context));
      return codecs.schemaResult.encode({ schema });
    }),
    DoGet: stream(host, "DoGet", doGet(running, sql)),
    DoPut: exchange(host, "DoPut", doPut),
    DoExchange: exchange(host, "DoExchange", doExchange),
    DoAction: stream(host, "DoAction", doAction(actions)),
    ListActions: stream(host, "ListActions", listActions(actions)),
  };
}
