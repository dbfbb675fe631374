/**
 * Objects as bytes: what `structuredClone` copies, by v8.serialize.
 *
 * Classes become plain objects; functions, symbols and SharedArrayBuffers are refused.
 *
 * @module
 */

import { deserialize, serialize } from "node:v8";
import { MpiError } from "../errors.js";

/**
 * The bytes of a value; at least two.
 *
 * @throws {@link MpiError} `MPI_ERR_TYPE` for a value that cannot be cloned.
 */
export function bytesOfObject(call: string, value: unknown): Uint8Array {
  try {
    return serialize(value);
  } catch (cause) {
    const why = `the value cannot be cloned: ${(cause as Error).message}`;
    const remedy = "Pass a value that structuredClone() copies";
    throw new MpiError({ code: "MPI_ERR_TYPE", call, why, remedy, cause });
  }
}

/**
 * The value of bytes, whose memory it may use.
 *
 * @throws {@link MpiError} `MPI_ERR_TYPE` for bytes that are no object.
 */
export function objectOfBytes(call: string, bytes: Uint8Array): unknown {
  try {
    return deserialize(bytes);
  } catch (cause) {
    const why = `${bytes.length} bytes are no object: ${(cause as Error).message}`;
    const remedy = "Receive messages of buffers into buffers";
    throw new MpiError({ code: "MPI_ERR_TYPE", call, why, remedy, cause });
  }
}
