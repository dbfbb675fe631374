/**
 * Records: arrays of fixed-size records under keys with 63-bit indices, several akeys in one call, scattered
 * buffers, conditions.
 */

import { join } from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import {
  type AkeyUpdate,
  type Bytes,
  type Container,
  type ContainerView,
  Pool,
  type RecordRange,
} from "daos-ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { longBytes } from "./support/random.ts";

const OID = 7n;
const DKEY = Buffer.from("d");
const CELLS = Buffer.from("cells");
const VALUE = Buffer.from("value");
const INDEX_MAX = 2n ** 63n - 1n;
const WINDOW_SIZE = 2n ** 52n;
const TOO_LARGE = Array<Uint8Array>(1025).fill(new Uint8Array(2 ** 20));
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });

const pools: Pool[] = [];
afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

function newContainer(retainCommits = 2): Container {
  const pool = Pool.create({ path: join(temporaryDirectory(), "p"), durability: "process" });
  pools.push(pool);
  return pool.createContainer("c", { retainCommits });
}

function update(container: Container, updates: readonly AkeyUpdate[], dkey = DKEY): void {
  container.update((tx) => tx.update(OID, dkey, updates));
}

interface Records {
  readonly recordSize: number;
  readonly ranges: readonly RecordRange[];
  readonly data: Bytes | undefined;
}

const records = (array: Records, akey = CELLS): AkeyUpdate => ({ akey, ...array });

/** Bytes that differ from each other. */
function filled(size: number, tag = 1): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, at) => at * 13 + tag));
}

function fetched(view: ContainerView, recordSize: number, ranges: readonly RecordRange[]): Buffer {
  const count = ranges.reduce((sum, range) => sum + Number(range.count), 0);
  const into = Buffer.alloc(count * recordSize, 0xcc);
  view.fetch(OID, DKEY, [{ akey: CELLS, ranges, into }]);
  return into;
}

function listed(view: ContainerView, options: { limit: number; reverse: boolean }): string[] {
  const found: string[] = [];
  let anchor: Uint8Array | undefined;
  do {
    const part = view.listRecords(OID, DKEY, CELLS, { ...options, anchor });
    expect(part.ranges.length).toBeLessThanOrEqual(options.limit);
    found.push(...part.ranges.map(({ index, count }) => `${index}+${count}`));
    anchor = part.anchor;
  } while (anchor !== undefined);
  return found;
}

