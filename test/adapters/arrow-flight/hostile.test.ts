/**
 * Clients that are broken, slow or hostile: a typed error, bounded memory, and nothing stored.
 */

import { readFileSync } from "node:fs";
import http2 from "node:http2";
import net from "node:net";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "@jest/globals";
import { listTables } from "daos-ts/arrow";
import { FlightServer, type FlightServerOptions } from "daos-ts/arrow-flight";
import fc from "fast-check";
import { fcOptions, isNightly } from "../../support/property.ts";
import { root } from "../../support/root.ts";
import { commandOf, encode, failureOf, messagesOf, pathOf, TestClient } from "./support/client.ts";
import { bytesRead, createWide, energyRows, servedPool, TOKENS, USERS } from "./support/server.ts";

const served = servedPool();
const FLIGHT = "/arrow.flight.protocol.FlightService/";
const MIB = 2 ** 20;
const [DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE] = [4, 8, 14];
const servers: FlightServer[] = [];
const clients: TestClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) await server.stop(0);
});

/** Another server of the same pool. */
async function serverWith(options: Partial<FlightServerOptions>): Promise<FlightServer> {
  const { pool, errors } = served;
  const onError = (error: unknown) => errors.push(error);
  const server = await FlightServer.start({
    pool: pool.path,
    users: USERS ?? [],
    onError,
    ...options,
  });
  servers.push(server);
  return server;
}

/** A client with a connection of its own. */
function clientOf(
  server: FlightServer,
  ...rest: [token?: string, tls?: ReturnType<typeof credentials.createSsl>]
) {
  const client = new TestClient(server.location, rest.length > 0 ? rest[0] : TOKENS.admin, rest[1]);
  clients.push(client);
  return client;
}

async function contents() {
  const tables = [];
  for await (const { path, numRows } of listTables(served.container)) tables.push([path, numRows]);
  return { epoch: served.container.commits()[0]?.epoch, tables };
}

