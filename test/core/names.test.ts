/**
 * Keys: how dkeys and akeys of any length become the beginnings of index keys, and what lists, queries and parts
 * make of them.
 */

import { join } from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import {
  ByteWriter,
  type Container,
  type ContainerView,
  integerKey,
  integerOfKey,
  makeObjectId,
  ObjectType,
  Pool,
} from "daos-ts";
import fc from "fast-check";
import { hashOf, longBase, readComponent, writeShort } from "../../dist/core/index/component.js";
import { IndexStore, type IndexTransaction } from "../../dist/core/index/index-store.js";
import { findKey, keyOfPrefix, makeKey, objectPrefix } from "../../dist/core/vos/names.js";
import { fcOptions, seed } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { randomFrom } from "./support/random.ts";

const AKEY = Buffer.from("v");
const LONG_SIZE = 257;
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });
const texts = (keys: readonly Uint8Array[]) =>
  keys.map((key) => Buffer.from(key).toString("latin1"));

const pools: Pool[] = [];
afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

function newContainer(retainCommits = 1): Container {
  const path = join(temporaryDirectory(), "p");
  const pool = Pool.create({ path, durability: "process" });
  pools.push(pool);
  return pool.createContainer("c", { retainCommits });
}

/** Puts the same value under all dkeys of an object. */
function putAll(container: Container, oid: bigint, dkeys: readonly Uint8Array[]): void {
  container.update((tx) => {
    for (const dkey of dkeys) {
      tx.put({ oid, dkey, akey: AKEY, value: dkey.subarray(0, 8), condition: "none" });
    }
  });
}

function listed(view: ContainerView, oid: bigint, limit: number): Uint8Array[] {
  const keys: Uint8Array[] = [];
  let anchor: Uint8Array | undefined;
  do {
    const part = view.listDkeys(oid, { limit, anchor });
    expect(part.keys.length).toBeLessThanOrEqual(limit);
    keys.push(...part.keys);
    anchor = part.anchor;
  } while (anchor !== undefined);
  return keys;
}

/** Encodes a component as it stands in a key. */
function encoded(bytes: Uint8Array): Buffer {
  if (bytes.length > 256) return Buffer.concat([longBase(bytes, hashOf(bytes)), Buffer.of(0)]);
  const target = Buffer.alloc(1024);
  return target.subarray(0, writeShort(target, 0, bytes));
}

/** Keys of few different bytes, the escaped one and its neighbours among them. */
const shortKey = fc.array(fc.constantFrom(0, 1, 2, 0xfe, 0xff), { minLength: 1, maxLength: 5 });

describe("components", () => {
  test("sort as their bytes do, and read back", () => {
    fc.assert(
      fc.property(fc.array(shortKey, { minLength: 2, maxLength: 6 }), (arrays) => {
        const keys = arrays.map((array) => Buffer.from(array));
        const byBytes = [...keys].sort(Buffer.compare);
        const byCode = [...keys].sort((a, b) => Buffer.compare(encoded(a), encoded(b)));
        expect(byCode).toEqual(byBytes);
        for (const key of keys) {
          const bytes = encoded(key);
          const behind = Buffer.concat([bytes, Buffer.of(0xff, 0, 1)]);
          const found = readComponent(behind, 0);
          expect(Buffer.compare(found.bytes, key)).toBe(0);
          expect(found).toMatchObject({ end: bytes.length, isLong: false });
        }
      }),
      fcOptions(300),
    );
  });

  test("that are long sort behind the key that is their beginning, and before what is larger", () => {
    const beginning = Buffer.alloc(256, "m");
    const long = Buffer.alloc(LONG_SIZE, "m");
    const larger = Buffer.from(beginning);
    larger[255] = "n".charCodeAt(0);
    expect(Buffer.compare(encoded(beginning), encoded(long))).toBe(-1);
    expect(Buffer.compare(encoded(long), encoded(larger))).toBe(-1);
    const { bytes, isLong, end } = readComponent(encoded(long), 0);
    expect(Buffer.compare(bytes, beginning)).toBe(0);
    expect({ isLong, end }).toEqual({ isLong: true, end: encoded(long).length });
  });

  test("of zeros only, short and long, keep their ends", () => {
    for (const size of [1, 255, 256, 257, 65_536]) {
      const found = readComponent(encoded(Buffer.alloc(size)), 0);
      expect(found.bytes).toHaveLength(Math.min(size, 256));
      expect(found.end).toBe(encoded(Buffer.alloc(size)).length);
    }
  });
});

