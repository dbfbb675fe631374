/**
 * Stamp files: what a finished step was made from.
 *
 * A step is up to date when its stamp holds the digest of its present inputs. The stamp is written last, to a
 * temporary name that is then renamed, so that a step killed at any point has an old stamp or none, and runs again.
 *
 * @module
 */

import { createHash } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";

/**
 * Returns whether the stamp holds this digest.
 *
 * @param {string} stamp Path of the stamp file.
 * @param {string} digest Digest of the step's present inputs.
 * @returns {boolean}
 */
export function isStamped(stamp, digest) {
  try {
    return readFileSync(stamp, "utf8").trim() === digest;
  } catch {
    return false;
  }
}

/**
 * Records that a step was finished with these inputs. Its folder is made if need be.
 *
 * @param {string} stamp Path of the stamp file.
 * @param {string} digest Digest of the inputs that the step used.
 */
export function writeStamp(stamp, digest) {
  mkdirSync(dirname(stamp), { recursive: true });
  const temporary = `${stamp}.${process.pid}`;
  writeFileSync(temporary, `${digest}\n`);
  renameSync(temporary, stamp);
}

/**
 * Forgets a step, before it begins to change what it made the last time.
 *
 * @param {string} stamp Path of the stamp file.
 */
export function removeStamp(stamp) {
  rmSync(stamp, { force: true });
}

/**
 * Digests texts, such as versions and settings.
 *
 * @param {string[]} parts Texts, in an order that matters.
 * @returns {string} Hexadecimal SHA-256.
 */
export function digestTexts(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest("hex");
}

/**
 * Digests the contents of files.
 *
 * @param {string[]} files Paths; a missing file counts as such.
 * @returns {string} Hexadecimal SHA-256.
 */
export function digestContents(files) {
  return digestTexts(
    files.flatMap((file) => {
      try {
        return [readFileSync(file, "utf8")];
      } catch {
        return ["(missing)"];
      }
    }),
  );
}

/**
 * Digests names, sizes and modification times: quick, for many files.
 *
 * @param {string} root Folder that names are relative to.
 * @param {string[]} files Paths below it.
 * @returns {string} Hexadecimal SHA-256.
 */
export function digestTimes(root, files) {
  return digestTexts(
    files.map((file) => {
      const { size, mtimeMs } = statSync(file);
      return `${relative(root, file)} ${size} ${mtimeMs}`;
    }),
  );
}

/**
 * Lists files below a folder, sorted, so that a digest does not depend on the file system's order.
 *
 * @param {string} folder Where to look; a missing folder has no files.
 * @param {(name: string) => boolean} accepts Which file names to keep.
 * @returns {string[]} Paths.
 */
export function listFiles(folder, accepts) {
  const found = [];
  const pending = [folder];
  while (pending.length > 0) {
    const current = pending.pop();
    for (const entry of readFolder(current)) {
      const path = join(current, entry.name);
      if (entry.isDirectory() && !FOLDERS_SKIPPED.has(entry.name)) pending.push(path);
      if (entry.isFile() && accepts(entry.name)) found.push(path);
    }
  }
  return found.sort();
}

const FOLDERS_SKIPPED = new Set(["node_modules", "dist", "build", ".git"]);

/** Entries of a folder that may not exist. */
function readFolder(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
