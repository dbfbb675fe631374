/**
 * HDF5-like files: groups, datasets and attributes, published by a flush, at any version, and open to
 * the other front ends.
 */

import { describe, expect, test } from "@jest/globals";
import type { Container } from "daos-ts";
import { arrayTable } from "daos-ts/arrow";
import { Dfs } from "daos-ts/dfs";
import {
  Dataset,
  type DType,
  File,
  type FileMode,
  Group,
  isHdf5,
  type NumberArray,
  slice,
} from "daos-ts/hdf5";
import {
  codeOf,
  connectAgain,
  newestEpoch,
  store,
  temporaryContainer,
} from "../temporary-container.ts";

/** The dataset of a path, which must be one. */
async function datasetOf(file: Group, path: string): Promise<Dataset> {
  const found = await file.get(path);
  if (!(found instanceof Dataset)) throw new Error(`${path} is no dataset`);
  return found;
}

/** The elements of a dataset, in a handle of its own. */
async function elements(container: Container, path: string, epoch?: bigint): Promise<unknown[]> {
  await using file = await File.open(container, "a.h5", "r", epoch === undefined ? {} : { epoch });
  return [...((await (await datasetOf(file, path)).read()).data as NumberArray)];
}

function container(): Container {
  return temporaryContainer({ retainCommits: 50 }).container;
}

