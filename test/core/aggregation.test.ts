/**
 * Aggregation of arrays in a real pool: every epoch that is kept reads as before, at each step; live sizes
 * are exact; a second pass finds nothing to do; space and the order of the log come back.
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { type Container, isDaosError, Pattern, Pool, wholeOf } from "daos-ts";
import fc from "fast-check";
import { IndexStore } from "../../dist/core/index/index-store.js";
import { MERGED_RUN_SIZE_MAX } from "../../dist/core/limits.js";
import { keptEpochs } from "../../dist/core/vos/retention.js";
import { fcOptions, seed } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { flip } from "./support/flip.ts";
import { Program } from "./support/program.ts";
import {
  ARRAY_SIZE,
  BLOCK_COUNT,
  BLOCK_SIZE,
  checkLiveSizes,
  committedSize,
  countIndex,
  ScatteredArray,
} from "./support/scattered-array.ts";

const DATA_OFFSET = 65_536;
const MIB = 2 ** 20;
const NOTHING = { runs: 0, merged: 0, values: 0, bytes: 0, copied: 0, isBusy: false };

function createPool(retainCommits = 1): { pool: Pool; container: Container } {
  const pool = Pool.create({ path: join(temporaryDirectory(), "p"), durability: "process" });
  return { pool, container: pool.createContainer("c", { retainCommits }) };
}

function expectSound(pool: Pool): void {
  checkLiveSizes(pool);
  expect(pool.scrub().damages).toEqual([]);
}

/** Damages a byte of the data of a segment. */
function damage(pool: Pool, segment: number, position: number): void {
  const name = `${segment.toString(16).padStart(12, "0")}.seg`;
  flip(join(pool.path, "nvme", name), DATA_OFFSET + position);
}

type Step =
  | { type: "scatter"; count: number }
  | { type: "all" | "punch" | "snapshot" | "forget" | "view" | "close" | "aggregate" }
  | { type: "strided"; first: number; stride: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("scatter" as const),
      count: fc.integer({ min: 1, max: 150 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("strided" as const),
      first: fc.nat({ max: 5 }),
      stride: fc.integer({ min: 2, max: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ type: "all" as const }) },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom("punch", "snapshot", "forget", "view", "close", "aggregate")
      .map((type) => ({ type }) as Step),
  },
);

/** A pool that steps are taken in, with everything that keeps its versions readable. */
class Scenario {
  readonly #pool: Pool;
  readonly #container: Container;
  readonly #array: ScatteredArray;
  readonly #views: ReturnType<Container["view"]>[] = [];
  #snapshots = 0;
  copied = 0;
  merged = 0;

  constructor(path: string, number: number) {
    this.#pool = Pool.create({ path, durability: "process" });
    this.#container = this.#pool.createContainer("c", { retainCommits: 2 });
    this.#array = new ScatteredArray(this.#container, number);
  }

  take(step: Step): void {
    const container = this.#container;
    if (step.type === "scatter") this.#array.scatter(step.count);
    else if (step.type === "strided") this.#array.writeStrided(step.first, step.stride);
    else if (step.type === "all") this.#array.writeAll();
    else if (step.type === "punch") this.#array.punch();
    else if (step.type === "snapshot") container.createSnapshot(`s${this.#snapshots++}`);
    else if (step.type === "forget") this.#forget();
    else if (step.type === "view") this.#views.push(container.view());
    else if (step.type === "close") this.#views.shift()?.close();
    else this.aggregate();
  }