describe("an array of records", () => {
  // Of these, 1, 8 and 4096 divide a window and the others have records that lie in two.
  const SIZES = [1, 3, 7, 8, 24, 4096, 100_003];

  test.each(SIZES)("of %i bytes reads back around the borders of its windows", (recordSize) => {
    const container = newContainer();
    const border = WINDOW_SIZE / BigInt(recordSize);
    const starts = [0n, border - 2n, 5n * border - 1n];
    const ranges = starts.map((index) => ({ index, count: 4 }));
    const data = filled(ranges.length * 4 * recordSize);
    update(container, [records({ recordSize, ranges, data })]);
    using view = container.view();
    expect(fetched(view, recordSize, ranges).equals(data)).toBe(true);
    for (const [at, index] of starts.entries()) {
      for (let record = 0; record < 4; record++) {
        const one = fetched(view, recordSize, [{ index: index + BigInt(record), count: 1 }]);
        const position = (at * 4 + record) * recordSize;
        expect(one.equals(data.subarray(position, position + recordSize))).toBe(true);
      }
    }
    const expected = starts.map((index) => ({ index, count: 4n }));
    const { ranges: found, anchor } = view.listRecords(OID, DKEY, CELLS);
    expect({ found, anchor }).toEqual({ found: expected, anchor: undefined });
    for (const limit of [1, 2, 3]) {
      const texts = starts.map((index) => `${index}+4`);
      expect(listed(view, { limit, reverse: false })).toEqual(texts);
      expect(listed(view, { limit, reverse: true })).toEqual([...texts].reverse());
    }
    const edges = (["min", "max"] as const).map((w) => view.queryRecord(OID, DKEY, CELLS, w));
    expect(edges).toEqual([0n, (starts[2] as bigint) + 3n]);
  });

  test.each([1, 3, 8, 24])(
    "of %i bytes has a last record, 2^63 - 1, and none behind",
    (recordSize) => {
      const container = newContainer();
      const ranges = [{ index: INDEX_MAX - 2n, count: 3 }];
      const data = filled(3 * recordSize);
      update(container, [records({ recordSize, ranges, data })]);
      using view = container.view();
      expect(fetched(view, recordSize, ranges).equals(data)).toBe(true);
      expect(view.queryRecord(OID, DKEY, CELLS, "max")).toBe(INDEX_MAX);
      expect(view.queryRecord(OID, DKEY, CELLS, "min")).toBe(INDEX_MAX - 2n);
      expect(listed(view, { limit: 5, reverse: true })).toEqual([`${INDEX_MAX - 2n}+3`]);
      for (const range of [
        { index: INDEX_MAX, count: 2 },
        { index: INDEX_MAX + 1n, count: 1 },
        { index: -1, count: 1 },
        { index: 0, count: 0 },
        { index: 0.5, count: 1 },
        { index: 0, count: -1 },
        { index: 2 ** 60, count: 1 },
      ]) {
        const bytes = Buffer.alloc(2 * recordSize);
        const changes = [records({ recordSize, ranges: [range], data: bytes })];
        expect(() => update(container, changes)).toThrow(code("DER_INVAL"));
        const fetch = { akey: CELLS, ranges: [range], into: bytes };
        expect(() => view.fetch(OID, DKEY, [fetch])).toThrow(code("DER_INVAL"));
      }
    },
  );

  test("punched across the border of a window has a hole there", () => {
    const container = newContainer();
    const recordSize = 24;
    const index = WINDOW_SIZE / 24n - 5n;
    const data = filled(10 * recordSize);
    update(container, [records({ recordSize, ranges: [{ index, count: 10 }], data })]);
    const hole = [{ index: index + 4n, count: 2 }];
    update(container, [records({ recordSize, ranges: hole, data: undefined })]);
    for (const isAggregated of [false, true]) {
      if (isAggregated) container.aggregate();
      using view = container.view();
      const into = fetched(view, recordSize, [{ index, count: 10 }]);
      const expected = Buffer.from(data).fill(0xcc, 4 * recordSize, 6 * recordSize);
      expect(into.equals(expected)).toBe(true);
      expect(listed(view, { limit: 1, reverse: false })).toEqual([`${index}+4`, `${index + 6n}+4`]);
    }
  });

  test("keeps its record size: another one is refused, whole, by the commit that brings it", () => {
    const container = newContainer();
    const ranges = [{ index: 0, count: 2 }];
    update(container, [records({ recordSize: 4, ranges, data: filled(8) })]);
    const other = records({ recordSize: 8, ranges, data: filled(16) });
    const change = [{ akey: VALUE, value: filled(3) }, other];
    expect(() => update(container, change)).toThrow(code("DER_INVAL"));
    using view = container.view();
    expect(view.getValue(OID, DKEY, VALUE)).toBeUndefined();
    expect(fetched(view, 4, ranges).equals(filled(8))).toBe(true);
    // An array that was punched is another one.
    container.update((tx) => tx.punchAkey(OID, DKEY, CELLS));
    update(container, [other]);
    using after = container.view();
    expect(fetched(after, 8, ranges).equals(filled(16))).toBe(true);
  });

  test("cannot have records of 0, half, or too many bytes", () => {
    const container = newContainer();
    for (const recordSize of [0, -1, 1.5, Number.NaN, 2 ** 30 + 1]) {
      const array = records({ recordSize, ranges: [{ index: 0, count: 1 }], data: filled(1) });
      expect(() => update(container, [array])).toThrow(code("DER_INVAL"));
    }
  });

  test("that overwrites itself in one transaction shows the last write", () => {
    const container = newContainer();
    container.update((tx) => {
      for (const tag of [1, 2, 3]) {
        const ranges = [{ index: tag, count: 4 }];
        tx.update(OID, DKEY, [records({ recordSize: 2, ranges, data: filled(8, tag) })]);
      }
    });
    using view = container.view();
    const shown = fetched(view, 2, [{ index: 1, count: 6 }]);
    const expected = Buffer.concat([
      filled(8, 1).subarray(0, 2),
      filled(8, 2).subarray(0, 2),
      filled(8, 3),
    ]);
    expect(shown.equals(expected)).toBe(true);
  });
});

