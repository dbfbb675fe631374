/**
 * Metrics: what is counted, its text form, which a strict parser reads back, and events.
 *
 * @module
 */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { formatPrometheus, MetricRegistry, Pattern, Pool, wholeOf } from "daos-ts";
import { parsePrometheus } from "../../support/prometheus.ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const KEY = Buffer.from("k");
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });

function createPool(size?: { scm?: number; nvme?: number }): Pool {
  const path = `${temporaryDirectory()}/pool`;
  return Pool.create({ path, durability: "process", label: "m", ...(size && { size }) });
}

/** All numbers of a pool, by their names in the text. */
function numbersOf(pool: Pool): Map<string, number> {
  return parsePrometheus(formatPrometheus(pool.metrics())).samples;
}

/** Runs `body` and returns what a channel said meanwhile. */
function heard(name: string, body: () => void): unknown[] {
  const messages: unknown[] = [];
  const listener = (message: unknown) => messages.push(message);
  subscribe(name, listener);
  try {
    body();
  } finally {
    unsubscribe(name, listener);
  }
  return messages;
}

describe("formatPrometheus()", () => {
  test("W7: is read back by a strict parser, whatever names, texts and numbers hold", () => {
    const registry = new MetricRegistry();
    const help = 'Odd: \\ and\nnew line and "quotes".';
    const labels = { path: 'C:\\a\n"b"', b: "" };
    registry.counter({ name: "a_total", help, labels }).add(3);
    registry.counter({ name: "a_total", help }).add(0.5);
    registry.gauge({ name: "g", help }, () => Number.NEGATIVE_INFINITY);
    registry.gauge({ name: "n", help }, () => Number.NaN);
    const histogram = registry.histogram({ name: "h_seconds", help, labels }, [0.5, 1]);
    for (const value of [0.5, 0.6, 1, 7]) histogram.observe(value);
    const { samples, helps, types } = parsePrometheus(formatPrometheus(registry.snapshot()));
    expect(helps.get("a_total")).toBe(help);
    expect(types).toEqual(
      new Map([
        ["a_total", "counter"],
        ["g", "gauge"],
        ["n", "gauge"],
        ["h_seconds", "histogram"],
      ]),
    );
    const of = (extra = {}) => JSON.stringify(Object.entries({ ...labels, ...extra }).sort());
    expect(samples).toEqual(
      new Map([
        [`a_total${of()}`, 3],
        ["a_total[]", 0.5],
        ["g[]", Number.NEGATIVE_INFINITY],
        ["n[]", Number.NaN],
        [`h_seconds_bucket${of({ le: "0.5" })}`, 1],
        [`h_seconds_bucket${of({ le: "1" })}`, 3],
        [`h_seconds_bucket${of({ le: "+Inf" })}`, 4],
        [`h_seconds_sum${of()}`, 9.1],
        [`h_seconds_count${of()}`, 4],
      ]),
    );
  });

  test("W7: a registry refuses bad names, bounds, and what is there already", () => {
    const registry = new MetricRegistry();
    const help = "h";
    registry.counter({ name: "a", help });
    for (const name of ["", "1a", "a-b", "a b"]) {
      expect(() => registry.counter({ name, help })).toThrow(code("DER_INVAL"));
    }
    const labels = { le: "1" };
    expect(() => registry.counter({ name: "b", help, labels })).toThrow(code("DER_INVAL"));
    expect(() => registry.counter({ name: "a", help })).toThrow(code("DER_EXIST"));
    expect(() => registry.gauge({ name: "a", help, labels: { x: "1" } }, () => 0)).toThrow(
      code("DER_EXIST"),
    );
    for (const bounds of [[], [1, 1], [2, 1], [Number.POSITIVE_INFINITY]]) {
      expect(() => registry.histogram({ name: "h", help }, bounds)).toThrow(code("DER_INVAL"));
    }
    const many = Array.from({ length: 5000 }, (_, index) => index);
    expect(() => registry.histogram({ name: "h", help }, many)).toThrow(code("DER_NOSPACE"));
    expect(registry.snapshot()).toHaveLength(1);
  });
});

