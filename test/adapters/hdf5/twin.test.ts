/**
 * The API makes what h5py's makes: same calls, same file.
 *
 * Method: python/make_twin.py makes a file through h5py, this suite one through ours with the same names; ours is
 * exported, and h5py's low-level view of the two must be the same, object by object, to the bit. Then ours is read
 * again through the API.
 */

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import {
  arrayType,
  bigEndian,
  CommittedType,
  compoundType,
  Dataset,
  type DType,
  Empty,
  ExternalLink,
  enumType,
  File,
  Group,
  mask,
  opaqueType,
  referenceType,
  SoftLink,
  sequenceType,
  slice,
  storeSource,
  stringType,
  vlenStringType,
  writeH5,
} from "daos-ts/hdf5";
import {
  canonicalByH5py,
  debianH5py,
  describeH5py,
  type H5py,
  runPython,
} from "../../support/h5py.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const INTEGERS = {
  i1: "int8",
  i2: "int16",
  i4: "int32",
  i8: "int64",
  u1: "uint8",
  u2: "uint16",
  u4: "uint32",
  u8: "uint64",
} as const;
const FLOATS = { f2: "float16", f4: "float32", f8: "float64" } as const;
const FLOAT_VALUES = [0, -0, 1.5, -2.25, 1 / 3, 65504, 6e-8, Infinity, -Infinity];

async function numbers(group: Group): Promise<void> {
  for (const [name, dtype] of Object.entries(INTEGERS)) {
    const data = [0, 1, 2, 100, 127];
    await group.createDataset(name, { dtype: dtype as DType, data });
    await group.createDataset(`${name} big`, { dtype: bigEndian(dtype), data });
  }
  for (const [name, dtype] of Object.entries(FLOATS)) {
    await group.createDataset(name, { dtype: dtype as DType, data: FLOAT_VALUES });
    await group.createDataset(`${name} big`, { dtype: bigEndian(dtype), data: FLOAT_VALUES });
  }
  await group.createDataset("bool", { data: [true, false, true] });
  await group.createDataset("c8", { dtype: "complex64", data: Float32Array.of(1, 2, -0, -1) });
  const c16 = { data: Float64Array.of(1, 2, -0, -1), shape: [1, 2] };
  await group.createDataset("c16", { dtype: "complex128", data: c16 });
  const color = enumType({ BLUE: 42, GREEN: 1, RED: 0 });
  await group.createDataset("enum", { dtype: color, data: [42, 0, 1] });
}

async function text(group: Group): Promise<void> {
  await group.createDataset("any length", { data: ["one", "", "drei ü"] });
  const ascii = vlenStringType({ charset: "ascii" });
  await group.createDataset("ascii", { dtype: ascii, data: ["a", "bc"] });
  const fixed = stringType({ length: 6, charset: "ascii" });
  await group.createDataset("fixed", { dtype: fixed, data: ["abc", "", "abcdef"] });
  await group.createDataset("fixed utf8", { dtype: stringType({ length: 4 }), data: ["ü", "x"] });
  await group.createDataset("scalar", { data: "all of it" });
}

const PAIR = compoundType({
  x: "float64",
  n: "int32",
  name: stringType({ length: 4, charset: "ascii" }),
});
const NESTED = compoundType({
  id: "uint16",
  at: compoundType({ x: "float32", y: "float32" }),
  box: arrayType("int8", [2, 3]),
});
const AT = { x: [0.5, 1.5], y: [-0.5, -1.5] };

