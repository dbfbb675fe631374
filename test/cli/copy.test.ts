/**
 * `daos filesystem copy`, `ls` and `cat`: trees go in, from one container to another, and out as they were;
 * a killed copy is taken up; what cannot be copied is reported.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createCipheriv } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { listXattrs, Pool, setXattr } from "daos-ts";
import { plainEnvironment, runProgram, runSuccessfully } from "../support/processes.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { answerOf, programFile, run, runJson, runWell } from "./support/command-line.ts";

const MIB = 2 ** 20;
const COPY = ["filesystem", "copy"];
let folder: string;
let pool: string;
let results: string;

beforeEach(() => {
  folder = temporaryDirectory();
  pool = join(folder, "run.pool");
  results = `daos://${pool}/results`;
  using made = Pool.create({ path: pool, durability: "process" });
  made.createContainer("results");
  made.createContainer("other");
});

/** Bytes that look random and are the same in each run. */
function noise(size: number, seed: number): Buffer {
  const key = Buffer.alloc(16, seed);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** A tree with small, empty, large and sparse files, deep and empty directories, and odd names. */
function makeTree(root: string): void {
  mkdirSync(join(root, "deep", "er", "est"), { recursive: true });
  mkdirSync(join(root, "empty"));
  for (let file = 0; file < 40; file++) {
    writeFileSync(join(root, "deep", `file-${file}`), noise(file * 97, file));
  }
  writeFileSync(join(root, "deep", "er", "est", "large"), noise(9 * MIB + 5, 1));
  writeFileSync(join(root, "zero"), "");
  writeFileSync(join(root, "ümlaut and space"), "text");
  writeFileSync(join(root, "n".repeat(255)), "a long name");
  const sparse = openSync(join(root, "sparse"), "w");
  writeSync(sparse, Buffer.from("in the middle"), 0, 13, 40 * MIB);
  closeSync(sparse);
  truncateSync(join(root, "sparse"), 100 * MIB + 1);
}

/** Every path below a directory, with what it holds; `undefined` for a directory. */
function contents(root: string): Map<string, Buffer | undefined> {
  const paths = readdirSync(root, { recursive: true }).map(String).sort();
  return new Map(
    paths.map((path) => {
      const file = join(root, path);
      return [path, statSync(file).isDirectory() ? undefined : readFileSync(file)];
    }),
  );
}

/** Sets an extended attribute, where the file system keeps them. */
function canSetXattr(file: string, name: string, value: Uint8Array): boolean {
  try {
    setXattr(file, name, value);
    return true;
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ENOTSUP");
    return false;
  }
}

function expectSame(left: string, right: string): void {
  const [a, b] = [contents(left), contents(right)];
  expect([...b.keys()]).toEqual([...a.keys()]);
  const differ = [...a].filter(([path, bytes]) => {
    const other = b.get(path);
    return bytes === undefined || other === undefined ? bytes !== other : !bytes.equals(other);
  });
  expect(differ.map(([path]) => path)).toEqual([]);
}

describe("daos filesystem copy -r", () => {
  test("brings a tree in, to another container, and out as it was", () => {
    const [tree, out] = [join(folder, "tree"), join(folder, "out")];
    makeTree(tree);
    const copied = answerOf("daos", COPY, ["-r", tree, `${results}/a/tree`]);
    expect(copied).toMatchObject({ files: 45, directories: 5, skipped: 0, verified: 45 });
    expect(copied.failures).toEqual([]);
    // Many small files are one commit, not one each; times and modes of each depth are another one.
    const { commits } = answerOf("daos", ["container", "list-commits"], [results]);
    expect(commits.length).toBeLessThan(16);

    const other = `daos://${pool}/other/tree`;
    expect(answerOf("daos", COPY, ["-r", `${results}/a/tree`, other])).toMatchObject({ files: 45 });
    expect(answerOf("daos", COPY, ["-r", other, out])).toMatchObject({ files: 45, verified: 45 });
    expectSame(tree, out);
    // Of 100 MiB, a block or two are there.
    expect(lstatSync(join(out, "sparse")).blocks * 512).toBeLessThan(MIB);
  });

  test("copies again only what has changed", () => {
    const [tree, out] = [join(folder, "tree"), join(folder, "out")];
    makeTree(tree);
    answerOf("daos", COPY, ["-r", tree, `${results}/tree`]);
    const again = answerOf("daos", COPY, ["-r", tree, `${results}/tree`]);
    expect(again).toMatchObject({ files: 0, directories: 0, skipped: 45, bytes: 0 });
    // The same size, other bytes; and another size.
    writeFileSync(join(tree, "ümlaut and space"), "TEXT");
    writeFileSync(join(tree, "zero"), "no more");
    const changed = answerOf("daos", COPY, ["-r", "--checksum", tree, `${results}/tree`]);
    expect(changed).toMatchObject({ files: 2, skipped: 43, bytes: 11 });
    answerOf("daos", COPY, ["-r", `${results}/tree`, out]);
    expectSame(tree, out);
    expect(answerOf("daos", COPY, ["-r", `${results}/tree`, out])).toMatchObject({ files: 0 });
    writeFileSync(join(out, "zero"), "NO MORE");
    expect(answerOf("daos", COPY, ["-r", `${results}/tree`, out, "--checksum"]).files).toBe(1);
    expectSame(tree, out);
  });

  test("reads the version that is asked for", () => {
    const tree = join(folder, "tree");
    mkdirSync(tree);
    writeFileSync(join(tree, "file"), "old");
    answerOf("daos", COPY, ["-r", tree, `${results}/tree`]);
    answerOf("daos", ["container", "create-snap"], [results, "--snap", "old"]);
    writeFileSync(join(tree, "file"), "newer");
    answerOf("daos", COPY, ["-r", tree, `${results}/tree`]);
    answerOf("daos", COPY, [`${results}/tree/file`, join(folder, "old"), "--snap", "old"]);
    expect(readFileSync(join(folder, "old"), "utf8")).toBe("old");
    expect(runWell("daos", ["fs", "cat", `${results}/tree/file`])).toBe("newer");
    expect(runWell("daos", ["fs", "cat", `${results}/tree/file`, "--snap", "old"])).toBe("old");
  });

  test("reports what cannot be copied, and copies the rest", () => {
    const tree = join(folder, "tree");
    mkdirSync(join(tree, "clash"), { recursive: true });
    writeFileSync(join(tree, "good"), "good");
    runSuccessfully("mkfifo", [join(tree, "pipe")]);
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/bad`), Buffer.of(0xff)]), "bad");
    const clash = join(folder, "clash");
    writeFileSync(clash, "a file where a directory comes");
    answerOf("daos", COPY, [clash, `${results}/tree/clash`]);

    const outcome = runJson("daos", COPY, ["-r", tree, `${results}/tree`]);
    expect(outcome).toMatchObject({ error: { code: "DER_MISC", exitStatus: 11 }, exitStatus: 11 });
    expect(outcome.response).toMatchObject({ files: 1, verified: 1, failureCount: 2 });
    expect(outcome.response.failures.map(({ path }: { path: string }) => path).sort()).toEqual([
      join(tree, "0x626164ff"),
      join(tree, "clash"),
    ]);
    expect(outcome.response.warnings).toEqual([expect.stringContaining("pipe")]);
    expect(runWell("daos", ["fs", "cat", `${results}/tree/good`])).toBe("good");
    const { stderr, status } = run("daos", ["fs", "copy", "-r", tree, `${results}/tree`]);
    expect(status).toBe(11);
    expect(stderr).toMatch(/warning: .*pipe[\s\S]*error: Copying .*2 entries could not be copied/);
  });

  test("takes modes, times, attributes and symbolic links along, in, across and out", () => {
    const tree = join(folder, "tree");
    mkdirSync(join(tree, "private"), { recursive: true });
    writeFileSync(join(tree, "private", "run.sh"), "#!/bin/sh");
    writeFileSync(join(tree, "large"), noise(3 * MIB, 2));
    symlinkSync("private/run.sh", join(tree, "link"));
    symlinkSync("nowhere", join(tree, "dangling"));
    const note = Buffer.from("from the cluster");
    const keepsXattrs = canSetXattr(join(tree, "large"), "user.note", note);
    chmodSync(join(tree, "private", "run.sh"), 0o750);
    chmodSync(join(tree, "large"), 0o604);
    chmodSync(join(tree, "private"), 0o2710);
    lutimesSync(join(tree, "link"), 5000.5, 5000.25);
    for (const [name, time] of [
      ["private/run.sh", 1_000_000.125],
      ["large", 2_000_000.5],
      ["private", 3_000_000.75],
      [".", 4_000_000.25],
    ] as const) {
      utimesSync(join(tree, name), time, time);
    }
    const copied = answerOf("daos", COPY, ["-r", tree, `${results}/in/tree`]);
    expect(copied).toMatchObject({ files: 2, directories: 2, links: 2, warnings: [] });
    answerOf("daos", COPY, ["-r", `${results}/in/tree`, `daos://${pool}/other/tree`]);
    const out = join(folder, "out");
    const last = answerOf("daos", COPY, ["-r", `daos://${pool}/other/tree`, out]);
    expect(last).toMatchObject({ files: 2, directories: 2, links: 2, warnings: [] });
    for (const name of [".", "private", "private/run.sh", "large", "link", "dangling"]) {
      const [before, after] = [tree, out].map((root) => lstatSync(join(root, name)));
      expect({ name, mode: after?.mode, time: after?.mtimeMs }).toEqual({
        name,
        mode: before?.mode,
        time: before?.mtimeMs,
      });
    }
    expect(readlinkSync(join(out, "link"))).toBe("private/run.sh");
    expect(readlinkSync(join(out, "dangling"))).toBe("nowhere");
    if (keepsXattrs) expect(listXattrs(join(out, "large")).get("user.note")).toEqual(note);

    // Only a mode and a link were changed since.
    chmodSync(join(tree, "large"), 0o640);
    rmSync(join(tree, "link"));
    symlinkSync("large", join(tree, "link"));
    const again = answerOf("daos", COPY, ["-r", tree, `${results}/in/tree`]);
    expect(again).toMatchObject({ files: 0, skipped: 3, links: 1, failures: [] });
    const { entries } = answerOf("daos", ["filesystem", "ls"], [`${results}/in/tree`]);
    expect(entries).toContainEqual(expect.objectContaining({ path: "large", mode: "0640" }));
  });

  test("never leaves through a link, in the source or in the target", () => {
    const [tree, secret, out] = [join(folder, "tree"), join(folder, "secret"), join(folder, "out")];
    for (const directory of [tree, secret, out]) mkdirSync(directory);
    writeFileSync(join(secret, "key"), "secret");
    symlinkSync(secret, join(tree, "directory"));
    symlinkSync(join(secret, "key"), join(tree, "file"));
    runJson("daos", COPY, ["-r", tree, `${results}/tree`]);
    const { entries } = answerOf("daos", ["filesystem", "ls"], ["-R", `${results}/tree`]);
    const kinds = entries.map(({ kind }: { kind: string }) => kind);
    expect(kinds.filter((kind: string) => kind === "file" || kind === "directory")).toEqual([]);

    // A directory of the container that meets a link in the target.
    const inside = join(folder, "inside", "directory");
    mkdirSync(inside, { recursive: true });
    writeFileSync(join(inside, "key"), "overwritten");
    answerOf("daos", COPY, ["-r", join(inside, ".."), `${results}/inside`]);
    symlinkSync(secret, join(out, "directory"));
    const outcome = runJson("daos", COPY, ["-r", `${results}/inside`, out]);
    expect(outcome).toMatchObject({ response: { files: 0, failureCount: 1 }, exitStatus: 11 });
    expect(readFileSync(join(secret, "key"), "utf8")).toBe("secret");
  });

  test("an unreadable file is reported by its user", () => {
    if (process.getuid?.() !== 0) return expect(process.getuid?.()).not.toBe(0);
    const tree = join(folder, "tree");
    mkdirSync(tree);
    writeFileSync(join(tree, "open"), "open");
    writeFileSync(join(tree, "closed"), "closed");
    chmodSync(join(tree, "closed"), 0o600);
    runProgram("chown", ["-R", "65534:65534", pool]);
    const owner = ["--user", "nobody", "--group", "nogroup"];
    answerOf("dmg", ["pool", "set-owner"], [pool, ...owner]);
    answerOf("daos", ["container", "set-owner"], [pool, "results", ...owner]);
    runProgram("chmod", ["a+rx", folder]);
    const identity = { uid: 65_534, gid: 65_534 };
    const { response, exitStatus } = runJson("daos", COPY, ["-r", tree, `${results}/t`], identity);
    expect(exitStatus).toBe(11);
    expect(response).toMatchObject({ files: 1, failures: [{ code: "DER_NO_PERM" }] });
  });

  test("a full pool ends the copy of what does not fit, and what fits is there", () => {
    const [small, tree] = [join(folder, "small.pool"), join(folder, "tree")];
    answerOf("dmg", ["pool", "create"], [small, "--scm-size", "4MiB", "--nvme-size", "4MiB"]);
    answerOf("daos", ["container", "create"], [small, "results"]);
    mkdirSync(tree);
    writeFileSync(join(tree, "a-small"), noise(1000, 1));
    writeFileSync(join(tree, "b-large"), noise(8 * MIB, 2));
    const outcome = runJson("daos", COPY, ["-r", tree, `daos://${small}/results/tree`]);
    expect(outcome.exitStatus).toBe(11);
    expect(outcome.response).toMatchObject({ files: 1, verified: 1 });
    expect(outcome.response.failures).toMatchObject([{ code: "DER_NOSPACE" }]);
    const { entries } = answerOf("daos", ["filesystem", "ls"], [`daos://${small}/results/tree`]);
    expect(entries.map(({ path }: { path: string }) => path)).toEqual(["a-small"]);
  });
});

describe("a copy that is killed", () => {
  /** Starts a copy in a process of its own, and kills it after a while. */
  async function killedCopy(args: readonly string[], afterMs: number): Promise<boolean> {
    const child: ChildProcess = spawn(
      process.execPath,
      [programFile("daos"), "filesystem", "copy", "-r", ...args],
      { env: plainEnvironment(), stdio: "ignore" },
    );
    const ended = once(child, "exit");
    await setTimeout(afterMs);
    child.kill("SIGKILL");
    const [, signal] = await ended;
    return signal === "SIGKILL";
  }

  test.each(["in", "out"])("on its way %s is taken up, and leaves nothing behind", async (way) => {
    const [tree, out] = [join(folder, "tree"), join(folder, "out")];
    makeTree(tree);
    for (let file = 0; file < 12; file++) {
      writeFileSync(join(tree, "deep", "er", `large-${file}`), noise(5 * MIB, file));
    }
    const inside = `${results}/tree`;
    if (way === "out") answerOf("daos", COPY, ["-r", tree, inside]);
    const args = way === "in" ? [tree, inside] : [inside, out];
    let kills = 0;
    for (const afterMs of [300, 450, 600, 750, 900]) {
      if (await killedCopy(args, afterMs)) kills += 1;
    }
    expect(kills).toBeGreaterThan(0);
    answerOf("daos", COPY, ["-r", ...args]);
    // Whole, as a copy in the other direction shows; and no temporary file is left.
    if (way === "in") answerOf("daos", COPY, ["-r", inside, out]);
    expectSame(tree, out);
    expect(answerOf("daos", COPY, ["-r", "--checksum", ...args])).toMatchObject({ files: 0 });
  });
});

describe("daos filesystem copy", () => {
  test("takes a single file, under a new name or into a directory", () => {
    const file = join(folder, "file");
    writeFileSync(file, "one");
    utimesSync(file, 1, 1);
    answerOf("daos", COPY, [file, `${results}/new`]);
    answerOf("daos", COPY, [file, `${results}/directory/`]);
    answerOf("daos", COPY, [`${results}/directory/file`, `${folder}/back`]);
    // Without daos://, a way that leads through a pool is one of its container.
    answerOf("daos", COPY, [join(pool, "results", "new"), `${folder}/again`]);
    expect(readFileSync(join(folder, "back"), "utf8")).toBe("one");
    expect(readFileSync(join(folder, "again"), "utf8")).toBe("one");
    expect(existsSync(join(pool, "results"))).toBe(false);
  });

  test.each([
    ["nothing", () => [], 2],
    ["no target", () => ["/tmp"], 2],
    ["two real files", () => [folder, join(folder, "b")], 2],
    ["a directory without -r", () => [folder, results], 2],
    ["a file that is not there", () => [join(folder, "none"), `${results}/none`], 3],
    ["a path that is not there", () => [`${results}/none`, join(folder, "none")], 3],
    ["a container that is not there", () => [folder, `daos://${pool}/none/a`], 3],
    ["a pool without a container", () => [folder, `daos://${pool}`], 2],
    ["a version of real files", () => [folder, results, "--epc", "1"], 2],
  ])("refuses %s", (_, args, exitStatus) => {
    expect(runJson("daos", COPY, args())).toMatchObject({ response: null, exitStatus });
  });
});

describe("daos filesystem ls and cat", () => {
  test("list and print what is there", () => {
    const tree = join(folder, "tree");
    makeTree(tree);
    answerOf("daos", COPY, ["-r", tree, `${results}/tree`]);
    const { entries } = answerOf("daos", ["filesystem", "ls"], ["-R", `${results}/tree`]);
    const listed = entries.map(({ path }: { path: string }) => path).sort();
    expect(listed).toEqual(readdirSync(tree, { recursive: true }).map(String).sort());
    const large = entries.find(({ path }: { path: string }) => path === "deep/er/est/large");
    expect(large).toMatchObject({ kind: "file", size: 9 * MIB + 5 });
    const one = answerOf("daos", ["filesystem", "ls"], [`${results}/tree/zero`]);
    expect(one.entries).toMatchObject([{ path: "zero", size: 0 }]);

    const text = answerOf("daos", ["filesystem", "cat"], [`${results}/tree/ümlaut and space`]);
    expect(text).toMatchObject({ size: 4, encoding: "utf8", content: "text" });
    const bytes = answerOf("daos", ["filesystem", "cat"], [`${results}/tree/deep/file-3`]);
    expect(bytes.encoding).toBe("base64");
    expect(Buffer.from(bytes.content, "base64")).toEqual(noise(291, 3));
    const { status } = runProgram("bash", [
      "-c",
      `set -o pipefail; "${process.execPath}" "${programFile("daos")}" fs cat "${results}/tree/deep/er/est/large" | cmp - "${tree}/deep/er/est/large"`,
    ]);
    expect(status).toBe(0);
    // Whoever reads only the beginning ends the program, without an error.
    const head = runProgram("bash", [
      "-c",
      `"${process.execPath}" "${programFile("daos")}" fs cat "${results}/tree/deep/er/est/large" | head -c 5 | wc -c`,
    ]);
    expect(head).toMatchObject({ stdout: "5\n", stderr: "" });
    expect(runJson("daos", ["filesystem", "cat"], [`${results}/tree`]).exitStatus).toBe(2);
    expect(runJson("daos", ["filesystem", "cat"], [`${results}/none`]).exitStatus).toBe(3);
    expect(runJson("daos", ["filesystem", "ls"], [`${results}/zero/none`]).exitStatus).toBe(3);
    rmSync(tree, { recursive: true });
  });
});

describe("on a terminal", () => {
  const script = runProgram("script", ["--version"]).status === 0 ? test : test.skip;

  /** Runs a command with a terminal as its output. */
  function onTerminal(words: string, env: NodeJS.ProcessEnv = {}): string {
    const command = `"${process.execPath}" "${programFile("daos")}" ${words}`;
    const plain = plainEnvironment({ TERM: "xterm", COLUMNS: "100", ...env });
    if (env.NO_COLOR === undefined) delete plain.NO_COLOR;
    return runSuccessfully("script", ["-qec", command, "/dev/null"], { env: plain }).stdout;
  }

  script("prints tables with heads, sizes with units, and progress", () => {
    const tree = join(folder, "tree");
    makeTree(tree);
    const copied = onTerminal(`fs copy -r ${tree} ${results}/tree`);
    // The time left is shown while there is some: a fast copy never does.
    expect(copied).toMatch(/copy .*█.*% .* of 109 MiB .*\/s/);
    expect(copied).toMatch(/Copied 45 files, 109 MiB in .*\/s\)\.\r\n.*Verified 45 files\./);
    const quiet = onTerminal(`fs copy -r ${tree} ${results}/quiet --quiet`);
    expect(quiet).not.toContain("█");
    const query = onTerminal(`pool query ${pool}`);
    expect(query).toMatch(/Recyclable[\s\S]*nvme .* [KMGT]iB/);
    expect(query).toContain("\u001b[");
    expect(onTerminal(`pool query ${pool}`, { NO_COLOR: "1" })).not.toContain("\u001b[");
    expect(onTerminal("pool query --help", { NO_COLOR: "1" })).not.toContain("\u001b[");
    expect(onTerminal(`pool query ${pool} --json`)).toMatch(/^\{\r\n {2}"response"/);
  });
});
