/**
 * Checking the file system of a container, and repairing it, after `daos fs check`.
 *
 *     names from the root ─▶ objects that they lead to ─▶ faults of entries
 *     objects of the container ─ objects that were reached ─▶ orphans ─▶ /lost+found/<object id>
 *
 * No call of the file system makes a fault: names change in serializable transactions. Faults come from
 * programs that write a container's objects by themselves, or from damage.
 *
 * @module
 */

import {
  type Container,
  type Epoch,
  formatOid,
  type ObjectId,
  ObjectType,
} from "../../core/index.js";
import { newInode, type Place, putInode, ROOT_OID } from "./directory.js";
import { DfsError, withPosixErrors } from "./errors.js";
import { decodeInode, INODE_AKEY, type Inode, type InodeKind } from "./inode-format.js";
import type { Change } from "./mount.js";
import { createDirectories } from "./namespace.js";
import { walk } from "./path-walk.js";
import { type FoundFault, TreeScan, typeOf } from "./tree-scan.js";
import { copyXattrs } from "./xattr.js";

/** Where orphans are put. */
export const LOST_AND_FOUND = "/lost+found";

/** A fault of a name. */
export interface NameFault<Kind extends string> {
  /** What is wrong; see {@link FileSystemFault}. */
  readonly kind: Kind;
  /** Where; below an orphan, a path that begins with `/lost+found`. */
  readonly path: string;
}

/** A fault that is about an object. */
export interface ObjectFault<Kind extends string> extends NameFault<Kind> {
  /** The object. */
  readonly oid: ObjectId;
}

/** A fault of an object that is taken for something. */
export interface EntryFault<Kind extends string, Entry extends InodeKind>
  extends ObjectFault<Kind> {
  /** What it is taken for. */
  readonly entry: Entry;
}

/** A fault of a name that leads to what has a name. */
export interface SecondNameFault extends ObjectFault<"second-name" | "directory-loop"> {
  /** The name that it has: the first in the order of directories from the root. */
  readonly first: string;
}

/**
 * Something that no call of the file system makes.
 *
 * - `bad-inode`: an entry whose inode cannot be read. Repair removes the name; its object becomes an orphan.
 * - `bad-name`: an entry with a name that no path can have. Repair moves it to `/lost+found`.
 * - `wrong-object`: an entry whose object is of a type that such entries do not have. Repair removes the name.
 * - `second-name`: an entry whose object has another name. Repair removes this one.
 * - `directory-loop`: an entry that leads back to a directory that it lies in. Repair removes it.
 * - `orphan`: a file or directory that no name leads to. Repair names it `/lost+found/<object id>`.
 */
export type FileSystemFault =
  | NameFault<"bad-inode">
  | ObjectFault<"bad-name">
  | EntryFault<"wrong-object", InodeKind>
  | SecondNameFault
  | EntryFault<"orphan", "file" | "directory">;

/** What a check found. */
export interface FileSystemReport {
  /** The version that was checked. */
  readonly epoch: Epoch;
  /** Files that names lead to. */
  readonly files: number;
  /** Directories, without the root. */
  readonly directories: number;
  /** Symbolic links. */
  readonly links: number;
  /** Objects of types that no file or directory has: left alone. */
  readonly otherObjects: number;
  /** In the order of directories from the root, then orphans in the order of their ids. */
  readonly faults: readonly FileSystemFault[];
  /** Faults that were repaired; the others had changed meanwhile: check again. */
  readonly repaired: number;
  /** The epoch of the repair; `undefined` if there was none. */
  readonly repairEpoch: Epoch | undefined;
}

/** How a file system is checked. */
export interface CheckOptions {
  /** Whether faults are repaired, in one commit; `false` by default. */
  readonly repair?: boolean | undefined;
}

/** Names orphans: what lies in another orphan keeps its place there. */
function scanOrphans(scan: TreeScan): number {
  const { orphans, otherCount } = scan.unreached();
  const held = new Set(orphans.flatMap((oid) => scan.childrenOf(oid)));
  // Those that lie in each other in a circle come last: one of them becomes the first.
  const tops = orphans.filter((oid) => !held.has(oid));
  for (const oid of [...tops, ...orphans]) {
    if (scan.reaches(oid)) continue;
    const entry = typeOf(oid) === ObjectType.arrayByte ? "file" : "directory";
    const path = `${LOST_AND_FOUND}/${formatOid(oid)}`;
    const fault = { kind: "orphan", path, oid, entry } as const;
    scan.found.push({ fault, place: undefined, value: undefined });
    scan.counts[entry === "file" ? "files" : "directories"] += 1;
    scan.enter({ oid, path, isDirectory: entry === "directory" });
  }
  return otherCount;
}

