/**
 * Retention by number and by time, and versions by wall-clock time. The clock is the test's.
 *
 * @module
 */

import { describe, expect, test } from "@jest/globals";
import { type Container, NodeDevice, Pool } from "daos-ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const KEY = Buffer.from("k");
const SECOND = 1_000_000_000n;
const START = BigInt(Date.UTC(2030, 0, 1)) * 1_000_000n;
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });

/** A device whose clock is set by the test. */
class ClockDevice extends NodeDevice {
  time = START;
  override now(): bigint {
    return this.time;
  }
}

function createPool(options = {}): { pool: Pool; container: Container; clock: ClockDevice } {
  const clock = new ClockDevice();
  const path = `${temporaryDirectory({ medium: "memory" })}/pool`;
  const pool = Pool.create({ path, durability: "process", device: clock });
  return { pool, container: pool.createContainer("c", options), clock };
}

function commit(container: Container, value: string): bigint {
  const change = { oid: 1n, dkey: KEY, akey: KEY, value: Buffer.from(value) };
  return container.update((tx) => tx.put({ ...change, condition: "none" })).epoch;
}

function valueAt(container: Container, at: Parameters<Container["view"]>[0]): string {
  using view = container.view(at);
  return Buffer.from(view.getValue(1n, KEY, KEY) ?? "none").toString();
}

describe("retention", () => {
  test("T6: what was the newest version in the last seconds stays, and goes when they are over", () => {
    const { pool, container, clock } = createPool({ retain: { commits: 1, seconds: 10 } });
    using _pool = pool;
    const epochs: bigint[] = [];
    for (let step = 0; step < 6; step++) {
      epochs.push(commit(container, `${step}`));
      clock.time += 4n * SECOND;
    }
    // It is 24 s: what was the newest at 14 s was committed at 12 s.
    container.aggregate();
    expect(container.commits().map(({ epoch }) => epoch)).toEqual(epochs.slice(3).reverse());
    expect(valueAt(container, epochs[3])).toBe("3");
    expect(() => container.view(epochs[2])).toThrow(code("DER_EPOCH_GONE"));
    clock.time += 100n * SECOND;
    expect(container.aggregate().values).toBe(2);
    expect(container.commits()).toHaveLength(1);
    expect(valueAt(container, undefined)).toBe("5");
  });

  test("T6: setRetention() holds for other handles and the next aggregation", () => {
    const { pool, container, clock } = createPool({ retainCommits: 1 });
    using _pool = pool;
    expect(container.retention).toEqual({ commits: 1, seconds: 0 });
    container.setRetention({ commits: 3 });
    container.setRetention({ seconds: 0.5 });
    using other = Pool.connect(pool.path, { device: clock });
    expect(other.openContainer("c").retention).toEqual({ commits: 3, seconds: 0.5 });
    for (const value of ["1", "2", "3", "4", "5"]) commit(container, value);
    clock.time += SECOND;
    container.aggregate();
    expect(container.commits()).toHaveLength(3);
    container.setRetention({ commits: 1 });
    container.aggregate();
    expect(container.commits()).toHaveLength(1);
    for (const bad of [{ commits: 0 }, { commits: 1.5 }, { seconds: -1 }, { seconds: NaN }]) {
      expect(() => container.setRetention(bad)).toThrow(code("DER_INVAL"));
      expect(() => pool.createContainer("bad", { retain: bad })).toThrow(code("DER_INVAL"));
    }
    expect(container.retention).toEqual({ commits: 1, seconds: 0.5 });
    using reader = Pool.connect(pool.path, { mode: "ro" });
    const readOnly = reader.openContainer("c");
    expect(() => readOnly.setRetention({ commits: 2 })).toThrow(code("DER_NO_PERM"));
  });

  test("T6: aggregation in the background sees that time has passed", async () => {
    const { pool, container, clock } = createPool({ retain: { commits: 1, seconds: 10 } });
    using _pool = pool;
    for (const value of ["1", "2", "3"]) commit(container, value);
    let reports = 0;
    using _aggregation = container.startAggregation({ intervalMs: 1, onProgress: () => reports++ });
    const passes = async (count: number) => {
      const until = reports + count;
      while (reports < until) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    await passes(2);
    expect(container.commits()).toHaveLength(3);
    clock.time += 60n * SECOND;
    await passes(2);
    expect(container.commits()).toHaveLength(1);
  });
});

describe("versions by time", () => {
  test("T4: view() and epochAt() find the newest version at or before a time", () => {
    const { pool, container, clock } = createPool({ retainCommits: 10 });
    using _pool = pool;
    const before = clock.time;
    clock.time += SECOND;
    const first = commit(container, "1");
    clock.time += SECOND;
    commit(container, "2");
    clock.time += SECOND;
    expect(container.epochAt(before)).toBe(0n);
    expect(valueAt(container, { time: before })).toBe("none");
    expect(container.epochAt(START + SECOND)).toBe(first);
    expect(valueAt(container, { time: new Date(Number((START + SECOND) / 1_000_000n)) })).toBe("1");
    expect(valueAt(container, { time: START + 2n * SECOND - 100_000n })).toBe("1");
    expect(valueAt(container, { time: START + 2n * SECOND })).toBe("2");
    expect(valueAt(container, { time: clock.time })).toBe("2");
    expect(() => container.view({ time: clock.time + 1n })).toThrow(code("DER_INVAL"));
    expect(() => container.epochAt(new Date(Number.NaN))).toThrow(code("DER_INVAL"));
    container.setRetention({ commits: 1 });
    container.aggregate();
    expect(() => container.view({ time: before })).toThrow(code("DER_EPOCH_GONE"));
    expect(() => container.epochAt(START + SECOND)).toThrow(code("DER_EPOCH_GONE"));
    expect(valueAt(container, { time: clock.time })).toBe("2");
  });
});
