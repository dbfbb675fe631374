/**
 * Flight's service: which handler each call has.
 *
 * @module
 */

import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { Running } from "../access/running.js";
import { codecs } from "../protocol/messages.js";
import { cancelAction, doAction, listActions, snapshotActions } from "./actions.js";
import { type CallHost, exchange, stream, unary } from "./call.js";
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
): UntypedServiceImplementation {
  const running = new Running();
  const actions = new Map([
    ...Object.entries(snapshotActions),
    ["CancelFlightInfo", cancelAction(running)],
  ]);
  return {
    Handshake: handshake(host),
    ListFlights: stream(host, "ListFlights", listFlights(endpoints)),
    GetFlightInfo: unary(host, "GetFlightInfo", async (bytes, context) => {
      const descriptor = codecs.descriptor.decode(bytes);
      return codecs.info.encode(await describe(descriptor, context, endpoints));
    }),
    PollFlightInfo: unary(host, "PollFlightInfo", async (bytes, context) => {
      const descriptor = codecs.descriptor.decode(bytes);
      const info = await describe(descriptor, context, endpoints);
      // There is nothing to wait for: what can be read can be read at once.
      return codecs.pollInfo.encode({ info: info as never, progress: 1 });
    }),
    GetSchema: unary(host, "GetSchema", async (bytes, context) => {
      const schema = await describeSchema(codecs.descriptor.decode(bytes), context);
      return codecs.schemaResult.encode({ schema: schemaBytes(schema) });
    }),
    DoGet: stream(host, "DoGet", doGet(running)),
    DoPut: exchange(host, "DoPut", doPut),
    DoExchange: exchange(host, "DoExchange", doExchange),
    DoAction: stream(host, "DoAction", doAction(actions)),
    ListActions: stream(host, "ListActions", listActions(actions)),
  };
}
