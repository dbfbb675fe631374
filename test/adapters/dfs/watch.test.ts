/**
 * Watching paths of the file system front end: what other handles and other processes change.
 */

import { spawn } from "node:child_process";
import { describe, expect, test } from "@jest/globals";
import { Dfs, type FileChange, type PathWatch } from "daos-ts/dfs";
import { root } from "../../support/root.ts";
import { codeOf, connectAgain, newestEpoch, temporaryContainer } from "../temporary-container.ts";

async function take(watch: PathWatch, count: number): Promise<string[]> {
  const found: string[] = [];
  while (found.length < count) {
    const { value } = await watch.next();
    const { eventType, filename } = value as FileChange;
    found.push(`${eventType} ${filename}`);
  }
  return found;
}

describe("DFS: watch()", () => {
  test("DFS: tells of names that come and go, and of changes, by another handle of the pool", async () => {
    const { pool, container } = temporaryContainer({ retainCommits: 2 });
    const dfs = Dfs.mount(connectAgain(pool));
    await dfs.mkdir("d/sub", { recursive: true });
    await dfs.writeFile("d/f", "x");
    await using watch = Dfs.mount(container).watch("d");
    await dfs.writeFile("d/new", "x");
    expect(await take(watch, 1)).toEqual(["rename new"]);
    await dfs.writeFile("d/new", "again");
    expect(await take(watch, 1)).toEqual(["change new"]);
    const handle = await dfs.open("d/f", "r+");
    await handle.write("in place");
    await handle.close();
    expect(await take(watch, 1)).toEqual(["change f"]);
    await dfs.setxattr("d/f", "user.a", "a");
    expect(await take(watch, 1)).toEqual(["change f"]);
    await dfs.writeFile("d/sub/deep", "not told of");
    await dfs.writeFile("elsewhere", "not told of");
    await dfs.rm("d/f");
    expect(await take(watch, 1)).toEqual(["rename f"]);
    await dfs.rm("d", { recursive: true });
    expect((await take(watch, 3)).sort()).toEqual(["rename d", "rename new", "rename sub"]);
  });

  test("DFS: recursively, tells of paths, in directories that came later too", async () => {
    const { container } = temporaryContainer({ retainCommits: 2 });
    const dfs = Dfs.mount(container);
    await dfs.mkdir("d/old", { recursive: true });
    await using watch = dfs.watch("/", { recursive: true });
    await dfs.mkdir("d/a/b", { recursive: true });
    expect((await take(watch, 2)).sort()).toEqual(["rename d/a", "rename d/a/b"]);
    await dfs.writeFile("d/a/b/f", "x");
    expect(await take(watch, 1)).toEqual(["rename d/a/b/f"]);
    const handle = await dfs.open("d/a/b/f", "a");
    await handle.appendFile("y");
    await handle.close();
    expect(await take(watch, 1)).toEqual(["change d/a/b/f"]);
    await dfs.rm("d/a", { recursive: true });
    expect((await take(watch, 3)).sort()).toEqual(["rename d/a", "rename d/a/b", "rename d/a/b/f"]);
  });

  test("DFS: of a file, tells of that file alone, whoever replaces it", async () => {
    const { container } = temporaryContainer({ retainCommits: 2 });
    const dfs = Dfs.mount(container);
    await dfs.writeFile("f", "x");
    await dfs.writeFile("g", "x");
    await using watch = dfs.watch("f");
    await dfs.writeFile("g", "y");
    await dfs.writeFile("f", "y");
    expect(await take(watch, 1)).toEqual(["change f"]);
    const handle = await dfs.open("f", "r+");
    await handle.truncate(0);
    await handle.close();
    expect(await take(watch, 1)).toEqual(["change f"]);
    await dfs.rm("f");
    expect(await take(watch, 1)).toEqual(["rename f"]);
    await dfs.writeFile("f", "back");
    expect(await take(watch, 1)).toEqual(["rename f"]);
  });

  test("DFS: loses nothing when commits are aggregated, and a read-only pool can watch", async () => {
    const { pool, container } = temporaryContainer({ retainCommits: 1 });
    const dfs = Dfs.mount(container);
    await dfs.writeFile("f", "x");
    await dfs.writeFile("gone", "x");
    await using writing = dfs.watch("/");
    await using reading = Dfs.mount(connectAgain(pool, "ro")).watch("/");
    await dfs.writeFile("a", "x");
    await dfs.writeFile("f", "y");
    await dfs.rm("gone");
    for (let index = 0; index < 5; index++) await dfs.writeFile("b", `${index}`);
    container.aggregate();
    const wanted = ["change f", "rename a", "rename b", "rename gone"];
    expect((await take(writing, 4)).sort()).toEqual(wanted);
    expect((await take(reading, 4)).sort()).toEqual(wanted);
  });

  test("DFS: hears of another process", async () => {
    const { pool, container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    await dfs.mkdir("d");
    const program = `
      import { Pool } from "daos-ts";
      import { Dfs } from "daos-ts/dfs";
      const pool = Pool.connect(process.argv[1]);
      const dfs = Dfs.mount(pool.openContainer("tests"));
      await dfs.writeFile("d/one", "1");
      await dfs.mkdir("d/two");
      pool.close();`;
    await using watch = dfs.watch("d");
    const child = spawn(process.execPath, ["--input-type=module", "-e", program, pool.path], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
    expect((await take(watch, 2)).sort()).toEqual(["rename one", "rename two"]);
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(0);
  }, 30_000);

  test("DFS: ends with an AbortError, when it is left, and refuses what it cannot watch", async () => {
    const { container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    await dfs.writeFile("f", "x");
    const controller = new AbortController();
    const watch = dfs.watch("f", { signal: controller.signal });
    const next = watch.next();
    setTimeout(() => controller.abort(), 10);
    await expect(next).rejects.toMatchObject({ name: "AbortError", code: "ABORT_ERR" });
    const left = dfs.watch("/");
    setTimeout(() => void dfs.writeFile("g", ""), 10);
    for await (const { filename } of left) {
      expect(filename).toBe("g");
      break;
    }
    expect(await left.next()).toEqual({ done: true, value: undefined });
    expect(await codeOf(() => dfs.watch("none"))).toBe("ENOENT");
    using old = Dfs.mount(container, { epoch: newestEpoch(container) });
    expect(await codeOf(() => old.watch("f"))).toBe("EINVAL");
  });
});
