/**
 * Groups: what paths lead to, links of all kinds, moving, copying, visiting.
 */

import { describe, expect, test } from "@jest/globals";
import {
  CommittedType,
  Dataset,
  ExternalLink,
  File,
  Group,
  HardLink,
  type Hdf5Object,
  type Link,
  type NumberArray,
  SoftLink,
} from "daos-ts/hdf5";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

/** What a path leads to: elements, names or a type. */
async function shown(group: Group, path: string): Promise<unknown> {
  const found = await group.get(path);
  if (found instanceof Dataset) return [...((await found.read()).data as NumberArray)];
  return found instanceof Group ? found.keys() : found?.dtype;
}

/**
 * A file with a tree of groups:
 *
 *     a/d, a/deep/e, a/soft -> d, a/ext -> b.h5:/d, again = a/d, up -> a/deep/../nowhere, type
 */
async function tree() {
  const { container } = temporaryContainer();
  const other = await File.open(container, "b.h5", "w");
  await other.createDataset("d", { data: Int8Array.of(9) });
  await other.close();
  const file = await File.open(container, "a.h5", "w");
  const d = await file.createDataset("a/d", { data: Int8Array.of(1, 2) });
  await file.createDataset("a/deep/e", { data: Int8Array.of(3) });
  const a = (await file.get("a")) as Group;
  await a.link("soft", new SoftLink("d"));
  await a.link("ext", new ExternalLink("b.h5", "/d"));
  await file.link("again", d as Hdf5Object);
  await file.link("up", new SoftLink("a/nowhere"));
  await file.createDatatype("type", "float32");
  return { container, file, a };
}

describe("links", () => {
  test("lead to objects, or are shown themselves", async () => {
    const { file, a } = await tree();
    expect(await file.keys()).toEqual(["a", "again", "type", "up"]);
    expect(await shown(file, "a/soft")).toEqual([1, 2]);
    expect(await shown(file, "a/ext")).toEqual([9]);
    expect(await shown(a, "/again")).toEqual([1, 2]);
    expect(await shown(file, "up")).toBeUndefined();
    expect((await file.get("type")) instanceof CommittedType).toBe(true);
    const links: unknown[] = [];
    for (const path of ["a", "a/soft", "a/ext", "up", "none", "a/none/x"]) {
      links.push(await file.getLink(path));
    }
    expect(links).toEqual([
      new HardLink(),
      new SoftLink("d"),
      new ExternalLink("b.h5", "/d"),
      new SoftLink("a/nowhere"),
      undefined,
      undefined,
    ]);
    expect((await file.entries()).map(([name, object]) => [name, object?.name])).toEqual([
      ["a", "/a"],
      ["again", "/again"],
      ["type", "/type"],
      ["up", undefined],
    ]);
    const names: string[] = [];
    for await (const name of a) names.push(name);
    expect([names, await a.size()]).toEqual([["d", "deep", "ext", "soft"], 4]);
    await file.close();
  });

  test("of one object share it; it goes with the last one", async () => {
    const { file } = await tree();
    const again = (await file.get("again")) as Dataset;
    await again.write(7, [0]);
    expect(await shown(file, "a/d")).toEqual([7, 2]);
    await file.delete("a/d");
    expect(await shown(file, "again")).toEqual([7, 2]);
    await file.flush();
    await file.delete("again");
    await file.flush();
    expect(await file.keys()).toEqual(["a", "type", "up"]);
    await file.close();
  });

  test.each<[string, string, (file: File) => Promise<unknown>]>([
    ["a name that is taken", "DER_EXIST", (file) => file.link("a", new SoftLink("x"))],
    ["moving what is not there", "DER_NONEXIST", (file) => file.move("none", "x")],
    ["moving to a name that is taken", "DER_EXIST", (file) => file.move("a", "type")],
    ["moving a group into itself", "DER_INVAL", (file) => file.move("a", "a/deep/a")],
    ["moving the root", "DER_INVAL", (file) => file.move("/", "x")],
    ["copying what is not there", "DER_NONEXIST", (file) => file.copy("none", "x")],
    ["copying to a name that is taken", "DER_EXIST", (file) => file.copy("a", "type")],
    ["a group where a type is", "DER_EXIST", (file) => file.requireGroup("type")],
    [
      "a dataset of another shape",
      "DER_INVAL",
      (file) => file.requireDataset("a/d", { shape: [3], dtype: "int8" }),
    ],
    [
      "a dataset of a larger type",
      "DER_INVAL",
      (file) => file.requireDataset("a/d", { shape: [2], dtype: "int16" }),
    ],
    [
      "a dataset of exactly another type",
      "DER_INVAL",
      (file) => file.requireDataset("again", { shape: [2], dtype: "bool", exact: true }),
    ],
    [
      "a dataset where a group is",
      "DER_INVAL",
      (file) => file.requireDataset("a", { shape: [2], dtype: "int8" }),
    ],
  ])("refuse %s, and change nothing", async (_what, code, call) => {
    const { file } = await tree();
    await file.flush();
    expect(await codeOf(() => call(file))).toBe(code);
    await file.flush();
    expect(await file.keys()).toEqual(["a", "again", "type", "up"]);
    expect(await shown(file, "a")).toEqual(["d", "deep", "ext", "soft"]);
    await file.close();
  });

  test("of another file's object are refused", async () => {
    const { container, file } = await tree();
    await using other = await File.open(container, "b.h5");
    const d = (await other.get("d")) as Dataset;
    expect(await codeOf(() => file.link("d", d))).toBe("DER_INVAL");
    await file.close();
  });
});