  #forget(): void {
    const [oldest] = this.#container.listSnapshots();
    if (oldest !== undefined) this.#container.destroySnapshot(oldest.name);
  }

  /** A pass in the shortest steps, with every kept version compared after some of them. */
  aggregate(): void {
    let number = 0;
    for (const done of this.#container.aggregateSteps({ stepMs: 0 })) {
      this.copied += done.copied;
      this.merged += done.merged;
      number += 1;
      if (number % 5 === 0) this.check();
    }
    this.check();
    expectSound(this.#pool);
    expect(this.#container.aggregate()).toEqual(NOTHING);
  }

  check(): void {
    for (const view of this.#views) this.#array.check(view);
    const snapshots = this.#container.listSnapshots().map(({ epoch }) => epoch);
    const commits = this.#container.commits().map(({ epoch }) => epoch);
    for (const epoch of [...snapshots, ...commits]) {
      using view = this.#container.view(epoch);
      this.#array.check(view);
    }
  }

  close(): void {
    this.#pool.close();
  }
}

describe("Container.aggregate()", () => {
  test("keeps what every kept epoch shows, at each step, and a second pass changes nothing", () => {
    const total = { copied: 0, merged: 0 };
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 25, size: "max" }), (steps) => {
        const scenario = new Scenario(join(temporaryDirectory(), "p"), steps.length);
        try {
          for (const next of steps) scenario.take(next);
          scenario.aggregate();
          total.copied += scenario.copied;
          total.merged += scenario.merged;
        } finally {
          scenario.close();
        }
      }),
      // Shrinking would take minutes: a case is a dozen passes over a pool.
      { ...fcOptions(4), endOnFailure: true },
    );
    expect(total.copied).toBeGreaterThan(4 * MIB);
    expect(total.merged).toBeGreaterThan(20);
  }, 120_000);

  test("makes few bounded runs of many, with the bytes where they lie if it may not copy", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const array = new ScatteredArray(container, seed);
    for (let commit = 0; commit < 3000; commit++) array.scatter(1);
    const before = countIndex(pool);
    expect(before.runs).toBe(3000);
    const report = container.aggregate({ compact: false });
    expect(report.copied).toBe(0);
    expect(report.runs + report.merged).toBe(3000);
    const after = countIndex(pool);
    expect(after.runs).toBe(1);
    expect(after.pieces).toBeLessThanOrEqual(BLOCK_COUNT);
    expectSound(pool);
    using view = container.view();
    array.check(view);
    expect(container.aggregate({ compact: false })).toEqual(NOTHING);
  });

  test("splits what would be too large for one run", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    // Nothing adjoins, so that each piece stays one.
    for (let commit = 0; commit < 2500; commit++) {
      const start = (commit % 2 === 0 ? commit : 2500 - commit) * 100;
      const range = wholeOf(Pattern.contiguous(start, start + 50));
      container.update((tx) => tx.write(1n, range, new Uint8Array(50).fill(commit), 0n));
    }
    container.aggregate();
    expect(countIndex(pool).runs).toBe(3);
    const index = IndexStore.open(join(pool.path, "scm", "index.mdb"), { durable: false });
    index.visit({ start: Uint8Array.of(0x40), end: Uint8Array.of(0x41) }, (_key, value) => {
      expect(value.length).toBeLessThanOrEqual(MERGED_RUN_SIZE_MAX);
      return true;
    });
    index.close();
    expectSound(pool);
  });

  test("puts a scattered array in order, and frees the segments that it lay in", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const array = new ScatteredArray(container, seed);
    array.writeAll();
    for (let commit = 0; commit < 2000; commit++) array.scatter(2);
    expect(committedSize(pool)).toBeGreaterThan(8 * ARRAY_SIZE);
    const report = container.aggregate();
    expect(report.copied).toBeGreaterThanOrEqual(ARRAY_SIZE);
    expect(countIndex(pool).pieces).toBeLessThanOrEqual(2);
    expect(committedSize(pool)).toBeLessThanOrEqual(1.5 * ARRAY_SIZE);
    expect(pool.query().nvme.live).toBe(ARRAY_SIZE);
    expectSound(pool);
    using view = container.view();
    array.check(view);
  });

  test("empties segments for snapshots too, and for arrays that nothing was written to since", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const still = new ScatteredArray(container, seed, 2n);
    still.writeStrided(1, 3);
    container.createSnapshot("s");
    still.writeStrided(2, 4);
    const array = new ScatteredArray(container, seed);
    for (let round = 0; round < 4; round++) array.writeAll();
    const before = committedSize(pool);
    const report = container.aggregate();
    expect(report.copied).toBeGreaterThan(ARRAY_SIZE);
    expect(committedSize(pool)).toBeLessThan(before / 2);
    expectSound(pool);
    for (const at of [undefined, { snapshot: "s" }]) {
      using view = container.view(at);
      still.check(view);
    }
  });

  test("copies nothing while writers overwrite in large parts", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const array = new ScatteredArray(container, seed);
    for (let round = 0; round < 8; round++) {
      array.writeAll();
      expect(container.aggregate({ compact: round % 2 === 0 }).copied).toBeLessThanOrEqual(
        ARRAY_SIZE,
      );
    }
    expectSound(pool);
  });

  test("shows readers of this process the new order, and old views what they saw", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const array = new ScatteredArray(container, seed);
    array.writeAll();
    using held = container.view();
    array.check(held);
    for (let commit = 0; commit < 500; commit++) array.scatter(2);
    using head = container.view();
    array.check(head);
    container.aggregate();
    array.check(held);
    array.check(head);
    using later = container.view();
    array.check(later);
    // The segments of the old order are let go of by now: the next writer recycles what is free.
    expectSound(pool);
  });
});

