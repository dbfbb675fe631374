/**
 * Directories: objects whose dkeys are names, with the inode of each name beside it.
 *
 *     directory object ─ name (dkey) ─ DFS_INODE ─▶ inode ─▶ object of the file or directory
 *                                    └ x:<attribute> ...
 *
 * The root directory has no name. Its extended attributes lie in itself, under a name that no file can have, its
 * inode in an object of its own.
 *
 * @module
 */

import {
  type Container,
  type ContainerView,
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
import { nowNs } from "./time-like.js";

/** The root directory's object; the first user ids are kept for such objects. */
export const ROOT_OID: ObjectId = makeObjectId(ObjectType.multiLexical, 1n);
/** The dkey of what is stored beside the root directory's name. */
export const ROOT_NAME: Uint8Array = Buffer.from("/");
/** Where its inode lies: not in itself, where storing it would be a change of the directory. */
export const SUPERBLOCK_OID: ObjectId = makeObjectId(ObjectType.multiLexical, 0n);

/** What a path is looked up in: a version, and optionally a transaction's own changes on top. */
export interface NamespaceState {
  /** The version. */
  readonly view: ContainerView;
  /** The transaction. */
  readonly own?: Transaction | undefined;
}

/** A transaction that changes names. */
export interface NamespaceChange extends NamespaceState {
  /** The transaction. */
  readonly own: Transaction;
}

/** A name in a directory. */
export interface DirectoryEntry {
  /** The name, as UTF-8. */
  readonly name: string;
  /** The bytes of the name. */
  readonly bytes: Buffer;
  /** What it stands for. */
  readonly inode: Inode;
}

/** Where a name is stored. */
export interface Place {
  /** Object of the directory. */
  readonly parent: ObjectId;
  /** The name, as the dkey that it is. */
  readonly name: Uint8Array;
}

/** The root directory, until its attributes are changed. */
const ROOT: Inode = {
  kind: "directory",
  mode: 0o755,
  oid: ROOT_OID,
  target: new Uint8Array(0),
  created: 0n,
  accessed: 0n,
  modified: 0n,
  changed: 0n,
  modifiedEpoch: 0n,
  uid: 0,
  gid: 0,
};

/** Where the root directory's extended attributes are stored. */
export const ROOT_PLACE: Place = { parent: ROOT_OID, name: ROOT_NAME };

/** The root directory. */
export function rootInode({ view, own }: NamespaceState): Inode {
  const value = view.getValue(SUPERBLOCK_OID, ROOT_NAME, INODE_AKEY, own);
  return value === undefined ? ROOT : decodeInode(value, "/");
}

/** Whether a place is that of the root directory. */
export function isRootPlace({ parent, name }: Place): boolean {
  return parent === ROOT_OID && Buffer.compare(name, ROOT_NAME) === 0;
}

/** What is stored at a place; `undefined` if the name is gone. */
export function inodeAt(state: NamespaceState, place: Place): Inode | undefined {
  if (isRootPlace(place)) return rootInode(state);
  const value = state.view.getValue(place.parent, place.name, INODE_AKEY, state.own);
  return value && decodeInode(value, Buffer.from(place.name).toString());
}

/** Stores what a name stands for. */
export function putInode(
  own: Transaction,
  place: Place,
  inode: Inode,
  condition: "insert" | "update" | "none" = "none",
): void {
  const isRoot = isRootPlace(place);
  const oid = isRoot ? SUPERBLOCK_OID : place.parent;
  const key = { oid, dkey: place.name, akey: INODE_AKEY };
  own.put({ ...key, value: encodeInode(inode), condition: isRoot ? "none" : condition });
}

/** The entries of a directory, in lexical order. */
export function listDirectory(state: NamespaceState, directory: ObjectId): DirectoryEntry[] {
  return listValues(state, directory, INODE_AKEY).map(({ dkey, value }) => {
    const name = Buffer.from(dkey).toString();
    return { name, bytes: Buffer.from(dkey), inode: decodeInode(value, name) };
  });
}

/** What a new inode begins with; by default what `node:fs` creates. */
export interface NewInodeOptions {
  /** File, directory or symbolic link. */
  readonly kind: InodeKind;
  /** Permission bits, of which those of the process's umask are taken away. */
  readonly mode?: number | undefined;
  /** Where a symbolic link leads. */
  readonly target?: Uint8Array | undefined;
}

const MODES = { file: 0o666, directory: 0o777, symlink: 0o777 } as const;

/** A new inode with an object of its own. */
export function newInode(
  container: Pick<Container, "allocateOid">,
  { view }: NamespaceState,
  { kind, mode = MODES[kind], target = ROOT.target }: NewInodeOptions,
): Inode {
  const oid = container.allocateOid(
    kind === "file" ? ObjectType.arrayByte : ObjectType.multiLexical,
  );
  const bits = kind === "symlink" ? 0o777 : mode & 0o7777 & ~process.umask();
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const now = nowNs();
  const times = { created: now, accessed: now, modified: now, changed: now };
  return { kind, mode: bits, oid, ...owner, target, ...times, modifiedEpoch: view.epoch };
}
