/**
 * `daos arrow serve`: it says where it listens, serves who may call, and stops when it is told to.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "@jest/globals";
import { Field, Int32, Schema } from "apache-arrow";
import { Pool } from "daos-ts";
import { Table } from "daos-ts/arrow";
import { plainEnvironment } from "../support/processes.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { programFile, runJson } from "./support/command-line.ts";

async function makePool(): Promise<string> {
  const path = join(temporaryDirectory(), "pool");
  using pool = Pool.create({ path, durability: "process" });
  const schema = new Schema([new Field("step", new Int32())]);
  (await Table.create(pool.createContainer("c"), "steps", schema)).close();
  return path;
}

test("serves until a signal stops it, with the token that it prints", async () => {
  const pool = await makePool();
  const listen = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const child = spawn(process.execPath, [programFile("daos"), "arrow", "serve", pool, ...listen], {
    env: plainEnvironment({}),
  });
  const exited = once(child, "exit");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  expect(await next()).toMatch(/^Flight: grpc\+tcp:\/\/127\.0\.0\.1:\d+$/);
  const address = (await next()).replace("HTTP: ", "");
  const token = (await next()).replace("Token: ", "");
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(address, { headers });
  expect(await answer.json()).toMatchObject({ tables: [{ table: "c/steps", rows: 0 }] });
  expect((await fetch(address)).status).toBe(401);
  child.kill("SIGTERM");
  expect(await next()).toMatch(/^Stopped by SIGTERM after /);
  expect(await exited).toEqual([0, null]);
});

test("refuses options that make no sense, and users that others can read", async () => {
  const pool = await makePool();
  const users = join(temporaryDirectory(), "users.json");
  writeFileSync(users, '{ "users": [{ "name": "alice", "tokens": ["sixteen characters"] }] }');
  chmodSync(users, 0o644);
  const codeOf = (...options: string[]) => {
    return runJson("daos", ["arrow", "serve"], [pool, ...options]).error?.code;
  };
  expect(codeOf("--tls-cert", "server.pem")).toBe("DER_INVAL");
  expect(codeOf("--anonymous", "--auth", users)).toBe("DER_INVAL");
  expect(codeOf("--listen", "nowhere")).toBe("DER_INVAL");
  expect(codeOf("--auth", users)).toBe("DER_NO_PERM");
  expect(codeOf("--auth", join(users, "absent"))).toBe("DER_NONEXIST");
});