describe("File", () => {
  test("keeps groups, datasets and attributes for the next one who opens it", async () => {
    const store = container();
    {
      await using file = await File.open(store, "runs/a.h5", "x");
      const fields = await file.createGroup("fields");
      const data = Float64Array.of(1, 2, 3, 4, 5, 6);
      const u = await fields.createDataset("u", { shape: [2, 3], dtype: "float64", data });
      await u.attrs.set("unit", "mol/l");
      await file.attrs.set("step", 10);
      await file.createDataset("deep/er/n", {
        shape: [],
        dtype: "int64",
        data: BigInt64Array.of(7n),
      });
    }
    await using file = await File.open(store, "/runs/a.h5");
    expect([file.filename, file.name, file.mode]).toEqual(["runs/a.h5", "/", "r"]);
    expect(await file.keys()).toEqual(["deep", "fields"]);
    expect(await file.attrs.get("step")).toBe(10);
    const u = await datasetOf(file, "fields/u");
    expect([u.name, u.dtype, u.shape, u.ndim, u.size, u.nbytes]).toEqual([
      "/fields/u",
      "float64",
      [2, 3],
      2,
      6,
      48,
    ]);
    expect(await u.attrs.get("unit")).toBe("mol/l");
    const group = (await file.get("deep")) as Group;
    expect((await group.get("/fields/u"))?.name).toBe("/fields/u");
    const n = await datasetOf(group, "er/n");
    expect(n.is("int64") && (await n.read())).toEqual({ data: BigInt64Array.of(7n), shape: [] });
  });

  test("publishes all changes at one epoch, and nothing before", async () => {
    const { pool, container } = temporaryContainer({ retainCommits: 50 });
    const other = connectAgain(pool);
    const file = await File.open(container, "a.h5", "w");
    expect(await isHdf5(other, "a.h5")).toBe(false);
    const d = await file.createDataset("d", { shape: [2], dtype: "int8" });
    const first = await file.flush();
    await d.write(Int8Array.of(1, 2));
    await d.attrs.set("done", 1);
    await file.createGroup("later");
    expect(await elements(other, "d")).toEqual([0, 0]);
    const second = await file.flush();
    expect(container.commits().map(({ epoch }) => epoch)).toEqual([second, first]);
    expect(file.epoch).toBe(second);
    expect(await file.flush()).toBe(second);
    expect(await elements(other, "d")).toEqual([1, 2]);
    await file.close();
  });

  test("shows a file as of an epoch: elements, names and attributes", async () => {
    const store = container();
    const file = await File.open(store, "a.h5", "w");
    const d = await file.createDataset("d", {
      shape: [2],
      dtype: "int8",
      data: Int8Array.of(1, 2),
    });
    await d.attrs.set("note", "first");
    const first = await file.flush();
    await d.write(9, [1]);
    await d.attrs.delete("note");
    await file.createGroup("g");
    await file.close();
    await using old = await File.open(store, "a.h5", "r", { epoch: first });
    expect(old.epoch).toBe(first);
    expect(await old.keys()).toEqual(["d"]);
    expect(await (await datasetOf(old, "d")).attrs.get("note")).toBe("first");
    expect(await elements(store, "d", first)).toEqual([1, 2]);
    expect(await elements(store, "d")).toEqual([1, 9]);
  });

  test("a reader keeps its version while a writer flushes and aggregates", async () => {
    const { pool, container } = temporaryContainer({ retainCommits: 1 });
    const file = await File.open(container, "a.h5", "w");
    const d = await file.createDataset("d", { shape: [3], dtype: "uint16" });
    await d.write(1);
    await file.flush();
    await using reader = await File.open(connectAgain(pool, "ro"), "a.h5");
    const seen = await datasetOf(reader, "d");
    for (let value = 2; value < 6; value++) {
      await d.write(value);
      await file.flush();
      container.aggregate();
      expect([...((await seen.read()).data as NumberArray)]).toEqual([1, 1, 1]);
    }
    await file.close();
    expect(await elements(container, "d")).toEqual([5, 5, 5]);
  });

  test("replaces a file at the flush, not before; abort() leaves it as it was", async () => {
    const store = container();
    for (const value of [1, 2]) {
      await using file = await File.open(store, "a.h5", "w");
      await file.createDataset("d", { shape: [1], dtype: "int8", data: Int8Array.of(value) });
      await file.attrs.set(`from${value}`, value);
      if (value === 2) expect(await elements(store, "d")).toEqual([1]);
    }
    const dropped = await File.open(store, "a.h5", "w");
    await dropped.createGroup("never");
    await dropped.abort();
    expect(await elements(store, "d")).toEqual([2]);
    await using file = await File.open(store, "a.h5");
    expect([await file.keys(), await file.attrs.keys()]).toEqual([["d"], ["from2"]]);
  });

  test.each<[FileMode, string, string | undefined]>([
    ["r", "a.h5", undefined],
    ["r", "none.h5", "DER_NONEXIST"],
    ["r", "plain", "DER_INVAL"],
    ["r", "folder", "DER_INVAL"],
    ["r", "plain/x", "DER_INVAL"],
    ["r+", "none.h5", "DER_NONEXIST"],
    ["r+", "a.h5", undefined],
    ["x", "a.h5", "DER_EXIST"],
    ["x", "none.h5", undefined],
    ["a", "a.h5", undefined],
    ["a", "none.h5", undefined],
    ["a", "folder", "DER_INVAL"],
    ["w", "folder", "DER_INVAL"],
    ["w", "plain", "DER_INVAL"],
    ["rw" as FileMode, "a.h5", "DER_INVAL"],
  ])("mode %s on %s: %s", async (mode, path, code) => {
    const store = container();
    await (await File.open(store, "a.h5", "x")).close();
    const dfs = Dfs.mount(store);
    await dfs.writeFile("plain", "text");
    await dfs.mkdir("folder");
    const open = async () => (await File.open(store, path, mode)).close();
    expect(await codeOf(open)).toBe(code);
    expect(await dfs.readFile("plain", "utf8")).toBe("text");
  });

  test("old versions, read-only pools and files opened for reading take no changes", async () => {
    const { pool, container } = temporaryContainer();
    const made = await File.open(container, "a.h5", "w");
    await made.createDataset("d", { shape: [1], dtype: "int8" });
    await made.close();
    const epoch = newestEpoch(container);
    expect(await codeOf(() => File.open(container, "a.h5", "r+", { epoch }))).toBe("DER_EP_RO");
    expect(await codeOf(() => File.open(connectAgain(pool, "ro"), "a.h5", "a"))).toBe(
      "DER_NO_PERM",
    );
    const file = await File.open(container, "a.h5");
    const d = await datasetOf(file, "d");
    for (const call of [
      () => file.createGroup("g"),
      () => file.createDataset("e", { shape: [1], dtype: "int8" }),
      () => file.delete("d"),
      () => d.write(1),
      () => d.attrs.set("a", 1),
      () => d.attrs.delete("a"),
    ]) {
      expect(await codeOf(call)).toBe("DER_NO_PERM");
    }
    await file.close();
    for (const call of [
      () => file.keys(),
      () => d.read(),
      () => d.attrs.keys(),
      () => file.flush(),
    ]) {
      expect(await codeOf(call)).toBe("DER_NO_HDL");
    }
    await file.close();
    expect(container.commits()).toHaveLength(1);
  });

  test("an epoch that is gone is said to be", async () => {
    const { container } = temporaryContainer({ retainCommits: 1 });
    const file = await File.open(container, "a.h5", "w");
    const epoch = await file.flush();
    await file.attrs.set("a", 1);
    await file.close();
    container.aggregate();
    const open = () => File.open(container, "a.h5", "r", { epoch });
    expect(await codeOf(open)).toBe("DER_EPOCH_GONE");
  });

  test("of two who create one file, the second is told at its flush", async () => {
    const { pool, container } = temporaryContainer();
    const first = await File.open(container, "a.h5", "x");
    const second = await File.open(connectAgain(pool), "a.h5", "x");
    await second.createGroup("mine");
    await first.close();
    expect(await codeOf(() => second.close())).toBe("DER_EXIST");
    await using file = await File.open(container, "a.h5");
    expect(await file.keys()).toEqual([]);
  });
});

