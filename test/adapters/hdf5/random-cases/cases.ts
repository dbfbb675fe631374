/**
 * Random datasets, and what is done to them.
 *
 * @module
 */

import { ELLIPSIS, mask, multiBlock, type Selection, slice } from "daos-ts/hdf5";
import fc from "fast-check";
import { MEMORY_NAMES, type MemoryName, TYPES } from "./types.ts";

/** A part of a selection, as `python/random_cases.py` has it. */
export type Part =
  | readonly ["index", number]
  | readonly ["slice", number | null, number | null, number]
  | readonly ["list", readonly number[]]
  | readonly ["mask", readonly boolean[], readonly number[]]
  | readonly ["blocks", number, number, number | null, number]
  | readonly ["ellipsis"]
  | readonly ["all"];

/** How the shape of values follows from that of a selection. */
export type Fit = "exact" | "scalar" | "broadcast" | "wrong";

/** What is done. */
export type Op =
  | { readonly op: "read" | "field"; readonly parts: readonly Part[] }
  | { readonly op: "convert"; readonly parts: readonly Part[]; readonly memory: MemoryName }
  | {
      readonly op: "write";
      readonly parts: readonly Part[];
      readonly fit: Fit;
      /** Of numbers that are converted; otherwise they are of the dataset's type. */
      readonly memory: MemoryName | undefined;
      readonly seed: number;
    }
  | { readonly op: "resize"; readonly size: readonly number[] };

/** A dataset and its operations. */
export interface Case {
  readonly type: string;
  readonly shape: readonly number[];
  /** Extents of chunks; none is contiguous. */
  readonly chunks: readonly number[] | undefined;
  readonly isResizable: boolean;
  readonly filters: readonly ("gzip" | "shuffle" | "fletcher32")[];
  /** Of its first values; without, it shows its fill value. */
  readonly seed: number | undefined;
  /** Of the fill value of numbers. */
  readonly fill: number | undefined;
  readonly ops: readonly Op[];
}

const EXTENT_MAX = 5;
const bound = fc.option(fc.integer({ min: -EXTENT_MAX - 2, max: EXTENT_MAX + 2 }));
const seed = fc.nat(1000);
const indices = (extent: number) => Array.from({ length: extent }, (_, index) => index);

function partOf(extent: number, isResizable: boolean): fc.Arbitrary<Part> {
  const index = fc.integer({ min: -extent - 1, max: extent });
  const slices = fc.tuple(bound, bound, fc.integer({ min: 0, max: 3 }));
  const listed = fc.oneof(
    { weight: 5, arbitrary: fc.subarray(indices(extent)) },
    { weight: 1, arbitrary: fc.array(index, { minLength: 1, maxLength: 3 }) },
  );
  const length = fc.integer({ min: Math.max(0, extent - 1), max: extent });
  const masks = fc
    .oneof({ weight: 6, arbitrary: fc.constant(extent) }, { weight: 1, arbitrary: length })
    .chain((n) => fc.array(fc.boolean(), { minLength: n, maxLength: n }));
  // Of as many blocks as fit, if none does, nothing is selected here, as in HDF5; h5py refuses them.
  const blocks = fc.integer({ min: 1, max: Math.max(1, extent) }).chain((block) => {
    const start = fc.nat(Math.max(0, extent - block));
    const stride = fc.integer({ min: 1, max: 3 });
    const given = fc.integer({ min: 1, max: 3 });
    return fc.tuple(start, stride, isResizable ? given : fc.option(given), fc.constant(block));
  });
  const blocked = blocks.map(
    ([start, stride, count, block]): Part => ["blocks", start, stride, count, block],
  );
  return fc.oneof(
    fc.constant<Part>(["all"]),
    ...(extent === 0 ? [] : [blocked]),
    index.map((at): Part => ["index", at]),
    slices.map(([start, stop, step]): Part => ["slice", start, stop, step]),
    slices.map(([start, stop]): Part => ["slice", start, stop, 1]),
    listed.map((list): Part => ["list", list]),
    masks.map((values): Part => ["mask", values, [values.length]]),
  );
}

function partsOf(shape: readonly number[], isResizable: boolean): fc.Arbitrary<readonly Part[]> {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const all = fc.array(fc.boolean(), { minLength: size, maxLength: size });
  const byMask = all.map((values): readonly Part[] => [["mask", values, shape]]);
  const byDimensions = fc
    .record({
      parts: fc.tuple(...shape.map((extent) => partOf(extent, isResizable))),
      given: fc.nat(shape.length),
      hasEllipsis: fc.boolean(),
      extra: fc.integer({ min: 0, max: 19 }),
    })
    .filter(({ parts }) => {
      // h5py counts the elements of blocks beside a list wrongly.
      const kinds = parts.map(([kind]) => kind);
      return !(kinds.includes("blocks") && (kinds.includes("list") || kinds.includes("mask")));
    })
    .map(({ parts, given, hasEllipsis, extra }): readonly Part[] => {
      const ellipsis = ["ellipsis"] as const;
      if (hasEllipsis && given < shape.length) return [ellipsis, ...parts.slice(given)];
      const named = extra === 0 ? [...parts, ["all"] as const] : parts.slice(0, given);
      // h5py takes a mask that is alone for one of all dimensions.
      const isMask = named.length === 1 && named[0]?.[0] === "mask";
      return hasEllipsis || isMask ? [...named, ellipsis] : named;
    });
  // Masks of a single element, and of none, mean nothing.
  if (shape.length === 0) return byDimensions;
  return fc.oneof({ weight: 6, arbitrary: byDimensions }, { weight: 1, arbitrary: byMask });
}

