/**
 * Properties, attributes, access control lists and owners on the command line, and destroying.
 */

import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { answerOf, runJson, runWell } from "./support/command-line.ts";

let folder: string;
let pool: string;

beforeAll(() => {
  folder = temporaryDirectory({ until: "file" });
  pool = join(folder, "run.pool");
  using made = Pool.create({ path: pool, durability: "process" });
  made.createContainer("results");
});

const exit = (exitStatus: number) => expect.objectContaining({ exitStatus });

describe.each([
  ["dmg", "pool", () => [pool]],
  ["daos", "container", () => [`daos://${pool}/results`]],
] as const)("%s %s", (program, noun, named) => {
  const answer = (verb: string, ...words: string[]) =>
    answerOf(program, [noun, verb], [...named(), ...words]);
  const failure = (verb: string, ...words: string[]) =>
    runJson(program, [noun, verb], [...named(), ...words]);

  test("set-prop and get-prop: numbers, texts, all or none", () => {
    const [good, other] =
      noun === "pool" ? ["space_rb:9", "reclaim:time"] : ["max_snapshot:9", "scrubber_disabled:1"];
    const { properties } = answer("set-prop", `${good},${other}`);
    expect(answer("get-prop", ...properties.map(({ name }: { name: string }) => name))).toEqual({
      properties,
    });
    expect(properties[0]).toMatchObject({ number: 9 });
    expect(failure("set-prop", good.replace("9", "1"), "nothing:1")).toEqual(exit(2));
    expect(failure("set-prop", "label")).toEqual(exit(2));
    expect(failure("get-prop", "nothing")).toEqual(exit(2));
    const all = answer("get-prop").properties;
    expect(all).toEqual(expect.arrayContaining(properties));
    expect(all.length).toBeGreaterThan(15);
  });

  test("set-attr, get-attr, list-attr and del-attr", () => {
    answer("set-attr", "url:http://a:1/b", "empty:");
    answer("set-attr", "--base64", "bytes:AP8=");
    expect(answer("list-attr").names).toEqual(["bytes", "empty", "url"]);
    expect(answer("get-attr").attributes).toEqual([
      { name: "bytes", base64: "AP8=" },
      { name: "empty", value: "" },
      { name: "url", value: "http://a:1/b" },
    ]);
    expect(failure("get-attr", "none")).toEqual(exit(3));
    expect(failure("del-attr", "url", "none")).toEqual(exit(3));
    expect(failure("set-attr", "--base64", "bytes:?")).toEqual(exit(2));
    expect(answer("del-attr", "url", "empty").names).toEqual(["url", "empty"]);
    expect(answer("list-attr").names).toEqual(["bytes"]);
  });

  test("overwrite-acl, update-acl, delete-acl and get-acl, whose text can be given again", () => {
    answer("overwrite-acl", "--entry", "A::OWNER@:rwcdtTaAo", "--entry", "A::EVERYONE@:r");
    answer("update-acl", "--entry", "A:G:lab@:rw,A::EVERYONE@:");
    const entries = ["A::OWNER@:rwcdtTaAo", "A:G:lab@:rw", "A::EVERYONE@:"];
    expect(answer("get-acl").entries).toEqual(entries);
    expect(answer("delete-acl", "--principal", "g:lab@").entries).toHaveLength(2);
    expect(failure("delete-acl", "--principal", "g:lab@")).toEqual(exit(3));
    expect(failure("overwrite-acl")).toEqual(exit(2));
    expect(failure("overwrite-acl", "--entry", "A::bob:r")).toEqual(exit(2));
    expect(failure("overwrite-acl", "--acl-file", join(folder, "none"))).toEqual(exit(3));
    const file = join(folder, "team.acl");
    writeFileSync(file, runWell(program, [noun, "get-acl", ...named()]));
    answer("update-acl", "--entry", "A::bob@:r");
    expect(answer("overwrite-acl", "--acl-file", file).entries).toHaveLength(2);
  });

  test("set-owner", () => {
    expect(answer("set-owner", "--user", "alice", "--group", "lab@")).toMatchObject({
      owner: "alice@",
      group: "lab@",
    });
    expect(failure("set-owner")).toEqual(exit(2));
    expect(answer("set-owner", "--user", "root").owner).toBe("root@");
  });
});

describe("destroy", () => {
  test("daos container destroy refuses open containers, unless forced", () => {
    using opened = Pool.connect(pool);
    opened.createContainer("old");
    const destroy = (...words: string[]) =>
      runJson("daos", ["container", "destroy"], [pool, "old", ...words]);
    expect(destroy()).toMatchObject({ error: { code: "DER_BUSY" }, exitStatus: 7 });
    expect(destroy("--force").exitStatus).toBe(0);
    expect(destroy().exitStatus).toBe(3);
    expect(opened.listContainers()).toEqual(["results"]);
  });

  test("a container found damaged ends with status 8, until it is set healthy", () => {
    answerOf("daos", ["container", "set-prop"], [pool, "results", "status:unclean"]);
    const query = () => runJson("daos", ["container", "query"], [pool, "results"]);
    expect(query()).toMatchObject({ error: { code: "DER_RF" }, exitStatus: 8 });
    answerOf("daos", ["container", "set-prop"], [pool, "results", "status:healthy"]);
    expect(query().exitStatus).toBe(0);
  });

  test("dmg pool destroy removes a pool, and ends a destruction that was killed", () => {
    const destroy = (...words: string[]) => runJson("dmg", ["pool", "destroy"], words);
    const other = join(folder, "other.pool");
    Pool.create({ path: other }).close();
    expect(destroy(`daos://${other}/c`).exitStatus).toBe(2);
    renameSync(join(other, "POOL"), join(other, "POOL.destroying"));
    expect(destroy(other).response).toMatchObject({ path: other, files: 4, left: [] });
    expect(destroy(pool)).toMatchObject({ error: { code: "DER_BUSY" }, exitStatus: 7 });
    expect(destroy(pool, "--recursive").exitStatus).toBe(0);
    expect([other, pool].filter((path) => existsSync(path))).toEqual([]);
    expect(destroy(pool).exitStatus).toBe(3);
  });
});
