/**
 * Memory that stays where it is, as windows need it.
 *
 * @module
 */

import type { MpiBuffer } from "../buffers.js";
import { MpiError } from "../errors.js";

/**
 * Refuses memory that could go away: other ranks would write to where it was.
 *
 * @throws {@link MpiError} `MPI_ERR_BASE`.
 */
export function requireFixed(call: string, memory: MpiBuffer): void {
  const buffer = ArrayBuffer.isView(memory) ? memory.buffer : memory;
  const { resizable, growable } = buffer as { resizable?: boolean; growable?: boolean };
  if (!resizable && !growable) return;
  const why = "the buffer can be resized";
  const remedy = "Use an ArrayBuffer of fixed length";
  throw new MpiError({ code: "MPI_ERR_BASE", call, why, remedy });
}
