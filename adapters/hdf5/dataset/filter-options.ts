/**
 * The filters of a new dataset, from what a program asks for, in the order that h5py applies.
 *
 *     scale-offset, shuffle, compression, fletcher32
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import type { Datatype } from "../datatype/datatype.js";
import type { FillDescription, FilterDescription } from "../description.js";
import { findFilter, localFilters } from "../filters/index.js";
import { type CompressionName, FILTER_ID } from "./filter-facts.js";

/** Filters of a new dataset. */
export interface FilterOptions {
  /**
   * Compression: `"gzip"` (`true` is the same), `"lzf"`, `"szip"`, `"lz4"`, `"zstd"`, `"bitshuffle"`, the number of
   * another filter; 0 to 9 is `"gzip"` of that level.
   */
  readonly compression?: CompressionName | number | true | undefined;
  /** Level of `"gzip"` (0 to 9; 4) and `"zstd"`; `["nn" | "ec", pixels]` of `"szip"`; parameters of others. */
  readonly compressionOptions?: unknown;
  /** Sorts bytes by their place in the element, which compresses better. */
  readonly shuffle?: boolean | undefined;
  /** Gives each chunk a checksum of HDF5's; the store has its own anyway. */
  readonly fletcher32?: boolean | undefined;
  /** Of floats the decimal digits to keep, of integers the bits (`true`: as many as are needed). */
  readonly scaleOffset?: number | true | undefined;
  /** Exactly these, instead of those above. */
  readonly filters?: readonly FilterDescription[] | undefined;
  /** Whether filters that this process does not know are taken: chunks can then only be copied. */
  readonly allowUnknownFilter?: boolean | undefined;
}

const GZIP_LEVEL = 4;
const SZIP_PIXELS = 8;
/** Masks of szip's options, with HDF5's numbers: 1, up to 13 split bits, is what its function always adds. */
const SZIP_OPTION = { ec: 4 | 1, nn: 32 | 1 } as const;
/** HDF5's kinds of scale-offset. */
const SCALE = { float: 0, integer: 2 } as const;

/** What a filter's parameters depend on. */
interface Target {
  readonly name: string;
  readonly type: Datatype;
  readonly fill: FillDescription;
  readonly chunkShape: readonly number[];
}

function invalid(dataset: string, why: string, remedy: string): DaosError {
  return new DaosError("DER_INVAL", { what: `Creating dataset "${dataset}"`, why, remedy });
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
}

function gzipLevel(name: string, options: unknown): number {
  if (options === undefined) return GZIP_LEVEL;
  if (isWithin(options, 0, 9)) return options;
  throw invalid(name, `${String(options)} is no level of gzip`, "give a whole number from 0 to 9");
}

function szipParameters(name: string, options: unknown): number[] {
  const [method, pixels] = Array.isArray(options) ? options : ["nn", SZIP_PIXELS];
  const isMethod = method === "nn" || method === "ec";
  if (options !== undefined && !Array.isArray(options)) {
    throw invalid(name, "options of szip are no list", 'give ["nn" or "ec", pixels]');
  }
  if (!isMethod || !isWithin(pixels, 2, 32) || pixels % 2 !== 0) {
    const why = `[${String(method)}, ${String(pixels)}] are no options of szip`;
    throw invalid(name, why, 'give ["nn" or "ec", an even number from 2 to 32]');
  }
  return [SZIP_OPTION[method as "nn" | "ec"], pixels];
}

function numbersOf(name: string, options: unknown): number[] {
  if (options === undefined) return [];
  if (typeof options === "number") return [options];
  const isList = Array.isArray(options) && options.every((item) => Number.isSafeInteger(item));
  if (isList) return options as number[];
  throw invalid(name, "options of a filter are no whole numbers", "give a list of its parameters");
}

