/**
 * Elements in memory made into elements of a file: items go to the global heap, references get addresses.
 *
 * The reverse of `h5-file/elements.ts`, where both forms are described.
 *
 * @module
 */

import {
  type Datatype,
  hasReferences,
  hasSlots,
  itemSizeOf,
  OBJECT_REFERENCE_SIZE,
} from "../datatype/datatype.js";
import type { Hdf5Source, RawElements, SourceRegion } from "../description.js";
import { FieldWriter, malformed } from "../messages/field-codec.js";
import type { GlobalHeapWriter, HeapPlace } from "./global-heap.js";
import type { ObjectTable } from "./object-table.js";
import { encodeSelection } from "./selection-codec.js";

/** Types whose elements are changed. */
type PointerType = Extract<Datatype, { class: "vlen" | "vlenString" | "reference" }>;
const NO_BYTES = new Uint8Array(0);

type Visitor = (view: DataView, at: number, type: PointerType) => void;

const isPlain = (type: Datatype): boolean => !hasSlots(type) && !hasReferences(type);

/** Calls `visit` for each slot and reference of an element. */
function visitPointers(type: Datatype, view: DataView, at: number, visit: Visitor): void {
  switch (type.class) {
    case "vlen":
    case "vlenString":
    case "reference":
      visit(view, at, type);
      return;
    case "compound":
      for (const member of type.members) {
        if (!isPlain(member.type)) visitPointers(member.type, view, at + member.offset, visit);
      }
      return;
    case "array": {
      const size = itemSizeOf(type.base);
      const end = at + itemSizeOf(type);
      for (let item = at; item < end; item += size) visitPointers(type.base, view, item, visit);
    }
  }
}

function visitAll(type: Datatype, bytes: Uint8Array, visit: Visitor): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = itemSizeOf(type);
  for (let at = 0; at + size <= bytes.length; at += size) visitPointers(type, view, at, visit);
}

/** Makes elements of a source into elements of a file. */
export class ElementWriter {
  readonly #source: Hdf5Source;
  readonly #heap: GlobalHeapWriter;
  readonly #objects: ObjectTable;
  /** Addresses of the objects that references lead to; 0 for those that lead nowhere. */
  readonly #addresses = new Map<bigint, number>();

  constructor(source: Hdf5Source, heap: GlobalHeapWriter, objects: ObjectTable) {
    this.#source = source;
    this.#heap = heap;
    this.#objects = objects;
  }

  /**
   * Elements as the file has them.
   *
   * @param report Told once for each reference that leads nowhere; it becomes none.
   * @returns The bytes themselves if nothing in them depends on the file, else a copy.
   */
  async convert(
    type: Datatype,
    { bytes, heap }: RawElements,
    { what, report }: { what: string; report: (lost: string) => void },
  ): Promise<Uint8Array> {
    if (isPlain(type)) return bytes;
    if (hasReferences(type)) await this.#resolveAll(type, { bytes, heap }, what, report);
    return this.#convert(type, bytes, heap, what);
  }

  #convert(
    type: Datatype,
    bytes: Uint8Array,
    heap: readonly Uint8Array[],
    what: string,
  ): Uint8Array {
    const result = Uint8Array.from(bytes);
    visitAll(type, result, (view, at, pointer) => {
      if (pointer.class === "reference" && pointer.kind === "object") {
        view.setBigUint64(at, BigInt(this.#addressOf(view.getBigUint64(at, true))), true);
      } else if (pointer.class === "reference") {
        const item = heapItem(heap, view.getBigUint64(at, true), what);
        setPlace(view, at, item.length === 0 ? undefined : this.#putRegion(item));
      } else {
        const count = view.getUint32(at, true);
        const item =
          count === 0 ? undefined : heapItem(heap, view.getBigUint64(at + 8, true), what);
        const size = count * (pointer.class === "vlen" ? itemSizeOf(pointer.base) : 1);
        if (item !== undefined && item.length < size) {
          throw malformed(what, `an item of ${item.length} bytes should have ${size}`);
        }
        const own = item?.subarray(0, size);
        const isNested = pointer.class === "vlen" && !isPlain(pointer.base);
        const stored = own && isNested ? this.#convert(pointer.base, own, heap, what) : own;
        // A text of no bytes is an item too, as HDF5 tells it from a text that was never written.
        const isText = pointer.class === "vlenString";
        setPlace(view, at + 4, stored || isText ? this.#heap.put(stored ?? NO_BYTES) : undefined);
      }
    });
    return result;
  }

  #addressOf(reference: bigint): number {
    return reference === 0n ? 0 : (this.#addresses.get(reference) ?? 0);
  }

  #putRegion(item: Uint8Array): HeapPlace | undefined {
    const { object, selection } = regionOf(item);
    const address = this.#addressOf(BigInt(object));
    if (address === 0) return undefined;
    const writer = new FieldWriter(64).uint(address, OBJECT_REFERENCE_SIZE);
    return this.#heap.put(encodeSelection(writer, selection).finish());
  }

  /** Finds the objects of all references. */
  async #resolveAll(
    type: Datatype,
    { bytes, heap }: RawElements,
    what: string,
    report: (lost: string) => void,
  ): Promise<void> {
    const found = new Set<bigint>();
    const collect = (of: Datatype, items: Uint8Array): void => {
      visitAll(of, items, (view, at, pointer) => {
        if (pointer.class === "vlen" && hasReferences(pointer.base)) {
          const count = view.getUint32(at, true);
          if (count === 0) return;
          const item = heapItem(heap, view.getBigUint64(at + 8, true), what);
          collect(pointer.base, item.subarray(0, count * itemSizeOf(pointer.base)));
        } else if (pointer.class === "reference") {
          const value = view.getBigUint64(at, true);
          if (pointer.kind === "object") found.add(value);
          else {
            const item = heapItem(heap, value, what);
            if (item.length > 0) found.add(BigInt(regionOf(item).object));
          }
        }
      });
    };
    collect(type, bytes);
    for (const reference of found) {
      if (reference === 0n || this.#addresses.has(reference)) continue;
      const object = await this.#resolve(reference);
      if (object === undefined) report("a reference leads to no object: it became none");
      this.#addresses.set(reference, object === undefined ? 0 : this.#objects.referTo(object));
    }
  }

  async #resolve(reference: bigint) {
    try {
      return await this.#source.resolve(reference);
    } catch (error) {
      // What a removed object left behind is no object, and no reason to fail.
      if ((error as { code?: string }).code === "DER_DF_INVAL") return undefined;
      throw error;
    }
  }
}

function regionOf(item: Uint8Array): SourceRegion {
  return JSON.parse(Buffer.from(item.buffer, item.byteOffset, item.length).toString());
}

function heapItem(heap: readonly Uint8Array[], index: bigint, what: string): Uint8Array {
  const item = heap[Number(index)];
  if (item !== undefined) return item;
  throw malformed(what, `an element refers to item ${index} of ${heap.length}`);
}

/** Writes where an item lies: address of its collection, its number. */
function setPlace(view: DataView, at: number, place: HeapPlace | undefined): void {
  view.setBigUint64(at, BigInt(place?.address ?? 0), true);
  view.setUint32(at + 8, place?.item ?? 0, true);
}
