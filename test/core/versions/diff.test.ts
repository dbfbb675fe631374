/**
 * Differences of two versions: what they say is what reading both versions in full says.
 *
 * Method: random transactions, rollbacks, snapshots and aggregation over a handful of keys and small
 * arrays; then every pair of readable versions is compared, with and without looking at the bytes.
 *
 * @module
 */

import { describe, expect, test } from "@jest/globals";
import { type Container, type ContainerChange, Pattern, Pool, wholeOf } from "daos-ts";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { temporaryDirectory, withTemporaryDirectory } from "../../support/temporary.ts";

const OIDS = [1n, 2n, 3n] as const;
const NAMES = ["a", "b", "x".repeat(300)] as const;
const CELLS = Buffer.from("cells");
const SIZE = 64;
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });
const nameOf = (key: Uint8Array) => Buffer.from(key).toString().slice(0, 8);

type Step = readonly [kind: number, oid: number, key: number, at: number];

/** Everything that a version holds, by name: objects, dkeys, akeys, and single bytes and records. */
function contentsOf(container: Container, at: bigint): Map<string, string> {
  const found = new Map<string, string>();
  using view = container.view(at);
  for (const oid of view.listObjects().keys) {
    found.set(`${oid}`, "object");
    const bytes = view.readBytes(oid, 0, SIZE);
    for (const { start, end } of view.writtenRanges(oid, { start: 0, end: SIZE })) {
      for (let byte = start; byte < end; byte++) found.set(`${oid} byte ${byte}`, `${bytes[byte]}`);
    }
    for (const dkey of view.listDkeys(oid).keys) {
      const parent = `${oid}/${nameOf(dkey)}`;
      found.set(parent, "dkey");
      for (const akey of view.listAkeys(oid, dkey).keys) {
        const value = view.getValue(oid, dkey, akey);
        const { recordSize, ranges } = view.listRecords(oid, dkey, akey);
        found.set(`${parent}/${nameOf(akey)}`, value ? Buffer.from(value).toString() : `array`);
        if (recordSize === 0) continue;
        for (const { index, count } of ranges) {
          for (let cell = index; cell < index + count; cell++) {
            const into = Buffer.alloc(recordSize);
            view.fetch(oid, dkey, [{ akey, ranges: [{ index: cell, count: 1 }], into }]);
            found.set(`${parent}/${nameOf(akey)} cell ${cell}`, into.toString("hex"));
          }
        }
      }
    }
  }
  return found;
}

/** What a list of differences says, by name; a byte or a record that changed is "changed" in any case. */
function toldBy(changes: Iterable<ContainerChange>): Map<string, string> {
  const told = new Map<string, string>();
  const tell = (name: string, change: string) => {
    if (told.has(name)) throw new Error(`${name} is told of twice`);
    told.set(name, change);
  };
  for (const change of changes) {
    const { level, oid } = change;
    if (level === "object") tell(`${oid}`, change.change);
    else if (level === "dkey") tell(`${oid}/${nameOf(change.dkey)}`, change.change);
    else if (level === "bytes") {
      for (let at = change.start; at < change.end; at++) tell(`${oid} byte ${at}`, "changed");
    } else {
      const name = `${oid}/${nameOf(change.dkey)}/${nameOf(change.akey)}`;
      if (level === "akey") tell(name, change.change);
      else {
        for (let at = 0n; at < change.count; at++)
          tell(`${name} cell ${change.index + at}`, "changed");
      }
    }
  }
  return told;
}

/** What reading both versions says. */
function expected(a: Map<string, string>, b: Map<string, string>): Map<string, string> {
  const differing = new Map<string, string>();
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const [was, is] = [a.get(name), b.get(name)];
    if (was === is) continue;
    const isPart = / (byte|cell) /.test(name);
    const change = was === undefined ? "added" : is === undefined ? "removed" : "changed";
    differing.set(name, isPart ? "changed" : change);
  }
  // What holds something that differs differs too.
  for (const name of [...differing.keys()]) {
    const parents = [
      name.replace(/ (byte|cell) .*/, ""),
      name.replace(/\/[^/]*$/, ""),
      name.replace(/[ /].*/, ""),
    ];
    for (const parent of parents) if (!differing.has(parent)) differing.set(parent, "changed");
  }
  return differing;
}

