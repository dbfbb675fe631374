/**
 * Arrow streams by plain HTTP: what is asked for comes whole, with the rights of who asks, and failures are JSON.
 */

import http from "node:http";
import { expect, test } from "@jest/globals";
import { type Table, tableFromIPC } from "apache-arrow";
import { bytesRead, createWide, energyRows, ROWS, servedPool, TOKENS } from "./support/server.ts";

const served = servedPool({ http: "127.0.0.1:0" });
const TYPE = "application/vnd.apache.arrow.stream";

function get(path: string, headers: Record<string, string> = {}, method = "GET") {
  const authorization = `Bearer ${TOKENS.reader}`;
  const url = new URL(path, served.server.httpAddress);
  return fetch(url, { method, headers: { authorization, accept: TYPE, ...headers } });
}

async function tableOf(path: string): Promise<Table> {
  const response = await get(path);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, TYPE]);
  return tableFromIPC(Buffer.from(await response.arrayBuffer()));
}

async function rowsOf(path: string): Promise<unknown[]> {
  return (await tableOf(path)).toArray().map((row) => row.toJSON());
}

/** The values of each column. */
function valuesOf(table: Table): unknown[][] {
  return table.schema.fields.map(({ name }) => [name, ...table.getChild(name)!]);
}

test("a table comes whole", async () => {
  const table = await tableOf("/open/runs/energy");
  expect(valuesOf(table)).toEqual(valuesOf(energyRows(0, ROWS)));
});

test("columns, rows, predicate, limit and version decide what comes", async () => {
  const where = encodeURIComponent('{"op":">=","column":"energy","value":2}');
  expect(await rowsOf(`/open/runs/energy?columns=step&where=${where}&limit=2`)).toEqual([
    { step: 4 },
    { step: 5 },
  ]);
  expect(await rowsOf("/open/runs/energy?columns=kind,step&rows=3998-4001")).toEqual([
    { kind: "even", step: 3998 },
    { kind: "odd", step: 3999 },
    { kind: null, step: 4000 },
  ]);
  expect(await rowsOf(`/open/runs/energy?rows=${ROWS - 1}-`)).toHaveLength(1);
  expect(
    await rowsOf(`/open/runs/energy?columns=${encodeURIComponent('["step"]')}&limit=1`),
  ).toEqual([{ step: 0 }]);
  served.container.createSnapshot("first");
  for (const path of ["/open/runs/energy?version=first", "/open/runs/energy@first"]) {
    expect(await rowsOf(`${path}${path.includes("?") ? "&" : "?"}limit=1`)).toHaveLength(1);
  }
  const head = await get("/open/runs/energy", {}, "HEAD");
  expect(head.headers.get("daos-epoch")).toMatch(/^0x[0-9a-f]+$/);
});

test("the root lists the tables that the caller may read", async () => {
  const response = await get("/", { accept: "application/json" });
  const { tables } = (await response.json()) as { tables: { table: string; columns: object[] }[] };
  expect(tables.map(({ table }) => table)).toEqual(["open/runs/energy"]);
  expect(tables[0]?.columns[0]).toEqual({ name: "step", type: "Int32", nullable: false });
  const stranger = { accept: "*/*", authorization: `Bearer ${TOKENS.stranger}` };
  expect(await (await get("/", stranger)).json()).toEqual({ tables: [] });
});

test.each([
  ["an unknown table", "/open/nowhere", {}, "GET", 404, "DER_NONEXIST"],
  ["an unknown container", "/nowhere/x", {}, "GET", 404, "DER_NONEXIST"],
  ["no table", "/open", {}, "GET", 400, "DER_INVAL"],
  ["an unknown key", "/open/runs/energy?row=1", {}, "GET", 400, "DER_INVAL"],
  ["a key twice", "/open/runs/energy?limit=1&limit=2", {}, "GET", 400, "DER_INVAL"],
  ["rows that are none", "/open/runs/energy?rows=x", {}, "GET", 400, "DER_INVAL"],
  ["rows the wrong way", "/open/runs/energy?rows=3-2", {}, "GET", 400, "DER_INVAL"],
  ["a limit that is none", "/open/runs/energy?limit=x", {}, "GET", 400, "DER_INVAL"],
  ["a predicate that is none", "/open/runs/energy?where=x", {}, "GET", 400, "DER_INVAL"],
  ["an unknown column", "/open/runs/energy?columns=x", {}, "GET", 400, "DER_INVAL"],
  ["an escape that is none", "/open/%zz", {}, "GET", 400, "DER_INVAL"],
  ["another type", "/open/runs/energy", { accept: "text/html" }, "GET", 406, "DER_NOSYS"],
  ["another method", "/open/runs/energy", {}, "DELETE", 405, "DER_NOSYS"],
  ["no credentials", "/open/runs/energy", { authorization: "" }, "GET", 401, "DER_NO_PERM"],
  [
    "no right",
    "/open/runs/energy",
    { authorization: `Bearer ${TOKENS.stranger}` },
    "GET",
    403,
    "DER_NO_PERM",
  ],
] as const)("%s is a failure as JSON", async (_what, path, headers, method, status, code) => {
  const response = await get(path, headers, method);
  expect(response.status).toBe(status);
  const { error } = (await response.json()) as { error: { code: string; remedy: string } };
  expect(error.code).toBe(code);
  expect(error.remedy.length).toBeGreaterThan(3);
});

test("a client that does not read holds a few MiB of a table", async () => {
  const made = await createWide(served.container, "wide", 48);
  made.close();
  const before = bytesRead();
  const url = new URL("/open/wide", served.server.httpAddress);
  const request = http.get(url, { headers: { authorization: `Bearer ${TOKENS.reader}` } });
  const response = await new Promise<http.IncomingMessage>((resolve) => {
    request.on("response", resolve);
  });
  response.on("error", () => undefined);
  for (let last = -1; last !== bytesRead(); ) {
    last = bytesRead();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(bytesRead() - before).toBeLessThan(16 * 2 ** 20);
  expect(served.server.calls).toBe(1);
  request.destroy();
  for (let round = 0; round < 300 && served.server.calls > 0; round++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(served.server.calls).toBe(0);
});

test("no request failed for a reason of the server's own", () => {
  expect(served.errors).toEqual([]);
});
