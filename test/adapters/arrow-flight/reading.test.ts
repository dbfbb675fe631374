/**
 * Reading through the Flight server: what a client asks for comes, of the version that it asks for, and nothing else.
 */

import { describe, expect, test } from "@jest/globals";
import { type Table as ArrowTable, tableFromIPC } from "apache-arrow";
import { batchStream, Table } from "daos-ts/arrow";
import { FlightServer, hashPassword } from "daos-ts/arrow-flight";
import { store } from "../temporary-container.ts";
import { commandOf, decode, encode, failureOf, pathOf, TestClient } from "./support/client.ts";
import { createWide, energyRows, ROWS, servedPool, TOKENS, USERS } from "./support/server.ts";

const served = servedPool({ endpointRowsMin: 1000, endpoints: 4 });
const FLIGHT = "/arrow.flight.protocol.FlightService/";
const NOT_FOUND = 5;
const INVALID_ARGUMENT = 3;

/** The values of each column. */
function valuesOf(table: ArrowTable): [string, unknown[]][] {
  return table.schema.fields.map(({ name }) => [name, [...table.getChild(name)!]]);
}

describe("discovery", () => {
  test("ListFlights lists the tables, and those of a prefix", async () => {
    const list = async (expression: string) => {
      const criteria = encode("Criteria", { expression: Buffer.from(expression) });
      const answers = await served.client().all("ListFlights", criteria);
      return answers.map((bytes) => decode("Info", bytes));
    };
    const all = await list("");
    expect(all.map(({ descriptor }) => descriptor.path.join("/"))).toEqual(["open/runs/energy"]);
    expect(all[0]).toMatchObject({ totalRecords: ROWS, ordered: true });
    expect(await list("open/runs/")).toHaveLength(1);
    expect(await list("open/other")).toEqual([]);
    expect(await list("closed")).toEqual([]);
  });

  test("GetSchema and GetFlightInfo tell the schema before anything is read", async () => {
    const descriptor = commandOf({ table: "open/runs/energy", columns: ["energy", "step"] });
    const request = encode("Descriptor", descriptor);
    const answer = await served.client().unary(`${FLIGHT}GetSchema`, request);
    const names = (bytes: Uint8Array) => tableFromIPC(bytes).schema.fields.map(({ name }) => name);
    expect(names(decode("SchemaResult", answer).schema)).toEqual(["energy", "step"]);
    const info = await served.client().info(descriptor);
    expect(names(info.schema)).toEqual(["energy", "step"]);
    expect(info.totalRecords).toBe(ROWS);
  });

  test("PollFlightInfo is complete at once", async () => {
    const request = encode("Descriptor", pathOf("open/runs/energy"));
    const answer = await served.client().unary(`${FLIGHT}PollFlightInfo`, request);
    const { info, descriptor, progress } = decode("PollInfo", answer);
    expect({ progress, descriptor }).toEqual({ progress: 1, descriptor: null });
    expect(info.endpoint).toHaveLength(4);
  });
});

