/**
 * Flight SQL: statements read what the caller may read, no more of it than they need, and do nothing else.
 */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, test } from "@jest/globals";
import {
  type Table as ArrowTable,
  Bool,
  DateDay,
  Dictionary,
  Field,
  Float32,
  Int8,
  Int32,
  List,
  Struct,
  Table as TableOfArrow,
  TimestampMicrosecond,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { batchStream, Table } from "daos-ts/arrow";
import { FlightServer, type FlightServerOptions } from "daos-ts/arrow-flight";
import { isNightly } from "../../support/property.ts";
import {
  anyOf,
  commandOf,
  decode,
  encode,
  failureOf,
  TestClient,
  tableOf,
} from "./support/client.ts";
import { bytesRead, energyRows, ROWS, servedPool, TOKENS, USERS } from "./support/server.ts";

const served = servedPool();
const require = createRequire(import.meta.url);
const hasDuckDb = existsSync(require.resolve("@duckdb/node-api/package.json"));
const [INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, UNIMPLEMENTED] = [3, 5, 7, 12];
const [DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED] = [4, 8];

function queryOf(sql: string): object {
  return commandOf(anyOf("CommandStatementQuery", "Query", { query: sql }));
}

/** Values as JSON has them. */
function plain(table: ArrowTable): unknown[] {
  const text = JSON.stringify(table.toArray(), (_, value) =>
    typeof value === "bigint" ? Number(value) : value,
  );
  return JSON.parse(text);
}

async function select(sql: string, client = served.client()): Promise<unknown[]> {
  return plain(await client.read(queryOf(sql)));
}

async function codeOf(sql: string, client = served.client()): Promise<number | undefined> {
  return (await failureOf(() => client.read(queryOf(sql))))?.code;
}

test("DuckDB is there for these tests", () => {
  expect(hasDuckDb).toBe(true);
});

describe("statements", () => {
  test.each([
    ['SELECT step FROM open."runs/energy" LIMIT 2', [{ step: 0 }, { step: 1 }]],
    ['SELECT count(*) AS n FROM "runs/energy"', [{ n: ROWS }]],
    [
      'SELECT kind, count(*) n, max(energy) m FROM open."runs/energy" WHERE step < 6 GROUP BY kind ORDER BY kind',
      [
        { kind: "even", n: 2, m: 2.5 },
        { kind: "odd", n: 2, m: 1.5 },
        { kind: null, n: 2, m: 2 },
      ],
    ],
    [
      'SELECT step * 2 AS d FROM open."runs/energy" WHERE energy > 4999 ORDER BY 1',
      [{ d: 19_998 }],
    ],
    ["SELECT 1 AS one", [{ one: 1 }]],
    [
      'WITH t AS (SELECT step FROM "runs/energy" WHERE step BETWEEN 5 AND 6) SELECT sum(step)::BIGINT s FROM t',
      [{ s: 11 }],
    ],
    [
      'SELECT a.step FROM "runs/energy" a JOIN "runs/energy" b ON a.step = b.step + 9999',
      [{ step: 9999 }],
    ],
  ])("%s", async (sql, rows) => {
    const { endpoint } = await served.client().info(queryOf(sql));
    expect(endpoint).toHaveLength(1);
    const table = await served.client().get(endpoint[0].ticket.ticket);
    expect(plain(table)).toEqual(rows);
  });

  test("a version in the name of a table is read", async () => {
    served.container.createSnapshot("before");
    using table = await Table.open(served.container, "runs/energy");
    await table.append(energyRows(0, 10).batches);
    expect(await select('SELECT count(*) n FROM open."runs/energy@before"')).toEqual([{ n: ROWS }]);
    expect(await select('SELECT count(*) n FROM open."runs/energy"')).toEqual([{ n: ROWS + 10 }]);
    await table.deleteRows({ op: "<", column: "step", value: 10 });
    await table.append(energyRows(0, 10).batches);
  });

  test("a ticket reads the version that it was given for", async () => {
    const { endpoint } = await served
      .client()
      .info(queryOf('SELECT count(*) n FROM "runs/energy"'));
    using table = await Table.open(served.container, "runs/energy");
    await table.append(energyRows(0, 3).batches);
    expect(plain(await served.client().get(endpoint[0].ticket.ticket))).toEqual([{ n: ROWS }]);
    expect(await select('SELECT count(*) n FROM "runs/energy"')).toEqual([{ n: ROWS + 3 }]);
  });

  test("values of many types come through", async () => {
    const pair = new Struct([new Field("x", new Int32(), true), new Field("s", new Utf8(), true)]);
    const table = new TableOfArrow({
      b: vectorFromArray([true, null, false], new Bool()),
      d: vectorFromArray([new Date("2024-02-29"), null, new Date(0)], new DateDay()),
      t: vectorFromArray([1.5, null, 0], new TimestampMicrosecond()),
      e: vectorFromArray(["a", null, "a"], new Dictionary(new Utf8(), new Int8())),
      f: vectorFromArray([0.1, null, -1], new Float32()),
      l: vectorFromArray([[1, 2], null, []], new List(new Field("item", new Int32(), true))),
      p: vectorFromArray([{ x: 1, s: "é" }, null, { x: 2, s: null }], pair),
    });
    await served.client().write(commandOf({ table: "open/types" }), table);
    const rows = plain(await served.client().read(queryOf("SELECT * FROM open.types")));
    const expected = plain(new TableOfArrow(table.schema, table.batches));
    expect(rows).toEqual(expected);
    expect(await select("SELECT e, f FROM types WHERE f = 0.1::FLOAT AND b")).toHaveLength(1);
  });

  test("a prepared statement has its schema, and reads by its handle", async () => {
    const request = anyOf("ActionCreatePreparedStatementRequest", "Query", {
      query: 'SELECT step AS s FROM "runs/energy" WHERE step = 42',
    });
    const [result] = await served.client().act("CreatePreparedStatement", request);
    const { handle, schema } = decode("Prepared", decode("Any", result as Buffer).value);
    expect(Buffer.from(schema).length).toBeGreaterThan(0);
    const command = anyOf("CommandPreparedStatementQuery", "Handle", { handle });
    expect(plain(await served.client().read(commandOf(command)))).toEqual([{ s: 42 }]);
    const close = anyOf("ActionClosePreparedStatementRequest", "Handle", { handle });
    expect(await served.client().act("ClosePreparedStatement", close)).toEqual([]);
  });
});

describe("what is read", () => {
  test("only the columns and batches that a statement asks for", async () => {
    const parts = Array.from({ length: 20 }, (_, part) =>
      energyRows(part * 2000, part * 2000 + 2000),
    );
    const batches = parts.flatMap((part) => part.batches);
    const stream = batchStream((parts[0] as ArrowTable).schema, batches);
    (await Table.createFrom(served.container, "big", stream)).close();
    const cost = async (sql: string) => {
      const before = bytesRead();
      await served.client().read(queryOf(sql));
      return bytesRead() - before;
    };
    const all = await cost("SELECT * FROM big");
    const column = await cost("SELECT sum(energy) FROM big");
    const few = await cost("SELECT sum(energy) FROM big WHERE step BETWEEN 7000 AND 7100");
    const typed = await cost("SELECT sum(energy) FROM big WHERE energy >= 19500.5");
    const first = await cost("SELECT energy FROM big LIMIT 10");
    expect(all).toBeGreaterThan(40_000 * 12);
    expect(column).toBeLessThan(40_000 * 8 + 20_000);
    expect(few).toBeLessThan(2000 * 12 + 20_000);
    expect(typed).toBeLessThan(2000 * 8 + 20_000);
    expect(first).toBeLessThan(2000 * 8 * 2 + 20_000);
  });

  test("a pushed condition selects what DuckDB alone selects, also for NaN and single precision", async () => {
    const doubles = [1, Number.NaN, null, 3, Number.POSITIVE_INFINITY, -0, 0.1];
    const table = new TableOfArrow({
      d: vectorFromArray(doubles, new (await import("apache-arrow")).Float64()),
      f: vectorFromArray(doubles, new Float32()),
    });
    await served.client().write(commandOf({ table: "open/nan" }), table);
    const run = async (sql: string) => {
      const handle = Buffer.from(JSON.stringify({ sql }));
      const ticket = anyOf("CommandPreparedStatementQuery", "Handle", { handle });
      return plain(await served.client().get(ticket));
    };
    const values = isNightly ? ["0.1", "3", "0", "1e0"] : ["0.1", "3"];
    for (const column of ["d", "f"]) {
      const conditions = ["=", "<>", "<", "<=", ">", ">="].flatMap((op) => {
        return values.map((value) => `${column} ${op} ${value}`);
      });
      // With an aggregate for each condition, all rows are read.
      const counts = conditions.map((one, index) => `count(*) FILTER (WHERE ${one}) AS c${index}`);
      const [alone] = (await run(`SELECT ${counts.join(", ")} FROM nan`)) as [object];
      for (const [index, condition] of conditions.entries()) {
        const [pushed] = (await run(`SELECT count(*) n FROM nan WHERE ${condition}`)) as [object];
        const expected = (alone as Record<string, number>)[`c${index}`];
        expect([condition, pushed]).toEqual([condition, { n: expected }]);
      }
    }
  });
});

describe("catalogs", () => {
  const list = async (command: string, message: string, fields: object) => {
    const client = served.client("reader");
    const any = anyOf(command, message, fields);
    const answers = await client.all("DoGet", encode("Ticket", { ticket: any }));
    await client.info(commandOf(any));
    return plain(tableOf(answers.map((bytes) => decode("Data", bytes))));
  };

  test("name the pool, its containers and tables, as far as the caller may read them", async () => {
    const { label } = served.pool;
    expect(await list("CommandGetCatalogs", "Nothing", {})).toEqual([{ catalog_name: label }]);
    expect(await list("CommandGetDbSchemas", "Schemas", {})).toEqual([
      { catalog_name: label, db_schema_name: "open" },
    ]);
    expect(await list("CommandGetDbSchemas", "Schemas", { schema: "cl%" })).toEqual([]);
    const tables = await list("CommandGetTables", "Tables", { table: "runs/%", withSchema: true });
    expect(tables).toMatchObject([
      { db_schema_name: "open", table_name: "runs/energy", table_type: "TABLE" },
    ]);
    expect(await list("CommandGetTables", "Tables", { types: ["VIEW"] })).toEqual([]);
    expect(await list("CommandGetTableTypes", "Nothing", {})).toEqual([{ table_type: "TABLE" }]);
    expect(await list("CommandGetPrimaryKeys", "Nothing", {})).toEqual([]);
    expect(await list("CommandGetXdbcTypeInfo", "Nothing", {})).toEqual([]);
  });

  test("GetSqlInfo says that it reads only", async () => {
    const info = await list("CommandGetSqlInfo", "Infos", { info: [0, 3] });
    expect(info).toEqual([
      { info_name: 0, value: "daos-ts" },
      { info_name: 3, value: true },
    ]);
  });
});

describe("what is refused", () => {
  test.each([
    ["SELECT * FROM read_text('/etc/passwd')", UNIMPLEMENTED],
    ["SELECT * FROM read_csv('/etc/passwd')", UNIMPLEMENTED],
    ["SELECT * FROM glob('/*')", UNIMPLEMENTED],
    ["SELECT * FROM '/etc/passwd'", NOT_FOUND],
    ["SELECT (SELECT content FROM read_text('/etc/passwd'))", UNIMPLEMENTED],
    ["SELECT * FROM query('SELECT 1')", UNIMPLEMENTED],
    ["SELECT * FROM duckdb_settings()", UNIMPLEMENTED],
    ["SELECT current_setting('memory_limit')", UNIMPLEMENTED],
    ["COPY (SELECT 1) TO '/tmp/flight-sql-test'", UNIMPLEMENTED],
    ["ATTACH '/tmp/flight-sql-test.db'", UNIMPLEMENTED],
    ["INSTALL httpfs", UNIMPLEMENTED],
    ["LOAD json", UNIMPLEMENTED],
    ["SET threads = 8", UNIMPLEMENTED],
    ["PRAGMA database_list", UNIMPLEMENTED],
    ["CREATE TABLE t (a INT)", UNIMPLEMENTED],
    ["INSERT INTO open.\"runs/energy\" VALUES (1, 2, 'x')", UNIMPLEMENTED],
    ["SELECT 1; SELECT 2", UNIMPLEMENTED],
    ["SELECT 1; SET threads = 8", UNIMPLEMENTED],
    ["", UNIMPLEMENTED],
    ["SELEC 1", INVALID_ARGUMENT],
    ['SELECT nothing FROM "runs/energy"', INVALID_ARGUMENT],
    ["SELECT ? + 1", INVALID_ARGUMENT],
    ["SELECT * FROM nowhere", NOT_FOUND],
    ["SELECT * FROM open.nowhere", NOT_FOUND],
    ['SELECT * FROM elsewhere.open."runs/energy"', NOT_FOUND],
    ["SELECT * FROM information_schema.tables", NOT_FOUND],
  ])("%s", async (sql, code) => {
    expect(await codeOf(sql)).toBe(code);
    expect(existsSync("/tmp/flight-sql-test")).toBe(false);
  });

  test("a table that the caller may not read, by any name", async () => {
    const stranger = served.client("stranger");
    expect(await codeOf('SELECT * FROM open."runs/energy"', stranger)).toBe(PERMISSION_DENIED);
    expect(await codeOf('SELECT * FROM "runs/energy"', stranger)).toBe(NOT_FOUND);
    const nested = 'SELECT (SELECT count(*) FROM open."runs/energy") n';
    expect(await codeOf(nested, stranger)).toBe(PERMISSION_DENIED);
    const { endpoint } = await served.client().info(queryOf('SELECT * FROM open."runs/energy"'));
    const stolen = await failureOf(() => stranger.get(endpoint[0].ticket.ticket));
    expect(stolen?.code).toBe(PERMISSION_DENIED);
  });

  /** What a statement fails with on a server with other limits; then, what another one results in. */
  async function limited(sql: FlightServerOptions["sql"], statement: string, next: string) {
    const users = USERS ?? [];
    await using server = await FlightServer.start({
      pool: served.pool.path,
      users,
      ...(sql && { sql }),
    });
    const client = new TestClient(server.location, TOKENS.admin);
    try {
      return [await codeOf(statement, client), await select(next, client)];
    } finally {
      client.close();
    }
  }

  test("a statement that takes too long is ended", async () => {
    const long = "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b";
    expect(await limited({ msMax: 1000 }, long, "SELECT 2 AS two")).toEqual([
      DEADLINE_EXCEEDED,
      [{ two: 2 }],
    ]);
  });

  test("a statement that takes too much memory is ended, and the next one runs", async () => {
    const memorySizeMax = 32 * 2 ** 20;
    const large = "SELECT list(range) FROM range(100000000)";
    expect(await limited({ memorySizeMax }, large, "SELECT 2 AS two")).toEqual([
      RESOURCE_EXHAUSTED,
      [{ two: 2 }],
    ]);
  });
});

test("no call failed for a reason of the server's own", () => {
  expect(served.errors).toEqual([]);
});
