/**
 * Property: the store reads, at every epoch that is kept, what a plain model in memory says.
 *
 * Method: random sequences of every operation, by two writers with several transactions, pinned views
 * and snapshots at once, on arrays of 64 offsets and a handful of keys, so that overlaps, conflicts and
 * aggregation under pins are the common case.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { type Durability, Pattern, Pool, wholeOf } from "daos-ts";
import fc from "fast-check";
import { fcOptions } from "../support/property.ts";
import { temporaryDirectory, withTemporaryDirectory } from "../support/temporary.ts";
import { OFFSETS_MAX, range } from "./support/patterns.ts";
import { VALUE_SIZES } from "./support/store-checks.ts";
import type { Step } from "./support/store-step.ts";
import { StoreUnderTest } from "./support/store-under-test.ts";

const index = fc.nat({ max: 11 });
const condition = fc.constantFrom(
  "none" as const,
  "none" as const,
  "insert" as const,
  "update" as const,
);

/** Values of a mebibyte are rare: each is read many times. */
const valueSize = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...VALUE_SIZES.slice(0, -1)) },
  { weight: 1, arbitrary: fc.constantFrom(...VALUE_SIZES.slice(-1)) },
);

/** Ranges that hide what lies below are common, so that aggregation has something to remove. */
const covering = fc.oneof(
  { weight: 1, arbitrary: range },
  { weight: 1, arbitrary: fc.constant(wholeOf(Pattern.contiguous(0, OFFSETS_MAX))) },
  { weight: 1, arbitrary: fc.constant(wholeOf(Pattern.contiguous(0, OFFSETS_MAX / 2))) },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant("update" as const),
      handle: index,
      array: index,
      range: covering,
      key: index,
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("begin" as const), handle: index }) },
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant("write" as const), tx: index, array: index, range }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("put" as const),
      tx: index,
      object: index,
      key: index,
      akey: index,
      size: valueSize,
      punch: fc.boolean(),
      condition,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("punch" as const), tx: index, array: index }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("punchRange" as const),
      tx: index,
      array: index,
      range,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("punchDkey" as const),
      tx: index,
      object: index,
      key: index,
      condition: fc.constantFrom("none" as const, "update" as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("records" as const),
      tx: index,
      object: index,
      key: index,
      start: index,
      count: index,
      punch: fc.boolean(),
      condition,
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("commit" as const), tx: index }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("abort" as const), tx: index }) },
  { weight: 2, arbitrary: fc.constant({ type: "collective" as const }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("view" as const), handle: index, epoch: index }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("closeView" as const), view: index }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("readOwn" as const), tx: index, array: index }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("snapshot" as const),
      handle: index,
      name: index,
      epoch: index,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("destroySnapshot" as const),
      handle: index,
      name: index,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("viewSnapshot" as const),
      handle: index,
      name: index,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("rollback" as const), handle: index, epoch: index }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("aggregate" as const), handle: index }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("reopen" as const), handle: index }) },
);

describe("the store", () => {
  test("agrees with the model, whatever is done in whatever order", async () => {
    const options = fc.record({
      retainCommits: fc.integer({ min: 1, max: 3 }),
      durability: fc.constantFrom<Durability>("process", "power"),
    });
    const steps = fc.array(step, { minLength: 10, maxLength: 60, size: "max" });
    await fc.assert(
      fc.asyncProperty(options, steps, (given, taken) =>
        withTemporaryDirectory((path) => {
          const store = new StoreUnderTest(path, given);
          try {
            for (const next of taken) store.take(next);
            store.checkAll();
          } finally {
            store.close();
          }
        }),
      ),
      fcOptions(40),
    );
  });

  test("a contribution's condition sees the punches of the contributions before it", () => {
    const key = { oid: 1n, dkey: Buffer.from("k"), akey: Buffer.from("k") };
    using first = Pool.create({ path: join(temporaryDirectory(), "p"), durability: "process" });
    using second = Pool.connect(first.path);
    const container = first.createContainer("c");
    const punching = container.begin();
    punching.put({ ...key, value: Buffer.from("1"), condition: "none" });
    punching.put({ ...key, akey: Buffer.from("l"), value: Buffer.from("2"), condition: "insert" });
    punching.punch(1n);
    const inserting = second.openContainer("c").begin();
    inserting.put({ ...key, value: Buffer.from("3"), condition: "insert" });
    const contributions = [punching.prepare(), inserting.prepare()];
    const { epoch } = container.publish(contributions, container.newTransactionId());
    using view = container.view(epoch);
    // A punch hides what was written before it, not what the next contribution writes.
    expect(Buffer.from(view.getValue(key.oid, key.dkey, key.akey) ?? []).toString()).toBe("3");
  });
});
