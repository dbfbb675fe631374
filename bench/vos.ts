/**
 * The suite `vos`: the store of one process against what it is made of, raw LMDB for small values and
 * plain files for large ones and arrays.
 *
 * @module
 */

import type { Suite } from "./harness.js";
import { agedPart } from "./vos-aged.js";
import { interleavedPart, stridedPart, updatePart } from "./vos-arrays.js";
import { openPart } from "./vos-open.js";
import { overwritingPart, writersPart } from "./vos-space.js";
import { largeValuesPart, valuesPart } from "./vos-values.js";

/** The suite `vos`. */
export const vos: Suite = [
  valuesPart,
  largeValuesPart,
  openPart,
  updatePart,
  interleavedPart,
  stridedPart,
  agedPart,
  overwritingPart,
  writersPart,
];
