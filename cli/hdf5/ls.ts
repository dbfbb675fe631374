/**
 * `daos hdf5 ls`: the members of a group.
 *
 * @module
 */

import type { SourceGroup, SourceLink, SourceObject } from "daos-ts/hdf5";
import { type VersionOptions, versionOptions } from "../container/open.js";
import type { Output } from "../output/output.js";
import { choice, integer, list, object, optional, text, type Value } from "../output/schema.js";
import { type Call, defineVerb, option } from "../verb.js";
import { fileOperand, findObject, openSource, poolRootOption } from "./source.js";
import { filterText, typeText } from "./type-text.js";

const KINDS = ["group", "dataset", "datatype", "soft", "external", "user"] as const;

const schema = object({
  file: text("The file"),
  path: text("What was listed"),
  entries: list(
    object({
      path: text("From the root of the file"),
      kind: choice(KINDS, "An object, or what kind of link it is"),
      sameAs: optional(text("The path of an object that was listed already")),
      target: optional(text("Where a link leads")),
      type: optional(text("Datatype")),
      shape: optional(list(integer("Extent"), "Of a dataset; empty for one element")),
      layout: optional(text("How elements are laid out")),
      filters: optional(list(text("A filter with its parameters"), "In their order")),
      storedSize: optional(integer("Bytes that the elements take")),
    }),
    "In the order of the file",
  ),
});
type Entry = Value<typeof schema>["entries"][number];

function objectEntry(path: string, found: SourceObject): Entry {
  if (found.kind === "group") return { path, kind: "group" };
  if (found.kind === "datatype") return { path, kind: "datatype", type: typeText(found.type) };
  const { type, space, layout, filters } = found.description;
  return {
    ...{ path, kind: "dataset", type: typeText(type), layout: layout.kind },
    ...(space.kind === "null" ? {} : { shape: space.kind === "simple" ? [...space.shape] : [] }),
    filters: filters.map(filterText),
    storedSize: found.storedSize,
  };
}

function linkEntry(path: string, link: Exclude<SourceLink, { kind: "hard" }>): Entry {
  switch (link.kind) {
    case "soft":
      return { path, kind: "soft", target: link.path };
    case "external":
      return { path, kind: "external", target: `${link.file}:${link.path}` };
    case "user":
      return { path, kind: "user", target: `type ${link.type}` };
  }
}

/** Lists groups, each object once. */
class Lister {
  readonly #met = new Map<string, string>();
  readonly #isRecursive: boolean;
  readonly entries: Entry[] = [];

  constructor(isRecursive: boolean) {
    this.#isRecursive = isRecursive;
  }

  async group(group: SourceGroup, path: string): Promise<void> {
    this.#met.set(group.id, path === "" ? "/" : path);
    for await (const link of group.links()) {
      const at = `${path}/${link.name}`;
      if (link.kind !== "hard") this.entries.push(linkEntry(at, link));
      else await this.object(await link.open(), at);
    }
  }

  async object(found: SourceObject, path: string): Promise<void> {
    const entry = objectEntry(path, found);
    const sameAs = this.#met.get(found.id);
    this.entries.push(sameAs === undefined ? entry : { ...entry, sameAs });
    if (sameAs !== undefined) return;
    this.#met.set(found.id, path);
    if (this.#isRecursive && found.kind === "group") await this.group(found, path);
  }
}

function print({ entries }: Value<typeof schema>, output: Output): void {
  output.table(
    [
      { head: "Kind" },
      { head: "Path" },
      { head: "Shape" },
      { head: "Type" },
      { head: "Stored", align: "right" },
    ],
    entries.map(({ path, kind, sameAs, target, type, shape, storedSize }) => [
      kind,
      target === undefined
        ? sameAs === undefined
          ? path
          : `${path}, same as ${sameAs}`
        : `${path} -> ${target}`,
      shape === undefined ? undefined : shape.length === 0 ? "scalar" : shape.join(" x "),
      type,
      storedSize === undefined ? undefined : { bytes: storedSize },
    ]),
  );
}

/** `daos hdf5 ls` */
export const hdf5List = defineVerb({
  name: "ls",
  aliases: ["list"],
  summary: "list a group of an HDF5 file",
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
    option("-R, --recursive", "list what is in groups too"),
    ...versionOptions,
    poolRootOption,
  ],
  examples: [
    "daos hdf5 ls results.h5",
    "daos hdf5 ls -R daos://run.pool/results/run-7.h5 /fields --snap before-restart",
  ],
  schema,
  run: async ({ words, roots, options }: Call<VersionOptions & { recursive?: boolean }>) => {
    const [file = "", written = "/"] = words;
    await using opened = await openSource(file, roots, options);
    const found = await findObject(opened.source, written);
    const names = written.split("/").filter((name) => name !== "");
    const path = names.map((name) => `/${name}`).join("");
    const lister = new Lister(options.recursive === true);
    if (found.kind === "group") await lister.group(found, path);
    else await lister.object(found, path);
    return { file: opened.display, path: path === "" ? "/" : path, entries: lister.entries };
  },
  print,
});
