/**
 * Elements as JSON values: numbers, texts, lists and objects.
 *
 *     64-bit numbers that a double cannot hold   decimal text
 *     NaN, Infinity                              text
 *     enum                                       the name of the value, or the value
 *     opaque, bitfield                           hexadecimal text
 *     references                                 the path of the object, or null; of a region with its selection
 *
 * @module
 */

import {
  type CompoundMember,
  type CompoundType,
  type Datatype,
  decodeElements,
  type Hdf5Source,
  itemSizeOf,
  type NumberArray,
  type RawElements,
  type Reference,
  RegionReference,
  SLOT_SIZE,
} from "daos-ts/hdf5";
import { selectionText } from "./type-text.js";

/** What a value is. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The numbers that elements are. */
function numbersOf(type: Datatype, elements: RawElements): ArrayLike<number | bigint> {
  return decodeElements(type, elements) as NumberArray;
}

function numberValue(value: number | bigint): number | string {
  const number = Number(value);
  if (typeof value === "bigint") return Number.isSafeInteger(number) ? number : String(value);
  return Number.isFinite(number) ? number : String(value);
}

/** Each element of some bytes as hexadecimal text. */
function hexValues(bytes: Uint8Array, size: number): string[] {
  return Array.from({ length: bytes.length / size }, (_, index) =>
    hex(bytes.subarray(index * size, (index + 1) * size)),
  );
}

/** The bytes of a member, behind one another. */
function memberBytes(bytes: Uint8Array, size: number, { offset, type }: CompoundMember) {
  const parts = Array.from({ length: bytes.length / size }, (_, index) => {
    const start = index * size + offset;
    return bytes.subarray(start, start + itemSizeOf(type));
  });
  return Buffer.concat(parts);
}

/** Makes values of elements of one file. */
export class ValueReader {
  readonly #source: Hdf5Source;
  readonly #paths: ReadonlyMap<string, string>;

  /** @param paths Paths of the objects of the file, by their identity. */
  constructor(source: Hdf5Source, paths: ReadonlyMap<string, string>) {
    this.#source = source;
    this.#paths = paths;
  }

  /** The values of elements, in their order. */
  async values(type: Datatype, { bytes, heap }: RawElements): Promise<JsonValue[]> {
    const own = { bytes: Uint8Array.from(bytes), heap };
    switch (type.class) {
      case "integer":
      case "float":
        return Array.from(numbersOf(type, own), numberValue);
      case "enum": {
        const names = new Map(type.members.map(({ name, value }) => [value, name]));
        return Array.from(
          numbersOf(type.base, own),
          (value) => names.get(BigInt(value)) ?? numberValue(value),
        );
      }
      case "string":
      case "vlenString":
        return [...(decodeElements(type, own) as readonly string[])];
      case "vlen":
        return this.#sequences(type.base, own);
      case "array": {
        const all = await this.values(type.base, own);
        const count = type.shape.reduce((product, extent) => product * extent, 1);
        return Array.from({ length: all.length / count }, (_, index) =>
          nested(all.slice(index * count, (index + 1) * count), type.shape),
        );
      }
      case "compound":
        return this.#compounds(type, own);
      case "reference": {
        const references = decodeElements(type, own) as readonly (Reference | undefined)[];
        return Promise.all(references.map((reference) => this.#referred(reference)));
      }
      default:
        return hexValues(bytes, type.size);
    }
  }

  async #sequences(base: Datatype, { bytes, heap }: RawElements): Promise<JsonValue[]> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const values: JsonValue[] = [];
    for (let at = 0; at < bytes.length; at += SLOT_SIZE) {
      const size = view.getUint32(at, true) * itemSizeOf(base);
      const item = heap[Number(view.getBigUint64(at + 8, true))] ?? new Uint8Array(0);
      values.push(await this.values(base, { bytes: item.subarray(0, size), heap }));
    }
    return values;
  }

  async #compounds(
    { members, size }: CompoundType,
    { bytes, heap }: RawElements,
  ): Promise<JsonValue[]> {
    const values = Array.from(
      { length: bytes.length / size },
      (): Record<string, JsonValue> => ({}),
    );
    for (const member of members) {
      const column = await this.values(member.type, {
        bytes: memberBytes(bytes, size, member),
        heap,
      });
      for (const [index, value] of column.entries()) {
        (values[index] as Record<string, JsonValue>)[member.name] = value;
      }
    }
    return values;
  }

  async #referred(reference: Reference | undefined): Promise<string | null> {
    if (reference === undefined) return null;
    const object = await this.#source.resolve(reference.object);
    const path = (object && this.#paths.get(object.id)) ?? `#${reference.object}`;
    if (!(reference instanceof RegionReference)) return path;
    return `${path} ${selectionText(reference.selection)}`;
  }
}

/** A list as lists of lists, of a shape. */
export function nested(values: readonly JsonValue[], shape: readonly number[]): JsonValue {
  if (shape.length === 0) return values[0] ?? null;
  let level: readonly JsonValue[] = values;
  for (let dimension = shape.length - 1; dimension > 0; dimension--) {
    const extent = shape[dimension] as number;
    const next: JsonValue[] = [];
    for (let at = 0; at < level.length; at += extent) next.push(level.slice(at, at + extent));
    level = next;
  }
  return level;
}
