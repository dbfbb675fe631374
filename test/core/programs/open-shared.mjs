/**
 * Opens handles that another process shared, tells of them in a line of JSON, then waits for the end of stdin.
 *
 *     node open-shared.mjs <pool handle in base64> <container handle in base64>
 *
 * @module
 */

import { isDaosError, Pool } from "../../../dist/core/index.js";

const [poolBytes, containerBytes] = process.argv
  .slice(2)
  .map((word) => new Uint8Array(Buffer.from(word, "base64")));
const codeOf = (run) => {
  try {
    run();
    return "none";
  } catch (error) {
    if (isDaosError(error)) return error.code;
    throw error;
  }
};
const pool = Pool.fromGlobal(poolBytes);
const container = pool.containerFromGlobal(containerBytes);
const told = {
  path: pool.path,
  readOnly: [pool.readOnly, container.readOnly],
  label: container.label,
  openHandles: pool.query().openHandles,
  write: codeOf(() => container.update((tx) => tx.punch(1n))),
  attributes: codeOf(() => pool.getAttributes()),
  acl: codeOf(() => pool.getAcl()),
  create: codeOf(() => pool.createContainer("made")),
};
console.log(JSON.stringify(told));
process.stdin.resume();
