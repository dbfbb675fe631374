/**
 * The space of a pool that several processes fill: a limit holds for all of them together, and writers
 * that live for one commit share segments.
 */

import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { type Container, Pool } from "daos-ts";
import { runSuccessfully } from "../support/processes.ts";
import { isNightly } from "../support/property.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { sizeOfFiles } from "./support/disk.ts";
import { Program } from "./support/program.ts";

const MIB = 1 << 20;
const SIZE = { scm: 4 * MIB, nvme: 12 * MIB };
const WATCH_MS = 5;

function expectFilled(container: Container, oid: bigint, size: number): void {
  using view = container.view();
  const bytes = view.readBytes(oid, 0, size);
  expect(Buffer.compare(bytes, Buffer.alloc(size, Number(oid % 251n)))).toBe(0);
}

test.each([
  [70_000, 5_000],
  [1_300_000, 300_000],
])(
  "processes that fill a pool by %i and %i bytes never exceed its limit together",
  async (large, small) => {
    const path = join(temporaryDirectory(), "p");
    const pool = Pool.create({ path, durability: "process", size: SIZE });
    const container = pool.createContainer("c", { retainCommits: 1 });
    const programs = [
      new Program("fill", [path, "1000", `${large}`]),
      new Program("fill", [path, "100000", `${small}`]),
    ];
    await Promise.all(programs.map((program) => program.printed(1)));
    const most = { scm: 0, nvme: 0 };
    const watch = setInterval(() => {
      for (const tier of ["scm", "nvme"] as const) {
        most[tier] = Math.max(most[tier], sizeOfFiles(join(path, tier)));
      }
    }, WATCH_MS);
    try {
      for (const program of programs) program.send("go");
      await Promise.all(programs.map((program) => program.ended()));
    } finally {
      clearInterval(watch);
      await Promise.all(programs.map((program) => program.kill()));
    }
    const ends = programs.map(({ lines }) => JSON.parse(lines.at(-1) as string));
    expect(ends.map(({ code }) => code)).toEqual(["DER_NOSPACE", "DER_NOSPACE"]);
    expect(most.scm).toBeLessThanOrEqual(SIZE.scm);
    // Also the reserve is left.
    expect(most.nvme).toBeLessThanOrEqual((SIZE.nvme * 15) / 16);
    // Both tiers' bounds are near: what stopped them is the limit, not a mistake.
    const { scm, nvme } = pool.query();
    // The one that ended last may have been the one that needs much.
    const isFull = nvme.free < 64 * 1024 + large || scm.free < 128 * 1024;
    expect(isFull).toBe(true);
    for (const [index, { oids }] of ends.entries()) {
      const size = index === 0 ? large : small;
      expect(oids.length).toBeGreaterThan(0);
      for (const oid of oids) expectFilled(container, BigInt(oid), size);
    }
    pool.close();
  },
  60_000,
);

test(
  "writers that live for a commit of 5 KiB use at most twice their data",
  () => {
    const path = join(temporaryDirectory(), "p");
    Pool.create({ path, durability: "process" }).createContainer("c", { retainCommits: 1 });
    const writers = isNightly ? 1000 : 100;
    const program = join(root, "test", "core", "programs", "commit-once.mjs");
    const size = 5 * 1024;
    runSuccessfully(process.execPath, [program, path, "1", `${writers}`, `${size}`]);
    using pool = Pool.connect(path);
    const live = writers * size;
    expect(pool.query().nvme.live).toBe(live);
    // The first step of a segment file is a mebibyte, more than twice what few writers need.
    expect(pool.query().nvme.used).toBeLessThanOrEqual(Math.max(2 * live, MIB + 64 * 1024));
    expect(pool.query().segments.sealed).toBe(1);
    expectFilled(pool.openContainer("c"), BigInt(writers), size);
  },
  isNightly ? 300_000 : 60_000,
);