describe("DoGet", () => {
  test("returns all rows, with their types", async () => {
    const table = await served.client().get({ table: "open/runs/energy" });
    const expected = energyRows(0, ROWS);
    expect(String(table.schema)).toBe(String(expected.schema));
    expect(valuesOf(table)).toEqual(valuesOf(expected));
  });

  test.each([
    [
      "columns, in their order,",
      { columns: ["kind", "step"], limit: 3 },
      (all: ArrowTable) => all.slice(0, 3).select(["kind", "step"]),
    ],
    ["rows", { rows: [3990, 4010] }, (all: ArrowTable) => all.slice(3990, 4010)],
    ["rows to the end", { rows: [9995, null] }, (all: ArrowTable) => all.slice(9995)],
    ["a limit", { limit: 5 }, (all: ArrowTable) => all.slice(0, 5)],
    [
      "a predicate",
      { where: { op: "<", column: "energy", value: 3 }, columns: ["step"] },
      (all: ArrowTable) => all.slice(0, 6).select(["step"]),
    ],
  ])("%s in the ticket decide what comes", async (_what, part, expected) => {
    const table = await served.client().get({ table: "open/runs/energy", ...part });
    expect(valuesOf(table)).toEqual(valuesOf(expected(energyRows(0, ROWS))));
  });

  test("endpoints read in parallel are one version, and have each row once", async () => {
    const { endpoint } = await served.client().info(pathOf("open/runs/energy"));
    expect(endpoint).toHaveLength(4);
    using table = await Table.open(served.container, "runs/energy");
    await table.append(energyRows(0, 10).batches);
    const get = ({ ticket }: { ticket: { ticket: Uint8Array } }) => {
      return served.client().get(ticket.ticket);
    };
    const parts: ArrowTable[] = await Promise.all(endpoint.map(get));
    expect(parts.map(({ numRows }) => numRows)).toEqual([2500, 2500, 2500, 2500]);
    const [first, ...others] = parts as [ArrowTable, ...ArrowTable[]];
    expect(valuesOf(first.concat(...others))).toEqual(valuesOf(energyRows(0, ROWS)));
    expect((await served.client().get({ table: "open/runs/energy" })).numRows).toBe(ROWS + 10);
    expect(await table.deleteRows({ op: "<", column: "step", value: 5 })).toBe(10);
  });

  test("a version is chosen by snapshot, epoch or time, in the name or beside it", async () => {
    const { container } = served;
    const first = energyRows(0, 3);
    const stream = batchStream(first.schema, first.batches);
    const made = await Table.createFrom(container, "versions", stream);
    container.createSnapshot("three");
    await new Promise((resolve) => setTimeout(resolve, 5));
    const time = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await made.append(energyRows(3, 7).batches);
    made.close();
    const epoch = String(made.createdAt);
    const hex = `0x${made.createdAt?.toString(16)}`;
    const count = async (ticket: object) => (await served.client().get(ticket)).numRows;
    for (const version of ["three", epoch, hex, time]) {
      expect(await count({ table: "open/versions", version })).toBe(3);
      expect(await count({ table: `open/versions@${version}` })).toBe(3);
      expect((await served.client().read(pathOf(`open/versions@${version}`))).numRows).toBe(3);
    }
    expect(await count({ table: "open/versions" })).toBe(7);
  });

  test("an array reads as rows, at a version too", async () => {
    const values = Float64Array.from({ length: 5000 }, (_, index) => index);
    const epoch = store(served.container, "field", values);
    store(
      served.container,
      "field",
      values.map((value) => -value),
    );
    const request = { array: "open/field", shape: [50, 100], type: "float64", name: "u" };
    const now = await served.client().read(commandOf(request));
    expect([...now.getChild("u")!.toArray()]).toEqual([...values].map((value) => -value));
    const before = { ...request, version: `0x${epoch.toString(16)}`, rows: [10, 20] };
    expect([...(await served.client().get(before)).getChild("u")!.toArray()]).toEqual([
      ...values.slice(10, 20),
    ]);
  });

  test.each([
    ["no JSON", Buffer.from("nonsense"), INVALID_ARGUMENT, "DER_INVAL"],
    ["no table", { columns: [] }, INVALID_ARGUMENT, "DER_INVAL"],
    ["a container only", { table: "open" }, INVALID_ARGUMENT, "DER_INVAL"],
    ["an unknown key", { table: "open/runs/energy", row: 1 }, INVALID_ARGUMENT, "DER_INVAL"],
    [
      "a range that is none",
      { table: "open/runs/energy", rows: [3, 2] },
      INVALID_ARGUMENT,
      "DER_INVAL",
    ],
    [
      "an unknown column",
      { table: "open/runs/energy", columns: ["x"] },
      INVALID_ARGUMENT,
      "DER_INVAL",
    ],
    ["an unknown container", { table: "nowhere/x" }, NOT_FOUND, "DER_NONEXIST"],
    ["an unknown table", { table: "open/nowhere" }, NOT_FOUND, "DER_NONEXIST"],
    ["an unknown snapshot", { table: "open/runs/energy@never" }, NOT_FOUND, "DER_NONEXIST"],
    ["a directory", { table: "open/runs" }, INVALID_ARGUMENT, "DER_INVAL"],
    ["dots", { table: "open/../closed/x" }, INVALID_ARGUMENT, "DER_INVAL"],
  ])("refuses a ticket with %s, by code", async (_what, ticket, code, daosCode) => {
    const failure = await failureOf(() => served.client().get(ticket));
    expect(failure?.code).toBe(code);
    expect(failure?.metadata.get("daos-code")).toEqual([daosCode]);
  });
});