function take(container: Container, [kind, oidAt, key, at]: Step, tag: number): bigint | undefined {
  const oid = OIDS[oidAt % OIDS.length] as bigint;
  const [dkey, akey] = [
    Buffer.from(NAMES[key % 3] as string),
    Buffer.from(NAMES[at % 3] as string),
  ];
  const range = wholeOf(
    at % 2 === 0
      ? Pattern.contiguous(at, at + 1 + key)
      : new Pattern({ start: at, blockLength: 1, levels: [{ stride: 3, count: 1 + key }] }),
  );
  if (kind === 0) {
    if (container.listSnapshots().length < 3) container.createSnapshot(`s${tag}`);
    return undefined;
  }
  if (kind === 1) {
    container.aggregate();
    return undefined;
  }
  if (kind === 2) {
    const commits = container.commits();
    const to = commits[at % Math.max(1, commits.length)]?.epoch;
    return to === undefined ? undefined : container.rollback(to).epoch;
  }
  return container.update((tx) => {
    if (kind === 3) tx.punch(oid);
    else if (kind === 4) tx.punchDkey(oid, dkey);
    else if (kind === 5) tx.punchAkey(oid, dkey, akey);
    else if (kind === 6) tx.punchAkey(oid, dkey, CELLS);
    else if (kind === 7) tx.punchRange(oid, range, container.incarnation(oid));
    else if (kind < 10) {
      // Often the same value as before.
      tx.put({ oid, dkey, akey, value: Buffer.from(`v${tag % 2}`), condition: "none" });
    } else if (kind < 12) {
      const bytes = new Uint8Array(range.to).fill(tag % 3);
      tx.write(oid, range, bytes, container.incarnation(oid));
    } else {
      const ranges = [{ index: at, count: 1 + key }];
      const data = kind === 12 ? undefined : Buffer.alloc((1 + key) * 3, tag % 2);
      tx.update(oid, dkey, [{ akey: CELLS, recordSize: 3, ranges, data }]);
    }
  }).epoch;
}

const step = fc.tuple(fc.nat(14), fc.nat(2), fc.nat(8), fc.nat(20));

describe("Container.diff()", () => {
  test("T5: agrees with reading both versions, for all pairs of versions, in both directions", async () => {
    const steps = fc.array(step, { minLength: 4, maxLength: 30, size: "max" });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), (taken, retainCommits) =>
        withTemporaryDirectory((path) => {
          using pool = Pool.create({ path: `${path}/p`, durability: "process" });
          const container = pool.createContainer("c", { retainCommits });
          for (const [tag, next] of taken.entries()) take(container, next, tag);
          const epochs = [...container.commits(), ...container.listSnapshots()].map((v) => v.epoch);
          const versions = [...new Set(epochs)].map(
            (epoch) => [epoch, contentsOf(container, epoch)] as const,
          );
          for (const [from, a] of versions) {
            for (const [to, b] of versions) {
              const wanted = expected(a, b);
              const compared = toldBy(container.diff(from, to, { compare: true }));
              expect([...compared].sort()).toEqual([...wanted].sort());
              // Without looking at bytes, what was written again as it was is told of too.
              const written = toldBy(container.diff(from, to));
              const missed = [...wanted].filter(([name, change]) => written.get(name) !== change);
              expect(missed).toEqual([]);
            }
          }
        }),
      ),
      fcOptions(3),
    );
  }, 120_000);

  test("T5: tells of ranges that lie far apart, and of very many, in parts", () => {
    const path = `${temporaryDirectory()}/pool`;
    using pool = Pool.create({ path, durability: "process" });
    const container = pool.createContainer("c", { retainCommits: 10 });
    const first = container.update((tx) =>
      tx.write(1n, wholeOf(Pattern.contiguous(0, 10)), new Uint8Array(10), 0n),
    ).epoch;
    const far = 2 ** 50;
    const second = container.update((tx) => {
      tx.write(1n, wholeOf(Pattern.contiguous(far, far + 5)), new Uint8Array(5).fill(1), 0n);
      const many = new Pattern({
        start: 100,
        blockLength: 1,
        levels: [{ stride: 2, count: 100_000 }],
      });
      tx.write(1n, wholeOf(many), new Uint8Array(100_000).fill(2), 0n);
      const sparse = new Pattern({
        start: 2 ** 30,
        blockLength: 8,
        levels: [{ stride: 2 ** 40, count: 100 }],
      });
      tx.write(1n, wholeOf(sparse), new Uint8Array(800), 0n);
    }).epoch;
    const changes = [...container.diff(first, second)];
    expect(changes).toHaveLength(1 + 100_000 + 100 + 1);
    expect(changes[0]).toEqual({ level: "object", change: "changed", oid: 1n });
    expect(changes[1]).toEqual({ level: "bytes", oid: 1n, start: 100, end: 101 });
    expect(changes.at(-1)).toEqual({ level: "bytes", oid: 1n, start: far, end: far + 5 });
  });

  test("T5: keeps its versions until it ends, and refuses what is gone", () => {
    const path = `${temporaryDirectory()}/pool`;
    using pool = Pool.create({ path, durability: "process" });
    const container = pool.createContainer("c", { retainCommits: 1 });
    const put = (value: string) =>
      container.update((tx) => {
        for (const oid of OIDS) {
          const [dkey, akey] = [Buffer.from("k"), Buffer.from("k")];
          tx.put({ oid, dkey, akey, value: Buffer.from(value), condition: "none" });
        }
      }).epoch;
    const [first, second] = [put("1"), put("2")];
    const diff = container.diff(first, second);
    expect(diff.next().value).toEqual({ level: "object", change: "changed", oid: 1n });
    put("3");
    container.aggregate();
    expect([...diff]).toHaveLength(8);
    container.aggregate();
    expect(() => [...container.diff(first, second)]).toThrow(code("DER_EPOCH_GONE"));
    expect(() => container.diff(-1n, 0n)).toThrow(code("DER_INVAL"));
    const newest = put("4");
    expect([...container.diff(newest, newest)]).toEqual([]);
  });
});
