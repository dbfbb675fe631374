/**
 * Starts the reader (reader.ts) in a process of its own.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { DaosError } from "daos-ts";
import type { ReaderReport } from "./reader.js";

const READER = fileURLToPath(new URL("reader.js", import.meta.url));
const READER_MS_MAX = 120_000;

/**
 * Reads the newest version and draws its picture.
 *
 * @throws {@link DaosError} `DER_MISC` if the reader fails; its own message is in it.
 */
export function readInAnotherProcess(options: {
  pool: string;
  container: string;
  png: string;
}): ReaderReport {
  const { pool, container, png } = options;
  const args = [READER, "--pool", pool, "--container", container, "--png", png];
  const limits = { timeout: READER_MS_MAX, killSignal: "SIGKILL" } as const;
  const child = spawnSync(process.execPath, args, { ...limits, encoding: "utf8" });
  if (child.status === 0) return JSON.parse(child.stdout) as ReaderReport;
  throw new DaosError("DER_MISC", {
    what: `Reading container "${container}" as Arrow record batches`,
    why: `the reader ended with ${child.status ?? child.signal}`,
    remedy: `see what it said:\n${child.stderr.trim()}`,
  });
}
