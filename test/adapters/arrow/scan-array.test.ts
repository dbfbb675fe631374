/**
 * Arrays of simulations as record batches: every element at its place in both orders, without a copy where it is
 * promised, at any version, and as commits come.
 */

import { describe, expect, test } from "@jest/globals";
import { type RecordBatch, Table, tableFromIPC, tableToIPC } from "apache-arrow";
import type { Container } from "daos-ts";
import {
  type ArrayStream,
  followArray,
  type NumericTypeName,
  type ScanArrayOptions,
  scanArray,
} from "daos-ts/arrow";
import { lookup } from "daos-ts/dfs";
import { bigEndian, compoundType, File } from "daos-ts/hdf5";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { codeOf, connectAgain, store, temporaryContainer } from "../temporary-container.ts";

const VIEWS = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;
const TYPES = Object.keys(VIEWS) as NumericTypeName[];

async function collect(stream: AsyncIterable<RecordBatch>): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = [];
  for await (const batch of stream) batches.push(batch);
  return batches;
}

const originOf = ({ metadata }: RecordBatch) => JSON.parse(metadata.get("daos.origin") as string);
const shapeOf = ({ metadata }: RecordBatch) => JSON.parse(metadata.get("daos.shape") as string);

/** The numbers that lie under a column, through lists. */
function numbersOf(batch: RecordBatch, name = "value"): ArrayLike<number | bigint> {
  let data = batch.getChild(name)?.data[0];
  while (data !== undefined && data.values === undefined) data = data.children[0];
  return data?.values as ArrayLike<number | bigint>;
}

/** Puts the boxes of batches where they belong; what no batch has stays `undefined`. */
function placed(batches: readonly RecordBatch[], shape: readonly number[]): unknown[] {
  const all: unknown[] = new Array(shape.reduce((product, extent) => product * extent, 1));
  for (const batch of batches) {
    const [origin, extents] = [originOf(batch) as number[], shapeOf(batch) as number[]];
    const values = numbersOf(batch);
    const count = extents.reduce((product, extent) => product * extent, 1);
    expect(values).toHaveLength(count);
    for (let number = 0; number < count; number++) {
      let rest = number;
      let at = 0;
      let pitch = 1;
      for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
        const extent = extents[dimension] as number;
        at += ((origin[dimension] as number) + (rest % extent)) * pitch;
        rest = Math.floor(rest / extent);
        pitch *= shape[dimension] as number;
      }
      expect(all[at]).toBeUndefined();
      all[at] = values[number];
    }
  }
  return all;
}

function ramp(count: number, first = 0): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => first + index);
}

async function batchesOf(
  container: Container,
  options: ScanArrayOptions,
): Promise<{ stream: ArrayStream; batches: RecordBatch[] }> {
  const stream = await scanArray(container, options);
  return { stream, batches: await collect(stream) };
}

