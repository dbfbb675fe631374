/**
 * Writing through the Flight server: a stream of batches is one commit, or nothing, however it ends.
 */

import http2 from "node:http2";
import net from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import {
  Table as ArrowTable,
  type DataType,
  DateDay,
  Dictionary,
  Field,
  FixedSizeList,
  Float64,
  Int8,
  Int32,
  Int64,
  List,
  type RecordBatch,
  TimestampMicrosecond,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { listTables, Table } from "daos-ts/arrow";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import {
  type CallError,
  commandOf,
  encode,
  failureOf,
  messagesOf,
  pathOf,
  TestClient,
} from "./support/client.ts";
import { energyRows, ROWS, servedPool, TOKENS } from "./support/server.ts";

const served = servedPool();
const INVALID_ARGUMENT = 3;

/** Everything that a client could have changed: the newest epoch, and the tables with their rows. */
async function contents() {
  const { container } = served;
  const tables = [];
  for await (const { path, numRows } of listTables(container)) tables.push([path, numRows]);
  return { epoch: container.commits()[0]?.epoch, tables };
}

/** The bytes of the messages of a table. */
function bytesOf(table: ArrowTable | RecordBatch, descriptor: object): Buffer[] {
  return [...messagesOf(table, descriptor)].map((message) => encode("Data", message));
}

/** Three batches, as one table. */
function threeBatches(): ArrowTable {
  return new ArrowTable(
    [0, 1, 2].flatMap((part) => energyRows(part * 100, part * 100 + 100).batches),
  );
}

describe("DoPut", () => {
  test("makes a table and its rows at one epoch", async () => {
    const before = served.container.commits().length;
    const answer = await served.client().write(pathOf("open/new/deep/table"), threeBatches());
    expect(served.container.commits()).toHaveLength(before + 1);
    const [newest] = served.container.commits();
    expect(answer).toEqual({ epoch: `0x${newest?.epoch.toString(16)}`, rows: 300 });
    const read = await served.client().get({ table: "open/new/deep/table" });
    expect(read.toArray().map(String)).toEqual(threeBatches().toArray().map(String));
  });

  test("appends to a table, in one commit", async () => {
    const rows = energyRows(0, 5);
    await served.client().write(pathOf("open/appended"), rows);
    const before = served.container.commits().length;
    await served.client("writer").write(commandOf({ table: "open/appended" }), threeBatches());
    expect(served.container.commits()).toHaveLength(before + 1);
    expect((await served.client().get({ table: "open/appended" })).numRows).toBe(305);
  });

  test("writers at once each have their rows together", async () => {
    const client = served.client();
    await client.write(pathOf("open/shared"), energyRows(0, 1));
    const writers = [1, 2, 3, 4, 5, 6];
    await Promise.all(
      writers.map((writer) => {
        const parts = [
          energyRows(writer * 1000, writer * 1000 + 50),
          energyRows(writer * 1000 + 50, writer * 1000 + 99),
        ];
        return client.write(
          pathOf("open/shared"),
          new ArrowTable(parts.flatMap(({ batches }) => batches)),
        );
      }),
    );
    const steps = (await client.get({ table: "open/shared", columns: ["step"] })).getChild("step");
    const order = [...(steps!.toArray() as Int32Array)].slice(1);
    expect(order).toHaveLength(6 * 99);
    for (let at = 0; at < order.length; at++) {
      if (at % 99 > 0) expect(order[at]).toBe((order[at - 1] as number) + 1);
    }
  });

  test("keeps compressed what is to be compressed", async () => {
    for (const compression of ["lz4", "zstd"]) {
      const table = `open/${compression}`;
      await served.client().write(commandOf({ table, compression, create: true }), threeBatches());
      expect((await served.client().get({ table })).numRows).toBe(300);
    }
  });

  test("an empty stream makes an empty table", async () => {
    const empty = energyRows(0, 0);
    expect(await served.client().write(pathOf("open/empty"), empty)).toMatchObject({ rows: 0 });
    expect((await served.client().get({ table: "open/empty" })).schema.fields).toHaveLength(3);
  });
});

/** A column of random values of a type. */
const column = fc.constantFrom<[DataType, fc.Arbitrary<unknown>]>(
  [new Int32(), fc.integer()],
  [new Int64(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [new Float64(), fc.double({ noNaN: true })],
  [new Utf8(), fc.string({ unit: "grapheme", maxLength: 20 })],
  [new DateDay(), fc.integer({ min: 0, max: 40_000 }).map((day) => new Date(day * 86_400_000))],
  [new TimestampMicrosecond(), fc.integer({ min: 0, max: 2 ** 40 })],
  [new Dictionary(new Utf8(), new Int8(), 0), fc.constantFrom("a", "b", "c")],
  [new List(new Field("item", new Int32(), true)), fc.array(fc.integer(), { maxLength: 4 })],
  [
    new FixedSizeList(2, new Field("item", new Float64(), true)),
    fc.tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true })),
  ],
);

