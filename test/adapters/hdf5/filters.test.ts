/**
 * Filters: what goes in comes out; what is damaged is refused; h5py reads what is written here, and the other way
 * round, with the same parameters and, where a format leaves no choice, the same bytes.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import {
  type DatasetDescription,
  type Datatype,
  File,
  type FilterDescription,
  floatType,
  importH5,
  integerType,
  localFilters,
  openH5File,
  type SourceDataset,
  type SourceGroup,
  storeSource,
  writeH5,
} from "daos-ts/hdf5";
import fc from "fast-check";
import { type H5py, pypiH5py, runPython } from "../../support/h5py.ts";
import { runProgram } from "../../support/processes.ts";
import { fcOptions, isNightly } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

const FILL = { allocation: "incremental", time: "ifset", value: undefined } as const;

/** A filter as the creator of a dataset asks for it. */
const ask = (id: number, ...parameters: number[]): FilterDescription => ({
  ...{ id, name: "", isOptional: id !== 3, parameters },
});

function description(
  type: Datatype,
  shape: readonly number[],
  chunkShape: readonly number[],
  asked: readonly FilterDescription[],
): DatasetDescription {
  const filters = localFilters(asked, { type, chunkShape, fill: FILL });
  const space = { kind: "simple", shape, maxShape: shape } as const;
  const layout = { kind: "chunked", chunkShape } as const;
  return { type, committedType: undefined, space, layout, filters, fill: FILL };
}

const bytesEqual = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

const TYPES = [1, 2, 4, 8].flatMap((size) =>
  [true, false].flatMap((isSigned) => [
    integerType(size, isSigned),
    integerType(size, isSigned, "big"),
  ]),
);

/** Pipelines that lose nothing, of integers. */
const PIPELINES: Readonly<Record<string, readonly FilterDescription[]>> = {
  deflate: [ask(2), ask(1, 4)],
  nbit: [ask(5)],
  "szip, nearest neighbour": [ask(4, 160, 8)],
  "szip, entropy coding": [ask(4, 132, 6), ask(3)],
  "scale-offset": [ask(6, 2, 0), ask(2), ask(1, 1)],
  lz4: [ask(32004, 50)],
  "shuffle and lz4": [ask(2), ask(32004)],
  zstd: [ask(32015, 1), ask(3)],
  blosc: [ask(32001, 0, 0, 0, 0, 5, 1, 0)],
  "blosc, bits and zlib": [ask(32001, 0, 0, 0, 0, 2, 2, 4), ask(3)],
  "blosc and zstd": [ask(32001, 0, 0, 0, 0, 2, 0, 5)],
  bitshuffle: [ask(32008)],
  "bitshuffle and lz4": [ask(32008, 8, 2)],
  "bitshuffle and zstd": [ask(32008, 0, 3, 2)],
};

