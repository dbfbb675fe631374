/**
 * Single values whose bytes lie in the log: what replaces what, in one transaction and among the
 * contributions of one commit; damage, space, and lists that do not read more than they must.
 */

import { closeSync, openSync, readdirSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import {
  type Container,
  type ContainerView,
  type DaosError,
  isDaosError,
  Pool,
  type PoolSize,
  type Transaction,
} from "daos-ts";
import { isNightly } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { checkLiveSizes } from "./support/scattered-array.ts";

const OID = 5n;
const DKEY = Buffer.from("d");
const AKEY = Buffer.from("a");
const MIB = 2 ** 20;
/** More than two segments of 256 MiB hold. */
const ROUNDS = isNightly ? 1000 : 600;
const SEGMENT_DATA_OFFSET = 65_536;
const BLOCK_SIZE = 32_768;
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });

const pools: Pool[] = [];
afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

function connect(path: string): Pool {
  const pool = Pool.connect(path);
  pools.push(pool);
  return pool;
}

function create(options: { retainCommits?: number; size?: PoolSize } = {}): {
  pool: Pool;
  container: Container;
} {
  const { retainCommits = 1, size } = options;
  const path = join(temporaryDirectory({ medium: "memory" }), "p");
  const pool = Pool.create({ path, durability: "process", ...(size && { size }) });
  pools.push(pool);
  return { pool, container: pool.createContainer("c", { retainCommits }) };
}

/** Bytes that differ by tag, and from their neighbours. */
function bytes(size: number, tag: number): Buffer {
  const value = Buffer.alloc(size);
  for (let at = 0; at < size; at++) value[at] = (at * 31 + (at >> 8) + tag) & 0xff;
  return value;
}

function put(tx: Transaction, value: Uint8Array | undefined, dkey: Uint8Array = DKEY): void {
  tx.put({ oid: OID, dkey, akey: AKEY, value, condition: "none" });
}

function putRecords(tx: Transaction, size: number, tag: number): void {
  const ranges = [{ index: 0, count: size }];
  tx.update(OID, DKEY, [{ akey: AKEY, recordSize: 1, ranges, data: bytes(size, tag) }]);
}

/** A commit that changes another object, so that the ones before it need not be kept. */
function touch(container: Container, tag: number): void {
  const key = { oid: 99n, dkey: DKEY, akey: AKEY };
  container.update((tx) => tx.put({ ...key, value: bytes(1, tag), condition: "none" }));
}

/** What an akey may become, as a step of a transaction. */
const KINDS = {
  short: (tx: Transaction, tag: number) => put(tx, bytes(100, tag)),
  long: (tx: Transaction, tag: number) => put(tx, bytes(10_000, tag)),
  longer: (tx: Transaction, tag: number) => put(tx, bytes(90_000, tag)),
  records: (tx: Transaction, tag: number) => {
    tx.punchAkey(OID, DKEY, AKEY);
    putRecords(tx, 20_000, tag);
  },
  punch: (tx: Transaction) => tx.punchAkey(OID, DKEY, AKEY),
  punchDkey: (tx: Transaction) => tx.punchDkey(OID, DKEY),
  punchObject: (tx: Transaction) => tx.punch(OID),
} as const;
type Kind = keyof typeof KINDS;
const SIZES: Partial<Record<Kind, number>> = { short: 100, long: 10_000, longer: 90_000 };
const ALL = Object.keys(KINDS) as Kind[];

/** Checks that an akey is what the last step made it. */
function expectKind(view: ContainerView, kind: Kind, tag: number, own?: Transaction): void {
  const size = SIZES[kind];
  const value = view.getValue(OID, DKEY, AKEY, own);
  expect(view.valueSize(OID, DKEY, AKEY, own)).toBe(size);
  expect(view.exists(OID, DKEY, own)).toBe(size !== undefined || kind === "records");
  const listed = view.listValues(OID, { akey: AKEY }, own);
  if (size === undefined) {
    expect(value).toBeUndefined();
    expect(listed).toEqual([]);
  } else {
    expect(bytes(size, tag).equals(value as Uint8Array)).toBe(true);
    expect(listed.map((entry) => bytes(size, tag).equals(entry.value))).toEqual([true]);
  }
  const { recordSize, ranges } = view.listRecords(OID, DKEY, AKEY, {}, own);
  expect(recordSize).toBe(kind === "records" ? 1 : 0);
  if (kind !== "records") return;
  expect(ranges).toEqual([{ index: 0n, count: 20_000n }]);
  const into = Buffer.alloc(20_000);
  view.fetch(OID, DKEY, [{ akey: AKEY, ranges, into }], own);
  expect(into.equals(bytes(20_000, tag))).toBe(true);
}

