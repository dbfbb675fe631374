/**
 * Data representations of programs: how numbers lie in files, told by functions (MPI_Register_datarep).
 *
 * The MPI libraries at hand refuse such representations; so do they nothing of it here. A view that names one becomes,
 * for the library or the store, a view of plain bytes: each basic type of its types is as many bytes as the
 * representation says, and the accesses convert (`ConvertingFile`).
 *
 * @module
 */

import { CONTENT_CODES } from "../datatype/contents.js";
import type { Distribution } from "../datatype/darray.js";
import { Datatype } from "../datatype/datatype.js";
import { MpiError } from "../errors.js";
import type { View } from "./file-calls.js";

/** Longest name, in bytes: MPI_MAX_DATAREP_STRING of all libraries, without the end. */
const NAME_SIZE_MAX = 127;
/** What is stored without functions. */
const BUILT_IN = ["native", "internal", "external32"];

/**
 * Converts elements of a basic type between memory and file; both lie without gaps.
 *
 * @param memory `count * datatype.size` bytes.
 * @param datatype A predefined type.
 * @param count Elements.
 * @param file `count * fileExtent(datatype)` bytes.
 */
export type Conversion = (
  memory: Uint8Array,
  datatype: Datatype,
  count: number,
  file: Uint8Array,
) => void;

/** How a representation stores the basic types. */
export interface DataRepresentationFunctions {
  /** Bytes that an element of a predefined type takes in a file. */
  fileExtent(datatype: Datatype): number;
  /** Fills `memory` from `file`; left out if the bytes are those of memory (MPI_CONVERSION_FN_NULL). */
  readonly read?: Conversion;
  /** Fills `file` from `memory`; left out if the bytes are those of memory. */
  readonly write?: Conversion;
}

/** Elements of one basic type, one after the other. */
interface Run {
  readonly type: Datatype;
  readonly count: number;
}

/** The same, with the bytes that each element takes in the file. */
export interface StoredRun extends Run {
  readonly fileExtent: number;
}

/** A view by a program's representation, and what the bytes below it are. */
export interface StoredView {
  /** What the library or the store sees. */
  readonly view: View;
  /** The elementary type in memory, as basic types. */
  readonly runs: readonly StoredRun[];
  readonly functions: DataRepresentationFunctions;
}

const registered = new Map<string, DataRepresentationFunctions>();

/**
 * Makes a data representation known, under a name for `File.setView`. It stays until the process ends; all ranks that
 * use it register it alike.
 *
 * @param name At most 127 bytes.
 * @param functions What it does with the basic types. What they throw is the cause of an `MPI_ERR_CONVERSION`.
 * @throws {@link MpiError} `MPI_ERR_DUP_DATAREP` for a name that is known, `MPI_ERR_ARG`.
 * @mpi MPI_Register_datarep
 *
 * @example
 * ```ts
 * // Doubles are stored as floats.
 * registerDatarep("short", {
 *   fileExtent: (type) => (type.name === "MPI_DOUBLE" ? 4 : type.size),
 *   write: (memory, _type, count, file) =>
 *     new Float32Array(file.buffer, file.byteOffset, count).set(
 *       new Float64Array(memory.buffer, memory.byteOffset, count),
 *     ),
 *   read: (memory, _type, count, file) =>
 *     new Float64Array(memory.buffer, memory.byteOffset, count).set(
 *       new Float32Array(file.buffer, file.byteOffset, count),
 *     ),
 * });
 * ```
 */
export function registerDatarep(name: string, functions: DataRepresentationFunctions): void {
  const call = "MPI_Register_datarep";
  const fail = (code: string, why: string) => {
    const remedy = "Give a new name of at most 127 bytes, and its functions";
    return new MpiError({ code, call, why, remedy });
  };
  if (typeof name !== "string" || name === "" || Buffer.byteLength(name) > NAME_SIZE_MAX) {
    throw fail("MPI_ERR_ARG", `the name is ${JSON.stringify(name)}`);
  }
  const isFunction = (value: unknown) => typeof value === "function";
  const optional = [functions?.read, functions?.write].filter((value) => value !== undefined);
  if (!isFunction(functions?.fileExtent) || !optional.every(isFunction)) {
    throw fail("MPI_ERR_ARG", "fileExtent, read or write is no function");
  }
  if (isDataRepresentation(name)) throw fail("MPI_ERR_DUP_DATAREP", `"${name}" is known already`);
  registered.set(name, functions);
}

/** Whether a view may name it. */
export function isDataRepresentation(name: unknown): boolean {
  return BUILT_IN.includes(name as string) || registered.has(name as string);
}

/** Names that a view may have. */
export function dataRepresentations(): string[] {
  return [...BUILT_IN, ...registered.keys()];
}

/**
 * What lies below a view; undefined if the library or the store does the representation itself.
 *
 * @throws {@link MpiError} `MPI_ERR_CONVERSION` for an extent that is no number of bytes, or that is another one than
 *   in memory and a function is missing.
 */
export function storedViewOf(view: View): StoredView | undefined {
  const functions = registered.get(view.datarep);
  if (functions === undefined) return undefined;
  const etype = storedType(view.etype, functions);
  const filetype = storedType(view.filetype, functions);
  const isSame = etype.size === view.etype.size;
  if (!isSame && (functions.read === undefined || functions.write === undefined)) {
    throw conversionError("the size in files differs, and a function is missing");
  }
  const { displacement } = view;
  const stored = { displacement, etype, filetype, datarep: "native" };
  return { view: stored, runs: storedRuns(view.etype, functions), functions };
}

