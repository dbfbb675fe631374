/**
 * What calls do to names, in a transaction: with the checks of Linux, in its order.
 *
 * @module
 */

import type { Container } from "../../core/index.js";
import { listDirectory, newInode, putInode } from "./directory.js";
import {
  existsError,
  type FileCall,
  isDirectoryError,
  noEntryError,
  notDirectoryError,
  refusal,
} from "./errors.js";
import type { Inode } from "./inode-format.js";
import { PATH_SIZE_MAX } from "./limits.js";
import type { Change } from "./mount.js";
import { notEmptyError, removeAt } from "./namespace.js";
import { type Walked, walk } from "./path-walk.js";
import { nowNs } from "./time-like.js";
import { copyXattrs } from "./xattr.js";

type Found = Walked & { readonly inode: Inode };

function walkName(state: Change, { path, what }: FileCall): Walked {
  return walk(state, path, { what, isName: true });
}

function busyRoot(call: FileCall, why = "it is the root of the container"): Error {
  const remedy = "name what is in it, or destroy the container";
  return refusal(call, { posix: "EBUSY", code: "DER_BUSY", why, remedy });
}

/** Creates a directory. @throws `EEXIST`, `ENOENT`, `ENOTDIR`. */
export function makeDirectory(
  container: Container,
  state: Change,
  { call, mode }: { call: FileCall; mode?: number | undefined },
): void {
  const { inode, ...place } = walkName(state, call);
  if (inode !== undefined) throw existsError(call.path, call.what);
  putInode(state.own, place, newInode(container, state, { kind: "directory", mode }), "insert");
}

/** Creates a symbolic link. @param target Any text: where it leads is found when it is followed. */
export function makeLink(
  container: Container,
  state: Change,
  { call, target }: { call: FileCall; target: string },
): void {
  const bytes = Buffer.from(target);
  if (bytes.length === 0) {
    const why = "a link to nothing leads nowhere";
    throw refusal(call, { posix: "ENOENT", why, remedy: "give the link a target" });
  }
  if (bytes.length >= PATH_SIZE_MAX) {
    const why = `its target has ${bytes.length} bytes`;
    const remedy = `use less than ${PATH_SIZE_MAX}`;
    throw refusal(call, { posix: "ENAMETOOLONG", why, remedy });
  }
  const path = call.dest ?? call.path;
  const { inode, meansDirectory, ...place } = walkName(state, { ...call, path });
  if (inode !== undefined) throw existsError(path, call.what);
  if (meansDirectory) throw noEntryError(path, call.what);
  const link = newInode(container, state, { kind: "symlink", target: bytes });
  putInode(state.own, place, link, "insert");
}

/** Removes an empty directory. @throws `ENOENT`, `ENOTDIR`, `ENOTEMPTY`, `EINVAL`, `EBUSY`. */
export function removeDirectory(state: Change, call: FileCall): void {
  const { path, what } = call;
  const { inode, ...walked } = walkName(state, call);
  if (walked.last === "/") throw busyRoot(call);
  if (walked.last === "..") throw notEmptyError(path, what);
  if (walked.last === ".") {
    const remedy = "name the directory itself";
    throw refusal(call, { posix: "EINVAL", why: 'the path ends with "."', remedy });
  }
  if (inode === undefined) throw noEntryError(path, what);
  if (inode.kind !== "directory") throw notDirectoryError(path, what);
  removeAt(state, { ...walked, inode }, { path, isRecursive: false });
}

/** Removes a file or a symbolic link. @throws `ENOENT`, `ENOTDIR`, `EISDIR`. */
export function removeFile(state: Change, call: FileCall): void {
  const { path, what } = call;
  const { inode, ...walked } = walkName(state, call);
  if (walked.last !== "name") throw isDirectoryError(path, what);
  if (inode === undefined) throw noEntryError(path, what);
  if (inode.kind === "directory") throw isDirectoryError(path, what);
  if (walked.meansDirectory) throw notDirectoryError(path, what);
  removeAt(state, { ...walked, inode }, { path, isRecursive: false });
}

