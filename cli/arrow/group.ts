/**
 * The group `daos arrow`.
 *
 * @module
 */

import type { Group } from "../program.js";
import { arrowCompact } from "./compact.js";
import { arrowExport } from "./export.js";
import { arrowHead } from "./head.js";
import { arrowImport } from "./import.js";
import { arrowPin } from "./pin.js";
import { arrowSchema } from "./schema.js";
import { arrowServe } from "./serve.js";
import { arrowStats } from "./stats.js";

/** The verbs of tables. */
export const arrowGroup: Group = {
  name: "arrow",
  summary: "tables of Apache Arrow record batches, in containers",
  verbs: [
    arrowImport,
    arrowExport,
    arrowHead,
    arrowSchema,
    arrowStats,
    arrowCompact,
    arrowPin,
    arrowServe,
  ],
};
