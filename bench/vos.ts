/**
 * The store of one process against what it is made of: raw LMDB for single values, plain files for
 * array data.
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import { type Container, makeObjectId, ObjectType, Pattern, Pool, wholeOf } from "daos-ts";
import { open } from "lmdb";
import { compare, type Place, type Row, type Suite, secondsOf } from "./harness.js";

const MIB = 2 ** 20;
const KEY_COUNT = 20_000;
const BATCH_COUNT = 32;
const EXTENT_COUNT = 96;
const OID = makeObjectId(ObjectType.multiHashed, 1000n);
const AKEY = Buffer.from("v");

/** Keys in random order: the same for ours and the peer. */
function randomKeys(count: number): Buffer[] {
  let state = 12345;
  return Array.from({ length: count }, () => {
    const key = Buffer.alloc(16);
    for (let at = 0; at < 16; at += 4) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      key.writeUInt32BE(state, at);
    }
    return key;
  });
}

/** The index of the pool, opened as the store opens it, without the store. */
function openRaw(place: Place) {
  return open<Uint8Array, Uint8Array>({
    path: path.join(place.directory, "raw.mdb"),
    noSubdir: true,
    keyEncoding: "binary",
    encoding: "binary",
    mapSize: 2 ** 34,
    overlappingSync: false,
    noSync: true,
    cache: false,
  });
}

function values(place: Place, container: Container, rounds: number): Row[] {
  const rows: Row[] = [];
  const keys = randomKeys(KEY_COUNT);
  const raw = openRaw(place);
  for (const size of [64, 4096]) {
    const value = Buffer.alloc(size, 7);
    const batched = (put: (batch: Buffer[]) => void) => () => {
      const seconds = secondsOf(() => {
        for (let at = 0; at < keys.length; at += BATCH_COUNT) put(keys.slice(at, at + BATCH_COUNT));
      });
      return keys.length / seconds;
    };
    const update = {
      case: `single value update ${size} B, batches of ${BATCH_COUNT}`,
      peer: "lmdb puts",
      unit: "op/s",
      target: 0.7,
      ours: batched((batch) => {
        container.update((tx) => {
          for (const dkey of batch)
            tx.put({ oid: OID, dkey, akey: AKEY, value, condition: "none" });
        });
      }),
      theirs: batched((batch) => {
        raw.transactionSync(() => {
          for (const key of batch) raw.putSync(key, value);
        });
      }),
    };
    rows.push(compare(place, update, rounds));
    container.aggregate();
    const each = (get: (key: Buffer) => unknown) => () => {
      const seconds = secondsOf(() => {
        for (const key of keys) get(key);
      });
      return keys.length / seconds;
    };
    const view = container.view();
    const fetch = {
      case: `single value fetch ${size} B`,
      peer: "lmdb gets",
      unit: "op/s",
      target: 0.7,
      ours: each((key) => view.getValue(OID, key, AKEY)),
      theirs: each((key) => raw.getBinary(key)),
    };
    rows.push(compare(place, fetch, rounds));
    view.close();
  }
  void raw.close();
  return rows;
}

function arrays(place: Place, container: Container, rounds: number): Row[] {
  const oid = container.allocateOid(ObjectType.arrayByte);
  const buffer = Buffer.alloc(MIB, 7);
  const plain = fs.openSync(path.join(place.directory, "plain"), "w");
  const rate = (seconds: number) => EXTENT_COUNT / seconds;
  const row = compare(
    place,
    {
      case: "array update 1 MiB extents",
      peer: "fs.writeSync, same file again",
      unit: "MiB/s",
      target: 0.9,
      ours: () => {
        const transaction = container.begin();
        const seconds = secondsOf(() => {
          for (let index = 0; index < EXTENT_COUNT; index++) {
            const range = wholeOf(Pattern.contiguous(index * MIB, (index + 1) * MIB));
            transaction.write(oid, range, buffer, 0n);
          }
        });
        container.commit(transaction);
        container.aggregate();
        return rate(seconds);
      },
      theirs: () =>
        rate(
          secondsOf(() => {
            for (let at = 0; at < EXTENT_COUNT; at++) fs.writeSync(plain, buffer, 0, MIB, at * MIB);
          }),
        ),
    },
    // Segments are recycled from the third round on.
    rounds + 3,
  );
  fs.closeSync(plain);
  return [row];
}

/** The suite `vos`. */
export const vos: Suite = (place, { rounds }) => {
  const pool = Pool.create({ path: path.join(place.directory, "pool"), durability: "process" });
  try {
    const container = pool.createContainer("bench", { retainCommits: 1 });
    return [...values(place, container, rounds), ...arrays(place, container, rounds)];
  } finally {
    pool.close();
  }
};