/** How something is removed. */
export interface RmOptions {
  /** Whether a directory is removed with all that is in it. */
  readonly recursive?: boolean | undefined;
  /** Whether it is no error if there is nothing. */
  readonly force?: boolean | undefined;
}

/** Removes whatever it is. @throws `ENOENT` unless `force`, `EISDIR` unless `recursive`. */
export function removeAny(
  state: Change,
  call: FileCall,
  { recursive = false, force = false }: RmOptions,
): void {
  const { path, what } = call;
  let walked: Walked;
  try {
    // Of a link with a slash behind it, neither the link is meant nor what it leads to.
    walked = walkName(state, call);
  } catch (error) {
    if (force && (error as { code?: unknown }).code === "DER_NONEXIST") return;
    throw error;
  }
  const { inode, last } = walked;
  if (inode === undefined) {
    if (force) return;
    throw noEntryError(path, what);
  }
  if (inode.kind !== "directory") {
    removeFile(state, call);
    return;
  }
  if (!recursive) throw isDirectoryError(path, what);
  if (walked.directories.length === 0) throw busyRoot(call);
  if (last === "." || last === "..") {
    const remedy = "name the directory itself";
    throw refusal(call, { posix: "EINVAL", why: `the path ends with "${last}"`, remedy });
  }
  removeAt(state, { ...walked, inode }, { path, isRecursive: true });
}

/** Refuses a rename of or to what is no name, or that would tear a tree apart. */
function checkRename(call: FileCall, from: Walked, to: Walked): asserts from is Found {
  const { path, what } = call;
  const dest = call.dest as string;
  if (from.last !== "name" || to.last !== "name") {
    throw busyRoot(call, "a path ends with a dot, or is the root");
  }
  if (from.inode === undefined) throw noEntryError(path, what);
  const { kind, oid } = from.inode;
  if (kind !== "directory" && from.meansDirectory) throw notDirectoryError(path, what);
  if (kind !== "directory" && to.meansDirectory) throw notDirectoryError(dest, what);
  if (to.directories.includes(oid)) {
    const remedy = "choose a place outside of it";
    throw refusal(call, { posix: "EINVAL", why: "it would lie in itself", remedy });
  }
  if (to.inode === undefined) return;
  if (from.directories.includes(to.inode.oid)) throw notEmptyError(dest, what);
}

/** Refuses to replace what is there by something of another kind. */
function checkReplaced(state: Change, call: FileCall, from: Inode, to: Inode): void {
  const dest = call.dest as string;
  if (from.kind === "directory" && to.kind !== "directory") {
    throw notDirectoryError(dest, call.what);
  }
  if (from.kind !== "directory" && to.kind === "directory") {
    throw isDirectoryError(dest, call.what);
  }
  const isFull = to.kind === "directory" && listDirectory(state, to.oid).length > 0;
  if (isFull) throw notEmptyError(dest, call.what);
}

/**
 * Gives a file, link or directory another name, in place of what has it now.
 *
 * @throws `ENOENT`, `EINVAL` into its own subtree, `ENOTEMPTY`, `EISDIR`, `ENOTDIR`, `EBUSY` for the root and
 *   paths that end with a dot.
 */
export function rename(state: Change, call: FileCall): void {
  const from = walkName(state, call);
  const to = walkName(state, { ...call, path: call.dest as string });
  checkRename(call, from, to);
  const { own, view } = state;
  const { inode } = from;
  if (to.inode?.oid === inode.oid) return;
  if (to.inode !== undefined) {
    checkReplaced(state, call, inode, to.inode);
    own.punch(to.inode.oid);
  }
  // Attributes of what was there before must not become those of what comes.
  own.punchDkey(to.parent, to.name);
  putInode(own, to, { ...inode, changed: nowNs() });
  copyXattrs(view, own, from, to);
  own.punchDkey(from.parent, from.name, "update");
}