describe("move()", () => {
  test("renames, and makes the groups that lead to the new name", async () => {
    const { file } = await tree();
    await file.move("a/deep", "new/place/deep");
    await file.move("again", "a/again");
    await file.flush();
    expect(await shown(file, "a")).toEqual(["again", "d", "ext", "soft"]);
    expect(await shown(file, "new/place/deep/e")).toEqual([3]);
    expect(await shown(file, "a/again")).toEqual([1, 2]);
    await file.close();
  });
});

describe("copy()", () => {
  test("copies objects with all below them, which are their own from then on", async () => {
    const { container, file } = await tree();
    await file.copy("a", "copy");
    await ((await file.get("copy/d")) as Dataset).write(0);
    expect([await shown(file, "copy/d"), await shown(file, "a/d")]).toEqual([
      [0, 0],
      [1, 2],
    ]);
    expect(await file.getLink("copy/soft")).toEqual(new SoftLink("d"));
    expect(await shown(file, "copy/soft")).toEqual([0, 0]);
    // A group can be copied into itself.
    await file.copy("a", "a/inside");
    expect(await shown(file, "a/inside")).toEqual(["d", "deep", "ext", "soft"]);
    await file.flush();
    const other = await File.open(container, "c.h5", "w");
    await other.copy(file, other, { name: "all" });
    await file.copy("a/d", other as Group);
    await other.flush();
    expect(await shown(other, "/")).toEqual(["all", "d"]);
    expect(await shown(other, "all/copy/deep/e")).toEqual([3]);
    await other.close();
    await file.close();
  });

  test("leaves out what it is told, and puts objects where links lead", async () => {
    const { file, a } = await tree();
    await a.attrs.set("unit", "m");
    await file.copy("a", "shallow", { shallow: true });
    expect(await shown(file, "shallow/deep")).toEqual([]);
    expect(await shown(file, "shallow/d")).toEqual([1, 2]);
    await file.copy("a", "expanded", {
      expandSoft: true,
      expandExternal: true,
      withoutAttrs: true,
    });
    expect(await file.getLink("expanded/soft")).toEqual(new HardLink());
    expect(await file.getLink("expanded/ext")).toEqual(new HardLink());
    expect(await shown(file, "expanded/ext")).toEqual([9]);
    expect(await ((await file.get("expanded")) as Group).attrs.keys()).toEqual([]);
    expect(await ((await file.get("shallow")) as Group).attrs.get("unit")).toBe("m");
    await file.close();
  });

  test("keeps references that lead into the copy there, and others as they are", async () => {
    const { file, a } = await tree();
    const d = (await a.get("d")) as Dataset;
    const type = (await file.get("type")) as CommittedType;
    await a.createDataset("refs", { data: [d.ref, type.ref, a.ref] });
    await file.copy("a", "copy");
    const refs = (await file.get("copy/refs")) as Dataset;
    const [first, second, third] = (await refs.read()).data as never[];
    await ((await file.dereference(first as never)) as Dataset).write(5);
    expect(await shown(file, "copy/d")).toEqual([5, 5]);
    expect(await shown(file, "a/d")).toEqual([1, 2]);
    expect((await file.dereference(second as never)) instanceof CommittedType).toBe(true);
    expect(await ((await file.dereference(third as never)) as Group).has("refs")).toBe(true);
    await file.close();
  });
});

describe("visit()", () => {
  test("meets each object once, and each link once, until a result", async () => {
    const { file, a } = await tree();
    await a.link("back", file);
    const names: string[] = [];
    await file.visit((name) => {
      names.push(name);
    });
    expect(names).toEqual(["a", "a/d", "a/deep", "a/deep/e", "type"]);
    const items: [string, string][] = [];
    await a.visitItems((name, object) => {
      items.push([name, object.name]);
    });
    // `back` is the file, in which `a` is where the visit began, and `again` is `a/d`.
    const order = ["back", "back/again", "back/type", "deep", "deep/e"];
    expect(items.map(([name]) => name)).toEqual(order);
    const links: [string, Link["kind"]][] = [];
    await file.visitItemsLinks((name, { kind }) => {
      links.push([name, kind]);
    });
    expect(links).toEqual([
      ["a", "hard"],
      ["a/back", "hard"],
      ["a/d", "hard"],
      ["a/deep", "hard"],
      ["a/deep/e", "hard"],
      ["a/ext", "external"],
      ["a/soft", "soft"],
      ["again", "hard"],
      ["type", "hard"],
      ["up", "soft"],
    ]);
    expect(await file.visit((name) => (name.endsWith("e") ? name : undefined))).toBe("a/deep/e");
    expect(await file.visitLinks((name) => (name === "a/d" ? 1 : undefined))).toBe(1);
    await file.close();
  });
});

test("names and attributes are listed in the order in which they were made, where that is tracked", async () => {
  const { container } = temporaryContainer();
  {
    await using file = await File.open(container, "a.h5", "w", { trackOrder: true });
    for (const name of ["z", "a", "m"]) {
      await file.createGroup(name);
      await file.attrs.set(name, 1);
    }
  }
  await using file = await File.open(container, "a.h5", "r+");
  await file.createGroup("b");
  expect(await file.keys()).toEqual(["z", "a", "m", "b"]);
  expect(await file.attrs.keys()).toEqual(["z", "a", "m"]);
});
