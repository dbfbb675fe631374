/**
 * Elements by their places, in any order: what masks and points select.
 *
 *     dense    the rows from the first to the last one are read at once, and the elements picked in memory
 *     sparse   each run of neighbours is read for itself
 *
 * @module
 */

import { product, type Region, rangeAxis } from "../region.js";
import type { StoredDataset } from "./stored-dataset.js";

/** Elements that are read for each one that is wanted, at most; beyond it runs are read. */
const READ_PER_WANTED_MAX = 16;
/** Bytes that are read at once however few are wanted: a call costs as much. */
const READ_ANYWAY_SIZE = 64 * 1024;
/** Bytes that are read at once, at most. */
const READ_AT_ONCE_SIZE = 32 * 1024 * 1024;

/** Neighbours: places `[first, first + count)` of one row. */
interface Run {
  readonly first: number;
  readonly count: number;
  /** Place of the first in the sorted list. */
  readonly at: number;
}

/** Places in increasing order, and which of the given ones each is. */
interface Sorted {
  readonly places: Float64Array;
  /** `undefined` if they were given in this order. */
  readonly order: Uint32Array | undefined;
}

function sortPlaces(offsets: Float64Array): Sorted {
  let isSorted = true;
  for (let index = 1; index < offsets.length && isSorted; index++) {
    isSorted = (offsets[index - 1] as number) <= (offsets[index] as number);
  }
  if (isSorted) return { places: offsets, order: undefined };
  const order = Uint32Array.from(offsets.keys());
  // Equal places stay in their order: the last one written counts.
  order.sort((a, b) => (offsets[a] as number) - (offsets[b] as number) || a - b);
  return { places: Float64Array.from(order, (index) => offsets[index] as number), order };
}

function runsOf(places: Float64Array, rowLength: number): Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < places.length; ) {
    const first = places[at] as number;
    const rowEnd = (Math.floor(first / rowLength) + 1) * rowLength;
    let count = 1;
    while (places[at + count] === first + count && first + count < rowEnd) count++;
    runs.push({ first, count, at });
    at += count;
  }
  return runs;
}

/** The region of neighbours of a row. */
function runRegion(
  { first, count }: Pick<Run, "first" | "count">,
  extents: readonly number[],
): Region {
  const region: Region[number][] = [];
  let rest = first;
  for (let dimension = extents.length - 1; dimension >= 0; dimension--) {
    const extent = extents[dimension] as number;
    const isLast = dimension === extents.length - 1;
    region.unshift(rangeAxis(rest % extent, isLast ? count : 1));
    rest = Math.floor(rest / extent);
  }
  return region;
}

/** All of the rows `[from, to)` of the first dimension. */
function rowsRegion(from: number, to: number, extents: readonly number[]): Region {
  return extents.map((extent, dimension) =>
    dimension === 0 ? rangeAxis(from, to - from) : rangeAxis(0, extent),
  );
}

async function readDense(
  dataset: StoredDataset,
  places: Float64Array,
  target: Uint8Array,
): Promise<boolean> {
  const { extents, itemSize } = dataset;
  const pitch = product(extents.slice(1));
  const from = Math.floor((places[0] as number) / pitch);
  const to = Math.floor((places.at(-1) as number) / pitch) + 1;
  const size = (to - from) * pitch * itemSize;
  const worth = Math.max(READ_ANYWAY_SIZE, places.length * itemSize * READ_PER_WANTED_MAX);
  if (size > Math.min(worth, READ_AT_ONCE_SIZE)) return false;
  const rows = new Uint8Array(size);
  await dataset.readStored(rowsRegion(from, to, extents), rows);
  const shift = from * pitch;
  for (let index = 0; index < places.length; index++) {
    const source = ((places[index] as number) - shift) * itemSize;
    const at = index * itemSize;
    for (let byte = 0; byte < itemSize; byte++) target[at + byte] = rows[source + byte] as number;
  }
  return true;
}

/** Moves elements from the order of their places to that in which they were asked for, or back. */
function permute(
  source: Uint8Array,
  order: Uint32Array,
  itemSize: number,
  direction: "given" | "sorted",
): Uint8Array {
  const target = new Uint8Array(source.length);
  for (const [place, given] of order.entries()) {
    const [from, to] = direction === "given" ? [place, given] : [given, place];
    target.set(source.subarray(from * itemSize, (from + 1) * itemSize), to * itemSize);
  }
  return target;
}

/** Reads elements as they are stored, in the order in which they are asked for. */
export async function readPoints(
  dataset: StoredDataset,
  offsets: Float64Array,
): Promise<Uint8Array> {
  const { extents, itemSize } = dataset;
  const bytes = new Uint8Array(offsets.length * itemSize);
  if (offsets.length === 0) return bytes;
  const { places, order } = sortPlaces(offsets);
  if (!(await readDense(dataset, places, bytes))) {
    for (const run of runsOf(places, extents.at(-1) ?? 1)) {
      const target = bytes.subarray(run.at * itemSize, (run.at + run.count) * itemSize);
      await dataset.readStored(runRegion(run, extents), target);
    }
  }
  return order === undefined ? bytes : permute(bytes, order, itemSize, "given");
}

/** Writes elements as they are to be stored; of those that are given twice, the last one counts. */
export async function writePoints(
  dataset: StoredDataset,
  offsets: Float64Array,
  bytes: Uint8Array,
): Promise<void> {
  const { extents, itemSize } = dataset;
  const { places, order } = sortPlaces(offsets);
  const sorted = order === undefined ? bytes : permute(bytes, order, itemSize, "sorted");
  for (const run of runsOf(places, extents.at(-1) ?? 1)) {
    const source = sorted.subarray(run.at * itemSize, (run.at + run.count) * itemSize);
    await dataset.writeStored(runRegion(run, extents), source);
  }
}
