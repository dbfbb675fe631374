/**
 * A Flight client for tests: grpc-js, and definitions of its own, so that the server's are not checked against themselves.
 *
 * @module
 */

import { Client, credentials, type Metadata, Metadata as MetadataClass } from "@grpc/grpc-js";
import { type RecordBatch, type Table, tableFromIPC, tableToIPC } from "apache-arrow";
import protobuf from "protobufjs";

const root = protobuf.parse(`
syntax = "proto3";
message Descriptor { int32 type = 1; bytes cmd = 2; repeated string path = 3; }
message Location { string uri = 1; }
message Ticket { bytes ticket = 1; }
message Endpoint { Ticket ticket = 1; repeated Location location = 2; }
message Info {
  bytes schema = 1; Descriptor descriptor = 2; repeated Endpoint endpoint = 3;
  int64 totalRecords = 4; int64 totalBytes = 5; bool ordered = 6; bytes appMetadata = 7;
}
message PollInfo { Info info = 1; Descriptor descriptor = 2; optional double progress = 3; }
message Data { Descriptor descriptor = 1; bytes header = 2; bytes appMetadata = 3; bytes body = 1000; }
message PutResult { bytes appMetadata = 1; }
message Action { string type = 1; bytes body = 2; }
message ActionType { string type = 1; string description = 2; }
message Result { bytes body = 1; }
message SchemaResult { bytes schema = 1; }
message Criteria { bytes expression = 1; }
message Handshake { uint64 version = 1; bytes payload = 2; }
message BasicAuth { string username = 2; string password = 3; }
message CancelRequest { Info info = 1; }
message CancelResult { int32 status = 1; }
message Any { string typeUrl = 1; bytes value = 2; }
message Health { string service = 1; }
message HealthStatus { int32 status = 1; }
message Reflection { string file_by_filename = 3; string file_containing_symbol = 4; string list_services = 7; }
message Files { repeated bytes file = 1; }
message Service { string name = 1; }
message Services { repeated Service service = 1; }
message ReflectionError { int32 code = 1; }
message Reflected { Files files = 4; Services services = 6; ReflectionError error = 7; }
message Query { string query = 1; }
message Handle { bytes handle = 1; }
message Prepared { bytes handle = 1; bytes schema = 2; bytes parameters = 3; }
message Schemas { optional string catalog = 1; optional string schema = 2; }
message Tables { optional string catalog = 1; optional string schema = 2; optional string table = 3; repeated string types = 4; bool withSchema = 5; }
message Infos { repeated uint32 info = 1; }
message Nothing {}
`).root;

/** Names of the messages above. */
export type MessageName = string;

/** A message as bytes. */
export function encode(name: MessageName, message: object): Buffer {
  return Buffer.from(root.lookupType(name).encode(message).finish());
}

/** A message from bytes, with defaults. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at whatever the server says.
export function decode(name: MessageName, bytes: Uint8Array): any {
  const type = root.lookupType(name);
  return type.toObject(type.decode(bytes), { defaults: true, longs: Number });
}

/** What a failed call says. */
export interface CallError extends Error {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

const FLIGHT = "/arrow.flight.protocol.FlightService/";
const same = (bytes: Buffer): Buffer => bytes;

/** A descriptor that is a path. */
export function pathOf(path: string): object {
  return { type: 1, path: path.split("/") };
}

/** A descriptor that is a command. */
export function commandOf(command: object | Uint8Array): object {
  const cmd = ArrayBuffer.isView(command) ? command : Buffer.from(JSON.stringify(command));
  return { type: 2, cmd };
}

/** A message of any type, as SQL commands are. */
export function anyOf(type: string, name: MessageName, message: object): Buffer {
  const typeUrl = `type.googleapis.com/arrow.flight.protocol.sql.${type}`;
  return encode("Any", { typeUrl, value: encode(name, message) });
}

const PREFIX_SIZE = 8;

/** The messages of a table's IPC stream, as FlightData has them. */
export function* messagesOf(table: Table | RecordBatch, descriptor?: object): Generator<object> {
  const stream = tableToIPC(table as Table, "stream");
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  let first = descriptor;
  for (let at = 0; at < stream.length; ) {
    const size = view.getInt32(at + 4, true);
    if (size === 0) return;
    const header = stream.subarray(at + PREFIX_SIZE, at + PREFIX_SIZE + size);
    const bodySize = bodySizeOf(header);
    const bodyAt = at + PREFIX_SIZE + size;
    const body = stream.subarray(bodyAt, bodyAt + bodySize);
    yield { ...(first === undefined ? {} : { descriptor: first }), header, body };
    first = undefined;
    at = bodyAt + bodySize;
  }
}

/** `bodyLength` of a Message flatbuffer: the fourth field of its table. */
function bodySizeOf(header: Uint8Array): number {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const table = view.getUint32(0, true);
  const fields = table - view.getInt32(table, true);
  const size = view.getUint16(fields, true);
  const offset = size > 10 ? view.getUint16(fields + 10, true) : 0;
  return offset === 0 ? 0 : Number(view.getBigInt64(table + offset, true));
}

/** FlightData messages as an IPC stream. */
export function streamOf(messages: Iterable<{ header: Uint8Array; body: Uint8Array }>): Buffer {
  const parts: Uint8Array[] = [];
  for (const { header, body } of messages) {
    if (header.length === 0) continue;
    const padding = -(header.length + PREFIX_SIZE) & 7;
    const prefix = Buffer.alloc(PREFIX_SIZE);
    prefix.writeUInt32LE(0xffff_ffff, 0);
    prefix.writeUInt32LE(header.length + padding, 4);
    parts.push(prefix, header, Buffer.alloc(padding), body);
  }
  return Buffer.concat(parts);
}

/** FlightData messages as a table. */
export function tableOf(messages: Iterable<{ header: Uint8Array; body: Uint8Array }>): Table {
  return tableFromIPC(streamOf(messages));
}

/** A client of one server. */
export class TestClient {
  readonly raw: Client;
  readonly metadata: Metadata = new MetadataClass();

