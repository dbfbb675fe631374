/**
 * The scrubber: it finds every damaged byte that something refers to, and nothing else, also while
 * writers, aggregation and recycling change the pool; and what a read says of damage.
 *
 * @module
 */

import { readdirSync, truncateSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import {
  type Container,
  type DaosError,
  isDaosError,
  NodeDevice,
  Pattern,
  Pool,
  wholeOf,
} from "daos-ts";
import fc from "fast-check";
import { mergedRanges, offsetsWithin } from "../../dist/core/vos/damage.js";
import { fcOptions } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { flip } from "./support/flip.ts";
import { offsetsOf, range } from "./support/patterns.ts";
import { Program } from "./support/program.ts";

const BLOCK_SIZE = 32_768;
const DATA_OFFSET = 65_536;

function createPool(retainCommits = 1): { pool: Pool; container: Container } {
  const path = `${temporaryDirectory({ medium: "memory" })}/pool`;
  const pool = Pool.create({ path, durability: "process" });
  return { pool, container: pool.createContainer("c", { retainCommits }) };
}

function write(container: Container, oid: bigint, start: number, size: number, fill = 1): bigint {
  return container.update((tx) => {
    const bytes = new Uint8Array(size).fill(fill);
    tx.write(oid, wholeOf(Pattern.contiguous(start, start + size)), bytes, 0n);
  }).epoch;
}

/** The files of the segments, in order of their ids. */
function segmentFiles(pool: Pool): string[] {
  const directory = join(pool.path, "nvme");
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name));
}

/** Damages a byte of the data of the first segment. */
function damage(pool: Pool, position: number): void {
  flip(segmentFiles(pool)[0] as string, DATA_OFFSET + position);
}

/** What a scrub finds, in short: `oid start end segment`. */
function found(pool: Pool): string[] {
  const { damages, damageCount } = pool.scrub();
  expect(damageCount).toBe(damages.length);
  return damages.map(({ oid, start, end, segment }) => `${oid} ${start} ${end} ${segment}`);
}

