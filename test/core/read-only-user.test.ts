/**
 * A user who may read a pool and not write it: connects read-only, reads everything, cannot pin, and every change is
 * DER_NO_PERM. As root the test becomes another user; else it takes its own right to write the files away.
 */

import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { temporaryDirectory } from "../support/temporary.ts";
import {
  type Contents,
  goldenContents,
  newestGolden,
  unpackGolden,
} from "./support/golden-pool.ts";
import { Program } from "./support/program.ts";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const GOLDEN = newestGolden;

interface Answer {
  readonly rw: string;
  readonly contents: Contents;
  readonly segments: unknown;
  readonly damages: number;
  readonly errors: Readonly<Record<string, string>>;
}

/** Files and directories of a pool, directories last. */
function entriesOf(path: string): string[] {
  const inside = statSync(path).isDirectory()
    ? readdirSync(path).flatMap((name) => entriesOf(join(path, name)))
    : [];
  return [...inside, path];
}

/** Everybody may read; the owner may write if `writable`. */
function allow(path: string, writable: boolean): void {
  for (const entry of entriesOf(path)) {
    const mode = statSync(entry).isDirectory() ? 0o555 : 0o444;
    chmodSync(entry, writable ? mode | 0o200 : mode);
  }
}

/** A golden pool in a directory that everybody may read. */
function readablePool(): { path: string; scratch: string } {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  const scratch = join(directory, "scratch");
  mkdirSync(scratch);
  return { path: unpackGolden(GOLDEN, directory), scratch };
}

function expectRead({ rw, contents, damages, errors }: Answer): void {
  expect(rw).toBe("DER_NO_PERM");
  expect(contents).toEqual(goldenContents(GOLDEN));
  expect(damages).toBe(0);
  expect([...new Set(Object.values(errors))]).toEqual(["DER_NO_PERM"]);
}

describe("a user who may only read", () => {
  test.each([
    ["before anybody wrote here", false],
    ["after a writer was here, whose reader table is left", true],
  ])("reads everything and changes nothing, %s", async (_when, isUsed) => {
    const { path, scratch } = readablePool();
    if (isUsed) {
      using pool = Pool.connect(path);
      pool.openContainer("main").view().close();
    }
    const before = entriesOf(path);
    allow(path, false);
    const user = new Program("read-as-other", [path, scratch, `${isRoot ? NOBODY : 0}`]);
    try {
      await user.printed(1);
      expectRead(JSON.parse(user.lines[0] as string));
    } finally {
      await user.kill();
      allow(path, true);
    }
    expect(entriesOf(path)).toEqual(before);
    using pool = Pool.connect(path);
    expect(pool.openContainer("main").update((tx) => tx.punch(1n)).epoch).toBeGreaterThan(0n);
  });

  (isRoot ? test : test.skip)(
    "sees what a writer committed meanwhile; its views do not hold epochs back (needs root)",
    async () => {
      const { path, scratch } = readablePool();
      using pool = Pool.connect(path);
      allow(path, true);
      const user = new Program("read-as-other", [path, scratch, `${NOBODY}`]);
      try {
        await user.printed(1);
        expectRead(JSON.parse(user.lines[0] as string));
        const container = pool.openContainer("main");
        const key = Buffer.from("k");
        for (let value = 0; value < 5; value++) {
          container.update((tx) => {
            const change = { oid: 99n, dkey: key, akey: key, value: Buffer.from(`${value}`) };
            tx.put({ ...change, condition: "none" });
          });
        }
        container.aggregate();
        user.send("again");
        await user.printed(2);
        const { contents } = JSON.parse(user.lines[1] as string) as Answer;
        const commits = container.commits().map(({ epoch }) => `${epoch}`);
        expect(contents.containers.main?.commits).toEqual(commits);
        const newest = contents.containers.main?.versions[commits[0] as string];
        expect(JSON.stringify(newest)).toContain('"value":"4"');
      } finally {
        await user.kill();
      }
    },
  );
});
