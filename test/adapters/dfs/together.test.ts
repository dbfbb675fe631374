/**
 * Changes that are asked for at once share a commit, and are what they would be one after the other.
 *
 * @module
 */

import { describe, expect, test } from "@jest/globals";
import { isDaosError } from "daos-ts";
import { Dfs, isDfsError } from "daos-ts/dfs";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { connectAgain, temporaryContainer } from "../temporary-container.ts";

/** Few names, so that changes meet. */
const path = fc.constantFrom("a", "b", "d", "d/a", "d/e", "d/e/a", "l", "l/a", "");
const text = fc.constantFrom("", "x", "longer than before");
const change = fc.oneof(
  fc.tuple(fc.constant("writeFile" as const), path, text),
  fc.tuple(fc.constant("appendFile" as const), path, text),
  fc.tuple(fc.constant("mkdir" as const), path, fc.record({ recursive: fc.boolean() })),
  fc.tuple(fc.constant("unlink" as const), path, fc.constant(undefined)),
  fc.tuple(fc.constant("rmdir" as const), path, fc.constant(undefined)),
  fc.tuple(fc.constant("symlink" as const), fc.constantFrom("d", "a", "none"), path),
  fc.tuple(fc.constant("rename" as const), path, path),
  fc.tuple(
    fc.constant("rm" as const),
    path,
    fc.record({ recursive: fc.boolean(), force: fc.boolean() }),
  ),
);
type Change = [name: keyof Dfs, ...args: unknown[]];

async function make(dfs: Dfs, [name, ...args]: Change): Promise<unknown> {
  const call = dfs[name] as (...args: unknown[]) => Promise<unknown>;
  try {
    return ["done", await call.apply(dfs, args)];
  } catch (error) {
    if (!isDfsError(error)) throw error;
    return ["failed", error.code, error.syscall];
  }
}

/** All names, with what is behind them. */
async function treeOf(dfs: Dfs): Promise<unknown[]> {
  const names = (await dfs.readdir("/", { recursive: true })).sort();
  return Promise.all(
    names.map(async (name) => {
      const stats = await dfs.lstat(name);
      if (stats.isSymbolicLink()) return [name, await dfs.readlink(name)];
      return [name, stats.isDirectory() ? "directory" : await dfs.readFile(name, "utf8")];
    }),
  );
}

function commitCount(container: ReturnType<typeof temporaryContainer>["container"]): () => number {
  let count = 0;
  const run = Object.getPrototypeOf(container).runTransaction as typeof container.runTransaction;
  container.runTransaction = (body, options) => {
    const result = run.call(container, body, options);
    count += 1;
    return result as never;
  };
  return () => count;
}

describe("DFS: changes at once", () => {
  test("are what they are one after the other, whichever of them fail", async () => {
    const all = [temporaryContainer(), temporaryContainer()] as const;
    const [alone, together] = all.map(({ container }) => Dfs.mount(container)) as [Dfs, Dfs];
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
        const expected: unknown[] = [];
        for (const one of changes) expected.push(await make(alone, one as Change));
        const seen = await Promise.all(changes.map((one) => make(together, one as Change)));
        expect(seen).toEqual(expected);
        expect(await treeOf(together)).toEqual(await treeOf(alone));
      }),
      fcOptions(60),
    );
  });

  test("share one commit", async () => {
    const { container } = temporaryContainer();
    const dfs = Dfs.mount(container);
    const count = commitCount(container);
    const names = Array.from({ length: 100 }, (_, at) => `f${at}`);
    await Promise.all(names.map((name) => dfs.writeFile(name, name)));
    expect(count()).toBe(1);
    await Promise.all(names.slice(1).map((name) => dfs.unlink(name)));
    expect(count()).toBe(2);
    expect(await dfs.readdir("/")).toEqual(["f0"]);
  });

  test("are seen by the calls that follow, awaited or not", async () => {
    const { container, pool } = temporaryContainer();
    const dfs = Dfs.mount(container);
    const written = dfs.writeFile("a", "text");
    expect(await dfs.readFile("a", "utf8")).toBe("text");
    await written;
    const removed = dfs.unlink("a");
    await (await dfs.open("a", "wx")).close();
    await removed;
    const last = dfs.writeFile("b", "");
    dfs.close();
    expect(await Dfs.mount(connectAgain(pool)).readdir("/")).toEqual(["a", "b"]);
    await last;
  });

  test("all fail if the pool is closed before", async () => {
    const { container, pool } = temporaryContainer();
    const dfs = Dfs.mount(container);
    const changes = ["a", "b", "c"].map((name) => dfs.writeFile(name, ""));
    pool.close();
    for (const result of await Promise.allSettled(changes)) {
      expect(result.status === "rejected" && isDaosError(result.reason, "DER_NO_HDL")).toBe(true);
    }
  });
});
