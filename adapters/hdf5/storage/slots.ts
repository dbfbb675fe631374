/**
 * Slots: where elements of variable length, and references to regions, point to items.
 *
 * In memory a slot names an item of a list ({@link RawElements}); in the store it holds the item's address
 * in the dataset's heap. Items of nested types hold slots themselves.
 *
 *     in memory   u32 count, u32 0, u64 index     region: u64 index, u32 0
 *     in store    u32 count, u32 0, u64 address   region: u64 address, u32 size
 *
 * @module
 */

import { DaosError, type ObjectId } from "../../../core/index.js";
import { type Datatype, hasSlots, itemSizeOf } from "../datatype/datatype.js";
import type { RawElements } from "../description.js";
import type { Session } from "../session.js";
import { allocateHeap, type HeapSpan, readHeap, writeHeap } from "./heap.js";

/** A place in an element that points to an item. */
interface SlotPlace {
  /** First byte in the element. */
  readonly offset: number;
  /** What the item has so many of; `undefined` for a reference to a region. */
  readonly base: Datatype | undefined;
  /** Bytes of one of those. */
  readonly unit: number;
}

const BYTE_UNIT = 1;

/** The slots of an element. */
export function slotPlaces(type: Datatype, offset = 0): SlotPlace[] {
  switch (type.class) {
    case "vlen":
      return [{ offset, base: type.base, unit: itemSizeOf(type.base) }];
    case "vlenString":
      return [{ offset, base: undefined, unit: BYTE_UNIT }];
    case "reference":
      return type.kind === "region" ? [{ offset, base: undefined, unit: 0 }] : [];
    case "compound":
      return type.members.flatMap((member) => slotPlaces(member.type, offset + member.offset));
    case "array": {
      const size = itemSizeOf(type.base);
      const count = itemSizeOf(type) / size;
      const places = slotPlaces(type.base, offset);
      if (places.length === 0) return [];
      return Array.from({ length: count }, (_, index) =>
        places.map((place) => ({ ...place, offset: place.offset + index * size })),
      ).flat();
    }
    default:
      return [];
  }
}

const isRegion = ({ base, unit }: SlotPlace): boolean => base === undefined && unit === 0;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Calls `each` with every slot of some elements. */
function eachSlot(
  type: Datatype,
  bytes: Uint8Array,
  each: (view: DataView, at: number, place: SlotPlace) => void,
): void {
  const places = slotPlaces(type);
  const view = viewOf(bytes);
  const size = itemSizeOf(type);
  for (let start = 0; start < bytes.length; start += size) {
    for (const place of places) each(view, start + place.offset, place);
  }
}

function badSlot(why: string): DaosError {
  const remedy = "give an item of the heap for every slot with a count";
  return new DaosError("DER_INVAL", { what: "Writing elements of variable length", why, remedy });
}

/** Gathers items behind one another, and says where each begins. */
class Items {
  readonly parts: Uint8Array[] = [];
  readonly #heap: readonly Uint8Array[];
  size = 0;

  constructor(heap: readonly Uint8Array[]) {
    this.#heap = heap;
  }

  /** Takes the items of some elements, and what those point to; slots become offsets of items. */
  take(type: Datatype, bytes: Uint8Array): void {
    eachSlot(type, bytes, (view, at, place) => {
      if (isRegion(place)) this.#takeRegion(view, at);
      else this.#takeItem(view, at, place);
    });
  }

