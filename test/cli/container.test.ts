/**
 * The verbs of containers, snapshots and objects, run for real.
 */

import { join } from "node:path";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { formatOid, ObjectType, Pattern, Pool, wholeOf } from "daos-ts";
import { runProgram } from "../support/processes.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { answerOf, run, runJson, runWell } from "./support/command-line.ts";

const NOBODY = 65_534;
let pool: string;
let results: string;

beforeEach(() => {
  pool = join(temporaryDirectory(), "run.pool");
  results = `daos://${pool}/results`;
  using made = Pool.create({ path: pool });
  made.createContainer("results");
});

/** Commits a byte array and some keys. */
function fill(): { array: bigint; keys: bigint } {
  using opened = Pool.connect(pool);
  const container = opened.openContainer("results");
  const array = container.allocateOid(ObjectType.arrayByte);
  const keys = container.allocateOid(ObjectType.multiHashed);
  container.update((tx) => {
    tx.write(array, wholeOf(Pattern.contiguous(0, 100)), new Uint8Array(100), 0n);
    const akey = Buffer.from("value");
    for (const name of ["one", "two", "\u0001"]) {
      const dkey = Buffer.from(name);
      tx.put({ oid: keys, dkey, akey, value: dkey, condition: "none" });
    }
  });
  return { array, keys };
}

describe("daos container", () => {
  test("create, list and query agree", () => {
    const created = answerOf(
      "daos",
      ["container", "create"],
      [pool, "more", "--retain-commits", "5"],
    );
    expect(created).toMatchObject({ label: "more", commits: 0, snapshots: 0, pool });
    expect(created).toMatchObject({ health: "healthy", openHandles: 1, horizon: "0" });
    const counted = answerOf("daos", ["container", "query"], [pool, "more", "--objects"]);
    expect(counted).toEqual({ ...created, objects: 0 });
    expect(answerOf("daos", ["container", "query"], [pool, "more"])).toEqual(created);
    expect(answerOf("daos", ["cont", "query"], [`daos://${pool}/${created.uuid}`])).toEqual(
      created,
    );
    const { containers } = answerOf("daos", ["container", "list"], [pool]);
    expect(containers.map(({ label }: { label: string }) => label)).toEqual(["results", "more"]);
    expect(containers[1]).toEqual(created);
  });

  test.each([
    ["create", () => [pool, "results"], "DER_EXIST", 4],
    ["create", () => [pool, "a/b"], "DER_INVAL", 2],
    ["create", () => [pool, "new", "--retain-commits", "0"], "DER_INVAL", 2],
    ["create", () => [pool, "new", "--retain-commits", "-1"], "DER_INVAL", 2],
    ["create", () => [pool], "DER_INVAL", 2],
    ["query", () => [pool, "none"], "DER_NONEXIST", 3],
    ["query", () => [`${results}/path`], "DER_INVAL", 2],
    ["list", () => [`${pool}-none`], "DER_NONEXIST", 3],
    ["check", () => [pool, "none"], "DER_NONEXIST", 3],
    ["create-snap", () => [pool, "results", "--snap", "a b"], "DER_INVAL", 2],
    ["create-snap", () => [pool, "results", "--epc", "soon"], "DER_INVAL", 2],
    ["destroy-snap", () => [pool, "results", "--snap", "none"], "DER_NONEXIST", 3],
    ["destroy-snap", () => [pool, "results"], "DER_INVAL", 2],
    ["list-snaps", () => [pool, "none"], "DER_NONEXIST", 3],
    ["list-commits", () => [pool, "none"], "DER_NONEXIST", 3],
  ])("%s refuses what makes no sense (%#)", (verb, args, code, exitStatus) => {
    const outcome = runJson("daos", ["container", verb], args());
    expect(outcome).toMatchObject({ response: null, error: { code, exitStatus }, exitStatus });
    expect(outcome.status).toBe(-(outcome.error?.number ?? 0));
  });

  test("tells people the failure, its reason and what to do", () => {
    const { status, stdout, stderr } = run("daos", ["container", "query", pool, "none"]);
    expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
    expect(stderr).toMatch(/^error: Opening container "none" of pool \S+ failed: the pool has no/);
    expect(stderr).toMatch(/\n {2}do: {2}Choose one of .*\n {2}code: DER_NONEXIST\(1005\)\n$/);
  });

  test("a user who may only read is refused with status 5", () => {
    if (process.getuid?.() !== 0) return expect(process.getuid?.()).not.toBe(0);
    runProgram("chmod", ["-R", "a+rX", join(pool, "..")]);
    const identity = { uid: NOBODY, gid: NOBODY };
    const refused = runJson("daos", ["container", "create"], [pool, "new"], identity);
    expect(refused).toMatchObject({ error: { code: "DER_NO_PERM" }, exitStatus: 5 });
    expect(answerOf("daos", ["container", "list"], [pool], identity).containers).toHaveLength(1);
  });
});

