/**
 * TypeScript: `tsc -b` when a source changed, and outputs without a source removed.
 *
 * `tsc -b` takes more than a second to find that nothing changed; comparing names, sizes and times takes a few
 * milliseconds. The compiler is TypeScript 7, which takes a fifth of the time of TypeScript 6; that one is installed
 * beside it for what needs a compiler as a library, such as the documentation. tsc does not delete what it made from a
 * source that is gone, and npm would pack it.
 *
 * @module
 */

import { existsSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { runBeside } from "./process.mjs";
import { SetupError, say } from "./report.mjs";
import {
  digestTexts,
  digestTimes,
  isStamped,
  listFiles,
  removeStamp,
  writeStamp,
} from "./stamp.mjs";

const STEP = "TypeScript";
const SOURCE_FOLDERS = ["core", "adapters", "mpi", "cli", "examples", "bench"];
const SETTINGS = ["tsconfig.json", "tsconfig.base.json", "mpi/tsconfig.json", "package-lock.json"];
const OUTPUT_SUFFIX = /\.(js|js\.map|d\.ts)$/;

/**
 * Makes dist match the sources.
 *
 * @param {string} root Root of the clone.
 * @returns {Promise<void>}
 * @throws {SetupError} If tsc reports errors.
 */
export async function buildTypeScript(root) {
  const stamp = join(root, "dist", ".daos-setup");
  const digest = sourceDigest(root);
  if (isStamped(stamp, digest)) return say(STEP, "present");
  say(STEP, "tsc -b");
  removeStamp(stamp);
  removeOrphans(root, "dist", ".");
  removeOrphans(root, "mpi/dist", "mpi");
  const tsc = join(root, "node_modules", "typescript-7", "bin", "tsc");
  const status = await runBeside(process.execPath, [tsc, "-b"], { cwd: root });
  if (status !== 0) {
    throw new SetupError(`tsc -b failed with status ${status}; its own messages are above.`, [
      "Correct the sources, then run the same command again.",
    ]);
  }
  writeStamp(stamp, digest);
}

function sourceDigest(root) {
  const isSource = (name) => name.endsWith(".ts");
  const sources = SOURCE_FOLDERS.flatMap((folder) => listFiles(join(root, folder), isSource));
  const settings = SETTINGS.map((name) => join(root, name)).filter((file) => existsSync(file));
  return digestTexts([digestTimes(root, [...sources, ...settings])]);
}

/** Removes outputs whose source is gone. tsc finds the rest of its outputs by its own build information. */
function removeOrphans(root, outputs, sources) {
  const folder = join(root, outputs);
  for (const file of listFiles(folder, (name) => OUTPUT_SUFFIX.test(name))) {
    const source = join(root, sources, relative(folder, file).replace(OUTPUT_SUFFIX, ".ts"));
    if (!existsSync(source)) rmSync(file);
  }
}
