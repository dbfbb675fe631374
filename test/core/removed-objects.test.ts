/**
 * Objects that were removed: nothing of them stays in the index, and who opened them before is still refused.
 */

import { describe, expect, test } from "@jest/globals";
import { type Container, ObjectType, Pattern, Pool, wholeOf } from "daos-ts";
import fc from "fast-check";
import { IndexStore } from "../../dist/core/index/index-store.js";
import { KeySpace, prefixEnd } from "../../dist/core/index/key-codec.js";
import { fcOptions } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const range = wholeOf(Pattern.contiguous(0, 8));
const bytes = new Uint8Array(8).fill(5);

function createPool(): { pool: Pool; container: Container } {
  const pool = Pool.create({ path: `${temporaryDirectory()}/pool`, durability: "process" });
  return { pool, container: pool.createContainer("c", { retainCommits: 1 }) };
}

/** Records of a space of the index. */
function count(pool: Pool, space: number): number {
  const index = IndexStore.open(`${pool.path}/scm/index.mdb`, { durable: false });
  let records = 0;
  const start = Uint8Array.of(space);
  index.visit({ start, end: prefixEnd(start) }, () => {
    records += 1;
    return true;
  });
  index.close();
  return records;
}

function write(container: Container, oid: bigint, incarnation = container.incarnation(oid)): void {
  container.update((tx) => tx.write(oid, range, bytes, incarnation));
}

/** What a view shows of an object. */
function read(container: Container, oid: bigint, snapshot?: string): Uint8Array {
  using view = container.view(snapshot === undefined ? undefined : { snapshot });
  return view.readBytes(oid, 0, view.arraySize(oid));
}

/** A commit that makes what came before old. */
function age(container: Container): void {
  for (let turn = 0; turn < 2; turn++) {
    container.update((tx) =>
      tx.put({
        oid: 1n,
        dkey: Buffer.from("d"),
        akey: Buffer.from("a"),
        value: bytes,
        condition: "none",
      }),
    );
  }
}

describe("an object that was removed", () => {
  test("leaves no record of its own, however many there were", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const kept = container.allocateOid(ObjectType.arrayByte);
    write(container, kept);
    for (let round = 0; round < 5; round++) {
      for (let file = 0; file < 40; file++) {
        const oid = container.allocateOid(ObjectType.arrayByte);
        write(container, oid);
        container.update((tx) => tx.punch(oid));
      }
      age(container);
      container.aggregate();
      expect(count(pool, KeySpace.object)).toBeLessThanOrEqual(1);
      expect(count(pool, KeySpace.removed)).toBe(1);
    }
    expect(read(container, kept)).toEqual(bytes);
  });

  test("stays away from a process that has read it, when its punch is forgotten and its id used again", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const oid = container.allocateOid(ObjectType.arrayByte);
    write(container, oid);
    expect(read(container, oid)).toEqual(bytes);
    container.update((tx) => tx.punch(oid));
    age(container);
    container.aggregate();
    expect(count(pool, KeySpace.object)).toBe(0);
    expect(read(container, oid)).toEqual(new Uint8Array());
    const last = wholeOf(Pattern.contiguous(0, 1));
    container.update((tx) => tx.write(oid, last, Uint8Array.of(9), container.incarnation(oid)));
    expect(read(container, oid)).toEqual(Uint8Array.of(9));
  });

  test("refuses writers that opened it before, also when its punch is forgotten", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const oid = container.allocateOid(ObjectType.arrayByte);
    write(container, oid);
    const before = container.incarnation(oid);
    container.update((tx) => tx.punch(oid));
    const refused = expect.objectContaining({ code: "DER_NONEXIST" });
    expect(() => write(container, oid, before)).toThrow(refused);
    age(container);
    container.aggregate();
    expect(count(pool, KeySpace.object)).toBe(0);
    expect(() => write(container, oid, before)).toThrow(refused);
    expect(read(container, oid)).toHaveLength(0);
    // Who opens it now may write to it.
    write(container, oid);
    expect(read(container, oid)).toEqual(bytes);
  });

  test("does not concern writers of objects beside it, whenever they opened them", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const oids = Array.from({ length: 5 }, () => container.allocateOid(ObjectType.arrayByte));
    const before = container.incarnation(oids[0] as bigint);
    for (const oid of oids) write(container, oid);
    for (const index of [0, 1, 3, 4]) {
      container.update((tx) => tx.punch(oids[index] as bigint));
      age(container);
      container.aggregate();
    }
    expect(count(pool, KeySpace.removed)).toBe(2);
    write(container, oids[2] as bigint, before);
  });

  test("keeps its punch while a snapshot shows what it held", () => {
    const { pool, container } = createPool();
    using _pool = pool;
    write(container, 100n);
    container.createSnapshot("s");
    container.update((tx) => tx.punch(100n));
    age(container);
    container.aggregate();
    expect(count(pool, KeySpace.object)).toBe(1);
    expect(read(container, 100n, "s")).toEqual(bytes);
    expect(read(container, 100n)).toHaveLength(0);
    container.destroySnapshot("s");
    age(container);
    container.aggregate();
    container.aggregate();
    expect(count(pool, KeySpace.object)).toBe(0);
    expect(read(container, 100n)).toHaveLength(0);
  });
});

test("ranges of removed objects agree with a list of them", () => {
  const id = fc.bigInt({ min: 100n, max: 112n });
  fc.assert(
    fc.property(fc.uniqueArray(id, { minLength: 1, maxLength: 13 }), (removed) => {
      const { pool, container } = createPool();
      using _pool = pool;
      const before = container.incarnation(0n);
      for (let oid = 100n; oid <= 112n; oid++) write(container, oid);
      for (const oid of removed) {
        container.update((tx) => tx.punch(oid));
        age(container);
        container.aggregate();
      }
      for (let oid = 100n; oid <= 112n; oid++) {
        let code = "none";
        try {
          write(container, oid, before);
        } catch (error) {
          code = (error as { code: string }).code;
        }
        expect(`${oid} ${code}`).toBe(`${oid} ${removed.includes(oid) ? "DER_NONEXIST" : "none"}`);
      }
      const sorted = [...removed].sort((a, b) => (a < b ? -1 : 1));
      const ranges = sorted.filter((oid, at) => oid !== (sorted[at - 1] ?? -1n) + 1n).length;
      expect(count(pool, KeySpace.removed)).toBe(ranges);
    }),
    fcOptions(15),
  );
});