/** Whether a name still is as the scan saw it. */
function isUnchanged({ view, own }: Change, { place, value }: FoundFault): boolean {
  if (place === undefined || value === undefined) return true;
  const now = view.getValue(place.parent, place.name, INODE_AKEY, own);
  return now !== undefined && Buffer.compare(now, value) === 0;
}

class Repair {
  readonly #container: Container;
  readonly #state: Change;
  #count = 0;

  constructor(container: Container, state: Change) {
    this.#container = container;
    this.#state = state;
  }

  run(found: readonly FoundFault[]): number {
    for (const each of found) {
      if (!isUnchanged(this.#state, each)) continue;
      if (this.#repair(each)) this.#count += 1;
    }
    return this.#count;
  }

  #repair({ fault, place, value }: FoundFault): boolean {
    if (fault.kind === "orphan") return this.#adopt(fault.oid, fault.entry);
    if (place === undefined || value === undefined) return false;
    if (fault.kind === "bad-name") this.#rename(place, decodeInode(value, fault.path));
    else this.#state.own.punchDkey(place.parent, place.name, "update");
    return true;
  }

  /** A free place in the directory of what was lost. */
  #lostPlace(oid: ObjectId): Place | undefined {
    const what = "Repairing";
    createDirectories(this.#container, this.#state, { path: LOST_AND_FOUND, mode: 0o700, what });
    const path = `${LOST_AND_FOUND}/${formatOid(oid)}`;
    const { inode, ...place } = walk(this.#state, path, { what, isName: true });
    return inode === undefined ? place : undefined;
  }

  #adopt(oid: ObjectId, entry: "file" | "directory"): boolean {
    const place = this.#lostPlace(oid);
    if (place === undefined) return false;
    const mode = entry === "file" ? 0o600 : 0o700;
    const inode = newInode(this.#container, this.#state, { kind: entry, mode });
    // When it was written last is told by its object.
    putInode(this.#state.own, place, { ...inode, oid, modifiedEpoch: 0n }, "insert");
    return true;
  }

  #rename(from: Place, inode: Inode): void {
    const to = this.#lostPlace(inode.oid);
    if (to === undefined) return;
    const { own, view } = this.#state;
    putInode(own, to, inode);
    copyXattrs(view, own, from, to);
    own.punchDkey(from.parent, from.name);
  }
}

/**
 * Checks that each name leads to an object of its own, and each object has a name; repairs it on demand.
 * Others may work with the container meanwhile: the check sees one version, and the repair leaves out what
 * was changed since.
 *
 * An object that was removed while its name stayed shows as an empty file, which is no fault: it cannot be told
 * from one that was emptied.
 *
 * A container that holds more than files (arrays and lexical objects that a program made by itself) must not
 * be repaired so: its objects are taken for orphans.
 *
 * @throws {@link DfsError} `EROFS` if it is to be repaired and the pool was connected read-only.
 *
 * @example
 * ```ts
 * const { faults } = await checkFileSystem(container);
 * if (faults.length > 0) await checkFileSystem(container, { repair: true });
 * ```
 */
export async function checkFileSystem(
  container: Container,
  { repair = false }: CheckOptions = {},
): Promise<FileSystemReport> {
  const call = { syscall: "check", what: "Checking", path: "/" };
  return withPosixErrors(() => {
    if (repair && container.readOnly) {
      const why = "the pool was connected read-only";
      const text = { what: "Repairing a file system", why, remedy: "connect for writing" };
      throw new DfsError("EROFS", "DER_EP_RO", text, { path: "/" });
    }
    using view = container.view();
    const scan = new TreeScan(view);
    scan.enter({ oid: ROOT_OID, path: "/", isDirectory: true });
    const otherObjects = scanOrphans(scan);
    const report = {
      epoch: view.epoch,
      ...scan.counts,
      otherObjects,
      faults: scan.found.map(({ fault }) => fault),
    };
    if (!repair || scan.found.length === 0)
      return { ...report, repaired: 0, repairEpoch: undefined };
    const done = container.runTransaction((scope) => {
      const state = { view: scope.view, own: scope.own };
      return new Repair(container, state).run(scan.found);
    });
    return { ...report, repaired: done.value, repairEpoch: done.epoch };
  }, call);
}
