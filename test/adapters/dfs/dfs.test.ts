/**
 * The file system front end: what node:fs/promises promises, in one commit per call, at any version.
 */

import os from "node:os";
import { describe, expect, test } from "@jest/globals";
import { type Container, isDaosError, Pool } from "daos-ts";
import { Dfs, isDfsError, type OpenFlags, parseLocation, ROOT_OID } from "daos-ts/dfs";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { connectAgain, newestEpoch, temporaryContainer } from "../temporary-container.ts";

/** The POSIX code with which a promise is rejected; undefined if it is not. */
async function posixOf(call: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (!isDfsError(error)) throw error;
    return error.code;
  }
}

/** Lets another mount do something once, after the next transaction has read and before it commits. */
function interfere(
  container: Container,
  other: Dfs,
  call: () => Promise<unknown>,
): { attempts: number } {
  const seen = { attempts: 0 };
  const run = Object.getPrototypeOf(container).runTransaction as Container["runTransaction"];
  container.runTransaction = (body, options) =>
    run.call(
      container,
      (scope) => {
        const isFirst = ++seen.attempts === 1;
        const result = body(scope);
        if (isFirst) {
          void call();
          // A call sees those before it: they are committed now.
          void other.stat("/");
        }
        return result;
      },
      options,
    ) as never;
  return seen;
}

function mounted(): Dfs {
  return Dfs.mount(temporaryContainer({ retainCommits: 50 }).container);
}