/** Bytes with runs, steps and noise. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 60 }),
      fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 300 })).map(([byte, count]) => {
        return new Uint8Array(count).fill(byte);
      }),
      fc.tuple(fc.nat(255), fc.integer({ min: 1, max: 90 })).map(([first, count]) => {
        return Uint8Array.from({ length: 8 * count }, (_, at) => (at % 8 ? 0 : first + at / 8));
      }),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts));

test.each(Object.entries(PIPELINES))("%s gives back what was written", async (_, asked) => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  let number = 0;
  const arbitrary = fc.tuple(fc.constantFrom(...TYPES), content, fc.integer({ min: 1, max: 90 }));
  await fc.assert(
    fc.asyncProperty(arbitrary, async ([type, bytes, chunk]) => {
      const count = Math.ceil(bytes.length / type.size);
      const elements = new Uint8Array(count * type.size);
      elements.set(bytes);
      const made = file.stored.createDataset(
        `x${number++}`,
        description(type, [count], [chunk], asked),
      );
      // In two parts, so that a chunk is written in parts too.
      const cut = Math.floor(count / 3);
      const half = (start: number, end: number) =>
        made.write(
          { start: [start], shape: [end - start] },
          { bytes: elements.subarray(start * type.size, end * type.size), heap: [] },
        );
      await half(0, cut);
      await half(cut, count);
      await file.flush();
      const read = await made.read({ start: [0], shape: [count] });
      expect(bytesEqual(read.bytes, elements)).toBe(true);
    }),
    fcOptions(8),
  );
});

test("nbit keeps the significant bits of numbers, also in arrays and compounds", async () => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const small = { ...integerType(2, true), precision: 5, bitOffset: 3 };
  const wide = { ...integerType(8, false, "big"), precision: 33, bitOffset: 10 };
  const type: Datatype = {
    class: "compound",
    size: 40,
    members: [
      { name: "a", offset: 1, type: small },
      { name: "b", offset: 4, type: { class: "array", shape: [2, 2], base: wide } },
      { name: "c", offset: 36, type: { class: "opaque", size: 3, tag: "" } },
    ],
  };
  const made = file.stored.createDataset("x", description(type, [3], [2], [ask(5)]));
  const ones = new Uint8Array(120).fill(0xff);
  await made.write({ start: [0], shape: [3] }, { bytes: ones, heap: [] });
  await file.flush();
  const { bytes } = await made.read({ start: [0], shape: [3] });
  const element = Buffer.from(bytes.subarray(40, 80)).toString("hex");
  // Bits 3 to 7 of the small number, 10 to 42 of the wide ones, and the opaque bytes.
  const number = "000007fffffffc00";
  expect(element).toBe(`00f80000${number.repeat(4)}ffffff00`);
});

test.each([
  ["float32", 2, "little"],
  ["float64", 4, "big"],
] as const)("scale-offset keeps decimal digits of %s", async (name, digits, order) => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const type = floatType(name, order);
  const count = 100;
  const view = new DataView(new ArrayBuffer(count * type.size));
  const isLittle = order === "little";
  const at = (index: number) => index * type.size;
  const values = Array.from({ length: count }, (_, index) => Math.sin(index) * 300);
  for (const [index, value] of values.entries()) {
    if (name === "float32") view.setFloat32(at(index), value, isLittle);
    else view.setFloat64(at(index), value, isLittle);
  }
  const made = file.stored.createDataset(
    "x",
    description(type, [count], [64], [ask(6, 0, digits)]),
  );
  const box = { start: [0], shape: [count] };
  await made.write(box, { bytes: new Uint8Array(view.buffer), heap: [] });
  await file.flush();
  const { bytes } = await made.read(box);
  const read = new DataView(bytes.buffer, bytes.byteOffset);
  for (const [index, value] of values.entries()) {
    const found =
      name === "float32"
        ? read.getFloat32(at(index), isLittle)
        : read.getFloat64(at(index), isLittle);
    expect(Math.abs(found - value)).toBeLessThan(0.51 * 10 ** -digits);
  }
  const [dataset] = await datasetsOf(await storeSource(file).root());
  expect(dataset?.dataset.storedSize).toBeLessThan(0.8 * count * type.size);
});

test("an optional filter that a chunk cannot have is left out, another one refuses the chunk", async () => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const type = integerType(1, false);
  const noise = Uint8Array.from({ length: 64 }, (_, at) => (at * 167 + 13 * at * at) & 0xff);
  const box = { start: [0], shape: [64] };
  const asked = [ask(4, 160, 8), ask(1, 1)];
  const made = file.stored.createDataset("x", description(type, [64], [64], asked));
  await made.write(box, { bytes: noise, heap: [] });
  await file.flush();
  const masks: number[] = [];
  for await (const chunk of made.storedChunks() ?? []) masks.push(chunk.filterMask);
  expect(masks).toEqual([1]);
  expect(bytesEqual((await made.read(box)).bytes, noise)).toBe(true);
  const mandatory = asked.map((filter) => ({ ...filter, isOptional: false }));
  const other = file.stored.createDataset("y", description(type, [64], [64], mandatory));
  const code = await codeOf(() => other.write(box, { bytes: noise, heap: [] }));
  expect(code).toBe("DER_INVAL");
});

test("localFilters() refuses elements that a filter cannot take", async () => {
  const text = { class: "string", size: 5, padding: "nullpad", charset: "ascii" } as const;
  const dataset = { type: text, chunkShape: [10], fill: FILL };
  for (const filter of [ask(4, 160, 8), ask(6, 2, 0), ask(32008, 7)]) {
    const mandatory = { ...filter, isOptional: false };
    expect(await codeOf(() => localFilters([mandatory], dataset))).toBe("DER_INVAL");
    expect(localFilters([filter], dataset)[0]?.parameters).toEqual(filter.parameters);
  }
  const unknown = { ...ask(400), isOptional: false };
  expect(await codeOf(() => localFilters([unknown], dataset))).toBe("DER_NOSYS");
});

/** Reads a chunk of 4 bytes integers that is stored as given. */
async function readStored(
  file: File,
  { name, filters, bytes }: { name: string; filters: FilterDescription[]; bytes: Uint8Array },
): Promise<Uint8Array> {
  const plain = description(integerType(4, true), [100], [100], []);
  const made = file.stored.createDataset(name, { ...plain, filters });
  await made.writeStoredChunk({ start: [0], filterMask: 0, bytes });
  return (await made.read({ start: [0], shape: [100] })).bytes;
}

const u32 = (...values: number[]) => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * index);
  return bytes;
};

