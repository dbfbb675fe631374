/**
 * Imports a file: `node import.mjs <pool> <container> <source> <path>`. Prints a line when it begins to write, and
 * one with the epoch when it is done.
 */

import { Pool } from "daos-ts";
import { importH5, openH5File } from "daos-ts/hdf5";

const [pool, container, file, path] = process.argv.slice(2);
const connected = Pool.connect(pool);
const source = await openH5File(file);
let bytes = 0;
const { epoch } = await importH5(source, connected.openContainer(container), path, {
  advance: (count) => {
    if (bytes === 0) console.log("begun");
    bytes += count;
  },
});
await source.close();
connected.close();
console.log(JSON.stringify({ epoch: String(epoch), bytes, rss: process.resourceUsage().maxRSS }));
