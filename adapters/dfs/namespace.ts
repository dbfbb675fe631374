/**
 * The namespace of a container: paths lead through directory objects to files.
 *
 *     /runs/step-10   root object ─"runs"─▶ directory object ─"step-10"─▶ array object
 *
 * Names are changed in a transaction and seen in a view, as everything else in a container: a file
 * and its data appear in one commit. The front ends share these functions, so that a file written
 * through MPI-IO is the same file for all of them.
 *
 * @module
 */

import {
  type Container,
  type ContainerView,
  DaosError,
  makeObjectId,
  type ObjectId,
  ObjectType,
  type Transaction,
} from "../../core/index.js";
import {
  decodeInode,
  encodeInode,
  INODE_AKEY,
  type Inode,
  type InodeKind,
} from "./inode-format.js";
import { listValues } from "./own-values.js";

/** Longest name of a path's component, in bytes. */
export const NAME_SIZE_MAX = 255;
/** Longest path, in bytes. */
export const PATH_SIZE_MAX = 4096;

/** The root directory's object; the first user ids are kept for such objects. */
export const ROOT_OID: ObjectId = makeObjectId(ObjectType.multiLexical, 1n);

/** A name in a directory. */
export interface DirectoryEntry {
  /** The name, as UTF-8. */
  readonly name: string;
  /** The bytes of the name. */
  readonly bytes: Buffer;
  /** What it stands for. */
  readonly inode: Inode;
}

/** What a path is looked up in: a version, and optionally a transaction's own changes on top. */
export interface NamespaceState {
  /** The version. */
  readonly view: ContainerView;
  /** The transaction. */
  readonly own?: Transaction | undefined;
}

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

const NO_TARGET = new Uint8Array(0);
const NO_TIMES = { created: 0n, accessed: 0n, modified: 0n, changed: 0n, modifiedEpoch: 0n };
const ROOT_OWNER = { uid: 0, gid: 0 };

/** The root directory. */
const ROOT: Inode = {
  kind: "directory",
  mode: 0o755,
  oid: ROOT_OID,
  target: NO_TARGET,
  ...NO_TIMES,
  ...ROOT_OWNER,
};

/** What a name in a directory stands for, or `undefined`. */
function child(
  state: NamespaceState,
  directory: ObjectId,
  name: string | Uint8Array,
): Inode | undefined {
  const dkey = Buffer.from(name);
  const value = state.view.getValue(directory, dkey, INODE_AKEY, state.own);
  return value && decodeInode(value, dkey.toString());
}

/** Nanoseconds since 1970-01-01 UTC. */
function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

function notDirectory(path: string, name: string): DaosError {
  const text = {
    what: `Looking up "${path}"`,
    why: `"${name}" is a file, not a directory`,
    remedy: "correct the path",
  };
  return new DaosError("DER_INVAL", text, { path, posix: "ENOTDIR" });
}

/** What a path stands for, or `undefined`. */
export function lookup(state: NamespaceState, path: string): Inode | undefined {
  let inode = ROOT;
  let parent = "/";
  for (const name of splitPath(path)) {
    if (inode.kind !== "directory") throw notDirectory(path, parent);
    const found = child(state, inode.oid, name);
    if (found === undefined) return undefined;
    inode = found;
    parent = name;
  }
  return inode;
}

/** The entries of a directory, in lexical order. */
export function listDirectory(state: NamespaceState, directory: ObjectId): DirectoryEntry[] {
  return listValues(state, directory, INODE_AKEY).map(({ dkey, value }) => {
    const name = Buffer.from(dkey).toString();
    return { name, bytes: Buffer.from(dkey), inode: decodeInode(value, name) };
  });
}

