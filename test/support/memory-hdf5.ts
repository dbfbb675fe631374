/**
 * HDF5 files in memory, as sources: any tree, description and elements, also such as no library would write.
 *
 *     const file = new MemoryHdf5();
 *     const d = file.dataset({ type, space, bytes });
 *     file.top.add("d", d);
 *
 * @module
 */

import type {
  Box,
  CreationOrder,
  DatasetDescription,
  Datatype,
  Hdf5Source,
  RawElements,
  SourceAttribute,
  SourceDataset,
  SourceDatatype,
  SourceGroup,
  SourceLink,
  SourceObject,
} from "daos-ts/hdf5";
import { itemSizeOf } from "daos-ts/hdf5";

const UNTRACKED: CreationOrder = { isTracked: false, isIndexed: false };

/** A link, and the object that it leads to. */
export type MemoryLink =
  | Exclude<SourceLink, { kind: "hard" }>
  | (Pick<SourceLink, "name" | "nameCharset"> & { kind: "hard"; object: SourceObject });

/** An attribute, and its elements. */
export type MemoryAttribute = Omit<SourceAttribute, "read" | "nameCharset" | "committedType"> &
  Partial<Pick<SourceAttribute, "nameCharset" | "committedType">> & { elements: RawElements };

/** What all objects may be given. */
export interface MemoryFacts {
  readonly attributes?: readonly MemoryAttribute[];
  readonly attributeOrder?: CreationOrder;
  readonly comment?: string;
}

/** A group that links can be added to. */
export interface MemoryGroup extends SourceGroup {
  /** Adds a hard link; to a new group by default. */
  add<T extends SourceObject = MemoryGroup>(name: string, object?: T): T;
  /** Adds any link. */
  link(link: MemoryLink): void;
}

/** What a dataset is given; the rest is the plainest that fits. */
export interface MemoryDataset extends Partial<DatasetDescription>, MemoryFacts {
  readonly type: Datatype;
  /** All elements; zeros by default. */
  readonly elements?: RawElements;
  /** Called before each read. */
  readonly beforeRead?: (box: Box) => void | Promise<void>;
}

/** Orders strings by their bytes, as HDF5 does. */
const byBytes = (a: { name: string }, b: { name: string }): number =>
  Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));

const sizeOf = (shape: readonly number[], itemSize: number): number =>
  shape.reduce((size, extent) => size * extent, itemSize);

/** Bytes of a box of row-major bytes. */
function cut(
  bytes: Uint8Array,
  { start, shape }: Box,
  extents: readonly number[],
  itemSize: number,
): Uint8Array {
  if (extents.length === 0) return bytes;
  const rowSize = sizeOf(extents.slice(1), itemSize);
  const [first = 0, count = 0] = [start[0], shape[0]];
  if (extents.length === 1) return bytes.subarray(first * itemSize, (first + count) * itemSize);
  const rows: Uint8Array[] = [];
  const inner = { start: start.slice(1), shape: shape.slice(1) };
  for (let row = first; row < first + count; row++) {
    const part = bytes.subarray(row * rowSize, (row + 1) * rowSize);
    rows.push(cut(part, inner, extents.slice(1), itemSize));
  }
  return Buffer.concat(rows);
}

/** A file in memory. */
export class MemoryHdf5 implements Hdf5Source {
  readonly name = "memory.h5";
  userBlock = new Uint8Array(0);
  readonly #objects: SourceObject[] = [];
  readonly #root: MemoryGroup;

  constructor(facts: MemoryFacts & { linkOrder?: CreationOrder } = {}) {
    this.#root = this.group(facts);
  }

  /** The root group. */
  get top(): MemoryGroup {
    return this.#root;
  }

  async root(): Promise<SourceGroup> {
    return this.#root;
  }

  async resolve(reference: bigint): Promise<SourceObject | undefined> {
    return this.#objects[Number(reference) - 1];
  }

  async close(): Promise<void> {}

  #base({ attributes = [], attributeOrder = UNTRACKED, comment }: MemoryFacts) {
    const number = this.#objects.length + 1;
    const sorted = attributeOrder.isTracked ? attributes : [...attributes].sort(byBytes);
    return {
      ...{ id: `#${number}`, reference: BigInt(number), attributeOrder, comment },
      async *attributes(): AsyncGenerator<SourceAttribute> {
        for (const { elements, ...rest } of sorted) {
          yield {
            nameCharset: "ascii",
            committedType: undefined,
            ...rest,
            read: async () => elements,
          };
        }
      },
    };
  }

  #keep<T extends SourceObject>(object: T): T {
    this.#objects.push(object);
    return object;
  }

  /** Makes a group without links. */
  group({
    linkOrder = UNTRACKED,
    ...facts
  }: MemoryFacts & { linkOrder?: CreationOrder } = {}): MemoryGroup {
    const links: MemoryLink[] = [];
    const link = (one: MemoryLink) => {
      links.push(one);
    };
    const fresh = () => this.group();
    return this.#keep<MemoryGroup>({
      kind: "group",
      ...this.#base(facts),
      linkOrder,
      link,
      add<T extends SourceObject>(name: string, object?: T) {
        const target = object ?? fresh();
        link({ name, nameCharset: "ascii", kind: "hard", object: target });
        return target as T;
      },
      async *links(): AsyncGenerator<SourceLink> {
        for (const one of linkOrder.isTracked ? links : [...links].sort(byBytes)) {
          if (one.kind !== "hard") yield one;
          else {
            const { object, ...rest } = one;
            yield { ...rest, open: async () => object };
          }
        }
      },
    });
  }

  /** Makes a dataset. */
  dataset({
    attributes,
    attributeOrder,
    comment,
    elements,
    beforeRead,
    ...given
  }: MemoryDataset): SourceDataset {
    const description: DatasetDescription = {
      committedType: undefined,
      space: { kind: "scalar" },
      layout: { kind: "contiguous" },
      filters: [],
      fill: { allocation: "late", time: "ifset", value: undefined },
      ...given,
    };
    const { space, type } = description;
    const shape = space.kind === "simple" ? space.shape : [];
    const itemSize = itemSizeOf(type);
    const size = space.kind === "null" ? 0 : sizeOf(shape, itemSize);
    const bytes = elements?.bytes ?? new Uint8Array(size);
    if (bytes.length !== size) throw new Error(`${bytes.length} bytes of elements, not ${size}`);
    const facts = {
      ...(attributes && { attributes }),
      ...(attributeOrder && { attributeOrder }),
      ...(comment !== undefined && { comment }),
    };
    return this.#keep<SourceDataset>({
      kind: "dataset",
      ...this.#base(facts),
      description,
      async read(box) {
        await beforeRead?.(box);
        return {
          bytes: Uint8Array.from(cut(bytes, box, shape, itemSize)),
          heap: elements?.heap ?? [],
        };
      },
      storedChunks: () => undefined,
      storedSize: undefined,
    });
  }

  /** Makes a committed datatype. */
  datatype(type: Datatype, facts: MemoryFacts = {}): SourceDatatype {
    return this.#keep<SourceDatatype>({ kind: "datatype", ...this.#base(facts), type });
  }
}
