/**
 * `daos hdf5 dump`: what an HDF5 file holds, in the form of h5dump or as JSON.
 *
 * @module
 */

import {
  type DatasetDescription,
  itemSizeOf,
  type SourceAttribute,
  type SourceDataset,
  type SourceGroup,
  type SourceLink,
  type SourceObject,
} from "daos-ts/hdf5";
import { type VersionOptions, versionOptions } from "../container/open.js";
import type { Output } from "../output/output.js";
import {
  anything,
  flag,
  integer,
  list,
  object,
  optional,
  text,
  type Value,
} from "../output/schema.js";
import { parseCount } from "../output/size.js";
import { type Call, defineVerb, option } from "../verb.js";
import { printDump } from "./dump-text.js";
import { fileOperand, findObject, openSource, pathsOf, poolRootOption } from "./source.js";
import { filterText, layoutLines, spaceText, typeText } from "./type-text.js";
import { type JsonValue, ValueReader } from "./values.js";

/** Elements of a dataset that are shown, if nothing else is said. */
const SHOWN = 1000;

const order = (of: string) => optional(text(`Of ${of}: tracked, or tracked and indexed`));

const attributeSchema = object({
  name: text("Name"),
  nameCharset: text("Character set of the name"),
  type: text("Datatype"),
  committedType: optional(text("Path of the committed datatype")),
  space: text("Dataspace"),
  values: list(anything<JsonValue>("An element"), "Its elements, row-major"),
});
const linkSchema = object({
  name: text("Name"),
  nameCharset: text("Character set of the name"),
  kind: text("hard, soft, external or user"),
  target: text("Path that the link leads to; of an external one behind its file"),
});
const objectSchema = object({
  path: text("Path that leads to it first"),
  kind: text("group, dataset or datatype"),
  comment: optional(text("Comment")),
  attributeOrder: order("attributes"),
  attributes: list(attributeSchema, "In the order of the file"),
  linkOrder: order("links"),
  links: optional(list(linkSchema, "Of a group, in the order of the file")),
  type: optional(text("Datatype")),
  committedType: optional(text("Path of the committed datatype")),
  space: optional(text("Dataspace")),
  layout: optional(list(text("A part"), "How elements are laid out")),
  filters: optional(list(text("A filter with its parameters"), "In their order")),
  fillValue: optional(anything<JsonValue>("What was never written; null for none")),
  fillTime: optional(text("When space is allocated and filled")),
  values: optional(list(anything<JsonValue>("An element"), "The first elements, row-major")),
  elements: optional(integer("How many there are")),
  truncated: optional(flag("Whether there are more than are shown")),
});
const schema = object({
  file: text("The file"),
  userBlock: integer("Bytes in front that are not HDF5's"),
  objects: list(objectSchema, "Each object once, groups before what is in them"),
});
/** What is dumped. */
export type Dump = Value<typeof schema>;
/** One object of it. */
export type DumpedObject = Dump["objects"][number];

interface DumpOptions extends VersionOptions {
  readonly header?: boolean;
  readonly limit?: number;
}

const orderText = ({ isTracked, isIndexed }: { isTracked: boolean; isIndexed: boolean }) =>
  isTracked ? (isIndexed ? "tracked and indexed" : "tracked") : undefined;

/** Describes the objects of one file. */
class Dumper {
  readonly objects: DumpedObject[] = [];
  readonly #paths: ReadonlyMap<string, string>;
  readonly #values: ValueReader;
  readonly #limit: number | undefined;
  readonly #met = new Set<string>();

  constructor(paths: ReadonlyMap<string, string>, values: ValueReader, limit: number | undefined) {
    this.#paths = paths;
    this.#values = values;
    this.#limit = limit;
  }

