/**
 * Opening a large pool: the index is read whole and checked.
 *
 * @module
 */

import { makeObjectId, ObjectType, Pool } from "daos-ts";
import {
  limitRow,
  median,
  type Options,
  type Part,
  type Place,
  type Row,
  secondsOf,
} from "./harness.js";
import { poolPath, withPool } from "./vos-pool.js";

const OPENING = "open a pool with 1,000,000 keys and 1,000 objects";
const OBJECT_COUNT = 1000;
const KEYS_OF_OBJECT = 1000;
const OPENING_MS_MAX = 100;
const AKEY = Buffer.from("v");

function dkeyOf(number: number): Buffer {
  return Buffer.from(`key ${number}`);
}

function fill(pool: Pool, keyCount: number): void {
  const container = pool.createContainer("bench");
  const value = Buffer.alloc(64, 7);
  for (let object = 0; object < OBJECT_COUNT; object++) {
    const oid = makeObjectId(ObjectType.multiHashed, BigInt(1000 + object));
    container.update((tx) => {
      for (let key = 0; key < keyCount; key++) {
        tx.put({ oid, dkey: dkeyOf(key), akey: AKEY, value, condition: "none" });
      }
    });
  }
}

function opening(place: Place, { rounds }: Options): Row[] {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const seconds = secondsOf(() => {
      using pool = Pool.connect(poolPath(place));
      using view = pool.openContainer("bench").view();
      view.getValue(makeObjectId(ObjectType.multiHashed, 1000n), dkeyOf(1), AKEY);
    });
    if (round > 0) times.push(seconds * 1000);
  }
  const value = median(times);
  return [limitRow(place, { case: OPENING, unit: "ms", value, limit: OPENING_MS_MAX })];
}

/** The time to open a large pool and read a key. */
export const openPart: Part = {
  cases: [OPENING],
  run: (place, options) =>
    withPool(place, (pool) => {
      fill(pool, options.tiny ? 10 : KEYS_OF_OBJECT);
      pool.close();
      return opening(place, options);
    }),
};