describe("DoExchange", () => {
  /** Sends requests and returns the answers in order. */
  async function exchanged(descriptor: object, requests: readonly object[]) {
    const call = served.client().duplex(`${FLIGHT}DoExchange`);
    call.write(encode("Data", { descriptor }));
    for (const request of requests) {
      call.write(encode("Data", { appMetadata: Buffer.from(JSON.stringify(request)) }));
    }
    call.end();
    const answers: { header: Uint8Array; appMetadata: Uint8Array }[] = [];
    for await (const bytes of call) answers.push(decode("Data", bytes as Buffer));
    const ends = answers.filter(({ appMetadata }) => appMetadata.length > 0);
    return ends.map(({ appMetadata }) => JSON.parse(Buffer.from(appMetadata).toString()));
  }

  test("answers any number of requests of one version", async () => {
    const ends = await exchanged(pathOf("open/runs/energy"), [
      { rows: [0, 10] },
      { where: { op: "=", column: "step", value: 77 } },
      { limit: 3 },
      { rows: [0, 0] },
    ]);
    expect(ends.map(({ rows }) => rows)).toEqual([10, 1, 3, 0]);
    expect(new Set(ends.map(({ epoch }) => epoch)).size).toBe(1);
  });

  test("refuses what would change the schema, and batches", async () => {
    const descriptor = pathOf("open/runs/energy");
    const failure = await failureOf(() => exchanged(descriptor, [{ columns: ["step"] }]));
    expect(failure?.code).toBe(INVALID_ARGUMENT);
    const call = served.client().duplex(`${FLIGHT}DoExchange`);
    call.write(encode("Data", { descriptor, header: Buffer.from("schema") }));
    const ended = new Promise<number>((resolve) => {
      call.on("error", (error) => resolve((error as unknown as { code: number }).code));
    });
    call.resume();
    expect(await ended).toBe(INVALID_ARGUMENT);
  });
});

describe("actions", () => {
  test("ListActions names them, and an unknown one is refused", async () => {
    const answers = await served.client().all("ListActions", Buffer.alloc(0));
    const types = answers.map((bytes) => decode("ActionType", bytes).type);
    expect(types).toEqual(
      expect.arrayContaining([
        ...["create-snapshot", "list-snapshots", "destroy-snapshot", "CancelFlightInfo"],
      ]),
    );
    expect((await failureOf(() => served.client().act("nonsense", {})))?.code).toBe(12);
  });

  test("snapshots are made, listed and destroyed", async () => {
    const client = served.client();
    const names = async () => {
      const results = await client.act("list-snapshots", { container: "open" });
      return results.map((result) => JSON.parse(result.toString()).name);
    };
    const before = await names();
    const [made] = await client.act("create-snapshot", { container: "open", name: "by-flight" });
    expect(JSON.parse(String(made))).toMatchObject({ name: "by-flight" });
    expect(await names()).toEqual([...before, "by-flight"]);
    expect(await client.act("destroy-snapshot", { container: "open", name: "by-flight" })).toEqual(
      [],
    );
    expect(await names()).toEqual(before);
    const again = () => client.act("destroy-snapshot", { container: "open", name: "by-flight" });
    expect((await failureOf(again))?.code).toBe(NOT_FOUND);
  });

  test("CancelFlightInfo ends a read of the same user, and of nobody else", async () => {
    const made = await createWide(served.container, "large", 16);
    made.close();
    const info = await served.client().info(commandOf({ table: "open/large", limit: 2 ** 30 }));
    expect(info.endpoint).toHaveLength(1);
    const call = served.client().open(`${FLIGHT}DoGet`, encode("Ticket", info.endpoint[0].ticket));
    const ended = new Promise<{ code: number }>((resolve) => {
      call.on("error", (error) => resolve(error as never));
    });
    await new Promise((resolve) => call.once("metadata", resolve));
    const body = encode("CancelRequest", { info });
    const status = async (user: "admin" | "reader") => {
      const [result] = await served.client(user).act("CancelFlightInfo", body);
      return decode("CancelResult", result as Buffer).status;
    };
    expect(await status("reader")).toBe(3);
    expect(await status("admin")).toBe(1);
    call.resume();
    expect((await ended).code).toBe(1);
    expect(await status("admin")).toBe(3);
    await Table.remove(served.container, "large");
  });
});