describe("Dfs", () => {
  test("reads back what was written, as bytes and as text", async () => {
    const dfs = mounted();
    await dfs.writeFile("a", "Grüße");
    expect(await dfs.readFile("a", "utf8")).toBe("Grüße");
    expect([...(await dfs.readFile("/a"))]).toEqual([...Buffer.from("Grüße")]);
    await dfs.writeFile("empty", new Uint8Array(0));
    expect(await dfs.readFile("empty")).toHaveLength(0);
  });

  test("leaves nothing of longer content that was replaced", async () => {
    const dfs = mounted();
    await dfs.writeFile("a", "0123456789");
    const { birthtime } = await dfs.stat("a");
    await dfs.writeFile("a", "ab");
    expect(await dfs.readFile("a", "utf8")).toBe("ab");
    expect(await dfs.stat("a")).toMatchObject({ size: 2, mode: 0o100644, birthtime });
    const handle = await dfs.open("a", "r+");
    await handle.write(Buffer.from("z"), { position: 5 });
    await handle.close();
    expect(await dfs.readFile("a")).toEqual(Buffer.from("ab\0\0\0z"));
  });

  test("replaces a file in one commit: name and bytes appear together", async () => {
    const { container } = temporaryContainer({ retainCommits: 50 });
    const dfs = Dfs.mount(container);
    await dfs.writeFile("a", "one");
    await dfs.writeFile("a", "two");
    const seen = container.commits().map(({ epoch }) => Dfs.mount(container, { epoch }));
    expect(await Promise.all(seen.map((at) => at.readFile("a", "utf8")))).toEqual(["two", "one"]);
  });

  test("lists, describes and removes directories", async () => {
    const dfs = mounted();
    await dfs.mkdir("b/c", { recursive: true });
    await dfs.mkdir("b/c", { recursive: true });
    await dfs.writeFile("b/a", "x");
    expect(await dfs.readdir("/")).toEqual(["b"]);
    const entries = await dfs.readdir("b", { withFileTypes: true });
    expect(entries.map((entry) => [entry.name, entry.isFile(), entry.isDirectory()])).toEqual([
      ["a", true, false],
      ["c", false, true],
    ]);
    expect((await dfs.stat("b")).isDirectory()).toBe(true);
    expect(Math.abs(Date.now() - (await dfs.stat("b/a")).birthtime.getTime())).toBeLessThan(60_000);
    await dfs.rmdir("b/c");
    await dfs.rm("b/a");
    expect(await dfs.readdir("b")).toEqual([]);
    expect(await dfs.exists("b/a")).toBe(false);
    expect(await dfs.exists("b")).toBe(true);
  });

  test("removes a tree in one commit, and an earlier version still has it", async () => {
    const { container } = temporaryContainer({ retainCommits: 50 });
    const dfs = Dfs.mount(container);
    await dfs.mkdir("t/u", { recursive: true });
    await dfs.writeFile("t/u/v", "deep");
    const before = newestEpoch(container);
    await dfs.rm("t", { recursive: true });
    expect(await dfs.readdir("/")).toEqual([]);
    await dfs.mkdir("t/u", { recursive: true });
    expect(await dfs.readdir("t/u")).toEqual([]);
    using old = Dfs.mount(container, { epoch: before });
    expect(await old.readFile("t/u/v", "utf8")).toBe("deep");
  });

  test.each<[string, string, (dfs: Dfs) => Promise<unknown>]>([
    ["reading what is not there", "ENOENT", (dfs) => dfs.readFile("none")],
    ["reading a directory", "EISDIR", (dfs) => dfs.readFile("d")],
    ["reading below a file", "ENOTDIR", (dfs) => dfs.readFile("f/x")],
    ["writing without the directory", "ENOENT", (dfs) => dfs.writeFile("none/x", "")],
    ["writing below a file", "ENOTDIR", (dfs) => dfs.writeFile("f/x", "")],
    ["writing to a directory", "EISDIR", (dfs) => dfs.writeFile("d", "")],
    ["writing to the root", "EISDIR", (dfs) => dfs.writeFile("/", "")],
    ["making what exists", "EEXIST", (dfs) => dfs.mkdir("d")],
    ["making the root", "EEXIST", (dfs) => dfs.mkdir("/")],
    ["making a directory where a file is", "EEXIST", (dfs) => dfs.mkdir("f", { recursive: true })],
    [
      "making a directory below a file",
      "ENOTDIR",
      (dfs) => dfs.mkdir("f/x/y", { recursive: true }),
    ],
    ["making without the parent", "ENOENT", (dfs) => dfs.mkdir("none/x")],
    ["listing a file", "ENOTDIR", (dfs) => dfs.readdir("f")],
    ["listing what is not there", "ENOENT", (dfs) => dfs.readdir("none")],
    ["asking about what is not there", "ENOENT", (dfs) => dfs.stat("none")],
    ["removing what is not there", "ENOENT", (dfs) => dfs.rm("none")],
    ["removing a directory as a file", "EISDIR", (dfs) => dfs.rm("d")],
    ["removing a directory that is full", "ENOTEMPTY", (dfs) => dfs.rmdir("d")],
    ["removing a file as a directory", "ENOTDIR", (dfs) => dfs.rmdir("f")],
    ["removing the root", "EBUSY", (dfs) => dfs.rm("/", { recursive: true })],
    ["a name of 256 bytes", "ENAMETOOLONG", (dfs) => dfs.writeFile("n".repeat(256), "")],
    ["an empty path", "ENOENT", (dfs) => dfs.readFile("")],
    ["a zero byte", "EINVAL", (dfs) => dfs.readFile("f\0")],
    ["opening what is not there", "ENOENT", (dfs) => dfs.open("none")],
    ["opening a directory", "EISDIR", (dfs) => dfs.open("d", "r+")],
    ["opening exclusively what exists", "EEXIST", (dfs) => dfs.open("f", "wx")],
    ["opening with other flags", "EINVAL", (dfs) => dfs.open("f", "toString" as OpenFlags)],
  ])("%s is %s, and changes nothing", async (_what, code, call) => {
    const dfs = mounted();
    await dfs.mkdir("d");
    await dfs.writeFile("d/g", "g");
    await dfs.writeFile("f", "f");
    expect(await posixOf(() => call(dfs))).toBe(code);
    expect(await dfs.readdir("/")).toEqual(["d", "f"]);
    expect(await dfs.readdir("d")).toEqual(["g"]);
    expect(await dfs.readFile("f", "utf8")).toBe("f");
  });

  test("errors have a DAOS code too, and say what to do", async () => {
    const error: unknown = await mounted()
      .readFile("none")
      .catch((reason) => reason);
    expect(isDaosError(error, "DER_NONEXIST")).toBe(true);
    expect(isDfsError(error, "ENOENT")).toBe(true);
    expect(isDfsError(error, "EISDIR")).toBe(false);
    expect(isDaosError(error, "DER_EXIST")).toBe(false);
    const errno = -os.constants.errno.ENOENT;
    expect(error).toMatchObject({ code: "ENOENT", daosCode: "DER_NONEXIST", errno, path: "none" });
  });

  test("stores who created a file, and reads inodes of version 1 too", async () => {
    const { container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    await dfs.writeFile("a", "x");
    const { uid, gid, oid, birthtime } = await dfs.stat("a");
    expect([uid, gid]).toEqual([process.getuid?.(), process.getgid?.()]);
    const value = Buffer.alloc(32);
    value.writeUInt8(1, 0);
    value.writeUInt32BE(0o600, 4);
    value.writeBigUInt64BE(BigInt(birthtime.getTime()) * 1_000_000n, 8);
    value.writeBigUInt64BE(oid >> 64n, 16);
    value.writeBigUInt64BE(oid & 0xffff_ffff_ffff_ffffn, 24);
    const name = { oid: ROOT_OID, dkey: Buffer.from("a"), akey: Buffer.from("DFS_INODE") };
    container.update((own) => own.put({ ...name, value, condition: "update" }));
    expect(await dfs.stat("a")).toMatchObject({ mode: 0o100600, uid: 0, gid: 0, oid, birthtime });
    expect(await dfs.readFile("a", "utf8")).toBe("x");
    for (const damage of [
      value.subarray(1),
      Buffer.from(value).fill(2, 1, 2),
      value.fill(3, 0, 1),
    ]) {
      container.update((own) => own.put({ ...name, value: damage, condition: "update" }));
      expect(await posixOf(() => dfs.stat("a"))).toBe("EIO");
    }
  });

  test("rm() with force is content with nothing", async () => {
    await expect(mounted().rm("none", { force: true })).resolves.toBeUndefined();
  });

  test("makes a change again when another process changed the same names meanwhile", async () => {
    const { pool, container } = temporaryContainer();
    const other = Dfs.mount(connectAgain(pool));
    const dfs = Dfs.mount(container);
    const mkdir = interfere(container, other, () => other.mkdir("runs/b", { recursive: true }));
    await dfs.mkdir("runs/a", { recursive: true });
    expect(mkdir.attempts).toBe(2);
    expect(await dfs.readdir("runs")).toEqual(["a", "b"]);
    const open = interfere(container, other, () => other.writeFile("runs/c", "theirs"));
    expect(await posixOf(() => dfs.open("runs/c", "wx"))).toBe("EEXIST");
    expect(open.attempts).toBe(2);
    expect(await dfs.readFile("runs/c", "utf8")).toBe("theirs");
  });

  test("a mounted version shows its time, and refuses changes", async () => {
    const { container } = temporaryContainer({ retainCommits: 50 });
    const dfs = Dfs.mount(container);
    await dfs.writeFile("a", "old");
    const epoch = newestEpoch(container);
    await dfs.writeFile("a", "new");
    await dfs.writeFile("b", "b");
    using old = Dfs.mount(container, { epoch });
    expect([old.epoch, old.readOnly]).toEqual([epoch, true]);
    expect(await old.readdir("/")).toEqual(["a"]);
    expect(await old.readFile("a", "utf8")).toBe("old");
    const handle = await old.open("a");
    expect((await handle.stat()).size).toBe(3);
    await handle.close();
    for (const change of [
      () => old.writeFile("a", ""),
      () => old.mkdir("x", { recursive: true }),
      () => old.rm("a"),
      () => old.open("a", "r+"),
    ]) {
      expect(await posixOf(change)).toBe("EROFS");
    }
  });

  test("a mounted version stays while others write and aggregate; without a mount it goes", async () => {
    const { pool, container } = temporaryContainer({ retainCommits: 1 });
    const dfs = Dfs.mount(container);
    await dfs.writeFile("a", "old");
    const epoch = newestEpoch(container);
    const old = Dfs.mount(container, { epoch });
    const other = connectAgain(pool);
    await Dfs.mount(other).writeFile("a", "new");
    other.aggregate();
    expect(await old.readFile("a", "utf8")).toBe("old");
    old.close();
    other.aggregate();
    expect(await posixOf(async () => Dfs.mount(container, { epoch }))).toBe("ESTALE");
  });

  test("a pool connected read-only reads, and refuses changes", async () => {
    const { pool, container } = temporaryContainer();
    await Dfs.mount(container).writeFile("a", "x");
    const dfs = Dfs.mount(connectAgain(pool, "ro"));
    expect(await dfs.readFile("a", "utf8")).toBe("x");
    expect(await posixOf(() => dfs.writeFile("a", "y"))).toBe("EROFS");
  });

  test("writeFile() and readFile() agree with a map, through two handles of one pool", async () => {
    const { pool, container } = temporaryContainer();
    const sides = [Dfs.mount(container), Dfs.mount(connectAgain(pool))] as const;
    const step = fc.record({
      side: fc.constantFrom(0, 1),
      name: fc.constantFrom("a", "b", "c"),
      data: fc.option(fc.uint8Array({ maxLength: 40 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const model = new Map<string, number[]>();
        for (const name of ["a", "b", "c"]) await sides[0].rm(name, { force: true });
        for (const { side, name, data } of steps) {
          const dfs = sides[side] as Dfs;
          if (data === null) await dfs.rm(name, { force: true });
          else await dfs.writeFile(name, data);
          if (data === null) model.delete(name);
          else model.set(name, [...data]);
        }
        for (const dfs of sides) {
          expect(await dfs.readdir("/")).toEqual([...model.keys()].sort());
          for (const [name, data] of model) expect([...(await dfs.readFile(name))]).toEqual(data);
        }
      }),
      fcOptions(25),
    );
  });
});

describe("FileHandle", () => {
  test("reads and writes where the last call ended, and at positions", async () => {
    const dfs = mounted();
    const handle = await dfs.open("a", "w+");
    await handle.write(Buffer.from("hello "));
    await handle.write(Buffer.from("-world-"), { offset: 1, length: 5 });
    await handle.write(Buffer.from("J"), { position: 0 });
    const buffer = Buffer.alloc(20);
    expect((await handle.read(buffer, { position: 0 })).bytesRead).toBe(11);
    expect(buffer.toString("utf8", 0, 11)).toBe("Jello world");
    expect((await handle.read(buffer)).bytesRead).toBe(0);
    expect((await handle.stat()).size).toBe(11);
    await handle.close();
    expect(await dfs.readFile("a", "utf8")).toBe("Jello world");
  });

  test("others see what it wrote after sync and close, not before", async () => {
    const { pool, container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    const other = Dfs.mount(connectAgain(pool));
    const handle = await dfs.open("a", "wx");
    expect(await other.exists("a")).toBe(true);
    await handle.write(Buffer.from("one"));
    expect(await other.readFile("a", "utf8")).toBe("");
    await handle.sync();
    expect(await other.readFile("a", "utf8")).toBe("one");
    await handle.write(Buffer.from("two"));
    expect(await other.readFile("a", "utf8")).toBe("one");
    await handle.close();
    expect(await other.readFile("a", "utf8")).toBe("onetwo");
  });

  test("two handles of one process commit independently, in any order", async () => {
    const dfs = mounted();
    const first = await dfs.open("a", "w");
    const second = await dfs.open("b", "w");
    await first.write(Buffer.from("a1"));
    await second.write(Buffer.from("b1"));
    await dfs.writeFile("c", "c1");
    await first.write(Buffer.from("a2"));
    await second.close();
    await first.close();
    expect(await Promise.all(["a", "b", "c"].map((name) => dfs.readFile(name, "utf8")))).toEqual([
      "a1a2",
      "b1",
      "c1",
    ]);
  });

  test("a reader keeps its version until it syncs", async () => {
    const dfs = mounted();
    await dfs.writeFile("a", "x".repeat(8));
    const reader = await dfs.open("a", "r+");
    const writer = await dfs.open("a", "r+");
    await writer.write(Buffer.from("yyyy"));
    await writer.close();
    const { buffer } = await reader.read(Buffer.alloc(8), { position: 0 });
    expect(buffer.toString()).toBe("xxxxxxxx");
    await reader.sync();
    await reader.read(buffer, { position: 0 });
    expect(buffer.toString()).toBe("yyyyxxxx");
    await reader.close();
  });

  test("is refused its writes when the file was replaced meanwhile", async () => {
    const dfs = mounted();
    await dfs.writeFile("a", "one");
    const handle = await dfs.open("a", "r+");
    await handle.write(Buffer.from("lost"));
    await dfs.writeFile("a", "two");
    expect(await posixOf(() => handle.sync())).toBe("ENOENT");
    await handle.close();
    expect(await dfs.readFile("a", "utf8")).toBe("two");
  });

  test.each<[string, OpenFlags, string]>([
    ["reading through a writer", "w", "EBADF"],
    ["writing through a reader", "r", "EBADF"],
  ])("%s is refused", async (_what, flags, code) => {
    const dfs = mounted();
    await dfs.writeFile("a", "x");
    const handle = await dfs.open("a", flags);
    const call = flags === "w" ? handle.read(Buffer.alloc(1)) : handle.write(Buffer.alloc(1));
    expect(await posixOf(() => call)).toBe(code);
    await handle.close();
  });

  test("refuses bad ranges, and everything once it is closed", async () => {
    const dfs = mounted();
    const handle = await dfs.open("a", "w+");
    const byte = Buffer.alloc(1);
    expect(await posixOf(() => handle.read(byte, { length: 2 }))).toBe("EINVAL");
    expect(await posixOf(() => handle.read(byte, { offset: -1 }))).toBe("EINVAL");
    expect(await posixOf(() => handle.write(byte, { position: 0.5 }))).toBe("EINVAL");
    expect(await posixOf(() => handle.write(byte, { position: 2 ** 53 - 1 }))).toBe("EINVAL");
    await handle.close();
    await handle.close();
    expect(await posixOf(() => handle.read(byte))).toBe("EBADF");
    expect(await posixOf(() => handle.write(byte))).toBe("EBADF");
    expect(await posixOf(() => handle.sync())).toBe("EBADF");
  });
});

describe("parseLocation()", () => {
  test("splits an absolute address at the pool's directory", () => {
    const { pool } = temporaryContainer();
    expect(parseLocation(`daos://${pool.path}/tests/runs/a`)).toEqual({
      pool: pool.path,
      container: "tests",
      path: "runs/a",
    });
    expect(Pool.connect(pool.path).openContainer("tests").label).toBe("tests");
  });
});

test("DFS: a file created in a directory that is removed meanwhile is never lost", async () => {
  const { pool, container } = temporaryContainer({ retainCommits: 50 });
  const dfs = Dfs.mount(container);
  await dfs.mkdir("d");
  const other = Dfs.mount(connectAgain(pool));
  const seen = interfere(container, other, () => other.rmdir("d"));
  expect(await posixOf(() => dfs.writeFile("d/a", "text"))).toBe("ENOENT");
  expect(seen.attempts).toBe(2);
  expect(await dfs.readdir("/")).toEqual([]);
});

test("DFS: a directory that gets a file while it is removed stays", async () => {
  const { pool, container } = temporaryContainer({ retainCommits: 50 });
  const dfs = Dfs.mount(container);
  await dfs.mkdir("d");
  const other = Dfs.mount(connectAgain(pool));
  const seen = interfere(container, other, () => other.writeFile("d/a", "text"));
  expect(await posixOf(() => dfs.rmdir("d"))).toBe("ENOTEMPTY");
  expect(seen.attempts).toBe(2);
  expect(await dfs.readFile("d/a", "utf8")).toBe("text");
});