async function composed(group: Group): Promise<void> {
  const columns = { x: [1.5, 2.5], n: [7, -8], name: ["a", "bcd"] };
  await group.createDataset("table", { dtype: PAIR, data: columns as never });
  const box = Int8Array.from({ length: 12 }, (_, index) => index);
  await group.createDataset("nested", {
    dtype: NESTED,
    data: { id: [1, 2], at: AT, box } as never,
  });
  const aligned = compoundType({ a: "int8", b: "float64" }, { offsets: [0, 8], size: 16 });
  await group.createDataset("aligned", { dtype: aligned, data: { a: [1, 2], b: [3, 4] } as never });
  const dtype = arrayType("float32", [2, 2]);
  const arrays = await group.createDataset("arrays", { shape: [2], dtype });
  await arrays.write(Float32Array.from({ length: 8 }, (_, index) => index));
  const ragged = await group.createDataset("ragged", { shape: [3], dtype: sequenceType("int32") });
  await ragged.write([[1, 2, 3]], [0]);
  await ragged.write([Int32Array.of(9)], [2]);
  const words = await group.createDataset("words", { shape: [2], dtype: sequenceType("string") });
  await words.write([["a", "bc"]], [0]);
  const bytes = Uint8Array.of(1, 2, 3, 0, 255, 0);
  await group.createDataset("opaque", { dtype: opaqueType(3), data: bytes });
}

async function storage(group: Group): Promise<void> {
  const data = { data: Int32Array.from({ length: 60 }, (_, index) => index), shape: [6, 10] };
  const dtype = "int32";
  await group.createDataset("chunked", { data, chunks: [4, 3] });
  await group.createDataset("guessed", { shape: [1000, 300], dtype: "float64", chunks: true });
  await group.createDataset("guessed limits", {
    shape: [0, 5],
    dtype: "int16",
    maxShape: [null, 5],
  });
  const gzip = { compression: "gzip", compressionOptions: 7, chunks: [3, 10] } as const;
  await group.createDataset("gzip", { data, dtype, ...gzip });
  await group.createDataset("gzip by level", { data, compression: 2, chunks: [3, 10] });
  await group.createDataset("lzf", { data, compression: "lzf", chunks: [6, 10] });
  const all = { compression: "gzip", shuffle: true, fletcher32: true, chunks: [3, 5] } as const;
  await group.createDataset("all", { data, ...all });
  await group.createDataset("szip", { data, compression: "szip", chunks: [4, 5] });
  const entropy = { compression: "szip", compressionOptions: ["ec", 16], chunks: [6, 10] } as const;
  await group.createDataset("szip ec", { data, ...entropy });
  await group.createDataset("bits", { data, scaleOffset: true, chunks: [4, 5] });
  const eighths = { data: Float64Array.from(data.data, (value) => value / 8), shape: [6, 10] };
  const digits = { scaleOffset: 3, compression: "gzip", chunks: [4, 5] } as const;
  await group.createDataset("digits", { data: eighths, ...digits });
  await group.createDataset("fill", { shape: [3], dtype: "float32", fillValue: -1.5 });
  const chunked = { shape: [3, 3], chunks: [2, 2] };
  await group.createDataset("fill chunked", { ...chunked, dtype: "uint16", fillValue: 7 });
  const table = compoundType({ a: "int32", b: "float64" });
  await group.createDataset("fill table", {
    shape: [2],
    dtype: table,
    fillValue: { a: 3, b: 0.5 },
  });
  const limits = { maxShape: [null, null], chunks: [4, 4] };
  const grown = await group.createDataset("grown", { data, ...limits });
  await grown.resize([8, 12]);
  await grown.write(5, [slice(6, null), slice(10, null)]);
  const small = { maxShape: [6, 20], chunks: [4, 4], compression: "gzip" } as const;
  const shrunk = await group.createDataset("shrunk", { data, ...small });
  await shrunk.resize(3, 0);
  await shrunk.resize([5, 12]);
  await group.createDataset("null", { data: new Empty("float32") });
  await group.createDataset("scalar", { data: 3.5 });
  await group.createDataset("nothing", { shape: [0, 3], dtype: "int64" });
}

