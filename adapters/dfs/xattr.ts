/**
 * Extended attributes, with the rules of Linux.
 *
 * A value lies beside the inode of its name, under the akey `x:<name>` of the same dkey. So it goes with
 * the name, and a new name of a file takes it along ({@link copyXattrs}). The limits are those of Linux: names of
 * 255 bytes, values of 64 KiB.
 *
 * @module
 */

import type { ContainerView, DaosErrorCode, Transaction } from "../../core/index.js";
import { inodeAt, type Place } from "./directory.js";
import { DfsError } from "./errors.js";
import { CHANGE_ATTEMPTS_MAX, XATTR_NAME_SIZE_MAX, XATTR_VALUE_SIZE_MAX } from "./limits.js";
import type { NamedFile } from "./place.js";

/** Flag: the attribute must not exist. */
export const XATTR_CREATE = 1;
/** Flag: the attribute must exist. */
export const XATTR_REPLACE = 2;

/** How an attribute is set: 0, {@link XATTR_CREATE}, {@link XATTR_REPLACE}. */
export type XattrFlags = number;

const CHANGES = { attempts: CHANGE_ATTEMPTS_MAX };
const AKEY_PREFIX = "x:";
/** Classes of names that are stored; `system.` ones have a meaning that nothing here would act on. */
const CLASSES = ["user.", "trusted.", "security."];

interface Refusal {
  readonly posix: string;
  readonly code: DaosErrorCode;
  readonly why: string;
  readonly remedy: string;
}

function refused({ path, what }: NamedFile, { posix, code, why, remedy }: Refusal): DfsError {
  return new DfsError(posix, code, { what: `${what} "${path}"`, why, remedy }, { path });
}

/** The akey of an attribute's name. */
function akeyOf(file: NamedFile, name: string): Uint8Array {
  const size = Buffer.byteLength(name);
  if (size === 0 || size > XATTR_NAME_SIZE_MAX) {
    const why = `the attribute's name has ${size} bytes`;
    const remedy = `choose a name of 1 to ${XATTR_NAME_SIZE_MAX} bytes`;
    throw refused(file, { posix: "ERANGE", code: "DER_INVAL", why, remedy });
  }
  const start = CLASSES.find((each) => name.startsWith(each));
  if (start === undefined) {
    const why = `there are no attributes such as ${JSON.stringify(name)}`;
    const remedy = `begin the name with ${CLASSES.join(", ")}`;
    throw refused(file, { posix: "ENOTSUP", code: "DER_NOSYS", why, remedy });
  }
  if (start.length === name.length || name.includes("\0")) {
    const why = `${JSON.stringify(name)} is no name of an attribute`;
    throw refused(file, { posix: "EINVAL", code: "DER_INVAL", why, remedy: "correct the name" });
  }
  return Buffer.from(AKEY_PREFIX + name);
}

function noData(file: NamedFile, name: string): DfsError {
  const why = `it has no attribute ${JSON.stringify(name)}`;
  const remedy = "see which ones it has with listxattr()";
  return refused(file, { posix: "ENODATA", code: "DER_NONEXIST", why, remedy });
}

/** @throws {@link DfsError} `EPERM`: attributes of users belong to files and directories only. */
function requireKind(file: NamedFile, name: string): void {
  if (file.place.inode.kind !== "symlink" || !name.startsWith("user.")) return;
  const why = "a symbolic link has no attributes of users";
  throw refused(file, { posix: "EPERM", code: "DER_NO_PERM", why, remedy: "name a file" });
}

/** Changes what is stored beside a name, if the name still stands for the same file. */
function change(file: NamedFile, body: (view: ContainerView, own: Transaction) => void): void {
  const { place, container } = file;
  file.requireChangeable();
  container.runTransaction(({ view, own }) => {
    const inode = inodeAt({ view, own }, place);
    if (inode?.kind !== place.inode.kind) {
      const why = "its name was removed or renamed";
      const remedy = "correct the path, or open the file again";
      throw refused(file, { posix: "ENOENT", code: "DER_NONEXIST", why, remedy });
    }
    body(view, own);
  }, CHANGES);
  file.changed?.();
}

