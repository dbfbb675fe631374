/**
 * Where the package lies, and which version it is.
 *
 * @module
 */

import { readFileSync } from "node:fs";

/** Root of the package, seen from dist/cli. */
export const PACKAGE_ROOT = new URL("../../", import.meta.url);

/** The package's version. */
export function packageVersion(): string {
  const manifest = readFileSync(new URL("package.json", PACKAGE_ROOT), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
