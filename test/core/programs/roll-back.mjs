/**
 * Prints a line, then rolls a container back to a snapshot.
 *
 *     node roll-back.mjs <pool> <snapshot>
 *
 * @module
 */

import { writeSync } from "node:fs";
import { Pool } from "../../../dist/core/index.js";

const [path, snapshot] = process.argv.slice(2);
const container = Pool.connect(path).openContainer("c");
writeSync(1, "rolling\n");
container.rollback({ snapshot });
writeSync(1, "done\n");
