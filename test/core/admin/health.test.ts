/**
 * What containers tell of themselves, and properties that act: status, max_snapshot, reclaim, rd_fac with hints.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import {
  chooseObjectClass,
  formatObjectClass,
  ObjectClass,
  ObjectType,
  objectClassOf,
  Pattern,
  Pool,
  wholeOf,
} from "daos-ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });
const newPool = (options = {}) =>
  Pool.create({ path: `${temporaryDirectory()}/pool`, durability: "process", ...options });
const SIZE = 100_000;

function write(pool: Pool, label: string, oid = 1n) {
  using container = pool.openContainer(label);
  const range = wholeOf(Pattern.contiguous(0, SIZE));
  return container.update((tx) => tx.write(oid, range, new Uint8Array(SIZE).fill(7), 0n)).epoch;
}

test("C3: a scrub marks what is damaged as unclean, for all handles, until it is set healthy", () => {
  using pool = newPool();
  for (const label of ["damaged", "sound"]) pool.createContainer(label).close();
  write(pool, "damaged");
  const [file] = readdirSync(join(pool.path, "nvme"));
  const name = join(pool.path, "nvme", file as string);
  const bytes = readFileSync(name);
  bytes[65_536 + 10] = 0xee;
  writeFileSync(name, bytes);
  {
    using reader = Pool.connect(pool.path, { mode: "ro" });
    expect(reader.scrub().damageCount).toBe(1);
    expect(reader.query().unclean).toEqual([]);
  }
  expect(pool.scrub().damageCount).toBe(1);
  using other = Pool.connect(pool.path);
  expect(other.query().unclean).toEqual(["damaged"]);
  expect(() => other.openContainer("damaged")).toThrow(code("DER_RF"));
  other.openContainer("sound").close();
  using opened = other.openContainer("damaged", { force: true });
  expect(opened.query().health).toBe("unclean");
  write(pool, "sound");
  opened.setProperties({ status: "healthy" });
  pool.openContainer("damaged").close();
  expect(pool.query().unclean).toEqual([]);
});

test("C2: max_snapshot bounds how many snapshots there are", () => {
  using pool = newPool();
  using container = pool.createContainer("c", { properties: { max_snapshot: 2 } });
  for (const name of ["a", "b"]) container.createSnapshot(name);
  expect(() => container.createSnapshot("c")).toThrow(code("DER_NOSPACE"));
  container.setProperties({ max_snapshot: 3 });
  container.createSnapshot("c");
  container.setProperties({ max_snapshot: 1 });
  container.destroySnapshot("a");
  expect(() => container.createSnapshot("d")).toThrow(code("DER_NOSPACE"));
  container.setProperties({ max_snapshot: 0 });
  container.createSnapshot("d");
});

test("P9: reclaim=disabled stops aggregation in the background, at its next pass", async () => {
  using pool = newPool({ properties: { reclaim: "disabled" } });
  using container = pool.createContainer("c", { retainCommits: 1 });
  for (let n = 0; n < 4; n++) write(pool, "c");
  let steps = 0;
  using _running = container.startAggregation({ intervalMs: 1, onProgress: () => steps++ });
  await setTimeout(200);
  expect(steps).toBe(0);
  expect(container.query().horizon).toBe(0n);
  pool.setProperties({ reclaim: "lazy" });
  while (steps === 0 || container.query().horizon === 0n) await setTimeout(5);
  expect(container.query().commits).toBe(1);
});

test("C1: query() tells epochs, snapshots, commits and handles", () => {
  using pool = newPool();
  using container = pool.createContainer("c", { retainCommits: 2 });
  expect(container.query()).toMatchObject({ newest: 0n, horizon: 0n, commits: 0, snapshots: 0 });
  container.createSnapshot("first");
  const epochs = [1, 2, 3, 4].map(() => write(pool, "c"));
  container.aggregate();
  using _second = pool.openContainer("c", { mode: "ro" });
  expect(container.query()).toMatchObject({
    label: "c",
    uuid: container.uuid,
    newest: epochs[3],
    horizon: epochs[2],
    commits: 2,
    snapshots: 1,
    retention: { commits: 2, seconds: 0 },
    openHandles: 2,
    health: "healthy",
  });
  pool.createContainer("d").createSnapshot("second");
  expect(pool.query().snapshots).toBe(2);
});

test("O4: the class of a new object follows its type, the container's rd_fac and hints", () => {
  using pool = newPool();
  using container = pool.createContainer("c");
  for (const type of [ObjectType.arrayByte, ObjectType.kvHashed, ObjectType.multiHashed]) {
    for (const shards of ["tiny", "regular", "high", "extreme", "max"] as const) {
      const oid = container.allocateOid(type, { shards, redundancy: "none" });
      expect(objectClassOf(oid)).toBe(ObjectClass.S1);
    }
    expect(objectClassOf(container.allocateOid(type))).toBe(ObjectClass.S1);
    for (const redundancy of ["replication", "erasure"] as const) {
      expect(() => container.allocateOid(type, { redundancy })).toThrow(code("DER_INVAL"));
    }
  }
});

test.each([
  [0, "array", 32, 16, undefined, "S32"],
  [0, "key-value", 32, 16, undefined, "S32"],
  [0, "other", 32, 16, undefined, "S1"],
  [1, "array", 32, 4, undefined, "EC_2P1G10"],
  [1, "array", 32, 6, undefined, "EC_4P1G6"],
  [1, "array", 36, 10, undefined, "EC_8P1G4"],
  [1, "key-value", 32, 16, undefined, "RP_2G16"],
  [1, "other", 32, 16, undefined, "RP_2G1"],
  [2, "array", 36, 6, undefined, "EC_4P2G6"],
  [2, "key-value", 36, 6, undefined, "RP_3G12"],
  [3, "other", 36, 6, undefined, "RP_4G1"],
  [4, "other", 36, 6, undefined, "RP_6G1"],
  [0, "array", 32, 16, { shards: "tiny" }, "S4"],
  [1, "array", 32, 16, { redundancy: "replication" }, "RP_2G16"],
  [0, "other", 32, 16, { shards: "max" }, "S32"],
  [0, "array", 1024, 64, { shards: "regular" }, "S256"],
  [0, "array", 2000, 64, { shards: "high" }, "S1000"],
  [0, "array", 2000, 64, { shards: "extreme" }, "S1600"],
] as const)(
  "O4: rd_fac %i, %s, %i targets in %i domains, hints %j: %s",
  (rf, kind, targets, domains, hints, expected) => {
    const chosen = chooseObjectClass({
      redundancyFactor: rf,
      isArray: kind === "array",
      isKeyValue: kind === "key-value",
      targets,
      domains,
      ...(hints === undefined ? {} : { hints }),
    });
    expect(formatObjectClass(chosen)).toBe(expected);
  },
);
