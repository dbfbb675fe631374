/**
 * Compares elements of one type: bytes; items of variable length by what they hold; references by the
 * object that they lead to.
 *
 * @module
 */

import { type Datatype, hasReferences, hasSlots, itemSizeOf } from "../datatype/datatype.js";
import type { RawElements, SourceRegion } from "../description.js";
import { normalizeSelection } from "./selections.js";

/** Elements, and what their references lead to. */
export interface ComparedElements extends RawElements {
  /** Path of the object of a reference, or `undefined`. */
  readonly pathOf: (reference: bigint) => Promise<string | undefined>;
}

/** Which elements differ. */
export interface ElementDifference {
  readonly count: number;
  /** The first of them, by its number in row-major order. */
  readonly first: number;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Compares as many elements as both have. */
export async function compareElements(
  type: Datatype,
  first: ComparedElements,
  second: ComparedElements,
): Promise<ElementDifference | undefined> {
  const isPlain = !hasSlots(type) && !hasReferences(type);
  if (isPlain && Buffer.compare(first.bytes, second.bytes) === 0) return undefined;
  const size = itemSizeOf(type);
  let [count, at] = [0, -1];
  for (let start = 0; start < first.bytes.length; start += size) {
    const [a, b] = [first.bytes, second.bytes].map((bytes) => bytes.subarray(start, start + size));
    const same = isPlain
      ? Buffer.compare(a as Uint8Array, b as Uint8Array) === 0
      : await sameElement(
          type,
          { ...first, bytes: a as Uint8Array },
          { ...second, bytes: b as Uint8Array },
        );
    if (same) continue;
    if (count++ === 0) at = start / size;
  }
  return count === 0 ? undefined : { count, first: at };
}

async function sameElement(
  type: Datatype,
  a: ComparedElements,
  b: ComparedElements,
): Promise<boolean> {
  switch (type.class) {
    case "vlen":
    case "vlenString":
      return sameSequence(type, a, b);
    case "reference":
      return type.kind === "object" ? sameObject(a, b) : sameRegion(a, b);
    case "array":
      return sameList(type.base, a, b);
    case "compound": {
      for (const { offset, type: of } of type.members) {
        const end = offset + itemSizeOf(of);
        const part = (one: ComparedElements) => ({
          ...one,
          bytes: one.bytes.subarray(offset, end),
        });
        if (!(await sameElement(of, part(a), part(b)))) return false;
      }
      return true;
    }
    default:
      return Buffer.compare(a.bytes, b.bytes) === 0;
  }
}

async function sameList(base: Datatype, a: ComparedElements, b: ComparedElements) {
  return (await compareElements(base, a, b)) === undefined;
}

function itemOf({ bytes, heap }: ComparedElements): Uint8Array {
  const view = viewOf(bytes);
  if (view.getUint32(0, true) === 0) return new Uint8Array(0);
  return heap[Number(view.getBigUint64(8, true))] ?? new Uint8Array(0);
}

async function sameSequence(
  type: Extract<Datatype, { class: "vlen" | "vlenString" }>,
  a: ComparedElements,
  b: ComparedElements,
): Promise<boolean> {
  const [first, second] = [itemOf(a), itemOf(b)];
  if (first.length !== second.length) return false;
  if (type.class === "vlenString") return Buffer.compare(first, second) === 0;
  return sameList(type.base, { ...a, bytes: first }, { ...b, bytes: second });
}

async function sameObject(a: ComparedElements, b: ComparedElements): Promise<boolean> {
  return (await objectOf(a)) === (await objectOf(b));
}

async function objectOf({ bytes, pathOf }: ComparedElements): Promise<string | undefined> {
  const reference = viewOf(bytes).getBigUint64(0, true);
  return reference === 0n ? undefined : ((await pathOf(reference)) ?? `?${reference}`);
}

async function sameRegion(a: ComparedElements, b: ComparedElements): Promise<boolean> {
  return (await regionOf(a)) === (await regionOf(b));
}

async function regionOf({ bytes, heap, pathOf }: ComparedElements): Promise<string | undefined> {
  const index = Number(viewOf(bytes).getBigUint64(0, true));
  const item = heap[index];
  if (index === 0 || item === undefined) return undefined;
  const { object, selection }: SourceRegion = JSON.parse(Buffer.from(item).toString());
  const path = await pathOf(BigInt(object));
  return JSON.stringify([path, normalizeSelection(selection)]);
}