describe("daos container snapshots", () => {
  test("are created, listed and destroyed", () => {
    fill();
    const first = answerOf("daos", ["container", "create-snap"], [results, "--snap", "first"]);
    expect(first.name).toBe("first");
    fill();
    const { commits } = answerOf("daos", ["container", "list-commits"], [results]);
    expect(commits).toHaveLength(2);
    expect(commits[1]).toMatchObject({ epoch: first.epoch, bytes: 100, contributors: 1 });
    const named = answerOf("daos", ["container", "create-snap"], [results]);
    expect(named.name).toMatch(/^snap-\d{8}T\d{6}\.\d{3}Z$/);
    const { snapshots } = answerOf("daos", ["container", "list-snaps"], [pool, "results"]);
    expect(snapshots).toEqual([first, named]);
    const twice = runJson("daos", ["container", "create-snap"], [results, "--snap", "first"]);
    expect(twice).toMatchObject({ error: { code: "DER_EXIST" }, exitStatus: 4 });
    const destroyed = answerOf(
      "daos",
      ["container", "destroy-snap"],
      [results, "--epc", first.epoch],
    );
    expect(destroyed).toEqual(first);
    answerOf("daos", ["container", "destroy-snap"], [results, "--snap", named.name]);
    expect(answerOf("daos", ["container", "list-snaps"], [results]).snapshots).toEqual([]);
  });

  test("a version that was aggregated is not found", () => {
    fill();
    const { lastCommit } = answerOf("daos", ["container", "query"], [results]);
    for (let commit = 0; commit < 3; commit++) fill();
    answerOf("dmg", ["pool", "aggregate"], [pool]);
    const gone = runJson("daos", ["object", "list"], [results, "--epc", lastCommit]);
    expect(gone).toMatchObject({ error: { code: "DER_EPOCH_GONE" }, exitStatus: 3 });
  });
});

describe("daos container diff and rollback", () => {
  test("tell what differs, and go back", () => {
    const before = fill();
    answerOf("daos", ["container", "create-snap"], [results, "--snap", "before"]);
    const after = fill();
    const diff = (args: string[]) => answerOf("daos", ["container", "diff"], [results, ...args]);
    const forward = diff(["--from", "before"]);
    expect(forward.isComplete).toBe(true);
    const objects = (changes: { level: string; change: string; oid: string }[]) =>
      changes.filter(({ level }) => level === "object").map(({ change, oid }) => [change, oid]);
    const added = Object.values(after).map((oid) => ["added", formatOid(oid)]);
    expect(objects(forward.changes).sort()).toEqual(added.sort());
    expect(forward.changes).toContainEqual({
      level: "bytes",
      change: "changed",
      oid: formatOid(after.array),
      start: "0",
      end: "100",
    });
    const dkey = { level: "dkey", change: "added", oid: formatOid(after.keys), dkey: "two" };
    expect(forward.changes).toContainEqual(dkey);
    const limited = diff(["--from", "before", "--limit", "1"]);
    expect(limited).toMatchObject({ isComplete: false });
    expect(limited.changes).toEqual(forward.changes.slice(0, 1));

    const rolled = answerOf("daos", ["container", "rollback"], [results, "--snap", "before"]);
    expect(BigInt(rolled.epoch)).toBeGreaterThan(BigInt(forward.to));
    expect(diff(["--from", "before", "--compare"]).changes).toEqual([]);
    const { objects: now } = answerOf("daos", ["object", "list"], [results]);
    expect(now.map(({ oid }: { oid: string }) => oid).sort()).toEqual(
      Object.values(before).map(formatOid).sort(),
    );
    // The way back can be gone again.
    answerOf("daos", ["container", "rollback"], [results, "--epc", forward.to]);
    expect(diff(["--from", forward.to, "--compare"]).changes).toEqual([]);
  });

  test.each([
    ["rollback", [], 2],
    ["rollback", ["--snap", "none"], 3],
    ["rollback", ["--epc", "x"], 2],
    ["diff", [], 2],
    ["diff", ["--from", "none"], 2],
  ])("%s refuses what makes no sense (%#)", (verb, args, exitStatus) => {
    const outcome = runJson("daos", ["container", verb], [results, ...args]);
    expect(outcome).toMatchObject({ response: null, exitStatus });
  });
});

