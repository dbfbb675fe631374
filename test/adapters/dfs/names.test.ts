/**
 * Names of the file system front end: renaming, links, directories, copies, and what errors say.
 */

import { constants } from "node:fs";
import { describe, expect, jest, test } from "@jest/globals";
import { Dfs, DfsError, lookup, type PathLike, ROOT_OID } from "daos-ts/dfs";
import { codeOf, connectAgain, newestEpoch, temporaryContainer } from "../temporary-container.ts";

const { O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, O_RDWR, O_SYNC, R_OK, W_OK, X_OK } = constants;

function mounted(): Dfs {
  return Dfs.mount(temporaryContainer({ retainCommits: 50 }).container);
}

describe("DFS: rename()", () => {
  test("DFS: rename() moves attributes along, in one commit, and leaves none of what was there", async () => {
    const { container } = temporaryContainer({ retainCommits: 50 });
    const dfs = Dfs.mount(container);
    await dfs.writeFile("a", "new");
    await dfs.setxattr("a", "user.of", "a");
    await dfs.writeFile("b", "old");
    await dfs.setxattr("b", "user.gone", "b");
    const { ino } = await dfs.stat("a", { bigint: true });
    const before = container.commits().length;
    await dfs.rename("a", "b");
    expect(container.commits().length - before).toBe(1);
    expect(await dfs.readdir("/")).toEqual(["b"]);
    expect(await dfs.readFile("b", "utf8")).toBe("new");
    expect((await dfs.stat("b", { bigint: true })).ino).toBe(ino);
    expect(await dfs.listxattr("b")).toEqual(["user.of"]);
  });

  test("DFS: rename() keeps the time of the last write", async () => {
    const dfs = mounted();
    await dfs.writeFile("a", "x");
    const { mtimeNs } = await dfs.stat("a", { bigint: true });
    await dfs.rename("a", "b");
    expect((await dfs.stat("b", { bigint: true })).mtimeNs).toBe(mtimeNs);
    await dfs.utimes("b", 1, 2);
    await dfs.rename("b", "c");
    expect((await dfs.stat("c")).mtimeMs).toBe(2000);
  });

  test("DFS: an open handle keeps its file, whatever becomes of the name", async () => {
    const dfs = mounted();
    await using handle = await dfs.open("a", "w+");
    await handle.write("one ");
    await dfs.rename("a", "b");
    await dfs.writeFile("a", "another");
    await handle.write("two");
    await handle.sync();
    expect(await dfs.readFile("b", "utf8")).toBe("one two");
    expect(await dfs.readFile("a", "utf8")).toBe("another");
    // Attributes lie beside the name, which the handle does not follow.
    expect(await codeOf(() => handle.chmod(0o600))).toBe("ENOENT");
    await handle.write("!");
    await dfs.rename("a", "b");
    expect(await codeOf(() => handle.sync())).toBe("ENOENT");
    expect(await dfs.readFile("b", "utf8")).toBe("another");
  });

  test("DFS: rename() is found by no reader between its names", async () => {
    const { container, pool } = temporaryContainer({ retainCommits: 100 });
    const dfs = Dfs.mount(container);
    await dfs.mkdir("d/e", { recursive: true });
    await dfs.writeFile("d/e/f", "x");
    for (let round = 0; round < 10; round++) {
      await dfs.rename(round % 2 === 0 ? "d" : "m", round % 2 === 0 ? "m" : "d");
    }
    const other = connectAgain(pool);
    for (const { epoch } of container.commits().slice(0, 10)) {
      using seen = Dfs.mount(other, { epoch });
      expect(await seen.readdir("/", { recursive: true })).toHaveLength(3);
    }
  });
});