describe("an akey that becomes something else", () => {
  const pairs = ALL.flatMap((first) => ALL.map((second) => [first, second] as const));

  test.each(pairs)("is what it became: %s, then %s", (first, second) => {
    const { pool, container } = create({ retainCommits: 4 });
    // In commits of their own, in one transaction, in one commit of two writers.
    container.update((tx) => KINDS[first](tx, 1));
    const before = container.view();
    container.update((tx) => KINDS[second](tx, 2));
    expectKind(before, first, 1);
    {
      using view = container.view();
      expectKind(view, second, 2);
    }
    container.aggregate();
    expectKind(before, first, 1);
    before.close();
    container.update((tx) => tx.punch(OID));
    const tx = container.begin();
    KINDS[first](tx, 3);
    {
      using view = container.view();
      expectKind(view, first, 3, tx);
      KINDS[second](tx, 4);
      expectKind(view, second, 4, tx);
    }
    container.commit(tx);
    {
      using view = container.view();
      expectKind(view, second, 4);
    }
    container.update((own) => own.punch(OID));
    const other = connect(pool.path).openContainer("c");
    const parts = [container.begin(), other.begin()] as const;
    KINDS[first](parts[0], 5);
    KINDS[second](parts[1], 6);
    const contributions = parts.map((part) => part.prepare());
    const { epoch } = other.publish(contributions, other.newTransactionId());
    for (const part of parts) part.settle();
    {
      using view = container.view(epoch);
      expectKind(view, second, 6);
    }
    checkLiveSizes(pool);
    for (let more = 0; more < 4; more++) {
      touch(container, more);
    }
    container.aggregate();
    using view = container.view();
    expectKind(view, second, 6);
    checkLiveSizes(pool);
    // Nothing refers to what was replaced.
    expect(pool.query().nvme.live).toBe((second === "records" ? 20_000 : logSize(second)) ?? 0);
  });

  function logSize(kind: Kind): number | undefined {
    return kind === "short" ? 0 : SIZES[kind];
  }

  test("does not become an array without a punch: the error changes nothing", () => {
    const { container } = create();
    for (const size of [100, 10_000]) {
      container.update((tx) => {
        put(tx, bytes(size, 1));
        expect(() => putRecords(tx, 10, 2)).toThrow(code("DER_INVAL"));
      });
      expect(() => container.update((tx) => putRecords(tx, 10, 2))).toThrow(code("DER_INVAL"));
      using view = container.view();
      expect(bytes(size, 1).equals(view.getValue(OID, DKEY, AKEY) as Uint8Array)).toBe(true);
      const both = [
        { akey: AKEY, value: bytes(size, 3) },
        { akey: AKEY, recordSize: 1, ranges: [{ index: 0, count: 1 }], data: bytes(1, 1) },
      ];
      expect(() => container.update((tx) => tx.update(OID, DKEY, both))).toThrow(code("DER_INVAL"));
    }
  });
});

function segmentFiles(pool: Pool): string[] {
  const directory = join(pool.path, "nvme");
  return readdirSync(directory).map((name) => join(directory, name));
}

/** Flips a bit of the data of the only segment. */
function damage(pool: Pool, position: number): void {
  const [file] = segmentFiles(pool);
  const fd = openSync(file as string, "r+");
  const byte = new Uint8Array(1);
  readSync(fd, byte, 0, 1, SEGMENT_DATA_OFFSET + position);
  writeSync(fd, Uint8Array.of((byte[0] as number) ^ 4), 0, 1, SEGMENT_DATA_OFFSET + position);
  closeSync(fd);
}

