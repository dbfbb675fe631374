/**
 * Writes what encoders make to a path: it appears when it is whole and on disk.
 *
 * @module
 */

import { TargetFile } from "../../local/target-file.js";

/** How a file is written to a path. */
export interface WriteFileOptions {
  /** Whether a file that is there is replaced. */
  readonly replace?: boolean;
  /** Ends the work; nothing is left behind then. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the rows of each batch when it is written. */
  readonly advance?: ((rows: number) => void) | undefined;
}

/** What was written. */
export interface WrittenFile {
  /** Rows of all batches. */
  readonly rows: number;
  /** Batches. */
  readonly batches: number;
  /** Bytes of the file. */
  readonly size: number;
}

/** Bytes that are written together. */
export interface EncodedPart {
  readonly pieces: readonly Uint8Array[];
  /** Rows that they are of; 0 for a header or an end. */
  readonly rows: number;
}

/** Writes parts one behind the other. */
export async function writeParts(
  parts: AsyncIterable<EncodedPart>,
  path: string,
  { replace = false, signal, advance }: WriteFileOptions,
): Promise<WrittenFile> {
  const target = new TargetFile(path, { replace, base: 0 });
  let rows = 0;
  let batches = 0;
  try {
    for await (const part of parts) {
      signal?.throwIfAborted();
      for (const piece of part.pieces) target.extend(piece);
      rows += part.rows;
      if (part.rows > 0) batches += 1;
      advance?.(part.rows);
    }
    target.commit();
    return { rows, batches, size: target.size };
  } finally {
    target.discard();
  }
}
