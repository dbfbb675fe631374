/**
 * HDF5's filter 1: zlib's deflate, in the thread pool of Node.
 *
 * @module
 */

import { promisify } from "node:util";
import zlib from "node:zlib";
import type { Filter } from "./filter.js";

const deflate = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.deflate);
const inflate = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.inflate);
/** Smaller chunks are done at once: a thread costs more than the work. */
const THREADED_SIZE_MIN = 16 * 1024;
const LEVEL_DEFAULT = 6;

/** gzip. */
export const deflateFilter: Filter = {
  id: 1,
  name: "deflate",
  encode: (bytes, { parameters }) => {
    const options = { level: parameters[0] ?? LEVEL_DEFAULT };
    if (bytes.length < THREADED_SIZE_MIN) return zlib.deflateSync(bytes, options);
    return deflate(bytes, options);
  },
  decode: (bytes, { chunkSize, sizeMax }) => {
    const options = { maxOutputLength: sizeMax };
    if (chunkSize < THREADED_SIZE_MIN) return zlib.inflateSync(bytes, options);
    return inflate(bytes, options);
  },
};