function thrownBy(body: () => unknown): DaosError {
  try {
    body();
  } catch (error) {
    if (isDaosError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("a damaged value", () => {
  test.each([
    ["short keys", DKEY, AKEY],
    ["long keys", Buffer.alloc(1000, "d"), Buffer.alloc(300, "a")],
  ])("is reported by name, and is DER_CSUM to who reads it: %s", (_what, dkey, akey) => {
    const { pool, container } = create();
    const size = 3 * BLOCK_SIZE + 10;
    const oid = OID;
    const { epoch } = container.update((tx) =>
      tx.put({ oid, dkey, akey, value: bytes(size, 1), condition: "none" }),
    );
    pool.close();
    damage(pool, BLOCK_SIZE + 5);
    const reader = connect(pool.path);
    // A scrub closes the container to who opens it afterwards.
    using view = reader.openContainer("c").view();
    const [start, end] = [BLOCK_SIZE, 2 * BLOCK_SIZE];
    const { damages } = reader.scrub();
    expect(damages).toHaveLength(1);
    expect(damages[0]).toMatchObject({ container: "c", oid, epoch, start, end, segment: 1 });
    expect(Buffer.compare(damages[0]?.dkey as Uint8Array, dkey)).toBe(0);
    expect(Buffer.compare(damages[0]?.akey as Uint8Array, akey)).toBe(0);
    const into = Buffer.alloc(size);
    for (const read of [
      () => view.getValue(oid, dkey, akey),
      () => view.fetch(oid, dkey, [{ akey, into }]),
      () => view.listValues(oid, { akey }),
    ]) {
      const error = thrownBy(read);
      expect(error.code).toBe("DER_CSUM");
      const names = { dkey: `"${dkey}"`.slice(0, 65), akey: `"${akey}"`.slice(0, 65) };
      expect(error.facts).toMatchObject({ oid, start, end, segment: 1, block: 1 });
      expect(String(error.facts.dkey).startsWith(names.dkey.slice(0, 60))).toBe(true);
      expect(error.message).toContain(`bytes ${start} to ${end} of key "`);
    }
    // What is not read is not missed.
    expect(view.valueSize(oid, dkey, akey)).toBe(size);
    expect(view.fetch(oid, dkey, [{ akey }])).toEqual([{ size }]);
    const parts = [into.subarray(0, BLOCK_SIZE), into.subarray(BLOCK_SIZE)];
    expect(() => view.fetch(oid, dkey, [{ akey, into: parts }])).toThrow(code("DER_CSUM"));
  });
});

describe("space", () => {
  test("is bounded where a value of 1 MiB is overwritten many times, also under a snapshot", () => {
    const { pool, container } = create({ retainCommits: 1 });
    container.update((tx) => put(tx, bytes(MIB, 1000)));
    container.createSnapshot("first");
    let used = 0;
    let index = 0;
    for (let round = 0; round < ROUNDS; round++) {
      container.update((tx) => put(tx, bytes(MIB, 0).fill(round & 0xff)));
      if (round % 20 === 19) container.aggregate();
      const usage = pool.query();
      used = Math.max(used, usage.nvme.used);
      index = Math.max(index, usage.scm.live);
    }
    container.aggregate();
    // Two segments, of which one is written while the other is emptied, and what is grown ahead.
    expect(used).toBeLessThanOrEqual(3 * 256 * MIB);
    expect(index).toBeLessThan(256 * 1024);
    expect(pool.query().nvme.live).toBe(2 * MIB);
    {
      using first = container.view({ snapshot: "first" });
      expect(bytes(MIB, 1000).equals(first.getValue(OID, DKEY, AKEY) as Uint8Array)).toBe(true);
    }
    container.destroySnapshot("first");
    container.update((tx) => put(tx, undefined));
    touch(container, 1);
    container.aggregate();
    touch(container, 2);
    container.aggregate();
    expect(pool.query().nvme.live).toBe(0);
    checkLiveSizes(pool);
  });

  test("that is wanting is found before anything is taken, and the transaction goes on", async () => {
    const { pool, container } = create({ size: { scm: 3 * MIB, nvme: 6 * MIB } });
    container.update((tx) => put(tx, bytes(MIB, 1)));
    const space = () => {
      const { live, used } = pool.query().nvme;
      return { live, used };
    };
    const before = space();
    const parts = Array.from({ length: 8 }, () => bytes(MIB, 2));
    container.update((tx) => {
      put(tx, bytes(10, 1), Buffer.from("kept"));
      expect(() => put(tx, bytes(16 * MIB, 2))).toThrow(code("DER_NOSPACE"));
      // In parts, each of which would fit.
      const updates = [{ akey: AKEY, value: parts }];
      expect(() => tx.update(OID, DKEY, updates)).toThrow(code("DER_NOSPACE"));
      const condition = { condition: "update" } as const;
      expect(() => tx.update(OID, DKEY, updates, condition)).toThrow(code("DER_NOSPACE"));
    });
    expect(space()).toEqual(before);
    using view = container.view();
    expect(view.valueSize(OID, DKEY, AKEY)).toBe(MIB);
    expect(view.valueSize(OID, Buffer.from("kept"), AKEY)).toBe(10);
    // Of updates that share a commit, only the one that does not fit fails.
    const kv = container.createKeyValue();
    const results = await Promise.allSettled([
      kv.put("a", bytes(10, 1)),
      kv.put("b", bytes(16 * MIB, 1)),
      kv.put("c", bytes(20_000, 1)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[1]).toMatchObject({ reason: code("DER_NOSPACE") });
    expect(await kv.size("c")).toBe(20_000);
    expect(await kv.get("b")).toBeUndefined();
  });

  test("of segments that are mostly dead comes back, and the values are moved whole", () => {
    const { pool, container } = create({ size: { scm: 4 * MIB, nvme: 48 * MIB } });
    const keys = Array.from({ length: 60 }, (_, at) => Buffer.from(`k${at}`));
    for (const [at, key] of keys.entries()) {
      container.update((tx) => put(tx, bytes(400_000 + at, at), key));
    }
    for (const [at, key] of keys.entries()) {
      if (at % 4 !== 0) container.update((tx) => put(tx, undefined, key));
    }
    const { copied } = container.aggregate();
    expect(copied).toBeGreaterThan(0);
    using view = container.view();
    for (const [at, key] of keys.entries()) {
      const value = view.getValue(OID, key, AKEY);
      if (at % 4 !== 0) expect(value).toBeUndefined();
      else expect(bytes(400_000 + at, at).equals(value as Uint8Array)).toBe(true);
    }
    checkLiveSizes(pool);
    expect(pool.scrub().damageCount).toBe(0);
  });
});

describe("versions", () => {
  test("are compared by their bytes if that is asked for, and rolled back without a copy", () => {
    const { pool, container } = create({ retainCommits: 10 });
    const key = (name: string) => Buffer.from(name);
    const [size, other] = [2 * MIB + 5, bytes(2 * MIB + 5, 1)];
    other[size - 1] = (other[size - 1] as number) ^ 1;
    const { epoch: from } = container.update((tx) => {
      for (const name of ["again", "changed", "short"]) put(tx, bytes(size, 1), key(name));
      put(tx, bytes(10, 1), key("long"));
    });
    const { epoch: to } = container.update((tx) => {
      put(tx, bytes(size, 1), key("again"));
      put(tx, other, key("changed"));
      put(tx, bytes(10, 1), key("short"));
      put(tx, bytes(size, 1), key("long"));
      put(tx, bytes(size, 1), key("new"));
    });
    const changed = (compare: boolean) =>
      [...container.diff(from, to, { compare })].flatMap((change) =>
        change.level === "akey" ? [`${Buffer.from(change.dkey)} ${change.change}`] : [],
      );
    const real = ["changed changed", "long changed", "new added", "short changed"];
    expect(changed(true)).toEqual(real);
    expect(changed(false)).toEqual(["again changed", ...real]);
    const { used } = pool.query().nvme;
    container.rollback(from);
    expect(pool.query().nvme.used).toBe(used);
    for (const aggregates of [false, true]) {
      if (aggregates) container.aggregate();
      using view = container.view();
      for (const name of ["again", "changed", "short"]) {
        const value = view.getValue(OID, key(name), AKEY) as Uint8Array;
        expect(bytes(size, 1).equals(value)).toBe(true);
      }
      expect(view.valueSize(OID, key("long"), AKEY)).toBe(10);
      expect(view.valueSize(OID, key("new"), AKEY)).toBeUndefined();
      using later = container.view(to);
      expect(other.equals(later.getValue(OID, key("changed"), AKEY) as Uint8Array)).toBe(true);
    }
    checkLiveSizes(pool);
  });
});

describe("lists", () => {
  test("of values end at their size, one value at least, and go on behind", async () => {
    const { container } = create();
    const kv = container.createKeyValue();
    const entries = Array.from({ length: 40 }, (_, at) => {
      return [
        `key ${String(at).padStart(2, "0")}`,
        bytes(at % 3 === 0 ? 500_000 : 10, at),
      ] as const;
    });
    await kv.putMany(entries);
    using view = container.view();
    const akey = Buffer.from("0");
    expect(view.listValues(kv.oid, { akey, size: 1 })).toHaveLength(1);
    expect(view.listValues(kv.oid, { akey, size: 500_001 })).toHaveLength(2);
    expect(view.listValues(kv.oid, { akey })).toHaveLength(40);
    const found = await kv.entries().toArray();
    expect(found.map(({ key }) => kv.keyOf(key))).toEqual(entries.map(([key]) => key));
    expect(found.every(({ value }, at) => bytes(value.length, at).equals(value))).toBe(true);
  });

  test("in a transaction conflict with another value of what was listed, and only with that", () => {
    const { container } = create();
    const keys = ["a", "b", "c"].map((key) => Buffer.from(key));
    container.update((tx) => {
      for (const key of keys) put(tx, bytes(10_000, 1), key);
    });
    for (const [changed, conflicts] of [
      ["a", true],
      ["c", false],
    ] as const) {
      using transaction = container.beginTransaction();
      expect(transaction.view.listValues(OID, { akey: AKEY, size: 15_000 })).toHaveLength(2);
      transaction.put({
        oid: 9n,
        dkey: DKEY,
        akey: AKEY,
        value: bytes(5000, 9),
        condition: "none",
      });
      container.update((tx) => put(tx, bytes(9000, 7), Buffer.from(changed)));
      if (conflicts) expect(() => transaction.commit()).toThrow(code("DER_TX_RESTART"));
      else expect(transaction.commit()).toBeGreaterThan(0n);
    }
  });
});