  constructor(location: string, token?: string, tls = credentials.createInsecure()) {
    this.raw = new Client(location.replace(/^grpc\+(tcp|tls):\/\//, ""), tls, {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      // A connection of its own for each client.
      "grpc.use_local_subchannel_pool": 1,
    });
    if (token !== undefined) this.metadata.set("authorization", `Bearer ${token}`);
  }

  /** One message for one message. */
  async unary(path: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.raw.makeUnaryRequest(path, same, same, request, this.metadata, {}, (error, reply) => {
        if (error) reject(error);
        else resolve(reply as Buffer);
      });
    });
  }

  /** A call that answers with a stream. */
  open(path: string, request: Buffer) {
    return this.raw.makeServerStreamRequest(path, same, same, request, this.metadata, {});
  }

  /** A call with streams both ways. */
  duplex(path: string) {
    return this.raw.makeBidiStreamRequest(path, same, same, this.metadata, {});
  }

  /** All answers of a call. */
  async all(method: string, request: Buffer): Promise<Buffer[]> {
    const answers: Buffer[] = [];
    for await (const bytes of this.open(FLIGHT + method, request)) answers.push(bytes);
    return answers;
  }

  /** `GetFlightInfo`. */
  async info(descriptor: object) {
    return decode(
      "Info",
      await this.unary(`${FLIGHT}GetFlightInfo`, encode("Descriptor", descriptor)),
    );
  }

  /** `DoGet` of a ticket. */
  async get(ticket: object | Uint8Array): Promise<Table> {
    const bytes = ArrayBuffer.isView(ticket) ? ticket : Buffer.from(JSON.stringify(ticket));
    const answers = await this.all("DoGet", encode("Ticket", { ticket: bytes }));
    return tableOf(answers.map((answer) => decode("Data", answer)));
  }

  /** All endpoints of what a descriptor names. */
  async read(descriptor: object): Promise<Table> {
    const { endpoint } = await this.info(descriptor);
    const tables: Table[] = [];
    for (const { ticket } of endpoint) tables.push(await this.get(ticket.ticket));
    const [first, ...others] = tables as [Table, ...Table[]];
    return first.concat(...others);
  }

  /** Starts a `DoPut`: the answer, and the call. */
  put() {
    const call = this.duplex(`${FLIGHT}DoPut`);
    const answers: unknown[] = [];
    const done = new Promise<{ epoch: string; rows: number }>((resolve, reject) => {
      call.on("data", (bytes: Buffer) => {
        answers.push(JSON.parse(Buffer.from(decode("PutResult", bytes).appMetadata).toString()));
      });
      call.on("error", reject);
      call.on("end", () => {
        if (answers.length > 0) resolve(answers[0] as never);
      });
    });
    done.catch(() => undefined);
    return { call, done };
  }

  /** `DoPut` of a table. */
  async write(descriptor: object, table: Table | RecordBatch) {
    const { call, done } = this.put();
    for (const message of messagesOf(table, descriptor)) call.write(encode("Data", message));
    call.end();
    return done;
  }

  /** The results of an action. */
  async act(type: string, body: object | Uint8Array): Promise<Buffer[]> {
    const bytes = ArrayBuffer.isView(body) ? body : Buffer.from(JSON.stringify(body));
    const answers = await this.all("DoAction", encode("Action", { type, body: bytes }));
    return answers.map((answer) => Buffer.from(decode("Result", answer).body));
  }

  /** Closes the connection. */
  close(): void {
    this.raw.close();
  }
}

/** How a call fails; `undefined` if it does not. */
export async function failureOf(call: () => Promise<unknown>): Promise<CallError | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error as CallError;
  }
}
