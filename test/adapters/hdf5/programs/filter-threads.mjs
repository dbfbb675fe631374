/**
 * Writes and reads so much at once that filters work in threads, and then does nothing more: the process must end.
 *
 *     node filter-threads.mjs <folder>
 */

import { join } from "node:path";
import { Pool } from "daos-ts";
import { File, integerType, localFilters } from "daos-ts/hdf5";

const COUNT = 8 << 20;
const [folder] = process.argv.slice(2);
const pool = Pool.create({ path: join(folder, "pool"), durability: "process" });
const file = await File.open(pool.createContainer("tests"), "a.h5", "w");
const type = integerType(1, false);
const chunkShape = [256 << 10];
const fill = { allocation: "incremental", time: "ifset", value: undefined };
const asked = [{ id: 1, name: "", isOptional: true, parameters: [1] }];
const filters = localFilters(asked, { type, chunkShape, fill });
const space = { kind: "simple", shape: [COUNT], maxShape: [COUNT] };
const layout = { kind: "chunked", chunkShape };
const description = { type, committedType: undefined, space, layout, filters, fill };
const dataset = file.stored.createDataset("x", description);
const bytes = new Uint8Array(COUNT).fill(7);
await dataset.write({ start: [0], shape: [COUNT] }, { bytes, heap: [] });
await file.flush();
const read = await dataset.read({ start: [0], shape: [COUNT] });
console.log(Buffer.compare(read.bytes, bytes) === 0 ? "same" : "differs");
await file.close();
pool.close();
