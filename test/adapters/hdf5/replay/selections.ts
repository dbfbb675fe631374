/**
 * What is between the brackets of `dataset[...]`, as our selections.
 *
 * What h5py refuses is handed on as it is, for us to refuse: a negative step, a fraction, None.
 *
 * @module
 */

import {
  type DimensionSelection,
  ELLIPSIS,
  Mask,
  mask,
  multiBlock,
  type RegionReference,
  type Selection,
  slice,
} from "daos-ts/hdf5";
import { kindOf, type Recorded, type RecordedArray } from "./recording.ts";
import { plain, type Surroundings, unpackMask } from "./values.ts";

/** Names of members, and a selection. */
export interface Indexing {
  readonly fields: readonly string[];
  readonly selection: Selection | undefined;
}

function bound(value: unknown): number | null {
  const number = plain(value as Recorded);
  return (number ?? null) as number | null;
}

function sliceOf([start, stop, step]: readonly unknown[]): DimensionSelection {
  // h5py's unlimited selections end at the largest number that HDF5 has.
  const last = bound(stop);
  return slice(bound(start), typeof last === "bigint" ? null : last, bound(step) ?? 1);
}

function maskOf({ shape, data }: RecordedArray) {
  return mask(unpackMask(data), shape);
}

/** One part: of a dimension, or a mask of all of them. */
function partOf(value: Recorded): DimensionSelection {
  if (kindOf(value, "ellipsis") !== undefined) return ELLIPSIS;
  const bounds = kindOf<readonly unknown[]>(value, "slice");
  if (bounds !== undefined) return sliceOf(bounds);
  const blocks = kindOf<readonly (number | null)[]>(value, "blocks");
  if (blocks !== undefined) {
    const [start, count, stride, block] = blocks as [number, number | null, number, number];
    return multiBlock({ start, count, stride, block });
  }
  const array = kindOf<RecordedArray>(value, "array") ?? kindOf<RecordedArray>(value, "scalar");
  if (array?.dtype.kind === "b") return maskOf(array);
  if (value === null) return "None" as unknown as DimensionSelection;
  const list = plain(value);
  return (typeof list === "bigint" ? Number(list) : list) as DimensionSelection;
}

/** The parts of an index: a tuple's, or the only one. */
function partsOf(value: Recorded): readonly Recorded[] {
  return kindOf<readonly Recorded[]>(value, "tuple") ?? [value];
}

/** A selection without names of members. */
export function selectionOf(value: Recorded | undefined): Selection {
  if (value === undefined || value === null) return [];
  const parts = partsOf(value).map(partOf);
  const [first] = parts;
  // A mask of all dimensions is a selection itself; of one, it is for the first dimension.
  const isMask = first instanceof Mask && first.shape.length !== 1;
  return parts.length === 1 && isMask ? (first as unknown as Selection) : parts;
}

/** Names of members, and the selection. */
export async function indexingOf(
  value: Recorded,
  around: Surroundings,
  region: (reference: RegionReference) => Promise<Selection | undefined>,
): Promise<Indexing> {
  const parts = partsOf(value);
  const fields = parts.filter((part) => typeof part === "string") as string[];
  const rest = parts.filter((part) => typeof part !== "string");
  const [first] = rest;
  if (first !== undefined && kindOf(first, "ref") !== undefined) {
    const reference = await around.reference(first as { [kind: string]: unknown });
    return { fields, selection: await region(reference as RegionReference) };
  }
  return { fields, selection: rest.length === 0 ? undefined : selectionOf({ tuple: rest }) };
}
