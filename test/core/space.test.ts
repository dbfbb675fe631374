/**
 * The space of a pool: a limit that holds, an error before anything is half written, and a way back from
 * a full pool by removals and aggregation.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import {
  type Container,
  type DaosError,
  isDaosError,
  Pattern,
  Pool,
  type PoolSize,
  wholeOf,
} from "daos-ts";
import fc from "fast-check";
import { fcOptions, isNightly } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { canMount, fillDisk, sizeOfFiles, withSmallDisk } from "./support/disk.ts";

const MIB = 1 << 20;
const SIZE = { scm: 3 * MIB, nvme: 6 * MIB };
const AKEY = Buffer.from("a");
const CYCLES = isNightly ? 40 : 8;

function newPool(size?: PoolSize): { pool: Pool; container: Container; path: string } {
  const path = join(temporaryDirectory(), "p");
  const options = size === undefined ? {} : { size };
  const pool = Pool.create({ path, durability: "process", ...options });
  return { pool, container: pool.createContainer("c", { retainCommits: 1 }), path };
}

function pattern(size: number, of: number): Uint8Array {
  return new Uint8Array(size).map((_, at) => (at * 7 + of * 31) & 0xff);
}

function writeArray(container: Container, oid: bigint, bytes: Uint8Array): void {
  const range = wholeOf(Pattern.contiguous(0, bytes.length));
  container.update((tx) => tx.write(oid, range, bytes, container.incarnation(oid)));
}

function put(container: Container, key: number, value: Uint8Array | undefined): void {
  const dkey = Buffer.from(`key ${key}`);
  container.update((tx) => tx.put({ oid: 1n, dkey, akey: AKEY, value, condition: "none" }));
}

/** A removal is a version too, and what it hides is freed by aggregation: both in turns. */
function remove(container: Container, key: number): void {
  try {
    put(container, key, undefined);
  } catch (error) {
    if (!isDaosError(error, "DER_NOSPACE")) throw error;
    container.aggregate();
    put(container, key, undefined);
  }
}

/** Repeats a step until the pool is full; returns how often it went well, and the error. */
function untilFull(step: (count: number) => void): { count: number; error: DaosError } {
  for (let count = 0; ; count++) {
    try {
      step(count);
    } catch (error) {
      if (!isDaosError(error, "DER_NOSPACE")) throw error;
      return { count, error };
    }
  }
}

function expectWithin(path: string, size: { scm: number; nvme: number }): void {
  expect(sizeOfFiles(join(path, "scm"))).toBeLessThanOrEqual(size.scm);
  expect(sizeOfFiles(join(path, "nvme"))).toBeLessThanOrEqual(size.nvme);
}

function expectArrays(container: Container, first: bigint, count: number, size: number): void {
  using view = container.view();
  for (let index = 0; index < count; index++) {
    const bytes = view.readBytes(first + BigInt(index), 0, size);
    expect(Buffer.compare(bytes, pattern(size, index))).toBe(0);
  }
}

describe("Pool.create()", () => {
  test("splits a size between the tiers, and keeps it for later handles", () => {
    const { pool, path } = newPool(64 * MIB);
    expect(pool.query().scm).toMatchObject({ limit: 8 * MIB, total: 8 * MIB });
    expect(pool.query().nvme).toMatchObject({ limit: 56 * MIB, total: 56 * MIB });
    pool.close();
    using again = Pool.connect(path, { mode: "ro" });
    expect(again.query().nvme.limit).toBe(56 * MIB);
  });

  test("without a size is bounded by the file systems", () => {
    using pool = newPool().pool;
    const { scm, nvme } = pool.query();
    expect(scm.limit).toBeUndefined();
    expect(nvme.limit).toBeUndefined();
    expect(nvme.free).toBeLessThan(nvme.total);
    expect(nvme.free).toBeGreaterThan(0);
    expect(scm.free).toBeGreaterThan(0);
  });

  test.each([0, -1, 1.5, Number.NaN, 3 * MIB, { scm: MIB }, { nvme: MIB }])(
    "with the size %j is DER_INVAL and makes nothing",
    (size) => {
      const path = join(temporaryDirectory(), "p");
      let thrown: unknown;
      try {
        Pool.create({ path, size });
      } catch (error) {
        thrown = error;
      }
      expect(isDaosError(thrown, "DER_INVAL")).toBe(true);
      Pool.create({ path }).close();
    },
  );
});