describe("Group", () => {
  test("creates, requires, finds and deletes, also before a flush", async () => {
    const file = await File.open(container(), "a.h5", "w");
    const a = await file.createGroup("a");
    expect((await file.requireGroup("a")).name).toBe("/a");
    expect((await a.requireGroup("b/c")).name).toBe("/a/b/c");
    await a.createDataset("d", { shape: [1], dtype: "int8" });
    expect([await file.keys(), await a.keys()]).toEqual([["a"], ["b", "d"]]);
    expect([await file.has("a/d"), await file.has("a/d/x"), await file.has("z")]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await file.get("/")).toBeInstanceOf(Group);
    await file.delete("a/b");
    expect(await a.keys()).toEqual(["d"]);
    await file.flush();
    expect(await a.keys()).toEqual(["d"]);
    await file.delete("a");
    expect([await file.keys(), await file.get("a/d")]).toEqual([[], undefined]);
    await file.createDataset("a", { shape: [1], dtype: "int8" });
    await file.flush();
    expect(await file.get("a")).toBeInstanceOf(Dataset);
    await file.close();
  });

  test.each<[string, string, (file: File) => Promise<unknown>]>([
    ["a group that exists", "DER_EXIST", (file) => file.createGroup("g")],
    ["a group where a dataset is", "DER_EXIST", (file) => file.requireGroup("d")],
    [
      "a dataset that exists",
      "DER_EXIST",
      (file) => file.createDataset("d", { shape: [1], dtype: "int8" }),
    ],
    ["a group below a dataset", "DER_INVAL", (file) => file.createGroup("d/x")],
    ["the root", "DER_EXIST", (file) => file.createGroup("/")],
    [
      "a dataset of no type",
      "DER_INVAL",
      (file) => file.createDataset("e", { shape: [1], dtype: "complex32" as DType }),
    ],
    [
      "a dataset of no shape",
      "DER_INVAL",
      (file) => file.createDataset("e", { shape: [-1], dtype: "int8" }),
    ],
    [
      "a dataset of 33 dimensions",
      "DER_INVAL",
      (file) => file.createDataset("e", { shape: Array(33).fill(1), dtype: "int8" }),
    ],
    [
      "a dataset of other data",
      "DER_INVAL",
      (file) => file.createDataset("e", { shape: [1], dtype: "int8", data: ["one"] as never }),
    ],
    [
      "a dataset of too little data",
      "DER_INVAL",
      (file) => file.createDataset("e", { shape: [2], dtype: "int8", data: Int8Array.of(1) }),
    ],
    ["deleting what is not there", "DER_NONEXIST", (file) => file.delete("none")],
    ["deleting the root", "DER_INVAL", (file) => file.delete("/")],
  ])("refuses %s", async (_what, code, call) => {
    const store = container();
    const file = await File.open(store, "a.h5", "w");
    await file.createGroup("g");
    await file.createDataset("d", { shape: [1], dtype: "int8", data: Int8Array.of(5) });
    expect(await codeOf(() => call(file))).toBe(code);
    await file.flush();
    expect(await file.keys()).toEqual(["d", "g"]);
    expect(await elements(store, "d")).toEqual([5]);
    await file.close();
  });
});

