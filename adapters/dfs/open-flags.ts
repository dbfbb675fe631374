/**
 * How files are opened: flags of `node:fs` as text or numbers, and what they do to names.
 *
 * @module
 */

import { constants } from "node:fs";
import type { Container } from "../../core/index.js";
import { type NamespaceChange, type NamespaceState, newInode, putInode } from "./directory.js";
import {
  existsError,
  type FileCall,
  isDirectoryError,
  noEntryError,
  notDirectoryError,
  refusal,
} from "./errors.js";
import type { Inode } from "./inode-format.js";
import { replaceAt } from "./namespace.js";
import { type Walked, walk } from "./path-walk.js";
import type { FoundPlace } from "./place.js";

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_SYNC } = constants;
const { O_NOFOLLOW, O_DIRECTORY, O_DSYNC } = constants;
/** Asks for a file without a name, which there is none of here (`O_TMPFILE` without its `O_DIRECTORY`). */
const O_TMPFILE = 0o20000000;
const WRITES = O_WRONLY | O_CREAT | O_TRUNC;
const WRITES_AND_READS = O_RDWR | O_CREAT | O_TRUNC;
const APPENDS = O_WRONLY | O_CREAT | O_APPEND;
const APPENDS_AND_READS = O_RDWR | O_CREAT | O_APPEND;

/** Flags as text, with the numbers that they stand for. */
const FLAGS = {
  /** Reads a file that exists. */
  r: O_RDONLY,
  /** The same; `s`: each write is committed at once. */
  rs: O_RDONLY | O_SYNC,
  sr: O_RDONLY | O_SYNC,
  /** Reads and writes a file that exists. */
  "r+": O_RDWR,
  "rs+": O_RDWR | O_SYNC,
  "sr+": O_RDWR | O_SYNC,
  /** Writes a file, which is created or emptied. */
  w: WRITES,
  /** Writes a file that must not exist. */
  wx: WRITES | O_EXCL,
  xw: WRITES | O_EXCL,
  /** As `w`, and reads it. */
  "w+": WRITES_AND_READS,
  "wx+": WRITES_AND_READS | O_EXCL,
  "xw+": WRITES_AND_READS | O_EXCL,
  /** Writes at the end of a file, which is created if there is none. */
  a: APPENDS,
  ax: APPENDS | O_EXCL,
  xa: APPENDS | O_EXCL,
  as: APPENDS | O_SYNC,
  sa: APPENDS | O_SYNC,
  /** As `a`, and reads it. */
  "a+": APPENDS_AND_READS,
  "ax+": APPENDS_AND_READS | O_EXCL,
  "xa+": APPENDS_AND_READS | O_EXCL,
  "as+": APPENDS_AND_READS | O_SYNC,
  "sa+": APPENDS_AND_READS | O_SYNC,
} as const;

/** How a file is opened: as `flags` of `node:fs`, or `O_...` numbers of `node:fs` constants, joined by `|`. */
export type OpenFlags = keyof typeof FLAGS | number;

/** What the flags ask for. */
export interface OpenMode {
  readonly canRead: boolean;
  readonly canWrite: boolean;
  readonly mayCreate: boolean;
  /** Whether it must not exist. */
  readonly exclusive: boolean;
  readonly truncate: boolean;
  readonly append: boolean;
  /** Whether each write is committed at once. */
  readonly sync: boolean;
  /** Whether a symbolic link at the end is refused. */
  readonly noFollow: boolean;
  /** Whether it must be a directory. */
  readonly directory: boolean;
}

function bitsOf(call: FileCall, flags: unknown): number {
  if (typeof flags === "string" && Object.hasOwn(FLAGS, flags)) {
    return FLAGS[flags as keyof typeof FLAGS];
  }
  const isNumber = Number.isInteger(flags) && (flags as number) >= 0 && (flags as number) < 2 ** 31;
  if (isNumber) return flags as number;
  const remedy = `choose one of ${Object.keys(FLAGS).join(", ")}, or O_... constants of node:fs`;
  throw refusal(call, { posix: "EINVAL", why: `"${flags}" are no flags known here`, remedy });
}

