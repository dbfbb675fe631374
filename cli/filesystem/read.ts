/**
 * `daos filesystem ls` and `daos filesystem cat`.
 *
 * @module
 */

import { once } from "node:events";
import { type Inode, listDirectory, lookup, notFound } from "daos-ts/dfs";
import { type ContainerView, DaosError, Pattern, wholeOf } from "../../core/index.js";
import { openContainer, openView, type VersionOptions, versionOptions } from "../container/open.js";
import type { Output } from "../output/output.js";
import { choice, epoch, integer, list, object, text, time, type Value } from "../output/schema.js";
import { isoTime } from "../output/size.js";
import { addressOperand, type Call, defineVerb, option } from "../verb.js";

/** Bytes that are read at once. */
const CHUNK_SIZE = 8 << 20;
/** Largest file that is put into a JSON answer, in bytes. */
const JSON_SIZE_MAX = 64 << 20;
const KINDS = ["file", "directory", "symlink"] as const;

const listSchema = object({
  path: text("What was listed"),
  epoch: epoch("The version"),
  entries: list(
    object({
      path: text("Below what was listed"),
      kind: choice(KINDS, "What it is"),
      size: integer("Bytes of a file"),
      mode: text("Permission bits, octal"),
      created: time("When it was created"),
    }),
    "In the order of their paths",
  ),
});
type Entry = Value<typeof listSchema>["entries"][number];

function entryOf(view: ContainerView, path: string, { kind, mode, created, oid }: Inode): Entry {
  return {
    path,
    kind,
    size: kind === "file" ? view.arraySize(oid) : 0,
    mode: (mode & 0o7777).toString(8).padStart(4, "0"),
    created: isoTime(created),
  };
}

function entriesBelow(
  view: ContainerView,
  directory: { readonly path: string; readonly inode: Inode },
  recursive: boolean,
): Entry[] {
  return listDirectory({ view }, directory.inode.oid).flatMap(({ name, inode }) => {
    const path = directory.path === "" ? name : `${directory.path}/${name}`;
    const entry = entryOf(view, path, inode);
    if (!recursive || inode.kind !== "directory") return [entry];
    return [entry, ...entriesBelow(view, { path, inode }, recursive)];
  });
}

/** "drwxr-xr-x" */
function modeText({ kind, mode }: Entry): string {
  const bits = Number.parseInt(mode, 8);
  const flags = "rwxrwxrwx".replace(/./g, (flag, index: number) =>
    bits & (0o400 >> index) ? flag : "-",
  );
  return { file: "-", directory: "d", symlink: "l" }[kind] + flags;
}

function printList({ entries }: Value<typeof listSchema>, output: Output): void {
  output.table(
    [{ head: "Mode" }, { head: "Size", align: "right" }, { head: "Created" }, { head: "Path" }],
    entries.map((entry) => [
      modeText(entry),
      entry.kind === "file" ? { bytes: entry.size } : undefined,
      entry.created,
      entry.kind === "directory" ? `${entry.path}/` : entry.path,
    ]),
  );
}

/** `daos filesystem ls` */
export const filesystemList = defineVerb({
  name: "ls",
  aliases: ["list"],
  summary: "list a directory of a container, or tell of a file",
  operands: [addressOperand],
  options: [option("-R, --recursive", "list what is in directories too"), ...versionOptions],
  examples: [
    "daos filesystem ls daos://run.pool/results",
    "daos filesystem ls -R daos:///scratch/run.pool/results/inputs --snap before-restart",
  ],
  schema: listSchema,
  run: ({ address, options }: Call<VersionOptions & { recursive?: boolean }>) => {
    using opened = openContainer(address.pool, address.container ?? "", "ro");
    using view = openView(opened.container, options);
    const inode = lookup({ view }, address.path);
    if (inode === undefined) throw notFound(address.path, "Listing");
    const { path } = address;
    const entries =
      inode.kind === "directory"
        ? entriesBelow(view, { path: "", inode }, options.recursive === true)
        : [entryOf(view, path.split("/").at(-1) ?? "", inode)];
    return { path: `/${path}`, epoch: String(view.epoch), entries };
  },
  print: printList,
});

/** Writes to standard output, and waits where nobody reads. */
async function writeOut(bytes: Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
}

function findFile(view: ContainerView, path: string): Inode {
  const inode = lookup({ view }, path);
  if (inode === undefined) throw notFound(path, "Reading");
  if (inode.kind === "file") return inode;
  const what = `Reading "${path}"`;
  const text = { what, why: "it is a directory", remedy: "name a file in it" };
  throw new DaosError("DER_INVAL", text, { path });
}

/** `daos filesystem cat` */
export const filesystemCat = defineVerb({
  name: "cat",
  summary: "print a file of a container",
  operands: [addressOperand],
  options: versionOptions,
  examples: ["daos filesystem cat daos://run.pool/results/notes.txt"],
  schema: object({
    path: text("The file"),
    epoch: epoch("The version"),
    size: integer("Its bytes"),
    encoding: choice(["utf8", "base64", "none"], "Of its content; none where it was printed"),
    content: text("Its bytes"),
  }),
  run: async ({ address, options, output }: Call<VersionOptions>) => {
    using opened = openContainer(address.pool, address.container ?? "", "ro");
    using view = openView(opened.container, options);
    const { oid } = findFile(view, address.path);
    const size = view.arraySize(oid);
    const answer = { path: `/${address.path}`, epoch: String(view.epoch), size };
    if (output.json) return { ...answer, ...contentOf(view.readBytes(oid, 0, bounded(size))) };
    const chunk = Buffer.allocUnsafeSlow(Math.min(size, CHUNK_SIZE));
    for (let at = 0; at < size; at += CHUNK_SIZE) {
      const bytes = chunk.subarray(0, Math.min(CHUNK_SIZE, size - at));
      view.readArray(oid, wholeOf(Pattern.contiguous(at, at + bytes.length)), bytes);
      // The stream may hold on to what it is given, and the buffer is used again.
      await writeOut(Uint8Array.from(bytes));
    }
    return { ...answer, encoding: "none" as const, content: "" };
  },
  print: () => undefined,
});

function bounded(size: number): number {
  if (size <= JSON_SIZE_MAX) return size;
  const what = "Printing a file as JSON";
  const why = `it has ${size} bytes, and an answer holds ${JSON_SIZE_MAX} of a file`;
  throw new DaosError("DER_REC2BIG", { what, why, remedy: "leave --json out, or copy the file" });
}

function contentOf(bytes: Uint8Array): { encoding: "utf8" | "base64"; content: string } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const content = buffer.toString();
  if (Buffer.from(content).equals(buffer)) return { encoding: "utf8", content };
  return { encoding: "base64", content: buffer.toString("base64") };
}