describe("long keys with one hash", () => {
  const everySame = () => new Uint8Array(16).fill(7);
  const object = objectPrefix({ container: 1, oid: 9n });
  const keys = ["x", "y", "z"].map((end) => Buffer.from(`${"k".repeat(300)}${end}`));

  function withIndex(work: (index: IndexStore) => void): void {
    const path = join(temporaryDirectory(), "index.mdb");
    const index = IndexStore.open(path, { durable: false, create: true });
    try {
      work(index);
    } finally {
      index.close();
    }
  }

  function made(index: IndexStore, key: Uint8Array): Uint8Array {
    let prefix: Uint8Array | undefined;
    index.transact("Making a key", (tx: IndexTransaction) => {
      prefix = makeKey(tx, object, key, everySame);
    });
    return prefix as Uint8Array;
  }

  test("findKey() and makeKey() keep them apart, and find the same place again", () => {
    withIndex((index) => {
      const places = keys.map((key) => made(index, key));
      expect(new Set(places.map((place) => Buffer.from(place).toString("hex"))).size).toBe(3);
      for (const [at, key] of keys.entries()) {
        expect(made(index, key)).toEqual(places[at]);
        expect(findKey(index, object, key, everySame)).toEqual(places[at]);
        const name = keyOfPrefix(index, places[at] as Uint8Array, object.length);
        expect(Buffer.compare(name, key)).toBe(0);
      }
      expect(findKey(index, object, Buffer.alloc(300, "q"), everySame)).toBeUndefined();
    });
  });

  test("findKey() finds the others after one was forgotten, and its place is used again", () => {
    withIndex((index) => {
      const places = keys.map((key) => made(index, key));
      for (const gone of [0, 1, 2]) {
        index.transact("Forgetting a key", (tx: IndexTransaction) => {
          const name = Uint8Array.from(places[gone] as Uint8Array);
          name[0] = 0x33;
          tx.remove(name);
        });
        for (const [at, key] of keys.entries()) {
          const expected = at === gone ? undefined : places[at];
          expect(findKey(index, object, key, everySame)).toEqual(expected);
        }
        expect(made(index, keys[gone] as Buffer)).toEqual(places[gone]);
      }
    });
  });

  test("akeys below a long dkey are not taken for dkeys", () => {
    withIndex((index) => {
      const dkey = made(index, keys[0] as Buffer);
      index.transact("Making akeys", (tx: IndexTransaction) => {
        for (const key of keys) makeKey(tx, dkey, key, everySame);
      });
      expect(made(index, keys[1] as Buffer).at(-1)).toBe(1);
      expect(findKey(index, dkey, keys[2] as Buffer, everySame)?.at(-1)).toBe(2);
    });
  });

  test("makeKey() refuses the 257th with DER_INVAL", () => {
    withIndex((index) => {
      const fill = (tx: IndexTransaction) => {
        for (let number = 0; number < 256; number++) {
          makeKey(tx, object, Buffer.from(`${"k".repeat(300)}${number}`), everySame);
        }
      };
      index.transact("Making keys", fill);
      expect(() => made(index, keys[0] as Buffer)).toThrow(code("DER_INVAL"));
      const place = findKey(index, object, Buffer.from(`${"k".repeat(300)}255`), everySame);
      expect(place?.at(-1)).toBe(255);
    });
  });
});