async function selections(group: Group): Promise<void> {
  const d = await group.createDataset("written", { shape: [5, 6], dtype: "int32" });
  await d.write(1, [slice(1, 4), slice(null, null, 2)]);
  await d.write([0, 1, 2, 3, 4, 5], [0]);
  await d.write([70, 71], [[1, 4], 3]);
  await d.write(9, [null, 5]);
  const chosen = Uint8Array.from({ length: 30 }, (_, index) => Number([13, 22].includes(index)));
  await d.write([101, 102], mask(chosen, [5, 6]));
  await d.write([[5], [6]], [slice(2, 4)]);
  const like = await group.createDatasetLike("like", d as unknown as Dataset, {
    dtype: "float64",
    chunks: [2, 2],
  });
  const { data } = await d.read();
  await like.write(Float64Array.from(data, (value) => value / 2));
  const dtype = compoundType({ a: "int32", b: "float64" });
  const fields = await group.createDataset("fields", { shape: [3], dtype });
  await fields.write([1, 2, 3], [], { fields: ["a"] });
  await fields.write(0.5 as never, [slice(1, null)], { fields: ["b"] });
}

async function attributes({ attrs }: Group): Promise<void> {
  await attrs.set("text", "ü");
  await attrs.set("number", 1.5);
  await attrs.set("integer", -7n);
  await attrs.set("true", true);
  await attrs.set("list", Uint8Array.of(1, 2));
  await attrs.set("grid", [
    [0, 1, 2],
    [3, 4, 5],
  ]);
  await attrs.set("words", ["a", "bc"]);
  await attrs.set("none", new Empty("int32"));
  await attrs.create("made", [1, 2], { dtype: "float32" });
  await attrs.create("zeros", undefined, { shape: [2, 2], dtype: "int16" });
  await attrs.create("changed", [1, 2, 3], { dtype: "int16" });
  await attrs.modify("changed", [4, 5, 6]);
  await attrs.set(
    "long",
    Float64Array.from({ length: 20_000 }, (_, index) => index),
  );
  await attrs.create("complex", Float64Array.of(1, -1), { dtype: "complex128", shape: [] });
  const pair = compoundType({ a: "int32", b: "float64" });
  await attrs.create("pair", { a: 1, b: 2.5 }, { dtype: pair });
  await attrs.set("gone", "x");
  await attrs.delete("gone");
  await attrs.set("to rename", 1.5);
  await attrs.rename("to rename", "renamed");
}

async function links(group: Group): Promise<void> {
  const first = await group.createDataset("first", { dtype: "int32", data: 1 });
  await group.link("second name", first as unknown as Dataset);
  await group.link("soft", new SoftLink("first"));
  await group.link("external", new ExternalLink("other.h5", "/x"));
  const type = await group.createDatatype("type", "float32");
  await group.createDataset("typed", { shape: [2], dtype: type });
  await (await group.createGroup("moved")).attrs.set("a", 1);
  await group.move("moved", "new place");
  const tree = await group.createGroup("tree");
  await tree.createDataset("below/d", { data: Int8Array.of(0, 1, 2, 3, 4), chunks: 2 });
  await tree.link("below/soft", new SoftLink("d"));
  await tree.attrs.set("kept", "yes");
  await group.copy("tree", "copied");
  await group.copy("tree", "shallow", { shallow: true });
  await group.requireGroup("required");
  await group.requireDataset("required/d", { shape: [2], dtype: "int32" });
  const ordered = await group.createGroup("ordered", { trackOrder: true });
  for (const name of ["z", "a", "m"]) {
    await ordered.createGroup(name);
    await ordered.attrs.set(name, 1);
  }
}

async function references(group: Group): Promise<void> {
  const numbered = { data: Int32Array.from({ length: 12 }, (_, index) => index), shape: [3, 4] };
  const data = await group.createDataset("data", { data: numbered });
  const refs = await group.createDataset("refs", { shape: [3], dtype: referenceType() });
  await refs.write([data.ref, group.ref], [slice(2)]);
  const dtype = referenceType("region");
  const regions = await group.createDataset("regions", { shape: [1], dtype });
  await regions.write(data.regionRef([slice(1, 3), slice(null, null, 2)]), [0]);
  await group.attrs.set("ref", data.ref);
}