describe("Dataset", () => {
  test("fills a selection with one element, of a number or a bigint", async () => {
    const file = await File.open(container(), "a.h5", "w");
    const d = await file.createDataset("d", { shape: [2, 3], dtype: "float32" });
    await d.write(1.5, [null, slice(1, 3)]);
    expect([...(await d.read()).data]).toEqual([0, 1.5, 1.5, 0, 1.5, 1.5]);
    const wide = await file.createDataset("w", { shape: [2], dtype: "uint64" });
    await wide.write(2n ** 64n - 1n, [1]);
    expect([...(await wide.read()).data]).toEqual([0n, 2n ** 64n - 1n]);
    expect(await codeOf(() => d.write("1" as never))).toBe("DER_INVAL");
    expect(await codeOf(() => wide.write(null as never))).toBe("DER_INVAL");
    await file.close();
  });

  test("converts other numbers as HDF5 does, and keeps to the selection's length", async () => {
    const file = await File.open(container(), "a.h5", "w");
    const d = await file.createDataset("d", { shape: [6], dtype: "int8" });
    await d.write(Float64Array.of(1.9, -1.9, 1000, -1e300, Number.NaN, Number.NEGATIVE_INFINITY));
    expect([...(await d.read()).data]).toEqual([1, -1, 127, -128, 0, -128]);
    await d.write([true, 200n, 3, -(2n ** 70n), 0.5, 2 ** 40]);
    expect([...(await d.read()).data]).toEqual([1, 127, 3, -128, 0, 127]);
    expect(await codeOf(() => d.write(Int8Array.of(1, 2)))).toBe("DER_INVAL");
    expect(await codeOf(() => d.write(new DataView(new ArrayBuffer(6)) as never))).toBe(
      "DER_INVAL",
    );
    expect([...(await d.read()).data]).toEqual([1, 127, 3, -128, 0, 127]);
    await file.close();
  });

  test("spreads fewer elements over a selection, as NumPy does", async () => {
    const file = await File.open(container(), "a.h5", "w");
    const d = await file.createDataset("d", { shape: [2, 3], dtype: "int16" });
    await d.write([1, 2, 3]);
    expect([...(await d.read()).data]).toEqual([1, 2, 3, 1, 2, 3]);
    await d.write([[7], [8]]);
    expect([...(await d.read()).data]).toEqual([7, 7, 7, 8, 8, 8]);
    await d.write({ data: Int16Array.of(4, 5), shape: [2, 1] }, [null, slice(2)]);
    expect([...(await d.read()).data]).toEqual([4, 4, 7, 5, 5, 8]);
    expect(await codeOf(() => d.write([[1, 2]]))).toBe("DER_INVAL");
    expect(
      await codeOf(() =>
        d.write([
          [1, 2, 3],
          [4, 5],
        ]),
      ),
    ).toBe("DER_INVAL");
    await file.close();
  });

  test("has no elements if an extent is 0", async () => {
    const file = await File.open(container(), "a.h5", "w");
    const d = await file.createDataset("d", { shape: [3, 0], dtype: "float64" });
    await d.write(1);
    expect(await d.read([1])).toEqual({ data: new Float64Array(0), shape: [0] });
    await file.close();
  });

  test("of a file that another process replaced takes no more writes", async () => {
    const store = container();
    const file = await File.open(store, "a.h5", "w");
    const d = await file.createDataset("d", { shape: [1], dtype: "int8" });
    await file.flush();
    const other = await File.open(store, "a.h5", "r+");
    await other.delete("d");
    await other.close();
    await d.write(1);
    expect(await codeOf(() => file.flush())).toBe("DER_NONEXIST");
    await file.close();
  });
});

