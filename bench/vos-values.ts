/**
 * Single values of one process: against raw LMDB, which small ones are stored in, and against a plain file.
 *
 * The log's segments come round, and the file is written once, before large ones are measured.
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import { type Container, makeObjectId, ObjectType } from "daos-ts";
import { open } from "lmdb";
import { compare, type Options, type Part, type Place, type Row, secondsOf } from "./harness.js";
import { FILE_SIZE, KIB, MIB, WARM_UP_SIZE, withFile, withPool } from "./vos-pool.js";

const KEY_COUNT = 20_000;
const BATCH_COUNT = 32;
const OID = makeObjectId(ObjectType.multiHashed, 1000n);
const AKEY = Buffer.from("v");
/** Sizes of values that lie in the log, in bytes. */
const LARGE_SIZES = [64 * KIB, MIB];

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

function values(place: Place, container: Container, { rounds, tiny }: Options): Row[] {
  const rows: Row[] = [];
  const keys = randomKeys(tiny ? KEY_COUNT / 100 : KEY_COUNT);
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

function nameOf(size: number): string {
  return size < MIB ? `${size / KIB} KiB` : `${size / MIB} MiB`;
}

/** Values in the log against as many bytes of a file that is gone round, one by one. */
function largeValues(place: Place, container: Container, { rounds, tiny }: Options): Row[] {
  const rows: Row[] = [];
  const dataSize = tiny ? 2 * MIB : 64 * MIB;
  withFile(place, tiny ? 4 * MIB : FILE_SIZE, (fd) => {
    for (const size of LARGE_SIZES) {
      const value = Buffer.alloc(size, 7);
      const keys = randomKeys(dataSize / size);
      const update = () => {
        const transaction = container.begin();
        const seconds = secondsOf(() => {
          for (const dkey of keys) {
            transaction.put({ oid: OID, dkey, akey: AKEY, value, condition: "none" });
          }
        });
        container.commit(transaction);
        container.aggregate();
        return dataSize / MIB / seconds;
      };
      for (let written = 0; written < (tiny ? 0 : WARM_UP_SIZE); written += dataSize) update();
      const updates = {
        case: `single value update ${nameOf(size)}`,
        peer: "fs.writeSync",
        unit: "MiB/s",
        target: 0.7,
        ours: update,
        theirs: () => {
          const seconds = secondsOf(() => {
            for (let at = 0; at < dataSize; at += size) fs.writeSync(fd, value, 0, size, at);
          });
          return dataSize / MIB / seconds;
        },
      };
      rows.push(compare(place, updates, rounds));
      using view = container.view();
      const target = Buffer.alloc(size);
      const fetches = {
        case: `single value fetch ${nameOf(size)}`,
        peer: "fs.readSync",
        unit: "MiB/s",
        target: 0.7,
        ours: () => {
          const seconds = secondsOf(() => {
            for (const dkey of keys) view.fetch(OID, dkey, [{ akey: AKEY, into: target }]);
          });
          return dataSize / MIB / seconds;
        },
        theirs: () => {
          const seconds = secondsOf(() => {
            for (let at = 0; at < dataSize; at += size) fs.readSync(fd, target, 0, size, at);
          });
          return dataSize / MIB / seconds;
        },
      };
      rows.push(compare(place, fetches, rounds));
    }
  });
  return rows;
}

/** Updates and fetches of values that lie in the log. */
export const largeValuesPart: Part = {
  cases: LARGE_SIZES.flatMap((size) => [
    `single value update ${nameOf(size)}`,
    `single value fetch ${nameOf(size)}`,
  ]),
  run: (place, options) =>
    withPool(place, (pool) =>
      largeValues(place, pool.createContainer("bench", { retainCommits: 1 }), options),
    ),
};

/** Updates and fetches of single values. */
export const valuesPart: Part = {
  cases: [64, 4096].flatMap((size) => [
    `single value update ${size} B, batches of ${BATCH_COUNT}`,
    `single value fetch ${size} B`,
  ]),
  run: (place, options) =>
    withPool(place, (pool) =>
      values(place, pool.createContainer("bench", { retainCommits: 1 }), options),
    ),
};