describe("a full pool", () => {
  test("refuses an array that does not fit, unchanged, and says what is free", () => {
    const { pool, container, path } = newPool(SIZE);
    const { count, error } = untilFull((oid) =>
      writeArray(container, BigInt(100 + oid), pattern(100_000, oid)),
    );
    expect(count).toBeGreaterThan(40);
    expect(error.facts).toMatchObject({ tier: "nvme", limited: true });
    expect(error.facts.needed).toBeGreaterThan(error.facts.free as number);
    expect(error.text.remedy).toMatch(/aggregate/);
    expectWithin(path, SIZE);
    expect(container.commits()).toHaveLength(count);
    expect(pool.query().nvme.live).toBe(count * 100_000);
    // What is free can be written: small writes go on until it is not worth a segment's header.
    const more = untilFull((oid) =>
      writeArray(container, BigInt(1000 + oid), pattern(4000, oid)),
    ).count;
    const { nvme } = pool.query();
    expect(nvme.free).toBeLessThan(64 * 1024 + 4096);
    expect(nvme.used).toBeLessThanOrEqual((SIZE.nvme * 15) / 16);
    expectArrays(container, 100n, count, 100_000);
    expectArrays(container, 1000n, more, 4000);
    expectWithin(path, SIZE);
    pool.close();
  });

  test("refuses a write that is larger than all of it before it takes any", () => {
    const { pool, container } = newPool(SIZE);
    const before = pool.query().nvme;
    const tx = container.begin();
    const range = wholeOf(Pattern.contiguous(0, 16 * MIB));
    const write = () => tx.write(1n, range, new Uint8Array(16 * MIB), 0n);
    expect(write).toThrow(expect.objectContaining({ code: "DER_NOSPACE" }));
    expect(pool.query().nvme).toEqual(before);
    expect(() => container.commit(tx)).toThrow(expect.objectContaining({ code: "DER_NOSPACE" }));
    writeArray(container, 1n, pattern(100_000, 1));
    pool.close();
  });

  test("gives back what an aborted transaction took", () => {
    const { pool, container } = newPool(SIZE);
    const part = wholeOf(Pattern.contiguous(0, 100_000));
    for (let round = 0; round < 3; round++) {
      const tx = container.begin();
      const { count } = untilFull((oid) =>
        tx.write(BigInt(100 + oid), part, pattern(100_000, oid), 0n),
      );
      expect(count).toBeGreaterThan(40);
      tx.abort();
    }
    const { count } = untilFull((oid) =>
      writeArray(container, BigInt(100 + oid), pattern(100_000, oid)),
    );
    expect(count).toBeGreaterThan(40);
    pool.close();
  });

  test("takes removals and aggregation, and arrays again, without a leak over many cycles", () => {
    const { pool, container, path } = newPool(SIZE);
    const counts: number[] = [];
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const { count } = untilFull((oid) =>
        writeArray(container, BigInt(100 + oid), pattern(100_000, oid)),
      );
      counts.push(count);
      expectArrays(container, 100n, count, 100_000);
      for (let oid = 0; oid < count; oid++) {
        container.update((tx) => tx.punch(BigInt(100 + oid)));
      }
      container.aggregate();
      expect(pool.query().nvme.live).toBe(0);
      expectWithin(path, SIZE);
    }
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(Math.max(...counts) - 4);
    pool.close();
  });

  test.each([1500, 3000])(
    "takes removals and aggregation, and values of %i bytes again, over many cycles",
    (size) => {
      const limits = { scm: 2 * MIB, nvme: 2 * MIB };
      const { pool, container, path } = newPool(limits);
      const counts: number[] = [];
      for (let cycle = 0; cycle < CYCLES; cycle++) {
        const { count, error } = untilFull((key) => put(container, key, pattern(size, key)));
        expect(error.facts).toMatchObject({ tier: "scm", limited: true });
        counts.push(count);
        expect(container.commits().length).toBeGreaterThanOrEqual(Math.min(count, 1));
        using view = container.view();
        for (let key = 0; key < count; key++) {
          const value = view.getValue(1n, Buffer.from(`key ${key}`), AKEY);
          expect(Buffer.compare(value as Uint8Array, pattern(size, key))).toBe(0);
        }
        view.close();
        for (let key = 0; key < count; key++) remove(container, key);
        container.aggregate();
        expectWithin(path, limits);
      }
      // Keys that were removed keep a mark, so that the first cycles have more room.
      const settled = counts.slice(3);
      expect(Math.min(...settled)).toBeGreaterThan(50);
      expect(Math.min(...settled)).toBeGreaterThanOrEqual(Math.max(...settled) * 0.8);
      pool.close();
    },
    60_000,
  );

  test("lets go of snapshots, and of containers' old versions", () => {
    const { pool, container } = newPool(SIZE);
    writeArray(container, 1n, pattern(4 * MIB, 1));
    container.createSnapshot("old");
    const { count } = untilFull((key) => put(container, key, pattern(100, key)));
    expect(() => writeArray(container, 1n, pattern(4 * MIB, 2))).toThrow(
      expect.objectContaining({ code: "DER_NOSPACE" }),
    );
    container.destroySnapshot("old");
    container.update((tx) => tx.punch(1n));
    container.aggregate();
    writeArray(container, 1n, pattern(4 * MIB, 2));
    expect(count).toBeGreaterThan(100);
    pool.close();
  });
});

