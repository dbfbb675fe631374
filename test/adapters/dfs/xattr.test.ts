/**
 * Extended attributes of the file system front end, by the table of Linux's setxattr(2) and getxattr(2).
 */

import { describe, expect, test } from "@jest/globals";
import { copyXattrs, Dfs, lookup, ROOT_OID, XATTR_CREATE, XATTR_REPLACE } from "daos-ts/dfs";
import { codeOf, connectAgain, newestEpoch, temporaryContainer } from "../temporary-container.ts";

describe("DFS: extended attributes", () => {
  test("DFS: are kept, listed and removed, of files, directories and the root", async () => {
    const { pool, container } = temporaryContainer({ retainCommits: 50 });
    const dfs = Dfs.mount(container);
    const other = Dfs.mount(connectAgain(pool));
    await dfs.mkdir("d");
    await dfs.writeFile("d/f", "bytes");
    for (const path of ["d/f", "d", "/"]) {
      expect(await dfs.listxattr(path)).toEqual([]);
      await dfs.setxattr(path, "user.b", "two");
      await dfs.setxattr(path, "user.a", Uint8Array.of(0, 255));
      await dfs.setxattr(path, "trusted.empty", "");
      expect(await other.listxattr(path)).toEqual(["trusted.empty", "user.a", "user.b"]);
      expect([...(await other.getxattr(path, "user.a"))]).toEqual([0, 255]);
      expect(await other.getxattr(path, "trusted.empty")).toHaveLength(0);
      await other.removexattr(path, "user.b");
      expect(await codeOf(() => dfs.getxattr(path, "user.b"))).toBe("ENODATA");
    }
    expect(await dfs.readdir("/")).toEqual(["d"]);
    expect(await dfs.readdir("d")).toEqual(["f"]);
    await dfs.writeFile("d/f", "replaced");
    expect(await dfs.listxattr("d/f")).toEqual(["trusted.empty", "user.a"]);
  });

  test("DFS: have names of 255 bytes and values of 64 KiB", async () => {
    const dfs = Dfs.mount(temporaryContainer().container);
    await dfs.writeFile("f", "");
    const name = `user.${"n".repeat(250)}`;
    const value = Buffer.alloc(65_536, "v");
    await dfs.setxattr("f", name, value);
    expect((await dfs.getxattr("f", name)).equals(value)).toBe(true);
    expect(await dfs.listxattr("f")).toEqual([name]);
  });

  test.each<[string, string | undefined, (dfs: Dfs) => Promise<unknown>]>([
    ["creating one that exists", "EEXIST", (dfs) => dfs.setxattr("f", "user.a", "", XATTR_CREATE)],
    [
      "creating one that does not",
      undefined,
      (dfs) => dfs.setxattr("f", "user.c", "", XATTR_CREATE),
    ],
    [
      "replacing one that exists",
      undefined,
      (dfs) => dfs.setxattr("f", "user.a", "a", XATTR_REPLACE),
    ],
    [
      "replacing one that does not",
      "ENODATA",
      (dfs) => dfs.setxattr("f", "user.c", "", XATTR_REPLACE),
    ],
    ["other flags", "EINVAL", (dfs) => dfs.setxattr("f", "user.a", "", 4)],
    ["both flags, if it exists", "EEXIST", (dfs) => dfs.setxattr("f", "user.a", "", 3)],
    ["both flags, if it does not", "ENODATA", (dfs) => dfs.setxattr("f", "user.c", "", 3)],
    ["an empty name", "ERANGE", (dfs) => dfs.setxattr("f", "", "")],
    ["a name of 256 bytes", "ERANGE", (dfs) => dfs.getxattr("f", `user.${"n".repeat(251)}`)],
    ["a name of no class", "ENOTSUP", (dfs) => dfs.setxattr("f", "a", "")],
    ["a name of the system", "ENOTSUP", (dfs) => dfs.setxattr("f", "system.posix_acl_access", "")],
    ["a class alone", "EINVAL", (dfs) => dfs.setxattr("f", "user.", "")],
    [
      "a value that is too large",
      "E2BIG",
      (dfs) => dfs.setxattr("f", "user.c", Buffer.alloc(65_537)),
    ],
    ["reading one that is not there", "ENODATA", (dfs) => dfs.getxattr("f", "user.c")],
    ["reading more than is wanted", "ERANGE", (dfs) => dfs.getxattr("f", "user.a", { size: 0 })],
    ["removing one that is not there", "ENODATA", (dfs) => dfs.removexattr("f", "user.c")],
    ["a file that is not there", "ENOENT", (dfs) => dfs.setxattr("none", "user.a", "")],
    ["a name below a file", "ENOTDIR", (dfs) => dfs.listxattr("f/g")],
  ])("DFS: %s is %s", async (_what, code, call) => {
    const { container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    await dfs.writeFile("f", "");
    await dfs.setxattr("f", "user.a", "a");
    expect(await codeOf(() => call(dfs))).toBe(code);
    expect((await dfs.getxattr("f", "user.a")).toString()).toBe("a");
    const names = await dfs.listxattr("f");
    expect(names).toHaveLength(code === undefined && names.includes("user.c") ? 2 : 1);
  });

  test("DFS: go with their name, and a new one of that name has none", async () => {
    const dfs = Dfs.mount(temporaryContainer().container);
    for (const remove of [() => dfs.rm("f"), () => dfs.rm("f", { recursive: true })]) {
      await dfs.writeFile("f", "");
      await dfs.setxattr("f", "user.a", "a");
      await remove();
      expect(await codeOf(() => dfs.listxattr("f"))).toBe("ENOENT");
      await dfs.writeFile("f", "");
      expect(await dfs.listxattr("f")).toEqual([]);
    }
    await dfs.mkdir("d/e", { recursive: true });
    await dfs.setxattr("d/e", "user.a", "a");
    await dfs.rm("d", { recursive: true });
    await dfs.mkdir("d/e", { recursive: true });
    expect(await dfs.listxattr("d/e")).toEqual([]);
  });

  test("DFS: on a handle they are those of its file; a removed one has none", async () => {
    const dfs = Dfs.mount(temporaryContainer().container);
    const handle = await dfs.open("f", "w+");
    await handle.setxattr("user.a", "a", XATTR_CREATE);
    expect((await dfs.getxattr("f", "user.a")).toString()).toBe("a");
    await handle.sync();
    expect(await handle.listxattr()).toEqual(["user.a"]);
    expect((await handle.getxattr("user.a")).toString()).toBe("a");
    await handle.removexattr("user.a");
    expect(await dfs.listxattr("f")).toEqual([]);
    await dfs.rm("f");
    expect(await codeOf(() => handle.setxattr("user.a", "b"))).toBe("ENOENT");
    await handle.close();
    expect(await codeOf(() => handle.listxattr())).toBe("EBADF");
  });

  test("DFS: copyXattrs() takes them to another name, with those of the same transaction", async () => {
    const { container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    await dfs.writeFile("a", "");
    await dfs.writeFile("b", "");
    for (let index = 0; index < 30; index++) await dfs.setxattr("a", `user.${index}`, `${index}`);
    const [from, to] = ["a", "b"].map((name) => ({
      parent: ROOT_OID,
      name: Buffer.from(name),
    })) as [{ parent: bigint; name: Buffer }, { parent: bigint; name: Buffer }];
    container.runTransaction(({ view, own }) => {
      const akey = Buffer.from("x:user.own");
      own.put({
        oid: ROOT_OID,
        dkey: from.name,
        akey,
        value: Buffer.from("new"),
        condition: "none",
      });
      copyXattrs(view, own, from, to);
      expect(lookup({ view, own }, "a")).toBeDefined();
      own.punchDkey(ROOT_OID, from.name, "update");
    });
    expect(await dfs.listxattr("b")).toHaveLength(31);
    expect((await dfs.getxattr("b", "user.29")).toString()).toBe("29");
    expect((await dfs.getxattr("b", "user.own")).toString()).toBe("new");
    expect(await dfs.readdir("/")).toEqual(["b"]);
  });

  test("DFS: old versions keep theirs and refuse changes", async () => {
    const { container } = temporaryContainer({ retainCommits: 50 });
    const dfs = Dfs.mount(container);
    await dfs.writeFile("f", "");
    await dfs.setxattr("f", "user.a", "old");
    const epoch = newestEpoch(container);
    await dfs.setxattr("f", "user.a", "new");
    using old = Dfs.mount(container, { epoch });
    expect((await old.getxattr("f", "user.a")).toString()).toBe("old");
    expect(await codeOf(() => old.setxattr("f", "user.a", "x"))).toBe("EROFS");
    await using handle = await old.open("f");
    expect(await codeOf(() => handle.removexattr("user.a"))).toBe("EROFS");
  });
});
