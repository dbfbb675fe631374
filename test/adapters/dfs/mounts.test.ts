/**
 * Which version a mount shows: a snapshot, an epoch, the newest, or one that is a little old.
 */

import { describe, expect, test } from "@jest/globals";
import { Dfs } from "daos-ts/dfs";
import { codeOf, connectAgain, temporaryContainer } from "../temporary-container.ts";

/** Longer than any test. */
const LONG_MS = 2 ** 31 - 1;

describe("DFS: mounted versions", () => {
  test("DFS: a snapshot is shown by its name, and refuses changes", async () => {
    const { container } = temporaryContainer({ retainCommits: 1 });
    const dfs = Dfs.mount(container);
    await dfs.mkdir("d");
    await dfs.writeFile("d/a", "old");
    await dfs.symlink("d", "l");
    container.createSnapshot("before");
    await dfs.rm("d", { recursive: true });
    await dfs.writeFile("d", "a file now");
    container.aggregate();
    const old = Dfs.mount(container, { snapshot: "before" });
    expect([old.snapshot, old.readOnly]).toEqual(["before", true]);
    expect(await old.readFile("l/a", "utf8")).toBe("old");
    expect(await old.readdir("/", { recursive: true })).toEqual(["d", "l", "d/a"]);
    for (const change of [
      () => old.rename("d", "e"),
      () => old.symlink("d", "m"),
      () => old.chmod("d", 0o700),
      () => old.utimes("d", 0, 0),
      () => old.truncate("d/a"),
      () => old.copyFile("d/a", "b"),
      () => old.cp("d", "e", { recursive: true }),
      () => old.appendFile("d/a", ""),
      () => old.unlink("d/a"),
      () => old.mkdtemp("x"),
      () => old.setxattr("d", "user.a", ""),
      () => old.open("d/a", "r+"),
      () => old.open("new", "w"),
    ]) {
      expect(await codeOf(change)).toBe("EROFS");
    }
    expect(await codeOf(async () => old.watch("d"))).toBe("EINVAL");
    container.destroySnapshot("before");
    container.aggregate();
    await using handle = await old.open("d/a");
    const dir = await old.opendir("d");
    old.close();
    container.aggregate();
    expect(await handle.readFile("utf8")).toBe("old");
    expect((await dir.read())?.name).toBe("a");
    await dir.close();
    old.close();
    expect(await dfs.readFile("d", "utf8")).toBe("a file now");
  });

  test("DFS: a mount refuses versions that are not there, and options that make no sense", async () => {
    const { container } = temporaryContainer();
    for (const [options, code] of [
      [{ snapshot: "none" }, "ENOENT"],
      [{ snapshot: "a", epoch: 1n }, "EINVAL"],
      [{ consistency: "strict" as "relaxed" }, "EINVAL"],
      [{ consistency: "relaxed", staleMs: -1 }, "EINVAL"],
    ] as const) {
      expect(await codeOf(() => Dfs.mount(container, options))).toBe(code);
    }
  });
});

describe("DFS: consistency", () => {
  test("DFS: a balanced mount sees each commit of others at once", async () => {
    const { pool, container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    const other = Dfs.mount(connectAgain(pool));
    expect(dfs.consistency).toBe("balanced");
    for (let round = 0; round < 3; round++) {
      await other.writeFile("a", `${round}`);
      expect(await dfs.readFile("a", "utf8")).toBe(`${round}`);
    }
  });

  test("DFS: calls of a relaxed mount share a version until the mount itself changes something", async () => {
    const { pool, container } = temporaryContainer({ retainCommits: 1 });
    using dfs = Dfs.mount(container, { consistency: "relaxed", staleMs: LONG_MS });
    const other = Dfs.mount(connectAgain(pool));
    await other.writeFile("a", "1");
    expect(await dfs.readFile("a", "utf8")).toBe("1");
    await other.writeFile("a", "2");
    await other.writeFile("b", "");
    container.aggregate();
    expect(await dfs.readFile("a", "utf8")).toBe("1");
    expect(await dfs.readdir("/")).toEqual(["a"]);
    await using handle = await dfs.open("a");
    expect(await handle.readFile("utf8")).toBe("1");
    // Changes are made against the newest version, and seen by the mount with all that came before.
    expect(await codeOf(() => dfs.mkdir("b"))).toBe("EEXIST");
    await other.writeFile("a", "3");
    await dfs.mkdir("c");
    expect(await dfs.readdir("/")).toEqual(["a", "b", "c"]);
    expect(await dfs.readFile("a", "utf8")).toBe("3");
  });

  test.each<[string, (dfs: Dfs) => Promise<unknown>]>([
    [
      "a handle is synced",
      async (dfs) => {
        await using handle = await dfs.open("a", "r+");
        await handle.write("x");
        await handle.sync();
      },
    ],
    [
      "a handle changes attributes",
      async (dfs) => {
        await using handle = await dfs.open("a");
        await handle.chmod(0o600);
      },
    ],
    ["an attribute is set", (dfs) => dfs.setxattr("a", "user.a", "")],
  ])("DFS: a relaxed mount sees the newest version after %s", async (_what, change) => {
    const { pool, container } = temporaryContainer();
    using dfs = Dfs.mount(container, { consistency: "relaxed", staleMs: LONG_MS });
    const other = Dfs.mount(connectAgain(pool));
    await other.writeFile("a", "1");
    expect(await dfs.readdir("/")).toEqual(["a"]);
    await other.writeFile("b", "");
    expect(await dfs.readdir("/")).toEqual(["a"]);
    await change(dfs);
    expect(await dfs.readdir("/")).toEqual(["a", "b"]);
  });

  test("DFS: a relaxed mount lets go of its version when the time is over", async () => {
    const { pool, container } = temporaryContainer();
    using dfs = Dfs.mount(container, { consistency: "relaxed", staleMs: 1 });
    const other = Dfs.mount(connectAgain(pool));
    await other.writeFile("a", "");
    await dfs.readdir("/");
    await other.writeFile("b", "");
    while ((await dfs.readdir("/")).length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await dfs.readdir("/")).toEqual(["a", "b"]);
  });
});
