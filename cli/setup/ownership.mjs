/**
 * Folders that the set-up writes to, and whose they are.
 *
 * The usual accident: a first `sudo npm start`, then `npm start` as oneself. npm and tsc then fail with a page of
 * EACCES. This step finds it first, and says which command repairs it.
 *
 * @module
 */

import { accessSync, constants, lstatSync, readdirSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { notice, SetupError } from "./report.mjs";

/** Everything that the set-up makes below the root of a clone. */
const FOLDERS = ["node_modules", "dist", "build", "mpi/dist", "mpi/build", ".venv-interop", "out"];

/**
 * Checks that this user can change what the set-up makes.
 *
 * Looks at the folders and their direct children: a root-owned file deeper down comes with a root-owned parent.
 *
 * @param {string} root Root of the clone.
 * @param {number} [uid] User to check for.
 * @throws {SetupError} If a folder or one of its children belongs to somebody else.
 */
export function checkOwnership(root, uid = process.getuid()) {
  const owner = lstatSync(root).uid;
  if (uid === 0) {
    if (owner !== 0) {
      notice("ownership", [
        `${root} belongs to user ${owner}, and this is root: what is made now will belong to root.`,
        "To use the clone as its owner later, run the same command as that user instead.",
      ]);
    }
    return;
  }
  const foreign = FOLDERS.filter((name) => isForeign(join(root, name), uid));
  if (owner !== uid && !canCreateIn(root)) foreign.unshift(".");
  if (foreign.length === 0) return;
  const paths = foreign.map((name) => quote(join(root, name))).join(" ");
  const removable = foreign.includes(".")
    ? []
    : ["or remove them (the set-up makes them again):", `    sudo rm -rf ${paths}`];
  throw new SetupError(
    `These belong to another user, so that ${userName(uid)} cannot change them: ${foreign.join(", ")}.`,
    [
      "Give them to yourself:",
      `    sudo chown -R ${userName(uid)} ${paths}`,
      ...removable,
      "Then run the same command again.",
    ],
  );
}

/** Whether the folder or one of its children belongs to another user. A missing folder belongs to nobody. */
function isForeign(folder, uid) {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (stat.uid !== uid) return true;
  if (!stat.isDirectory()) return false;
  return readdirSync(folder).some((name) => {
    const child = lstatSync(join(folder, name), { throwIfNoEntry: false });
    return child !== undefined && child.uid !== uid;
  });
}

/** A clone may belong to a colleague and be writable for the group; then new folders can still be made. */
function canCreateIn(root) {
  try {
    accessSync(root, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function userName(uid) {
  try {
    return userInfo().username;
  } catch {
    return String(uid); // A container may run as a user id without a name.
  }
}

function quote(path) {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