/** The error of functions that a program has registered. */
export function conversionError(why: string, cause?: unknown): MpiError {
  const remedy = "Correct the functions that were registered";
  return new MpiError({
    ...{ code: "MPI_ERR_CONVERSION", call: "MPI_Register_datarep", why, remedy },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A datatype as it lies in files: its basic types are bytes, strides and displacements in elements go with them. */
export function storedType(type: Datatype, functions: DataRepresentationFunctions): Datatype {
  // Without gaps in memory, without gaps in the file: elementary types, and what is made of them.
  if (type.isPredefined || isDense(type)) {
    const runs = storedRuns(type, functions);
    const size = runs.reduce((sum, { count, fileExtent }) => sum + count * fileExtent, 0);
    return Datatype.contiguous(size, Datatype.BYTE);
  }
  const children = type.contents.datatypes.map((child) => storedType(child, functions));
  return rebuilt(type, children);
}

function storedRuns(type: Datatype, functions: DataRepresentationFunctions): StoredRun[] {
  return runsOf(type).map((run) => ({ ...run, fileExtent: fileExtentOf(run.type, functions) }));
}

function isDense({ size, extent, trueLowerBound, trueExtent }: Datatype): boolean {
  return size === extent && size === trueExtent && trueLowerBound === 0;
}

function fileExtentOf(type: Datatype, functions: DataRepresentationFunctions): number {
  let extent: unknown;
  try {
    extent = functions.fileExtent(type);
  } catch (error) {
    throw conversionError(`fileExtent failed for ${type.name}`, error);
  }
  if (Number.isSafeInteger(extent) && (extent as number) > 0) return extent as number;
  throw conversionError(`fileExtent of ${type.name} is ${String(extent)}`);
}

/** The type that a constructor makes of other types. */
function rebuilt({ contents }: Datatype, children: readonly Datatype[]): Datatype {
  const { combiner, integers, addresses } = contents;
  const child = children[0] as Datatype;
  const [first = 0, second = 0, third = 0] = integers;
  const lists = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) =>
      integers.slice(from + i * first, from + (i + 1) * first),
    );
  switch (combiner) {
    case "contiguous":
      return Datatype.contiguous(first, child);
    case "vector":
      return Datatype.vector(first, second, third, child);
    case "hvector":
      return Datatype.hvector(first, second, addresses[0] as number, child);
    case "indexed":
      return Datatype.indexed(...(lists(1, 2) as [number[], number[]]), child);
    case "hindexed":
      return Datatype.hindexed(lists(1, 1)[0] as number[], addresses, child);
    case "indexed_block":
      return Datatype.indexedBlock(second, integers.slice(2), child);
    case "hindexed_block":
      return Datatype.hindexedBlock(second, addresses, child);
    case "struct":
      return Datatype.struct(lists(1, 1)[0] as number[], addresses, children);
    case "subarray": {
      const [sizes, subsizes, starts] = lists(1, 3) as [number[], number[], number[]];
      return Datatype.subarray(sizes, subsizes, starts, orderOf(integers), child);
    }
    case "darray":
      return rebuiltDarray(integers, child);
    case "resized":
      return Datatype.resized(child, ...(addresses as unknown as [number, number]));
    default:
      return child;
  }
}

function orderOf(integers: readonly number[]): "C" | "FORTRAN" {
  return integers.at(-1) === CONTENT_CODES.C ? "C" : "FORTRAN";
}

function rebuiltDarray(integers: readonly number[], child: Datatype): Datatype {
  const [size = 0, rank = 0, dimensions = 0] = integers;
  const list = (i: number) => integers.slice(3 + i * dimensions, 3 + (i + 1) * dimensions);
  const names = Object.keys(CONTENT_CODES) as (keyof typeof CONTENT_CODES)[];
  const distributions = list(1).map((code) => names.find((name) => CONTENT_CODES[name] === code));
  return Datatype.darray(
    ...([size, rank, list(0)] as const),
    distributions as Distribution[],
    ...([list(2), list(3), orderOf(integers), child] as const),
  );
}

/** The basic types of a datatype's data, in its order. */
function runsOf(type: Datatype): Run[] {
  if (type.isPredefined) return [{ type, count: 1 }];
  const { combiner, integers, datatypes } = type.contents;
  const runs: Run[] = [];
  const add = (child: Datatype, count: number) => {
    const inner = runsOf(child);
    const [only] = inner;
    if (only && inner.length === 1) append(runs, { type: only.type, count: only.count * count });
    else for (let i = 0; i < count; i += 1) for (const run of inner) append(runs, run);
  };
  if (combiner === "struct") {
    datatypes.forEach((child, i) => {
      add(child, integers[1 + i] as number);
    });
  } else {
    const child = datatypes[0] as Datatype;
    add(child, child.size === 0 ? 0 : type.size / child.size);
  }
  return runs;
}

function append(runs: Run[], run: Run): void {
  const last = runs.at(-1);
  if (run.count === 0) return;
  if (last?.type === run.type) runs[runs.length - 1] = { ...run, count: last.count + run.count };
  else runs.push(run);
}