describe("Attributes", () => {
  test.each<[string, string | number | bigint | Float32Array | Uint8Array | BigInt64Array]>([
    ["text", "Grüße, 世界"],
    ["no text", ""],
    ["a number", -0.1],
    ["NaN", Number.NaN],
    ["a large integer", -(2n ** 63n)],
    ["a larger integer", 2n ** 64n - 1n],
    ["float32s", Float32Array.of(1.5, -2)],
    ["bytes", Uint8Array.of(0, 255)],
    ["wide integers", BigInt64Array.of(1n, -1n)],
    ["no elements", new Uint8Array(0)],
  ])("keep %s", async (_what, value) => {
    const store = container();
    const file = await File.open(store, "a.h5", "w");
    await file.attrs.set("x", value);
    expect(await file.attrs.get("x")).toEqual(value);
    await file.close();
    await using again = await File.open(store, "a.h5");
    expect(await again.attrs.get("x")).toEqual(value);
  });

  test("are set, replaced, listed and deleted, also before a flush", async () => {
    const file = await File.open(container(), "a.h5", "w");
    await file.attrs.set("b", [1, 2]);
    await file.attrs.set("a", 1);
    await file.flush();
    await file.attrs.set("a", "text");
    await file.attrs.set("c", 3);
    expect(await file.attrs.keys()).toEqual(["a", "b", "c"]);
    expect(await file.attrs.get("a")).toBe("text");
    expect(await file.attrs.get("b")).toEqual(Float64Array.of(1, 2));
    expect([await file.attrs.delete("b"), await file.attrs.delete("b")]).toEqual([true, false]);
    expect([await file.attrs.has("b"), await file.attrs.get("")]).toEqual([false, undefined]);
    expect(await file.attrs.keys()).toEqual(["a", "c"]);
    await file.flush();
    expect(await file.attrs.keys()).toEqual(["a", "c"]);
    await file.close();
  });

  test.each<[string, string, string, unknown]>([
    ["null", "DER_INVAL", "x", null],
    ["a function", "DER_INVAL", "x", () => 1],
    ["a list of all sorts", "DER_INVAL", "x", ["a", 1]],
    ["lists of different lengths", "DER_INVAL", "x", [[1, 2], [3]]],
    ["an integer beyond 64 bits", "DER_INVAL", "x", 2n ** 64n],
    ["a value without a name", "DER_INVAL", "", 1],
    ["a name of more than 64 KiB", "DER_KEY2BIG", "n".repeat(2 ** 16 + 1), 1],
  ])("refuse %s", async (_what, code, name, value) => {
    const file = await File.open(container(), "a.h5", "w");
    expect(await codeOf(() => file.attrs.set(name, value as string))).toBe(code);
    expect(await file.attrs.keys()).toEqual([]);
    await file.close();
  });

  // A test of its own: jest takes seconds to look through the rows of a table.
  test("refuse more than 1 GiB", async () => {
    const file = await File.open(container(), "a.h5", "w");
    const value = new Uint8Array(2 ** 30);
    expect(await codeOf(() => file.attrs.set("x", value))).toBe("DER_REC2BIG");
    expect(await file.attrs.keys()).toEqual([]);
    await file.close();
  });
});

describe("the other front ends", () => {
  test("a dataset is a file for Dfs and an array for Arrow", async () => {
    const store = container();
    await using file = await File.open(store, "out/a.h5", "w");
    const data = Float64Array.from({ length: 24 }, (_, index) => index / 2);
    await file.createDataset("fields/u", { shape: [2, 3, 4], dtype: "float64", data });
    await file.createDataset("fields/empty", { shape: [4], dtype: "uint32" });
    await file.flush();
    const dfs = Dfs.mount(store);
    expect(await dfs.readdir("out/a.h5/fields")).toEqual(["empty", "u"]);
    expect(await dfs.readFile("out/a.h5/fields/u")).toEqual(Buffer.from(data.buffer));
    expect((await dfs.stat("out/a.h5/fields/empty")).size).toBe(16);
    const options = { path: "out/a.h5/fields/u", shape: [2, 3, 4], type: "float64" } as const;
    expect([...(arrayTable(store, options).getChild("value") ?? [])]).toEqual([...data]);
  });

  test("what they write to a dataset is in it; what they add beside it does not show", async () => {
    const store1 = container();
    const file = await File.open(store1, "a.h5", "w");
    await file.createDataset("d", { shape: [3], dtype: "float64" });
    await file.flush();
    store(store1, "a.h5/d", Float64Array.of(4, 5), 8);
    await Dfs.mount(store1).writeFile("a.h5/notes.txt", "by hand");
    expect(await elements(store1, "d")).toEqual([0, 4, 5]);
    await file.attrs.set("a", 1);
    await file.flush();
    expect(await file.keys()).toEqual(["d"]);
    expect(await file.get("notes.txt")).toBeUndefined();
    await file.close();
    await Dfs.mount(store1).rm("a.h5", { recursive: true });
    expect(await isHdf5(store1, "a.h5")).toBe(false);
  });
});
