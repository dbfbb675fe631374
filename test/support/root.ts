/**
 * Where the repository is: jest runs with its root as working directory, workers and rank programs do not.
 *
 * @module
 */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of the repository. */
export const root: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
