/**
 * Hints of files in a container: those that mean something here, and those of the standard, which are listed.
 *
 * @module
 */

import type { Hints } from "node-mpi-bindings/transports";
import { DaosError } from "../../core/index.js";
import type { Info } from "./open-file.js";

/** When commits happen. */
export type CommitHint = "sync" | "every-collective";

/** Keys of the standard, and of ROMIO's collective buffering: accepted and listed, without effect here. */
const LISTED =
  /^(access_style|collective_buffering|cb_\w+|chunked\w*|filename|file_perm|io_node_list|mpi_minimum_memory_alignment|nb_proc|num_io_nodes|striping_\w+|daos_\w+)$/;

/** Refuses a value of `daos_commit` that means nothing. @throws `DaosError` `DER_INVAL`. */
export function checkHints(hints: Hints): void {
  for (const [key, value] of hints) {
    if (key !== "daos_commit" || value === "sync" || value === "every-collective") continue;
    const what = `Setting the hint daos_commit to "${value}"`;
    const text = { what, why: "it has no such value", remedy: 'use "sync" or "every-collective"' };
    throw new DaosError("DER_INVAL", text, { key, value, mpi: "MPI_ERR_INFO_VALUE" });
  }
}

/** Hints as an object. */
export function infoOf(hints: Hints): Info {
  return Object.fromEntries(hints);
}

/** The hints of an open file. */
export class FileHints {
  readonly #values = new Map<string, string>([["daos_commit", "sync"]]);

  constructor(hints: Hints) {
    this.set(hints);
  }

  /** Takes those that are known; others are ignored, as the standard says. */
  set(hints: Hints): void {
    for (const [key, value] of hints) if (LISTED.test(key)) this.#values.set(key, value);
  }

  /** Those in use. */
  list(): Hints {
    return [...this.#values];
  }

  /** Whether collective writes commit. */
  get commitsEveryWrite(): boolean {
    return this.#values.get("daos_commit") === "every-collective";
  }
}
