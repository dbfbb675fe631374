/**
 * Copies any HDF5 file, from an `.h5` file or another container, into a container.
 *
 *     objects and links   in the order of the source; an object with several names is one object
 *     attributes          likewise; those that refer to objects when all objects are there
 *     elements            stored chunks as they are, all others box by box
 *
 * All of it appears at one epoch, or nothing: a copy that fails, is given up or killed leaves no trace.
 * Memory is bounded by a few boxes and the largest chunk. What cannot be carried over is reported by path.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import { type Container, DaosError, isDaosError } from "../../../core/index.js";
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
import { File } from "../file.js";
import { writeHeader } from "../storage/objects.js";
import type { StoredDataset } from "../storage/stored-dataset.js";
import type { StoredGroup } from "../storage/stored-group.js";
import type { StoredObject } from "../storage/stored-object.js";
import { boxesOf, halvesOf } from "./boxes.js";
import { ImportCounts, type ImportReport } from "./import-report.js";
import { retarget } from "./retarget.js";

/** Bytes of elements that are copied at once. */
const BOX_SIZE = 8 << 20;
/** The same of elements of variable length, whose items come on top. */
const SLOT_BOX_SIZE = 1 << 20;
/** Bytes after which other work of the process gets its turn. */
const TURN_SIZE = 32 << 20;

const PAGE_SIZE = 4096;

/** How a file is copied. */
export interface ImportOptions {
  /** Whether a file that is there is replaced; readers see the old one until the copy is complete. */
  readonly replace?: boolean;
  /** Gives the copy up. */
  readonly signal?: AbortSignal | undefined;
  /** Is called with the bytes of elements that were copied since the last call. */
  readonly advance?: (bytes: number) => void;
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

/** One copy. */
class Import {
  readonly counts = new ImportCounts();
  readonly #source: Hdf5Source;
  readonly #options: ImportOptions;
  /** Objects that were made, by their identity in the source. */
  readonly #made = new Map<string, StoredObject>();
  /** What refers to objects, and waits until all are there. */
  readonly #waiting: (() => Promise<void>)[] = [];
  /** References that were translated. */
  readonly #references = new Map<bigint, bigint>();
  /** Memory that boxes and chunks are read into, again and again. */
  readonly #memory = alignedMemory(BOX_SIZE);
  #sinceTurn = 0;

  constructor(source: Hdf5Source, options: ImportOptions) {
    this.#source = source;
    this.#options = options;
  }

  async run(file: File): Promise<void> {
    const root = await this.#source.root();
    if (this.#source.userBlock.length > 0) file.setUserBlock(this.#source.userBlock);
    const target = file.stored;
    target.describe(root);
    this.#made.set(root.id, target);
    await this.#copyAttributes({ source: root, target, path: "/" });
    await this.#copyGroup(root, target, "");
    for (const step of this.#waiting) await step();
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
    if (link.kind !== "hard") {
      const { name: _, nameCharset: __, ...where } = link;
      target.link(name, where, nameCharset);
      return;
    }
    const object = await this.#supported(path, () => link.open());
    if (object === undefined) return;
    const known = this.#made.get(object.id);
    if (known !== undefined) target.link(name, { kind: "hard", object: known }, nameCharset);
    else await this.#copyObject(object, target, { name, nameCharset }, path);
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

  #setCommitted(dataset: StoredDataset, id: string, path: string): void {
    const committed = this.#made.get(id);
    if (committed === undefined) {
      this.counts.note(path, "DER_NOSYS", "its committed datatype has no name, and is its own now");
      return;
    }
    const { header } = dataset;
    const description = { ...header.description, committedType: committed.id };
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
    const committed = committedType === undefined ? undefined : this.#made.get(committedType);
    if (committedType !== undefined && committed === undefined) {
      this.counts.note(
        where,
        "DER_NOSYS",
        "its committed datatype has no name, and is its own now",
      );
    }
    target.putAttribute({
      ...{ name, nameCharset, type, space, committedType: committed?.id },
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
    const translated = target?.reference() ?? 0n;
    if (target === undefined) {
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

/**
 * Copies a file into a container. The source stays open.
 *
 * @param source Any HDF5 file: {@link openH5File}, {@link storeSource}.
 * @param path Path of the new file in the container; directories on the way are made.
 * @returns What was copied, and what could not be carried over.
 * @throws `DaosError` `DER_EXIST` if there is a file already; `DER_DF_INVAL` or `DER_CSUM` if the source is
 *   damaged; `DER_REC2BIG` for a chunk that is too large; `DER_CANCELED`; `DER_NOSPACE`, `DER_IO`. Nothing
 *   of the copy is there then.
 *
 * @example
 * ```ts
 * const source = await openH5File("results.h5");
 * const { epoch, notes } = await importH5(source, container, "results.h5");
 * for (const { path, why } of notes) console.warn(`${path}: ${why}`);
 * await source.close();
 * ```
 */
export async function importH5(
  source: Hdf5Source,
  container: Container,
  path: string,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const file = await File.open(container, path, options.replace === true ? "w" : "x");
  const copy = new Import(source, options);
  try {
    await copy.run(file);
    const epoch = await file.flush();
    return copy.counts.report(epoch);
  } finally {
    // After a flush there is nothing left to drop.
    await file.abort();
  }
}
