/**
 * Compares two HDF5 files, wherever they lie, object by object: what h5diff compares, and what it is blind
 * to: names and character sets, orders of creation, limits, chunks, filters, fill values, mappings.
 *
 * @module
 */

import { isDeepStrictEqual } from "node:util";
import { DaosError } from "../../../core/index.js";
import { hasSlots, itemSizeOf, sameDatatype } from "../datatype/datatype.js";
import type {
  DatasetDescription,
  Hdf5Source,
  LayoutDescription,
  SourceAttribute,
  SourceDataset,
  SourceGroup,
  SourceLink,
  SourceObject,
} from "../description.js";
import { boxesOf } from "../import/boxes.js";
import { compareElements } from "./element-comparison.js";
import { normalizeSelection } from "./selections.js";
import { SourcePaths } from "./source-paths.js";

/** Bytes of elements that are compared at once. */
const BOX_SIZE = 4 << 20;
const SLOT_BOX_SIZE = 1 << 18;

/** Something that differs. */
export interface SourceDifference {
  /** The object, from the root; an attribute behind `@`. */
  readonly path: string;
  /** What of it: `type`, `elements`, `links` ... */
  readonly property: string;
  /** What the first file has. */
  readonly first: string;
  /** What the second file has. */
  readonly second: string;
}

/** How files are compared. */
export interface CompareOptions {
  /** Whether elements are compared; by default they are. */
  readonly elements?: boolean;
  /** Whether layouts, chunks and filters are compared; by default they are. */
  readonly storage?: boolean;
  /** Gives the comparison up. */
  readonly signal?: AbortSignal | undefined;
  /** Is called with the bytes of elements that were compared since the last call. */
  readonly advance?: (bytes: number) => void;
}

/** Two sides of one thing. */
interface Pair<T> {
  readonly first: T;
  readonly second: T;
}

const shown = (value: unknown): string =>
  value === undefined
    ? "nothing"
    : typeof value === "string"
      ? value
      : JSON.stringify(value, (_, one) => (typeof one === "bigint" ? String(one) : one));

function* differ<T>(
  path: string,
  property: string,
  { first, second }: Pair<T>,
): Generator<SourceDifference> {
  if (isDeepStrictEqual(first, second)) return;
  yield { path, property, first: shown(first), second: shown(second) };
}

/** One comparison. */
class Comparison {
  readonly #paths: Pair<SourcePaths>;
  readonly #options: CompareOptions;
  readonly #met = new Set<string>();

  constructor(paths: Pair<SourcePaths>, options: CompareOptions) {
    this.#paths = paths;
    this.#options = options;
  }

  async *objects(pair: Pair<SourceObject>, path: string): AsyncGenerator<SourceDifference> {
    const { first, second } = pair;
    if (this.#met.has(first.id)) return;
    this.#met.add(first.id);
    const name = path === "" ? "/" : path;
    if (first.kind !== second.kind) {
      yield { path: name, property: "kind", first: first.kind, second: second.kind };
      return;
    }
    yield* differ(name, "comment", { first: first.comment, second: second.comment });
    const orders = { first: first.attributeOrder, second: second.attributeOrder };
    yield* differ(name, "order of attributes", orders);
    yield* this.#attributes(pair, name);
    if (first.kind === "group" && second.kind === "group") {
      yield* this.#groups({ first, second }, path);
    } else if (first.kind === "dataset" && second.kind === "dataset") {
      yield* this.#datasets({ first, second }, name);
    } else if (first.kind === "datatype" && second.kind === "datatype") {
      if (!sameDatatype(first.type, second.type)) {
        const types = { first: shown(first.type), second: shown(second.type) };
        yield { path: name, property: "type", ...types };
      }
    }
  }

  async *#groups(pair: Pair<SourceGroup>, path: string): AsyncGenerator<SourceDifference> {
    const { first, second } = pair;
    const name = path === "" ? "/" : path;
    yield* differ(name, "order of links", { first: first.linkOrder, second: second.linkOrder });
    const [links, others] = [await collect(first.links()), await collect(second.links())];
    const byName = new Map(others.map((link) => [link.name, link]));
    const names = { first: links.map((link) => link.name), second: [...byName.keys()] };
    const common = names.first.filter((one) => byName.has(one));
    const inOrder = names.second.filter((one) => common.includes(one));
    if (common.length < 10_000) {
      yield* differ(name, "links in their order", { first: common, second: inOrder });
    }
    for (const link of links) {
      const other = byName.get(link.name);
      byName.delete(link.name);
      yield* this.#links(link, other, `${path}/${link.name}`);
    }
    for (const link of byName.values()) yield* this.#links(undefined, link, `${path}/${link.name}`);
  }

