/**
 * Aggregates a container in steps, again and again, until it is killed; prints a line for each pass that has
 * copied something.
 *
 *     node compact.mjs <pool>
 *
 * @module
 */

import { writeSync } from "node:fs";
import { Pool } from "../../../dist/core/index.js";

const pool = Pool.connect(process.argv[2]);
const container = pool.openContainer("c");
for (;;) {
  let copied = 0;
  for (const step of container.aggregateSteps({ stepMs: 1 })) copied += step.copied;
  if (copied > 0) writeSync(1, `${copied}\n`);
}
