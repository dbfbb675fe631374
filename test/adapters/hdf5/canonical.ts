/**
 * What a source holds as plain data, in the form that `python/canonical.py` prints of an `.h5` file through h5py:
 * two files hold the same if these are equal.
 */

import { createHash } from "node:crypto";
import type {
  Datatype,
  Hdf5Source,
  RawElements,
  SourceAttribute,
  SourceDataset,
  SourceGroup,
  SourceObject,
  SpaceSelection,
} from "daos-ts/hdf5";
import { hasReferences, hasSlots, itemSizeOf } from "daos-ts/hdf5";

const INLINE_SIZE_MAX = 4096;

/** Any JSON. */
// biome-ignore lint/suspicious/noExplicitAny: compared as a whole, never looked into.
export type Json = any;

/** Bytes in hexadecimal, or their digest if they are many. */
export function hexadecimal(bytes: Uint8Array): string {
  if (bytes.length <= INLINE_SIZE_MAX) return Buffer.from(bytes).toString("hex");
  return `${bytes.length} bytes, SHA-256 ${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Whether elements are of variable length, themselves or in a member. */
function hasVariable(type: Datatype): boolean {
  if (type.class === "compound") return type.members.some((member) => hasVariable(member.type));
  if (type.class === "array") return hasVariable(type.base);
  return type.class === "vlen" || type.class === "vlenString";
}

function describeType(type: Datatype): Json {
  switch (type.class) {
    case "enum": {
      const members = type.members.map(({ name, value }) => ({ name, value: String(value) }));
      return { class: "enum", base: type.base, members };
    }
    case "compound": {
      const members = type.members.map((member) => ({
        ...member,
        type: describeType(member.type),
      }));
      if (!hasVariable(type)) return { ...type, members };
      return { class: "compound", members: members.map((member) => ({ ...member, offset: null })) };
    }
    case "array":
    case "vlen":
      return { ...type, base: describeType(type.base) };
    case "time":
      return { class: "time", size: type.size };
    default:
      return type;
  }
}

/** A selection as the elements that it selects, or as it is if it has no end. */
export function describeSelection(selection: SpaceSelection): Json {
  switch (selection.kind) {
    case "points":
      return { kind: "points", points: selection.points };
    case "hyperslab": {
      const { start, stride, count, block } = selection.slab;
      if (count.includes(null) || block.includes(null)) {
        return { kind: "unlimited", start, stride, count, block };
      }
      const axes = start.map((first, dimension) => {
        const indices: number[] = [];
        for (let index = 0; index < (count[dimension] ?? 0); index++) {
          const at = first + index * (stride[dimension] as number);
          for (let step = 0; step < (block[dimension] ?? 0); step++) indices.push(at + step);
        }
        return indices;
      });
      return elements([axes]);
    }
    case "blocks": {
      const range = (low: number, high: number) =>
        Array.from({ length: high - low }, (_, index) => low + index);
      return elements(
        selection.blocks.map(([first, end]) =>
          first.map((low, dimension) => range(low, end[dimension] as number)),
        ),
      );
    }
    default:
      return { kind: selection.kind };
  }
}

/** The elements of products of indices, sorted. */
function elements(products: number[][][]): Json {
  const found = products.flatMap((axes) =>
    axes.reduce<number[][]>(
      (points, axis) => points.flatMap((point) => axis.map((index) => [...point, index])),
      [[]],
    ),
  );
  found.sort((a, b) => {
    const dimension = a.findIndex((index, at) => index !== b[at]);
    return (a[dimension] ?? 0) - (b[dimension] ?? 0);
  });
  return { kind: "elements", elements: found };
}

/** One source, and the objects that were met in it. */
class Canonical {
  readonly #source: Hdf5Source;
  readonly #paths = new Map<string, string>();
  readonly #objects = new Map<string, SourceObject>();

  constructor(source: Hdf5Source) {
    this.#source = source;
  }

  async describe(): Promise<Json> {
    await this.#collect(await this.#source.root(), "");
    const objects: Record<string, Json> = {};
    for (const [path, object] of this.#objects) objects[path] = await this.#describeObject(object);
    return { userBlock: this.#source.userBlock.length, objects };
  }

  async #collect(object: SourceObject, path: string): Promise<void> {
    if (this.#paths.has(object.id)) return;
    this.#paths.set(object.id, path || "/");
    this.#objects.set(path || "/", object);
    if (object.kind !== "group") return;
    for await (const link of object.links()) {
      if (link.kind === "hard") await this.#collect(await link.open(), `${path}/${link.name}`);
    }
  }

  async #describeObject(object: SourceObject): Promise<Json> {
    const attributes: Json[] = [];
    for await (const one of object.attributes()) attributes.push(await this.#attribute(one));
    const { comment = null, attributeOrder } = object;
    const common = { comment, attributes };
    if (object.kind === "datatype") {
      return { kind: "datatype", type: describeType(object.type), ...common };
    }
    const { isTracked, isIndexed } = attributeOrder;
    const more = { ...common, attributeOrder: [isTracked, isIndexed] };
    if (object.kind === "group") return { ...(await this.#group(object)), ...more };
    return { ...(await this.#dataset(object)), ...more };
  }

  async #group(group: SourceGroup): Promise<Json> {
    const links: Json[] = [];
    for await (const link of group.links()) {
      if (link.kind !== "hard") links.push(link);
      else {
        const { name, nameCharset, kind } = link;
        links.push({ name, nameCharset, kind, target: this.#paths.get((await link.open()).id) });
      }
    }
    const { isTracked, isIndexed } = group.linkOrder;
    return { kind: "group", linkOrder: [isTracked, isIndexed], links };
  }

  async #attribute(attribute: SourceAttribute): Promise<Json> {
    const { name, nameCharset, type, committedType, space } = attribute;
    return {
      ...{ name, nameCharset, type: describeType(type), space },
      committedType: this.#committed(committedType),
      elements: space.kind === "null" ? "" : await this.#elements(type, await attribute.read()),
    };
  }

  #committed(id: string | undefined): string | null {
    return id === undefined ? null : (this.#paths.get(id) ?? null);
  }

  async #dataset(dataset: SourceDataset): Promise<Json> {
    const { type, committedType, space, layout, filters, fill } = dataset.description;
    const shape = space.kind === "simple" ? space.shape : [];
    const raw = await dataset.read({ start: shape.map(() => 0), shape });
    const mappings = layout.kind === "virtual" ? layout.mappings : [];
    const value =
      fill.value === null
        ? null
        : fill.value === undefined
          ? "default"
          : hasSlots(type) || hasReferences(type)
            ? "of variable length"
            : hexadecimal(fill.value.bytes);
    return {
      ...{ kind: "dataset", type: describeType(type), space },
      committedType: this.#committed(committedType),
      layout:
        layout.kind !== "virtual"
          ? layout
          : {
              kind: "virtual",
              mappings: mappings.map(({ file, dataset, source, target }) => {
                return {
                  ...{ file, dataset },
                  ...{ source: describeSelection(source), target: describeSelection(target) },
                };
              }),
            },
      filters: filters.map(({ id, isOptional, parameters }) => {
        // h5py says no more of them.
        return { id, isOptional, parameters: parameters.slice(0, 16) };
      }),
      fill: { time: fill.time, allocation: fill.allocation, value },
      elements: space.kind === "null" ? "" : await this.#elements(type, raw),
    };
  }

  async #elements(type: Datatype, { bytes, heap }: RawElements): Promise<Json> {
    if (bytes.length === 0) return "";
    if (!hasSlots(type) && !hasReferences(type)) return hexadecimal(bytes);
    const size = itemSizeOf(type);
    const result: Json[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      result.push(await this.#tree(type, bytes.subarray(at, at + size), heap));
    }
    return result;
  }

  /** One element as lists. */
  async #tree(type: Datatype, bytes: Uint8Array, heap: readonly Uint8Array[]): Promise<Json> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    switch (type.class) {
      case "vlenString": {
        if (view.getUint32(0, true) === 0) return "";
        const item = Buffer.from(heap[Number(view.getBigUint64(8, true))] as Uint8Array);
        // h5py reads up to the first zero.
        const end = item.indexOf(0);
        return item.toString("hex", 0, end < 0 ? item.length : end);
      }
      case "vlen": {
        const count = view.getUint32(0, true);
        const item = heap[Number(view.getBigUint64(8, true))] as Uint8Array;
        return this.#list(type.base, item, count, heap);
      }
      case "array": {
        const count = type.shape.reduce((product, extent) => product * extent, 1);
        return this.#list(type.base, bytes, count, heap);
      }
      case "compound": {
        const members: Json[] = [];
        for (const { offset, type: of } of type.members) {
          members.push(await this.#tree(of, bytes.subarray(offset, offset + itemSizeOf(of)), heap));
        }
        return members;
      }
      case "reference": {
        if (type.kind === "object") return this.#pathOf(view.getBigUint64(0, true));
        const index = Number(view.getBigUint64(0, true));
        if (index === 0) return null;
        const item = JSON.parse(Buffer.from(heap[index] as Uint8Array).toString());
        const object = await this.#pathOf(BigInt(item.object));
        return { object, selection: describeSelection(item.selection) };
      }
      default:
        return Buffer.from(bytes).toString("hex");
    }
  }

  async #list(
    base: Datatype,
    bytes: Uint8Array,
    count: number,
    heap: readonly Uint8Array[],
  ): Promise<Json[]> {
    const size = itemSizeOf(base);
    const result: Json[] = [];
    for (let index = 0; index < count; index++) {
      const item = bytes.subarray(index * size, (index + 1) * size);
      result.push(await this.#tree(base, item, heap));
    }
    return result;
  }

  async #pathOf(reference: bigint): Promise<string | null> {
    if (reference === 0n) return null;
    const object = await this.#source.resolve(reference);
    return (object && this.#paths.get(object.id)) ?? null;
  }
}

/** What a source holds; the source stays open. */
export async function canonicalOf(source: Hdf5Source): Promise<Json> {
  return JSON.parse(JSON.stringify(await new Canonical(source).describe()));
}