describe("scanArray() of a file", () => {
  test.each(TYPES)("has each element of a %s array at its place", async (type) => {
    const { container } = temporaryContainer();
    const bytes = Uint8Array.from({ length: 96 }, (_, index) => (index * 37) % 251);
    store(container, "a", bytes);
    const shape = [3, 32 / VIEWS[type].BYTES_PER_ELEMENT];
    const expected = [...new VIEWS[type](bytes.buffer)];
    for (const order of ["storage", "row-major"] as const) {
      const { batches, stream } = await batchesOf(container, { path: "a", shape, type, order });
      expect(placed(batches, shape)).toEqual(expected);
      expect(stream.shape).toEqual(shape);
    }
  });

  test("takes memory of the pool's files in storage order, as it lies there", async () => {
    const { container } = temporaryContainer();
    store(container, "a", ramp(4096));
    using view = container.view();
    const { oid } = lookup({ view }, "a") as { oid: bigint };
    const bytes = view.mapBytes(oid, 0, 8 * 4096) as Uint8Array;
    const options = { path: "a", shape: [64, 64], type: "float64" } as const;
    const { batches } = await batchesOf(container, options);
    expect(batches).toHaveLength(1);
    const values = numbersOf(batches[0] as RecordBatch) as unknown as Float64Array;
    expect(values.buffer).toBe(bytes.buffer);
    expect(values.byteOffset).toBe(bytes.byteOffset);
    const gathered = await batchesOf(container, { ...options, order: "row-major" });
    const copy = numbersOf(gathered.batches[0] as RecordBatch) as unknown as Float64Array;
    expect(copy.buffer).not.toBe(bytes.buffer);
  });

  test("has a batch for each part that writers left, boxes of the array, without holes", async () => {
    const { pool, container } = temporaryContainer();
    // Four ranks, of which one writes nothing, of two rows each.
    for (const rank of [3, 0, 1]) {
      store(connectAgain(pool), "a", ramp(32, 32 * rank), 8 * 32 * rank);
    }
    const shape = [8, 4, 4];
    const { batches, stream } = await batchesOf(container, { path: "a", shape, type: "float64" });
    expect(batches.map(originOf)).toEqual([
      [0, 0, 0],
      [2, 0, 0],
      [6, 0, 0],
    ]);
    expect(batches.map(shapeOf)).toEqual(batches.map(() => [2, 4, 4]));
    expect(batches.map(({ metadata }) => metadata.get("daos.epoch"))).toEqual(
      batches.map(() => String(stream.epoch)),
    );
    const all = placed(batches, shape);
    expect(all.slice(0, 64)).toEqual([...ramp(64)]);
    expect(all.slice(64, 96)).toEqual(new Array(32).fill(undefined));
    // Gathered, holes are zeros, as in the file.
    const options = { path: "a", shape, type: "float64", order: "row-major" } as const;
    const gathered = placed((await batchesOf(container, options)).batches, shape);
    expect(gathered.slice(60, 100)).toEqual([
      ...ramp(4, 60),
      ...new Array(32).fill(0),
      ...ramp(4, 96),
    ]);
  });

  test("agrees with the bytes, however they were written", async () => {
    const write = fc.record({ start: fc.nat(220), size: fc.integer({ min: 1, max: 60 }) });
    const any = fc.record({
      writes: fc.array(write, { maxLength: 6 }),
      type: fc.constantFrom(
        "int8",
        "uint16",
        "float32",
        "float64",
      ) as fc.Arbitrary<NumericTypeName>,
      offset: fc.nat(9),
      extents: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 4 })),
      batchSize: fc.integer({ min: 1, max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(any, async ({ writes, type, offset, extents, batchSize }) => {
        const { pool, container } = temporaryContainer();
        const bytes = new Uint8Array(300);
        const written = new Uint8Array(300);
        // The file is as long as the shape says.
        for (const [index, { start, size }] of [...writes, { start: 299, size: 1 }].entries()) {
          const part = Uint8Array.from({ length: size }, (_, at) => 7 * index + at + 1);
          store(container, "a", part, start);
          bytes.set(part, start);
          written.fill(1, start, start + size);
        }
        const shape = [...extents, 2];
        const View = VIEWS[type];
        const count = shape.reduce((product, extent) => product * extent, 1);
        const unit = View.BYTES_PER_ELEMENT;
        const expected = [...new View(bytes.slice(offset, offset + count * unit).buffer)];
        const isWritten = expected.map((_, index) => {
          const first = offset + index * unit;
          return written.subarray(first, first + unit).includes(1);
        });
        const options = { path: "a", shape, type, offset, batchSize };
        const stored = placed((await batchesOf(container, options)).batches, shape);
        expect(stored).toEqual(expected.map((value, at) => (isWritten[at] ? value : undefined)));
        const order = "row-major";
        const gathered = await batchesOf(container, { ...options, order });
        expect(placed(gathered.batches, shape)).toEqual(expected);
        const long = await batchesOf(container, { ...options, order, form: "long" });
        const rows = long.batches.flatMap((batch) => batch.toArray().map((row) => row.toJSON()));
        const [, middle = 1, inner = 1] = shape;
        expect(rows).toEqual(
          expected.map((value, at) => ({
            dim_0: Math.floor(at / (middle * inner)),
            dim_1: Math.floor(at / inner) % middle,
            dim_2: at % inner,
            value,
          })),
        );
        pool.close();
      }),
      fcOptions(60),
    );
  });

  test("makes tensors of the indices of the first axis", async () => {
    const { container } = temporaryContainer();
    store(container, "a", ramp(24));
    const { stream, batches } = await batchesOf(container, {
      ...{ path: "a", shape: [4, 3, 2], type: "float64", order: "row-major" },
      batchSize: 2 * 6 * 8,
    });
    expect(batches.map(({ numRows }) => numRows)).toEqual([2, 2]);
    const [field] = stream.schema.fields;
    expect(Object.fromEntries(field?.metadata ?? [])).toEqual({
      "ARROW:extension:name": "arrow.fixed_shape_tensor",
      "ARROW:extension:metadata": '{"shape":[3,2]}',
    });
    const back = tableFromIPC(tableToIPC(new Table(stream.schema, batches)));
    expect([...(back.getChild("value")?.get(3)?.toArray() ?? [])]).toEqual([...ramp(6, 18)]);
  });

  test("shows the version that was asked for, and holds it until it is closed", async () => {
    const { container } = temporaryContainer({ retainCommits: 1 });
    const first = store(container, "a", ramp(8));
    const stream = await scanArray(container, { path: "a", shape: [8], type: "float64" });
    store(container, "a", ramp(8, 100));
    container.aggregate();
    const options = { path: "a", shape: [8], type: "float64" } as const;
    const now = await batchesOf(container, options);
    expect(placed(now.batches, [8])).toEqual([...ramp(8, 100)]);
    expect(placed(await collect(stream), [8])).toEqual([...ramp(8)]);
    expect(stream.epoch).toBe(first);
    container.aggregate();
    expect(await codeOf(() => scanArray(container, { ...options, epoch: first }))).toBe(
      "DER_EPOCH_GONE",
    );
  });

  test("refuses what makes no sense, and holds nothing then", async () => {
    const { container } = temporaryContainer({ retainCommits: 1 });
    store(container, "d/a", ramp(8));
    const good = { path: "d/a", shape: [8], type: "float64" } as const;
    const code = (wrong: object) =>
      codeOf(() => scanArray(container, { ...good, ...wrong } as ScanArrayOptions));
    expect(await code({ path: "nothing" })).toBe("DER_NONEXIST");
    expect(await code({ path: "d" })).toBe("DER_INVAL");
    expect(await code({ shape: [9] })).toBe("DER_INVAL");
    expect(await code({ shape: [-1] })).toBe("DER_INVAL");
    expect(await code({ shape: [1.5] })).toBe("DER_INVAL");
    expect(await code({ shape: [2 ** 30, 2 ** 30] })).toBe("DER_INVAL");
    expect(await code({ type: "float80" })).toBe("DER_INVAL");
    expect(await code({ offset: 1 })).toBe("DER_INVAL");
    expect(await code({ offset: -8 })).toBe("DER_INVAL");
    expect(await code({ order: "column-major" })).toBe("DER_INVAL");
    expect(await code({ form: "wide" })).toBe("DER_INVAL");
    expect(await code({ batchSize: 0 })).toBe("DER_INVAL");
    expect(await code({ snapshot: "none" })).toBe("DER_NONEXIST");
    store(container, "d/a", ramp(8, 1));
    expect(container.aggregate().bytes).toBe(64);
  });
});