  async *#links(
    first: SourceLink | undefined,
    second: SourceLink | undefined,
    path: string,
  ): AsyncGenerator<SourceDifference> {
    if (first === undefined || second === undefined || first.kind !== second.kind) {
      yield { path, property: "link", first: shown(first?.kind), second: shown(second?.kind) };
      return;
    }
    const charsets = { first: first.nameCharset, second: second.nameCharset };
    yield* differ(path, "character set of the name", charsets);
    if (first.kind !== "hard" || second.kind !== "hard") {
      yield* differ(path, "link", { first: targetOf(first), second: targetOf(second) });
      return;
    }
    const objects = { first: await first.open(), second: await second.open() };
    // Names of one object in one file must be names of one object in the other.
    const names = {
      first: this.#paths.first.find(objects.first.id),
      second: this.#paths.second.find(objects.second.id),
    };
    yield* differ(path, "object", names);
    yield* this.objects(objects, path);
  }

  async *#attributes(pair: Pair<SourceObject>, path: string): AsyncGenerator<SourceDifference> {
    const attributes = await collect(pair.first.attributes());
    const others = await collect(pair.second.attributes());
    const byName = new Map(others.map((one) => [one.name, one]));
    const known = new Set(attributes.map(({ name }) => name));
    const first = attributes.map(({ name }) => name).filter((name) => byName.has(name));
    const second = others.map(({ name }) => name).filter((name) => known.has(name));
    yield* differ(path, "attributes in their order", { first, second });
    for (const attribute of attributes) {
      const other = byName.get(attribute.name);
      byName.delete(attribute.name);
      yield* this.#attribute(attribute, other, `${path}@${attribute.name}`);
    }
    for (const [name, other] of byName) yield* this.#attribute(undefined, other, `${path}@${name}`);
  }

  async *#attribute(
    first: SourceAttribute | undefined,
    second: SourceAttribute | undefined,
    path: string,
  ): AsyncGenerator<SourceDifference> {
    if (first === undefined || second === undefined) {
      const there = (one: SourceAttribute | undefined) => (one === undefined ? "missing" : "there");
      yield { path, property: "attribute", first: there(first), second: there(second) };
      return;
    }
    const charsets = { first: first.nameCharset, second: second.nameCharset };
    yield* differ(path, "character set of the name", charsets);
    yield* this.#committed({ first: first.committedType, second: second.committedType }, path);
    yield* differ(path, "shape", { first: first.space, second: second.space });
    if (!sameDatatype(first.type, second.type)) {
      yield { path, property: "type", first: shown(first.type), second: shown(second.type) };
    } else if (isDeepStrictEqual(first.space, second.space)) {
      const found = await compareElements(
        first.type,
        { ...(await first.read()), pathOf: this.#paths.first.pathOf },
        { ...(await second.read()), pathOf: this.#paths.second.pathOf },
      );
      if (found !== undefined) yield elementsDiffer(path, found);
    }
  }

  *#committed(
    { first, second }: Pair<string | undefined>,
    path: string,
  ): Generator<SourceDifference> {
    const names = {
      first: first === undefined ? undefined : this.#paths.first.find(first),
      second: second === undefined ? undefined : this.#paths.second.find(second),
    };
    yield* differ(path, "committed type", names);
  }

  async *#datasets(pair: Pair<SourceDataset>, path: string): AsyncGenerator<SourceDifference> {
    const [first, second] = [pair.first.description, pair.second.description];
    yield* this.#committed({ first: first.committedType, second: second.committedType }, path);
    yield* differ(path, "shape", { first: first.space, second: second.space });
    if (this.#options.storage !== false) {
      const layouts = { first: layoutOf(first.layout), second: layoutOf(second.layout) };
      yield* differ(path, "layout", layouts);
      yield* differ(path, "filters", { first: filtersOf(first), second: filtersOf(second) });
    }
    const sameType = sameDatatype(first.type, second.type);
    if (!sameType)
      yield { path, property: "type", first: shown(first.type), second: shown(second.type) };
    else yield* this.#fills({ first, second }, path);
    if (this.#options.elements === false || !sameType) return;
    if (isDeepStrictEqual(extentsOf(first), extentsOf(second))) yield* this.#elements(pair, path);
  }

  async *#fills(
    { first, second }: Pair<DatasetDescription>,
    path: string,
  ): AsyncGenerator<SourceDifference> {
    const times = ({ fill }: DatasetDescription) => [fill.allocation, fill.time];
    if (this.#options.storage !== false) {
      yield* differ(path, "fill time", { first: times(first), second: times(second) });
    }
    const [value, other] = [first.fill.value, second.fill.value];
    if (!value || !other) {
      const kind = (one: typeof value) =>
        one === null
          ? "none"
          : one === undefined
            ? "zeros"
            : Buffer.from(one.bytes).toString("hex");
      yield* differ(path, "fill value", { first: kind(value), second: kind(other) });
      return;
    }
    const found = await compareElements(
      first.type,
      { ...value, pathOf: this.#paths.first.pathOf },
      { ...other, pathOf: this.#paths.second.pathOf },
    );
    if (found === undefined) return;
    const text = (one: typeof value) => Buffer.from(one.bytes).toString("hex");
    yield { path, property: "fill value", first: text(value), second: text(other) };
  }

  async *#elements(pair: Pair<SourceDataset>, path: string): AsyncGenerator<SourceDifference> {
    const { first, second } = pair;
    const { space, type, layout } = first.description;
    if (space.kind === "null") return;
    const shape = space.kind === "simple" ? space.shape : [];
    const unit = layout.kind === "chunked" ? layout.chunkShape : shape.map(() => 1);
    const size = hasSlots(type) ? SLOT_BOX_SIZE : BOX_SIZE;
    let [count, at] = [0, ""];
    for (const box of boxesOf(shape, unit, Math.ceil(size / itemSizeOf(type)))) {
      this.#requireWanted(path);
      const [a, b] = [await first.read(box), await second.read(box)];
      const found = await compareElements(
        type,
        { ...a, pathOf: this.#paths.first.pathOf },
        { ...b, pathOf: this.#paths.second.pathOf },
      );
      this.#options.advance?.(a.bytes.length);
      if (found === undefined) continue;
      if (count === 0) at = `[${indexIn(box, found.first)}]`;
      count += found.count;
    }
    if (count === 0) return;
    const which = shape.length === 0 ? "the element" : `${count}, first ${at}`;
    yield { path, property: "elements", first: which, second: "differ" };
  }

  #requireWanted(path: string): void {
    const { signal } = this.#options;
    if (signal?.aborted !== true) return;
    const text = { what: `Comparing ${path}`, why: "it was given up", remedy: "start it again" };
    throw new DaosError("DER_CANCELED", text, {}, signal.reason);
  }
}

function elementsDiffer(path: string, { count, first }: { count: number; first: number }) {
  const which = `${count}, first element ${first}`;
  return { path, property: "elements", first: which, second: "differ" };
}

function indexIn(
  { start, shape }: { start: readonly number[]; shape: readonly number[] },
  at: number,
) {
  const index = new Array<number>(shape.length);
  let rest = at;
  for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
    const extent = shape[dimension] as number;
    index[dimension] = (start[dimension] as number) + (rest % extent);
    rest = Math.floor(rest / extent);
  }
  return index.join(", ");
}

