/**
 * Virtual datasets of a container: what their mappings say, element by element; the same as h5py shows, after an
 * import and after an export.
 */

import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import type { Container } from "daos-ts";
import {
  type DatasetDescription,
  File,
  importH5,
  integerType,
  openH5File,
  type SourceDataset,
  type SpaceSelection,
  storeSource,
  type VirtualMapping,
  writeH5,
} from "daos-ts/hdf5";
import fc from "fast-check";
import { debianH5py, type H5py, pypiH5py, runPython } from "../../support/h5py.ts";
import { fcOptions } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

const ALL = { kind: "all" } as const;
type Group = File["stored"];
type Stored = ReturnType<Group["createDataset"]>;

function describeBytes(
  shape: readonly number[],
  mappings?: readonly VirtualMapping[],
  fill = 0,
): DatasetDescription {
  return {
    type: integerType(1, false),
    committedType: undefined,
    space: { kind: "simple", shape, maxShape: shape.map(() => null) },
    layout: mappings
      ? { kind: "virtual", mappings }
      : { kind: "chunked", chunkShape: shape.map((extent) => Math.max(1, extent >> 1)) },
    filters: [],
    fill: { allocation: "incremental", time: "ifset", value: { bytes: Buffer.of(fill), heap: [] } },
  };
}

const whole = (shape: readonly number[]) => ({ start: shape.map(() => 0), shape });

async function makeBytes(group: Group, name: string, shape: readonly number[]): Promise<number[]> {
  return [...(await makeSource(group, name, shape)).bytes];
}

async function makeSource(group: Group, name: string, shape: readonly number[]) {
  const bytes = Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => 100 + at);
  const dataset = group.createDataset(name, describeBytes(shape));
  await dataset.write(whole(shape), { bytes, heap: [] });
  return { bytes, dataset };
}

const readAll = async (dataset: Stored, shape = dataset.extents): Promise<number[]> => [
  ...(await dataset.read(whole(shape))).bytes,
];

/** Numbers of the selected elements, in row-major order: the plain way. */
function selected(selection: SpaceSelection, shape: readonly number[]): number[] {
  const indices = shape.reduce<number[][]>(
    (points, extent) =>
      points.flatMap((point) => Array.from({ length: extent }, (_, at) => [...point, at])),
    [[]],
  );
  const holds = (point: number[]): boolean => {
    if (selection.kind === "all") return true;
    if (selection.kind === "blocks") {
      return selection.blocks.some(([first, end]) =>
        point.every((at, d) => at >= (first[d] as number) && at < (end[d] as number)),
      );
    }
    if (selection.kind !== "hyperslab") return false;
    const { start, stride, count, block } = selection.slab;
    return point.every((at, d) => {
      const from = at - (start[d] as number);
      const number = Math.floor(from / (stride[d] as number));
      const inside = from - number * (stride[d] as number) < (block[d] as number);
      return from >= 0 && number < (count[d] as number) && inside;
    });
  };
  return indices.flatMap((point, at) => (holds(point) ? [at] : []));
}

/** One dimension of a selection in an extent of 12. */
const axis = fc
  .tuple(fc.nat(3), fc.integer({ min: 1, max: 3 }), fc.nat(2), fc.integer({ min: 1, max: 3 }))
  .map(([start, block, gap, count]) => ({ start, stride: block + gap, count, block }))
  .filter(({ start, stride, count }) => start + (count - 1) * stride + 3 <= 12);

const slabOf = (axes: readonly { start: number; stride: number; count: number; block: number }[]) =>
  ({
    kind: "hyperslab",
    slab: {
      start: axes.map(({ start }) => start),
      stride: axes.map(({ stride }) => stride),
      count: axes.map(({ count }) => count),
      block: axes.map(({ block }) => block),
    },
  }) as const;

/** A selection of as many elements as another, if it can be. */
function sourceOf(target: SpaceSelection, form: string, other: SpaceSelection): SpaceSelection {
  if (target.kind !== "hyperslab" || form === "other") return other;
  const { slab } = target;
  const axes = slab.start.map((_, dimension) => {
    const [count, block] = [slab.count[dimension] as number, slab.block[dimension] as number];
    const [blocks, size] = form === "swapped" ? [block, count] : [count, block];
    return { start: 1, stride: size + 1, count: blocks, block: size };
  });
  return slabOf(form === "turned" ? axes.reverse() : axes);
}

const blocksOf = fc
  .uniqueArray(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 2, maxLength: 4, selector: String })
  .map((corners) => ({
    kind: "blocks" as const,
    // Cells of a grid, so that no two have an element in common.
    blocks: corners.map(([row, column]) => {
      const first = [row * 3, column * 3];
      return [first, [row * 3 + 2, column * 3 + 3]] as const;
    }),
  }));