describe("Pool.scrub()", () => {
  test("checks each block once and finds nothing in a sound pool", () => {
    const { pool, container } = createPool(3);
    using _pool = pool;
    write(container, 1n, 0, 3 * BLOCK_SIZE);
    write(container, 2n, 0, 2 * BLOCK_SIZE + 100);
    const bytes = 5 * BLOCK_SIZE + 100;
    expect(pool.scrub()).toEqual({
      runs: 2,
      blocks: 6,
      bytes,
      damages: [],
      damageCount: 0,
      pages: expect.any(Number),
      indexDamages: [],
    });
  });

  test("finds a flipped byte of a full block, however often it was read before", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const epoch = write(container, 1n, 1000, 3 * BLOCK_SIZE);
    using view = container.view();
    view.readBytes(1n, 1000, 1000 + 3 * BLOCK_SIZE);
    damage(pool, BLOCK_SIZE + 7);
    const [start, end] = [1000 + BLOCK_SIZE, 1000 + 2 * BLOCK_SIZE];
    expect(pool.scrub().damages).toEqual([
      { container: "c", oid: 1n, epoch, start, end, segment: 1 },
    ]);
  });

  test("finds a flipped entry of the checksum table, and adjacent blocks are one range", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    write(container, 1n, 0, 3 * BLOCK_SIZE);
    flip(segmentFiles(pool)[0] as string, 4096 + 4);
    damage(pool, 0);
    expect(found(pool)).toEqual([`1 0 ${2 * BLOCK_SIZE} 1`]);
  });

  test("finds a flipped byte of a partial block in the runs that it is before the end of", () => {
    const { pool, container } = createPool(9);
    using _pool = pool;
    write(container, 1n, 0, 100);
    write(container, 2n, 0, 100);
    write(container, 3n, 0, 100);
    damage(pool, 150);
    expect(found(pool)).toEqual(["2 0 100 1", "3 0 100 1"]);
    // Once the block is full, its table entry tells the later ones, and the first is still sound.
    write(container, 4n, 0, BLOCK_SIZE);
    expect(found(pool)).toEqual(["2 0 100 1", "3 0 100 1", `4 0 ${BLOCK_SIZE - 300} 1`]);
  });

  test("does not report bytes that nothing refers to", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    write(container, 1n, 0, 2 * BLOCK_SIZE);
    write(container, 2n, 0, BLOCK_SIZE);
    write(container, 1n, 0, 2 * BLOCK_SIZE);
    damage(pool, 10);
    expect(found(pool)).toHaveLength(1);
    container.aggregate();
    expect(found(pool)).toEqual([]);
    // Nor what lies after the last commit.
    write(container, 3n, 0, 10);
    damage(pool, 5 * BLOCK_SIZE + 10);
    flip(segmentFiles(pool)[0] as string, 100);
    expect(found(pool)).toEqual([]);
  });

  test("reports the blocks of a strided run that lie in the damaged block, not those between", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const size = BLOCK_SIZE / 2;
    const levels = [{ stride: 2 * size, count: 5 }];
    const pattern = new Pattern({ start: 0, blockLength: size, levels });
    container.update((tx) => tx.write(1n, wholeOf(pattern), new Uint8Array(5 * size), 0n));
    damage(pool, BLOCK_SIZE);
    const second = [4 * size, 6 * size].map((start) => `1 ${start} ${start + size} 1`);
    expect(found(pool)).toEqual(second);
    expect(second).toHaveLength(2);
  });

  test("reports the bounds of very many small blocks", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const pattern = new Pattern({ start: 3, blockLength: 1, levels: [{ stride: 2, count: 4096 }] });
    container.update((tx) => tx.write(1n, wholeOf(pattern), new Uint8Array(4096), 0n));
    damage(pool, 9);
    expect(found(pool)).toEqual([`1 3 ${3 + 2 * 4095 + 1} 1`]);
  });

  test.each([
    ["gone", (file: string) => unlinkSync(file)],
    ["truncated to nothing", (file: string) => truncateSync(file, 0)],
    ["without its header", (file: string) => flip(file, 3)],
  ])("reports all that lies in a segment that is %s", (_what, harm) => {
    const { pool, container } = createPool();
    using _pool = pool;
    write(container, 1n, 0, 2 * BLOCK_SIZE + 5);
    harm(segmentFiles(pool)[0] as string);
    expect(found(pool)).toEqual([`1 0 ${2 * BLOCK_SIZE + 5} 1`]);
  });

  test("goes through snapshots and other containers, on a handle that only reads", () => {
    const { pool, container } = createPool();
    write(container, 1n, 0, BLOCK_SIZE, 1);
    container.createSnapshot("s");
    write(container, 1n, 0, BLOCK_SIZE, 2);
    container.aggregate();
    write(pool.createContainer("d"), 7n, 0, 10);
    pool.close();
    damage(pool, 0);
    using reader = Pool.connect(pool.path, { mode: "ro" });
    expect(found(reader)).toEqual([`1 0 ${BLOCK_SIZE} 1`]);
    damage(pool, 2 * BLOCK_SIZE);
    expect(reader.scrub().damages.map((one) => one.container)).toEqual(["c", "d"]);
  });

  test("treats what the device gives up as damage, and other failures as errors", () => {
    const { pool, container } = createPool();
    write(container, 1n, 0, 2 * BLOCK_SIZE);
    pool.close();
    class FailingDevice extends NodeDevice {
      code = "EIO";
      override open(...args: Parameters<NodeDevice["open"]>): ReturnType<NodeDevice["open"]> {
        const file = super.open(...args);
        const read = file.read.bind(file);
        file.read = (target, position) => {
          const failing = file.path.endsWith(".seg") && position === DATA_OFFSET + BLOCK_SIZE;
          if (failing) throw Object.assign(new Error(this.code), { code: this.code });
          return read(target, position);
        };
        return file;
      }
    }
    const device = new FailingDevice();
    using reader = Pool.connect(pool.path, { mode: "ro", device });
    expect(found(reader)).toEqual([`1 ${BLOCK_SIZE} ${2 * BLOCK_SIZE} 1`]);
    device.code = "ENOMEM";
    expect(() => reader.scrub()).toThrow(expect.objectContaining({ code: "DER_IO" }));
  });
});