test.each([
  ["lz4 of 2^62 bytes", 32004, [], u32(0x4000_0000, 0, 100, 4, 1)],
  ["lz4 in blocks of nothing", 32004, [], u32(0, 400, 0, 4, 1)],
  ["lz4 that repeats what is not there", 32004, [], u32(0, 400, 400, 4, 0x00ffff00)],
  ["szip of 4 GiB", 4, [168, 8, 32, 100], u32(-1, 0, 0)],
  ["szip that ends", 4, [168, 8, 32, 100], u32(0x9001_0000)],
  ["szip in odd blocks", 4, [168, 7, 32, 100], u32(0x9001_0000, 0, 0, 0)],
  ["szip of endless lines", 4, [168, 8, 32, 2 ** 31], u32(0x9001_0000, 0, 0, 0)],
  ["bitshuffle of 2^62 bytes", 32008, [0, 4, 4, 0, 2], u32(0x4000_0000, 0, 8192, 4, 1)],
  ["bitshuffle of no elements", 32008, [0, 4, 0, 0, 2], u32(0, 400, 8192, 4, 1)],
  ["blosc of 4 GiB", 32001, [], u32(0x02010121, -1, 0x100, 0x400)],
  ["blosc in blocks of nothing", 32001, [], u32(0x02013104, 0x90010000, 0, 0x14000000)],
  ["blosc that begins beyond its end", 32001, [], u32(0x02013104, 0x90010000, 0x90010000, 9, -1)],
  ["zstd of 2^62 bytes", 32015, [], u32(0x28b52ffd, 0xe0000000, 0, 0x40000000)],
  ["nbit of other chunks", 5, [8, 0, 2 ** 32 - 1, 1, 4, 0, 9, 0], u32(1, 2, 3)],
  ["nbit that never ends", 5, [5, 0, 100, 3, 4, 2 ** 32 - 1, 0], u32(1, 2, 3)],
  ["nbit nested in itself", 5, [8, 0, 100, 2, 4, 2, 4, 2], u32(1, 2, 3)],
  ["scale-offset of too many bits", 6, [2, 0, 100, 0, 4], u32(99, 8, 0, 0, 0, 0, 0, 0)],
])("%s is refused", async (_, id, parameters, bytes) => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const padded = id === 6 ? [...parameters, ...Array(15).fill(0)] : parameters;
  const filters = [{ id, name: "", isOptional: true, parameters: padded }];
  expect(await codeOf(() => readStored(file, { name: "x", filters, bytes }))).toBe("DER_DF_INVAL");
});

test("damaged chunks and parameters are refused, or read as something else of the same size", async () => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const type = integerType(4, true);
  const elements = Buffer.alloc(400);
  for (let at = 0; at < 100; at++) elements.writeInt32LE(at * at - 3 * at, 4 * at);
  const good = new Map<string, { filters: FilterDescription[]; bytes: Uint8Array }>();
  for (const [name, asked] of Object.entries(PIPELINES)) {
    const plain = description(type, [100], [100], asked);
    const made = file.stored.createDataset(name, plain);
    await made.write({ start: [0], shape: [100] }, { bytes: elements, heap: [] });
    for await (const { bytes } of made.storedChunks() ?? []) {
      good.set(name, { filters: [...plain.filters], bytes: Uint8Array.from(bytes) });
    }
  }
  const damage = fc.record({
    name: fc.constantFrom(...good.keys()),
    flips: fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), { maxLength: 4 }),
    length: fc.option(fc.nat(500), { nil: undefined }),
    parameter: fc.option(fc.tuple(fc.nat(20), fc.nat(2 ** 32 - 1)), { nil: undefined }),
  });
  let number = 0;
  await fc.assert(
    fc.asyncProperty(damage, async ({ name, flips, length, parameter }) => {
      const { filters, bytes } = good.get(name) as { filters: FilterDescription[]; bytes: Buffer };
      const damaged = Buffer.alloc(length ?? bytes.length);
      damaged.set(bytes.subarray(0, damaged.length));
      for (const [at, byte] of flips) damaged[at % Math.max(1, damaged.length)] = byte;
      const changed = filters.map((filter) => {
        const parameters = [...filter.parameters];
        if (parameter) parameters[parameter[0] % Math.max(1, parameters.length)] = parameter[1];
        return { ...filter, parameters };
      });
      const stored = { name: `d${number++}`, filters: changed, bytes: damaged };
      const code = await codeOf(async () => {
        expect((await readStored(file, stored)).length).toBe(400);
      });
      expect([undefined, "DER_DF_INVAL", "DER_CSUM"]).toContain(code);
    }),
    fcOptions(250),
  );
});

