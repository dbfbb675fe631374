/**
 * What a call of ours gave, in a form that can be compared with what h5py's gave.
 *
 * @module
 */

import {
  type Datatype,
  type Elements,
  type Hdf5Object,
  type Link,
  type Reference,
  RegionReference,
  type SpaceSelection,
} from "daos-ts/hdf5";
import { isAnyObject, keyOf, typeOf } from "./numpy-types.ts";
import { kindOf, type Recorded, type RecordedArray, type RecordedType } from "./recording.ts";
import { decodeArray, indicesOf, plain } from "./values.ts";
import { classOf, type View, type World } from "./world.ts";

/** What a call of ours gave. */
export type Seen =
  /** Numbers, text, lists of them. */
  | { readonly kind: "plain"; readonly value: unknown }
  /** Elements; without a type, if h5py's have one that does not matter. */
  | {
      readonly kind: "elements";
      readonly type?: Datatype | undefined;
      readonly data: unknown;
      readonly shape: readonly number[];
    }
  | { readonly kind: "object"; readonly object: Hdf5Object }
  | { readonly kind: "type"; readonly type: Datatype }
  | { readonly kind: "empty"; readonly type: Datatype }
  | { readonly kind: "reference"; readonly reference: Reference | undefined }
  | { readonly kind: "link"; readonly link: Link }
  | { readonly kind: "view"; readonly view: View }
  | { readonly kind: "list"; readonly items: readonly Seen[] }
  /** `undefined`, where h5py raises an error or gives a default: ours answers so on purpose. */
  | { readonly kind: "absent" }
  /** Nothing that could be compared. */
  | { readonly kind: "done" };

/** Nothing to compare. */
export const DONE: Seen = { kind: "done" };
/** There is none. */
export const ABSENT: Seen = { kind: "absent" };

/** Numbers, text, lists of them. */
export function seenPlain(value: unknown): Seen {
  return { kind: "plain", value };
}

/** An object, or `undefined`. */
export function seenObject(object: Hdf5Object | undefined): Seen {
  return object === undefined ? ABSENT : { kind: "object", object };
}

/** Objects in their order; `undefined` of a link that leads nowhere is Python's None. */
export function seenList(items: readonly Seen[]): Seen {
  return { kind: "list", items };
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, item) => {
    if (typeof item === "bigint") return `${item}n`;
    if (ArrayBuffer.isView(item))
      return Array.from(item as Uint8Array)
        .slice(0, 12)
        .map(String);
    return item === undefined ? "undefined" : item;
  });
  return (text ?? "undefined").slice(0, 160);
}

function isSameNumber(first: unknown, second: unknown): boolean {
  if (typeof first === typeof second) return Object.is(first, second);
  const isNumber = (value: unknown) => ["number", "bigint", "boolean"].includes(typeof value);
  // 64-bit numbers are bigints here, and truth values are 0 and 1 in arrays.
  return isNumber(first) && isNumber(second) && BigInt(Number(first)) === BigInt(Number(second));
}

function isSameReference(first: unknown, second: unknown): boolean {
  const [one, two] = [first as Reference, second as Reference];
  if (one.object !== two.object) return false;
  if (!(one instanceof RegionReference) || !(two instanceof RegionReference)) {
    return one instanceof RegionReference === two instanceof RegionReference;
  }
  return String(elementsOf(one.selection)) === String(elementsOf(two.selection));
}

/** The indices of a selection's elements, sorted: one set has many descriptions. */
function elementsOf(selection: SpaceSelection): string[] {
  switch (selection.kind) {
    case "points":
      return selection.points.map(String).sort();
    case "blocks":
      return selection.blocks
        .flatMap(([begin, end]) =>
          indicesOf(
            begin,
            end.map((last) => last - 1),
          ),
        )
        .map(String)
        .sort();
    case "hyperslab": {
      const { start, stride, count, block } = selection.slab;
      let all: number[][] = [[]];
      for (const [dimension, first] of start.entries()) {
        const axis = Array.from({ length: Number(count[dimension]) }, (_, at) =>
          Array.from(
            { length: Number(block[dimension]) },
            (_, inner) => first + at * (stride[dimension] as number) + inner,
          ),
        ).flat();
        all = all.flatMap((prefix) => axis.map((index) => [...prefix, index]));
      }
      return all.map(String).sort();
    }
    default:
      return [selection.kind];
  }
}

