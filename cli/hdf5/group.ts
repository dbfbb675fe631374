/**
 * The group `daos hdf5`.
 *
 * @module
 */

import type { Group } from "../program.js";
import { hdf5Diff } from "./diff.js";
import { hdf5Dump } from "./dump.js";
import { hdf5Export } from "./export.js";
import { hdf5Import } from "./import.js";
import { hdf5List } from "./ls.js";
import { hdf5Stat } from "./stat.js";

/** The verbs of HDF5 files. */
export const hdf5Group: Group = {
  name: "hdf5",
  aliases: ["h5"],
  summary: "HDF5 files, in containers and as .h5 files",
  verbs: [hdf5Import, hdf5Export, hdf5List, hdf5Dump, hdf5Stat, hdf5Diff],
};
