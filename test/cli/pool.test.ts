/**
 * The verbs of pools, storage and health, run for real.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { ObjectType, Pattern, Pool, wholeOf } from "daos-ts";
import { runProgram } from "../support/processes.ts";
import { parsePrometheus } from "../support/prometheus.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { answerOf, programFile, run, runJson, runWell } from "./support/command-line.ts";

const MIB = 2 ** 20;
let folder: string;
let pool: string;

/** Commits bytes to an object of a container, so often that there is something to aggregate. */
function writeCommits(directory: string, label: string, count: number): bigint {
  using opened = Pool.connect(directory);
  const container = opened.openContainer(label);
  const oid = container.allocateOid(ObjectType.arrayByte);
  const bytes = Buffer.alloc(256 * 1024, 7);
  const range = wholeOf(Pattern.contiguous(0, bytes.length));
  for (let commit = 0; commit < count; commit++) {
    container.update((tx) => tx.write(oid, range, bytes, 0n));
  }
  return oid;
}

beforeAll(() => {
  folder = temporaryDirectory({ until: "file" });
  pool = join(folder, "run.pool");
  answerOf("dmg", ["pool", "create"], [pool, "--size", "64MiB", "--label", "run"]);
  answerOf("daos", ["container", "create"], [pool, "results"]);
});

describe("dmg pool create", () => {
  test("answers what query answers, with the limits that were asked for", () => {
    const directory = join(folder, "limits.pool");
    const args = [directory, "--scm-size", "4MiB", "--nvme-size", "16 MiB", "--durability"];
    const created = answerOf("dmg", ["pool", "create"], [...args, "process"]);
    expect(created).toMatchObject({ path: directory, label: "limits.pool", durability: "process" });
    expect([created.scm.limit, created.nvme.limit]).toEqual([4 * MIB, 16 * MIB]);
    expect(created.notes).toHaveLength(1);
    expect(answerOf("daos", ["pool", "query"], [directory])).toEqual(created);
    rmSync(directory, { recursive: true });
  });

  test("puts tiers elsewhere", () => {
    const directory = join(folder, "tiers.pool");
    const [scm, nvme] = [join(folder, "fast"), join(folder, "large")];
    answerOf("dmg", ["pool", "create"], [directory, "--scm", scm, "--nvme", nvme]);
    const { tiers } = answerOf("dmg", ["storage", "query", "usage"], [directory]);
    expect(tiers.map((tier: { directory: string }) => tier.directory)).toEqual([scm, nvme]);
    for (const path of [directory, scm, nvme]) rmSync(path, { recursive: true });
  });

  test.each([
    ["a pool that exists", () => [pool], "DER_EXIST", 4],
    ["a bad label", () => [join(folder, "new"), "--label", "a/b"], "DER_INVAL", 2],
    ["a size that is too small", () => [join(folder, "new"), "--size", "1k"], "DER_INVAL", 2],
    ["a size that is none", () => [join(folder, "new"), "--size", "much"], "DER_INVAL", 2],
    [
      "two kinds of sizes",
      () => [join(folder, "new"), "--size", "1G", "--scm-size", "9M"],
      "DER_INVAL",
      2,
    ],
    ["no directory", () => [], "DER_INVAL", 2],
    ["two directories", () => [join(folder, "new"), join(folder, "other")], "DER_INVAL", 2],
  ])("refuses %s", (_, args, code, exitStatus) => {
    const outcome = runJson("dmg", ["pool", "create"], args());
    expect(outcome).toMatchObject({ response: null, error: { code, exitStatus }, exitStatus });
    expect(readdirSync(folder)).toEqual(["run.pool"]);
  });
});

describe("dmg pool metrics", () => {
  test("W7: prints what Prometheus reads, with the space that query tells", () => {
    const { samples } = parsePrometheus(runWell("dmg", ["pool", "metrics", pool]));
    const { nvme } = answerOf("daos", ["pool", "query"], [pool]);
    const labels = [
      ["kind", "total"],
      ["pool", "run"],
      ["tier", "nvme"],
    ];
    expect(samples.get(`daos_pool_space_bytes${JSON.stringify(labels)}`)).toBe(nvme.total);
    const { text } = answerOf("dmg", ["pool", "metrics"], [pool]);
    expect(parsePrometheus(text).samples.size).toBe(samples.size);
  });
});