describe("buffers", () => {
  /** Cuts bytes into parts of changing sizes, empty ones among them. */
  function scattered(bytes: Buffer): Buffer[] {
    const parts: Buffer[] = [Buffer.alloc(0)];
    for (let at = 0, size = 1; at < bytes.length; at += size, size = ((size * 5) % 11) + 1) {
      parts.push(bytes.subarray(at, at + size));
      if (size === 4) parts.push(Buffer.alloc(0));
    }
    return parts;
  }

  test("may be many, cut anywhere, for many ranges in any order", () => {
    const container = newContainer();
    const ranges = Array.from({ length: 40 }, (_, at) => ({ index: (at * 17) % 400, count: 5 }));
    const recordSize = 6;
    const data = filled(40 * 5 * recordSize);
    const distinct = ranges.map(({ index }) => ({ index: index * 10, count: 5 }));
    update(container, [records({ recordSize, ranges: distinct, data: scattered(data) })]);
    using view = container.view();
    const into = Buffer.alloc(data.length);
    const fetch = { akey: CELLS, ranges: distinct, into: scattered(into), map: true };
    const [found] = view.fetch(OID, DKEY, [fetch]);
    expect(into.equals(data)).toBe(true);
    expect(found?.size).toBe(recordSize);
    expect(found?.written?.reduce((sum, { count }) => sum + count, 0n)).toBe(200n);
  });

  test("take a single value apart, and put it together", () => {
    const container = newContainer();
    const value = filled(1000);
    update(container, [{ akey: VALUE, value: scattered(value) }]);
    using view = container.view();
    const into = Buffer.alloc(1000);
    expect(view.fetch(OID, DKEY, [{ akey: VALUE, into: scattered(into) }])).toEqual([
      { size: 1000 },
    ]);
    expect(into.equals(value)).toBe(true);
    // Larger ones are filled as far as it goes.
    const larger = Buffer.alloc(1001, 0xcc);
    view.fetch(OID, DKEY, [{ akey: VALUE, into: larger }]);
    expect(larger[1000]).toBe(0xcc);
  });

  test("take a value of 64 MiB apart, and put it together", () => {
    const container = newContainer();
    const value = longBytes(64 * 2 ** 20 + 13);
    const ends = [0, 1, 1, 5001, 70_536, 136_072, 3_136_073, value.length];
    const parts = ends.slice(1).map((end, at) => value.subarray(ends[at], end));
    update(container, [{ akey: VALUE, value: parts }]);
    using view = container.view();
    const into = Buffer.alloc(value.length + 1, 0xcc);
    const cut = [into.subarray(0, 7_000_001), into.subarray(7_000_001)];
    expect(view.fetch(OID, DKEY, [{ akey: VALUE, into: cut }])[0]?.size).toBe(value.length);
    expect(into.equals(Buffer.concat([value, Buffer.of(0xcc)]))).toBe(true);
  });

  test("that are too small for a single value are DER_REC2BIG and stay as they are", () => {
    const container = newContainer();
    update(container, [{ akey: VALUE, value: filled(1000) }]);
    using view = container.view();
    const into = [Buffer.alloc(500, 0xcc), Buffer.alloc(499, 0xcc)];
    expect(() => view.fetch(OID, DKEY, [{ akey: VALUE, into }])).toThrow(code("DER_REC2BIG"));
    expect(into.every((part) => part.every((byte) => byte === 0xcc))).toBe(true);
  });

  test("that do not fit their ranges are DER_INVAL, and nothing is taken", () => {
    const container = newContainer();
    const ranges = [{ index: 0, count: 3 }];
    update(container, [records({ recordSize: 4, ranges, data: filled(12) })]);
    using view = container.view();
    for (const size of [0, 11, 13, 24]) {
      const change = [
        { akey: VALUE, value: filled(2) },
        records({ recordSize: 4, ranges, data: Buffer.alloc(size) }),
      ];
      expect(() => update(container, change)).toThrow(code("DER_INVAL"));
      const fetch = { akey: CELLS, ranges, into: Buffer.alloc(size) };
      expect(() => view.fetch(OID, DKEY, [fetch])).toThrow(code("DER_INVAL"));
    }
    using after = container.view();
    expect(after.epoch).toBe(view.epoch);
  });

  test("are not needed to learn sizes", () => {
    const container = newContainer();
    update(container, [
      { akey: VALUE, value: filled(321) },
      { akey: Buffer.from("empty"), value: Buffer.alloc(0) },
    ]);
    using view = container.view();
    const akeys = [VALUE, Buffer.from("empty"), Buffer.from("none")];
    const sizes = view.fetch(
      OID,
      DKEY,
      akeys.map((akey) => ({ akey })),
    );
    expect(sizes).toEqual([{ size: 321 }, { size: 0 }, { size: 0 }]);
  });
});