  async dump(found: SourceObject): Promise<void> {
    if (this.#met.has(found.id)) return;
    this.#met.add(found.id);
    const attributes: DumpedObject["attributes"][number][] = [];
    for await (const attribute of found.attributes())
      attributes.push(await this.#attribute(attribute));
    const base = {
      path: this.#paths.get(found.id) ?? "",
      comment: found.comment,
      attributeOrder: orderText(found.attributeOrder),
      attributes,
    };
    switch (found.kind) {
      case "datatype":
        this.objects.push({ ...base, kind: "datatype", type: typeText(found.type) });
        return;
      case "dataset":
        this.objects.push({ ...base, kind: "dataset", ...(await this.#dataset(found)) });
        return;
      case "group":
        await this.#group(found, base);
    }
  }

  async #group(group: SourceGroup, base: Omit<DumpedObject, "kind">): Promise<void> {
    const links: NonNullable<DumpedObject["links"]>[number][] = [];
    this.objects.push({ ...base, kind: "group", linkOrder: orderText(group.linkOrder), links });
    for await (const link of group.links()) {
      const { name, nameCharset, kind } = link;
      const opened = link.kind === "hard" ? await link.open() : undefined;
      const target = opened === undefined ? targetText(link) : (this.#paths.get(opened.id) ?? "");
      links.push({ name, nameCharset, kind, target });
      if (opened !== undefined) await this.dump(opened);
    }
  }

  async #attribute(attribute: SourceAttribute) {
    const { name, nameCharset, type, space, committedType } = attribute;
    const values =
      space.kind === "null" ? [] : await this.#values.values(type, await attribute.read());
    return {
      ...{ name, nameCharset, type: typeText(type), space: spaceText(space), values },
      committedType: this.#committed(committedType),
    };
  }

  #committed(id: string | undefined): string | undefined {
    return id === undefined ? undefined : this.#paths.get(id);
  }

  async #dataset(dataset: SourceDataset) {
    const { description } = dataset;
    const { type, space, layout, filters, fill, committedType } = description;
    const fillValue =
      fill.value === null ? null : fill.value && (await this.#values.values(type, fill.value))[0];
    return {
      type: typeText(type),
      committedType: this.#committed(committedType),
      space: spaceText(space),
      layout: layoutLines(layout),
      filters: filters.map(filterText),
      fillTime: `${fill.time}, allocation ${fill.allocation}`,
      ...(fillValue === undefined ? {} : { fillValue }),
      ...(await this.#elements(dataset, description)),
    };
  }

  async #elements(dataset: SourceDataset, { type, space }: DatasetDescription) {
    if (this.#limit === undefined || space.kind === "null") return {};
    const shape = space.kind === "simple" ? space.shape : [];
    const elements = shape.reduce((all, extent) => all * extent, 1);
    const values: JsonValue[] = [];
    // Row by row, as many as are shown.
    for (const box of leadingBoxes(shape, Math.min(this.#limit, elements), itemSizeOf(type))) {
      values.push(...(await this.#values.values(type, await dataset.read(box))));
    }
    return { values, elements, truncated: values.length < elements };
  }
}

/** Bytes of elements that are read at once. */
const READ_SIZE = 1 << 20;

/** Boxes that cover the first elements of a shape in row-major order. */
function* leadingBoxes(shape: readonly number[], count: number, itemSize: number) {
  if (count === 0) return;
  if (shape.length === 0) {
    yield { start: [], shape: [] };
    return;
  }
  const most = Math.max(1, Math.floor(READ_SIZE / itemSize));
  const last = shape.length - 1;
  const row = shape[last] as number;
  for (let done = 0; done < count; ) {
    const start = indexOf(shape, done);
    const inRow = row - (start[last] as number);
    const extent = Math.min(inRow, count - done, most);
    yield { start, shape: shape.map((_, dimension) => (dimension === last ? extent : 1)) };
    done += extent;
  }
}

function indexOf(shape: readonly number[], at: number): number[] {
  const index = new Array<number>(shape.length).fill(0);
  let rest = at;
  for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
    index[dimension] = rest % (shape[dimension] as number);
    rest = Math.floor(rest / (shape[dimension] as number));
  }
  return index;
}

function targetText(link: SourceLink): string {
  if (link.kind === "soft") return link.path;
  if (link.kind === "external") return `${link.file}:${link.path}`;
  return link.kind === "user" ? `type ${link.type}: ${Buffer.from(link.data).toString("hex")}` : "";
}

async function run({ words, roots, options }: Call<DumpOptions>): Promise<Dump> {
  const [file = "", written = "/"] = words;
  await using opened = await openSource(file, roots, options);
  const { source } = opened;
  const paths = await pathsOf(source);
  const limit = options.header === true ? undefined : (options.limit ?? SHOWN);
  const dumper = new Dumper(paths, new ValueReader(source, paths), limit);
  await dumper.dump(await findObject(source, written));
  return { file: opened.display, userBlock: source.userBlock.length, objects: dumper.objects };
}

/** `daos hdf5 dump` */
export const hdf5Dump = defineVerb({
  name: "dump",
  summary: "print what an HDF5 file holds",
  operands: [
    fileOperand,
    {
      name: "object",
      kind: "text",
      isOptional: true,
      description: "path in the file; / by default",
    },
  ],
  options: [
    option("-H, --header", "leave elements of datasets out"),
    option("--limit <count>", `elements of a dataset to show, ${SHOWN} by default`, parseCount),
    ...versionOptions,
    poolRootOption,
  ],
  examples: [
    "daos hdf5 dump results.h5",
    "daos hdf5 dump -H daos://run.pool/results/run-7.h5 /fields",
  ],
  schema,
  run,
  print: (answer: Dump, output: Output) => printDump(answer, output),
});