async function scales(group: Group): Promise<void> {
  const data = await group.createDataset("data", { shape: [3, 4], dtype: "float64" });
  const x = (await group.createDataset("x", { data: Float64Array.of(0, 1, 2) })) as Dataset;
  const y = (await group.createDataset("y", { data: Float64Array.of(0, 1, 2, 3) })) as Dataset;
  await x.makeScale("x name");
  await y.makeScale();
  const [rows, columns] = data.dims;
  await rows?.setLabel("rows");
  await rows?.attachScale(x);
  await columns?.attachScale(y);
  await columns?.attachScale(x);
  await columns?.detachScale(x);
}

const PARTS = [numbers, text, composed, storage, selections, attributes, links, references, scales];

/** Objects of a part of the file by name, as h5py's low-level view has them. */
type Canonical = { readonly objects: Readonly<Record<string, unknown>> };

function partOf({ objects }: Canonical, name: string): Record<string, unknown> {
  const entries = Object.entries(objects);
  return Object.fromEntries(
    entries.filter(([path]) => path === `/${name}` || path.startsWith(`/${name}/`)),
  );
}

describeH5py("the API makes what h5py makes", () => {
  let canonical: readonly [Canonical, Canonical];
  let file: File;
  let afterwards = () => {};

  afterAll(() => afterwards());

  beforeAll(async () => {
    const directory = temporaryDirectory({ until: "file" });
    const [theirs, ours] = [join(directory, "theirs.h5"), join(directory, "ours.h5")];
    const { status, stderr } = runPython(debianH5py as H5py, "make_twin.py", [theirs]);
    expect([status, stderr]).toEqual([0, ""]);
    const pool = Pool.create({ path: join(directory, "pool"), durability: "process" });
    afterwards = () => pool.close();
    const container = pool.createContainer("tests");
    await using made = await File.open(container, "twin.h5", "w");
    for (const part of PARTS) await part(await made.createGroup(part.name));
    await made.flush();
    const { notes } = await writeH5(storeSource(made), ours);
    expect(notes).toEqual([]);
    canonical = canonicalByH5py(debianH5py as H5py, [theirs, ours]) as [Canonical, Canonical];
    for (const one of canonical) expect(one).not.toHaveProperty("error");
    file = await File.open(container, "twin.h5");
  });

  test.each(PARTS.map(({ name }) => name))("%s", (name) => {
    const [theirs, ours] = canonical;
    expect(partOf(ours, name)).toEqual(partOf(theirs, name));
    expect(Object.keys(partOf(theirs, name)).length).toBeGreaterThan(0);
  });

  async function read(path: string): Promise<unknown> {
    const found = await file.get(path);
    if (!(found instanceof Dataset)) throw new Error(`${path} is no dataset`);
    return (await found.read()).data;
  }

  test("and reads it again", async () => {
    expect(await read("numbers/i8 big")).toEqual(BigInt64Array.of(0n, 1n, 2n, 100n, 127n));
    expect(await read("numbers/u2 big")).toEqual(Uint16Array.of(0, 1, 2, 100, 127));
    const half = Float32Array.of(
      0,
      -0,
      1.5,
      -2.25,
      0.333251953125,
      65504,
      2 ** -24,
      Infinity,
      -Infinity,
    );
    expect(await read("numbers/f2")).toEqual(half);
    expect(await read("numbers/f2 big")).toEqual(half);
    expect(await read("numbers/f8 big")).toEqual(Float64Array.from(FLOAT_VALUES));
    expect(await read("numbers/bool")).toEqual(Uint8Array.of(1, 0, 1));
    expect(await read("numbers/c16")).toEqual(Float64Array.of(1, 2, -0, -1));
    expect(await read("numbers/enum")).toEqual(Int8Array.of(42, 0, 1));
    expect(await read("text/any length")).toEqual(["one", "", "drei ü"]);
    expect(await read("text/fixed")).toEqual(["abc", "", "abcdef"]);
    expect(await read("text/scalar")).toEqual(["all of it"]);
    expect(await read("composed/table")).toEqual({
      x: Float64Array.of(1.5, 2.5),
      n: Int32Array.of(7, -8),
      name: ["a", "bcd"],
    });
    expect(await read("composed/nested")).toEqual({
      id: Uint16Array.of(1, 2),
      at: { x: Float32Array.from(AT.x), y: Float32Array.from(AT.y) },
      box: Int8Array.from({ length: 12 }, (_, index) => index),
    });
    const empty = new Int32Array(0);
    expect(await read("composed/ragged")).toEqual([
      Int32Array.of(1, 2, 3),
      empty,
      Int32Array.of(9),
    ]);
    expect(await read("composed/words")).toEqual([["a", "bc"], []]);
    expect(await read("storage/fill table")).toEqual({
      a: Int32Array.of(3, 3),
      b: Float64Array.of(0.5, 0.5),
    });
    expect(await read("storage/null")).toEqual(new Float32Array(0));
  });

  test("with the facts that it was made with", async () => {
    const dataset = (await file.get("storage/all")) as Dataset;
    const { chunks, compression, compressionOptions, shuffle, fletcher32, maxShape } = dataset;
    expect({ chunks, compression, compressionOptions, shuffle, fletcher32, maxShape }).toEqual({
      chunks: [3, 5],
      compression: "gzip",
      compressionOptions: 4,
      shuffle: true,
      fletcher32: true,
      maxShape: [6, 10],
    });
    const nothing = (await file.get("storage/null")) as Dataset;
    expect([nothing.isNull, nothing.size, nothing.ndim]).toEqual([true, 0, 0]);
    const filled = (await file.get("storage/fill")) as Dataset;
    expect(filled.fillValue()).toEqual(Float32Array.of(-1.5));
    const arrays = (await file.get("composed/arrays")) as Dataset;
    expect((await arrays.read()).shape).toEqual([2, 2, 2]);
    expect((await file.get("links/type")) instanceof CommittedType).toBe(true);
    const { attrs } = (await file.get("attributes")) as Group;
    expect(await attrs.get("true")).toBe(true);
    expect(await attrs.get("integer")).toBe(-7n);
    expect(await attrs.get("pair")).toEqual({ a: 1, b: 2.5 });
    expect((await attrs.get("none")) instanceof Empty).toBe(true);
    expect((await attrs.read("grid"))?.shape).toEqual([2, 3]);
    expect(await attrs.size()).toBe(15);
  });

  test("follows references, regions and scales", async () => {
    const group = (await file.get("references")) as Group;
    const refs = (await group.get("refs")) as Dataset;
    const [data, self, none] = (await refs.read()).data as never[];
    expect(((await file.dereference(data as never)) as Dataset).shape).toEqual([3, 4]);
    expect((await file.dereference(self as never)) instanceof Group).toBe(true);
    expect(none).toBeUndefined();
    const [region] = (await ((await group.get("regions")) as Dataset).read()).data as never[];
    const found = await file.region(region as never);
    expect(await found?.dataset.read(found.selection)).toEqual({
      data: Int32Array.of(4, 6, 8, 10),
      shape: [2, 2],
    });
    const scaled = (await file.get("scales/data")) as Dataset;
    const [rows, columns] = scaled.dims;
    expect([await rows?.label(), await columns?.label()]).toEqual(["rows", ""]);
    expect(await rows?.keys()).toEqual(["x name"]);
    expect((await (await rows?.get("x name"))?.read())?.data).toEqual(Float64Array.of(0, 1, 2));
    expect(await columns?.size()).toBe(1);
  });
});
