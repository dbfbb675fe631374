/**
 * The namespace of a container by paths: for the front ends that name files in transactions of their own.
 *
 *     /runs/step-10   root object ─"runs"─▶ directory object ─"step-10"─▶ array object
 *
 * Names are changed in a transaction and seen in a view, as everything else in a container: a file
 * and its data appear in one commit. The front ends share these functions, so that a file written
 * through MPI-IO is the same file for all of them. Here an empty path is the root.
 *
 * @module
 */

import {
  type Container,
  DaosError,
  isDaosError,
  type ObjectId,
  ObjectType,
} from "../../core/index.js";
import {
  listDirectory,
  type NamespaceChange,
  type NamespaceState,
  newInode,
  putInode,
  rootInode,
} from "./directory.js";
import { existsError, noEntryError, notDirectoryError } from "./errors.js";
import type { Inode, InodeKind } from "./inode-format.js";
import { NAME_SIZE_MAX, PATH_SIZE_MAX } from "./limits.js";
import { type Walked, type WalkOptions, walk } from "./path-walk.js";
import { nowNs } from "./time-like.js";

function invalidPath(path: string, why: string, posix = "EINVAL"): DaosError {
  const remedy = 'use names separated by "/", without "." and ".."';
  return new DaosError("DER_INVAL", { what: `Using path "${path}"`, why, remedy }, { path, posix });
}

/**
 * Splits a path into names; leading, trailing and repeated slashes do not count.
 *
 * @throws `DaosError` `DER_INVAL` for names that no file can have.
 */
export function splitPath(path: string): string[] {
  if (Buffer.byteLength(path) > PATH_SIZE_MAX) {
    throw invalidPath(path, `it has more than ${PATH_SIZE_MAX} bytes`, "ENAMETOOLONG");
  }
  const names = path.split("/").filter((name) => name !== "");
  for (const name of names) {
    if (name === "." || name === "..") throw invalidPath(path, `"${name}" is not a name`);
    if (name.includes("\0")) throw invalidPath(path, "it contains a zero byte");
    if (Buffer.byteLength(name) > NAME_SIZE_MAX) {
      throw invalidPath(path, `a name has more than ${NAME_SIZE_MAX} bytes`, "ENAMETOOLONG");
    }
  }
  return names;
}

/** Walks a path of names; dots are no names for these front ends. */
function walkFromRoot(state: NamespaceState, path: string, options: WalkOptions): Walked {
  splitPath(path);
  return walk(state, path === "" ? "/" : path, options);
}

/**
 * What a path stands for, or `undefined`. Symbolic links on the way are followed.
 *
 * @param options `follow`: whether one at the end is followed too; `true` by default.
 * @throws `DaosError` with the POSIX code `ENOTDIR`, `ELOOP`, `ENAMETOOLONG` or `EINVAL`.
 */
export function lookup(
  state: NamespaceState,
  path: string,
  { follow = true }: { readonly follow?: boolean } = {},
): Inode | undefined {
  splitPath(path);
  return path === "" ? rootInode(state) : find(state, path, follow);
}

function find(state: NamespaceState, path: string, follow: boolean): Inode | undefined {
  try {
    return walk(state, path, { what: "Looking up", follow }).inode;
  } catch (error) {
    if (isDaosError(error, "DER_NONEXIST")) return undefined;
    throw error;
  }
}

/** A name that is to be created. */
export interface NewName {
  /** Where it will be. */
  readonly path: string;
  /** What it will be. */
  readonly kind: InodeKind;
  /** Permission bits; by default those that `node:fs` gives. */
  readonly mode?: number | undefined;
  /** Where a symbolic link leads. */
  readonly target?: Uint8Array | undefined;
}

/** Directories that are to be created. */
export interface NewDirectories {
  readonly path: string;
  /** Permission bits; by default those that `node:fs` gives. */
  readonly mode?: number | undefined;
  /** What is done, for errors. */
  readonly what?: string;
  /** Whether something is to be put into the last one. */
  readonly isParent?: boolean;
}

/**
 * Creates the directories of a path that are missing, the last one included.
 *
 * @returns The path of the first one that was created; `undefined` if all of them exist.
 * @throws `DaosError` with the POSIX code `EEXIST` if a file has the last name, `ENOTDIR` if one has another,
 *   `ENOENT` for a link to nothing.
 */