describe("DFS: symbolic links", () => {
  test("DFS: links lead from their directory, or from the root; 40 of them are followed", async () => {
    const dfs = mounted();
    await dfs.mkdir("d/e", { recursive: true });
    await dfs.writeFile("d/f", "text");
    await dfs.symlink("../f", "d/e/l");
    await dfs.symlink("/d/e", "m");
    expect(await dfs.readFile("m/l", "utf8")).toBe("text");
    expect(await dfs.realpath("m/../e/./l")).toBe("/d/f");
    expect(await dfs.readlink("m")).toBe("/d/e");
    for (let link = 0; link < 41; link++)
      await dfs.symlink(link === 0 ? "d" : `l${link - 1}`, `l${link}`);
    expect(await dfs.readFile("l39/f", "utf8")).toBe("text");
    expect(await codeOf(() => dfs.readFile("l40/f"))).toBe("ELOOP");
    expect((await dfs.lstat("l40")).isSymbolicLink()).toBe(true);
    expect((await dfs.lstat("m")).size).toBe(4);
    expect(await dfs.exists("l40")).toBe(false);
  });

  test("DFS: a link has owner, times and attributes of its own", async () => {
    const dfs = mounted();
    await dfs.writeFile("f", "");
    await dfs.symlink("f", "l");
    await dfs.lutimes("l", 1, 2);
    await dfs.lchown("l", 5, 6);
    await dfs.lsetxattr("l", "trusted.of", "link");
    await dfs.setxattr("l", "user.of", "file");
    expect(await dfs.lstat("l")).toMatchObject({ uid: 5, gid: 6, atimeMs: 1000, mtimeMs: 2000 });
    expect((await dfs.stat("l")).uid).toBe(process.getuid?.());
    expect([await dfs.listxattr("f"), await dfs.llistxattr("l")]).toEqual([
      ["user.of"],
      ["trusted.of"],
    ]);
    expect(String(await dfs.lgetxattr("l", "trusted.of"))).toBe("link");
    expect(await codeOf(() => dfs.lsetxattr("l", "user.of", ""))).toBe("EPERM");
    await dfs.lremovexattr("l", "trusted.of");
    expect(await dfs.llistxattr("l")).toEqual([]);
  });

  test("DFS: links and files of version 2 are read as they were written", async () => {
    const { container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    await dfs.writeFile("f", "text");
    await dfs.symlink("f", "l");
    await dfs.utimes("f", 1, 2);
    const akey = Buffer.from("DFS_INODE");
    for (const name of ["f", "l"]) {
      using view = container.view();
      const dkey = Buffer.from(name);
      const stored = Buffer.from(view.getValue(ROOT_OID, dkey, akey) as Uint8Array);
      // Version 3 puts an epoch before the target.
      const value = Buffer.concat([stored.subarray(0, 64), stored.subarray(72)]);
      value.writeUInt8(2, 0);
      container.update((own) => own.put({ oid: ROOT_OID, dkey, akey, value, condition: "update" }));
    }
    expect(await dfs.readFile("l", "utf8")).toBe("text");
    expect(await dfs.readlink("l")).toBe("f");
    expect((await dfs.stat("l")).mtimeMs).toBe(2000);
  });

  test("DFS: names below a link are made where it leads; other front ends follow links too", async () => {
    const { container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    await dfs.symlink("deep/er", "l");
    expect(await codeOf(() => dfs.mkdir("l/x", { recursive: true }))).toBe("ENOTDIR");
    await dfs.mkdir("deep/er", { recursive: true });
    expect(await dfs.mkdir("l/x/y", { recursive: true })).toBe("l/x");
    using view = container.view();
    expect(lookup({ view }, "l/x/y")?.oid).toBe((await dfs.stat("deep/er/x/y")).oid);
    await dfs.symlink("made", "dangling");
    await dfs.writeFile("dangling", "text");
    expect(await dfs.readFile("made", "utf8")).toBe("text");
    expect(await codeOf(() => dfs.open("dangling", O_RDONLY | O_NOFOLLOW))).toBe("ELOOP");
  });
});

describe("DFS: directories", () => {
  test("DFS: opendir() shows one version, in parts, and closes at the end", async () => {
    const dfs = mounted();
    await dfs.mkdir("d/sub", { recursive: true });
    for (let index = 0; index < 9; index++) await dfs.writeFile(`d/${index}`, "");
    const dir = await dfs.opendir("d", { bufferSize: 2, recursive: true });
    expect(dir.path).toBe("d");
    expect((await dir.read())?.name).toBe("0");
    await dfs.writeFile("d/sub/late", "");
    await dfs.rm("d/8");
    const names: string[] = [];
    for await (const entry of dir) names.push(entry.name);
    expect(names).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "sub"]);
    expect(await codeOf(() => dir.read())).toBe("EBADF");
    expect(await codeOf(() => dfs.opendir("d", { bufferSize: 0 }))).toBe("EINVAL");
  });

  test("DFS: readdir() gives names in encodings, entries, and what is below", async () => {
    const dfs = mounted();
    await dfs.mkdir("d");
    await dfs.writeFile("d/ü", "");
    await dfs.symlink("d", "l");
    expect(await dfs.readdir("l")).toEqual(["ü"]);
    expect(await dfs.readdir("d", "buffer")).toEqual([Buffer.from("ü")]);
    expect(await dfs.readdir("d", { encoding: "hex" })).toEqual(["c3bc"]);
    const all = await dfs.readdir("/", { recursive: true, withFileTypes: true });
    expect(
      all.map((entry) => [entry.parentPath, entry.path, entry.name, entry.isSymbolicLink()]),
    ).toEqual([
      ["/", "/", "d", false],
      ["/", "/", "l", true],
      ["/d", "/d", "ü", false],
    ]);
    expect(all.some((entry) => entry.isFIFO() || entry.isSocket() || entry.isBlockDevice())).toBe(
      false,
    );
  });

  test("DFS: an open directory can be synced and described, not read", async () => {
    const dfs = mounted();
    await dfs.mkdir("d");
    await using handle = await dfs.open("d", O_RDONLY | O_DIRECTORY);
    await handle.sync();
    await handle.chmod(0o700);
    expect((await dfs.stat("d")).mode & 0o777).toBe(0o700);
    expect((await handle.stat()).isDirectory()).toBe(true);
    expect(await codeOf(() => handle.read(Buffer.alloc(1)))).toBe("EISDIR");
    expect(await codeOf(() => dfs.open("d", "r+"))).toBe("EISDIR");
  });

  test("DFS: the root has attributes, which stay as they are set", async () => {
    const { pool, container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    await dfs.writeFile("a", "");
    await dfs.chmod("/", 0o711);
    await dfs.chown("/", 3, 4);
    await dfs.utimes("/", 1, 2);
    const stats = await Dfs.mount(connectAgain(pool)).stat("/");
    expect(stats).toMatchObject({ mode: 0o40711, uid: 3, gid: 4, mtimeMs: 2000 });
    expect(await dfs.readdir("/")).toEqual(["a"]);
    await dfs.writeFile("b", "");
    expect((await dfs.stat("/")).mtimeMs).toBeGreaterThan(2000);
  });
});

describe("DFS: whole files", () => {
  test("DFS: writeFile() and appendFile() take flags, modes and iterables, in one commit", async () => {
    const { container } = temporaryContainer({ retainCommits: 50 });
    const dfs = Dfs.mount(container);
    await dfs.writeFile("a", ["one", Buffer.from("two")], { mode: 0o600 });
    await dfs.appendFile("a", new Uint16Array([0x2121]));
    await dfs.writeFile("a", "ON", { flag: "r+" });
    expect(await dfs.readFile("a", { encoding: "utf8" })).toBe("ONetwo!!");
    expect((await dfs.stat("a")).mode & 0o777).toBe(0o600);
    expect(container.commits()).toHaveLength(3);
    await using handle = await dfs.open("a", "a+");
    await dfs.appendFile(handle, "?");
    await handle.sync();
    expect(await dfs.readFile("a", "utf8")).toBe("ONetwo!!?");
    expect(await codeOf(() => dfs.writeFile("a", 3 as never))).toBe("ERR_INVALID_ARG_TYPE");
    expect(await codeOf(() => dfs.writeFile("a", [3] as never))).toBe("ERR_INVALID_ARG_TYPE");
    const signal = AbortSignal.abort();
    await expect(dfs.writeFile("a", "", { signal })).rejects.toHaveProperty("name", "AbortError");
    expect(await dfs.readFile("a", "utf8")).toBe("ONetwo!!?");
  });

  test("DFS: a handle that is opened with O_SYNC commits each write", async () => {
    const { container, pool } = temporaryContainer();
    const other = Dfs.mount(connectAgain(pool));
    await using handle = await Dfs.mount(container).open("a", O_RDWR | O_CREAT | O_SYNC, 0o640);
    await handle.write("one");
    expect(await other.readFile("a", "utf8")).toBe("one");
    expect((await other.stat("a")).mode & 0o777).toBe(0o640 & ~process.umask());
  });

  test("DFS: copyFile() leaves holes unwritten, and cp() copies a tree in one commit", async () => {
    const { container } = temporaryContainer({ retainCommits: 50 });
    const dfs = Dfs.mount(container);
    await dfs.mkdir("t/u", { recursive: true });
    await using handle = await dfs.open("t/big", "w");
    await handle.write("end", 2 ** 40);
    await handle.close();
    await dfs.copyFile("t/big", "copy");
    expect((await dfs.stat("copy")).size).toBe(2 ** 40 + 3);
    await dfs.utimes("t/big", 3, 4);
    await dfs.chmod("t/u", 0o700);
    await dfs.symlink("../big", "t/u/l");
    const before = container.commits().length;
    const asked: string[] = [];
    await dfs.cp("t", "new/t", {
      recursive: true,
      preserveTimestamps: true,
      filter: async (source) => {
        asked.push(source);
        return true;
      },
    });
    expect(container.commits().length - before).toBe(2);
    expect(asked).toEqual(["t", "t/big", "t/u", "t/u/l"]);
    expect((await dfs.stat("new/t/big")).mtimeMs).toBe(4000);
    expect((await dfs.stat("new/t/u")).mode & 0o777).toBe(0o700);
    expect(await dfs.readlink("new/t/u/l")).toBe("/t/big");
  });

  test("DFS: cp() that fails leaves nothing", async () => {
    const dfs = mounted();
    await dfs.mkdir("t");
    await dfs.writeFile("t/a", "");
    await dfs.writeFile("t/b", "");
    await dfs.mkdir("to");
    await dfs.writeFile("to/b", "kept");
    const options = { recursive: true, force: false, errorOnExist: true };
    expect(await codeOf(() => dfs.cp("t", "to", options))).toBe("EEXIST");
    expect(await dfs.readdir("to")).toEqual(["b"]);
    await dfs.cp("t", "to", { recursive: true, force: false });
    expect(await dfs.readFile("to/b", "utf8")).toBe("kept");
    expect(await codeOf(() => dfs.cp("t", "t/x", { recursive: true }))).toBe("EINVAL");
    expect(await codeOf(() => dfs.cp("t", "x"))).toBe("EISDIR");
  });
});

describe("DFS: access and space", () => {
  test("DFS: access() looks at permission bits, and at what can be changed", async () => {
    const { container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    await dfs.writeFile("a", "");
    await dfs.chmod("a", 0o400);
    await dfs.access("a", R_OK);
    expect(await codeOf(() => dfs.access("a", X_OK))).toBe("EACCES");
    expect(await codeOf(() => dfs.access("none"))).toBe("ENOENT");
    expect(await codeOf(() => dfs.access("a", 8))).toBe("EINVAL");
    using old = Dfs.mount(container, { epoch: newestEpoch(container) });
    await old.access("a", R_OK);
    expect(await codeOf(() => old.access("a", W_OK))).toBe("EROFS");
  });

  test.each([
    ["the owner", { uid: 7, gid: 0, groups: [] }, 0o740, [R_OK, W_OK, X_OK], []],
    ["its group", { uid: 8, gid: 9, groups: [] }, 0o740, [R_OK], [W_OK, X_OK]],
    ["one of its groups", { uid: 8, gid: 0, groups: [3, 9] }, 0o751, [R_OK, X_OK], [W_OK]],
    ["others", { uid: 8, gid: 0, groups: [3] }, 0o751, [X_OK], [R_OK, W_OK, R_OK | X_OK]],
    ["the owner, who may less", { uid: 7, gid: 9, groups: [] }, 0o077, [], [R_OK, W_OK]],
    ["the superuser", { uid: 0, gid: 0, groups: [] }, 0o001, [R_OK, W_OK, X_OK], []],
  ])("DFS: access() knows %s", async (_who, { uid, gid, groups }, mode, allowed, refused) => {
    const dfs = mounted();
    await dfs.writeFile("a", "");
    await dfs.chown("a", 7, 9);
    await dfs.chmod("a", mode);
    const spies = [
      jest.spyOn(process, "geteuid").mockReturnValue(uid),
      jest.spyOn(process, "getegid").mockReturnValue(gid),
      jest.spyOn(process, "getgroups").mockReturnValue(groups),
    ];
    try {
      for (const each of allowed) await dfs.access("a", each);
      for (const each of refused) expect(await codeOf(() => dfs.access("a", each))).toBe("EACCES");
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  });

  test("DFS: statfs() tells the space of the pool", async () => {
    const { pool, container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    const { bsize, blocks, bfree, bavail } = await dfs.statfs("/");
    expect(blocks * bsize).toBeGreaterThan(pool.query().nvme.total - bsize);
    expect(bfree).toBe(bavail);
    expect(typeof (await dfs.statfs("/", { bigint: true })).bfree).toBe("bigint");
    expect(await codeOf(() => dfs.statfs("none"))).toBe("ENOENT");
  });

  test("DFS: mkdtemp() makes directories of different names", async () => {
    const dfs = mounted();
    const made = [await dfs.mkdtemp("x-"), await dfs.mkdtemp("x-")];
    expect(new Set(made).size).toBe(2);
    for (const path of made) {
      expect(path).toMatch(/^x-[0-9A-Za-z]{6}$/);
      expect((await dfs.stat(path)).mode & 0o777).toBe(0o700 & ~process.umask());
    }
  });
});

describe("DFS: what errors say", () => {
  test.each<[string, (dfs: Dfs) => Promise<unknown>, Partial<DfsError>]>([
    ["open", (dfs) => dfs.open("none"), { code: "ENOENT", path: "none", daosCode: "DER_NONEXIST" }],
    ["open", (dfs) => dfs.readFile("none"), { code: "ENOENT", path: "none" }],
    ["open", (dfs) => dfs.writeFile("none/x", ""), { code: "ENOENT", path: "none/x" }],
    ["scandir", (dfs) => dfs.readdir("f"), { code: "ENOTDIR", path: "f" }],
    ["mkdir", (dfs) => dfs.mkdir("f"), { code: "EEXIST", path: "f", daosCode: "DER_EXIST" }],
    ["rename", (dfs) => dfs.rename("f", "x/y"), { code: "ENOENT", path: "f", dest: "x/y" }],
    ["symlink", (dfs) => dfs.symlink("x", "f"), { code: "EEXIST", path: "x", dest: "f" }],
    ["copyfile", (dfs) => dfs.copyFile("f", "f", 1), { code: "EEXIST", path: "f", dest: "f" }],
    ["readlink", (dfs) => dfs.readlink("f"), { code: "EINVAL", path: "f" }],
    ["utime", (dfs) => dfs.utimes("none", 0, 0), { code: "ENOENT", path: "none" }],
    ["chmod", (dfs) => dfs.chmod("f", "zz"), { code: "EINVAL", path: "f" }],
    ["unlink", (dfs) => dfs.unlink("/"), { code: "EISDIR", path: "/" }],
  ])("DFS: %s: code, path and system call are those of node", async (syscall, call, wanted) => {
    const dfs = mounted();
    await dfs.writeFile("f", "");
    const error = await call(dfs).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DfsError);
    expect(error).toMatchObject({ syscall, ...wanted });
    expect(error).toHaveProperty("errno", expect.any(Number));
  });

  test("DFS: paths are text, bytes or URLs; other types are refused as in node", async () => {
    const dfs = mounted();
    await dfs.writeFile(Buffer.from("ü"), "x");
    expect(await dfs.readFile(new URL("file:///%C3%BC"), "utf8")).toBe("x");
    for (const bad of [undefined, null, 3, {}, ["a"]] as unknown as PathLike[]) {
      const error = await dfs.stat(bad).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
    }
    for (const bad of ["a\0b", Buffer.from([0xff]), new URL("http://a/b")]) {
      expect(await codeOf(() => dfs.stat(bad))).toBe("EINVAL");
    }
  });
});
