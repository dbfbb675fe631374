/**
 * Golden pools: what a released version wrote, every later version opens, reads exactly and goes on with.
 *
 * test/golden/make.mjs made them; what is in them was worked out without the store.
 */

import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Pattern, Pool, wholeOf } from "daos-ts";
import { plainEnvironment, runSuccessfully } from "../support/processes.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import {
  type Contents,
  contentsFile,
  goldenContents,
  goldenPools,
  unpackGolden,
} from "./support/golden-pool.ts";

const STORED_SIZE_MAX = 200_000;
const OWN = 12345n;

/** What a process of its own reads in a pool. */
function contentsOf(path: string, mode: "ro" | "rw"): Contents {
  const program = join(root, "test", "core", "programs", "show-contents.mjs");
  const env = plainEnvironment();
  return JSON.parse(runSuccessfully(process.execPath, [program, path, mode], { env }).stdout);
}

/** Commits to an object of its own. */
function commitTo(pool: Pool, tag: number): void {
  const container = pool.openContainer("main");
  const bytes = new Uint8Array(100_000).fill(tag);
  container.update((tx) => {
    tx.write(OWN, wholeOf(Pattern.contiguous(0, bytes.length)), bytes, container.incarnation(OWN));
  });
  using view = container.view();
  expect(view.readBytes(OWN, 0, bytes.length).every((byte) => byte === tag)).toBe(true);
}

test("there is a golden pool of this format version", () => {
  expect(goldenPools).toEqual(expect.arrayContaining(["format-1", "format-1-process"]));
});

describe.each(goldenPools)("golden pool %s", (name) => {
  test("is small", () => {
    const archive = join(root, "test", "golden", name, "pool.tar.gz");
    const size = statSync(archive).size + statSync(contentsFile(name)).size;
    expect(size).toBeLessThan(STORED_SIZE_MAX);
  });

  test.each(["ro", "rw"] as const)("shows what was written, connected %s", (mode) => {
    const path = unpackGolden(name, temporaryDirectory());
    expect(contentsOf(path, mode)).toEqual(goldenContents(name));
    // A second time: the first process is gone.
    expect(contentsOf(path, mode)).toEqual(goldenContents(name));
  });

  test("gives back the lease of the writer that died", () => {
    const path = unpackGolden(name, temporaryDirectory());
    {
      using pool = Pool.connect(path);
      expect(pool.query().segments).toMatchObject({ leased: 1 });
      expect(pool.recover()).toMatchObject({ reclaimed: 1 });
      const { leased, sealed, free } = pool.query().segments;
      expect({ leased, hasSealed: sealed > 0, hasFree: free > 0 }).toEqual({
        leased: 0,
        hasSealed: true,
        hasFree: true,
      });
    }
    expect(contentsOf(path, "rw")).toEqual(goldenContents(name));
  });

  test("takes commits, aggregates and scrubs; what is kept stays as it was", () => {
    const path = unpackGolden(name, temporaryDirectory());
    const before = goldenContents(name);
    {
      using pool = Pool.connect(path);
      expect(pool.scrub().damages).toEqual([]);
      for (const tag of [1, 2, 3, 4]) commitTo(pool, tag);
      for (const label of pool.listContainers()) pool.openContainer(label).aggregate();
      expect(pool.scrub().damages).toEqual([]);
      commitTo(pool, 5);
      pool.openContainer("main").update((tx) => tx.punch(OWN));
    }
    const after = contentsOf(path, "rw");
    expect(Object.keys(after.containers)).toEqual(Object.keys(before.containers));
    for (const [label, container] of Object.entries(before.containers)) {
      const found = after.containers[label];
      expect(found?.snapshots).toEqual(container.snapshots);
      expect(found?.marks).toEqual(container.marks);
      for (const epoch of Object.values(container.snapshots)) {
        expect(found?.versions[epoch]).toEqual(container.versions[epoch]);
      }
      const [newest, then] = [container.commits[0], found?.commits[0]];
      if (newest === undefined) continue;
      expect(found?.versions[`${then}`]).toEqual(container.versions[newest]);
    }
  });
});