describe("long keys", () => {
  const oid = makeObjectId(ObjectType.multiLexical, 1n);

  test("that were punched and aggregated away leave the others of their beginning as they are", () => {
    const container = newContainer();
    const keys = ["x", "y", "z"].map((end) => Buffer.from(`${"k".repeat(300)}${end}`));
    putAll(container, oid, keys);
    for (const gone of [1, 0]) {
      container.update((tx) => tx.punchDkey(oid, keys[gone] as Buffer));
      putAll(container, 2n, [AKEY]);
      container.aggregate();
      const rest = (gone === 1 ? [0, 2] : [2]).map((at) => keys[at] as Buffer);
      using view = container.view();
      expect(texts(view.listDkeys(oid).keys)).toEqual(texts(rest));
      for (const key of rest) expect(view.getValue(oid, key, AKEY)).toHaveLength(8);
      expect(view.getValue(oid, keys[gone] as Buffer, AKEY)).toBeUndefined();
    }
    putAll(container, oid, keys);
    using view = container.view();
    expect(texts(view.listDkeys(oid).keys)).toEqual(texts(keys));
  });

  test("of up to 64 KiB are stored, listed in order and found; larger ones are DER_KEY2BIG", () => {
    const container = newContainer();
    const sizes = [1, 255, 256, 257, 1000, 65_535, 65_536];
    const keys = sizes.flatMap((size) => [Buffer.alloc(size, 0), Buffer.alloc(size, "k")]);
    putAll(container, oid, keys);
    container.update((tx) => {
      for (const akey of keys) {
        tx.put({ oid, dkey: keys.at(-1) as Buffer, akey, value: AKEY, condition: "none" });
      }
    });
    using view = container.view();
    const sorted = [...keys].sort(Buffer.compare);
    expect(texts(view.listDkeys(oid).keys)).toEqual(texts(sorted));
    const akeys = [...keys, AKEY].sort(Buffer.compare);
    expect(texts(view.listAkeys(oid, keys.at(-1) as Buffer).keys)).toEqual(texts(akeys));
    for (const limit of [1, 2, 5]) expect(texts(listed(view, oid, limit))).toEqual(texts(sorted));
    expect(view.queryDkey(oid, "max")).toHaveLength(65_536);
    expect(view.queryAkey(oid, keys.at(-1) as Buffer, "min")).toHaveLength(1);
    const large = Buffer.alloc(65_537, "k");
    expect(() => putAll(container, oid, [large])).toThrow(code("DER_KEY2BIG"));
  });

  test("are listed, paged, split and queried as a sorted list says, short ones among them", () => {
    const key = fc
      .tuple(fc.constantFrom("", "a", "k".repeat(255), "k".repeat(256), "k".repeat(300)), shortKey)
      .map(([start, end]) => Buffer.concat([Buffer.from(start), Buffer.from(end)]));
    const container = newContainer();
    let next = 0n;
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { minLength: 1, maxLength: 12, selector: String }),
        fc.nat(3),
        (keys, gone) => {
          const object = makeObjectId(ObjectType.multiLexical, 100n + next++);
          putAll(container, object, keys);
          container.update((tx) => {
            for (const dkey of keys.slice(0, gone)) tx.punchDkey(object, dkey);
          });
          const sorted = texts(keys.slice(gone).sort(Buffer.compare));
          using view = container.view();
          expect(texts(listed(view, object, 2))).toEqual(sorted);
          const parts = view.splitDkeys(object, 4);
          const split = parts.flatMap((anchor) => view.listDkeys(object, { anchor }).keys);
          expect(texts(split)).toEqual(sorted);
          const edges = (["min", "max"] as const).map((which) => view.queryDkey(object, which));
          expect(texts(edges.filter((edge) => edge !== undefined))).toEqual(
            sorted.length === 0 ? [] : [sorted[0], sorted.at(-1)],
          );
        },
      ),
      fcOptions(60),
    );
  });
});