/** A type whose dictionary is that of no other column. */
function numbered(type: DataType, id: number): DataType {
  if (!(type instanceof Dictionary)) return type;
  return new Dictionary(type.dictionary, type.indices, id);
}

test("what was put comes back: random tables of many types", async () => {
  let count = 0;
  const cases = fc.array(column, { minLength: 1, maxLength: 5 }).chain((columns) => {
    const values = columns.map(([, value]) =>
      fc.array(fc.option(value, { freq: 4 }), { minLength: 1, maxLength: 40 }),
    );
    return fc.tuple(fc.constant(columns.map(([type]) => type)), fc.tuple(...values));
  });
  const check = async ([types, values]: [DataType[], unknown[][]]) => {
    const length = Math.min(...values.map((one) => one.length));
    const vectors = types.map((type, index) => [
      `c${index}`,
      vectorFromArray((values[index] as never[]).slice(0, length), numbered(type, index)),
    ]);
    const table = new ArrowTable(Object.fromEntries(vectors));
    count += 1;
    await served.client().write(pathOf(`open/random/${count}`), table);
    const read = await served.client().get({ table: `open/random/${count}` });
    expect(read.toArray().map(String)).toEqual(table.toArray().map(String));
  };
  await fc.assert(fc.asyncProperty(cases, check), fcOptions<[[DataType[], unknown[][]]]>(20));
});

describe("a stream that is refused stores nothing", () => {
  const other = new ArrowTable({ other: vectorFromArray([1, 2, 3], new Int32()) });
  const cases: [string, () => [object, ArrowTable], number, keyof typeof TOKENS][] = [
    ["another schema", () => [pathOf("open/runs/energy"), other], INVALID_ARGUMENT, "admin"],
    [
      "fewer rows than announced",
      () => [commandOf({ table: "open/announced", rowCount: 301 }), threeBatches()],
      INVALID_ARGUMENT,
      "admin",
    ],
    [
      "more rows than announced",
      () => [commandOf({ table: "open/runs/energy", rowCount: 299 }), threeBatches()],
      INVALID_ARGUMENT,
      "admin",
    ],
    ["a version", () => [pathOf("open/runs/energy@1"), threeBatches()], INVALID_ARGUMENT, "admin"],
    ["no table", () => [pathOf("open"), threeBatches()], INVALID_ARGUMENT, "admin"],
    [
      "an unknown key",
      () => [commandOf({ table: "open/x", mode: "w" }), threeBatches()],
      INVALID_ARGUMENT,
      "admin",
    ],
    [
      "a table that is there, to be made",
      () => [commandOf({ table: "open/runs/energy", create: true }), threeBatches()],
      6,
      "admin",
    ],
    [
      "a table that is not there, to be appended to",
      () => [commandOf({ table: "open/absent", create: false }), threeBatches()],
      5,
      "admin",
    ],
    ["an unknown container", () => [pathOf("nowhere/x"), threeBatches()], 5, "admin"],
    ["a user who may only read", () => [pathOf("open/runs/energy"), threeBatches()], 7, "reader"],
    ["a user who may nothing", () => [pathOf("closed/x"), threeBatches()], 7, "stranger"],
  ];
  test.each(cases)("%s", async (_what, make, code, user) => {
    const before = await contents();
    const failure = await failureOf(() => served.client(user).write(...make()));
    expect(failure?.code).toBe(code);
    expect(await contents()).toEqual(before);
  });
});

