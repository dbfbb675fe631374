/**
 * Writing arrays to the log and reading them back, against plain files.
 *
 * Pages and disk blocks that were never touched are slow: segments come round, and files are written
 * once, before anything is measured.
 *
 * @module
 */

import fs from "node:fs";
import { type Container, type ObjectId, ObjectType, Pattern, Pool, wholeOf } from "daos-ts";
import {
  compare,
  limitRow,
  median,
  type Options,
  type Part,
  type Place,
  type Row,
  secondsOf,
} from "./harness.js";
import { FILE_SIZE, KIB, MIB, WARM_UP_SIZE, withFile, withPool } from "./vos-pool.js";

const UPDATE = "array update 1 MiB extents";
const INTERLEAVED = "array read 64 MiB by 64 writers in 4 KiB blocks";
const STRIDED_INDEX = "array strided run of 1,000,000 blocks of 1 KiB, index";
const STRIDED_COMMIT = "array strided run of 1,000,000 blocks of 1 KiB, commit";

/** Overwrites the first extents of an array in one commit; returns the seconds of the writes. */
function overwrite(container: Container, oid: ObjectId, buffer: Buffer, count: number): number {
  const transaction = container.begin();
  const seconds = secondsOf(() => {
    for (let at = 0; at < count * MIB; at += MIB) {
      transaction.write(oid, wholeOf(Pattern.contiguous(at, at + MIB)), buffer, 0n);
    }
  });
  container.commit(transaction);
  container.aggregate();
  return seconds;
}

function update(place: Place, pool: Pool, { rounds, tiny }: Options): Row[] {
  const count = tiny ? 2 : 96;
  const container = pool.createContainer("bench", { retainCommits: 1 });
  const oid = container.allocateOid(ObjectType.arrayByte);
  const buffer = Buffer.alloc(MIB, 7);
  for (let size = 0; size < (tiny ? MIB : WARM_UP_SIZE); size += count * MIB) {
    overwrite(container, oid, buffer, count);
  }
  const fileSize = tiny ? 2 * MIB : FILE_SIZE;
  return withFile(place, fileSize, (fd) => {
    let at = 0;
    const contest = {
      case: UPDATE,
      peer: "fs.writeSync to a recycled file",
      unit: "MiB/s",
      target: 0.9,
      ours: () => count / overwrite(container, oid, buffer, count),
      theirs: () =>
        count /
        secondsOf(() => {
          for (let done = 0; done < count; done++, at = (at + MIB) % fileSize) {
            fs.writeSync(fd, buffer, 0, MIB, at);
          }
        }),
    };
    return [compare(place, contest, rounds)];
  });
}

/** Updates of large extents. */
export const updatePart: Part = {
  cases: [UPDATE],
  run: (place, options) => withPool(place, (pool) => update(place, pool, options)),
};

const INTERLEAVED_BLOCK_SIZE = 4 * KIB;

/** Writes an array by several writers, each of which has every n-th block, at one epoch. */
function writeInterleaved(pool: Pool, size: number, writerCount: number): ObjectId {
  const root = pool.createContainer("interleaved", { retainCommits: 1 });
  const oid = root.allocateOid(ObjectType.arrayByte);
  const stride = writerCount * INTERLEAVED_BLOCK_SIZE;
  const writers = Array.from({ length: writerCount }, () => Pool.connect(pool.path));
  try {
    const transactions = writers.map((writer, index) => {
      const transaction = writer.openContainer("interleaved").begin();
      const pattern = new Pattern({
        start: index * INTERLEAVED_BLOCK_SIZE,
        blockLength: INTERLEAVED_BLOCK_SIZE,
        levels: [{ stride, count: size / stride }],
      });
      const bytes = Buffer.alloc(pattern.size, index + 1);
      transaction.write(oid, wholeOf(pattern), bytes, 0n);
      return transaction;
    });
    const contributions = transactions.map((transaction) => transaction.prepare());
    root.publish(contributions, root.newTransactionId());
    for (const transaction of transactions) transaction.settle();
  } finally {
    for (const writer of writers) writer.close();
  }
  return oid;
}

function interleaved(place: Place, pool: Pool, { rounds, tiny }: Options): Row[] {
  const size = tiny ? MIB : 64 * MIB;
  const writerCount = tiny ? 4 : 64;
  const oid = writeInterleaved(pool, size, writerCount);
  using view = pool.openContainer("interleaved").view();
  const target = Buffer.alloc(size);
  const whole = wholeOf(Pattern.contiguous(0, size));
  return withFile(place, size, (fd) => {
    const contest = {
      case: INTERLEAVED,
      peer: "fs.readSync",
      unit: "MiB/s",
      target: 0.5,
      ours: () => size / MIB / secondsOf(() => view.readArray(oid, whole, target)),
      theirs: () => size / MIB / secondsOf(() => fs.readSync(fd, target, 0, size, 0)),
    };
    return [compare(place, contest, rounds)];
  });
}

/** A read of what many writers wrote in small blocks. */
export const interleavedPart: Part = {
  cases: [INTERLEAVED],
  run: (place, options) => withPool(place, (pool) => interleaved(place, pool, options)),
};

/** Bytes that a commit adds to the index may not depend on the number of blocks. */
const STRIDED_INDEX_SIZE_MAX = KIB;
const STRIDED_COMMIT_MS_MAX = 2;
/** A round writes a GiB. */
const STRIDED_ROUNDS_MAX = 3;

function strided(place: Place, { rounds, tiny }: Options): Row[] {
  const count = tiny ? 1000 : 1_000_000;
  const sizes: number[] = [];
  const times: number[] = [];
  const block = Buffer.alloc(KIB, 7);
  for (let round = 0; round <= Math.min(rounds, STRIDED_ROUNDS_MAX); round++) {
    withPool(place, (pool) => {
      const container = pool.createContainer("bench");
      const oid = container.allocateOid(ObjectType.arrayByte);
      const transaction = container.begin();
      for (let index = 0; index < count; index++) {
        const start = index * 4 * KIB;
        transaction.write(oid, wholeOf(Pattern.contiguous(start, start + KIB)), block, 0n);
      }
      // The first call writes the data that is still staged; what the others do is the commit.
      transaction.prepare();
      const seconds = secondsOf(() => {
        const contribution = transaction.prepare();
        container.publish([contribution], container.newTransactionId());
        transaction.settle();
        sizes.push(contribution.length);
      });
      times.push(seconds * 1000);
    });
  }
  const [index, commit] = [median(sizes), median(times.slice(1))];
  return [
    limitRow(place, {
      case: STRIDED_INDEX,
      unit: "B",
      value: index,
      limit: STRIDED_INDEX_SIZE_MAX,
    }),
    limitRow(place, {
      case: STRIDED_COMMIT,
      unit: "ms",
      value: commit,
      limit: STRIDED_COMMIT_MS_MAX,
    }),
  ];
}

/** A run of very many small blocks at one distance, written one by one. */
export const stridedPart: Part = {
  cases: [STRIDED_INDEX, STRIDED_COMMIT],
  run: strided,
};
