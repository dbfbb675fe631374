/**
 * Prints what a pool holds, as JSON; see contents.mjs.
 *
 *     node show-contents.mjs <pool> <ro or rw>
 *
 * @module
 */

import { Pool } from "../../../dist/core/index.js";
import { contentsOf } from "./contents.mjs";

const [path, mode] = process.argv.slice(2);
const pool = Pool.connect(path, { mode });
process.stdout.write(JSON.stringify(contentsOf(pool)));
pool.close();
