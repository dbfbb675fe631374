/**
 * Temporary directories, on memory or on disk, removed when they are no longer needed.
 *
 * Names hold the process id, so that what a killed run left behind is known by its dead process and removed by the
 * next run.
 *
 * @module
 */

import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach } from "@jest/globals";

/** Where a directory lies: tmpfs, or something that survives a power cut. */
export type Medium = "memory" | "disk";

/** How long it lives: until the running test ends, or all tests of the file. */
export type Lifetime = "test" | "file";

const PREFIX = "daos-test-";
const made: Record<Lifetime, string[]> = { test: [], file: [] };
const swept = new Set<string>();

afterEach(() => removeAll("test"));
afterAll(() => {
  removeAll("test");
  removeAll("file");
});

/**
 * Makes an empty directory.
 *
 * @param options `medium`: "memory" (the default) is tmpfs where the machine has it. `until`: "test" (the default)
 *   removes it after the running test; a directory made in `beforeAll` must say "file".
 * @returns Its absolute path.
 */
export function temporaryDirectory({
  medium = "memory",
  until = "test",
}: {
  medium?: Medium;
  until?: Lifetime;
} = {}): string {
  const parent = parentOf(medium);
  sweep(parent);
  const path = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
  made[until].push(path);
  return path;
}

/**
 * Runs `work` with an empty directory that is removed when it returns or throws: for the cases of a property test.
 *
 * @param work Receives the directory's absolute path.
 * @param medium "memory" (the default) or "disk".
 * @returns What `work` returned.
 */
export async function withTemporaryDirectory<T>(
  work: (path: string) => T | Promise<T>,
  medium: Medium = "memory",
): Promise<T> {
  const path = mkdtempSync(join(parentOf(medium), `${PREFIX}${process.pid}-`));
  try {
    return await work(path);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

/** /tmp is tmpfs on newer Debians; /var/tmp is on disk by the file system standard. */
function parentOf(medium: Medium): string {
  const [first, fallback] = medium === "memory" ? ["/dev/shm", tmpdir()] : ["/var/tmp", tmpdir()];
  return existsSync(first as string) ? (first as string) : (fallback as string);
}

function removeAll(lifetime: Lifetime): void {
  for (const path of made[lifetime].splice(0)) rmSync(path, { recursive: true, force: true });
}

/** Removes directories of processes that are gone; once per parent and process. */
function sweep(parent: string): void {
  if (swept.has(parent)) return;
  swept.add(parent);
  for (const name of readdirSync(parent)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Another user's; that user's next run removes it.
    }
  }
}
