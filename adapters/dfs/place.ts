/**
 * Where a name is stored: the directory's object, and the dkey in it.
 *
 *     /runs/step-10   ─▶ { parent: object of /runs, name: "step-10" }
 *     /               ─▶ { parent: root object, name: "/" }
 *
 * The root directory is in no directory. What belongs to its name is stored in itself, under a name that
 * no file can have.
 *
 * @module
 */

import type { Container, ContainerView, ObjectId } from "../../core/index.js";
import { notDirectoryError } from "./errors.js";
import { decodeInode, INODE_AKEY, type Inode } from "./inode-format.js";
import { lookup, type NamespaceState, notFound, ROOT_OID, splitPath } from "./namespace.js";

/** The dkey of what is stored beside the root directory's name. */
export const ROOT_NAME: Uint8Array = Buffer.from("/");

/** Where a name is stored. */
export interface Place {
  /** Object of the directory. */
  readonly parent: ObjectId;
  /** The name, as the dkey that it is. */
  readonly name: Uint8Array;
}

/** A name that exists. */
export interface FoundPlace extends Place {
  /** What it stands for. */
  readonly inode: Inode;
}

/** A name that exists, and how it is reached. */
export interface NamedFile {
  readonly container: Container;
  /** The version that is read. */
  readonly view: ContainerView;
  readonly path: string;
  readonly place: FoundPlace;
  /** What is done, for errors. */
  readonly what: string;
  /** @throws {@link DfsError} `EROFS` if nothing can be changed. */
  readonly requireChangeable: () => void;
}

/**
 * Where the name at the end of a path is stored.
 *
 * @param what What is done, for errors.
 * @throws `DaosError` with the POSIX code `ENOENT` or `ENOTDIR`.
 */
export function findPlace(state: NamespaceState, path: string, what: string): FoundPlace {
  const names = splitPath(path);
  const inode = lookup(state, path);
  if (inode === undefined) throw notFound(path, what);
  const last = names.pop();
  if (last === undefined) return { parent: ROOT_OID, name: ROOT_NAME, inode };
  const parent = lookup(state, names.join("/"));
  if (parent?.kind !== "directory") throw notDirectoryError(path, what);
  return { parent: parent.oid, name: Buffer.from(last), inode };
}

/** What is stored at a place now; `undefined` if the name is gone. */
export function inodeAt({ view, own }: NamespaceState, { parent, name }: Place): Inode | undefined {
  const value = view.getValue(parent, name, INODE_AKEY, own);
  return value && decodeInode(value, Buffer.from(name).toString());
}