test("a region of a virtual dataset has the elements that its mappings say", async () => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const shape = [12, 12];
  const root = file.stored;
  const plane = await makeBytes(root, "plane", shape);
  const line = await makeBytes(root, "line", [144]);
  const selection = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(axis, axis).map(slabOf) },
    { weight: 1, arbitrary: blocksOf },
  );
  const mapping = fc.record({
    target: selection,
    // As the target, elsewhere; with blocks for counts; with rows for columns; or something else.
    form: fc.constantFrom("same", "swapped", "turned", "line", "other"),
    other: selection,
  });
  const list = fc
    .subarray([...Array(12).keys()], { minLength: 1 })
    .map((indices) => indices.sort((a, b) => a - b));
  const regions = fc.tuple(list, list);
  const drawings = fc.array(mapping, { minLength: 1, maxLength: 3 });
  let number = 0;
  const forms = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(drawings, regions, async (drawn, lists) => {
      const expected: number[] = new Array(144).fill(7);
      const mappings: VirtualMapping[] = [];
      for (const { target, form, other } of drawn) {
        const to = selected(target, shape);
        const isLine = form === "line";
        const source = isLine
          ? slabOf([{ start: 2, stride: 2, count: Math.min(to.length, 71), block: 1 }])
          : sourceOf(target, form, other);
        const from = selected(source, isLine ? [144] : shape);
        // Unequal selections are none that a program could make.
        if (from.length !== to.length) continue;
        for (const [index, place] of to.entries()) {
          expected[place] = (isLine ? line : plane)[from[index] as number] as number;
        }
        const dataset = isLine ? "line" : "/plane";
        mappings.push({ file: ".", dataset, source, target });
        forms.set(form, (forms.get(form) ?? 0) + 1);
      }
      const made = root.createDataset(`v${number++}`, describeBytes(shape, mappings, 7));
      expect(await readAll(made)).toEqual(expected);
      const region = lists.map((list) =>
        list.map((start) => ({ start, stride: 1, count: 1, block: 1 })),
      );
      const [rows, columns] = lists;
      const places = rows.flatMap((row) => columns.map((column) => 12 * row + column));
      const part = [...(await made.readRegion(region)).bytes];
      expect(part).toEqual(places.map((place) => expected[place]));
    }),
    fcOptions(100),
  );
  expect([...forms.keys()].sort()).toEqual(["line", "other", "same", "swapped", "turned"]);
});

const endlessSlab = (start: number, stride: number, block: number | null): SpaceSelection => ({
  kind: "hyperslab",
  slab: { start: [start], stride: [stride], count: [block === null ? 1 : null], block: [block] },
});

test("extents and elements follow sources that grow, and sources that come later", async () => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "dir/a.h5", "w");
  const root = file.stored;
  const { dataset: x } = await makeSource(root, "x", [3]);
  const endless = { file: ".", dataset: "x", source: endlessSlab(0, 1, null) };
  const odd = root.createDataset(
    "odd",
    describeBytes([1], [{ ...endless, target: endlessSlab(1, 2, 1) }], 9),
  );
  const numbered = root.createDataset(
    "numbered",
    describeBytes(
      [1],
      [{ file: "part-%b.h5", dataset: "d", source: ALL, target: endlessSlab(0, 2, 2) }],
    ),
  );
  expect(await readAll(odd)).toEqual([9, 100, 9, 101, 9, 102]);
  expect(numbered.extents).toEqual([0]);
  await x.resize([5]);
  expect(await readAll(odd)).toEqual([9, 100, 9, 101, 9, 102, 9, 0, 9, 0]);
  await file.flush();
  for (const part of [0, 1]) {
    await using other = await File.open(container, `dir/part-${part}.h5`, "w");
    await makeBytes(other.stored, "d", [2]);
  }
  await using again = await File.open(container, "dir/a.h5", "r+");
  const source = await datasetsOf(again);
  expect(source.get("numbered")?.description.space).toMatchObject({ shape: [4] });
  expect([...(await read(source.get("numbered"))).bytes]).toEqual([100, 101, 100, 101]);
});

test("what is written goes to the sources, or nowhere", async () => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const root = file.stored;
  await makeBytes(root, "x", [4]);
  const source = { kind: "hyperslab", slab: { start: [1], stride: [1], count: [1], block: [3] } };
  const target = { kind: "hyperslab", slab: { start: [0], stride: [2], count: [3], block: [1] } };
  const mapping = { file: ".", dataset: "x", source, target } as VirtualMapping;
  const made = root.createDataset("v", describeBytes([6], [mapping]));
  const bytes = Uint8Array.of(1, 2, 3);
  const code = await codeOf(() => made.write({ start: [0], shape: [3] }, { bytes, heap: [] }));
  expect(code).toBe("DER_INVAL");
  expect([...(await read((await datasetsOf(file)).get("x"))).bytes]).toEqual([100, 101, 102, 103]);
  await made.write({ start: [2], shape: [1] }, { bytes: bytes.subarray(0, 1), heap: [] });
  expect([...(await read((await datasetsOf(file)).get("x"))).bytes]).toEqual([100, 101, 1, 103]);
  expect(await readAll(made)).toEqual([101, 0, 1, 0, 103, 0]);
});