describe("daos pool query", () => {
  test.each([
    ["its directory", () => [pool], {}],
    ["its label", () => ["run", "--pool-root", folder], {}],
    ["its directory's name", () => ["run.pool", "--pool-root", folder], {}],
    ["an address", () => [`daos://${pool}`], {}],
    ["an address by name", () => ["daos://run.pool", "--pool-root", folder], {}],
  ])("finds a pool by %s", (_, args) => {
    expect(answerOf("daos", ["pool", "query"], args()).path).toBe(pool);
  });

  test("finds a pool by its UUID, and by the roots of the environment", () => {
    const { uuid } = answerOf("daos", ["pool", "query"], [pool]);
    const env = { DAOS_POOL_PATH: `/nonexistent:${folder}` };
    expect(answerOf("daos", ["pool", "query"], [uuid], { env }).path).toBe(pool);
    const root = { DAOS_POOL_ROOT: folder };
    expect(answerOf("daos", ["pool", "query"], ["run"], { env: root }).path).toBe(pool);
    expect(answerOf("daos", ["pool", "query"], ["run"], { cwd: folder }).path).toBe(pool);
  });

  test("refuses a label that two pools have", () => {
    const other = join(folder, "other.pool");
    answerOf("dmg", ["pool", "create"], [other, "--label", "run"]);
    const outcome = runJson("daos", ["pool", "query"], ["run", "--pool-root", folder]);
    expect(outcome).toMatchObject({ error: { code: "DER_INVAL" }, exitStatus: 2 });
    rmSync(other, { recursive: true });
  });

  test.each([
    ["a directory that holds none", () => [folder], 3],
    ["a name that is nowhere", () => ["nowhere"], 3],
    ["an address that goes on", () => [`daos://${pool}/results`], 2],
  ])("ends with the status of its kind for %s", (_, args, exitStatus) => {
    expect(runJson("daos", ["pool", "query"], args())).toMatchObject({
      response: null,
      exitStatus,
    });
  });

  test("a damaged superblock ends with status 8", () => {
    const damaged = join(folder, "damaged.pool");
    answerOf("dmg", ["pool", "create"], [damaged]);
    const file = join(damaged, "POOL");
    const bytes = readFileSync(file);
    bytes[20] = (bytes[20] as number) ^ 0xff;
    writeFileSync(file, bytes);
    expect(runJson("daos", ["pool", "query"], [damaged])).toMatchObject({
      error: { code: "DER_DF_INVAL" },
      exitStatus: 8,
    });
    const { pools } = answerOf("daos", ["pool", "list"], [folder]);
    const states = pools.map(({ path, state }: { path: string; state: string }) => [path, state]);
    expect(states).toEqual([
      [damaged, "unreadable"],
      [pool, "ready"],
    ]);
    const health = runJson("daos", ["health", "check"], [damaged]);
    expect(health).toMatchObject({ response: { state: "failed" }, exitStatus: 8 });
    rmSync(damaged, { recursive: true });
  });

  test("prints tab-separated rows into a pipe, in bytes and without colours", () => {
    const lines = runWell("daos", ["pool", "query", pool]).trimEnd().split("\n");
    expect(lines[0]).toBe("Pool\trun");
    const nvme = lines.at(-1)?.split("\t");
    expect(nvme?.slice(0, 3)).toEqual(["nvme", String(56 * MIB), "yes"]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are looked for.
    expect(lines.join("\n")).not.toMatch(/\u001b/);
  });
});

describe("daos pool list", () => {
  test("lists pools below directories, and neither links nor what is in a pool", () => {
    mkdirSync(join(folder, "deep", "er"), { recursive: true });
    const below = join(folder, "deep", "er", "below.pool");
    answerOf("dmg", ["pool", "create"], [below]);
    const paths = (args: string[]) =>
      answerOf("daos", ["pool", "list"], args).pools.map(({ path }: { path: string }) => path);
    expect(paths([folder])).toEqual([below, pool]);
    expect(paths([folder, "--depth", "1"])).toEqual([pool]);
    expect(paths([folder, folder])).toEqual([below, pool]);
    expect(paths(["--pool-root", join(folder, "deep")])).toEqual([below]);
    rmSync(join(folder, "deep"), { recursive: true });
    expect(runJson("dmg", ["pool", "list"], [join(folder, "deep")]).exitStatus).toBe(3);
  });
});

describe("dmg pool set-size", () => {
  test("changes and removes limits", () => {
    const sized = answerOf("dmg", ["pool", "set-size"], [pool, "--size", "128MiB"]);
    expect(sized.nvme.limit + sized.scm.limit).toBe(128 * MIB);
    const unlimited = answerOf("dmg", ["pool", "set-size"], [pool, "--unlimited"]);
    expect([unlimited.scm.limit, unlimited.nvme.limit]).toEqual([undefined, undefined]);
    expect(runJson("dmg", ["pool", "set-size"], [pool]).exitStatus).toBe(2);
    const both = [pool, "--unlimited", "--size", "1G"];
    expect(runJson("dmg", ["pool", "set-size"], both).exitStatus).toBe(2);
  });

  test("ends with status 6 if the pool holds more", () => {
    writeCommits(pool, "results", 40);
    const outcome = runJson("dmg", ["pool", "set-size"], [pool, "--nvme-size", "2MiB"]);
    expect(outcome).toMatchObject({ error: { code: "DER_NOSPACE" }, exitStatus: 6 });
  });
});

describe("dmg pool aggregate and recover", () => {
  test("frees what no reader sees", () => {
    writeCommits(pool, "results", 10);
    const answer = answerOf("dmg", ["pool", "aggregate"], [pool]);
    expect(answer.containers).toHaveLength(1);
    expect(answer.containers[0]).toMatchObject({ container: "results", state: "done" });
    expect(answer.containers[0].bytes).toBeGreaterThanOrEqual(8 * 256 * 1024);
    const again = answerOf("dmg", ["pool", "aggregate"], [pool, "results", "--no-compact"]);
    expect(again.containers[0]).toMatchObject({ bytes: 0, runs: 0 });
    const unknown = runJson("dmg", ["pool", "aggregate"], [pool, "none"]);
    expect(unknown).toMatchObject({ error: { code: "DER_NONEXIST" }, exitStatus: 3 });
  });

  test("takes back what a killed writer held", () => {
    const code = `
      import { ObjectType, Pattern, Pool, wholeOf } from ${JSON.stringify(programFile("daos").replace("cli/daos.js", "core/index.js"))};
      const container = Pool.connect(${JSON.stringify(pool)}).openContainer("results");
      const tx = container.begin();
      const bytes = Buffer.alloc(1 << 20, 1);
      tx.write(container.allocateOid(ObjectType.arrayByte), wholeOf(Pattern.contiguous(0, bytes.length)), bytes, 0n);
      process.kill(process.pid, "SIGKILL");`;
    runProgram(process.execPath, ["--input-type=module", "-e", code]);
    const health = answerOf("daos", ["health", "check"], [pool]);
    expect(health.findings).toContainEqual(
      expect.objectContaining({ check: "writers", state: "warning" }),
    );
    expect(answerOf("dmg", ["pool", "recover"], [pool]).reclaimed).toBeGreaterThan(0);
    expect(answerOf("dmg", ["pool", "recover"], [pool])).toMatchObject({ reclaimed: 0 });
    expect(answerOf("daos", ["health", "check"], [pool]).findings).toContainEqual(
      expect.objectContaining({ check: "writers", state: "ok" }),
    );
  });
});

describe("dmg scrub and daos container check", () => {
  test("find nothing in a sound pool, and the damage in a damaged one", () => {
    answerOf("daos", ["container", "create"], [pool, "other"]);
    writeCommits(pool, "results", 1);
    const sound = answerOf("dmg", ["scrub"], [pool]);
    expect(sound).toMatchObject({ damageCount: 0, damages: [] });
    expect(sound.blocks).toBeGreaterThan(0);

    const nvme = join(pool, "nvme");
    for (const name of readdirSync(nvme)) {
      const bytes = readFileSync(join(nvme, name));
      bytes.fill(0xee, 64 * 1024);
      writeFileSync(join(nvme, name), bytes);
    }
    const damaged = runJson("dmg", ["scrub"], [pool]);
    expect(damaged).toMatchObject({ error: { code: "DER_CSUM" }, status: -2021, exitStatus: 8 });
    expect(damaged.response.damages[0]).toMatchObject({ container: "results", start: 0 });
    const checked = runJson("daos", ["container", "check"], [pool, "results"]);
    expect(checked).toMatchObject({ error: { code: "DER_CSUM" }, exitStatus: 8 });
    expect(checked.response.damages).toEqual(damaged.response.damages);
    const other = runJson("daos", ["container", "check"], [`daos://${pool}/other`]);
    expect(other).toMatchObject({ response: { damageCount: 0 }, error: null, exitStatus: 0 });

    const { status, stdout, stderr } = run("dmg", ["scrub", pool]);
    expect(status).toBe(8);
    // The bytes of a file lie under no key.
    expect(stdout).toMatch(/^results\t[0-9a-f]+\.[0-9a-f]+\t\t0\t\d+\t\d+\t\d+\n/);
    expect(stderr).toMatch(/^error: .* failed: .*cannot be read\.\n {2}do: /);
  });
});

describe("daos health check", () => {
  test("finds the native parts, and tells a directory that is no place for pools", () => {
    const { response, exitStatus } = runJson("daos", ["health", "check"], ["--json"]);
    expect(exitStatus).toBe(0);
    const checks = response.findings.map(({ check }: { check: string }) => check);
    expect(checks).toEqual(
      expect.arrayContaining(["Node.js", "storage addon", "index addon", "MPI"]),
    );
    const missing = runJson("daos", ["health", "check"], ["nowhere"]);
    expect(missing).toMatchObject({ response: null, exitStatus: 3 });
  });
});