/** Why elements differ, if they do. */
export function differenceOf(ours: unknown, theirs: unknown): string | undefined {
  if (typeof theirs !== "object" || theirs === null) {
    const isSame = Object.is(ours, theirs) || isSameNumber(ours, theirs);
    return isSame ? undefined : `${show(ours)} instead of ${show(theirs)}`;
  }
  if (typeof ours !== "object" || ours === null) return `${show(ours)} instead of ${show(theirs)}`;
  if ("object" in theirs) {
    return isSameReference(ours, theirs) ? undefined : "a reference to something else";
  }
  if (Array.isArray(theirs) || ArrayBuffer.isView(theirs)) {
    const [one, two] = [ours as ArrayLike<unknown>, theirs as ArrayLike<unknown>];
    if (one.length !== two.length) return `${one.length} elements instead of ${two.length}`;
    for (let index = 0; index < two.length; index++) {
      const difference = differenceOf(one[index], two[index]);
      if (difference !== undefined) return `element ${index}: ${difference}`;
    }
    return undefined;
  }
  const names = Object.keys(theirs);
  if (String(names) !== String(Object.keys(ours))) {
    return `members ${Object.keys(ours)} instead of ${names}`;
  }
  for (const name of names) {
    const [one, two] = [ours, theirs] as Record<string, unknown>[];
    const difference = differenceOf(one?.[name], two?.[name]);
    if (difference !== undefined) return `member ${name}: ${difference}`;
  }
  return undefined;
}

/** @param isScalar NumPy's scalars are in the machine's byte order, without what h5py adds to types. */
function typeDifference(
  ours: Datatype,
  recorded: RecordedType,
  isScalar = false,
): string | undefined {
  if (isAnyObject(recorded) && (ours.class === "vlenString" || ours.class === "vlen")) return;
  if (isScalar && ours.class === "string" && recorded.kind === "S") return;
  if (isScalar && ours.class === "enum" && recorded.kind !== "b" && recorded.enum === undefined) {
    return typeDifference(ours.base, recorded, true);
  }
  const [one, two] = [keyOf(ours), keyOf(typeOf(recorded))];
  const isSame = one === two || (isScalar && one.replaceAll(">", "<") === two.replaceAll(">", "<"));
  return isSame ? undefined : `type ${one} instead of ${two}`;
}

async function elementsDifference(
  seen: Seen & { kind: "elements" },
  theirs: Recorded,
  world: World,
): Promise<string | undefined> {
  const isScalar = kindOf(theirs, "scalar") !== undefined;
  const array = kindOf<RecordedArray>(theirs, "array") ?? kindOf<RecordedArray>(theirs, "scalar");
  if (array === undefined) {
    // A single element that Python has a class for: text, references.
    const list = seen.data as ArrayLike<unknown>;
    if (seen.shape.length > 0 || list.length !== 1) return `shape [${seen.shape}] instead of none`;
    if (kindOf(theirs, "ref") !== undefined) {
      const reference = await world.reference(theirs as { [kind: string]: unknown });
      return differenceOf(list[0], reference);
    }
    return differenceOf(list[0], plain(theirs));
  }
  const decoded = await decodeArray(array, world);
  if (seen.type?.class === "vlen" && seen.shape.length === 0 && array.dtype.vlen === undefined) {
    // A single sequence is an array itself.
    const [sequence] = seen.data as readonly Elements[];
    const types = typeDifference(seen.type.base, array.dtype, true);
    return types ?? differenceOf(sequence, decoded.data);
  }
  if (String(seen.shape) !== String(decoded.shape)) {
    return `shape [${seen.shape}] instead of [${decoded.shape}]`;
  }
  const types = seen.type && typeDifference(outermost(seen.type), array.dtype, isScalar);
  return types ?? differenceOf(seen.data as Elements, decoded.data);
}

