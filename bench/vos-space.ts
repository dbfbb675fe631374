/**
 * Space: what many short-lived writers use, and what aggregation costs a writer that goes on.
 *
 * @module
 */

import { ObjectType, Pattern, Pool, wholeOf } from "daos-ts";
import {
  compare,
  limitRow,
  type Options,
  type Part,
  type Place,
  type Row,
  secondsOf,
} from "./harness.js";
import { KIB, MIB, occupiedSize, withPool } from "./vos-pool.js";

const WRITERS = "array space used by 1,000 short-lived writers of 5 KiB";
const OVERWRITING = "array overwriting of 256 MiB, aggregated after each round";

const SMALL_SIZE = 5 * KIB;
/** Bytes used for each live one. */
const OVERHEAD_MAX = 2;

/** Each writer opens the pool, writes a little, commits and leaves, as a process does. */
function writers(place: Place, pool: Pool, { tiny }: Options): Row[] {
  const count = tiny ? 10 : 1000;
  const oid = pool.createContainer("bench").allocateOid(ObjectType.arrayByte);
  const bytes = Buffer.alloc(SMALL_SIZE, 7);
  for (let index = 0; index < count; index++) {
    const start = index * SMALL_SIZE;
    using writer = Pool.connect(pool.path);
    writer.openContainer("bench").update((transaction) => {
      const range = wholeOf(Pattern.contiguous(start, start + SMALL_SIZE));
      transaction.write(oid, range, bytes, 0n);
    });
  }
  const used = occupiedSize(pool.query());
  return [
    limitRow(place, {
      case: WRITERS,
      unit: "MiB",
      value: used / MIB,
      limit: (OVERHEAD_MAX * count * SMALL_SIZE) / MIB,
    }),
  ];
}

/** Space that many writers use, each of which writes a little. */
export const writersPart: Part = {
  cases: [WRITERS],
  run: (place, options) => withPool(place, (pool) => writers(place, pool, options)),
};

/** Rounds after which segments come round. */
const WARM_UP_ROUNDS = 4;

function overwriting(place: Place, pool: Pool, { rounds, tiny }: Options): Row[] {
  const count = tiny ? 4 : 256;
  const container = pool.createContainer("bench", { retainCommits: 1 });
  const oid = container.allocateOid(ObjectType.arrayByte);
  const bytes = Buffer.alloc(MIB, 7);
  const overwrite = () => {
    for (let at = 0; at < count * MIB; at += MIB) {
      container.update((transaction) => {
        transaction.write(oid, wholeOf(Pattern.contiguous(at, at + MIB)), bytes, 0n);
      });
    }
  };
  for (let round = 0; round < (tiny ? 1 : WARM_UP_ROUNDS); round++) {
    overwrite();
    container.aggregate();
  }
  const contest = {
    case: OVERWRITING,
    peer: "aggregation not counted",
    unit: "MiB/s",
    target: 0.8,
    ours: () =>
      count /
      secondsOf(() => {
        overwrite();
        container.aggregate();
      }),
    theirs: () => {
      const seconds = secondsOf(overwrite);
      container.aggregate();
      return count / seconds;
    },
  };
  return [compare(place, contest, rounds)];
}

/** What aggregation costs a writer that overwrites an array again and again, a commit for each MiB. */
export const overwritingPart: Part = {
  cases: [OVERWRITING],
  run: (place, options) => withPool(place, (pool) => overwriting(place, pool, options)),
};
