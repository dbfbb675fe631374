/**
 * `daos hdf5 stat`: how many objects an HDF5 file has, and what they take.
 *
 * @module
 */

import { itemSizeOf, type SourceDataset, type SourceObject, walkObjects } from "daos-ts/hdf5";
import { type VersionOptions, versionOptions } from "../container/open.js";
import type { Output } from "../output/output.js";
import { integer, object, optional, record, text, type Value } from "../output/schema.js";
import { type Call, defineVerb } from "../verb.js";
import { fileOperand, openSource, poolRootOption } from "./source.js";

const schema = object({
  file: text("The file"),
  fileSize: optional(integer("Bytes of an .h5 file")),
  userBlock: integer("Bytes in front that are not HDF5's"),
  groups: integer("Groups, the root included"),
  datasets: integer("Datasets"),
  datatypes: integer("Committed datatypes"),
  links: record(integer("How many"), "Links by their kind"),
  membersMax: integer("Links of the largest group"),
  attributes: integer("Attributes of all objects"),
  attributesMax: integer("Attributes of one object"),
  elements: integer("Elements of all datasets"),
  elementSize: integer("Bytes of the elements, without filters; of variable length their slots"),
  storedSize: integer("Bytes that they take"),
  layouts: record(integer("How many"), "Datasets by their layout"),
  filters: record(integer("How many"), "Datasets by their filters' numbers"),
  classes: record(integer("How many"), "Datasets by the class of their datatype"),
});
type Answer = Value<typeof schema>;
type Counts = Record<string, number>;

/** Counts objects one by one. */
class Statistics {
  groups = 0;
  datasets = 0;
  datatypes = 0;
  membersMax = 0;
  attributes = 0;
  attributesMax = 0;
  elements = 0;
  elementSize = 0;
  storedSize = 0;
  readonly links: Counts = {};
  readonly layouts: Counts = {};
  readonly filters: Counts = {};
  readonly classes: Counts = {};

  async add(found: SourceObject): Promise<void> {
    let attributes = 0;
    for await (const _ of found.attributes()) attributes++;
    this.attributes += attributes;
    this.attributesMax = Math.max(this.attributesMax, attributes);
    if (found.kind === "datatype") this.datatypes++;
    else if (found.kind === "dataset") this.#addDataset(found);
    else {
      this.groups++;
      let members = 0;
      for await (const { kind } of found.links()) {
        members++;
        count(this.links, kind);
      }
      this.membersMax = Math.max(this.membersMax, members);
    }
  }

  #addDataset({ description, storedSize }: SourceDataset): void {
    const { type, space, layout, filters } = description;
    const shape = space.kind === "simple" ? space.shape : [];
    const elements = space.kind === "null" ? 0 : shape.reduce((all, extent) => all * extent, 1);
    this.datasets++;
    this.elements += elements;
    this.elementSize += elements * itemSizeOf(type);
    this.storedSize += storedSize ?? 0;
    count(this.layouts, layout.kind);
    count(this.classes, type.class);
    for (const { id } of filters) count(this.filters, String(id));
  }
}

function count(counts: Counts, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

const listed = (counts: Readonly<Counts>): string =>
  Object.entries(counts)
    .map(([name, times]) => `${name} ${times}`)
    .join(", ");

function print(answer: Answer, output: Output): void {
  output.facts([
    ["File", answer.file],
    ["File size", answer.fileSize === undefined ? undefined : { bytes: answer.fileSize }],
    ["User block", { bytes: answer.userBlock }],
    ["Groups", answer.groups],
    ["Datasets", answer.datasets],
    ["Committed types", answer.datatypes],
    ["Links", listed(answer.links)],
    ["Links of a group, at most", answer.membersMax],
    ["Attributes", answer.attributes],
    ["Attributes of an object, at most", answer.attributesMax],
    ["Elements", answer.elements],
    ["Size of elements", { bytes: answer.elementSize }],
    ["Stored", { bytes: answer.storedSize }],
    ["Layouts", listed(answer.layouts)],
    ["Filters", listed(answer.filters)],
    ["Classes of types", listed(answer.classes)],
  ]);
}

/** `daos hdf5 stat` */
export const hdf5Stat = defineVerb({
  name: "stat",
  summary: "count the objects of an HDF5 file, and what they take",
  operands: [fileOperand],
  options: [...versionOptions, poolRootOption],
  examples: ["daos hdf5 stat results.h5", "daos hdf5 stat daos://run.pool/results/run-7.h5"],
  schema,
  run: async ({ words, roots, options }: Call<VersionOptions>): Promise<Answer> => {
    const [file = ""] = words;
    await using opened = await openSource(file, roots, options);
    const { source, display, fileSize } = opened;
    const statistics = new Statistics();
    for await (const { object: found } of walkObjects(source)) await statistics.add(found);
    return { file: display, fileSize, userBlock: source.userBlock.length, ...statistics };
  },
  print,
});