/** Arrays as elements are dimensions of NumPy's arrays. */
function outermost(type: Datatype): Datatype {
  return type.class === "array" ? outermost(type.base) : type;
}

function linkDifference(link: Link, theirs: Recorded, world: World): string | undefined {
  const soft = kindOf<string>(theirs, "soft");
  if (soft !== undefined) {
    const isSame = link.kind === "soft" && link.path === soft;
    return isSame ? undefined : `${show(link)} instead of a soft link to ${soft}`;
  }
  const external = kindOf<readonly [string, string]>(theirs, "external");
  if (external !== undefined) {
    const [file, path] = external;
    const isSame =
      link.kind === "external" && link.filename === world.linkedName(file) && link.path === path;
    return isSame ? undefined : `${show(link)} instead of an external link to ${external}`;
  }
  return link.kind === "hard" ? undefined : `${show(link)} instead of a hard link`;
}

function objectDifference(object: Hdf5Object, theirs: Recorded): string | undefined {
  const wanted = kindOf<string>(theirs, "kind");
  const kind = classOf(object);
  // The root group of a file is one of its own class in h5py.
  const isSame = wanted === undefined || wanted === kind || (wanted === "Group" && kind === "File");
  if (!isSame) return `a ${kind} instead of a ${wanted}`;
  return kindOf(theirs, "object") === undefined
    ? `a ${kind} instead of ${show(theirs)}`
    : undefined;
}

async function listDifference(
  items: readonly Seen[],
  theirs: Recorded,
  world: World,
): Promise<string | undefined> {
  const list = Array.isArray(theirs)
    ? (theirs as readonly Recorded[])
    : kindOf<readonly Recorded[]>(theirs, "tuple");
  if (list?.length !== items.length) return `${items.length} items instead of ${show(theirs)}`;
  for (const [index, item] of items.entries()) {
    const difference = await disagreement(item, list[index] as Recorded, world);
    if (difference !== undefined) return `item ${index}: ${difference}`;
  }
  return undefined;
}

/** Why what a call gave is not what h5py gave; `undefined` if it is. Keeps objects under their numbers. */
export async function disagreement(
  seen: Seen,
  theirs: Recorded,
  world: World,
): Promise<string | undefined> {
  switch (seen.kind) {
    case "done":
      return undefined;
    case "absent":
      return theirs === null ? undefined : `undefined instead of ${show(theirs)}`;
    case "plain":
      return differenceOf(seen.value, plain(theirs));
    case "elements":
      return elementsDifference(seen, theirs, world);
    case "object":
      world.bind(theirs, seen.object);
      return objectDifference(seen.object, theirs);
    case "view":
      world.bindView(theirs, seen.view);
      return undefined;
    case "type": {
      const recorded = kindOf<RecordedType>(theirs, "dtype");
      if (recorded === undefined) return `a type instead of ${show(theirs)}`;
      return typeDifference(seen.type, recorded);
    }
    case "empty": {
      const recorded = kindOf<RecordedType>(theirs, "empty");
      if (recorded === undefined) return `nothing instead of ${show(theirs)}`;
      return typeDifference(seen.type, recorded);
    }
    case "reference": {
      if (kindOf(theirs, "ref") === undefined) return `a reference instead of ${show(theirs)}`;
      const wanted = await world.reference(theirs as { [kind: string]: unknown });
      return differenceOf(seen.reference, wanted);
    }
    case "link":
      return linkDifference(seen.link, theirs, world);
    default:
      return listDifference(seen.items, theirs, world);
  }
}

/** The value of an attribute or a dataset without elements. */
export function seenEmpty(type: Datatype): Seen {
  return { kind: "empty", type };
}
