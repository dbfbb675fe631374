/**
 * Set-up: makes a fresh clone, or an installed package, ready to run. Plain JavaScript without dependencies.
 *
 *     node cli/setup/main.mjs start     everything that `npm start` needs
 *     node cli/setup/main.mjs test      the same, and what only test suites use
 *     node cli/setup/main.mjs build     npm packages and TypeScript only: for packing and documentation
 *     daos setup [--system]             in an installed package: native parts, and Debian packages if asked
 *
 * Order: ownership; system packages; then side by side the Python environment, and npm packages followed by native
 * parts and TypeScript, which need nothing of each other. A step that fails lets those beside it come to their end.
 *
 * Invariants:
 *
 * 1. Idempotent: each step compares a stamp with its inputs and does nothing if they agree.
 * 2. Killed anywhere, the next run goes on: stamps are written last, by rename (stamp.mjs).
 * 3. One at a time per folder (lock.mjs).
 *
 * @module
 */

import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setUpInteropVenv } from "./interop-venv.mjs";
import { restartUnderLock } from "./lock.mjs";
import { buildNativeParts } from "./native-build.mjs";
import { setUpNpmPackages } from "./npm-packages.mjs";
import { checkOwnership } from "./ownership.mjs";
import { allDone, reportFailure, SetupError } from "./report.mjs";
import { setUpSystemPackages } from "./system-packages.mjs";
import { buildTypeScript } from "./typescript-build.mjs";

const NODE_MAJOR_MIN = 20;

/** Root of the package: two folders up from here, in a clone and in an installed package alike. */
const ROOT = dirname(dirname(dirname(realpathSync(fileURLToPath(import.meta.url)))));

/**
 * Sets up a clone.
 *
 * @param {"start" | "test" | "build"} purpose What it shall be ready for.
 * @param {string} [root] Root of the clone.
 * @throws {SetupError} If a step cannot go on.
 */
export async function setUpClone(purpose, root = ROOT) {
  const forTests = purpose === "test";
  if (purpose !== "build") setUpSystemPackages({ forTests, skip: skipsSystem() });
  const build = async () => {
    await setUpNpmPackages(root);
    await allDone([
      buildTypeScript(root),
      ...(purpose === "build" ? [] : [buildNativeParts(root)]),
    ]);
  };
  await allDone([build(), ...(forTests ? [setUpInteropVenv(root)] : [])]);
}

/**
 * Sets up an installed package: builds its native parts.
 *
 * @param {{system?: boolean, force?: boolean}} [options] `system` also installs Debian packages; `force` builds
 *   again what is there.
 * @returns {Promise<number>} Exit status; failures have been printed.
 */
export async function setUpInstalled({ system = false, force = false } = {}) {
  try {
    if (system) setUpSystemPackages({ forTests: false, skip: skipsSystem() });
    await buildNativeParts(ROOT, { force });
    return 0;
  } catch (error) {
    return reportFailure(error);
  }
}

function skipsSystem() {
  return !["", "0", undefined].includes(process.env.DAOS_SETUP_NO_SYSTEM);
}

/** @returns {Promise<number>} Exit status. */
async function main(purpose) {
  try {
    if (!["start", "test", "build"].includes(purpose)) {
      throw new SetupError(`Unknown purpose ${JSON.stringify(purpose)}.`, [
        "Use one of: start, test, build.",
      ]);
    }
    if (Number(process.versions.node.split(".")[0]) < NODE_MAJOR_MIN) {
      throw new SetupError(
        `This is Node.js ${process.versions.node}; version ${NODE_MAJOR_MIN} is the oldest that works.`,
        ["Install a newer Node.js, then run the same command again."],
      );
    }
    checkOwnership(ROOT);
    const status = restartUnderLock(join(ROOT, "build", ".setup-lock"));
    if (status !== undefined) return status;
    await setUpClone(purpose);
    return 0;
  } catch (error) {
    return reportFailure(error);
  }
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))
) {
  process.exitCode = await main(process.argv[2]);
}