describe("akeys of one dkey", () => {
  test("of the other kind are DER_INVAL", () => {
    const container = newContainer();
    const ranges = [{ index: 0, count: 1 }];
    update(container, [
      { akey: VALUE, value: filled(4) },
      records({ recordSize: 4, ranges, data: filled(4) }),
    ]);
    using view = container.view();
    const into = Buffer.alloc(4);
    expect(() => view.fetch(OID, DKEY, [{ akey: VALUE, ranges, into }])).toThrow(code("DER_INVAL"));
    expect(() => view.fetch(OID, DKEY, [{ akey: CELLS, into }])).toThrow(code("DER_INVAL"));
    expect(() => view.fetch(OID, DKEY, [{ akey: CELLS }])).toThrow(code("DER_INVAL"));
    expect(view.getValue(OID, DKEY, CELLS)).toBeUndefined();
    expect(view.listRecords(OID, DKEY, VALUE)).toMatchObject({ recordSize: 0, ranges: [] });
    expect(view.queryRecord(OID, DKEY, VALUE, "max")).toBeUndefined();
  });

  test("become visible together, or none of them", () => {
    const container = newContainer();
    const ranges = [{ index: 5, count: 2 }];
    const good: AkeyUpdate[] = [
      { akey: VALUE, value: filled(10) },
      records({ recordSize: 4, ranges, data: filled(8) }),
    ];
    const bad: [string, AkeyUpdate][] = [
      ["DER_INVAL", { akey: Buffer.alloc(0), value: filled(1) }],
      ["DER_KEY2BIG", { akey: Buffer.alloc(65_537), value: filled(1) }],
      ["DER_REC2BIG", { akey: Buffer.from("x"), value: TOO_LARGE }],
      ["DER_INVAL", records({ recordSize: 4, ranges, data: filled(9) }, Buffer.from("x"))],
      ["DER_NONEXIST", { akey: Buffer.from("x"), value: filled(1), condition: "update" }],
    ];
    for (const [expected, wrong] of bad) {
      expect(() => update(container, [...good, wrong])).toThrow(code(expected));
      using view = container.view();
      expect(view.exists(OID)).toBe(false);
    }
    update(container, good);
    using view = container.view();
    expect(texts(view.listAkeys(OID, DKEY).keys)).toEqual(["cells", "value"]);
  });

  test("that one call refuses leave the rest of the transaction as it was", () => {
    const container = newContainer();
    const ranges = [{ index: 0, count: 1 }];
    container.update((tx) => {
      tx.update(OID, DKEY, [records({ recordSize: 1, ranges, data: filled(1, 5) })]);
      const wrong: AkeyUpdate[] = [
        records({ recordSize: 1, ranges, data: filled(1, 9) }),
        { akey: VALUE, value: TOO_LARGE },
      ];
      expect(() => tx.update(OID, DKEY, wrong)).toThrow(code("DER_REC2BIG"));
    });
    using view = container.view();
    expect(fetched(view, 1, ranges)).toEqual(filled(1, 5));
    expect(view.getValue(OID, DKEY, VALUE)).toBeUndefined();
  });

  test("change from a value to an array and back in versions, each read as what it was", () => {
    const container = newContainer(10);
    const ranges = [{ index: 0, count: 2 }];
    update(container, [{ akey: CELLS, value: filled(5) }]);
    const [first] = container.commits();
    container.update((tx) => {
      tx.punchAkey(OID, DKEY, CELLS);
      tx.update(OID, DKEY, [records({ recordSize: 2, ranges, data: filled(4) })]);
    });
    const [second] = container.commits();
    container.update((tx) => tx.punchAkey(OID, DKEY, CELLS));
    update(container, [{ akey: CELLS, value: filled(6) }]);
    using before = container.view(first?.epoch);
    expect(before.getValue(OID, DKEY, CELLS)).toHaveLength(5);
    using array = container.view(second?.epoch);
    expect(fetched(array, 2, ranges).equals(filled(4))).toBe(true);
    expect(array.getValue(OID, DKEY, CELLS)).toBeUndefined();
    using now = container.view();
    expect(now.getValue(OID, DKEY, CELLS)).toHaveLength(6);
    expect(now.listRecords(OID, DKEY, CELLS).recordSize).toBe(0);
  });
});

const texts = (keys: readonly Uint8Array[]) => keys.map((key) => Buffer.from(key).toString());