describe("slow clients", () => {
  test("one that does not read holds a few MiB of a table, not all of it", async () => {
    const made = await createWide(served.container, "wide", 48);
    made.close();
    const ticket = encode("Ticket", { ticket: Buffer.from('{"table":"open/wide"}') });
    // By HTTP/2 itself, because its clients hold 64 KiB, and those of gRPC many messages.
    const session = http2.connect(served.server.location.replace("grpc+tcp", "http"));
    const before = bytesRead();
    const stream = session.request({
      ":method": "POST",
      ":path": `${FLIGHT}DoGet`,
      "content-type": "application/grpc",
      authorization: `Bearer ${TOKENS.admin}`,
      te: "trailers",
    });
    stream.on("error", () => undefined);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(ticket.length, 1);
    stream.end(Buffer.concat([head, ticket]));
    await new Promise((resolve) => stream.once("response", resolve));
    // It has stopped reading the pool when nothing was read for a while.
    for (let last = -1; last !== bytesRead(); ) {
      last = bytesRead();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(bytesRead() - before).toBeGreaterThan(MIB);
    expect(bytesRead() - before).toBeLessThan(16 * MIB);
    expect(served.server.calls).toBe(1);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    session.close();
    expect((await served.client().get({ table: "open/wide" })).numRows).toBe(48 * 2 ** 17);
  });

  test("one that takes nothing for too long is cut off", async () => {
    const server = await serverWith({ idleMsMax: 100 });
    const ticket = encode("Ticket", { ticket: Buffer.from('{"table":"open/wide"}') });
    const call = clientOf(server).open(`${FLIGHT}DoGet`, ticket);
    call.pause();
    await new Promise((resolve) => call.once("metadata", resolve));
    for (let round = 0; round < 300 && server.calls > 0; round++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(server.calls).toBe(0);
    call.on("error", () => undefined);
    call.cancel();
  });

  test("one that sends nothing for too long is cut off, and stores nothing", async () => {
    const server = await serverWith({ idleMsMax: 100 });
    const before = await contents();
    const { call, done } = clientOf(server).put();
    const [first, second] = [...messagesOf(energyRows(0, 10), pathOf("open/slow"))];
    call.write(encode("Data", first as object));
    call.write(encode("Data", second as object));
    expect((await done.catch((error) => error)).code).toBe(DEADLINE_EXCEEDED);
    expect(await contents()).toEqual(before);
  });

  test("what a client sends faster than it is stored waits at the client", async () => {
    const server = await serverWith({});
    const call = clientOf(server).duplex(`${FLIGHT}DoExchange`);
    call.on("error", () => undefined);
    call.pause();
    // The server answers, and the client does not read: so the server does not read either.
    call.write(encode("Data", { descriptor: pathOf("open/wide") }));
    const before = process.memoryUsage().arrayBuffers;
    const padded = Buffer.from(`{}${" ".repeat(2 ** 18)}`);
    const request = encode("Data", { appMetadata: padded });
    let sent = 0;
    for (let round = 0; round < 400; round++) {
      const isRoom = call.write(request);
      sent += request.length;
      if (!isRoom) break;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    const grown = process.memoryUsage().arrayBuffers - before;
    expect(grown).toBeLessThan(48 * MIB + sent);
    call.cancel();
  });
});

describe("too much", () => {
  test("a message that is too large is refused before it has come", async () => {
    const server = await serverWith({ messageSizeMax: MIB });
    const before = await contents();
    const { call, done } = clientOf(server).put();
    for (const message of messagesOf(energyRows(0, 3), pathOf("open/huge"))) {
      call.write(encode("Data", message));
    }
    call.write(encode("Data", { header: Buffer.from("x"), body: Buffer.alloc(2 * MIB) }));
    expect((await done.catch((error) => error)).code).toBe(RESOURCE_EXHAUSTED);
    expect(await contents()).toEqual(before);
  });

  test("a length that promises gigabytes allocates nothing", async () => {
    const server = await serverWith({});
    const before = process.memoryUsage().arrayBuffers;
    const stored = await contents();
    const { call, done } = clientOf(server).put();
    const [first] = [...messagesOf(energyRows(0, 3), pathOf("open/huge"))];
    call.write(encode("Data", first as object));
    // Field 1000 with a length of 2 GiB, and nothing behind it.
    call.write(Buffer.from([0xc2, 0x3e, 0x80, 0x80, 0x80, 0x80, 0x08]));
    expect((await done.catch((error) => error)).code).toBe(3);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * MIB);
    expect(await contents()).toEqual(stored);
  });

  test("more calls than the server takes are refused", async () => {
    const server = await serverWith({ callsMax: 2 });
    const client = clientOf(server);
    const open = [client.put(), client.put()];
    const [first] = [...messagesOf(energyRows(0, 1), pathOf("open/x"))];
    for (const { call } of open) call.write(encode("Data", first as object));
    for (let round = 0; round < 300 && server.calls < 2; round++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect((await failureOf(() => client.get({ table: "open/wide" })))?.code).toBe(UNAVAILABLE);
    for (const { call } of open) call.cancel();
  });
});

describe("fuzzing", () => {
  const methods = [
    "DoGet",
    "DoPut",
    "DoExchange",
    "DoAction",
    "ListFlights",
    "GetFlightInfo",
    "GetSchema",
    "PollFlightInfo",
    "Handshake",
  ];
  /** OK, cancelled, and what a client did wrong; not INTERNAL, UNKNOWN or DATA_LOSS. */
  const fair = [0, 1, 3, 5, 6, 7, 8, 12, 16];

  /** Sends messages to a method and returns the status. */
  async function statusOf(
    client: TestClient,
    method: string,
    messages: readonly Buffer[],
  ): Promise<number> {
    const call = client.duplex(FLIGHT + method);
    const ended = new Promise<number>((resolve) => {
      call.on("status", ({ code }) => resolve(code));
    });
    call.on("error", () => undefined);
    call.resume();
    for (const message of messages) call.write(message);
    call.end();
    return ended;
  }

  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));

  test("random bytes to each method end with a status that is the client's fault", async () => {
    const before = await contents();
    const client = clientOf(served.server);
    const cases = fc.tuple(
      fc.constantFrom(...methods),
      fc.array(bytes, { minLength: 1, maxLength: 3 }),
    );
    const check = async ([method, messages]: [string, Buffer[]]) => {
      expect(fair).toContain(await statusOf(client, method, messages));
    };
    await fc.assert(fc.asyncProperty(cases, check), fcOptions<[[string, Buffer[]]]>(120));
    expect(await contents()).toEqual(before);
  });

  test("messages of a true stream with some bytes changed store a whole table or nothing", async () => {
    const client = clientOf(served.server);
    const rows = energyRows(0, 50);
    let count = 0;
    const change = fc.record({
      message: fc.nat(1),
      at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      to: fc.nat(255),
    });
    const check = async (changes: { message: number; at: number; to: number }[]) => {
      count += 1;
      const name = `fuzz/${count}`;
      const messages = [...messagesOf(rows)] as { header: Uint8Array; body: Uint8Array }[];
      const changed = messages.map(({ header, body }) => ({
        header: Buffer.from(header),
        body: Buffer.from(body),
      }));
      for (const { message, at, to } of changes) {
        const { header } = changed[message % changed.length] as { header: Buffer };
        header[Math.floor(at * header.length)] = to;
      }
      const first = { ...changed[0], descriptor: pathOf(`open/${name}`) };
      const encoded = [first, ...changed.slice(1)].map((message) => encode("Data", message));
      const status = await statusOf(client, "DoPut", encoded);
      expect(fair).toContain(status);
      const { tables } = await contents();
      const found = tables.find(([path]) => path === name);
      expect(found === undefined).toBe(status !== 0);
      if (found !== undefined) await client.get({ table: `open/${name}` });
    };
    const changes = fc.array(change, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(changes, check),
      fcOptions<[{ message: number; at: number; to: number }[]]>(60),
    );
  });

  test("bytes that are no HTTP/2 end their connection, and no other", async () => {
    const count = isNightly ? 200 : 10;
    for (let round = 0; round < count; round++) {
      const socket = net.connect(served.server.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.resume();
      socket.end(Buffer.alloc(100, round * 37));
      await new Promise((resolve) => socket.once("close", resolve));
    }
    expect((await served.client().get({ table: "open/runs/energy", limit: 1 })).numRows).toBe(1);
  });

  test("a predicate that is too large is refused", async () => {
    const where = { op: "in", column: "step", values: Array.from({ length: 2000 }, () => 1) };
    const failure = await failureOf(() =>
      served.client().get({ table: "open/runs/energy", where }),
    );
    expect(failure?.code).toBe(3);
  });

  test("a predicate that is too deep is refused", async () => {
    let where: object = { op: "=", column: "step", value: 1 };
    for (let depth = 0; depth < 100; depth++) where = { op: "not", operand: where };
    const failure = await failureOf(() =>
      served.client().get({ table: "open/runs/energy", where }),
    );
    expect(failure?.code).toBe(3);
  });
});

describe("TLS", () => {
  const file = (name: string) => join(root, "test/adapters/arrow-flight/certificates", name);
  const read = (name: string) => readFileSync(file(name));
  const tls = { cert: file("server.pem"), key: file("server.key") };

  test("serves those who know its issuer, and nobody in the clear", async () => {
    const server = await serverWith({ tls });
    expect(server.location).toMatch(/^grpc\+tls:/);
    const known = clientOf(server, TOKENS.reader, credentials.createSsl(read("ca.pem")));
    expect((await known.get({ table: "open/runs/energy", limit: 1 })).numRows).toBe(1);
    for (const other of [credentials.createSsl(), credentials.createInsecure()]) {
      const client = clientOf(server, TOKENS.reader, other as never);
      const failure = await failureOf(() => client.get({ table: "open/runs/energy", limit: 1 }));
      expect(failure?.code).toBe(UNAVAILABLE);
    }
  });

  test("with mutual TLS, a certificate says who calls; an unknown issuer's is refused", async () => {
    served.container.updateAcl("A::alice@:r");
    served.pool.updateAcl("A::alice@:r");
    const server = await serverWith({ tls: { ...tls, clientCa: file("ca.pem") }, users: [] });
    const certificate = (name: string) =>
      credentials.createSsl(read("ca.pem"), read(`${name}.key`), read(`${name}.pem`));
    const alice = clientOf(server, undefined, certificate("alice"));
    expect((await alice.get({ table: "open/runs/energy", limit: 1 })).numRows).toBe(1);
    const denied = await failureOf(() => alice.write(pathOf("open/x"), energyRows(0, 1)));
    expect(denied?.code).toBe(7);
    for (const other of [certificate("stranger"), credentials.createSsl(read("ca.pem"))]) {
      const client = clientOf(server, undefined, other);
      const failure = await failureOf(() => client.get({ table: "open/runs/energy", limit: 1 }));
      expect(failure?.code).toBe(UNAVAILABLE);
    }
  });
});

describe("starting and stopping", () => {
  const codeOf = async (options: Partial<FlightServerOptions>) => {
    return (await failureOf(() => serverWith(options)))?.code;
  };

  test("refuses what nobody could call, a pool that is not there, and an address in use", async () => {
    expect(await codeOf({ users: [] })).toBe("DER_INVAL");
    expect(await codeOf({ pool: "/nonexistent" })).toBe("DER_NONEXIST");
    expect(await codeOf({ listen: `127.0.0.1:${served.server.port}` })).toBe("DER_BUSY");
    expect(await codeOf({ users: [{ name: "a", tokens: ["short"] }] })).toBe("DER_INVAL");
    const twice = [{ name: "a" }, { name: "a" }];
    expect(await codeOf({ users: twice })).toBe("DER_INVAL");
  });

  test("lets calls end before it stops, and takes no new ones", async () => {
    const server = await serverWith({});
    const { call, done } = clientOf(server).put();
    const messages = [...messagesOf(energyRows(0, 10), commandOf({ table: "open/stopping" }))];
    call.write(encode("Data", messages[0] as object));
    for (let round = 0; round < 300 && server.calls < 1; round++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const stopped = server.stop(5000);
    for (const message of messages.slice(1)) call.write(encode("Data", message));
    call.end();
    expect(await done).toMatchObject({ rows: 10 });
    await stopped;
    const late = await failureOf(() => clientOf(server).get({ table: "open/stopping" }));
    expect(late?.code).toBe(UNAVAILABLE);
  });

  test("cuts off what does not end, which stores nothing", async () => {
    const server = await serverWith({});
    const before = await contents();
    const { call, done } = clientOf(server).put();
    for (const message of messagesOf(energyRows(0, 10), pathOf("open/never"))) {
      call.write(encode("Data", message));
    }
    for (let round = 0; round < 300 && server.calls < 1; round++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await server.stop(50);
    expect([1, UNAVAILABLE]).toContain((await done.catch((error) => error)).code);
    expect(await contents()).toEqual(before);
  });
});

test("no call failed for a reason of the server's own", () => {
  expect(served.errors).toEqual([]);
});