describe("Pool.setSize()", () => {
  test("raises a limit for all open handles, and lowers it to what is used", () => {
    const { pool, container, path } = newPool(SIZE);
    using other = Pool.connect(path);
    const first = untilFull((oid) =>
      writeArray(container, BigInt(100 + oid), pattern(50_000, oid)),
    );
    const limits = { scm: 8 * MIB, nvme: 12 * MIB };
    other.setSize(limits);
    const more = untilFull((oid) =>
      writeArray(container, BigInt(10_000 + oid), pattern(50_000, oid)),
    );
    expect(more.count).toBeGreaterThan(first.count * 0.8);
    expectWithin(path, limits);
    expect(() => pool.setSize(SIZE)).toThrow(expect.objectContaining({ code: "DER_NOSPACE" }));
    expect(pool.query().nvme.limit).toBe(limits.nvme);
    expectArrays(container, 100n, first.count, 50_000);
    expectArrays(container, 10_000n, more.count, 50_000);
    for (let oid = 0; oid < first.count; oid++) {
      container.update((tx) => tx.punch(BigInt(100 + oid)));
    }
    for (let oid = 0; oid < more.count; oid++) {
      container.update((tx) => tx.punch(BigInt(10_000 + oid)));
    }
    container.aggregate();
    pool.setSize(SIZE);
    expectWithin(path, SIZE);
    writeArray(container, 1n, pattern(MIB, 1));
    pool.setSize({});
    expect(pool.query().nvme.limit).toBeUndefined();
    pool.close();
  });

  test("with a bad size is DER_INVAL, on a read-only handle DER_NO_PERM", () => {
    const { pool, path } = newPool(SIZE);
    expect(() => pool.setSize(1)).toThrow(expect.objectContaining({ code: "DER_INVAL" }));
    pool.close();
    using reader = Pool.connect(path, { mode: "ro" });
    expect(() => reader.setSize({})).toThrow(expect.objectContaining({ code: "DER_NO_PERM" }));
  });
});

test("writes of random sizes take what they are given or leave no trace", () => {
  const step = fc.record({
    oid: fc.integer({ min: 0, max: 5 }),
    size: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 700_000 })),
    kind: fc.constantFrom("array", "array", "value", "punch", "aggregate"),
  });
  const limits = { scm: 2 * MIB, nvme: 2 * MIB };
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
      const { pool, container, path } = newPool(limits);
      const arrays = new Map<bigint, Uint8Array>();
      const values = new Map<number, Uint8Array>();
      for (const [number, { oid: index, size, kind }] of steps.entries()) {
        const oid = BigInt(100 + index);
        const bytes = pattern(size, number);
        try {
          if (kind === "aggregate") container.aggregate();
          if (kind === "punch") container.update((tx) => tx.punch(oid));
          if (kind === "punch") arrays.delete(oid);
          if (kind === "value") put(container, index, bytes);
          if (kind === "value") values.set(index, bytes);
          if (kind === "array") writeArray(container, oid, bytes);
          const before = arrays.get(oid) ?? new Uint8Array();
          const after = [...bytes, ...before.subarray(Math.min(size, before.length))];
          if (kind === "array") arrays.set(oid, Uint8Array.from(after));
        } catch (error) {
          if (!isDaosError(error, "DER_NOSPACE")) throw error;
          if (kind === "aggregate") throw error;
          if (kind === "punch") container.aggregate();
        }
        expectWithin(path, limits);
      }
      using view = container.view();
      for (const [oid, bytes] of arrays) {
        expect(Buffer.compare(view.readBytes(oid, 0, bytes.length), bytes)).toBe(0);
        expect(view.arraySize(oid)).toBe(bytes.length);
      }
      for (const [key, bytes] of values) {
        const value = view.getValue(1n, Buffer.from(`key ${key}`), AKEY);
        expect(Buffer.compare(value as Uint8Array, bytes)).toBe(0);
      }
      pool.close();
    }),
    fcOptions(6),
  );
}, 120_000);

(canMount ? describe : describe.skip)("a disk that others filled", () => {
  test.each([undefined, SIZE])("lets removals and aggregation through (limit %j)", (size) => {
    withSmallDisk("12m", (disk) => {
      const options = size === undefined ? {} : { size };
      const path = join(disk, "p");
      using pool = Pool.create({ path, durability: "process", ...options });
      const container = pool.createContainer("c", { retainCommits: 1 });
      for (let key = 0; key < 200; key++) put(container, key, pattern(1000, key));
      for (let oid = 0; oid < 30; oid++) {
        writeArray(container, BigInt(100 + oid), pattern(100_000, oid));
      }
      fillDisk(disk);
      const { error } = untilFull((key) => put(container, 1000 + key, pattern(4000, key)));
      expect(error.facts.tier).toBe("scm");
      expectArrays(container, 100n, 30, 100_000);
      for (let oid = 0; oid < 30; oid++) container.update((tx) => tx.punch(BigInt(100 + oid)));
      for (let key = 0; key < 200; key++) remove(container, key);
      container.aggregate();
      expect(pool.query().nvme.live).toBe(0);
      expect(pool.query().scm.live).toBeLessThan(sizeOfFiles(join(path, "scm")));
      // What came back can be used, though the disk is as full as before.
      writeArray(container, 100n, pattern(100_000, 1));
      put(container, 0, pattern(1000, 0));
    });
  });
});