/**
 * Conversions in which HDF5 goes wrong, where it has no processor's conversion: negative floats become other integers of
 * 64 bits, and integers of one size and the other order keep their bits whatever their signs are.
 */
const WRONG_IN_HDF5: { readonly [type: string]: readonly MemoryName[] } = {
  float16: ["int64", "uint64"],
  bigFloat32: ["int64", "uint64"],
  bigInt16: ["uint16"],
  bigUint64: ["int64"],
};

/** Where the float nearest to the largest integer is one more, which HDF5 does not see. It comes of such integers. */
const ONE_TOO_LARGE: { readonly [type: string]: readonly MemoryName[] } = {
  float32: ["int32", "uint32", "int64", "uint64"],
  float64: ["int64", "uint64"],
};

/** Types of numbers that are written to a type, or that it is read as. */
function convertible(type: string, isRead: boolean): fc.Arbitrary<MemoryName> {
  const left = [...(WRONG_IN_HDF5[type] ?? []), ...((isRead && ONE_TOO_LARGE[type]) || [])];
  return fc.constantFrom(...MEMORY_NAMES.filter((name) => !left.includes(name)));
}

function opOf(type: string, shape: readonly number[], isResizable: boolean): fc.Arbitrary<Op> {
  const parts = partsOf(shape, isResizable);
  const isNumber = TYPES[type]?.isNumber === true;
  const memory = convertible(type, false);
  const read = fc.record({ op: fc.constant("read" as const), parts });
  const write = fc.record({
    op: fc.constant("write" as const),
    parts,
    fit: fc.constantFrom<Fit>("exact", "exact", "scalar", "broadcast", "wrong"),
    memory: isNumber ? fc.option(memory, { nil: undefined }) : fc.constant(undefined),
    seed,
  });
  const others: fc.Arbitrary<Op>[] = [];
  const asType = { parts, memory: convertible(type, true) };
  const convert = fc.record({ op: fc.constant("convert" as const), ...asType });
  if (isNumber) others.push(convert);
  if (type === "compound") others.push(fc.record({ op: fc.constant("field" as const), parts }));
  const size = fc.tuple(...shape.map(() => fc.nat(EXTENT_MAX + 1)));
  if (isResizable) others.push(fc.record({ op: fc.constant("resize" as const), size }));
  return fc.oneof(read, write, write, ...others);
}

/** Random cases. */
export const cases: fc.Arbitrary<Case> = fc
  .record({
    type: fc.constantFrom(...Object.keys(TYPES)),
    shape: fc.array(fc.nat(EXTENT_MAX), { maxLength: 3 }),
    isChunked: fc.boolean(),
    isResizable: fc.boolean(),
  })
  .chain(({ type, shape, isChunked, isResizable }) => {
    const canChunk = isChunked && shape.length > 0 && !shape.includes(0);
    const chunk = fc.tuple(...shape.map((extent) => fc.integer({ min: 1, max: extent || 1 })));
    const canResize = canChunk && isResizable;
    return fc.record({
      type: fc.constant(type),
      shape: fc.constant(shape),
      chunks: canChunk ? chunk : fc.constant(undefined),
      isResizable: fc.constant(canResize),
      filters: canChunk
        ? fc.subarray(["gzip", "shuffle", "fletcher32"] as const)
        : fc.constant([] as const),
      seed: fc.option(seed, { nil: undefined }),
      fill: TYPES[type]?.isNumber
        ? fc.option(fc.nat(100), { nil: undefined })
        : fc.constant(undefined),
      ops: fc.array(opOf(type, shape, canResize), { minLength: 1, maxLength: 5 }),
    });
  });

/** Parts after which values are not spread in h5py. */
export function isFancy(parts: readonly Part[]): boolean {
  return parts.some(([kind]) => kind === "list" || kind === "mask" || kind === "blocks");
}

function ownPart(part: Part): unknown {
  switch (part[0]) {
    case "index":
      return part[1];
    case "slice":
      return slice(part[1], part[2], part[3]);
    case "list":
      return part[1];
    case "mask":
      return mask(part[1], part[2]);
    case "blocks": {
      const [, start, stride, count, block] = part;
      return multiBlock({ start, stride, count, block });
    }
    case "ellipsis":
      return ELLIPSIS;
    default:
      return null;
  }
}

/** A selection as ours. */
export function selectionOf(parts: readonly Part[]): Selection {
  const [first] = parts;
  const own = parts.map(ownPart);
  const isWhole = parts.length === 1 && first?.[0] === "mask" && first[2].length !== 1;
  return (isWhole ? own[0] : own) as Selection;
}