/** Sets an attribute; see `Dfs.setxattr`. */
export function setXattr(
  file: NamedFile,
  { name, value, flags }: { name: string; value: string | Uint8Array; flags: XattrFlags },
): void {
  if (!Number.isInteger(flags) || (flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) {
    const why = `${flags} are no flags`;
    const remedy = "give 0, XATTR_CREATE or XATTR_REPLACE";
    throw refused(file, { posix: "EINVAL", code: "DER_INVAL", why, remedy });
  }
  const akey = akeyOf(file, name);
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  if (bytes.length > XATTR_VALUE_SIZE_MAX) {
    const why = `the value has ${bytes.length} bytes`;
    const remedy = `store at most ${XATTR_VALUE_SIZE_MAX}, or use a file`;
    throw refused(file, { posix: "E2BIG", code: "DER_REC2BIG", why, remedy });
  }
  requireKind(file, name);
  const { parent, name: dkey } = file.place;
  change(file, (view, own) => {
    const exists = view.getValue(parent, dkey, akey) !== undefined;
    if (exists && (flags & XATTR_CREATE) !== 0) {
      const why = `it has an attribute ${JSON.stringify(name)} already`;
      const remedy = "leave XATTR_CREATE out to replace it";
      throw refused(file, { posix: "EEXIST", code: "DER_EXIST", why, remedy });
    }
    if (!exists && (flags & XATTR_REPLACE) !== 0) throw noData(file, name);
    own.put({ oid: parent, dkey, akey, value: bytes, condition: "none" });
  });
}

/**
 * The value of an attribute; see `Dfs.getxattr`.
 *
 * @param sizeMax Most bytes that are wanted: more are `ERANGE`.
 */
export function getXattr(file: NamedFile, name: string, sizeMax = XATTR_VALUE_SIZE_MAX): Buffer {
  const akey = akeyOf(file, name);
  const { parent, name: dkey } = file.place;
  const value = file.view.getValue(parent, dkey, akey);
  if (value === undefined) throw noData(file, name);
  if (value.length <= sizeMax) return Buffer.from(value);
  const why = `the value has ${value.length} bytes, more than the ${sizeMax} that were asked for`;
  throw refused(file, { posix: "ERANGE", code: "DER_REC2BIG", why, remedy: "ask for more" });
}

/** The akeys of attributes beside a name. */
function* akeysAt(
  view: ContainerView,
  { parent, name }: Place,
  own?: Transaction,
): Generator<Uint8Array, void, undefined> {
  let anchor: ReturnType<ContainerView["listAkeys"]>["anchor"];
  do {
    const part = view.listAkeys(parent, name, anchor === undefined ? {} : { anchor }, own);
    for (const akey of part.keys) {
      if (Buffer.from(akey).toString("latin1", 0, AKEY_PREFIX.length) === AKEY_PREFIX) yield akey;
    }
    anchor = part.anchor;
  } while (anchor !== undefined);
}

/** The names of the attributes, in the order of their bytes; see `Dfs.listxattr`. */
export function listXattrs(file: NamedFile): string[] {
  const akeys = [...akeysAt(file.view, file.place)];
  return akeys.map((akey) => Buffer.from(akey).toString("utf8", AKEY_PREFIX.length));
}

/** Removes an attribute; see `Dfs.removexattr`. */
export function removeXattr(file: NamedFile, name: string): void {
  const akey = akeyOf(file, name);
  requireKind(file, name);
  const { parent, name: dkey } = file.place;
  change(file, (view, own) => {
    if (view.getValue(parent, dkey, akey) === undefined) throw noData(file, name);
    own.put({ oid: parent, dkey, akey, value: undefined, condition: "none" });
  });
}

/** The attributes of a name, with their values. */
export function readXattrs(view: ContainerView, place: Place): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const akey of akeysAt(view, place)) {
    const value = view.getValue(place.parent, place.name, akey);
    const name = Buffer.from(akey).toString("utf8", AKEY_PREFIX.length);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

/** Gives a name these attributes and no others, as a part of a transaction. */
export function replaceXattrs(
  { view, own }: { readonly view: ContainerView; readonly own: Transaction },
  { parent, name: dkey }: Place,
  xattrs: ReadonlyMap<string, Uint8Array>,
): void {
  const place = { parent, name: dkey };
  for (const name of readXattrs(view, place).keys()) {
    const akey = Buffer.from(AKEY_PREFIX + name);
    if (!xattrs.has(name))
      own.put({ oid: parent, dkey, akey, value: undefined, condition: "none" });
  }
  for (const [name, value] of xattrs) {
    const akey = Buffer.from(AKEY_PREFIX + name);
    own.put({ oid: parent, dkey, akey, value, condition: "none" });
  }
}

/**
 * Gives a name the attributes of another one, as a part of a rename: call it when the new name was put, and
 * what was there before was punched (`punchDkey`), and before the old name is.
 *
 * @param view The version that is read.
 * @param own The transaction of the rename; its own changes are seen.
 * @param from The old name.
 * @param to The new one.
 */
export function copyXattrs(view: ContainerView, own: Transaction, from: Place, to: Place): void {
  for (const akey of [...akeysAt(view, from, own)]) {
    const value = view.getValue(from.parent, from.name, akey, own);
    if (value === undefined) continue;
    own.put({ oid: to.parent, dkey: to.name, akey, value, condition: "none" });
  }
}
