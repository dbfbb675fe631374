/**
 * A thread that filters chunks, one after the other.
 *
 * @module
 */

import { parentPort } from "node:worker_threads";
import { isDaosError } from "../../../core/errors.js";
import "./built-in.js";
import { deflateInThread } from "./deflate.js";
import { decodeChunk, encodeChunk, registerFilter } from "./filter.js";
import type { FilterAnswer, FilterRequest } from "./thread-messages.js";

registerFilter(deflateInThread);

async function answer(request: FilterRequest): Promise<FilterAnswer> {
  const { number, isEncoding, pipeline, bytes, filterMask } = request;
  try {
    if (isEncoding) return { number, ...(await encodeChunk(bytes, pipeline)) };
    return { number, bytes: await decodeChunk(bytes, pipeline, filterMask), filterMask };
  } catch (error) {
    if (isDaosError(error)) {
      const { code, text, facts } = error;
      return { number, code, text, facts };
    }
    const what = `Filtering a chunk of dataset "${pipeline.dataset}"`;
    const remedy = "report the failure: it is a bug, or memory is short";
    const text = { what, why: String(error), remedy };
    return { number, code: "DER_MISC", text, facts: {} };
  }
}

parentPort?.on("message", async (request: FilterRequest) => {
  const result = await answer(request);
  if (!("bytes" in result)) {
    parentPort?.postMessage(result);
    return;
  }
  // Of larger memory, only the part that is the chunk is sent.
  const { bytes } = result;
  const isWhole = bytes.byteLength === bytes.buffer.byteLength;
  const own = isWhole ? bytes : Uint8Array.prototype.slice.call(bytes);
  parentPort?.postMessage({ ...result, bytes: own }, [own.buffer as ArrayBuffer]);
});
