/**
 * Pools and containers as objects of administration, by the rows of the DAOS reference that they answer.
 */

import { expect, test } from "@jest/globals";
import {
  formatAcl,
  ObjectClass,
  ObjectType,
  objectClassOf,
  Pattern,
  Pool,
  parseAcl,
  wholeOf,
} from "daos-ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { Program } from "../support/program.ts";

const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });
const newPool = (options = {}) =>
  Pool.create({ path: `${temporaryDirectory()}/pool`, durability: "process", ...options });
const alice = { user: "alice", groups: ["staff"] };
const bob = { user: "bob", groups: ["staff", "lab"] };

test("P3: a label must not parse as a UUID, and can be changed", () => {
  using pool = newPool();
  expect(() => pool.createContainer(pool.uuid)).toThrow(code("DER_INVAL"));
  pool.setProperties({ label: "new-name" });
  expect(pool.query().label).toBe("new-name");
});

test("P7: an exclusive handle is refused beside others and refuses others", async () => {
  const pool = newPool();
  expect(() => Pool.connect(pool.path, { mode: "ex" })).toThrow(code("DER_BUSY"));
  const second = Pool.connect(pool.path, { mode: "ro" });
  expect(pool.query().openHandles).toBe(2);
  second.close();
  pool.createContainer("c").update((tx) => tx.punch(1n));
  pool.close();
  {
    using _ex = Pool.connect(pool.path, { mode: "ex" });
    expect(() => Pool.connect(pool.path, { mode: "ro" })).toThrow(code("DER_BUSY"));
  }
  const other = new Program("hold-view", [pool.path, "1"]);
  await other.printed(1);
  expect(() => Pool.connect(pool.path, { mode: "ex" })).toThrow(code("DER_BUSY"));
  await other.kill();
  Pool.connect(pool.path, { mode: "ex" }).close();
});

test("P9: properties have defaults, are kept, and impossible values are refused", () => {
  using pool = newPool({ properties: { space_rb: 7 } });
  expect(pool.getProperties()).toMatchObject({ space_rb: 7, reclaim: "lazy", data_thresh: 4096 });
  pool.setProperties({ scrub: "timed" });
  for (const bad of [
    { scrub: "often" },
    { rd_fac: 1 },
    { nothing: 1 },
    { space_rb: 101 },
    { space_rb: "5" },
  ]) {
    expect(() => pool.setProperties({ checkpoint: "lazy", ...bad } as never)).toThrow(
      code("DER_INVAL"),
    );
  }
  using again = Pool.connect(pool.path);
  expect(again.getProperties()).toMatchObject({ space_rb: 7, scrub: "timed", checkpoint: "timed" });
});

test("P10: attributes of pools and containers are listed, read, set and deleted", () => {
  using pool = newPool();
  for (const holder of [pool, pool.createContainer("c")]) {
    const long = "n".repeat(511);
    holder.setAttributes({ [long]: Uint8Array.of(0, 255), b: "text" });
    expect(holder.listAttributes()).toEqual(["b", long]);
    expect(Buffer.from(holder.getAttributes(["b", "none"]).b as Uint8Array).toString()).toBe(
      "text",
    );
    expect([...(holder.getAttributes()[long] as Uint8Array)]).toEqual([0, 255]);
    expect(() => holder.setAttributes({ c: "", [`${long}n`]: "" })).toThrow(code("DER_INVAL"));
    expect(() => holder.deleteAttributes(["b", "c"])).toThrow(code("DER_NONEXIST"));
    expect(holder.listAttributes()).toHaveLength(2);
    holder.deleteAttributes(["b", long]);
    expect(holder.listAttributes()).toEqual([]);
  }
});

test("P11: entries are parsed with comments, sorted, and errors say where", () => {
  const acl = parseAcl("# team\nA::EVERYONE@:\nA:G:lab@:wr\n\nA::OWNER@:rw,A::bob@:r\n");
  expect(formatAcl(acl)).toBe("A::OWNER@:rw\nA::bob@:r\nA:G:lab@:rw\nA::EVERYONE@:");
  for (const bad of [
    "A::bob:r",
    "B::bob@:r",
    "A::GROUP@:r",
    "A::bob@:x",
    "A::bob@:rr",
    "A::bob@:r,A::bob@:w",
    "A::b@",
  ]) {
    expect(() => parseAcl(bad)).toThrow(code("DER_INVAL"));
  }
  expect(() => parseAcl("A::a@:r\nA::b@:z")).toThrow(/line 2.*"z" is no permission/);
  expect(() => parseAcl("#".repeat(65_537))).toThrow(code("DER_INVAL"));
});

test.each([
  ["the owner's entry", "A::OWNER@:r\nA::EVERYONE@:rw", alice, true, false],
  ["a named user before groups", "A::bob@:r\nA:G:lab@:rw", bob, true, false],
  ["the union of groups", "A:G:staff@:r\nA:G:lab@:w", bob, true, true],
  ["groups before everyone", "A:G:lab@:\nA::EVERYONE@:rw", bob, false, false],
  ["everyone", "A::EVERYONE@:rw", bob, true, true],
  ["nobody else", "A::OWNER@:rw", bob, false, false],
])("P11: a pool is opened by %s", (_what, acl, identity, reads, writes) => {
  using pool = newPool();
  pool.overwriteAcl(acl);
  pool.setOwner({ user: "alice" });
  const attempt = (mode: "ro" | "rw") => () => Pool.connect(pool.path, { mode, identity }).close();
  const judge = (mode: "ro" | "rw", allowed: boolean) =>
    allowed ? attempt(mode)() : expect(attempt(mode)).toThrow(code("DER_NO_PERM"));
  judge("ro", reads);
  judge("rw", writes);
});

