/**
 * npm packages: `npm ci` when node_modules is missing or made from another lock file.
 *
 * The stamp lies in node_modules itself, which `npm ci` empties first: a killed `npm ci` leaves no stamp, and
 * whoever deletes node_modules deletes the stamp with it. No dependency needs its install script (lmdb and others
 * carry prebuilt binaries as packages), so none is run; newer versions of npm would block them anyway.
 *
 * @module
 */

import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { hasProgram, runBeside } from "./process.mjs";
import { SetupError, say } from "./report.mjs";
import { digestContents, digestTexts, isStamped, removeStamp, writeStamp } from "./stamp.mjs";

const STEP = "npm packages";

/**
 * Makes node_modules match package-lock.json.
 *
 * @param {string} root Root of the clone.
 * @returns {Promise<void>}
 * @throws {SetupError} If npm is missing or fails.
 */
export async function setUpNpmPackages(root) {
  const stamp = stampPath(root);
  const digest = npmDigest(root);
  if (isStamped(stamp, digest)) return say(STEP, "present");
  const [command, ...prefix] = findNpm();
  say(
    STEP,
    existsSync(join(root, "node_modules"))
      ? "npm ci (unfinished, or made from another lock file)"
      : "npm ci",
  );
  removeStamp(stamp);
  // Development packages are needed to build, whatever NODE_ENV or npm's own settings say.
  const args = ["ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund"];
  const status = await runBeside(command, [...prefix, ...args], { cwd: root });
  if (status !== 0) {
    throw new SetupError(`npm ci failed with status ${status}; its own messages are above.`, [
      "Check that the npm registry can be reached (npm ping), then run the same command again.",
    ]);
  }
  writeStamp(stamp, digest);
}

/**
 * Path of the stamp.
 *
 * @param {string} root Root of the clone.
 * @returns {string}
 */
export function stampPath(root) {
  return join(root, "node_modules", ".daos-setup");
}

/**
 * Digests what node_modules is made from. The packages' manifests count only by what npm reads of them, so that an
 * edited script does not reinstall everything. Binaries differ by platform, hence that too: a clone may be shared.
 *
 * @param {string} root Root of the clone.
 * @returns {string}
 */
export function npmDigest(root) {
  const manifests = ["package.json", "mpi/package.json"].map((name) => {
    const {
      name: own,
      version,
      dependencies,
      devDependencies,
      workspaces,
      bin,
    } = JSON.parse(readFileSync(join(root, name), "utf8"));
    return JSON.stringify([own, version, dependencies, devDependencies, workspaces, bin]);
  });
  const lock = digestContents([join(root, "package-lock.json")]);
  return digestTexts([...manifests, lock, process.platform, process.arch]);
}

/** The npm that started us, else the one on the PATH. */
function findNpm() {
  const own = process.env.npm_execpath;
  if (own !== undefined && basename(own) === "npm-cli.js" && existsSync(own))
    return [process.execPath, own];
  if (hasProgram("npm")) return ["npm"];
  throw new SetupError("npm is not on the PATH.", [
    "Install npm (it comes with Node.js; on Debian: apt-get install npm), then run the same command again.",
  ]);
}