describe("Pool.scrubSteps()", () => {
  test("ends steps at their size, also within a run, and adds up to the whole", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    write(container, 1n, 0, 10 * BLOCK_SIZE + 1);
    damage(pool, 4 * BLOCK_SIZE);
    const steps = [...pool.scrubSteps({ stepSize: 2 * BLOCK_SIZE })];
    expect(steps.length).toBeGreaterThanOrEqual(5);
    for (const { bytes } of steps) expect(bytes).toBeLessThanOrEqual(2 * BLOCK_SIZE);
    expect(steps.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(10 * BLOCK_SIZE + 1);
    expect(steps.flatMap(({ damages }) => damages)).toHaveLength(1);
    expect(() => pool.scrubSteps({ stepSize: 0 })).toThrow(
      expect.objectContaining({ code: "DER_INVAL" }),
    );
  });

  test("skips a run whose segment is recycled between two steps", () => {
    const { pool, container } = createPool();
    write(container, 1n, 0, 4 * BLOCK_SIZE);
    pool.close();
    using reader = Pool.connect(pool.path, { mode: "ro" });
    damage(pool, 2 * BLOCK_SIZE);
    const steps = reader.scrubSteps({ stepSize: BLOCK_SIZE });
    expect(steps.next().value).toMatchObject({ blocks: 1, damages: [] });
    {
      using writer = Pool.connect(pool.path);
      const other = writer.openContainer("c");
      other.update((tx) => tx.punch(1n));
      other.update((tx) => tx.punch(2n));
      other.aggregate();
      const before = segmentFiles(pool);
      write(other, 3n, 0, 4 * BLOCK_SIZE);
      // The same file under a new id: the scrub holds nothing that keeps it from being recycled.
      expect(segmentFiles(pool)).not.toEqual(before);
      expect(segmentFiles(pool)).toHaveLength(1);
    }
    expect([...steps].flatMap(({ damages }) => damages)).toEqual([]);
  });

  test("of a pool that was closed is DER_NO_HDL", () => {
    const { pool, container } = createPool();
    for (let oid = 1n; oid < 300n; oid++) write(container, oid, 0, 10);
    const steps = pool.scrubSteps({ stepSize: 1 });
    steps.next();
    pool.close();
    expect(() => [...steps]).toThrow(expect.objectContaining({ code: "DER_NO_HDL" }));
  });

  test("finds nothing in a sound pool that writers change and recycle", async () => {
    const { pool } = createPool(2);
    using _pool = pool;
    const writers = [0, 1].map(
      (writer) => new Program("write-versions", [pool.path, `${writer}`, "1"]),
    );
    await Promise.all(writers.map((writer) => writer.printed(1)));
    const until = Date.now() + 1500;
    let blocks = 0;
    while (Date.now() < until) {
      for (const step of pool.scrubSteps({ stepSize: BLOCK_SIZE })) {
        blocks += step.blocks;
        expect(step.damages).toEqual([]);
      }
    }
    expect(blocks).toBeGreaterThan(10);
    for (const writer of writers) {
      expect(writer.errors).toBe("");
      expect(writer.isRunning).toBe(true);
      await writer.kill();
    }
  }, 30_000);
});

test("a read of damaged bytes names the container, the object and the range", () => {
  const { pool, container } = createPool();
  const epoch = write(container, 5n, 1000, 3 * BLOCK_SIZE);
  pool.close();
  damage(pool, BLOCK_SIZE);
  using reader = Pool.connect(pool.path);
  using view = reader.openContainer("c").view();
  let thrown: DaosError | undefined;
  try {
    view.readBytes(5n, 0, 1000 + BLOCK_SIZE + 10);
  } catch (error) {
    if (isDaosError(error)) thrown = error;
  }
  expect(thrown?.code).toBe("DER_CSUM");
  const [start, end] = [1000 + BLOCK_SIZE, 1000 + BLOCK_SIZE + 10];
  expect(thrown?.facts).toMatchObject({ container: 1, oid: 5n, epoch, start, end });
  expect(thrown?.facts).toMatchObject({ segment: 1, block: 1, position: BLOCK_SIZE });
  expect(thrown?.message).toContain(`bytes ${start} to ${end} of object 0.5`);
});

test("offsetsWithin() and mergedRanges() agree with a list of all bytes", () => {
  const span = fc.tuple(fc.nat({ max: 80 }), fc.nat({ max: 80 }));
  fc.assert(
    fc.property(range, fc.nat({ max: 20 }), span, ({ pattern, from, to }, position, [a, b]) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)];
      const piece = { pattern, from, to, segment: 1, position };
      const ranges = mergedRanges(offsetsWithin(piece, { start, end }));
      const listed = ranges.flatMap((one) =>
        Array.from({ length: one.end - one.start }, (_, at) => one.start + at),
      );
      const expected = offsetsOf(pattern)
        .slice(from, to)
        .filter((_, at) => position + at >= start && position + at < end);
      expect(listed).toEqual(expected);
    }),
    fcOptions(300),
  );
});
