/**
 * `daos filesystem get-attr`, `set-attr` and `chmod`, run for real.
 */

import { join } from "node:path";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { Dfs } from "daos-ts/dfs";
import { temporaryDirectory } from "../support/temporary.ts";
import { answerOf, runJson, runWell } from "./support/command-line.ts";

const FILESYSTEM = (verb: string) => ["filesystem", verb];
let results: string;

beforeEach(async () => {
  const path = join(temporaryDirectory(), "run.pool");
  results = `daos://${path}/results`;
  using pool = Pool.create({ path, durability: "process" });
  using dfs = Dfs.mount(pool.createContainer("results"));
  await dfs.mkdir("/inputs", { mode: 0o750 });
  await dfs.writeFile("/inputs/mesh", "points");
  await dfs.symlink("inputs/mesh", "/newest");
});

describe("daos filesystem get-attr, set-attr and chmod", () => {
  test("tell what was set, at each version", () => {
    const mesh = `${results}/inputs/mesh`;
    const first = answerOf("daos", FILESYSTEM("get-attr"), [mesh]);
    expect(first).toMatchObject({ kind: "file", size: 6, path: "/inputs/mesh", attributes: [] });
    const pairs = ["user.unit:kelvin", "user.source:a:b"];
    const set = answerOf("daos", FILESYSTEM("set-attr"), [mesh, ...pairs]);
    expect(set.attributes).toEqual([
      { name: "user.source", value: "a:b" },
      { name: "user.unit", value: "kelvin" },
    ]);
    expect(answerOf("daos", FILESYSTEM("chmod"), ["604", mesh])).toMatchObject({ mode: "0604" });
    answerOf("daos", FILESYSTEM("set-attr"), [mesh, "user.source:"]);
    const last = answerOf("daos", FILESYSTEM("get-attr"), [mesh]);
    expect(last).toMatchObject({
      mode: "0604",
      oid: first.oid,
      modified: first.modified,
      attributes: [{ name: "user.unit", value: "kelvin" }],
    });
    const old = answerOf("daos", FILESYSTEM("get-attr"), [mesh, "--epc", first.epoch]);
    expect(old).toEqual(first);
  });

  test("tell of directories, the root and links themselves", () => {
    const of = (path: string) => answerOf("daos", FILESYSTEM("get-attr"), [`${results}${path}`]);
    expect(of("/inputs")).toMatchObject({ kind: "directory", mode: "0750", size: 0 });
    expect(of("")).toMatchObject({ kind: "directory", path: "/" });
    expect(of("/newest")).toMatchObject({ kind: "symlink", target: "inputs/mesh" });
    const lines = runWell("daos", [...FILESYSTEM("get-attr"), `${results}/newest`], {});
    expect(lines).toMatch(/^Kind\tsymlink$/m);
    expect(lines).toMatch(/^Target\tinputs\/mesh$/m);
  });

  test.each([
    ["get-attr", ["/nothing"], "DER_NONEXIST"],
    ["set-attr", ["/nothing", "user.a:b"], "DER_NONEXIST"],
    ["set-attr", ["/inputs/mesh"], "DER_INVAL"],
    ["set-attr", ["/inputs/mesh", "unit:kelvin"], "DER_NOSYS"],
    ["set-attr", ["/inputs/mesh", "user.none:"], "DER_NONEXIST"],
    ["set-attr", ["/newest", "user.a:b"], "DER_NO_PERM"],
    ["chmod", ["rwx", "/inputs/mesh"], "DER_INVAL"],
    ["chmod", ["640", "/nothing"], "DER_NONEXIST"],
  ])("%s %j is refused with %s", (verb, words, code) => {
    const args = words.map((word) => (word.startsWith("/") ? `${results}${word}` : word));
    const before = answerOf("daos", FILESYSTEM("get-attr"), [`${results}/inputs/mesh`]);
    const { error, response } = runJson("daos", FILESYSTEM(verb), args);
    expect({ code: error?.code, response }).toEqual({ code, response: null });
    expect(answerOf("daos", FILESYSTEM("get-attr"), [`${results}/inputs/mesh`])).toEqual(before);
  });
});