/**
 * What flags ask for.
 *
 * @throws {@link DfsError} `EINVAL` for flags that make no sense, `ENOTSUP` for a file without a name.
 */
export function openMode(call: FileCall, flags: unknown): OpenMode {
  const bits = bitsOf(call, flags);
  const has = (flag: number) => (bits & flag) === flag;
  const access = bits & (O_WRONLY | O_RDWR);
  if (access === (O_WRONLY | O_RDWR)) {
    const remedy = "give O_RDONLY, O_WRONLY or O_RDWR";
    throw refusal(call, { posix: "EINVAL", why: "it asks for two ways of access", remedy });
  }
  if (has(O_TMPFILE)) {
    const remedy = "create a file with a name, and remove it at the end";
    const why = "there are no files without a name";
    throw refusal(call, { posix: "ENOTSUP", code: "DER_NOSYS", why, remedy });
  }
  if (has(O_CREAT | O_DIRECTORY)) {
    const remedy = "make the directory with mkdir()";
    throw refusal(call, { posix: "EINVAL", why: "directories are not created so", remedy });
  }
  return {
    canRead: access !== O_WRONLY,
    canWrite: access !== O_RDONLY,
    mayCreate: has(O_CREAT),
    exclusive: has(O_EXCL | O_CREAT),
    truncate: has(O_TRUNC),
    append: has(O_APPEND),
    sync: has(O_SYNC) || has(O_DSYNC),
    noFollow: has(O_NOFOLLOW),
    directory: has(O_DIRECTORY),
  };
}

/** Whether opening a file changes names or bytes. */
export function opensByChange({ mayCreate, truncate }: OpenMode): boolean {
  return mayCreate || truncate;
}

/** Refuses what was found, if the flags do not want it. */
function checkFound(call: FileCall, mode: OpenMode, { inode, ...walked }: Walked): void {
  const { path, what } = call;
  const isDirectoryName = walked.meansDirectory && walked.last === "name";
  if (mode.mayCreate && isDirectoryName) throw isDirectoryError(path, what);
  if (inode === undefined) {
    if (mode.mayCreate) return;
    throw noEntryError(path, what);
  }
  if (mode.exclusive) throw existsError(path, what);
  const isChange = mode.mayCreate || mode.canWrite || mode.truncate;
  if (inode.kind === "directory") {
    if (isChange) throw isDirectoryError(path, what);
    return;
  }
  if (mode.directory) throw notDirectoryError(path, what);
  if (inode.kind === "file") return;
  const remedy = "name what it leads to, or leave O_NOFOLLOW out";
  throw refusal(call, { posix: "ELOOP", why: "it is a symbolic link", remedy });
}

/** Finds what is opened; the state has no transaction. */
export function findOpened(state: NamespaceState, call: FileCall, mode: OpenMode): FoundPlace {
  const walked = walkOpened(state, call, mode);
  return { parent: walked.parent, name: walked.name, inode: walked.inode as Inode };
}

function walkOpened(state: NamespaceState, call: FileCall, mode: OpenMode): Walked {
  const follow = !mode.noFollow && !mode.exclusive;
  const { mayCreate } = mode;
  const options = { what: call.what, follow, isName: mayCreate, isFile: mayCreate };
  const walked = walk(state, call.path, options);
  checkFound(call, mode, walked);
  return walked;
}

/** Finds what is opened, and creates or empties it in a transaction. */
export function openChanged(
  container: Container,
  state: NamespaceChange,
  { call, mode, permission }: { call: FileCall; mode: OpenMode; permission?: number | undefined },
): FoundPlace {
  const { inode: known, ...walked } = walkOpened(state, call, mode);
  const place = { parent: walked.parent, name: walked.name };
  if (known === undefined) {
    const inode = newInode(container, state, { kind: "file", mode: permission });
    putInode(state.own, place, inode, "insert");
    return { ...place, inode };
  }
  if (!mode.truncate) return { ...place, inode: known };
  return { ...place, inode: replaceAt(container, state, { ...place, inode: known }) };
}