  #find(index: bigint): Uint8Array {
    const item = this.#heap[Number(index)];
    if (item === undefined) throw badSlot(`there is no item ${index} in the heap`);
    return item;
  }

  #takeItem(view: DataView, at: number, { base, unit }: SlotPlace): void {
    const count = view.getUint32(at, true);
    if (count === 0) {
      view.setBigUint64(at + 8, 0n, true);
      return;
    }
    const item = this.#find(view.getBigUint64(at + 8, true));
    const size = count * unit;
    if (item.length < size) throw badSlot(`an item has ${item.length} bytes, not ${size}`);
    let bytes = item.subarray(0, size);
    if (base !== undefined && hasSlots(base)) {
      bytes = Uint8Array.from(bytes);
      this.take(base, bytes);
    }
    view.setBigUint64(at + 8, BigInt(this.#add(bytes)), true);
  }

  #takeRegion(view: DataView, at: number): void {
    const index = view.getBigUint64(at, true);
    if (index === 0n) return;
    const item = this.#find(index);
    view.setBigUint64(at, BigInt(this.#add(item)), true);
    view.setUint32(at + 8, item.length, true);
  }

  #add(bytes: Uint8Array): number {
    this.parts.push(bytes);
    this.size += bytes.length;
    return this.size - bytes.length;
  }

  /** Makes offsets of items addresses, from `address` on. */
  place(type: Datatype, bytes: Uint8Array, address: bigint): void {
    eachSlot(type, bytes, (view, at, place) => {
      const isUsed = isRegion(place)
        ? view.getUint32(at + 8, true) > 0
        : view.getUint32(at, true) > 0;
      const field = isRegion(place) ? at : at + 8;
      if (!isUsed) return;
      const offset = view.getBigUint64(field, true);
      view.setBigUint64(field, address + offset, true);
    });
  }
}

/**
 * Puts the items of elements into a dataset's heap.
 *
 * @returns The elements as they are stored: a copy.
 * @throws `DaosError` `DER_INVAL` for slots without their items.
 */
export function storeSlots(
  session: Session,
  oid: ObjectId,
  type: Datatype,
  elements: RawElements,
): Uint8Array {
  const bytes = Uint8Array.from(elements.bytes);
  const items = new Items(elements.heap);
  items.take(type, bytes);
  if (items.size === 0) return bytes;
  const address = allocateHeap(session, items.size);
  placeNested(items, type, bytes, address);
  const all =
    items.parts.length === 1 ? (items.parts[0] as Uint8Array) : Buffer.concat(items.parts);
  writeHeap(session, oid, address, all);
  return bytes;
}

/** Makes offsets addresses in elements, and in the items that hold slots. */
function placeNested(items: Items, type: Datatype, bytes: Uint8Array, address: bigint): void {
  const starts = new Map<number, Uint8Array>();
  let start = 0;
  for (const part of items.parts) {
    starts.set(start, part);
    start += part.length;
  }
  const place = (outer: Datatype, of: Uint8Array): void => {
    if (slotPlaces(outer).some(({ base }) => base !== undefined && hasSlots(base))) {
      eachSlot(outer, of, (view, at, { base }) => {
        if (base === undefined || !hasSlots(base) || view.getUint32(at, true) === 0) return;
        place(base, starts.get(Number(view.getBigUint64(at + 8, true))) as Uint8Array);
      });
    }
    items.place(outer, of, address);
  };
  place(type, bytes);
}

/**
 * Finds the items of stored elements.
 *
 * @param bytes The elements as they are stored; they are changed in place.
 */
export function loadSlots(
  session: Session,
  oid: ObjectId,
  type: Datatype,
  bytes: Uint8Array,
): RawElements {
  // Item 0 stands for none: a reference to a region has no count.
  const heap: Uint8Array[] = slotPlaces(type).some(isRegion) ? [new Uint8Array(0)] : [];
  let level: { readonly type: Datatype; readonly bytes: Uint8Array }[] = [{ type, bytes }];
  while (level.length > 0) {
    const spans: HeapSpan[] = [];
    const bases: (Datatype | undefined)[] = [];
    const first = heap.length;
    for (const part of level) {
      eachSlot(part.type, part.bytes, (view, at, place) => {
        const region = isRegion(place);
        const field = region ? at : at + 8;
        const size = region ? view.getUint32(at + 8, true) : view.getUint32(at, true) * place.unit;
        if (size === 0) {
          view.setBigUint64(field, 0n, true);
          return;
        }
        spans.push({ address: view.getBigUint64(field, true), size });
        bases.push(place.base);
        view.setBigUint64(field, BigInt(first + spans.length - 1), true);
        if (region) view.setUint32(at + 8, 0, true);
      });
    }
    const items = readHeap(session, oid, spans);
    level = [];
    for (const [index, item] of items.entries()) {
      const base = bases[index];
      const nested = base !== undefined && hasSlots(base);
      // Items share buffers; those that are changed need their own.
      const own = nested ? Uint8Array.from(item) : item;
      heap.push(own);
      if (nested) level.push({ type: base, bytes: own });
    }
  }
  return { bytes, heap };
}