describe("who calls", () => {
  const PERMISSION_DENIED = 7;
  const UNAUTHENTICATED = 16;
  const list = (client: TestClient) => client.all("ListFlights", encode("Criteria", {}));

  test("rights on a container decide what a user reads, lists and does", async () => {
    const ticket = { table: "open/runs/energy", limit: 1 };
    expect((await served.client("reader").get(ticket)).numRows).toBe(1);
    expect(await list(served.client("reader"))).not.toEqual([]);
    const stranger = served.client("stranger");
    expect((await failureOf(() => stranger.get(ticket)))?.code).toBe(PERMISSION_DENIED);
    expect(await list(stranger)).toEqual([]);
    const snapshot = { container: "open", name: "mine" };
    for (const user of ["reader", "stranger"] as const) {
      const failure = await failureOf(() => served.client(user).act("create-snapshot", snapshot));
      expect(failure?.code).toBe(PERMISSION_DENIED);
    }
    expect(await served.client("writer").act("create-snapshot", snapshot)).toHaveLength(1);
  });

  test("rights that are taken away count with the next call", async () => {
    const ticket = { table: "open/runs/energy", limit: 1 };
    const acl = served.container.getAcl();
    served.container.overwriteAcl("A::OWNER@:rwcdtTaAo,A::EVERYONE@:");
    const failure = await failureOf(() => served.client("reader").get(ticket));
    served.container.overwriteAcl(acl);
    expect(failure?.code).toBe(PERMISSION_DENIED);
    expect((await served.client("reader").get(ticket)).numRows).toBe(1);
  });

  test.each([
    ["nothing", undefined],
    ["an unknown token", "Bearer of-bad-news-and-of-nothing-else"],
    ["a token with another end", `Bearer ${TOKENS.admin}x`],
    ["a session that nobody began", "Bearer eyJ1c2VyIjoiYWRtaW4ifQ.AAAA"],
    ["another kind", "Digest abc"],
    ["a wrong password", `Basic ${Buffer.from("admin:guess").toString("base64")}`],
    ["a user without a password", `Basic ${Buffer.from("reader:").toString("base64")}`],
    ["an unknown user", `Basic ${Buffer.from("nobody:x").toString("base64")}`],
    ["no colon", `Basic ${Buffer.from("admin").toString("base64")}`],
  ])("a caller with %s is refused", async (_what, authorization) => {
    const client = new TestClient(served.server.location);
    if (authorization !== undefined) client.metadata.set("authorization", authorization);
    expect((await failureOf(() => list(client)))?.code).toBe(UNAUTHENTICATED);
    client.close();
  });

  test("a handshake turns a password into a token, by header and by message", async () => {
    const password = USERS?.[0]?.password ?? "";
    const shake = async (authorization: string | undefined, payload: Buffer) => {
      const client = new TestClient(served.server.location);
      if (authorization !== undefined) client.metadata.set("authorization", authorization);
      const call = client.duplex(`${FLIGHT}Handshake`);
      const header = new Promise<string>((resolve) => {
        call.on("metadata", (metadata) => resolve(String(metadata.get("authorization")[0])));
      });
      call.write(encode("Handshake", { payload }));
      call.end();
      for await (const _ of call);
      client.metadata.set("authorization", await header);
      expect(await list(client)).not.toEqual([]);
      client.close();
    };
    const basic = Buffer.from(`admin:${password}`).toString("base64");
    await shake(`Basic ${basic}`, Buffer.alloc(0));
    await shake(undefined, encode("BasicAuth", { username: "admin", password }));
    const wrong = encode("BasicAuth", { username: "admin", password: "guess" });
    expect((await failureOf(() => shake(undefined, wrong)))?.code).toBe(UNAUTHENTICATED);
  });
});

test("a password may be kept as what hashPassword makes of it", async () => {
  const password = await hashPassword("correct horse");
  expect(password).toMatch(/^scrypt:/);
  const users = [{ name: "admin", isAdministrator: true, password }];
  await using server = await FlightServer.start({ pool: served.pool.path, users });
  const codeOf = async (shown: string) => {
    const client = new TestClient(server.location);
    client.metadata.set("authorization", `Basic ${Buffer.from(shown).toString("base64")}`);
    const failure = await failureOf(() => client.get({ table: "open/runs/energy", limit: 1 }));
    client.close();
    return failure?.code;
  };
  expect(await codeOf("admin:correct horse")).toBeUndefined();
  expect(await codeOf("admin:correct mule")).toBe(16);
});

describe("services of any server", () => {
  test("health says that it serves, to anybody", async () => {
    const client = new TestClient(served.server.location);
    const check = async (service: string) => {
      const request = encode("Health", { service });
      return decode("HealthStatus", await client.unary("/grpc.health.v1.Health/Check", request));
    };
    expect(await check("")).toEqual({ status: 1 });
    expect(await check("arrow.flight.protocol.FlightService")).toEqual({ status: 1 });
    expect((await failureOf(() => check("nonsense")))?.code).toBe(NOT_FOUND);
    client.close();
  });

  test.each(["v1", "v1alpha"])(
    "reflection %s tells the services and their files",
    async (version) => {
      const call = served
        .client()
        .duplex(`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`);
      const service = "arrow.flight.protocol.FlightService";
      call.write(encode("Reflection", { listServices: "*" }));
      call.write(encode("Reflection", { fileContainingSymbol: service }));
      call.write(encode("Reflection", { fileContainingSymbol: "no.such.Thing" }));
      call.end();
      const answers = [];
      for await (const bytes of call) answers.push(decode("Reflected", bytes as Buffer));
      expect(answers[0].services.service.map(({ name }: { name: string }) => name)).toContain(
        service,
      );
      const file = Buffer.from(answers[1].files.file[0]).toString("latin1");
      expect(file).toContain("FlightService");
      expect(file).toContain("google_protobuf.proto");
      expect(answers[2].error).toEqual({ code: NOT_FOUND });
    },
  );
});

test("no call failed for a reason of the server's own", () => {
  expect(served.errors).toEqual([]);
});
