/**
 * The file system of a container against the real one.
 *
 * Method: random calls of `node:fs/promises` in a small domain of names, so that files, directories and links
 * meet; the same on a mounted container and in a temporary directory. Each answer, or the code of each error,
 * must be the same, and in the end both trees.
 */

import * as realFs from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { checkFileSystem, Dfs } from "daos-ts/dfs";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { connectAgain, temporaryContainer } from "../temporary-container.ts";
import { HALF_DONE, OPEN_FLAGS, perform, sideOf, treeOf } from "./programs/calls.mjs";

type Call = [name: string, ...args: unknown[]];

/** So deep that no path of the test leads above it. */
const BASE = "1/2/3/4/5/6/7/8";

const name = fc.constantFrom("a", "b", "c");
const component = fc.oneof(
  { weight: 12, arbitrary: name },
  { weight: 1, arbitrary: fc.constantFrom(".", "..") },
);
const path = fc
  .tuple(
    fc.oneof(
      { weight: 5, arbitrary: fc.tuple(name) },
      { weight: 3, arbitrary: fc.tuple(name, component) },
      { weight: 1, arbitrary: fc.tuple(name, component, component) },
      { weight: 1, arbitrary: fc.tuple(component) },
    ),
    fc.oneof(
      { weight: 12, arbitrary: fc.constant("") },
      { weight: 1, arbitrary: fc.constant("/") },
    ),
  )
  .map(([names, end]) => names.join("/") + end);
const text = fc.constantFrom("", "one", "two and more", "x".repeat(100));
const mode = fc.constantFrom(0o700, 0o755, 0o750, 0o777);
const flag = fc.boolean();
const time = fc.constantFrom(0, 1, 1_000_000_000.5);

const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant("writeFile"), path, text) },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constant("writeFile"),
      path,
      text,
      fc.record({ flag: fc.constantFrom("w", "wx", "a", "r+", "ax", "as"), mode }),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constant("mkdir"), path, fc.record({ recursive: flag, mode })),
  },
  { weight: 5, arbitrary: fc.tuple(fc.constant("symlink"), path, path) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constant("symlink"), path, path)
      .map(([c, to, at]) => [c, `/${to}`, at] as Call),
  },
  { weight: 8, arbitrary: fc.tuple(fc.constant("rename"), path, path) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom("copyFile"), path, path, fc.constantFrom(0, 1, 2)),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constant("cp"),
      path,
      path,
      fc.record(
        {
          recursive: flag,
          force: flag,
          errorOnExist: flag,
          dereference: flag,
          verbatimSymlinks: flag,
          skip: name,
        },
        { requiredKeys: ["recursive"] },
      ),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constant("rm"), path, fc.record({ recursive: flag, force: flag })),
  },
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom("unlink", "rmdir"), path) },
  {
    weight: 8,
    arbitrary: fc.tuple(
      fc.constantFrom(
        "readFile",
        "readlink",
        "realpath",
        "stat",
        "lstat",
        "readdir",
        "lchown",
        "chown",
      ),
      path,
    ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant("readdirTypes"), path, flag) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("opendir"), path, fc.constantFrom(1, 2, 32)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("mkdtemp"), path) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant("open"), path, fc.constantFrom(...OPEN_FLAGS), text),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant("truncate"), path, fc.nat({ max: 20 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("appendFile"), path, text) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("chmod"), path, mode) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom("utimes", "lutimes"), path, time, time) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("access"), path, fc.nat({ max: 7 })) },
) as fc.Arbitrary<Call>;

const endsWithDot = (each: unknown) => /(^|\/)\.\.?\/?$/.test(String(each));

/**
 * Whether node itself behaves by chance, or against its documentation: `rm` empties what is above a path that
 * ends with a dot, `cp` replaces links whatever `force` says.
 */
async function isLeftOut(real: ReturnType<typeof sideOf>, [what, ...args]: Call): Promise<boolean> {
  if (what === "rm") return endsWithDot(args[0]) || String(args[0]).endsWith("/");
  if (what !== "cp") return false;
  if (endsWithDot(args[0]) || endsWithDot(args[1])) return true;
  const hasLinks = Object.values<string>((await treeOf(real)) as Record<string, string>).some(
    (entry) => entry.startsWith("link"),
  );
  return hasLinks && !("code" in (await perform(real, ["lstat", args[1]])));
}

test("DFS: does what node does in a real directory, in random sequences of calls", async () => {
  const { pool, container } = temporaryContainer({ retainCommits: 4 });
  const dfs = Dfs.mount(container);
  const other = Dfs.mount(connectAgain(pool));
  const directory = temporaryDirectory();
  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 25, size: "max" }), async (calls) => {
      const top = `run-${number++}`;
      const below = `${top}/${BASE}`;
      await realFs.mkdir(join(directory, below), { recursive: true });
      await dfs.mkdir(below, { recursive: true });
      const real = sideOf(realFs, join(directory, below));
      const mine = sideOf(dfs, `/${below}`);
      for (const each of calls) {
        if (await isLeftOut(real, each)) continue;
        const wanted = await perform(real, each);
        const found = await perform(mine, each);
        // Of several reasons to fail, cp of node says the one that it met first.
        const isAnyError = each[0] === "cp" && "code" in wanted && "code" in found;
        if (!isAnyError) expect([each, found]).toEqual([each, wanted]);
        if (HALF_DONE.includes(each[0]) && "code" in wanted) return;
      }
      const seen = await treeOf(sideOf(other, `/${top}`));
      expect(seen).toEqual(await treeOf(sideOf(realFs, join(directory, top))));
    }),
    fcOptions(50),
  );
  expect((await checkFileSystem(container)).faults).toEqual([]);
});