describe("damage", () => {
  test("in a merged run is found by reads and by a scrub, whichever commit verified it", () => {
    const { pool, container } = createPool();
    // Ten commits that end in the same two checksum blocks.
    const size = 5000;
    for (let commit = 0; commit < 10; commit++) {
      const range = wholeOf(Pattern.contiguous(commit * size, (commit + 1) * size));
      container.update((tx) => tx.write(1n, range, new Uint8Array(size).fill(commit), 0n));
    }
    expect(container.aggregate().merged).toBe(10);
    expect(countIndex(pool)).toMatchObject({ runs: 1, pieces: 1 });
    expectSound(pool);
    pool.close();
    for (const position of [0, 32_767, 32_768, 49_999]) {
      damage(pool, 1, position);
      using reader = Pool.connect(pool.path, { mode: "ro" });
      using view = reader.openContainer("c").view();
      let thrown: unknown;
      try {
        view.readBytes(1n, position, position + 1);
      } catch (error) {
        thrown = error;
      }
      expect(isDaosError(thrown, "DER_CSUM")).toBe(true);
      expect(reader.scrub().damages).toHaveLength(1);
      damage(pool, 1, position);
      expect(reader.scrub().damages).toEqual([]);
    }
  });

  test("is not copied to where it would look sound, and all else is", () => {
    const { pool, container } = createPool();
    const array = new ScatteredArray(container, seed);
    array.writeAll();
    for (let commit = 0; commit < 1000; commit++) array.scatter(2);
    pool.close();
    // A block of the last commits, which are still seen.
    damage(pool, 1, committedSize(pool) - 40_000);
    using again = Pool.connect(pool.path);
    const before = again.scrub().damages;
    expect(before.length).toBeGreaterThan(0);
    // The scrub marked the container: only force opens it now.
    const reopened = again.openContainer("c", { force: true });
    expect(reopened.aggregate().copied).toBeGreaterThan(ARRAY_SIZE / 2);
    checkLiveSizes(again);
    using view = reopened.view();
    const expected = array.bytesAt(view.epoch);
    let damaged = 0;
    for (let block = 0; block < BLOCK_COUNT; block++) {
      const [start, end] = [block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE];
      try {
        const read = view.readBytes(1n, start, end);
        expect(Buffer.compare(read, expected.subarray(start, end))).toBe(0);
      } catch (error) {
        expect(isDaosError(error, "DER_CSUM")).toBe(true);
        damaged += 1;
      }
    }
    // One block of 32 KiB has at most nine of 4 KiB in it.
    expect(damaged).toBeGreaterThan(0);
    expect(damaged).toBeLessThanOrEqual(9);
    const after = again.scrub().damages;
    expect(after.length).toBeGreaterThan(0);
    // Another pass does not copy it either, and comes to an end.
    reopened.aggregate();
    expect(again.scrub().damages).toEqual(after);
  });
});

