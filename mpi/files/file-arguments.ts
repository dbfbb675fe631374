/**
 * Arguments of files: the check of paths, offsets, hints and views.
 *
 * @module
 */

import { Datatype } from "../datatype/datatype.js";
import { spanOf, type Typemap } from "../datatype/typemap.js";
import { MpiError } from "../errors.js";
import { dataRepresentations, isDataRepresentation } from "./data-representations.js";
import type { FileInfo, FileOffset, View } from "./file-calls.js";
import type { Hints } from "./file-transport.js";
import { DISPLACEMENT_CURRENT, Mode, Seek } from "./mode.js";

/** Longest key of a hint, in bytes: what all libraries take. */
const KEY_SIZE_MAX = 35;
/** Longest value of a hint, in bytes: what all libraries take. */
const VALUE_SIZE_MAX = 255;

/** Refuses what is no path. @throws {@link MpiError} `MPI_ERR_BAD_FILE`. */
export function checkPath(call: string, path: unknown): asserts path is string {
  if (typeof path === "string" && path !== "" && !path.includes("\0")) return;
  const why = typeof path === "string" ? `the path is ${JSON.stringify(path)}` : "the path is none";
  throw new MpiError({ code: "MPI_ERR_BAD_FILE", call, why, remedy: "Give the path of a file" });
}

/**
 * An offset or a size as a number.
 *
 * @param least Smallest that is allowed.
 * @throws {@link MpiError} `MPI_ERR_ARG`.
 */
export function offsetOf(call: string, offset: FileOffset, least = 0): number {
  const number = typeof offset === "bigint" ? Number(offset) : offset;
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new MpiError({
    code: "MPI_ERR_ARG",
    call,
    why: `the offset or size is ${String(offset)}`,
    remedy: `Give a whole number, ${least === 0 ? "0 or more" : "negative or not"}, within 2^53 - 1`,
  });
}

/**
 * An offset of a view, whose place in the file can be counted.
 *
 * @param offset In elementary types.
 * @param size Bytes that are accessed there.
 * @throws {@link MpiError} `MPI_ERR_ARG`.
 */
export function placeOf(call: string, view: View, offset: FileOffset, size: number): number {
  const place = offsetOf(call, offset);
  const { displacement, etype, filetype } = view;
  const tiles = (place * etype.size + size) / filetype.size + 1;
  const end = Math.max(displacement, 0) + tiles * filetype.extent + filetype.trueLowerBound;
  if (end <= Number.MAX_SAFE_INTEGER) return place;
  const why = `offset ${place} of the view lies behind byte 2^53 of the file`;
  throw new MpiError({ code: "MPI_ERR_ARG", call, why, remedy: "Give a smaller offset" });
}

/** Refuses what is no origin of a seek. @throws {@link MpiError} `MPI_ERR_ARG`. */
export function checkWhence(call: string, whence: number): void {
  if (whence === Seek.SET || whence === Seek.CUR || whence === Seek.END) return;
  const why = `whence is ${String(whence)}`;
  throw new MpiError({ code: "MPI_ERR_ARG", call, why, remedy: "Use a constant of Seek" });
}

/**
 * Hints as a list.
 *
 * @throws {@link MpiError} `MPI_ERR_INFO` for no hints, `MPI_ERR_INFO_KEY`, `MPI_ERR_INFO_VALUE`.
 */
export function hintsOf(call: string, info: FileInfo): Hints {
  if (typeof info !== "object" || info === null) {
    const why = "the hints are no object";
    throw new MpiError({ code: "MPI_ERR_INFO", call, why, remedy: "Give keys and values" });
  }
  const pairs = Symbol.iterator in info ? [...info] : Object.entries(info);
  for (const pair of pairs) {
    const [key, value] = Array.isArray(pair) ? pair : [];
    requireText("MPI_ERR_INFO_KEY", call, key, KEY_SIZE_MAX);
    if (key === "") throw hintError("MPI_ERR_INFO_KEY", call, "a key is empty");
    requireText("MPI_ERR_INFO_VALUE", call, value, VALUE_SIZE_MAX);
  }
  return pairs as Hints;
}