/** A new inode with an object of its own. */
function newInode(container: Container, { view }: NamespaceState, kind: InodeKind): Inode {
  const isFile = kind === "file";
  const oid = container.allocateOid(isFile ? ObjectType.arrayByte : ObjectType.multiLexical);
  const mode = isFile ? 0o644 : 0o755;
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const now = nowNs();
  const times = { created: now, accessed: now, modified: now, changed: now };
  return { kind, mode, oid, ...owner, target: NO_TARGET, ...times, modifiedEpoch: view.epoch };
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
  container: Container,
  state: NamespaceState & { own: Transaction },
  { path, kind }: { path: string; kind: InodeKind },
): Inode {
  const names = splitPath(path);
  const last = names.length - 1;
  let parent = ROOT;
  for (const [index, name] of names.entries()) {
    if (parent.kind !== "directory") throw notDirectory(path, names[index - 1] ?? "/");
    const known = child(state, parent.oid, name);
    if (known !== undefined && index === last) throw exists(path);
    const inode = known ?? newInode(container, state, index === last ? kind : "directory");
    if (known === undefined) {
      const dkey = Buffer.from(name);
      const value = encodeInode(inode);
      state.own.put({ oid: parent.oid, dkey, akey: INODE_AKEY, value, condition: "insert" });
    }
    parent = inode;
  }
  if (names.length === 0) throw exists(path);
  return parent;
}

/**
 * Gives a file a new, empty object in place of its old one, which is punched; readers of earlier
 * versions still see the old one. Name, mode and creation time stay.
 *
 * @param file What the path stands for now.
 * @returns The new inode; it exists for others when the transaction is committed.
 */
export function replace(
  container: Container,
  state: NamespaceState & { own: Transaction },
  { path, file }: { path: string; file: Inode },
): Inode {
  const names = splitPath(path);
  const dkey = Buffer.from(names.pop() ?? "");
  const parent = lookup(state, names.join("/"));
  if (parent === undefined || dkey.length === 0) throw notFound(path, "Replacing");
  const now = nowNs();
  const oid = container.allocateOid(ObjectType.arrayByte);
  const inode = { ...file, oid, modified: now, changed: now, modifiedEpoch: state.view.epoch };
  const value = encodeInode(inode);
  state.own.put({ oid: parent.oid, dkey, akey: INODE_AKEY, value, condition: "update" });
  state.own.punch(file.oid);
  return inode;
}

function exists(path: string): DaosError {
  const remedy = "open the existing one, or choose another name";
  const text = { what: `Creating "${path}"`, why: "it exists already", remedy };
  return new DaosError("DER_EXIST", text, { path, posix: "EEXIST" });
}

/** The error for a path that leads nowhere. */
export function notFound(path: string, what = "Opening"): DaosError {
  const text = {
    what: `${what} "${path}"`,
    why: "there is no such file",
    remedy: "correct the path, or create it",
  };
  return new DaosError("DER_NONEXIST", text, { path, posix: "ENOENT" });
}

/** Punches the objects below a directory; the directory's own punch hides their names. */
function punchBelow(state: NamespaceState & { own: Transaction }, directory: ObjectId): void {
  for (const { inode } of listDirectory(state, directory)) {
    if (inode.kind === "directory") punchBelow(state, inode.oid);
    state.own.punch(inode.oid);
  }
}

/**
 * Removes a file, or a directory. Its versions stay readable as long as their epochs do.
 *
 * @param options `recursive`: removes what is in the directory too.
 * @throws `DaosError` `DER_NONEXIST`; `DER_BUSY` for a directory that has entries, unless
 *   `recursive`.
 */
export function remove(
  state: NamespaceState & { own: Transaction },
  path: string,
  options: { recursive?: boolean } = {},
): void {
  const names = splitPath(path);
  const inode = lookup(state, path);
  const name = names.pop();
  if (inode === undefined || name === undefined) throw notFound(path, "Removing");
  if (inode.kind === "directory" && options.recursive === true) punchBelow(state, inode.oid);
  else if (inode.kind === "directory" && listDirectory(state, inode.oid).length > 0) {
    const remedy = "remove its entries first";
    const text = { what: `Removing "${path}"`, why: "the directory is not empty", remedy };
    throw new DaosError("DER_BUSY", text, { path, posix: "ENOTEMPTY" });
  }
  const parent = lookup(state, names.join("/")) as Inode;
  const dkey = Buffer.from(name);
  // Its extended attributes go with it.
  state.own.punchDkey(parent.oid, dkey, "update");
  state.own.punch(inode.oid);
}
