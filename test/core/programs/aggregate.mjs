/**
 * Aggregates a container again and again until it is killed; prints a line when it begins.
 *
 *     node aggregate.mjs <pool>
 *
 * @module
 */

import { writeSync } from "node:fs";
import { Pool } from "../../../dist/core/index.js";

const container = Pool.connect(process.argv[2]).openContainer("c");
writeSync(1, "aggregating\n");
for (;;) container.aggregate();