describe("conditions of update()", () => {
  const value = [{ akey: VALUE, value: filled(1) }];
  const put = (
    container: Container,
    condition: "insert" | "update",
    changes: AkeyUpdate[] = value,
  ) => container.update((tx) => tx.update(OID, DKEY, changes, { condition }));

  test("insert a dkey once, and update one that is there", () => {
    const container = newContainer();
    expect(() => put(container, "update")).toThrow(code("DER_NONEXIST"));
    put(container, "insert");
    expect(() => put(container, "insert")).toThrow(code("DER_EXIST"));
    put(container, "update");
    container.update((tx) => tx.punchDkey(OID, DKEY));
    expect(() => put(container, "update")).toThrow(code("DER_NONEXIST"));
    put(container, "insert");
  });

  test("count a dkey that holds only records, and see the transaction's own changes", () => {
    const container = newContainer();
    const ranges = [{ index: 9, count: 1 }];
    const array = [records({ recordSize: 1, ranges, data: filled(1) })];
    put(container, "insert", array);
    expect(() => put(container, "insert")).toThrow(code("DER_EXIST"));
    container.update((tx) => {
      tx.punchDkey(OID, DKEY);
      expect(() => tx.update(OID, DKEY, value, { condition: "update" })).toThrow(
        code("DER_NONEXIST"),
      );
      tx.update(OID, DKEY, value, { condition: "insert" });
      expect(() => tx.update(OID, DKEY, array, { condition: "insert" })).toThrow(code("DER_EXIST"));
    });
    using view = container.view();
    expect(texts(view.listAkeys(OID, DKEY).keys)).toEqual(["value"]);
  });

  test("of akeys are each their own", () => {
    const container = newContainer();
    update(container, [{ akey: VALUE, value: filled(1), condition: "insert" }]);
    const mixed: AkeyUpdate[] = [
      { akey: VALUE, value: filled(2), condition: "update" },
      { akey: Buffer.from("new"), value: filled(3), condition: "insert" },
    ];
    update(container, mixed);
    expect(() => update(container, mixed)).toThrow(code("DER_EXIST"));
    using view = container.view();
    expect(view.getValue(OID, DKEY, VALUE)).toHaveLength(2);
  });

  test("that another writer made false in between fail at the commit, and nothing is seen", () => {
    const container = newContainer();
    const late = container.begin();
    late.update(OID, DKEY, value, { condition: "insert" });
    put(container, "insert", [{ akey: VALUE, value: filled(9) }]);
    expect(() => container.commit(late)).toThrow(code("DER_EXIST"));
    using view = container.view();
    expect(view.getValue(OID, DKEY, VALUE)).toHaveLength(9);
  });
});

describe("lists of records", () => {
  test("of many ranges are the same in parts of any size, in both directions", () => {
    const container = newContainer();
    // Far apart, so that the list takes its steps, and beyond the first window.
    const starts = Array.from({ length: 60 }, (_, at) => BigInt(at) ** 9n);
    const ranges = starts.slice(2).map((index) => ({ index, count: 1 }));
    const recordSize = 5;
    update(container, [records({ recordSize, ranges, data: filled(ranges.length * recordSize) })]);
    using view = container.view();
    const expected = ranges.map(({ index }) => `${index}+1`);
    for (const limit of [1, 7, 100]) {
      expect(listed(view, { limit, reverse: false })).toEqual(expected);
      expect(listed(view, { limit, reverse: true })).toEqual([...expected].reverse());
    }
  });

  test("of nothing, of what was punched, and of the past are what they were", () => {
    const container = newContainer(10);
    using before = container.view();
    expect(before.listRecords(OID, DKEY, CELLS)).toEqual({
      recordSize: 0,
      ranges: [],
      anchor: undefined,
    });
    expect(before.queryRecord(OID, DKEY, CELLS, "min")).toBeUndefined();
    const ranges = [{ index: 3, count: 2 }];
    update(container, [records({ recordSize: 2, ranges, data: filled(4) })]);
    const epoch = container.commits()[0]?.epoch;
    update(container, [records({ recordSize: 2, ranges, data: undefined })]);
    using after = container.view();
    expect(after.listRecords(OID, DKEY, CELLS)).toEqual({
      recordSize: 2,
      ranges: [],
      anchor: undefined,
    });
    expect(after.queryRecord(OID, DKEY, CELLS, "max")).toBeUndefined();
    using then = container.view(epoch);
    expect(then.queryRecord(OID, DKEY, CELLS, "max")).toBe(4n);
  });
});

test("an object of records alone is gone when its dkey, or its akey, is punched", () => {
  for (const punched of ["dkey", "akey"]) {
    const container = newContainer(10);
    const ranges = [{ index: 0, count: 1 }];
    update(container, [records({ recordSize: 4, ranges, data: filled(4) })]);
    using before = container.view();
    container.update((tx) => {
      if (punched === "dkey") tx.punchDkey(OID, DKEY);
      else tx.punchAkey(OID, DKEY, CELLS);
    });
    using after = container.view();
    expect([before.exists(OID), before.listObjects().keys]).toEqual([true, [OID]]);
    expect([after.exists(OID), after.listObjects().keys]).toEqual([false, []]);
    // A condition of a commit says the same.
    expect(() => container.update((tx) => tx.punch(OID, "update"))).toThrow(code("DER_NONEXIST"));
  }
});
