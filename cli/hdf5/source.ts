/**
 * HDF5 files as users name them: the path of an `.h5` file, or a file in a container.
 *
 * @module
 */

import { statSync } from "node:fs";
import path from "node:path";
import {
  File,
  type Hdf5Source,
  openH5File,
  type SourceObject,
  storeSource,
  walkObjects,
} from "daos-ts/hdf5";
import { DaosError, Pool } from "../../core/index.js";
import { findContainer, openView, type VersionOptions, versionOf } from "../container/open.js";
import { type Address, addressOfPath } from "../location.js";
import { type Operand, option } from "../verb.js";

/** The file of most verbs. */
export const fileOperand: Operand = {
  name: "file",
  kind: "text",
  description: "an .h5 file, or daos://<pool>/<container>/<file>",
};

/** Where pools are looked for. */
export const poolRootOption = option(
  "--pool-root <directory>",
  "where pools are looked for by name",
  (root: string, known: string[] | undefined) => [...(known ?? []), root],
);

/** An open source; closing it closes what it is in. */
export interface OpenedSource extends AsyncDisposable {
  readonly source: Hdf5Source;
  /** How it is called in answers. */
  readonly display: string;
  /** Bytes of an `.h5` file; `undefined` for one in a container. */
  readonly fileSize: number | undefined;
}

/** A file in a container, as an address names it. */
export type FileAddress = Address & { readonly container: string };

/** The address of a file in a container; `undefined` if it is one of the file system. */
export function fileAddress(written: string, roots: readonly string[]): FileAddress | undefined {
  const address = addressOfPath(written, roots);
  if (address === undefined) return undefined;
  const { container } = address;
  if (container !== undefined && address.path !== "") return { ...address, container };
  const what = `Opening "${written}"`;
  const why = "it names no file of a container";
  throw new DaosError("DER_INVAL", { what, why, remedy: "write daos://<pool>/<container>/<file>" });
}

/** Opens a file for reading. */
export async function openSource(
  written: string,
  roots: readonly string[],
  {
    chunkSizeMax,
    ...version
  }: VersionOptions & { readonly chunkSizeMax?: number | undefined } = {},
): Promise<OpenedSource> {
  const address = fileAddress(written, roots);
  if (address !== undefined) return openStored(address, version);
  if (versionOf(version) !== undefined) {
    const text = {
      what: `Opening ${written}`,
      why: "--epc or --snap was given, and .h5 files have no versions",
      remedy: "leave the version out",
    };
    throw new DaosError("DER_INVAL", text);
  }
  const file = path.resolve(written);
  const source = await openH5File(file, { chunkSizeMax });
  return {
    ...{ source, display: file, fileSize: statSync(file).size },
    [Symbol.asyncDispose]: () => source.close(),
  };
}

async function openStored(address: FileAddress, version: VersionOptions): Promise<OpenedSource> {
  const pool = Pool.connect(address.pool, { mode: "ro" });
  try {
    const container = findContainer(pool, address.container);
    using view = openView(container, version);
    const file = await File.open(container, address.path, "r", { epoch: view.epoch });
    return {
      source: storeSource(file),
      display: `daos://${address.pool}/${address.container}/${address.path}`,
      fileSize: undefined,
      [Symbol.asyncDispose]: async () => {
        await file.close();
        pool.close();
      },
    };
  } catch (error) {
    pool.close();
    throw error;
  }
}

/** The object of a path in a file, found by its names. */
export async function findObject(source: Hdf5Source, written: string): Promise<SourceObject> {
  let object: SourceObject = await source.root();
  const names = written.split("/").filter((name) => name !== "");
  for (const [index, name] of names.entries()) {
    const next: SourceObject | undefined = await memberOf(object, name);
    if (next === undefined) {
      const missing = `/${names.slice(0, index + 1).join("/")}`;
      const what = `Opening "/${names.join("/")}" of ${source.name}`;
      const text = { what, why: `there is no object "${missing}"`, remedy: "correct the path" };
      throw new DaosError("DER_NONEXIST", text, { path: missing });
    }
    object = next;
  }
  return object;
}

async function memberOf(object: SourceObject, name: string): Promise<SourceObject | undefined> {
  if (object.kind !== "group") return undefined;
  for await (const link of object.links()) {
    if (link.name === name && link.kind === "hard") return link.open();
  }
  return undefined;
}

/** Paths of the objects of a file, by their identity. */
export async function pathsOf(source: Hdf5Source): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  for await (const { path: at, object } of walkObjects(source)) paths.set(object.id, at);
  return paths;
}
