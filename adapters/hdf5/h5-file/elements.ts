/**
 * Elements as a file has them, made into elements in memory: items of the global heap are fetched, and
 * slots point to them.
 *
 *     in the file   variable length: u32 count, address of a collection, u32 item
 *                   reference to a region: address of a collection, u32 item
 *     in memory     see {@link RawElements}
 *
 * Both have the same sizes where addresses have 8 bytes, so that elements are changed in place.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import {
  type Datatype,
  hasReferences,
  hasSlots,
  itemSizeOf,
  OBJECT_REFERENCE_SIZE,
} from "../datatype/datatype.js";
import type { RawElements, SourceRegion } from "../description.js";
import { Fields, type H5Format, unsupported } from "./format.js";
import type { GlobalHeap } from "./global-heap.js";
import { READ_SIZE_MAX } from "./limits.js";
import { decodeSelection } from "./selection-codec.js";

/** Types whose elements are slots. */
type SlotType = Extract<Datatype, { class: "vlen" | "vlenString" | "reference" }>;
/** Changes slots in place. */
type SlotVisitor = (view: DataView, at: number, type: SlotType) => void;

/** Calls `visit` for each slot of elements. */
function visitSlots(type: Datatype, view: DataView, at: number, visit: SlotVisitor): void {
  switch (type.class) {
    case "vlen":
    case "vlenString":
      visit(view, at, type);
      return;
    case "reference":
      if (type.kind === "region") visit(view, at, type);
      return;
    case "compound":
      for (const member of type.members) {
        if (hasSlots(member.type)) visitSlots(member.type, view, at + member.offset, visit);
      }
      return;
    case "array": {
      const size = itemSizeOf(type.base);
      const end = at + itemSizeOf(type);
      for (let item = at; item < end; item += size) visitSlots(type.base, view, item, visit);
    }
  }
}

/** Whether elements refer to regions, themselves or in a member or item. */
function hasRegions(type: Datatype): boolean {
  switch (type.class) {
    case "reference":
      return type.kind === "region";
    case "compound":
      return type.members.some((member) => hasRegions(member.type));
    case "array":
    case "vlen":
      return hasRegions(type.base);
    default:
      return false;
  }
}

/** Whether elements in memory have the bytes that they have in a file with these addresses. */
export function requireSameSizes(format: H5Format, type: Datatype, what: string): void {
  if (format.offsetSize === 8 || !(hasSlots(type) || hasReferences(type))) return;
  const why = `references and variable lengths with addresses of ${format.offsetSize} bytes`;
  throw unsupported(what, `${why} are not read`);
}

/** Fetches the items of elements. */
export class ElementReader {
  readonly #format: H5Format;
  readonly #heap: GlobalHeap;

  constructor(format: H5Format, heap: GlobalHeap) {
    this.#format = format;
    this.#heap = heap;
  }

  /**
   * Elements of a file as elements in memory.
   *
   * @param bytes They are changed in place, and retained.
   * @param sizeMax Most that their items may take, in bytes.
   * @throws `DaosError` `DER_DF_INVAL`; `DER_REC2BIG` if items take more.
   */
  fetch(
    type: Datatype,
    bytes: Uint8Array,
    { what, sizeMax = READ_SIZE_MAX }: { what: string; sizeMax?: number | undefined },
  ): RawElements {
    // Where there are references to regions, item 0 is none.
    const heap: Uint8Array[] = hasRegions(type) ? [new Uint8Array(0)] : [];
    if (!hasSlots(type)) return { bytes, heap };
    let total = 0;
    const add = (item: Uint8Array): bigint => {
      total += item.length + 64;
      if (total > sizeMax) throw tooLarge(what, sizeMax);
      heap.push(item);
      return BigInt(heap.length - 1);
    };
    const visit: SlotVisitor = (view, at, slot) => {
      if (slot.class === "reference") this.#region(view, at, what, add);
      else if (slot.class === "vlen") {
        const item = this.#sequence(view, at, slot, what, add);
        // Items of items, whose count is bounded by the sum of all.
        if (item !== undefined && hasSlots(slot.base)) walk(slot.base, item);
      } else this.#sequence(view, at, slot, what, add);
    };
    const walk = (of: Datatype, items: Uint8Array): void => {
      const view = new DataView(items.buffer, items.byteOffset, items.byteLength);
      const size = itemSizeOf(of);
      for (let at = 0; at + size <= items.length; at += size) visitSlots(of, view, at, visit);
    };
    walk(type, bytes);
    return { bytes, heap };
  }

  #item(view: DataView, at: number, what: string): Uint8Array | undefined {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, 12);
    const fields = new Fields(bytes, what, this.#format);
    const address = fields.address();
    if (address === undefined || address === 0) return undefined;
    return this.#heap.get(address, fields.u32(), what);
  }

  #sequence(
    view: DataView,
    at: number,
    type: Extract<Datatype, { class: "vlen" | "vlenString" }>,
    what: string,
    add: (item: Uint8Array) => bigint,
  ): Uint8Array | undefined {
    const count = view.getUint32(at, true);
    const size = count * (type.class === "vlen" ? itemSizeOf(type.base) : 1);
    const found = count === 0 ? undefined : this.#item(view, at + 4, what);
    view.setUint32(at, found === undefined ? 0 : count, true);
    view.setUint32(at + 4, 0, true);
    view.setBigUint64(at + 8, 0n, true);
    if (found === undefined) return undefined;
    if (found.length < size) {
      const fields = new Fields(found, what, this.#format);
      throw fields.malformed(`an item of ${found.length} bytes should have ${size}`);
    }
    const item = Uint8Array.from(found.subarray(0, size));
    view.setBigUint64(at + 8, add(item), true);
    return item;
  }

  #region(view: DataView, at: number, what: string, add: (item: Uint8Array) => bigint): void {
    const found = this.#item(view, at, what);
    new Uint8Array(view.buffer, view.byteOffset + at, 12).fill(0);
    if (found === undefined) return;
    const fields = new Fields(found, what, this.#format);
    const object = fields.uint(OBJECT_REFERENCE_SIZE);
    const region: SourceRegion = { object: String(object), selection: decodeSelection(fields) };
    view.setBigUint64(at, add(Buffer.from(JSON.stringify(region))), true);
  }
}

function tooLarge(what: string, sizeMax: number): DaosError {
  const why = `its elements have items of more than ${sizeMax} bytes`;
  const remedy = "read fewer elements at once";
  return new DaosError("DER_REC2BIG", { what: `Reading ${what}`, why, remedy });
}