async function collect<T>(list: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of list) items.push(item);
  return items;
}

function targetOf(link: SourceLink): unknown {
  switch (link.kind) {
    case "soft":
      return link.path;
    case "external":
      return `${link.file}:${link.path}`;
    case "user":
      return `type ${link.type}: ${Buffer.from(link.data).toString("hex")}`;
    case "hard":
      return undefined;
  }
}

const extentsOf = ({ space }: DatasetDescription) =>
  space.kind === "simple" ? space.shape : space.kind;

/** Names of filters are for people, and differ from writer to writer. */
const filtersOf = ({ filters }: DatasetDescription) =>
  filters.map(({ id, isOptional, parameters }) => ({
    id,
    isOptional,
    parameters: [...parameters],
  }));

function layoutOf(layout: LayoutDescription): unknown {
  if (layout.kind !== "virtual") return layout;
  const mappings = layout.mappings.map(({ file, dataset, source, target }) => ({
    ...{ file, dataset },
    ...{ source: normalizeSelection(source), target: normalizeSelection(target) },
  }));
  return { kind: "virtual", mappings };
}

/**
 * Compares two files.
 *
 * @returns What differs, object by object, in the order of the first file; nothing if they are equal.
 *
 * @example
 * ```ts
 * const [a, b] = [await openH5File("a.h5"), storeSource(file)];
 * for await (const { path, property } of compareSources(a, b)) console.log(path, property);
 * ```
 */
export async function* compareSources(
  first: Hdf5Source,
  second: Hdf5Source,
  options: CompareOptions = {},
): AsyncGenerator<SourceDifference> {
  const [paths, others] = [await SourcePaths.of(first), await SourcePaths.of(second)];
  const comparison = new Comparison({ first: paths, second: others }, options);
  const blocks = { first: first.userBlock, second: second.userBlock };
  if (Buffer.compare(blocks.first, blocks.second) !== 0) {
    const [size, other] = [blocks.first.length, blocks.second.length].map((one) => `${one} bytes`);
    yield { path: "/", property: "user block", first: size as string, second: other as string };
  }
  yield* comparison.objects({ first: await first.root(), second: await second.root() }, "");
}
