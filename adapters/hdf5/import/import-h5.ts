/**
 * Copies any HDF5 file, from an `.h5` file or another container, into a container: see `copy-objects.ts`.
 *
 * All of it appears at one epoch, or nothing: a copy that fails, is given up or killed leaves no trace.
 *
 * @module
 */

import type { Container } from "../../../core/index.js";
import type { Hdf5Source } from "../description.js";
import { File } from "../file.js";
import { ObjectCopy } from "./copy-objects.js";
import type { ImportReport } from "./import-report.js";

/** How a file is copied. */
export interface ImportOptions {
  /** Whether a file that is there is replaced; readers see the old one until the copy is complete. */
  readonly replace?: boolean;
  /** Gives the copy up. */
  readonly signal?: AbortSignal | undefined;
  /** Is called with the bytes of elements that were copied since the last call. */
  readonly advance?: (bytes: number) => void;
}

/**
 * Copies a file into a container. The source stays open.
 *
 * @param source Any HDF5 file: {@link openH5File}, {@link storeSource}.
 * @param path Path of the new file in the container; directories on the way are made.
 * @returns What was copied, and what could not be carried over.
 * @throws `DaosError` `DER_EXIST` if there is a file already; `DER_DF_INVAL` or `DER_CSUM` if the source is
 *   damaged; `DER_REC2BIG` for a chunk that is too large; `DER_CANCELED`; `DER_NOSPACE`, `DER_IO`. Nothing
 *   of the copy is there then.
 *
 * @example
 * ```ts
 * const source = await openH5File("results.h5");
 * const { epoch, notes } = await importH5(source, container, "results.h5");
 * for (const { path, why } of notes) console.warn(`${path}: ${why}`);
 * await source.close();
 * ```
 */
export async function importH5(
  source: Hdf5Source,
  container: Container,
  path: string,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const file = await File.open(container, path, options.replace === true ? "w" : "x");
  const copy = new ObjectCopy(source, options);
  try {
    if (source.userBlock.length > 0) file.setUserBlock(source.userBlock);
    await copy.copyRoot(await source.root(), file.stored);
    const epoch = await file.flush();
    return copy.counts.report(epoch);
  } finally {
    // After a flush there is nothing left to drop.
    await file.abort();
  }
}
