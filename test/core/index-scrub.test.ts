/**
 * A scrub of the index: every damaged page that holds entries is found, with the object that it may concern, in
 * steps of a bounded size; a sound index is read whole.
 */

import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { type Container, Pool, type ScrubReport } from "daos-ts";
import { IndexStore } from "../../dist/core/index/index-store.js";
import { temporaryDirectory } from "../support/temporary.ts";
import { flip } from "./support/flip.ts";

const PAGE_SIZE = 4096;
const akey = Buffer.from("a");

function createPool(): { pool: Pool; container: Container; index: string } {
  const path = join(temporaryDirectory(), "pool");
  const pool = Pool.create({ path, durability: "process" });
  const container = pool.createContainer("c");
  for (let oid = 1n; oid <= 20n; oid++) {
    container.update((tx) => {
      for (let key = 0; key < 300; key++) {
        // Some values have pages of their own.
        const value = Buffer.alloc(key % 50 === 0 ? 10_000 : 60, 1);
        tx.put({ oid, dkey: Buffer.from(`${key}`), akey, value, condition: "none" });
      }
    });
  }
  return { pool, container, index: join(path, "scm", "index.mdb") };
}

/** Pages of the entries, as LMDB counts them. */
function pagesInUse(path: string): { all: number; last: number } {
  const index = IndexStore.open(path, { durable: false });
  const { count } = index.checkFrom(new Uint8Array(), 2 ** 30);
  const { live } = index.space(2 ** 40);
  index.close();
  return { all: count, last: Math.ceil(live / PAGE_SIZE) };
}

test("a scrub reads all pages of a sound index, in steps", () => {
  const { pool, index } = createPool();
  using _pool = pool;
  const { all } = pagesInUse(index);
  expect(all).toBeGreaterThan(300);
  const report = pool.scrub();
  expect(report.indexDamages).toEqual([]);
  // The pages on the way to where a step goes on are read again.
  expect(report.pages).toBeGreaterThanOrEqual(all);
  const steps = [...pool.scrubSteps({ stepSize: 8 * PAGE_SIZE })];
  // A part ends with a leaf, whose six large values have three pages each, and begins with the way to it.
  expect(Math.max(...steps.map(({ pages }) => pages))).toBeLessThan(8 + 32);
  expect(steps.reduce((sum, { pages }) => sum + pages, 0)).toBeGreaterThanOrEqual(all);
  expect(steps.length).toBeGreaterThan(all / 40);
});

test("a scrub finds damaged pages of an open index, and what they may concern", () => {
  const { pool, index } = createPool();
  using _pool = pool;
  const { last } = pagesInUse(index);
  let found = 0;
  let named = 0;
  for (let page = 2; page < last; page += 7) {
    // A byte of each third of the page, so that keys, values and pointers are met.
    for (const position of [40, 2100, 4000]) {
      flip(index, page * PAGE_SIZE + position);
      const { indexDamages }: ScrubReport = pool.scrub();
      flip(index, page * PAGE_SIZE + position);
      expect(indexDamages.length).toBeLessThanOrEqual(1);
      const [damage] = indexDamages;
      if (damage === undefined) continue;
      found += 1;
      if (damage.oid !== undefined) named += 1;
      expect(damage.oid ?? 1n).toBeGreaterThanOrEqual(0n);
    }
  }
  // Pages that are not found are free, or of the list of free pages.
  expect(found).toBeGreaterThan(60);
  expect(named).toBeGreaterThan(found / 2);
  expect(pool.scrub().indexDamages).toEqual([]);
});