describe("Container.aggregateSteps()", () => {
  test("lets others write, read and snapshot between steps", () => {
    const { pool, container } = createPool(2);
    using _pool = pool;
    using other = Pool.connect(pool.path);
    const array = new ScatteredArray(other.openContainer("c"), seed);
    for (let commit = 0; commit < 300; commit++) array.scatter(3);
    let steps = 0;
    for (const _ of container.aggregateSteps({ stepMs: 0 })) {
      steps += 1;
      array.scatter(2);
      if (steps % 7 === 0) container.createSnapshot(`s${steps}`);
      if (steps % 5 !== 0) continue;
      using view = container.view();
      array.check(view);
      checkLiveSizes(pool);
    }
    expect(steps).toBeGreaterThan(10);
    expectSound(pool);
  });

  test("that are not finished free the container and the log when they are ended", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    using other = Pool.connect(pool.path);
    const array = new ScatteredArray(container, seed);
    for (let commit = 0; commit < 400; commit++) array.scatter(2);
    const steps = container.aggregateSteps({ stepMs: 0 });
    steps.next();
    expect(other.openContainer("c").aggregate()).toEqual({ ...NOTHING, isBusy: true });
    steps.return();
    expect(other.openContainer("c").aggregate().isBusy).toBe(false);
    // A pass of the other one released the lease of what it copied.
    expect(other.query().segments.leased).toBe(1);
    expectSound(pool);
  });

  test("of a pool that was closed are DER_NO_HDL, and nothing stays locked", () => {
    const { pool, container } = createPool();
    const array = new ScatteredArray(container, seed);
    for (let commit = 0; commit < 400; commit++) array.scatter(2);
    const steps = container.aggregateSteps({ stepMs: 0 });
    steps.next();
    pool.close();
    expect(() => [...steps]).toThrow(expect.objectContaining({ code: "DER_NO_HDL" }));
    using again = Pool.connect(pool.path);
    expect(again.query()).toMatchObject({ segments: { leased: 0 }, writers: [] });
    expect(again.openContainer("c").aggregate().isBusy).toBe(false);
    expectSound(again);
  });

  test("take a time that is none with DER_INVAL", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    expect(() => container.aggregateSteps({ stepMs: -1 })).toThrow(
      expect.objectContaining({ code: "DER_INVAL" }),
    );
  });
});

test("a view in another process keeps its version while the array is copied and recycled", async () => {
  const { pool, container } = createPool();
  using _pool = pool;
  const array = new ScatteredArray(container, seed);
  array.writeAll();
  for (let commit = 0; commit < 200; commit++) array.scatter(3);
  const holders = [new Program("hash-view", [pool.path, "1"])];
  await holders[0]?.printed(1);
  for (let round = 0; round < 6; round++) {
    for (let commit = 0; commit < 200; commit++) array.scatter(3);
    const holder = new Program("hash-view", [pool.path, "1"]);
    await holder.printed(1);
    holders.push(holder);
    expect(container.aggregate().copied).toBeGreaterThan(0);
    array.writeAll();
  }
  container.aggregate();
  for (const holder of holders) {
    holder.send("read");
    await holder.printed(2);
    expect(holder.errors).toBe("");
    expect(holder.lines[1]).toBe(holder.lines[0]);
    await holder.kill();
  }
  expect(new Set(holders.map(({ lines }) => lines[0])).size).toBe(holders.length);
  container.aggregate();
  expect(pool.query().nvme.live).toBe(ARRAY_SIZE);
  expectSound(pool);
}, 60_000);

test("keptEpochs() sees a commit that comes while pins are read, and one that is forgotten then", () => {
  const { pool, container } = createPool(9);
  using _pool = pool;
  const array = new ScatteredArray(container, seed);
  const first = array.scatter(1);
  const index = IndexStore.open(join(pool.path, "scm", "index.mdb"), { durable: false });
  let second = 0n;
  // A pin is newer than the commits that were listed: what it sees must be listed too.
  const pins = {
    epochsOf: () => {
      second = array.scatter(1);
      return [second + 1n];
    },
  };
  const kept = keptEpochs(index, 1, { horizon: 0n, pins });
  expect(kept).toEqual([0n, first, second, second + 1n]);
  // A reader pins the oldest commit, whereupon another pass forgets it.
  const held: { close(): void }[] = [];
  const raced = {
    epochsOf: () => {
      held.push(container.view(first));
      for (let commit = 0; commit < 9; commit++) array.scatter(1);
      container.aggregate();
      return [];
    },
  };
  expect(keptEpochs(index, 1, { horizon: 0n, pins: raced })).toEqual(
    expect.arrayContaining([first, second]),
  );
  for (const view of held) view.close();
  index.close();
});

test("segments of a pool lie in files that aggregation leaves or recycles, never more", () => {
  const { pool, container } = createPool();
  using _pool = pool;
  const array = new ScatteredArray(container, seed);
  for (let round = 0; round < 6; round++) {
    for (let commit = 0; commit < 300; commit++) array.scatter(4);
    container.aggregate();
  }
  // The writer's, the log's of aggregation, and those that are free between them.
  expect(readdirSync(join(pool.path, "nvme")).length).toBeLessThanOrEqual(5);
  expectSound(pool);
});
