/**
 * Small disks and what files take, for tests of space.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "../../support/temporary.ts";

/** Whether this user may mount file systems. */
export const canMount: boolean = (() => {
  const probe = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]);
  return process.getuid?.() === 0 && probe.status === 0;
})();

/** Runs `body` on a small tmpfs of its own; `size` as mount takes it, "8m". */
export function withSmallDisk(size: string, body: (directory: string) => void): void {
  const directory = temporaryDirectory();
  const options = ["-t", "tmpfs", "-o", `size=${size}`, "none", directory];
  const { status, stderr } = spawnSync("mount", options, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mounting a tmpfs failed: ${stderr}`);
  try {
    body(directory);
  } finally {
    spawnSync("umount", ["-l", directory]);
  }
}

/** Fills a disk to its last byte and returns the file to remove. */
export function fillDisk(directory: string): string {
  const file = join(directory, "filler");
  let size = 1 << 20;
  while (size >= 1024) {
    try {
      writeFileSync(file, Buffer.alloc(size), { flag: "a" });
    } catch {
      size >>= 1;
    }
  }
  return file;
}

/** Sum of the sizes of the files of a directory, in bytes. */
export function sizeOfFiles(directory: string): number {
  let size = 0;
  for (const name of readdirSync(directory)) {
    // A file may lose its name between the two calls.
    size += statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return size;
}
