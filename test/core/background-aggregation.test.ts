/**
 * Aggregation in the background: it does the work, takes its share of the time, is cheap when there is nothing
 * to do, tells of errors, and ends with its handle or its pool.
 */

import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { type AggregationReport, type Container, NodeDevice, Pool } from "daos-ts";
import { seed } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { ARRAY_SIZE, checkLiveSizes, ScatteredArray } from "./support/scattered-array.ts";

function createPool(device = new NodeDevice()): { pool: Pool; container: Container } {
  const path = join(temporaryDirectory(), "p");
  const pool = Pool.create({ path, durability: "process", device });
  return { pool, container: pool.createContainer("c", { retainCommits: 1 }) };
}

async function eventually(isTrue: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error("it did not come to be");
    await setTimeout(5);
  }
}

describe("Container.startAggregation()", () => {
  test("merges, copies and frees while a writer goes on, and stops", async () => {
    const { pool, container } = createPool();
    using _pool = pool;
    const array = new ScatteredArray(container, seed);
    array.writeAll();
    const reports: AggregationReport[] = [];
    const aggregation = container.startAggregation({
      intervalMs: 5,
      share: 0.5,
      stepMs: 1,
      onProgress: (report) => reports.push(report),
    });
    for (let commit = 0; commit < 500; commit++) {
      array.scatter(4);
      if (commit % 20 === 0) await setTimeout(1);
    }
    await eventually(() => pool.query().nvme.live === ARRAY_SIZE);
    expect(reports.some(({ copied }) => copied > 0)).toBe(true);
    expect(aggregation.isRunning).toBe(true);
    aggregation.stop();
    expect(aggregation.isRunning).toBe(false);
    const count = reports.length;
    array.scatter(4);
    await setTimeout(50);
    expect(reports).toHaveLength(count);
    checkLiveSizes(pool);
    using view = container.view();
    array.check(view);
  });

  test("does next to nothing while nothing is committed", async () => {
    let transactions = 0;
    class CountingDevice extends NodeDevice {
      override now(): bigint {
        transactions += 1;
        return super.now();
      }
    }
    const { pool, container } = createPool(new CountingDevice());
    using _pool = pool;
    const array = new ScatteredArray(container, seed);
    for (let commit = 0; commit < 100; commit++) array.scatter(4);
    /** Looks at the clock so far, at each step. */
    const looks: number[] = [];
    using _aggregation = container.startAggregation({
      intervalMs: 1,
      stepMs: 0,
      onProgress: () => looks.push(transactions),
    });
    // A look at the clock when a pass begins, and no step that would need another one.
    const isIdle = () => looks.length > 20 && transactions - (looks.at(-20) as number) <= 22;
    await eventually(isIdle);
    const before = { steps: looks.length, transactions };
    await eventually(() => looks.length > before.steps + 20);
    expect(transactions - before.transactions).toBeLessThanOrEqual(looks.length - before.steps + 2);
    array.scatter(4);
    await eventually(() => transactions > before.transactions + (looks.length - before.steps) + 3);
  });

  test("tells of errors and tries again", async () => {
    class FailingDevice extends NodeDevice {
      isFailing = false;
      override open(...args: Parameters<NodeDevice["open"]>): ReturnType<NodeDevice["open"]> {
        if (this.isFailing) throw Object.assign(new Error("injected"), { code: "EIO" });
        return super.open(...args);
      }
    }
    const device = new FailingDevice();
    const { pool, container } = createPool(device);
    using _pool = pool;
    const array = new ScatteredArray(container, seed);
    for (let commit = 0; commit < 50; commit++) array.scatter(4);
    const errors: unknown[] = [];
    device.isFailing = true;
    using _aggregation = container.startAggregation({
      intervalMs: 1,
      onError: (error) => errors.push(error),
    });
    await eventually(() => errors.length >= 2);
    expect(errors[0]).toMatchObject({ code: "DER_IO" });
    device.isFailing = false;
    const { live } = pool.query().nvme;
    await eventually(() => pool.query().nvme.live < live);
  });

  test("ends when its pool is closed, without an error", async () => {
    const { pool, container } = createPool();
    const array = new ScatteredArray(container, seed);
    for (let commit = 0; commit < 50; commit++) array.scatter(4);
    const errors: unknown[] = [];
    const aggregation = container.startAggregation({
      intervalMs: 1,
      stepMs: 0,
      onError: (error) => errors.push(error),
    });
    await setTimeout(3);
    pool.close();
    await eventually(() => !aggregation.isRunning);
    expect(errors).toEqual([]);
  });

  test.each([{ intervalMs: -1 }, { intervalMs: 2 ** 40 }, { share: 0 }, { share: 1.5 }])(
    "refuses %j with DER_INVAL",
    (options) => {
      const { pool, container } = createPool();
      using _pool = pool;
      expect(() => container.startAggregation(options)).toThrow(
        expect.objectContaining({ code: "DER_INVAL" }),
      );
    },
  );

  test("of a pool that was connected read-only is DER_NO_PERM", () => {
    const { pool } = createPool();
    pool.close();
    using reader = Pool.connect(pool.path, { mode: "ro" });
    expect(() => reader.openContainer("c").startAggregation()).toThrow(
      expect.objectContaining({ code: "DER_NO_PERM" }),
    );
  });
});