describe("Pool.metrics()", () => {
  test("W7: counts operations, bytes, latencies and cache, and tells of space", () => {
    using pool = createPool();
    const container = pool.createContainer("c", { retainCommits: 1 });
    const before = numbersOf(pool);
    const range = wholeOf(Pattern.contiguous(0, 1000));
    for (let round = 0; round < 3; round++) {
      container.update((tx) => tx.write(1n, range, new Uint8Array(1000), 0n));
    }
    container.update((tx) =>
      tx.put({ oid: 2n, dkey: KEY, akey: KEY, value: KEY, condition: "none" }),
    );
    const again = { oid: 2n, dkey: KEY, akey: KEY, value: KEY, condition: "insert" } as const;
    expect(() => container.update((tx) => tx.put(again))).toThrow(code("DER_EXIST"));
    using view = container.view();
    view.readBytes(1n, 0, 1000);
    view.getValue(2n, KEY, KEY);
    view.fetch(2n, KEY, [{ akey: KEY, into: new Uint8Array(1) }]);
    container.aggregate();
    const after = numbersOf(pool);
    const added = (name: string, labels: [string, string][] = []) => {
      const key = `${name}${JSON.stringify(labels)}`;
      return (after.get(key) as number) - (before.get(key) as number);
    };
    expect(added("daos_commits_total")).toBe(4);
    expect(added("daos_commit_duration_seconds_count")).toBe(4);
    expect(added("daos_commit_duration_seconds_sum")).toBeGreaterThan(0);
    expect(added("daos_flush_duration_seconds_count")).toBeGreaterThanOrEqual(3);
    expect(added("daos_written_bytes_total")).toBe(3000);
    expect(added("daos_committed_bytes_total")).toBe(3000);
    expect(added("daos_commit_failures_total", [["reason", "condition"]])).toBe(1);
    expect(added("daos_commit_failures_total", [["reason", "other"]])).toBe(0);
    expect(added("daos_reads_total")).toBe(1);
    expect(added("daos_read_bytes_total")).toBe(1000);
    expect(added("daos_fetches_total")).toBe(2);
    expect(added("daos_views_total")).toBe(1);
    expect(added("daos_array_cache_loads_total", [["result", "miss"]])).toBeGreaterThan(0);
    expect(added("daos_aggregation_runs_total")).toBeGreaterThan(0);
    const labels = [
      ["kind", "used"],
      ["pool", "m"],
      ["tier", "nvme"],
    ];
    const used = after.get(`daos_pool_space_bytes${JSON.stringify(labels)}`);
    expect(used).toBe(pool.query().nvme.used);
  });

  test("W7: the guide names exactly the metrics that there are", () => {
    using pool = createPool();
    const guide = readFileSync(join(root, "docs/guides/metrics.md"), "utf8");
    const rows = [...guide.matchAll(/^\| `(daos_\w+)` \| (\w+) \| (.*) \|$/gm)];
    const written = rows.map(([, name, type, help]) => [name, type, help]);
    const there = pool.metrics().map(({ name, type, help }) => [name, type, help]);
    expect(written).toEqual(there);
  });
});

describe("events", () => {
  test("W7: commits, steps of aggregation and recovery are told on their channels", () => {
    using pool = createPool();
    const container = pool.createContainer("c", { retainCommits: 1 });
    const range = wholeOf(Pattern.contiguous(0, 10));
    const write = () => container.update((tx) => tx.write(1n, range, new Uint8Array(10), 0n)).epoch;
    let epoch = 0n;
    const commits = heard("daos:commit", () => {
      epoch = write();
    });
    expect(commits).toEqual([{ container: 1, epoch, bytes: 10, contributors: 1 }]);
    write();
    const steps = heard("daos:aggregation", () => container.aggregate()) as { runs: number }[];
    expect(steps.reduce((sum, { runs }) => sum + runs, 0)).toBe(1);
    expect(heard("daos:recover", () => pool.recover())).toHaveLength(1);
    // Nobody listens any more.
    write();
    expect(commits).toHaveLength(1);
  });

  test("W7: refused writes are told with their error", () => {
    using pool = createPool({ nvme: 8 << 20 });
    const container = pool.createContainer("c");
    const before = numbersOf(pool).get("daos_no_space_total[]") as number;
    const size = 64 << 20;
    const write = () =>
      container.update((tx) =>
        tx.write(1n, wholeOf(Pattern.contiguous(0, size)), new Uint8Array(size), 0n),
      );
    const told = heard("daos:nospace", () => {
      expect(write).toThrow(code("DER_NOSPACE"));
    });
    expect(told).toEqual([{ error: code("DER_NOSPACE") }]);
    expect(numbersOf(pool).get("daos_no_space_total[]")).toBe(before + 1);
  });
});
