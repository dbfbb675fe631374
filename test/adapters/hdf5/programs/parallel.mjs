/**
 * Files that all ranks open together. Usage: parallel.mjs <pool>
 *
 * Each rank prints a JSON line for each case, which has a container of its own. What the cases write is known to
 * parallel.test.ts.
 */

import { writeSync } from "node:fs";
import { Pool } from "daos-ts";
import { File, slice } from "daos-ts/hdf5";
import { world } from "daos-ts/mpi-io";

const [path] = process.argv.slice(2);
const comm = world();
const { rank, size } = comm;
const pool = Pool.connect(path);
let what;
let container;
const print = (line) => writeSync(1, `${JSON.stringify({ rank, what, ...line })}\n`);

/** The indices [first, last) of a rank, when `count` of them are shared out. */
function share(count, of = rank) {
  return [Math.floor((count * of) / size), Math.floor((count * (of + 1)) / size)];
}

/** Each rank writes its columns, whose borders are not those of chunks, then reads those of the next rank. */
async function writeColumns(options) {
  const shape = [20, 30];
  const file = await File.open(container, "a.h5", "w", { comm });
  const dataset = await file.createDataset("g/d", { shape, dtype: "int32", ...options });
  await dataset.attrs.set("ranks", size);
  const [first, last] = share(30);
  const data = Int32Array.from({ length: 20 * (last - first) }, (_, place) => {
    const [row, column] = [Math.floor(place / (last - first)), place % (last - first)];
    return row * 30 + first + column;
  });
  await dataset.write(data, [null, slice(first, last)]);
  const own = await dataset.read([null, slice(first, last)]);
  const epoch = await file.flush();
  const [next, end] = share(30, (rank + 1) % size);
  const other = await dataset.read([3, slice(next, end)]);
  const expected = Array.from({ length: end - next }, (_, index) => 90 + next + index);
  const seesOwn = own.data.every((value, place) => value === data[place]);
  const seesOther = String([...other.data]) === String(expected);
  await file.close();
  print({ epoch: `${epoch}`, seesOwn, seesOther });
}

const cases = {
  contiguous: () => writeColumns({}),
  chunked: () => writeColumns({ chunks: [7, 4], fillValue: -1, maxShape: [null, null] }),
  compressed: () =>
    writeColumns({ chunks: [7, 4], compression: "gzip", shuffle: true, fletcher32: true }),

  /** Text of any length, by ranks that have some; rank 0 writes nothing. */
  async text() {
    const file = await File.open(container, "a.h5", "a", { comm });
    const dataset = await file.createDataset("t", {
      shape: [8],
      dtype: "string",
      chunks: [3],
      compression: "gzip",
    });
    if (rank > 0) {
      // With one rank, nobody writes.
      for (let index = rank - 1; index < 8; index += size - 1)
        await dataset.write(`of ${index}`, [index]);
    }
    const epoch = await file.flush();
    print({ epoch: `${epoch}`, text: (await dataset.read()).data });
    await file.close();
  },

  /** All that changes metadata, by all ranks alike. */
  async metadata() {
    const file = await File.open(container, "a.h5", "w", { comm, trackOrder: true });
    const d = await file.createDataset("d", {
      data: Int8Array.of(1, 2, 3),
      maxShape: [null],
      chunks: [2],
    });
    const z = await file.createGroup("z");
    await z.createDataset("e", { dtype: "float64", shape: [4] });
    await file.link("again", d);
    await file.attrs.set("refs", [d.ref, z.ref]);
    await file.flush();
    await d.resize([2 + size]);
    await d.write(10 + rank, [2 + rank]);
    await file.move("z", "y");
    await file.copy("y", "x");
    await file.delete("y");
    await file.flush();
    if (rank === size - 1) await d.write(99, [0]);
    await d.resize([3]);
    await d.resize([4]);
    const e = await file.get("x/e");
    await e.write(rank, [rank % 4]);
    await file.close();
    const again = await File.open(container, "a.h5", "r", { comm });
    const names = await again.keys();
    const { data } = await (await again.get("d")).read();
    print({ names, data: [...data], e: [...(await (await again.get("x/e")).read()).data] });
    await again.close();
  },

  /** The last rank fails to write: the flush fails on all, and the next one works. */
  async failure() {
    const file = await File.open(container, "a.h5", "w", { comm });
    const dataset = await file.createDataset("d", { shape: [size], dtype: "int32" });
    await file.flush();
    const codes = [];
    await dataset.write(1, [rank]);
    if (rank === size - 1) await file.session.abort();
    await dataset.write(2, [rank]).catch(({ code }) => codes.push(code));
    await file.flush().catch(({ code }) => codes.push(code));
    await dataset.write(3 + rank, [rank]);
    await file.flush();
    print({ codes, data: [...(await dataset.read()).data] });
    await file.close();
  },

  /** What readers see beside a job that writes. */
  async reader() {
    const file = await File.open(container, "a.h5", "w", { comm });
    const dataset = await file.createDataset("d", { shape: [size], dtype: "int32" });
    await file.flush();
    const reader = await File.open(container, "a.h5", "r", { comm });
    const seen = [];
    for (let step = 1; step <= 3; step++) {
      await dataset.write(step, [rank]);
      await file.flush();
      const now = await File.open(container, "a.h5", "r", { comm });
      seen.push([...(await (await now.get("d")).read()).data]);
      await now.close();
    }
    print({ seen, kept: [...(await (await reader.get("d")).read()).data] });
    await reader.close();
    await file.close();
  },
};

for (const [name, run] of Object.entries(cases)) {
  what = name;
  container = pool.openContainer(name);
  await run();
}
pool.close();
