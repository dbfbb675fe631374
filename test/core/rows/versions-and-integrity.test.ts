/**
 * Time, integrity and space, row by row: what the reference says of epochs, snapshots, aggregation, checksums, the
 * scrubber and reserves, one test a line. The suites beside this folder go into each of them.
 */

import { closeSync, openSync, readdirSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { type Container, NodeDevice, Pattern, Pool, timeOfEpoch, wholeOf } from "daos-ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const KIB = 1024;
const BLOCK_SIZE = 32 * KIB;
/** Where the data of a segment starts. */
const DATA_OFFSET = 64 * KIB;
const OID = 7n;
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });

const pools: Pool[] = [];
afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

function newPool(options: Partial<Parameters<typeof Pool.create>[0]> = {}): Pool {
  const path = join(temporaryDirectory(), "p");
  const pool = Pool.create({ path, durability: "process", ...options });
  pools.push(pool);
  return pool;
}

function write(container: Container, size: number, fill: number): bigint {
  const range = wholeOf(Pattern.contiguous(0, size));
  const bytes = new Uint8Array(size).fill(fill);
  return container.update((tx) => tx.write(OID, range, bytes, container.incarnation(OID))).epoch;
}

function firstByte(container: Container, epoch?: bigint): number | undefined {
  using view = container.view(epoch);
  return view.readBytes(OID, 0, 1)[0];
}

test("T1: epochs are a clock of sixteenths of a nanosecond since 2021, and increase when it does not", () => {
  const now = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n;
  class StoppedClock extends NodeDevice {
    override now(): bigint {
      return now;
    }
  }
  const container = newPool({ device: new StoppedClock() } as object).createContainer("c");
  const epochs = [1, 2, 3].map((fill) => write(container, 10, fill));
  const [first, second, third] = epochs as [bigint, bigint, bigint];
  expect(now - timeOfEpoch(first)).toBeLessThan(1n << 14n);
  expect([second - first, third - second]).toEqual([1n, 1n]);
});

test("T4: a read at an epoch sees that version, whatever is written afterwards", () => {
  const container = newPool().createContainer("c", { retainCommits: 10 });
  const epochs = [1, 2, 3].map((fill) => write(container, 10, fill));
  expect(epochs.map((epoch) => firstByte(container, epoch))).toEqual([1, 2, 3]);
  expect(firstByte(container)).toBe(3);
});

test("T4: an epoch that was aggregated is DER_EPOCH_GONE, never another version", () => {
  const container = newPool().createContainer("c", { retainCommits: 1 });
  const first = write(container, 10, 1);
  write(container, 10, 2);
  container.aggregate();
  expect(() => container.view(first)).toThrow(code("DER_EPOCH_GONE"));
});

test("T5: a snapshot is a read of the whole container at its epoch, until it is destroyed", () => {
  const container = newPool().createContainer("c", { retainCommits: 1 });
  write(container, 10, 1);
  const { epoch } = container.createSnapshot("first");
  for (const fill of [2, 3, 4]) write(container, 10, fill);
  container.aggregate();
  expect(firstByte(container, epoch)).toBe(1);
  expect(container.listSnapshots().map(({ name }) => name)).toEqual(["first"]);
  container.destroySnapshot("first");
  write(container, 10, 5);
  container.aggregate();
  expect(() => container.view(epoch)).toThrow(code("DER_EPOCH_GONE"));
});

test("T6: aggregation keeps what HEAD and each snapshot need, and frees the rest", () => {
  const pool = newPool();
  const container = pool.createContainer("c", { retainCommits: 1 });
  const size = 100 * KIB;
  const live = () => pool.query().nvme.live;
  write(container, size, 1);
  container.createSnapshot("kept");
  for (const fill of [2, 3, 4]) write(container, size, fill);
  expect(live()).toBe(4 * size);
  container.aggregate();
  expect(live()).toBe(2 * size);
  using view = container.view({ snapshot: "kept" });
  expect(view.readBytes(OID, 0, 1)[0]).toBe(1);
  expect(firstByte(container)).toBe(4);
});

function flipFirstByte(pool: Pool): void {
  const directory = join(pool.path, "nvme");
  const [name] = readdirSync(directory);
  const fd = openSync(join(directory, name as string), "r+");
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, DATA_OFFSET);
  byte[0] = (byte[0] as number) ^ 1;
  writeSync(fd, byte, 0, 1, DATA_OFFSET);
  closeSync(fd);
}

