/**
 * Filters of many chunks at once: threads make the same chunks as the thread that calls, carry errors over, and do
 * not keep the process alive.
 */

import { join } from "node:path";
import { expect, test } from "@jest/globals";
import {
  type DatasetDescription,
  File,
  type FilterDescription,
  integerType,
  localFilters,
  openH5File,
  registerFilter,
  type SourceDataset,
  storeSource,
  writeH5,
} from "daos-ts/hdf5";
import { runProgram } from "../../support/processes.ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

/** Elements: so many bytes are filtered in threads. */
const COUNT = 1 << 20;
const ITEM_SIZE = 8;
const CHUNK = 30_000;
const WHOLE = { start: [0], shape: [COUNT] };

const ask = (id: number, ...parameters: number[]): FilterDescription => {
  return { id, name: "", isOptional: false, parameters };
};

function description(asked: readonly FilterDescription[]): DatasetDescription {
  const type = integerType(ITEM_SIZE, true);
  const fill = { allocation: "incremental", time: "ifset", value: undefined } as const;
  const filters = localFilters(asked, { type, chunkShape: [CHUNK], fill });
  return {
    ...{ type, filters, fill, committedType: undefined },
    space: { kind: "simple", shape: [COUNT], maxShape: [COUNT] },
    layout: { kind: "chunked", chunkShape: [CHUNK] },
  };
}

function elements(): Uint8Array {
  const values = BigInt64Array.from({ length: COUNT }, (_, at) => BigInt((at * at) % 1000));
  return new Uint8Array(values.buffer);
}

async function onlyDataset(source: ReturnType<typeof storeSource>): Promise<SourceDataset> {
  for await (const link of (await source.root()).links()) {
    if (link.kind === "hard") return (await link.open()) as SourceDataset;
  }
  throw new Error("there is none");
}

const same = (first: Uint8Array, second: Uint8Array) => Buffer.compare(first, second) === 0;

test("a large write makes the same chunks as small ones, and all of them are read", async () => {
  const { container } = temporaryContainer();
  const bytes = elements();
  const asked = [ask(2), ask(1, 1), ask(3)];
  await using large = await File.open(container, "large.h5", "w");
  await using small = await File.open(container, "small.h5", "w");
  const atOnce = large.stored.createDataset("x", description(asked));
  await atOnce.write(WHOLE, { bytes, heap: [] });
  await large.flush();
  const inParts = small.stored.createDataset("x", description(asked));
  for (let start = 0; start < COUNT; start += CHUNK) {
    const shape = [Math.min(CHUNK, COUNT - start)];
    const part = bytes.subarray(start * ITEM_SIZE, (start + CHUNK) * ITEM_SIZE);
    await inParts.write({ start: [start], shape }, { bytes: part, heap: [] });
  }
  await small.flush();
  const chunksOf = async (file: File) => {
    const chunks: string[] = [];
    for await (const { start, bytes: stored } of (
      await onlyDataset(storeSource(file))
    ).storedChunks() ?? []) {
      chunks.push(`${start} ${Buffer.from(stored).toString("base64")}`);
    }
    return chunks;
  };
  const chunks = await chunksOf(large);
  expect(chunks.length).toBe(Math.ceil(COUNT / CHUNK));
  expect(chunks).toEqual(await chunksOf(small));
  expect(same((await atOnce.read(WHOLE)).bytes, bytes)).toBe(true);
  const path = join(temporaryDirectory(), "a.h5");
  await writeH5(storeSource(large), path);
  const source = await openH5File(path);
  const read = await (await onlyDataset(source)).read(WHOLE);
  expect(same(read.bytes, bytes)).toBe(true);
  await source.close();
});

test("parts of many chunks are written in threads when they are flushed", async () => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const made = file.stored.createDataset("x", description([ask(32015, 1)]));
  const bytes = elements();
  // No chunk is written as a whole: all stay in memory until the flush.
  const half = CHUNK / 2;
  for (let start = 0; start < COUNT; start += half) {
    const shape = [Math.min(half, COUNT - start)];
    const part = bytes.subarray(start * ITEM_SIZE, (start + half) * ITEM_SIZE);
    await made.write({ start: [start], shape }, { bytes: part, heap: [] });
  }
  await file.flush();
  expect(same((await made.read(WHOLE)).bytes, bytes)).toBe(true);
});

test("a damaged chunk among many is refused by its own error", async () => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const made = file.stored.createDataset("x", description([ask(3)]));
  await made.write(WHOLE, { bytes: elements(), heap: [] });
  await file.flush();
  const start = [3 * CHUNK];
  const size = CHUNK * ITEM_SIZE;
  await made.writeStoredChunk({ start, filterMask: 0, bytes: new Uint8Array(size + 4).fill(1) });
  const error = await made.read(WHOLE).then(
    () => undefined,
    (thrown: { code: string; facts: object }) => thrown,
  );
  expect(error?.code).toBe("DER_CSUM");
  expect(Object.keys(error?.facts ?? {}).sort()).toEqual(["computed", "stored"]);
  await made.writeStoredChunk({ start, filterMask: 1, bytes: new Uint8Array(size - 9) });
  expect(await codeOf(() => made.read(WHOLE))).toBe("DER_DF_INVAL");
  // The threads go on.
  await made.writeStoredChunk({ start, filterMask: 1, bytes: new Uint8Array(size).fill(9) });
  const { bytes } = await made.read({ start, shape: [1] });
  expect(same(bytes, new Uint8Array(8).fill(9))).toBe(true);
  expect((await made.read(WHOLE)).bytes.length).toBe(COUNT * ITEM_SIZE);
});

test("a filter of the program's own is used for many chunks too", async () => {
  let count = 0;
  const invert = (bytes: Uint8Array) => {
    count++;
    return bytes.map((byte) => ~byte);
  };
  registerFilter({ id: 300, name: "invert", encode: invert, decode: invert });
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const made = file.stored.createDataset("x", description([ask(300)]));
  const bytes = elements();
  await made.write(WHOLE, { bytes, heap: [] });
  await file.flush();
  expect(count).toBe(Math.ceil(COUNT / CHUNK));
  expect(same((await made.read(WHOLE)).bytes, bytes)).toBe(true);
});

test("threads do not keep the process alive", () => {
  const program = join(root, "test", "adapters", "hdf5", "programs", "filter-threads.mjs");
  const outcome = runProgram(process.execPath, [program, temporaryDirectory()], {
    timeoutMs: 30_000,
  });
  expect(outcome).toEqual({ status: 0, stdout: "same\n", stderr: "" });
});
