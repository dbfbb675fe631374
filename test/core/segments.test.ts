/**
 * Segments: leasing of tails, recycling, what protects readers, what dead writers leave, and damage.
 */

import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
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
import { FaultDevice } from "../../dist/core/device/fault-device.js";
import { isNightly } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { flip } from "./support/flip.ts";
import { Program } from "./support/program.ts";

const DATA_OFFSET = 65_536;
const BLOCK_SIZE = 32_768;

function createPool({ retainCommits = 1 } = {}): {
  path: string;
  pool: Pool;
  container: Container;
} {
  const path = join(temporaryDirectory(), "p");
  const pool = Pool.create({ path, durability: "process" });
  return { path, pool, container: pool.createContainer("c", { retainCommits }) };
}

function write(container: Container, start: number, bytes: Uint8Array, oid = 1n): bigint {
  const range = wholeOf(Pattern.contiguous(start, start + bytes.length));
  const incarnation = container.incarnation(oid);
  return container.update((tx) => tx.write(oid, range, bytes, incarnation)).epoch;
}

function segmentFiles(path: string): { name: string; inode: number }[] {
  const directory = join(path, "nvme");
  return readdirSync(directory).map((name) => ({
    name,
    inode: statSync(join(directory, name)).ino,
  }));
}

function onlySegment(path: string): string {
  const [file] = segmentFiles(path);
  return join(path, "nvme", file?.name as string);
}