test("R1: a flipped bit is an error that names the damage, for the blocks that it lies in only", () => {
  const pool = newPool();
  const container = pool.createContainer("c");
  write(container, 2 * BLOCK_SIZE, 1);
  flipFirstByte(pool);
  using view = container.view();
  expect(() => view.readBytes(OID, 0, 10)).toThrow(code("DER_CSUM"));
  expect(view.readBytes(OID, BLOCK_SIZE, BLOCK_SIZE + 1)[0]).toBe(1);
});

test("R2: a scrub reports each damaged object and range, and changes nothing", () => {
  const pool = newPool();
  const container = pool.createContainer("c");
  write(container, 2 * BLOCK_SIZE, 1);
  expect(pool.scrub().damages).toEqual([]);
  flipFirstByte(pool);
  const [damage, ...others] = pool.scrub().damages;
  expect(others).toEqual([]);
  expect(damage).toMatchObject({ container: "c", oid: OID, start: 0, end: BLOCK_SIZE });
  expect(pool.scrub().damages.length).toBe(1);
});

/** Stores a value under a key of its own. */
function put(container: Container, dkey: string, size: number | undefined): void {
  const value = size === undefined ? undefined : new Uint8Array(size).fill(dkey.charCodeAt(0));
  const key = { oid: 9n, dkey: Buffer.from(dkey), akey: Buffer.from("a") };
  container.update((tx) => tx.put({ ...key, value, condition: "none" }));
}

function readValue(container: Container, dkey: string): Uint8Array | undefined {
  using view = container.view();
  return view.getValue(9n, Buffer.from(dkey), Buffer.from("a"));
}

test("S1: a value of up to 4 KiB lies beside the index, a larger one in the log, as arrays do", () => {
  const pool = newPool();
  const container = pool.createContainer("c");
  const live = () => pool.query().nvme.live;
  put(container, "small", 4 * KIB);
  expect(live()).toBe(0);
  put(container, "large", 4 * KIB + 1);
  expect(live()).toBe(4 * KIB + 1);
  write(container, 100, 1);
  expect(live()).toBe(4 * KIB + 101);
  expect(readValue(container, "small")).toHaveLength(4 * KIB);
  expect(readValue(container, "large")).toHaveLength(4 * KIB + 1);
});

test("S1: a value that changes its size changes its tier, and the space that it had comes back", () => {
  const pool = newPool();
  const container = pool.createContainer("c", { retainCommits: 1 });
  const large = 1024 * KIB;
  const liveAfter = (size: number | undefined) => {
    put(container, "k", size);
    // The version before the last one need not be kept.
    put(container, "other", 1);
    container.aggregate();
    expect(readValue(container, "k")?.length).toBe(size);
    return pool.query().nvme.live;
  };
  const sizes = [large, 10, large, 2 * large, undefined];
  expect(sizes.map(liveAfter)).toEqual([large, 0, large, 2 * large, 0]);
});

test("S1, S4: where the log is full, large values are refused and small ones are not", () => {
  const pool = newPool({ size: { scm: 4096 * KIB, nvme: 4096 * KIB } });
  const container = pool.createContainer("c");
  let stored = 0;
  const fill = () => {
    for (; stored < 100; stored++) put(container, `${stored}`, 256 * KIB);
  };
  expect(fill).toThrow(code("DER_NOSPACE"));
  put(container, "small", 4 * KIB);
  expect(readValue(container, "small")).toHaveLength(4 * KIB);
  expect(readValue(container, `${stored}`)).toBeUndefined();
  expect(readValue(container, `${stored - 1}`)).toHaveLength(256 * KIB);
});

test("S4: a full pool refuses writes whole, and removes and aggregates all the same", () => {
  const pool = newPool({ size: { scm: 4096 * KIB, nvme: 4096 * KIB } });
  const container = pool.createContainer("c", { retainCommits: 1 });
  let written = 0;
  const grow = () => {
    for (; written < 1000; written++) {
      const range = wholeOf(Pattern.contiguous(written * 256 * KIB, (written + 1) * 256 * KIB));
      container.update((tx) => tx.write(OID, range, new Uint8Array(256 * KIB), 0n));
    }
  };
  expect(grow).toThrow(code("DER_NOSPACE"));
  using view = container.view();
  expect(view.arraySize(OID)).toBe(written * 256 * KIB);
  view.close();
  container.update((tx) => tx.punch(OID));
  // The newest version is always kept: the one after the punch makes room.
  container.update((tx) =>
    tx.put({
      oid: 8n,
      dkey: Buffer.from("d"),
      akey: Buffer.from("a"),
      value: Buffer.from("v"),
      condition: "none",
    }),
  );
  container.aggregate();
  write(container, 1024 * KIB, 9);
  expect(firstByte(container)).toBe(9);
});
