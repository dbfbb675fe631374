/**
 * The Python environment of the interoperability suites, if `npm test` could make it.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe } from "@jest/globals";
import { root } from "./root.ts";

/** Path of its Python; undefined where the environment could not be made, and the suites are skipped. */
export const interopPython: string | undefined = existsSync(
  join(root, ".venv-interop", ".daos-setup"),
)
  ? join(root, ".venv-interop", "bin", "python")
  : undefined;

/** `describe`, or a visible skip where there is no environment. */
export const describeInterop: typeof describe.skip =
  interopPython === undefined ? describe.skip : describe;
