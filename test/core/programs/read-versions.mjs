/**
 * Reads the newest version again and again and checks that it is whole; ends with status 1 and a line
 * on stderr if it is not. Holds one older view open all the while and checks that it stays the same.
 *
 *     node read-versions.mjs <pool> <count of writers>
 *
 * @module
 */

import { Pool } from "../../../dist/core/index.js";
import { checkVersion } from "./versions.mjs";

const [path, writersText] = process.argv.slice(2);
const writers = Array.from({ length: Number(writersText) }, (_, writer) => writer);
const pool = Pool.connect(path, { mode: "ro" });
const container = pool.openContainer("c");
const versionsOf = (view) => writers.map((writer) => checkVersion(view, writer)).join();

for (;;) {
  const held = container.view();
  const versions = versionsOf(held);
  for (let round = 0; round < 20; round++) {
    const view = container.view();
    versionsOf(view);
    view.close();
    if (versionsOf(held) !== versions) throw new Error("a pinned version changed");
  }
  held.close();
}
