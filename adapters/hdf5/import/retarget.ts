/**
 * References in elements, changed from what they lead to in one file to the same object in another.
 *
 * @module
 */

import { type Datatype, hasReferences, itemSizeOf } from "../datatype/datatype.js";
import type { RawElements, SourceRegion } from "../description.js";

/** The reference in the other file; 0 is none. */
export type Translate = (reference: bigint) => Promise<bigint>;

/** Changes the references of elements in place, and in items that they have; items of regions are replaced. */
export async function retarget(
  type: Datatype,
  { bytes, heap }: RawElements,
  translate: Translate,
): Promise<RawElements> {
  if (!hasReferences(type)) return { bytes, heap };
  const items = [...heap];
  const visit = async (of: Datatype, view: DataView, at: number): Promise<void> => {
    switch (of.class) {
      case "reference": {
        const value = view.getBigUint64(at, true);
        if (value === 0n) return;
        if (of.kind === "object") view.setBigUint64(at, await translate(value), true);
        else await region(Number(value), view, at);
        return;
      }
      case "compound":
        for (const { offset, type: member } of of.members) {
          if (hasReferences(member)) await visit(member, view, at + offset);
        }
        return;
      case "array":
        await all(of.base, view, at, itemSizeOf(of));
        return;
      case "vlen": {
        const item = items[Number(view.getBigUint64(at + 8, true))];
        if (view.getUint32(at, true) === 0 || item === undefined) return;
        const inner = new DataView(item.buffer, item.byteOffset, item.byteLength);
        if (hasReferences(of.base)) await all(of.base, inner, 0, item.length);
      }
    }
  };
  const all = async (of: Datatype, view: DataView, start: number, size: number) => {
    const step = itemSizeOf(of);
    for (let at = start; at + step <= start + size; at += step) await visit(of, view, at);
  };
  const region = async (index: number, view: DataView, at: number): Promise<void> => {
    const said: SourceRegion = JSON.parse(Buffer.from(items[index] as Uint8Array).toString());
    const object = await translate(BigInt(said.object));
    if (object === 0n) view.setBigUint64(at, 0n, true);
    else items[index] = Buffer.from(JSON.stringify({ ...said, object: String(object) }));
  };
  await all(type, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
  return { bytes, heap: items };
}