describe("daos object", () => {
  test("list and query tell what is stored, at each version", () => {
    const before = fill();
    answerOf("daos", ["container", "create-snap"], [results, "--snap", "before"]);
    const after = fill();
    const oids = (args: string[]) =>
      answerOf("daos", ["object", "list"], [results, ...args]).objects.map(
        ({ oid }: { oid: string }) => oid,
      );
    expect(oids(["--snap", "before"]).sort()).toEqual(Object.values(before).map(formatOid).sort());
    expect(oids([])).toHaveLength(4);
    const limited = answerOf("daos", ["object", "list"], [results, "--limit", "1"]);
    expect(limited).toMatchObject({ isComplete: false });
    expect(limited.objects).toHaveLength(1);

    const keys = answerOf("daos", ["object", "query"], [pool, "results", formatOid(after.keys)]);
    expect(keys).toMatchObject({ type: "multiHashed", exists: true, isComplete: true });
    expect(keys.dkeys).toEqual([
      { dkey: "0x01", akeys: ["value"] },
      { dkey: "one", akeys: ["value"] },
      { dkey: "two", akeys: ["value"] },
    ]);
    const array = answerOf("daos", ["object", "query"], [results, formatOid(after.array)]);
    expect(array).toMatchObject({ type: "arrayByte", size: 100 });
    const absent = [results, formatOid(after.array), "--snap", "before"];
    expect(runJson("daos", ["object", "query"], absent).exitStatus).toBe(3);
  });

  test.each([
    ["an id that is none", () => [results, "one.two"], 2],
    ["no id", () => [results], 2],
    ["two versions", () => [results, "1.1", "--snap", "a", "--epc", "1"], 2],
    ["a snapshot that is none", () => [results, "1.1", "--snap", "a"], 3],
    ["an object that holds nothing", () => [results, "1.1"], 3],
  ])("query refuses %s", (_, args, exitStatus) => {
    expect(runJson("daos", ["object", "query"], args())).toMatchObject({
      response: null,
      exitStatus,
    });
  });
});

describe("daos completion", () => {
  test("completes verbs, aliases and options in bash", () => {
    const script = runWell("daos", ["completion", "bash"]);
    const complete = (words: string[]) => {
      const line = words.map((word) => JSON.stringify(word)).join(" ");
      const code = `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _daos; echo "\${COMPREPLY[@]}"`;
      const { stdout, stderr } = runProgram("bash", ["-c", code]);
      expect(stderr).toBe("");
      return stdout.trim().split(" ");
    };
    expect(complete(["daos", "cont"])).toEqual(["container", "cont"]);
    expect(complete(["daos", "container", "create"])).toEqual(["create", "create-snap"]);
    expect(complete(["daos", "cont", "-j", "list-s"])).toEqual(["list-snaps"]);
    expect(complete(["daos", "fs", "copy", "--no-v"])).toEqual(["--no-verify"]);
  });

  test("refuses a shell that it does not know", () => {
    const outcome = runJson("daos", ["completion"], ["csh"]);
    expect(outcome).toMatchObject({ error: { code: "DER_INVAL" }, exitStatus: 2 });
    for (const shell of ["bash", "zsh", "fish"]) {
      const { script } = answerOf("dmg", ["completion"], [shell]);
      for (const verb of ["aggregate", "set-size", "usage"]) expect(script).toContain(verb);
    }
  });
});
