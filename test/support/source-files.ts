/**
 * The files that people write and read: everything that is neither installed, built, generated nor golden data.
 *
 * Walks the folders instead of asking git, so that it also works in an unpacked archive and sees new files.
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";

const FOLDERS_SKIPPED = new Set([
  ".git",
  ".venv-interop",
  "build",
  "dist",
  "golden",
  "node_modules",
  "out",
  "reference",
]);
const TEXT = /\.(ts|mts|mjs|js|json|c|h|md|py|txt|yml)$|^(run|\.clang-format)$/;
const GENERATED = new Set(["package-lock.json"]);

/**
 * Lists text files of a repository, sorted.
 *
 * @param root Absolute path of the repository.
 * @returns Paths relative to it.
 */
export function sourceFiles(root: string): string[] {
  const found: string[] = [];
  const pending = ["."];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !FOLDERS_SKIPPED.has(entry.name)) pending.push(path);
      if (entry.isFile() && TEXT.test(entry.name) && !GENERATED.has(entry.name)) found.push(path);
    }
  }
  return found.sort();
}
