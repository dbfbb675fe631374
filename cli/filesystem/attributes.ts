/**
 * `daos filesystem get-attr`, `set-attr` and `chmod`.
 *
 * @module
 */

import { Dfs, findPlace, inodeTimes, readXattrs } from "daos-ts/dfs";
import { DaosError, formatObjectClass, formatOid, objectClassOf } from "../../core/index.js";
import { describedBytes, describedSchema } from "../administration/attributes.js";
import { splitPair } from "../administration/properties.js";
import { openContainer, openView, type VersionOptions, versionOptions } from "../container/open.js";
import type { Address } from "../location.js";
import type { Output } from "../output/output.js";
import {
  choice,
  epoch,
  integer,
  list,
  object,
  optional,
  text,
  time,
  type Value,
} from "../output/schema.js";
import { isoTime } from "../output/size.js";
import { addressOperand, type Call, defineVerb } from "../verb.js";

const schema = object({
  path: text("What was asked about"),
  epoch: epoch("The version"),
  kind: choice(["file", "directory", "symlink"], "What it is"),
  oid: text("Its object"),
  objectClass: text("How the object is laid out"),
  mode: text("Permission bits, octal"),
  uid: integer("User id of its owner"),
  gid: integer("Group id"),
  size: integer("Bytes of a file"),
  created: time("When it was created"),
  modified: time("When its bytes or names were modified"),
  target: optional(text("Where a symbolic link leads")),
  attributes: list(describedSchema, "Extended attributes, by name"),
});
type Answer = Value<typeof schema>;

/** What a path is, at a version. */
function describe(address: Address, options: VersionOptions): Answer {
  using opened = openContainer(address.pool, address.container ?? "", "ro");
  using view = openView(opened.container, options);
  const path = `/${address.path}`;
  const { inode, ...place } = findPlace({ view }, path, "Asking about", { follow: false });
  const { kind, oid, mode, uid, gid } = inode;
  const xattrs = [...readXattrs(view, place)].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    path,
    epoch: String(view.epoch),
    kind,
    oid: formatOid(oid),
    objectClass: formatObjectClass(objectClassOf(oid)),
    mode: (mode & 0o7777).toString(8).padStart(4, "0"),
    uid,
    gid,
    size: kind === "file" ? view.arraySize(oid) : 0,
    created: isoTime(inode.created),
    modified: isoTime(inodeTimes(inode, view).modified),
    ...(kind === "symlink" ? { target: Buffer.from(inode.target).toString() } : {}),
    attributes: xattrs.map(([name, value]) => describedBytes(name, value)),
  };
}

function print(answer: Answer, output: Output): void {
  output.facts([
    ["Path", answer.path],
    ["Kind", answer.kind],
    ["Object", answer.oid],
    ["Object class", answer.objectClass],
    ["Mode", answer.mode],
    ["Owner", `${answer.uid}:${answer.gid}`],
    ["Size", answer.kind === "file" ? { bytes: answer.size } : undefined],
    ["Created", answer.created],
    ["Modified", answer.modified],
    ["Target", answer.target],
    ...answer.attributes.map(({ name, value, base64 }) => [name, value ?? base64] as const),
  ]);
}

/** `daos filesystem get-attr` */
export const filesystemGetAttributes = defineVerb({
  name: "get-attr",
  summary: "tell what a file or directory of a container is, with its extended attributes",
  operands: [addressOperand],
  options: versionOptions,
  examples: ["daos filesystem get-attr daos://run.pool/results/inputs/mesh.bin"],
  schema,
  run: ({ address, options }: Call<VersionOptions>) => describe(address, options),
  print,
});

/** Changes files of the container of an address; the root is "/". */
async function change(address: Address, body: (dfs: Dfs, path: string) => Promise<void>) {
  using opened = openContainer(address.pool, address.container ?? "", "rw");
  using dfs = Dfs.mount(opened.container);
  await body(dfs, `/${address.path}`);
}

/** `daos filesystem set-attr` */
export const filesystemSetAttributes = defineVerb({
  name: "set-attr",
  summary: "store extended attributes of a file or directory; without a value, delete them",
  operands: [
    addressOperand,
    {
      name: "name:value",
      kind: "text",
      isRepeated: true,
      description:
        "attributes and their values, for example user.unit:kelvin; the name ends at the first colon",
    },
  ],
  examples: [
    "daos filesystem set-attr daos://run.pool/results/inputs/mesh.bin user.origin:gmsh",
    "daos filesystem set-attr daos://run.pool/results/inputs/mesh.bin user.origin:",
  ],
  schema,
  run: async ({ address, words }: Call) => {
    if (words.length === 0) {
      const text = {
        what: "Setting attributes",
        why: "none is given",
        remedy: "give <name>:<value>, for example user.unit:kelvin",
      };
      throw new DaosError("DER_INVAL", text);
    }
    const pairs = words.map(splitPair);
    await change(address, async (dfs, path) => {
      for (const [name, value] of pairs) {
        if (value === "") await dfs.lremovexattr(path, name);
        else await dfs.lsetxattr(path, name, value);
      }
    });
    return describe(address, {});
  },
  print,
});

/** `daos filesystem chmod` */
export const filesystemChangeMode = defineVerb({
  name: "chmod",
  summary: "change the permission bits of a file or directory",
  operands: [
    { name: "mode", kind: "text", description: "permission bits, octal: 640" },
    addressOperand,
  ],
  examples: ["daos filesystem chmod 640 daos://run.pool/results/inputs/mesh.bin"],
  schema,
  run: async ({ address, words: [mode = ""] }: Call) => {
    if (!/^[0-7]{1,4}$/.test(mode)) {
      const what = `Reading permission bits "${mode}"`;
      const remedy = "give one to four octal digits, for example 640";
      throw new DaosError("DER_INVAL", { what, why: "they are not octal", remedy });
    }
    await change(address, (dfs, path) => dfs.chmod(path, Number.parseInt(mode, 8)));
    return describe(address, {});
  },
  print,
});
