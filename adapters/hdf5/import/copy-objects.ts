/**
 * Copies objects of any HDF5 file, from an `.h5` file or a container, into a file of a container.
 *
 *     objects and links   in the order of the source; an object with several names is one object
 *     attributes          likewise; those that refer to objects when all objects are there
 *     elements            stored chunks as they are, all others box by box
 *
 * Memory is bounded by a few boxes and the largest chunk. What cannot be carried over is reported by path.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import { DaosError, isDaosError } from "../../../core/index.js";
import { hasReferences, hasSlots, itemSizeOf } from "../datatype/datatype.js";
import type {
  Box,
  DatasetDescription,
  Hdf5Source,
  SourceAttribute,
  SourceDataset,
  SourceGroup,
  SourceLink,
  SourceObject,
} from "../description.js";
import { usualCharset } from "../storage/link-format.js";
import { writeHeader } from "../storage/objects.js";
import type { StoredDataset } from "../storage/stored-dataset.js";
import type { StoredGroup } from "../storage/stored-group.js";
import type { StoredObject } from "../storage/stored-object.js";
import { boxesOf, halvesOf } from "./boxes.js";
import { ImportCounts } from "./import-report.js";
import { retarget } from "./retarget.js";

/** Bytes of elements that are copied at once. */
const BOX_SIZE = 8 << 20;
/** The same of elements of variable length, whose items come on top. */
const SLOT_BOX_SIZE = 1 << 20;
/** Bytes after which other work of the process gets its turn. */
const TURN_SIZE = 32 << 20;

const PAGE_SIZE = 4096;

/** What is copied, and how. */
export interface CopyOptions {
  /** Gives the copy up. */
  readonly signal?: AbortSignal | undefined;
  /** Is called with the bytes of elements that were copied since the last call. */
  readonly advance?: ((bytes: number) => void) | undefined;
  /** Whether groups below the first one are left empty. */
  readonly isShallow?: boolean;
  /** Whether what soft links lead to is copied in their place. */
  readonly expandSoft?: boolean;
  /** Whether what external links lead to is copied in their place. */
  readonly expandExternal?: boolean;
  /** Whether attributes are left out. */
  readonly withoutAttributes?: boolean;
  /** Whether source and target are one file: what leads to objects that are not copied stays as it is. */
  readonly isSameFile?: boolean;
}

/** An object of the source that was made in the target. */
interface Made {
  readonly source: SourceObject;
  readonly target: StoredObject;
  readonly path: string;
}

/** Memory that begins at a page, to which the kernel copies several times as fast (see performance.md). */
export function alignedMemory(size: number): Uint8Array {
  // Node's slabs of this size begin 16 bytes behind a page.
  return new Uint8Array(size + PAGE_SIZE).subarray(PAGE_SIZE - 16, PAGE_SIZE - 16 + size);
}

/** One copy, of one object with all below it or of several. */
export class ObjectCopy {
  readonly counts = new ImportCounts();
  readonly #source: Hdf5Source;
  readonly #options: CopyOptions;
  /** Objects that were made, by their identity in the source. */
  readonly #made = new Map<string, StoredObject>();
  /** What refers to objects, and waits until all are there. */
  readonly #waiting: (() => Promise<void>)[] = [];
  /** References that were translated. */
  readonly #references = new Map<bigint, bigint>();
  /** Memory that boxes and chunks are read into, again and again. */
  readonly #memory = alignedMemory(BOX_SIZE);
  #sinceTurn = 0;

  constructor(source: Hdf5Source, options: CopyOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** Copies all of a group into another one, which becomes what the first one is. */
  async copyRoot(source: SourceGroup, target: StoredGroup): Promise<void> {
    target.describe(source);
    this.#made.set(source.id, target);
    await this.#copyAttributes({ source, target, path: "/" });
    await this.#copyGroup(source, target, "");
    await this.#finish();
  }

  /** Copies an object, with all below it. */
  async copyObject(source: SourceObject, parent: StoredGroup, name: string): Promise<void> {
    const nameCharset = usualCharset(name);
    await this.#copyObject(source, parent, { name, nameCharset }, `/${name}`);
    await this.#finish();
  }

  /** What had to wait until all objects were there. */
  async #finish(): Promise<void> {
    for (const step of this.#waiting.splice(0)) await step();
  }

  async #copyGroup(source: SourceGroup, target: StoredGroup, path: string): Promise<void> {
    this.counts.groups++;
    for await (const link of source.links()) {
      await this.#turn(0);
      this.counts.links++;
      await this.#copyLink(link, target, `${path}/${link.name}`);
    }
  }

