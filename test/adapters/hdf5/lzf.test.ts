/**
 * LZF: what goes in comes out, here and in h5py; bytes that are no LZF are refused.
 */

import { join } from "node:path";
import { expect, test } from "@jest/globals";
import {
  type DatasetDescription,
  File,
  integerType,
  type SourceDataset,
  storeSource,
  writeH5,
} from "daos-ts/hdf5";
import fc from "fast-check";
import { debianH5py, describeH5py, type H5py } from "../../support/h5py.ts";
import { runProgram } from "../../support/processes.ts";
import { fcOptions } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { codeOf, temporaryContainer } from "../temporary-container.ts";

const CHUNK_SIZE = 700;
const LZF = { id: 32000, name: "lzf", isOptional: true, parameters: [4, 261, CHUNK_SIZE] };

/** Bytes in chunks under LZF. */
function description(size: number): DatasetDescription {
  return {
    type: integerType(1, false),
    committedType: undefined,
    space: { kind: "simple", shape: [size], maxShape: [size] },
    layout: { kind: "chunked", chunkShape: [CHUNK_SIZE] },
    filters: [LZF],
    fill: { allocation: "incremental", time: "ifset", value: undefined },
  };
}

/** Few letters and repeated pieces, so that there is much to find. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      fc.uint8Array({ minLength: 1, maxLength: 900, max: 1 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 5 }), fc.nat({ max: 400 }))
        .map(([piece, times]) => Buffer.concat(Array(times + 1).fill(piece))),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => Uint8Array.from(Buffer.concat(parts)));

/** Stores bytes and returns the dataset, as a reader sees it. */
async function stored(bytes: Uint8Array): Promise<{ file: File; dataset: SourceDataset }> {
  const { container } = temporaryContainer();
  const file = await File.open(container, "a.h5", "w");
  const made = file.stored.createDataset("x", description(bytes.length));
  await made.write({ start: [0], shape: [bytes.length] }, { bytes, heap: [] });
  await file.close();
  const again = await File.open(container, "a.h5");
  const root = await storeSource(again).root();
  for await (const link of root.links()) {
    if (link.kind === "hard") return { file: again, dataset: (await link.open()) as SourceDataset };
  }
  throw new Error("the dataset is not there");
}

test("LZF gives back what was written, and makes what repeats smaller", async () => {
  await fc.assert(
    fc.asyncProperty(content, async (bytes) => {
      const { file, dataset } = await stored(bytes);
      const read = await dataset.read({ start: [0], shape: [bytes.length] });
      expect(Buffer.compare(read.bytes, bytes)).toBe(0);
      await file.close();
    }),
    fcOptions(30),
  );
  const { file, dataset } = await stored(new Uint8Array(10 * CHUNK_SIZE).fill(7));
  expect(dataset.storedSize).toBeLessThan(300);
  await file.close();
});

test.each([
  ["ends within literals", [5, 1, 2]],
  ["repeats what is not there", [0, 1, 0x20, 9]],
  ["ends within a repetition", [0, 1, 0xe0]],
  ["is too large", Array(2000).fill([0, 1, 0xff, 0xff, 0]).flat()],
  ["is too small", [0, 1]],
])("a chunk that %s is refused", async (_, bytes) => {
  const { container } = temporaryContainer();
  await using file = await File.open(container, "a.h5", "w");
  const made = file.stored.createDataset("x", description(CHUNK_SIZE));
  await made.writeStoredChunk({ start: [0], filterMask: 0, bytes: Uint8Array.from(bytes) });
  await file.flush();
  const root = await storeSource(file).root();
  for await (const link of root.links()) {
    const dataset = (await (link as { open(): Promise<unknown> }).open()) as SourceDataset;
    const code = await codeOf(() => dataset.read({ start: [0], shape: [CHUNK_SIZE] }));
    expect(code).toBe("DER_DF_INVAL");
  }
});

describeH5py("LZF in h5py", () => {
  test("is read as it was written", async () => {
    const pieces = fc.sample(content, { numRuns: 40, ...fcOptions(40) });
    const bytes = Uint8Array.from(Buffer.concat(pieces));
    const { file } = await stored(bytes);
    const path = join(temporaryDirectory(), "a.h5");
    await writeH5(storeSource(file), path);
    await file.close();
    const program = `
import h5py, sys
with h5py.File(sys.argv[1]) as f:
    x = f["x"]
    assert x.compression == "lzf", x.compression
    sys.stdout.write(x[...].tobytes().hex())`;
    const { python } = debianH5py as H5py;
    const { status, stdout, stderr } = runProgram(python, ["-c", program, path]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toBe(Buffer.from(bytes).toString("hex"));
  });
});