test("numbers of sources are converted, both ways", async () => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const root = file.stored;
  const wide = root.createDataset("wide", {
    ...describeBytes([3]),
    type: integerType(2, true, "big"),
    fill: { allocation: "late", time: "ifset", value: undefined },
  });
  const bytes = Uint8Array.of(0, 5, 1, 0, 0xff, 0xff);
  await wide.write(whole([3]), { bytes, heap: [] });
  const mapping = { file: ".", dataset: "wide", source: ALL, target: ALL };
  const made = root.createDataset("v", describeBytes([3], [mapping]));
  // What does not fit becomes the nearest number that does, as in HDF5.
  expect(await readAll(made)).toEqual([5, 255, 0]);
  await made.write({ start: [1], shape: [2] }, { bytes: Uint8Array.of(7, 200), heap: [] });
  expect(await readAll(wide)).toEqual([0, 5, 0, 7, 0, 200]);
});

test("sources that lead to themselves, and such of another type, are refused", async () => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const root = file.stored;
  const of = (dataset: string): VirtualMapping => ({
    file: ".",
    dataset,
    source: ALL,
    target: ALL,
  });
  const circle = root.createDataset("circle", describeBytes([2], [of("circle")]));
  expect(await codeOf(() => readAll(circle))).toBe("DER_INVAL");
  const opaque = { class: "opaque", size: 1, tag: "" } as const;
  root.createDataset("opaque", { ...describeBytes([2]), type: opaque });
  const other = root.createDataset("other", describeBytes([2], [of("opaque")]));
  expect(await codeOf(() => readAll(other))).toBe("DER_NOSYS");
  const text = { class: "vlenString", padding: "nullterm", charset: "utf8" } as const;
  const fill = { allocation: "late", time: "ifset", value: undefined } as const;
  const plain = { ...describeBytes([2], [of("opaque")]), type: text, fill };
  const slots = root.createDataset("text", plain);
  expect(await codeOf(() => readAll(slots))).toBe("DER_NOSYS");
});

async function datasetsOf(file: File): Promise<Map<string, SourceDataset>> {
  const found = new Map<string, SourceDataset>();
  for await (const link of (await storeSource(file).root()).links()) {
    const object = link.kind === "hard" ? await link.open() : undefined;
    if (object?.kind === "dataset") found.set(link.name, object);
  }
  return found;
}

async function read(dataset: SourceDataset | undefined) {
  if (dataset?.description.space.kind !== "simple") throw new Error("it is not there");
  return dataset.read(whole(dataset.description.space.shape));
}

const h5py = pypiH5py ?? debianH5py;
const describeAnyH5py = h5py === undefined ? describe.skip : describe;

describeAnyH5py("virtual datasets in h5py", () => {
  const run = (verb: string, folder: string): string => {
    const outcome = runPython(h5py as H5py, "virtual_files.py", [verb, folder]);
    expect({ status: outcome.status, stderr: outcome.stderr }).toEqual({ status: 0, stderr: "" });
    return outcome.stdout;
  };
  const filesOf = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.h5$/.test(name));

  async function importAll(folder: string, container: Container): Promise<void> {
    for (const name of filesOf(folder)) {
      const source = await openH5File(join(folder, name));
      expect((await importH5(source, container, `copies/${name}`)).notes).toEqual([]);
      await source.close();
    }
  }

  test("show what they show here, imported and exported", async () => {
    const theirs = temporaryDirectory();
    run("make", theirs);
    const expected = JSON.parse(run("read", theirs)) as Record<string, [number[], string]>;
    const { container } = temporaryContainer();
    await importAll(theirs, container);
    await using main = await File.open(container, "copies/main.h5");
    const found: Record<string, [readonly number[], string]> = {};
    for (const [name, dataset] of await datasetsOf(main)) {
      const { space } = dataset.description;
      const shape = space.kind === "simple" ? space.shape : [];
      found[name] = [shape, Buffer.from((await read(dataset)).bytes).toString("hex")];
    }
    expect(found).toEqual(expected);
    const ours = temporaryDirectory();
    for (const name of filesOf(theirs)) {
      await using file = await File.open(container, `copies/${name}`);
      mkdirSync(join(ours, dirname(name)), { recursive: true });
      expect((await writeH5(storeSource(file), join(ours, name))).notes).toEqual([]);
    }
    expect(JSON.parse(run("read", ours))).toEqual(expected);
  });
});