export function createDirectories(
  container: Pick<Container, "allocateOid">,
  state: NamespaceChange,
  { path, mode, what = "Creating", isParent = false }: NewDirectories,
): string | undefined {
  const names = path.split("/").filter((name) => name !== "");
  const start = path.startsWith("/") ? "/" : "";
  let first: string | undefined;
  for (const [index, name] of names.entries()) {
    const prefix = start + names.slice(0, index + 1).join("/");
    if (name === "." || name === "..") continue;
    const { inode, ...place } = walk(state, prefix, { what, isName: true });
    if (inode === undefined) {
      putInode(state.own, place, newInode(container, state, { kind: "directory", mode }), "insert");
      first ??= index === names.length - 1 ? path : prefix;
    } else if (inode.kind !== "directory") {
      const target = find(state, prefix, true);
      if (target?.kind === "directory") continue;
      if (isParent || index < names.length - 1) throw notDirectoryError(path, what);
      if (target === undefined) throw noEntryError(path, what);
      throw path.endsWith("/") ? notDirectoryError(path, what) : existsError(path, what);
    }
  }
  return first;
}

/**
 * Creates a file or directory, and the directories that lead to it.
 *
 * @param container Where object ids are drawn.
 * @param state Must name the transaction that the change is part of.
 * @returns The new inode; it exists for others when the transaction is committed.
 * @throws `DaosError` `DER_EXIST` if the name exists (now, or at the commit).
 */
export function create(
  container: Pick<Container, "allocateOid">,
  state: NamespaceChange,
  { path, kind, mode, target }: NewName,
): Inode {
  const what = "Creating";
  const above = path.replace(/\/*[^/]*\/*$/, "");
  createDirectories(container, state, { path: above, what, isParent: true });
  const { inode: known, ...place } = walkFromRoot(state, path, { what, isName: true });
  if (known !== undefined) throw existsError(path, what);
  const inode = newInode(container, state, { kind, mode, target });
  putInode(state.own, place, inode, "insert");
  return inode;
}

/**
 * Gives a file a new, empty object in place of its old one, which is punched; readers of earlier
 * versions still see the old one. Name, mode and creation time stay.
 *
 * @param file What the path stands for now.
 * @returns The new inode; it exists for others when the transaction is committed.
 */
export function replace(
  container: Pick<Container, "allocateOid">,
  state: NamespaceChange,
  { path, file }: { path: string; file: Inode },
): Inode {
  const place = walkFromRoot(state, path, { what: "Replacing", follow: true });
  if (place.inode === undefined) throw noEntryError(path, "Replacing");
  return replaceAt(container, state, { ...place, inode: file });
}

/** The same, of a name that was found. */
export function replaceAt(
  container: Pick<Container, "allocateOid">,
  state: NamespaceChange,
  { inode: file, ...place }: Pick<Walked, "parent" | "name"> & { readonly inode: Inode },
): Inode {
  const now = nowNs();
  const oid = container.allocateOid(ObjectType.arrayByte);
  const inode = { ...file, oid, modified: now, changed: now, modifiedEpoch: state.view.epoch };
  putInode(state.own, place, inode, "update");
  state.own.punch(file.oid);
  return inode;
}

/** The error for a path that leads nowhere. */
export function notFound(path: string, what = "Opening"): DaosError {
  return noEntryError(path, what);
}

/** Punches the objects below a directory; the directory's own punch hides their names. */
function punchBelow(state: NamespaceChange, directory: ObjectId): void {
  for (const { inode } of listDirectory(state, directory)) {
    if (inode.kind === "directory") punchBelow(state, inode.oid);
    state.own.punch(inode.oid);
  }
}

/** The error for a directory that has entries. */
export function notEmptyError(path: string, what: string): DaosError {
  const text = { what: `${what} "${path}"`, why: "the directory is not empty" };
  const remedy = "remove its entries first";
  return new DaosError("DER_BUSY", { ...text, remedy }, { path, posix: "ENOTEMPTY" });
}

/**
 * Removes a file, a symbolic link or a directory. Its versions stay readable as long as their epochs do.
 *
 * @param options `recursive`: removes what is in the directory too.
 * @throws `DaosError` `DER_NONEXIST`; `DER_BUSY` for a directory that has entries, unless
 *   `recursive`.
 */
export function remove(
  state: NamespaceChange,
  path: string,
  options: { recursive?: boolean } = {},
): void {
  const { inode, last, ...place } = walkFromRoot(state, path, { what: "Removing", isName: true });
  if (inode === undefined || last === "/") throw noEntryError(path, "Removing");
  removeAt(state, { ...place, inode }, { path, isRecursive: options.recursive === true });
}

/** The same, of a name that was found. */
export function removeAt(
  state: NamespaceChange,
  { parent, name, inode }: Pick<Walked, "parent" | "name"> & { readonly inode: Inode },
  { path, isRecursive }: { readonly path: string; readonly isRecursive: boolean },
): void {
  if (inode.kind === "directory" && isRecursive) punchBelow(state, inode.oid);
  else if (inode.kind === "directory" && listDirectory(state, inode.oid).length > 0) {
    throw notEmptyError(path, "Removing");
  }
  // Its extended attributes go with it.
  state.own.punchDkey(parent, name, "update");
  state.own.punch(inode.oid);
}