describe("integer keys", () => {
  const NUMBERS = [0n, 1n, 255n, 256n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

  test("integerKey() and integerOfKey() agree; what has no 64 bits is DER_INVAL", () => {
    for (const number of NUMBERS) expect(integerOfKey(integerKey(number))).toBe(number);
    for (const number of [-1, 2n ** 64n]) {
      expect(() => integerKey(number)).toThrow(code("DER_INVAL"));
    }
  });

  test("that are no whole numbers are DER_INVAL", () => {
    for (const number of [0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => integerKey(number)).toThrow(code("DER_INVAL"));
    }
  });

  test("sort as numbers; the least and the greatest are found", () => {
    const container = newContainer();
    const oid = makeObjectId(ObjectType.dkeyUint64, 1n);
    putAll(container, oid, [...NUMBERS].reverse().map(integerKey));
    using view = container.view();
    expect(view.listDkeys(oid).keys.map(integerOfKey)).toEqual(NUMBERS);
    expect(integerOfKey(view.queryDkey(oid, "max") as Uint8Array)).toBe(2n ** 64n - 1n);
    expect(integerOfKey(view.queryDkey(oid, "min") as Uint8Array)).toBe(0n);
  });

  const { dkeyUint64, akeyUint64, multiUint64, kvUint64 } = ObjectType;
  test.each([
    ["dkeyUint64", dkeyUint64, true, false],
    ["akeyUint64", akeyUint64, false, true],
    ["multiUint64", multiUint64, true, true],
    ["kvUint64", kvUint64, true, false],
  ])("are the only ones that objects of type %s take", (_name, type, dkeys, akeys) => {
    const container = newContainer();
    const oid = makeObjectId(type, 1n);
    const put = (dkey: Uint8Array, akey: Uint8Array) => () =>
      container.update((tx) => tx.put({ oid, dkey, akey, value: AKEY, condition: "none" }));
    const integer = integerKey(5);
    put(dkeys ? integer : AKEY, akeys ? integer : AKEY)();
    for (const other of [new Uint8Array(7), new Uint8Array(9), AKEY]) {
      if (dkeys) expect(put(other, akeys ? integer : AKEY)).toThrow(code("DER_INVAL"));
      if (akeys) expect(put(dkeys ? integer : AKEY, other)).toThrow(code("DER_INVAL"));
    }
  });
});

describe("anchors", () => {
  const oid = makeObjectId(ObjectType.multiLexical, 1n);
  const keysOf = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => Buffer.from(String(from + at).padStart(6, "0")));

  test("go on behind the last key whatever was added and removed meanwhile", () => {
    const container = newContainer(10);
    putAll(container, oid, keysOf(0, 10));
    using before = container.view();
    const { keys, anchor } = before.listDkeys(oid, { limit: 5 });
    container.update((tx) => {
      for (const dkey of keysOf(3, 7)) tx.punchDkey(oid, dkey);
    });
    putAll(container, oid, [Buffer.from("000004."), Buffer.from("000005."), Buffer.from("9")]);
    using after = container.view();
    // What sorts behind the fifth key, which is gone itself.
    const rest = ["000004.", "000005.", "000007", "000008", "000009", "9"];
    expect(texts(after.listDkeys(oid, { anchor }).keys)).toEqual(rest);
    expect(texts([...keys, ...before.listDkeys(oid, { anchor }).keys])).toEqual(
      texts(keysOf(0, 10)),
    );
  });

  test("of another list, damaged or made up are DER_INVAL", () => {
    const container = newContainer();
    putAll(container, oid, keysOf(0, 10));
    container.update((tx) => {
      const ranges = [1, 4, 7].map((index) => ({ index, count: 1 }));
      tx.update(2n, AKEY, [{ akey: AKEY, recordSize: 1, ranges, data: Buffer.alloc(3) }]);
    });
    using view = container.view();
    const made = (level: number, start: Uint8Array) =>
      new ByteWriter(64).u8(1).u8(level).bytes(start).bytes(new Uint8Array()).finish();
    const lists: ((anchor: Uint8Array) => unknown)[] = [
      (anchor) => view.listDkeys(oid, { anchor }),
      (anchor) => view.listAkeys(oid, Buffer.from("000000"), { anchor }),
      (anchor) => view.listObjects({ anchor }),
      (anchor) => view.listRecords(2n, AKEY, AKEY, { anchor }),
      (anchor) => view.listRecords(2n, AKEY, AKEY, { anchor, reverse: true }),
    ];
    for (const [level, list] of [0, 1, 2, 3, 3].map((at, index) => [at, lists[index]] as const)) {
      const bad = [
        new Uint8Array(),
        Buffer.from("anchor"),
        made((level + 1) % 4, new Uint8Array(16)),
      ];
      bad.push(made(level, new Uint8Array(16)).subarray(0, -1));
      // Objects have 16 bytes, ranges a window and an offset.
      if (level >= 2) bad.push(made(level, new Uint8Array(3)), made(level, new Uint8Array(17)));
      if (level === 3) bad.push(made(level, new Uint8Array(16).fill(0xff)));
      for (const anchor of bad) expect(() => list?.(anchor)).toThrow(code("DER_INVAL"));
    }
  });
});