function requireText(code: string, call: string, text: unknown, sizeMax: number): void {
  if (typeof text !== "string") throw hintError(code, call, `a hint has a ${typeof text}`);
  const size = Buffer.byteLength(text);
  if (size > sizeMax) throw hintError(code, call, `${size} bytes are more than ${sizeMax}`);
  if (text.includes("\0")) throw hintError(code, call, "a hint has a character 0");
}

function hintError(code: string, call: string, why: string): MpiError {
  return new MpiError({ code, call, why, remedy: "Give strings as keys and values of hints" });
}

/**
 * A view, checked.
 *
 * @throws {@link MpiError} `MPI_ERR_ARG`, `MPI_ERR_TYPE`, `MPI_ERR_UNSUPPORTED_DATAREP`.
 */
export function viewOf(
  amode: number,
  displacement: FileOffset,
  etype: Datatype,
  filetype: Datatype,
  datarep: string,
): View {
  const call = "MPI_File_set_view";
  const isSequential = (amode & Mode.SEQUENTIAL) !== 0;
  const start = offsetOf(call, displacement, isSequential ? DISPLACEMENT_CURRENT : 0);
  if (isSequential && start !== DISPLACEMENT_CURRENT) {
    const why = "the view of a sequential file starts where its pointer is";
    throw new MpiError({ code: "MPI_ERR_ARG", call, why, remedy: "Give DISPLACEMENT_CURRENT" });
  }
  for (const type of [etype, filetype]) requireRegular(type);
  if (etype.size !== etype.extent || etype.size === 0 || etype.trueLowerBound !== 0) {
    throw typeError("the elementary type has gaps or no data");
  }
  if (filetype.size % etype.size !== 0) {
    throw typeError(`${filetype.size} bytes of the file type are no multiple of ${etype.size}`);
  }
  if (!isSequential && start + filetype.trueLowerBound < 0) {
    throw typeError("the view begins before the file");
  }
  if (!isDataRepresentation(datarep)) {
    const why = `"${String(datarep)}" is no data representation`;
    const remedy = `Use one of ${dataRepresentations().join(", ")}`;
    throw new MpiError({ code: "MPI_ERR_UNSUPPORTED_DATAREP", call, why, remedy });
  }
  return { displacement: start, etype, filetype, datarep };
}

/** Refuses types that libraries fail at or crash of: of which repetitions overlap or go back. */
function requireRegular(type: unknown): void {
  if (!(type instanceof Datatype)) throw typeError("a type of the view is none");
  if (type.size === 0) throw typeError("a type of the view has no data");
  if (!increases(type.typemap) || type.extent < type.trueExtent) {
    throw typeError("offsets of a type of the view go back, or overlap");
  }
}

function typeError(why: string): MpiError {
  const remedy =
    "Build the file type from the elementary type, with offsets that increase and do not overlap";
  return new MpiError({ code: "MPI_ERR_TYPE", call: "MPI_File_set_view", why, remedy });
}

/** Whether each block of a typemap lies behind the one before. */
function increases(map: Typemap): boolean {
  if (map.kind === "elements") return true;
  if (map.kind === "repeat") {
    const { lower, upper } = spanOf(map.child);
    return map.stride >= upper - lower && increases(map.child);
  }
  let end = -Infinity;
  const children = map.kind === "list" ? [map.child] : map.children;
  const spans = children.map(spanOf);
  for (const [i, offset] of map.offsets.entries()) {
    const span = (spans[i] ?? spans[0]) as { lower: number; upper: number };
    if (offset + span.lower < end) return false;
    end = offset + span.upper;
  }
  return [...new Set(children)].every(increases);
}
