/**
 * The registered filter 32015: a chunk is one Zstandard frame. Its parameter is the level, 3 if there is none.
 *
 * @module
 */

import type { Filter } from "./filter.js";
import { zstdCodec } from "./zstd-codec.js";

const LEVEL_DEFAULT = 3;
const LEVEL_MAX = 22;

/** The level that a parameter says; negative ones, which are faster still, are signed numbers in a u32. */
export function zstdLevel(parameter: number | undefined): number {
  return Math.min((parameter ?? LEVEL_DEFAULT) | 0, LEVEL_MAX);
}

/** zstd. */
export const zstdFilter: Filter = {
  id: 32015,
  name: "zstd",
  encode: async (bytes, { parameters }) => {
    const codec = await zstdCodec();
    return codec.compress(bytes, zstdLevel(parameters[0]));
  },
  decode: async (bytes, { sizeMax }) => (await zstdCodec()).decompress(bytes, sizeMax),
};
