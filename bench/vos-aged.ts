/**
 * An array that was overwritten in very many small commits, before and after it is aggregated, beside
 * one that was written once.
 *
 * A process remembers the layers of the arrays that it reads: each figure is taken by a new connection.
 *
 * @module
 */

import { type ContainerView, type ObjectId, ObjectType, Pattern, Pool, wholeOf } from "daos-ts";
import {
  limitRow,
  medianOf,
  type Options,
  type Part,
  type Place,
  type Row,
  rowOf,
  secondsOf,
} from "./harness.js";
import { KIB, MIB, occupiedSize, randomNumbers, withPool } from "./vos-pool.js";

const SMALL_OVER = "array read 4 KiB over 100,000 commits";
const FIRST_OVER = "array first read over 100,000 commits";
const SMALL_AFTER = "array read 4 KiB after 100,000 overwrites, aggregated";
const LARGE_AFTER = "array read 1 MiB after 100,000 overwrites, aggregated";
const SPACE_AFTER = "array space used after 100,000 overwrites, aggregated";

const SMALL_SIZE = 4 * KIB;
const LARGE_SIZE = MIB;
/** Bytes used for each live one. */
const OVERHEAD_MAX = 1.5;

interface Aged {
  readonly size: number;
  readonly commits: number;
  readonly reads: number;
  /** Overwritten in many commits. */
  readonly oid: ObjectId;
  /** Written once. */
  readonly fresh: ObjectId;
}

/** Figures of one array, in one connection. */
interface Figures {
  /** Milliseconds of the first read of a connection, which loads the array's runs. */
  readonly load: number;
  /** Small reads per second, at random offsets. */
  readonly small: number;
  /** MiB/s of large reads, in order. */
  readonly large: number;
}

function writeArrays(pool: Pool, tiny: boolean): Aged {
  const container = pool.createContainer("aged", { retainCommits: 1 });
  const oid = container.allocateOid(ObjectType.arrayByte);
  const fresh = container.allocateOid(ObjectType.arrayByte);
  const size = tiny ? MIB : 64 * MIB;
  const commits = tiny ? 100 : 100_000;
  const large = Buffer.alloc(LARGE_SIZE, 7);
  for (let at = 0; at < size; at += LARGE_SIZE) {
    container.update((transaction) => {
      const range = wholeOf(Pattern.contiguous(at, at + LARGE_SIZE));
      transaction.write(oid, range, large, 0n);
      transaction.write(fresh, range, large, 0n);
    });
  }
  const small = Buffer.alloc(SMALL_SIZE, 8);
  const random = randomNumbers(1);
  for (let index = 0; index < commits; index++) {
    const start = random(size - SMALL_SIZE);
    container.update((transaction) => {
      const range = wholeOf(Pattern.contiguous(start, start + SMALL_SIZE));
      transaction.write(oid, range, small, 0n);
    });
  }
  return { size, commits, reads: tiny ? 10 : 10_000, oid, fresh };
}

function readSmall(view: ContainerView, oid: ObjectId, { size, reads }: Aged): number {
  const random = randomNumbers(2);
  const target = Buffer.alloc(SMALL_SIZE);
  const seconds = secondsOf(() => {
    for (let index = 0; index < reads; index++) {
      const start = random(size - SMALL_SIZE);
      view.readArray(oid, wholeOf(Pattern.contiguous(start, start + SMALL_SIZE)), target);
    }
  });
  return reads / seconds;
}

function readLarge(view: ContainerView, oid: ObjectId, { size }: Aged): number {
  const target = Buffer.alloc(LARGE_SIZE);
  const seconds = secondsOf(() => {
    for (let at = 0; at < size; at += LARGE_SIZE) {
      view.readArray(oid, wholeOf(Pattern.contiguous(at, at + LARGE_SIZE)), target);
    }
  });
  return size / MIB / seconds;
}

function measure(pool: Pool, oid: ObjectId, aged: Aged, rounds: number): Figures {
  using connection = Pool.connect(pool.path, { mode: "ro" });
  using view = connection.openContainer("aged").view();
  const load = 1000 * secondsOf(() => view.readBytes(oid, 0, SMALL_SIZE));
  const small = medianOf(rounds, () => readSmall(view, oid, aged));
  const large = medianOf(rounds, () => readLarge(view, oid, aged));
  return { load, small, large };
}

function aged(place: Place, pool: Pool, { rounds, tiny }: Options): Row[] {
  const arrays = writeArrays(pool, tiny);
  const before = measure(pool, arrays.oid, arrays, rounds);
  pool.openContainer("aged").aggregate();
  const after = measure(pool, arrays.oid, arrays, rounds);
  const fresh = measure(pool, arrays.fresh, arrays, rounds);
  const [aggregated, untouched] = ["after aggregation", "an array written once"];
  const smallOver = { case: SMALL_OVER, peer: aggregated, unit: "op/s", target: 1 / 3 };
  const firstOver = { case: FIRST_OVER, peer: aggregated, unit: "ms", target: null };
  const smallAfter = { case: SMALL_AFTER, peer: untouched, unit: "op/s", target: 0.8 };
  const largeAfter = { case: LARGE_AFTER, peer: untouched, unit: "MiB/s", target: 0.8 };
  const figures = (value: number, peer: number) => ({ value, ratio: value / peer });
  return [
    rowOf(place, smallOver, figures(before.small, after.small)),
    rowOf(place, firstOver, { value: before.load, ratio: after.load / before.load }),
    rowOf(place, smallAfter, figures(after.small, fresh.small)),
    rowOf(place, largeAfter, figures(after.large, fresh.large)),
    limitRow(place, {
      case: SPACE_AFTER,
      unit: "MiB",
      value: occupiedSize(pool.query()) / MIB,
      // Both arrays are live.
      limit: (OVERHEAD_MAX * 2 * arrays.size) / MIB,
    }),
  ];
}

/** An array of many commits, before and after aggregation. */
export const agedPart: Part = {
  cases: [SMALL_OVER, FIRST_OVER, SMALL_AFTER, LARGE_AFTER, SPACE_AFTER],
  run: (place, options) => withPool(place, (pool) => aged(place, pool, options)),
};