/** Number and own parameters of the compression. */
function compressorOf(
  name: string,
  { compression, compressionOptions }: FilterOptions,
): { id: number; parameters: number[] } | undefined {
  if (compression === undefined) {
    if (compressionOptions === undefined) return undefined;
    throw invalid(name, "it has options of a compression, but none", "name the compression");
  }
  if (compression === true || compression === "gzip") {
    return { id: FILTER_ID.gzip, parameters: [gzipLevel(name, compressionOptions)] };
  }
  if (isWithin(compression, 0, 9)) {
    if (compressionOptions === undefined) return { id: FILTER_ID.gzip, parameters: [compression] };
    throw invalid(name, "the level is given twice", 'give "gzip" and its level');
  }
  if (compression === "szip") {
    return { id: FILTER_ID.szip, parameters: szipParameters(name, compressionOptions) };
  }
  if (compression === "lzf" && compressionOptions !== undefined) {
    throw invalid(name, "lzf has no options", "leave them out");
  }
  if (typeof compression === "string" && !Object.hasOwn(FILTER_ID, compression)) {
    const why = `there is no compression "${String(compression)}"`;
    throw invalid(name, why, "choose gzip, lzf, szip, lz4, zstd, bitshuffle or a filter's number");
  }
  const id = typeof compression === "number" ? compression : FILTER_ID[compression];
  return { id, parameters: numbersOf(name, compressionOptions) };
}

function scaleParameters({ name, type }: Target, scale: number | true): number[] {
  if (type.class !== "float" && type.class !== "integer") {
    throw invalid(name, `scale-offset takes no elements of class ${type.class}`, "leave it out");
  }
  if (type.class === "integer") return [SCALE.integer, scale === true ? 0 : scale];
  if (scale !== true) return [SCALE.float, scale];
  throw invalid(name, "scale-offset of floats needs the digits to keep", "give their number");
}

/** HDF5's checksum is none of text and sequences of any length: a chunk only holds where they are. */
function checkSummed({ name, type }: Target): void {
  if (type.class !== "vlen" && type.class !== "vlenString") return;
  throw invalid(name, "fletcher32 takes no elements of variable length", "leave it out");
}

function filterOf(id: number, parameters: readonly number[], isOptional = true): FilterDescription {
  return { id, name: "", isOptional, parameters };
}

/**
 * The filters of a new dataset.
 *
 * @throws `DaosError` `DER_INVAL` for options that do not fit, `DER_NOSYS` for a filter that is not known.
 */
export function pipelineFor(options: FilterOptions, target: Target): FilterDescription[] {
  const { name } = target;
  if (options.filters !== undefined) return [...options.filters];
  const { scaleOffset, shuffle, fletcher32 } = options;
  const filters: FilterDescription[] = [];
  const compressor = compressorOf(name, options);
  if (scaleOffset !== undefined) {
    if (scaleOffset !== true && !isWithin(scaleOffset, 0, 2 ** 31)) {
      throw invalid(
        name,
        `${String(scaleOffset)} is no scale`,
        "give a whole number of at least 0",
      );
    }
    if (fletcher32 === true) {
      throw invalid(name, "scale-offset loses digits, fletcher32 would refuse them", "choose one");
    }
    const parameters = scaleParameters(target, scaleOffset);
    filters.push(filterOf(FILTER_ID.scaleOffset, parameters));
  }
  if (shuffle === true) filters.push(filterOf(FILTER_ID.shuffle, []));
  if (compressor !== undefined) {
    const { id, parameters } = compressor;
    if (findFilter(id) === undefined && options.allowUnknownFilter !== true) {
      const text = {
        what: `Creating dataset "${name}"`,
        why: `filter ${id} is not known`,
        remedy: "register it with registerFilter(), or allow unknown filters",
      };
      throw new DaosError("DER_NOSYS", text, { id });
    }
    filters.push(filterOf(id, parameters));
  }
  if (fletcher32 === true) checkSummed(target);
  if (fletcher32 === true) filters.push(filterOf(FILTER_ID.fletcher32, [], false));
  return localFilters(filters, target);
}

/** Whether any filter is asked for. */
export function hasFilters(options: FilterOptions): boolean {
  const { compression, shuffle, fletcher32, scaleOffset, filters } = options;
  return (
    compression !== undefined ||
    shuffle === true ||
    fletcher32 === true ||
    scaleOffset !== undefined ||
    (filters !== undefined && filters.length > 0)
  );
}