describe("a stream that breaks stores nothing", () => {
  const clients: TestClient[] = [];
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  /** A client with a connection of its own. */
  function ownClient(): TestClient {
    const client = new TestClient(served.server.location, TOKENS.admin);
    clients.push(client);
    return client;
  }

  /** Waits until the server has no calls any more. */
  async function idle() {
    for (let round = 0; round < 500 && served.server.calls > 0; round++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(served.server.calls).toBe(0);
  }

  /** Waits until the server works on a call. */
  async function busy() {
    for (let round = 0; round < 500 && served.server.calls === 0; round++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(served.server.calls).toBe(1);
  }

  test.each([1, 2, 3])("cancelled after %i messages", async (count) => {
    const before = await contents();
    const { call, done } = ownClient().put();
    for (const bytes of bytesOf(threeBatches(), pathOf("open/broken")).slice(0, count)) {
      call.write(bytes);
    }
    await busy();
    call.cancel();
    expect(((await done.catch((error) => error)) as CallError).code).toBe(1);
    await idle();
    expect(await contents()).toEqual(before);
  });

  test("a deadline that passes", async () => {
    const before = await contents();
    const client = ownClient();
    const call = client.raw.makeBidiStreamRequest(
      "/arrow.flight.protocol.FlightService/DoPut",
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      client.metadata,
      { deadline: Date.now() + 100 },
    );
    const ended = new Promise<CallError>((resolve) => {
      call.on("error", (error) => resolve(error as unknown as CallError));
    });
    for (const bytes of bytesOf(threeBatches(), pathOf("open/late")).slice(0, 2)) call.write(bytes);
    call.resume();
    expect((await ended).code).toBe(4);
    await idle();
    expect(await contents()).toEqual(before);
  });

  /** Frames of gRPC, as they lie in HTTP/2 data. */
  function frameOf(message: Buffer): Buffer {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    return Buffer.concat([head, message]);
  }

  /** Sends some of the messages by HTTP/2 itself, and then does something bad. */
  async function byHttp2(ending: (stream: http2.ClientHttp2Stream, socket: net.Socket) => void) {
    const socket = net.connect(served.server.port, "127.0.0.1");
    const address = served.server.location.replace("grpc+tcp", "http");
    const session = http2.connect(address, { createConnection: () => socket });
    session.on("error", () => undefined);
    const stream = session.request({
      ":method": "POST",
      ":path": "/arrow.flight.protocol.FlightService/DoPut",
      "content-type": "application/grpc",
      authorization: `Bearer ${TOKENS.admin}`,
      te: "trailers",
    });
    stream.on("error", () => undefined);
    for (const bytes of bytesOf(threeBatches(), pathOf("open/by-http2")).slice(0, 3)) {
      stream.write(frameOf(bytes));
    }
    await busy();
    ending(stream, socket);
    await idle();
    session.destroy();
  }

  test.each([
    ["a reset without an error", http2.constants.NGHTTP2_NO_ERROR],
    ["a reset", http2.constants.NGHTTP2_CANCEL],
    ["an internal error of the client's", http2.constants.NGHTTP2_INTERNAL_ERROR],
  ])("%s", async (_what, code) => {
    const before = await contents();
    await byHttp2((stream) => stream.close(code));
    expect(await contents()).toEqual(before);
  });

  test("a connection that is cut", async () => {
    const before = await contents();
    await byHttp2((_stream, socket) => socket.destroy());
    expect(await contents()).toEqual(before);
  });

  test("an end within a message", async () => {
    const before = await contents();
    await byHttp2((stream) => {
      stream.end(Buffer.from([0, 0, 0, 1, 0, 7, 7]));
    });
    expect(await contents()).toEqual(before);
  });
});

test("the table is as it was", async () => {
  using table = await Table.open(served.container, "runs/energy");
  expect(table.numRows).toBe(ROWS);
  expect(served.errors).toEqual([]);
});