describe("scanArray() of a dataset", () => {
  test("has linear, chunked and compressed ones in both orders", async () => {
    const { container } = temporaryContainer();
    const values = Int32Array.from({ length: 60 }, (_, index) => index * index);
    const shape = [6, 10];
    {
      await using file = await File.open(container, "f.h5", "w");
      const common = { shape, dtype: "int32", data: values } as const;
      await file.createDataset("linear", common);
      // It can grow: chunks of a fixed shape without filters are stored as linear.
      await file.createDataset("chunked", { ...common, chunks: [4, 4], maxShape: [null, 10] });
      await file.createDataset("packed", { ...common, chunks: [4, 4], compression: "gzip" });
      await file.createDataset("other", { ...common, dtype: bigEndian("int32") });
    }
    for (const dataset of ["linear", "chunked", "packed", "other"]) {
      for (const order of ["storage", "row-major"] as const) {
        const { batches } = await batchesOf(container, { path: "f.h5", dataset, order });
        expect(placed(batches, shape)).toEqual([...values]);
      }
    }
    const { batches } = await batchesOf(container, { path: "f.h5", dataset: "packed" });
    expect(batches.map(originOf)).toEqual(
      [0, 4].flatMap((row) => [0, 4, 8].map((column) => [row, column])),
    );
    expect(shapeOf(batches.at(-1) as RecordBatch)).toEqual([2, 2]);
  });

  test("has compound ones as tables, and text", async () => {
    const { container } = temporaryContainer();
    {
      await using file = await File.open(container, "f.h5", "w");
      const type = compoundType({ id: "int32", mass: "float64" });
      const data = { id: Int32Array.of(7, 8, 9), mass: Float64Array.of(0.5, 1.5, 2.5) };
      await file.createDataset("particles", { shape: [3], dtype: type, data });
      await file.createDataset("names", { shape: [2], dtype: "string", data: ["é", "b"] });
    }
    const particles = await batchesOf(container, { path: "f.h5", dataset: "particles" });
    const rows = particles.batches.flatMap((batch) => batch.toArray().map((row) => row.toJSON()));
    expect(rows).toEqual([
      { id: 7, mass: 0.5 },
      { id: 8, mass: 1.5 },
      { id: 9, mass: 2.5 },
    ]);
    const long = await batchesOf(container, { path: "f.h5", dataset: "names", form: "long" });
    expect(long.batches.flatMap((batch) => batch.toArray().map((row) => row.toJSON()))).toEqual([
      { dim_0: 0, value: "é" },
      { dim_0: 1, value: "b" },
    ]);
    expect(await codeOf(() => scanArray(container, { path: "f.h5", dataset: "nothing" }))).toBe(
      "DER_NONEXIST",
    );
    expect(await codeOf(() => scanArray(container, { path: "f.h5", dataset: "/" }))).toBe(
      "DER_INVAL",
    );
  });
});

describe("followArray()", () => {
  test("hands out each version that changes the array, as they come", async () => {
    const { pool, container } = temporaryContainer({ retainCommits: 10 });
    const writer = connectAgain(pool);
    const abort = new AbortController();
    const { signal } = abort;
    const options = { path: "a", shape: [4], type: "float64", signal } as const;
    const seen: unknown[] = [];
    const following = (async () => {
      for await (const step of followArray(container, options)) {
        seen.push(placed(await collect(step), [4])[0]);
        if (seen.length === 1) {
          store(writer, "other", ramp(4));
          store(writer, "a", ramp(4, 20));
        } else if (seen.length === 2) store(writer, "a", ramp(4, 30));
        else abort.abort();
      }
    })();
    // It is not there yet.
    await new Promise((resolve) => setImmediate(resolve));
    store(writer, "a", ramp(4, 10));
    await following;
    expect(seen).toEqual([10, 20, 30]);
  });
});