describe("splitDkeys()", () => {
  const random = randomFrom(seed);
  const skewed = {
    "one key": ["k"],
    "two neighbours": ["k", "k\0"],
    "one far from the rest": ["\0", ...Array.from({ length: 50 }, (_, at) => `zz${at}`)],
    "ever longer ones": Array.from({ length: 60 }, (_, at) => "a".repeat(at * 10 + 1)),
    "a common beginning": Array.from({ length: 60 }, (_, at) => `${"p".repeat(255)}${at}`),
    "two clusters": Array.from({ length: 60 }, (_, at) => `${at % 2 === 0 ? "a" : "z"}${at}`),
    "ends of all bytes": ["\0", "\xff".repeat(300), "\xff", "\0\0", "\xff\0"],
    random: Array.from({ length: 200 }, () => `${random()}`),
  };

  test.each(Object.entries(skewed))("covers each key of %s exactly once", (_name, names) => {
    const container = newContainer();
    const oid = makeObjectId(ObjectType.multiLexical, 1n);
    const keys = [...new Set(names)].map((name) => Buffer.from(name, "latin1"));
    putAll(container, oid, keys);
    using view = container.view();
    const sorted = texts([...keys].sort(Buffer.compare));
    for (const parts of [1, 2, 3, 7, 64, 1000]) {
      const anchors = view.splitDkeys(oid, parts);
      expect(anchors.length).toBeLessThanOrEqual(parts);
      const found = anchors.flatMap((anchor) => {
        const pages: Uint8Array[] = [];
        for (let rest: Uint8Array | undefined = anchor; rest !== undefined; ) {
          const part = view.listDkeys(oid, { anchor: rest, limit: 3 });
          pages.push(...part.keys);
          rest = part.anchor;
        }
        return pages;
      });
      expect(texts(found)).toEqual(sorted);
    }
  });

  test("of an object without keys has no parts; a number of parts that is none is DER_INVAL", () => {
    const container = newContainer();
    const oid = makeObjectId(ObjectType.multiLexical, 1n);
    using empty = container.view();
    expect(empty.splitDkeys(oid, 4)).toEqual([]);
    for (const parts of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => empty.splitDkeys(oid, parts)).toThrow(code("DER_INVAL"));
    }
  });

  test("listDkeys() lists 20,000 keys with a limit, each once", () => {
    const container = newContainer();
    const oid = makeObjectId(ObjectType.multiLexical, 1n);
    const keys = Array.from({ length: 20_000 }, (_, at) => Buffer.from(`key ${at * 7919}`));
    putAll(container, oid, keys);
    using view = container.view();
    const sorted = texts([...keys].sort(Buffer.compare));
    expect(texts(listed(view, oid, 999))).toEqual(sorted);
    const parts = view.splitDkeys(oid, 8);
    const split = parts.flatMap((anchor) => view.listDkeys(oid, { anchor }).keys);
    expect(texts(split)).toEqual(sorted);
  });
});
