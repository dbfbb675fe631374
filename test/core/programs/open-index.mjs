/**
 * Opens a pool whose index may be damaged, reads and writes; prints the code of the error that it met, or
 * `fine`. Run as a program of its own, since damage that is not noticed can end the process.
 *
 *     node open-index.mjs <pool>
 *
 * @module
 */

import { isDaosError, Pattern, Pool, wholeOf } from "../../../dist/core/index.js";

try {
  const pool = Pool.connect(process.argv[2]);
  const container = pool.openContainer("c");
  const view = container.view();
  view.readBytes(1n, 0, 100);
  container.update((tx) => {
    tx.write(1n, wholeOf(Pattern.contiguous(0, 100)), new Uint8Array(100), 0n);
  });
  pool.query();
  pool.close();
  console.log("fine");
} catch (error) {
  if (!isDaosError(error)) throw error;
  console.log(error.code);
}
