/**
 * HDF5's filter 1: zlib's deflate, in the thread pool of Node or in the thread that calls.
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

const levelOf = ([level]: readonly number[]) => ({ level: level ?? LEVEL_DEFAULT });

/** gzip. */
export const deflateFilter: Filter = {
  id: 1,
  name: "deflate",
  encode: (bytes, { parameters }) => {
    if (bytes.length < THREADED_SIZE_MIN) return zlib.deflateSync(bytes, levelOf(parameters));
    return deflate(bytes, levelOf(parameters));
  },
  decode: (bytes, { chunkSize, sizeMax }) => {
    const options = { maxOutputLength: sizeMax };
    if (chunkSize < THREADED_SIZE_MIN) return zlib.inflateSync(bytes, options);
    return inflate(bytes, options);
  },
};

/** The same in threads that do nothing else. */
export const deflateInThread: Filter = {
  ...deflateFilter,
  encode: (bytes, { parameters }) => zlib.deflateSync(bytes, levelOf(parameters)),
  decode: (bytes, { sizeMax }) => zlib.inflateSync(bytes, { maxOutputLength: sizeMax }),
};
