/**
 * The messages of the services as objects and as bytes.
 *
 * Fields have the names of the protocol in camel case. What a client leaves out has the default of its type.
 *
 * @module
 */

import protobuf from "protobufjs";
import { badRequest } from "../errors.js";
import { HEALTH_PROTO, reflectionProto } from "./common-proto.js";
import { FLIGHT_PROTO, GOOGLE_PROTO } from "./flight-proto.js";
import { FLIGHT_SQL_PROTO } from "./flight-sql-proto.js";

/** All definitions. */
export const definitions: protobuf.Root = new protobuf.Root();
for (const text of [
  GOOGLE_PROTO,
  FLIGHT_PROTO,
  FLIGHT_SQL_PROTO,
  HEALTH_PROTO,
  reflectionProto("v1"),
  reflectionProto("v1alpha"),
]) {
  protobuf.parse(text, definitions);
}
definitions.resolveAll();

/** Turns messages of one type into bytes and back. */
export interface Codec<T extends object> {
  encode(message: Partial<T>): Buffer;
  /** @throws `DaosError` `DER_INVAL` if the bytes are no such message. */
  decode(bytes: Uint8Array): T;
}

/** The codec of a type by its full name. */
export function codecOf<T extends object>(name: string): Codec<T> {
  const type = definitions.lookupType(name);
  return {
    encode: (message) => Buffer.from(type.encode(message as Record<string, unknown>).finish()),
    decode: (bytes) => {
      try {
        return type.decode(bytes) as unknown as T;
      } catch (error) {
        const why = (error as Error).message;
        throw badRequest(
          `Reading a ${type.name}`,
          why,
          "send a message of Arrow Flight's protocol",
        );
      }
    },
  };
}

/** Which kind of a {@link FlightDescriptor} it is. */
export const DescriptorType = { unknown: 0, path: 1, command: 2 } as const;
/** What {@link CancelFlightInfoResult} says. */
export const CancelStatus = { cancelled: 1, cancelling: 2, notCancellable: 3 } as const;
/** What {@link HealthCheckResponse} says. */
export const ServingStatus = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;

/** What a call is about. */
export interface FlightDescriptor {
  readonly type: number;
  readonly cmd: Uint8Array;
  readonly path: readonly string[];
}
/** What opens a stream. */
export interface Ticket {
  readonly ticket: Uint8Array;
}
/** Where a part of a flight is read. */
export interface FlightEndpoint {
  readonly ticket: Ticket | null;
  readonly location: readonly { readonly uri: string }[];
}
/** What is known of a flight. */
export interface FlightInfo {
  readonly schema: Uint8Array;
  readonly flightDescriptor: FlightDescriptor | null;
  readonly endpoint: readonly Partial<FlightEndpoint>[];
  readonly totalRecords: number;
  readonly totalBytes: number;
  readonly ordered: boolean;
  readonly appMetadata: Uint8Array;
}
/** An action to do. */
export interface Action {
  readonly type: string;
  readonly body: Uint8Array;
}
/** A message of any type. */
export interface Any {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}
/** A message of the handshake. */
export interface HandshakeMessage {
  readonly payload: Uint8Array;
}
/** Name and password. */
export interface BasicAuth {
  readonly username: string;
  readonly password: string;
}

const FLIGHT = "arrow.flight.protocol";

/** Codecs of Flight's own messages. */
export const codecs = {
  action: codecOf<Action>(`${FLIGHT}.Action`),
  actionType: codecOf<{ type: string; description: string }>(`${FLIGHT}.ActionType`),
  any: codecOf<Any>("google.protobuf.Any"),
  basicAuth: codecOf<BasicAuth>(`${FLIGHT}.BasicAuth`),
  cancelRequest: codecOf<{ info: FlightInfo | null }>(`${FLIGHT}.CancelFlightInfoRequest`),
  cancelResult: codecOf<{ status: number }>(`${FLIGHT}.CancelFlightInfoResult`),
  criteria: codecOf<{ expression: Uint8Array }>(`${FLIGHT}.Criteria`),
  descriptor: codecOf<FlightDescriptor>(`${FLIGHT}.FlightDescriptor`),
  empty: codecOf<Record<never, never>>(`${FLIGHT}.Empty`),
  handshakeRequest: codecOf<HandshakeMessage>(`${FLIGHT}.HandshakeRequest`),
  handshakeResponse: codecOf<HandshakeMessage>(`${FLIGHT}.HandshakeResponse`),
  info: codecOf<FlightInfo>(`${FLIGHT}.FlightInfo`),
  pollInfo: codecOf<{ info: FlightInfo; flightDescriptor: FlightDescriptor; progress: number }>(
    `${FLIGHT}.PollInfo`,
  ),
  putResult: codecOf<{ appMetadata: Uint8Array }>(`${FLIGHT}.PutResult`),
  result: codecOf<{ body: Uint8Array }>(`${FLIGHT}.Result`),
  schemaResult: codecOf<{ schema: Uint8Array }>(`${FLIGHT}.SchemaResult`),
  ticket: codecOf<Ticket>(`${FLIGHT}.Ticket`),
} as const;