/** The datasets below a group, in the order of their paths. */
async function datasetsOf(
  group: SourceGroup,
  path = "",
): Promise<{ path: string; dataset: SourceDataset }[]> {
  const found: { path: string; dataset: SourceDataset }[] = [];
  for await (const link of group.links()) {
    if (link.kind !== "hard") continue;
    const object = await link.open();
    const at = `${path}/${link.name}`;
    if (object.kind === "dataset") found.push({ path: at, dataset: object });
    if (object.kind === "group") found.push(...(await datasetsOf(object, at)));
  }
  return found;
}

/** Whether the environment of Python has the plugins too. */
const withPlugins =
  pypiH5py !== undefined && runProgram(pypiH5py.python, ["-c", "import hdf5plugin"]).status === 0;
const describePlugins = withPlugins ? describe : describe.skip;

describePlugins("filters in h5py", () => {
  const h5py = pypiH5py as H5py;
  /** Those whose bytes the format leaves no choice of. */
  const hasOneForm = (filters: readonly FilterDescription[]): boolean =>
    filters.every(({ id, parameters }) =>
      id === 32008 ? !parameters[4] : [2, 3, 4, 5, 6].includes(id),
    );

  /** Writes what a dataset holds through the filters here, into another file. */
  async function writeAgain(source: SourceDataset, plain: Uint8Array, to: Target): Promise<void> {
    const { filters, type, fill, layout, space } = source.description;
    if (layout.kind !== "chunked" || space.kind !== "simple") throw new Error("it is not chunked");
    const asked = filters.map((filter, at) => {
      return { ...filter, parameters: (to.given[at] as number[]).map((value) => value >>> 0) };
    });
    const local = localFilters(asked, { type, fill, chunkShape: layout.chunkShape });
    expect(local).toEqual(filters);
    const box = { start: space.shape.map(() => 0), shape: space.shape };
    const made = to.group.createDataset("filtered", { ...source.description, filters: local });
    await made.write(box, { bytes: plain, heap: [] });
    const contiguous = {
      ...source.description,
      layout: { kind: "contiguous" },
      filters: [],
    } as const;
    const copy = to.group.createDataset("plain", contiguous);
    await copy.write(box, { bytes: plain, heap: [] });
    if (!hasOneForm(filters)) return;
    const ours: string[] = [];
    const theirs: string[] = [];
    for await (const { bytes } of made.storedChunks() ?? []) ours.push(hex(bytes));
    for await (const { bytes } of source.storedChunks() ?? []) theirs.push(hex(bytes));
    expect(ours).toEqual(theirs);
  }

  test("have the parameters, elements and bytes that they have here", async () => {
    const directory = temporaryDirectory();
    const theirs = join(directory, "theirs.h5");
    const oneOf = isNightly ? "1" : "8";
    const { status, stdout, stderr } = runPython(h5py, "filter_files.py", ["make", theirs, oneOf]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const source = await openH5File(theirs);
    const { container } = temporaryContainer();
    // Chunks are copied as they are, and decoded when they are read.
    expect((await importH5(source, container, "theirs.h5")).notes).toEqual([]);
    await using copy = await File.open(container, "theirs.h5");
    await using file = await File.open(container, "ours.h5", "w");
    const found = new Map<string, SourceDataset>();
    for (const from of [source, storeSource(copy)]) {
      const isCopy = from !== source;
      for (const { path, dataset } of await datasetsOf(await from.root())) {
        found.set(isCopy ? `copy of ${path}` : path, dataset);
      }
    }
    const groups = Object.entries(JSON.parse(stdout) as Record<string, number[][]>);
    for (const [index, [path, given]] of groups.entries()) {
      const read = async (name: string) => {
        const dataset = found.get(name) as SourceDataset;
        const { space } = dataset.description;
        const shape = space.kind === "simple" ? space.shape : [];
        return (await dataset.read({ start: shape.map(() => 0), shape })).bytes;
      };
      const plain = await read(`${path}/plain`);
      for (const filtered of [`${path}/filtered`, `copy of ${path}/filtered`]) {
        const isSame = bytesEqual(await read(filtered), plain);
        expect({ filtered, isSame }).toEqual({ filtered, isSame: true });
      }
      const group = file.stored.createGroup(`${index}`);
      await writeAgain(found.get(`${path}/filtered`) as SourceDataset, plain, { group, given });
    }
    await file.flush();
    const ours = join(directory, "ours.h5");
    expect((await writeH5(storeSource(file), ours)).notes).toEqual([]);
    const checked = runPython(h5py, "filter_files.py", ["check", ours]);
    expect(checked).toEqual({ status: 0, stdout: "", stderr: "" });
    await source.close();
  });
});

/** Where a dataset is written again. */
interface Target {
  readonly group: ReturnType<File["stored"]["createGroup"]>;
  readonly given: readonly number[][];
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
