/**
 * One set-up at a time in one clone: `npm start` and `npm test` may be started together.
 *
 * Node has no file locks, util-linux has: the set-up starts itself again under flock(1). The kernel gives the lock
 * back when the last process that inherited it is gone, so that a killed set-up never blocks the next one, while an
 * `npm ci` that outlives its killed parent still does.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { hasProgram } from "./process.mjs";
import { SetupError, say } from "./report.mjs";

const CONFLICT_STATUS = 75;
const WAIT_SECONDS_MAX = 20 * 60;
const HELD = "DAOS_SETUP_LOCK_HELD";

/**
 * Starts this program again while holding the lock, unless it holds it already or there is no flock(1).
 *
 * @param {string} lock Path of the lock file, which is never removed.
 * @returns {number | undefined} The exit status of the second start; undefined if the caller should go on itself.
 * @throws {SetupError} If another set-up held the lock for 20 minutes.
 */
export function restartUnderLock(lock) {
  if (process.env[HELD] === lock || !hasProgram("flock")) return undefined;
  mkdirSync(dirname(lock), { recursive: true });
  const first = startLocked(lock, ["--nonblock"]);
  if (first !== CONFLICT_STATUS) return first;
  say("lock", "waiting for another set-up of the same folder");
  const second = startLocked(lock, ["--wait", String(WAIT_SECONDS_MAX)]);
  if (second !== CONFLICT_STATUS) return second;
  throw new SetupError(`Another set-up has held ${lock} for 20 minutes.`, [
    "Wait for it or end it, then run the same command again.",
  ]);
}

function startLocked(lock, options) {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const args = [
    "--exclusive",
    "--conflict-exit-code",
    String(CONFLICT_STATUS),
    ...options,
    lock,
    ...again,
  ];
  const child = spawnSync("flock", args, {
    stdio: "inherit",
    env: { ...process.env, [HELD]: lock },
  });
  return child.status ?? 1;
}
