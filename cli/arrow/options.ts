/**
 * Options that verbs of tables share.
 *
 * @module
 */

import { InvalidArgumentError } from "commander";
import {
  type Compression,
  FILE_FORMATS,
  type FileFormat,
  type Predicate,
  type ScanOptions,
} from "daos-ts/arrow";
import { DaosError } from "../../core/index.js";
import { parseCount } from "../output/size.js";
import { option } from "../verb.js";

/** A format that a person wrote. */
function parseFormat(written: string): FileFormat {
  const format = FILE_FORMATS.find((name) => name === written);
  if (format !== undefined) return format;
  throw new InvalidArgumentError(`The formats are: ${FILE_FORMATS.join(", ")}.`);
}

/** The option for a format. */
export const formatOption = option(
  "--format <format>",
  `${FILE_FORMATS.join(", ")}; by the file's name by default`,
  parseFormat,
);

/** Where pools are looked for, of a verb whose address is among its words. */
export const poolRootOption = option(
  "--pool-root <directory>",
  "where pools are looked for by name",
  (root: string, known: string[] | undefined) => [...(known ?? []), root],
);

/** Which rows and columns are wanted. */
export interface SelectionOptions {
  readonly columns?: readonly string[];
  readonly where?: Predicate;
  readonly limit?: number;
}

/** A condition that a person wrote. */
function parseWhere(written: string): Predicate {
  try {
    return JSON.parse(written) as Predicate;
  } catch (error) {
    const text = {
      what: `Reading the condition ${written}`,
      why: (error as Error).message,
      remedy: 'write it as JSON: {"op": ">", "column": "energy", "value": 10}',
    };
    throw new DaosError("DER_INVAL", text);
  }
}

/** The options for rows and columns. */
export const selectionOptions = [
  option("--columns <names>", "columns in the order wanted, with commas between", (names: string) =>
    names.split(","),
  ),
  option(
    "--where <condition>",
    'JSON: {"op": ">", "column": "energy", "value": 10}, see docs/guides/arrow.md',
    parseWhere,
  ),
  option("-n, --limit <rows>", "most rows", parseCount),
];

/** The options of a scan. */
export function scanOptionsOf({ columns, where, limit }: SelectionOptions): ScanOptions {
  return {
    ...(columns === undefined ? {} : { columns }),
    ...(where === undefined ? {} : { where }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** A signal that an interrupt gives, while something goes on. */
export function untilInterrupt(): { readonly signal: AbortSignal } & Disposable {
  const giveUp = new AbortController();
  const interrupt = () => giveUp.abort();
  process.once("SIGINT", interrupt);
  return {
    signal: giveUp.signal,
    [Symbol.dispose]: () => {
      process.off("SIGINT", interrupt);
    },
  };
}

/**
 * The compression that a user named.
 *
 * @throws `DaosError` `DER_INVAL` if there is none of that name.
 */
export function compressionOf(written: string | undefined): Compression | undefined {
  if (written === undefined || written === "none") return undefined;
  if (written === "lz4" || written === "zstd") return written;
  const what = "Reading the command line";
  const why = `there is no compression "${written}"`;
  throw new DaosError("DER_INVAL", { what, why, remedy: "choose lz4, zstd or none" });
}