test("P11: rights are fixed for a handle's life, and the owner may always set the list", () => {
  using pool = newPool({ identity: alice, acl: "A::OWNER@:rw\nA::bob@:rw" });
  using other = Pool.connect(pool.path, { identity: bob });
  expect(() => other.getAcl()).toThrow(code("DER_NO_PERM"));
  pool.deleteAclEntry("bob@");
  expect(() => pool.deleteAclEntry("bob@")).toThrow(code("DER_NONEXIST"));
  other.setAttributes({ still: "here" });
  expect(() => Pool.connect(pool.path, { identity: bob })).toThrow(code("DER_NO_PERM"));
  pool.updateAcl("A::OWNER@:rwT");
  expect(pool.getAcl()).toEqual([{ principal: "OWNER@", isGroup: false, permissions: "rwT" }]);
});

test("C1: a container is opened by label or UUID, exclusively, and renamed", () => {
  using pool = newPool();
  const made = pool.createContainer("c");
  expect(pool.openContainer(made.uuid).label).toBe("c");
  expect(() => pool.openContainer("c", { mode: "ex" })).toThrow(code("DER_BUSY"));
  pool.createContainer("taken");
  expect(() => made.setProperties({ label: "taken" })).toThrow(code("DER_EXIST"));
  made.setProperties({ label: "d" });
  expect(pool.listContainers()).toEqual(["d", "taken"]);
  using reader = pool.openContainer("d", { mode: "ro" });
  expect(() => reader.begin()).toThrow(code("DER_NO_PERM"));
  made.close();
  expect(() => made.begin()).toThrow(code("DER_NO_HDL"));
});

test("C1: destroying gives the space back, is refused while open, and forced handles are gone", () => {
  using pool = newPool();
  using second = Pool.connect(pool.path);
  const fill = (label: string) => {
    const container = pool.createContainer(label);
    const range = wholeOf(Pattern.contiguous(0, 100_000));
    for (let n = 1n; n <= 3n; n++)
      container.update((tx) => tx.write(n, range, new Uint8Array(100_000).fill(7), 0n));
    return container;
  };
  fill("a").close();
  pool.destroyContainer("a");
  expect(pool.query().nvme.live).toBe(0);
  const open = fill("b");
  expect(() => second.destroyContainer("b")).toThrow(code("DER_BUSY"));
  const view = open.view();
  second.destroyContainer("b", { force: true });
  expect(second.listContainers()).toEqual([]);
  expect(() => open.update((tx) => tx.punch(1n))).toThrow(code("DER_NONEXIST"));
  expect(() => open.view()).toThrow(code("DER_NONEXIST"));
  expect(view.readBytes(1n, 0, 1)[0]).toBe(7);
  view.close();
  open.close();
  pool.recover();
  expect(pool.query().nvme.live).toBe(0);
});

test("C2: properties of a container are checked, and fixed ones stay", () => {
  using pool = newPool();
  const container = pool.createContainer("c", { properties: { layout_type: "POSIX" } });
  expect(container.getProperties()).toMatchObject({ layout_type: "POSIX", cksum: "crc32c" });
  expect(() => container.setProperties({ layout_type: "HDF5" })).toThrow(code("DER_INVAL"));
  expect(() => pool.createContainer("d", { properties: { dedup: "hash" } })).toThrow(
    code("DER_INVAL"),
  );
  expect(pool.listContainers()).toEqual(["c"]);
});

test("C3: an unclean container is opened by force, or when it was set healthy", () => {
  using pool = newPool();
  pool.createContainer("c").setProperties({ status: "unclean" });
  expect(() => pool.openContainer("c")).toThrow(code("DER_RF"));
  expect(pool.query().unclean).toEqual(["c"]);
  pool.openContainer("c", { force: true }).setProperties({ status: "healthy" });
  pool.openContainer("c").close();
});

test("C4: object ids are unique over handles", () => {
  using pool = newPool();
  const handles = [pool.createContainer("c"), pool.openContainer("c")];
  const ids = handles.flatMap((container) =>
    Array.from(
      { length: 500 },
      () => container.allocateOid(ObjectType.arrayByte) & ((1n << 96n) - 1n),
    ),
  );
  const { first, count } = handles[0]!.allocateOids(10);
  for (let n = 0; n < count; n++) ids.push(first + BigInt(n));
  expect(new Set(ids).size).toBe(1010);
});

test("O3: X is resolved at generation, and what needs more targets is refused", () => {
  using pool = newPool();
  const container = pool.createContainer("c");
  expect(objectClassOf(container.allocateOid(ObjectType.arrayByte, "SX"))).toBe(ObjectClass.S1);
  for (const name of ["S2", "RP_2G1", "EC_2P1GX", "S0", "other"]) {
    expect(() => container.allocateOid(ObjectType.arrayByte, name)).toThrow(code("DER_INVAL"));
  }
});
