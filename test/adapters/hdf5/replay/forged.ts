/**
 * Recordings with something else in each call: the replay must find out.
 *
 * @module
 */

import type { Call, Packed, Recorded, RecordedArray, RecordedTest, Step } from "./recording.ts";
import { kindOf, unpack } from "./recording.ts";

function forgedArray(array: RecordedArray): RecordedArray | undefined {
  const { data } = array;
  if (typeof data !== "string" && kindOf(data, "zlib") === undefined) return undefined;
  const bytes = unpack(data as Packed);
  if (bytes.length === 0) return { ...array, shape: [...array.shape, 1] };
  // Of any size and order, the first byte is not padding.
  bytes[0] = (bytes[0] as number) ^ 1;
  return { ...array, data: Buffer.from(bytes).toString("base64") };
}

/** Another result of the same kind; `undefined` for kinds that are left as they are. */
function forgedResult(result: Recorded): Recorded | undefined {
  if (typeof result === "boolean") return !result;
  if (typeof result === "number") return result + 1;
  if (typeof result === "string") return `${result}x`;
  const list = kindOf<readonly Recorded[]>(result, "tuple");
  if (list !== undefined) return { tuple: [...list, 7] };
  for (const kind of ["array", "scalar"]) {
    const array = kindOf<RecordedArray>(result, kind);
    const forged = array && forgedArray(array);
    if (forged !== undefined) return { [kind]: forged };
  }
  return undefined;
}

/** The call with another result, with an error it had not, or without the one it had. */
function forgedCall(call: Call): Call | undefined {
  // Files that others need are opened and closed as they were.
  if (call.inexpressible !== undefined || call.op.startsWith("File.")) return undefined;
  const { error, result = null, ...rest } = call;
  if (error !== undefined) return { ...rest, result: { tuple: ["no error"] } };
  if (result === null) {
    return { ...rest, error: { class: "MemoryError", bases: [], message: "forged" } };
  }
  const forged = forgedResult(result);
  return forged === undefined ? undefined : { ...rest, result: forged };
}

/** A test with every call forged that can be. */
export function forge(test: RecordedTest): { test: RecordedTest; isForged: readonly boolean[] } {
  const isForged: boolean[] = [];
  const calls = test.calls.map((step): Step => {
    if (!("op" in step)) return step;
    const forged = forgedCall(step);
    isForged.push(forged !== undefined);
    return forged ?? step;
  });
  return { test: { ...test, calls }, isForged };
}