function errorOf(body: () => unknown): DaosError {
  try {
    body();
  } catch (error) {
    if (isDaosError(error)) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

/** Frees the only segment of a pool: its object is punched, and the punch is all that is retained. */
function freeSegment(path: string): void {
  using pool = Pool.connect(path);
  const container = pool.openContainer("c");
  container.update((tx) => tx.punch(1n));
  container.update((tx) => tx.punch(2n));
  container.aggregate();
}

describe("a sealed tail", () => {
  test("is leased again, so that many short-lived writers use at most twice their data", () => {
    const writers = isNightly ? 1000 : 300;
    const { path, pool } = createPool();
    pool.close();
    for (let writer = 0; writer < writers; writer++) {
      using one = Pool.connect(path);
      write(one.openContainer("c"), writer * 5120, new Uint8Array(5120).fill(writer));
    }
    using reader = Pool.connect(path);
    const { nvme, segments } = reader.query();
    expect(nvme.live).toBe(writers * 5120);
    expect(nvme.used).toBeLessThanOrEqual(2 * nvme.live);
    expect(segments).toEqual({ leased: 0, sealed: 1, free: 0 });
    using view = reader.openContainer("c").view();
    for (let writer = 0; writer < writers; writer++) {
      const bytes = view.readBytes(1n, writer * 5120, (writer + 1) * 5120);
      expect(bytes.every((byte) => byte === writer % 256)).toBe(true);
    }
  });

  test("is not leased while its writer lives", () => {
    const { path, pool, container } = createPool();
    write(container, 0, Uint8Array.of(1));
    using other = Pool.connect(path);
    write(other.openContainer("c"), 1, Uint8Array.of(2));
    expect(pool.query().segments.leased).toBe(2);
    pool.close();
  });

  test("is passed over if its partial block is damaged", () => {
    const { path, pool, container } = createPool({ retainCommits: 9 });
    write(container, 0, new Uint8Array(100).fill(1));
    pool.close();
    flip(onlySegment(path), DATA_OFFSET + 50);
    using other = Pool.connect(path);
    const epoch = write(other.openContainer("c"), 100, new Uint8Array(100).fill(2));
    using view = other.openContainer("c").view(epoch);
    expect(view.readBytes(1n, 100, 200).every((byte) => byte === 2)).toBe(true);
    expect(segmentFiles(path)).toHaveLength(2);
    expect(errorOf(() => view.readBytes(1n, 0, 100)).code).toBe("DER_CSUM");
  });
});

describe("a free segment", () => {
  test("is recycled: the same file under a new id", () => {
    const { path, pool, container } = createPool();
    write(container, 0, new Uint8Array(50_000).fill(1));
    pool.close();
    const [before] = segmentFiles(path);
    freeSegment(path);
    using other = Pool.connect(path);
    expect(other.query().segments.free).toBe(1);
    const size = statSync(onlySegment(path)).size;
    expect(other.query().nvme).toMatchObject({ live: 0, used: size, recyclable: size });
    write(other.openContainer("c"), 0, new Uint8Array(60_000).fill(2), 3n);
    const after = segmentFiles(path);
    expect(after).toHaveLength(1);
    expect(other.query().nvme).toMatchObject({ live: 60_000, used: size, recyclable: 0 });
    expect(after[0]?.inode).toBe(before?.inode);
    expect(after[0]?.name).not.toBe(before?.name);
    using view = other.openContainer("c").view();
    expect(view.readBytes(3n, 0, 60_000).every((byte) => byte === 2)).toBe(true);
  });

  test("is not recycled while a reader has it open", () => {
    const { path, pool, container } = createPool();
    write(container, 0, new Uint8Array(50_000).fill(1));
    pool.close();
    const reader = Pool.connect(path);
    const view = reader.openContainer("c").view();
    expect(view.readBytes(1n, 0, 1)[0]).toBe(1);
    // The pin ends, the map stays for the next read.
    view.close();
    const [before] = segmentFiles(path);
    freeSegment(path);
    using other = Pool.connect(path);
    write(other.openContainer("c"), 0, Uint8Array.of(2), 3n);
    expect(segmentFiles(path)).toHaveLength(2);
    expect(segmentFiles(path).map(({ name }) => name)).toContain(before?.name);
    reader.close();
    using third = Pool.connect(path);
    write(third.openContainer("c"), 0, Uint8Array.of(3), 3n);
    expect(segmentFiles(path).map(({ name }) => name)).not.toContain(before?.name);
  });

  test("is deleted when there are more than are kept", () => {
    const { path, pool } = createPool();
    const writers = Array.from({ length: 20 }, () => Pool.connect(path));
    for (const writer of writers) write(writer.openContainer("c"), 0, Uint8Array.of(1));
    for (const writer of writers) writer.close();
    expect(segmentFiles(path)).toHaveLength(20);
    pool.close();
    freeSegment(path);
    using other = Pool.connect(path);
    expect(other.query().segments).toEqual({ leased: 0, sealed: 0, free: 16 });
    expect(segmentFiles(path)).toHaveLength(16);
  });
});

describe("several transactions of one writer", () => {
  test("keep a full segment leased until all of them are settled", () => {
    const { pool, container } = createPool({ retainCommits: 9 });
    const [small, large] = [container.begin(), container.begin()];
    small.write(1n, wholeOf(Pattern.contiguous(0, 1)), Uint8Array.of(7), 0n);
    const part = new Uint8Array(64 << 20).fill(8);
    for (let index = 0; index < 4; index++) {
      const start = index * part.length;
      large.write(2n, wholeOf(Pattern.contiguous(start, start + part.length)), part, 0n);
    }
    container.commit(large);
    expect(pool.query().segments).toEqual({ leased: 2, sealed: 0, free: 0 });
    container.commit(small);
    expect(pool.query().segments).toEqual({ leased: 1, sealed: 1, free: 0 });
    using view = container.view();
    expect(view.readBytes(1n, 0, 1)[0]).toBe(7);
    // The last bytes lie on both sides of the segments' border.
    const end = 4 * part.length;
    const tail = view.readBytes(2n, end - 200_000, end);
    expect(tail.every((byte) => byte === 8)).toBe(true);
    pool.close();
  });
});

describe("a reader", () => {
  test("verifies a partial block again when a later commit has filled more of it", () => {
    const { path, pool, container } = createPool({ retainCommits: 9 });
    using reader = Pool.connect(path);
    const first = write(container, 0, new Uint8Array(100).fill(1));
    using before = reader.openContainer("c").view(first);
    expect(before.readBytes(1n, 0, 100)).toHaveLength(100);
    const second = write(container, 100, new Uint8Array(100).fill(2));
    flip(onlySegment(path), DATA_OFFSET + 150);
    using after = reader.openContainer("c").view(second);
    expect(errorOf(() => after.readBytes(1n, 100, 200)).code).toBe("DER_CSUM");
    pool.close();
  });

  describe("of a block that two commits share", () => {
    const half = 20_000;

    /** Two commits; the second one fills the block in which the first one ends. */
    function readBoth(damagedAt: number | undefined): (string | number)[] {
      const { path, pool, container } = createPool({ retainCommits: 9 });
      write(container, 0, new Uint8Array(half).fill(1));
      write(container, half, new Uint8Array(half).fill(2));
      pool.close();
      if (damagedAt !== undefined) flip(onlySegment(path), DATA_OFFSET + damagedAt);
      using reader = Pool.connect(path);
      using view = reader.openContainer("c").view();
      // The second half first, so that the reader knows that the block is full.
      return [half, 0].map((start) => {
        try {
          return view.readBytes(1n, start, start + half)[7] as number;
        } catch (error) {
          return (error as DaosError).code;
        }
      });
    }

    test("reads both", () => {
      expect(readBoth(undefined)).toEqual([2, 1]);
    });

    test("refuses both if the first one's bytes are damaged", () => {
      expect(readBoth(100)).toEqual(["DER_CSUM", "DER_CSUM"]);
    });

    test("still reads the first one if the second one's bytes are damaged", () => {
      expect(readBoth(half + 100)).toEqual(["DER_CSUM", 1]);
    });
  });

  test("verifies the partial last block of each commit while later ones fill it", () => {
    const { path, pool, container } = createPool({ retainCommits: 1000 });
    const reader = Pool.connect(path);
    const held: { view: ReturnType<Container["view"]>; size: number }[] = [];
    let size = 0;
    for (let commit = 1; size < 3 * BLOCK_SIZE; commit++) {
      const bytes = new Uint8Array((commit * 997) % 3001).fill(commit);
      const epoch = write(container, size, bytes);
      size += bytes.length;
      const view = reader.openContainer("c").view(epoch);
      held.push({ view, size });
      for (const { view: earlier, size: earlierSize } of held.slice(-4)) {
        expect(earlier.arraySize(1n)).toBe(earlierSize);
        expect(earlier.readBytes(1n, 0, earlierSize)).toHaveLength(earlierSize);
      }
    }
    // A new reader meets every block full, and the last one partial.
    using fresh = Pool.connect(path);
    using view = fresh.openContainer("c").view();
    const all = Buffer.from(view.readBytes(1n, 0, size));
    for (const { view: earlier, size: earlierSize } of held) {
      expect(all.subarray(0, earlierSize).equals(earlier.readBytes(1n, 0, earlierSize))).toBe(true);
    }
    reader.close();
    pool.close();
  });

  test("in another process keeps its version, whatever is aggregated meanwhile", async () => {
    const { path, pool, container } = createPool();
    write(container, 0, new Uint8Array(50_000).fill(1));
    const holder = new Program("hold-view", [path, "1"]);
    await holder.printed(1);
    for (const version of [2, 3, 4]) {
      write(container, 0, new Uint8Array(50_000).fill(version));
      container.aggregate();
    }
    holder.send("read");
    await holder.printed(2);
    expect(holder.lines).toEqual(["50000", "1"]);
    await holder.kill();
    // Its pin ends with it.
    expect(container.aggregate().runs).toBe(1);
    pool.close();
  });
});

describe("a writer that was killed", () => {
  test("loses its lease and what it had not committed, and nothing else", async () => {
    const { path, pool, container } = createPool({ retainCommits: 9 });
    const go = join(path, "..", "go");
    writeFileSync(go, "");
    const writer = new Program("die-with-lease", [path, go]);
    await writer.ended();
    expect(pool.query().segments.leased).toBe(1);
    expect(pool.recover()).toEqual({ reclaimed: 1, removed: 0 });
    expect(pool.query().segments).toEqual({ leased: 0, sealed: 1, free: 0 });
    write(container, 3, Uint8Array.of(7));
    using view = container.view();
    expect([...view.readBytes(1n, 0, 4)]).toEqual([0, 1, 2, 7]);
    expect(segmentFiles(path)).toHaveLength(1);
    pool.close();
  });

  test("after the tail was listed, but before it is leased, keeps its last commit", async () => {
    const { path, pool } = createPool({ retainCommits: 9 });
    pool.close();
    const go = join(path, "..", "go");
    const writer = new Program("die-with-lease", [path, go]);
    await writer.printed(1);
    const device = new FaultDevice(new NodeDevice());
    using other = Pool.connect(path, { device });
    let waited = false;
    device.before = ({ name, path: file }) => {
      if (waited || name !== "open" || !file.endsWith(".seg")) return;
      waited = true;
      // The test's own thread waits: the writer commits once more and dies meanwhile.
      writeFileSync(go, "");
      while (!isDead(writer.pid)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    };
    const container = other.openContainer("c");
    write(container, 5, Uint8Array.of(9));
    expect(waited).toBe(true);
    using view = container.view();
    expect([...view.readBytes(1n, 0, 6)]).toEqual([0, 1, 2, 0, 0, 9]);
    await writer.ended();
  });
});

describe("recovery", () => {
  test("beside a writer that is making a segment leaves the segment to it", () => {
    const { path, pool } = createPool();
    for (const moment of ["lock", "write", "rename"] as const) {
      const device = new FaultDevice(new NodeDevice());
      using other = Pool.connect(path, { device });
      let recovered = 0;
      device.before = ({ name, path: file }) => {
        if (name !== moment || !file.endsWith(".tmp")) return;
        recovered += 1;
        if (recovered === 1) pool.recover();
      };
      const epoch = write(other.openContainer("c"), 0, Uint8Array.of(7));
      expect(recovered).toBeGreaterThan(0);
      using view = pool.openContainer("c").view(epoch);
      expect(view.readBytes(1n, 0, 1)[0]).toBe(7);
      other.close();
      view.close();
      freeSegment(path);
      // The next moment needs a pool without free segments.
      pool.query();
      for (const { name } of segmentFiles(path)) truncateSync(join(path, "nvme", name), 0);
    }
    pool.close();
  });
});

describe("damage", () => {
  /** A pool with two and a half blocks of data in one segment. */
  function createDamaged(damage: (file: string) => void): DaosError {
    const { path, pool, container } = createPool();
    write(container, 0, new Uint8Array(2.5 * BLOCK_SIZE).fill(5));
    pool.close();
    damage(onlySegment(path));
    using reader = Pool.connect(path);
    using view = reader.openContainer("c").view();
    return errorOf(() => view.readBytes(1n, 0, 2.5 * BLOCK_SIZE));
  }

  test.each([
    ["the first block", 0, 0],
    ["the end of a full block", 2 * BLOCK_SIZE - 1, 1],
    ["the partial last block", 2 * BLOCK_SIZE + 3, 2],
  ])("of a byte in %s is DER_CSUM and names it", (_where, position, block) => {
    const error = createDamaged((file) => flip(file, DATA_OFFSET + position));
    expect(error.code).toBe("DER_CSUM");
    expect(error.facts).toMatchObject({ segment: 1, block });
  });

  test("of the checksum table is DER_CSUM", () => {
    expect(createDamaged((file) => flip(file, 4096 + 4)).facts).toMatchObject({ block: 1 });
  });

  test("of a block spares the reads of others", () => {
    const { path, pool, container } = createPool();
    write(container, 0, new Uint8Array(3 * BLOCK_SIZE).fill(5));
    pool.close();
    flip(onlySegment(path), DATA_OFFSET + BLOCK_SIZE);
    using reader = Pool.connect(path);
    using view = reader.openContainer("c").view();
    expect(view.readBytes(1n, 0, BLOCK_SIZE)).toHaveLength(BLOCK_SIZE);
    expect(view.readBytes(1n, 2 * BLOCK_SIZE, 3 * BLOCK_SIZE)).toHaveLength(BLOCK_SIZE);
    expect(errorOf(() => view.readBytes(1n, BLOCK_SIZE, BLOCK_SIZE + 1)).code).toBe("DER_CSUM");
  });

  test.each([
    ["to nothing", 0],
    ["within the header", 20],
    ["before the data", DATA_OFFSET],
    ["within the data", DATA_OFFSET + BLOCK_SIZE],
  ])("a file truncated %s is a typed error", (_where, size) => {
    const error = createDamaged((file) => truncateSync(file, size));
    expect(["DER_CSUM", "DER_DF_INVAL"]).toContain(error.code);
    expect(error.facts.segment ?? 1).toBe(1);
  });

  test.each([
    ["to nothing", 0, "here"],
    ["within the checksum table", 5000, "here"],
    ["within the data", DATA_OFFSET + BLOCK_SIZE, "here"],
    ["within the data, under a worker", DATA_OFFSET + BLOCK_SIZE, "worker"],
  ])(
    "a file that is truncated %s while it is mapped is DER_CSUM, and the process goes on",
    async (...[, size, where]) => {
      const { path, pool, container } = createPool();
      write(container, 0, new Uint8Array(300_000).fill(5));
      pool.close();
      const reader = new Program("read-truncated", [path, `${size}`, where]);
      await reader.ended();
      expect(reader.errors).toBe("");
      const error = (start: number, end: number) => {
        return { code: "DER_CSUM", segment: 1, size: Math.max(0, size - DATA_OFFSET), start, end };
      };
      expect(reader.lines.map((line) => JSON.parse(line))).toEqual([
        5,
        error(290_000, 300_000),
        error(150_000, 150_001),
        error(0, 300_000),
        5,
      ]);
    },
  );

  test("a fault outside of guarded reads ends the process as it always did", async () => {
    const { path, pool, container } = createPool();
    write(container, 0, new Uint8Array(300_000).fill(5));
    pool.close();
    const reader = new Program("read-truncated", [path, "0", "unguarded"]);
    await reader.ended();
    expect(reader.signal).toBe("SIGBUS");
    expect(reader.lines).toEqual([]);
  });

  test("a segment of another pool is DER_DF_INVAL", () => {
    const { path, pool, container } = createPool();
    write(container, 0, new Uint8Array(2.5 * BLOCK_SIZE).fill(5));
    pool.close();
    const foreign = readFileSync(onlySegment(path));
    expect(createDamaged((file) => writeFileSync(file, foreign)).code).toBe("DER_DF_INVAL");
  });

  test("a file that is gone is a typed error", () => {
    const error = createDamaged((file) => {
      const empty = join(file, "..", "..", "elsewhere");
      writeFileSync(empty, readFileSync(file));
      new NodeDevice().unlink(file);
    });
    expect(isDaosError(error)).toBe(true);
  });
});

/** Whether a process is over, also if nobody has waited for it yet. */
function isDead(pid: number): boolean {
  try {
    return /^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}