  async #copyLink(link: SourceLink, target: StoredGroup, path: string): Promise<void> {
    const { name, nameCharset } = link;
    const object = await this.#supported(path, () => this.#openLink(link));
    if (object === undefined) {
      if (link.kind === "hard") return;
      const { name: _, nameCharset: __, ...where } = link;
      target.link(name, where, nameCharset);
      return;
    }
    // A group that is copied into itself does not hold its copy.
    if (this.#options.isSameFile === true && this.#isCopy(object)) return;
    const known = this.#made.get(object.id);
    if (known !== undefined) target.link(name, { kind: "hard", object: known }, nameCharset);
    else await this.#copyObject(object, target, { name, nameCharset }, path);
  }

  #isCopy({ id }: SourceObject): boolean {
    for (const made of this.#made.values()) if (made.id === id) return true;
    return false;
  }

  /** What is copied for a link: `undefined` if that is the link itself. */
  async #openLink(link: SourceLink): Promise<SourceObject | undefined> {
    const { expandSoft, expandExternal } = this.#options;
    if (link.kind === "hard") return link.open();
    if (link.kind === "soft" && expandSoft === true) return link.follow?.();
    return link.kind === "external" && expandExternal === true ? link.follow?.() : undefined;
  }

  async #copyObject(
    source: SourceObject,
    parent: StoredGroup,
    { name, nameCharset }: Pick<SourceLink, "name" | "nameCharset">,
    path: string,
  ): Promise<void> {
    const { attributeOrder, comment } = source;
    const facts = { nameCharset, attributeOrder, comment };
    let target: StoredObject;
    switch (source.kind) {
      case "group": {
        const group = parent.createGroup(name, { ...facts, linkOrder: source.linkOrder });
        this.#made.set(source.id, group);
        await this.#copyAttributes({ source, target: group, path });
        const isBelow = path.indexOf("/", 1) > 0;
        if (this.#options.isShallow !== true || !isBelow)
          await this.#copyGroup(source, group, path);
        return;
      }
      case "datatype":
        target = parent.createDatatype(name, source.type, facts);
        this.counts.datatypes++;
        break;
      case "dataset": {
        const dataset = parent.createDataset(name, this.#describe(source, path), facts);
        target = dataset;
        this.counts.datasets++;
        await this.#copyDataset(source, dataset, path);
      }
    }
    this.#made.set(source.id, target);
    await this.#copyAttributes({ source, target, path });
  }

  /** What the dataset is in the target; a committed type is filled in when it is there. */
  #describe({ description }: SourceDataset, path: string): DatasetDescription {
    const { layout, fill, type } = description;
    const plain = { ...description, committedType: undefined };
    if (layout.kind === "external") {
      this.counts.note(path, "DER_NOSYS", "its elements were in external files, and are here now");
      return { ...plain, layout: { kind: "contiguous" } };
    }
    if (fill.value && hasReferences(type)) {
      this.counts.note(path, "DER_NOSYS", "its fill value refers to objects, and was left out");
      return { ...plain, fill: { ...fill, value: undefined } };
    }
    return plain;
  }

  async #copyDataset(source: SourceDataset, target: StoredDataset, path: string): Promise<void> {
    const { committedType, type } = source.description;
    if (committedType !== undefined) {
      this.#waiting.push(async () => this.#setCommitted(target, committedType, path));
    }
    const copy = () => this.#supported(path, () => this.#copyElements(source, target));
    if (hasReferences(type)) this.#waiting.push(async () => void (await copy()));
    else await copy();
  }

  /** Identity in the target of a committed datatype of the source, if it is there. */
  #committedOf(id: string): string | undefined {
    const made = this.#made.get(id)?.id;
    return made ?? (this.#options.isSameFile === true ? id : undefined);
  }

  #setCommitted(dataset: StoredDataset, id: string, path: string): void {
    const committedType = this.#committedOf(id);
    if (committedType === undefined) {
      this.counts.note(path, "DER_NOSYS", "its committed datatype has no name, and is its own now");
      return;
    }
    const { header } = dataset;
    const description = { ...header.description, committedType };
    writeHeader(dataset.session, dataset.oid, { ...header, description });
  }

  async #copyElements(source: SourceDataset, target: StoredDataset): Promise<void> {
    const { space, layout } = source.description;
    if (space.kind === "null" || layout.kind === "virtual" || source.storedSize === 0) return;
    const chunks = source.storedChunks(this.#memory);
    if (chunks === undefined) {
      await this.#copyBoxes(source, target);
      return;
    }
    for await (const chunk of chunks) {
      await target.writeStoredChunk(chunk);
      await this.#turn(chunk.bytes.length);
    }
  }

  async #copyBoxes(source: SourceDataset, target: StoredDataset): Promise<void> {
    const { space, layout, type } = source.description;
    const shape = space.kind === "simple" ? space.shape : [];
    const unit = layout.kind === "chunked" ? layout.chunkShape : shape.map(() => 1);
    const size = hasSlots(type) ? SLOT_BOX_SIZE : BOX_SIZE;
    for (const box of boxesOf(shape, unit, Math.ceil(size / itemSizeOf(type)))) {
      await this.#copyBox(source, target, box);
    }
  }

  async #copyBox(source: SourceDataset, target: StoredDataset, box: Box): Promise<void> {
    let elements: Awaited<ReturnType<SourceDataset["read"]>>;
    try {
      elements = await source.read(box, this.#memory);
    } catch (error) {
      // Items of variable length may be large.
      const halves = isDaosError(error, "DER_REC2BIG") ? halvesOf(box) : undefined;
      if (halves === undefined) throw error;
      for (const half of halves) await this.#copyBox(source, target, half);
      return;
    }
    const { type } = source.description;
    await target.write(
      box,
      await retarget(type, elements, (reference) => this.#translate(reference)),
    );
    const items = elements.heap.reduce((sum, item) => sum + item.length, 0);
    await this.#turn(elements.bytes.length + items);
  }

  async #copyAttributes(made: Made): Promise<void> {
    if (this.#options.withoutAttributes === true) return;
    const attributes: SourceAttribute[] = [];
    for await (const attribute of made.source.attributes()) attributes.push(attribute);
    const copy = async () => {
      for (const attribute of attributes) await this.#copyAttribute(attribute, made);
    };
    const refers = attributes.some(
      ({ type, committedType }) => committedType !== undefined || hasReferences(type),
    );
    // All of them wait, so that their order stays.
    if (refers) this.#waiting.push(copy);
    else await copy();
  }

  async #copyAttribute(attribute: SourceAttribute, { target, path }: Made): Promise<void> {
    const { name, nameCharset, type, committedType, space } = attribute;
    const where = `${path}@${name}`;
    const elements = await this.#supported(where, () => attribute.read());
    if (elements === undefined) return;
    const committed = committedType === undefined ? undefined : this.#committedOf(committedType);
    if (committedType !== undefined && committed === undefined) {
      this.counts.note(
        where,
        "DER_NOSYS",
        "its committed datatype has no name, and is its own now",
      );
    }
    target.putAttribute({
      ...{ name, nameCharset, type, space, committedType: committed },
      elements: await retarget(type, elements, (reference) => this.#translate(reference, where)),
    });
    this.counts.attributes++;
    await this.#turn(0);
  }

  /** The reference to the object in the target that a reference of the source leads to. */
  async #translate(reference: bigint, path = "a dataset"): Promise<bigint> {
    const known = this.#references.get(reference);
    if (known !== undefined) return known;
    const object = await this.#source.resolve(reference).catch((error: unknown) => {
      // A reference to what was removed since leads anywhere.
      if (isDaosError(error, "DER_DF_INVAL")) return undefined;
      throw error;
    });
    const target = object && this.#made.get(object.id);
    const isKept =
      target === undefined && object !== undefined && this.#options.isSameFile === true;
    const translated = target?.reference() ?? (isKept ? reference : 0n);
    if (target === undefined && !isKept) {
      const why = `a reference (${reference}) leads to no object with a name, and is none now`;
      this.counts.note(path, "DER_NONEXIST", why);
    }
    this.#references.set(reference, translated);
    return translated;
  }

  /** What a step returns; `undefined`, and a note, if it meets something that is not supported. */
  async #supported<T>(path: string, step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      if (!isDaosError(error, "DER_NOSYS")) throw error;
      this.counts.note(path, error.code, error.message);
      return undefined;
    }
  }

  /** Counts, and lets other work of the process have its turn. */
  async #turn(bytes: number): Promise<void> {
    const { signal, advance } = this.#options;
    this.counts.bytes += bytes;
    this.#sinceTurn += bytes + 1024;
    if (bytes > 0) advance?.(bytes);
    if (this.#sinceTurn >= TURN_SIZE) {
      this.#sinceTurn = 0;
      await setImmediate();
    }
    if (signal?.aborted !== true) return;
    const what = `Importing ${this.#source.name}`;
    const text = { what, why: "it was given up", remedy: "start it again" };
    throw new DaosError("DER_CANCELED", text, {}, signal.reason);
  }
}
