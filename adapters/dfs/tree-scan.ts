/**
 * Going through all names of a container, to find what no call would make.
 *
 * Every object is entered once, by the first name that leads to it: those nearer to the root come first.
 * So a scan ends whatever it finds, and a second name, or a way back to where it came from, is told apart.
 *
 * Memory: the ids of all objects, and a path for each.
 *
 * @module
 */

import { type ContainerView, isDaosError, type ObjectId, ObjectType } from "../../core/index.js";
import type { FileSystemFault } from "./check.js";
import { type Place, ROOT_OID, SUPERBLOCK_OID } from "./directory.js";
import { decodeInode, INODE_AKEY, type Inode } from "./inode-format.js";
import { NAME_SIZE_MAX } from "./limits.js";
import { listValues } from "./own-values.js";

const TYPE_SHIFT = 120n;

/** A fault, and where its name is stored. */
export interface FoundFault {
  readonly fault: FileSystemFault;
  /** Undefined of an object without a name. */
  readonly place: Place | undefined;
  /** What is stored there. */
  readonly value: Uint8Array | undefined;
}

interface Visited {
  readonly path: string;
  /** The directory that the name is in. */
  readonly parent: ObjectId | undefined;
}

/** Type number of an object id. */
export function typeOf(oid: ObjectId): number {
  return Number(oid >> TYPE_SHIFT);
}

function isName(bytes: Uint8Array): boolean {
  const name = Buffer.from(bytes);
  const text = name.toString();
  const isText = Buffer.from(text).equals(name) && !/[\0/]/.test(text);
  return isText && text !== "" && text !== "." && text !== ".." && name.length <= NAME_SIZE_MAX;
}

/** Whether an object is of the type that files, or directories and links, have. */
function fits({ kind, oid }: Inode): boolean {
  const wanted = kind === "file" ? ObjectType.arrayByte : ObjectType.multiLexical;
  return typeOf(oid) === wanted && oid !== SUPERBLOCK_OID;
}

/** One pass through a container. */
export class TreeScan {
  readonly counts = { files: 0, directories: 0, links: 0 };
  readonly found: FoundFault[] = [];
  readonly #view: ContainerView;
  readonly #visited = new Map<ObjectId, Visited>();

  constructor(view: ContainerView) {
    this.#view = view;
  }

  /** Whether a name leads to an object. */
  reaches(oid: ObjectId): boolean {
    return this.#visited.has(oid);
  }

  /** Goes through what is below a directory, or a file that lies under a path. */
  enter(start: { readonly oid: ObjectId; readonly path: string; readonly isDirectory: boolean }) {
    this.#visited.set(start.oid, { path: start.path, parent: undefined });
    const waiting = start.isDirectory ? [start.oid] : [];
    for (let oid = waiting.shift(); oid !== undefined; oid = waiting.shift()) {
      const { path } = this.#visited.get(oid) as Visited;
      for (const { dkey, value } of listValues({ view: this.#view }, oid, INODE_AKEY)) {
        const inode = this.#entry({ parent: oid, name: dkey }, value, path);
        if (inode?.kind === "directory") waiting.push(inode.oid);
      }
    }
  }

  /** Looks at an entry. @returns Its inode, if it leads to something new. */
  #entry(place: Place, value: Uint8Array, above: string): Inode | undefined {
    const text = Buffer.from(place.name).toString();
    const path = above === "/" ? `/${text}` : `${above}/${text}`;
    const fail = (fault: FileSystemFault) => {
      this.found.push({ fault, place, value });
      return undefined;
    };
    let inode: Inode;
    try {
      inode = decodeInode(value, path);
    } catch (error) {
      if (!isDaosError(error, "DER_DF_INVAL")) throw error;
      return fail({ kind: "bad-inode", path });
    }
    const { oid } = inode;
    if (!fits(inode)) return fail({ kind: "wrong-object", path, oid, entry: inode.kind });
    const known = this.#visited.get(oid);
    if (known !== undefined) {
      const isLoop = inode.kind === "directory" && this.#leadsTo(place.parent, oid);
      const fault = { path, oid, first: known.path };
      return fail({ kind: isLoop ? "directory-loop" : "second-name", ...fault });
    }
    this.#visited.set(oid, { path, parent: place.parent });
    if (!isName(place.name)) fail({ kind: "bad-name", path, oid });
    const count = { file: "files", directory: "directories", symlink: "links" } as const;
    this.counts[count[inode.kind]] += 1;
    return inode;
  }

  /** Whether a directory is another one, or lies in it. */
  #leadsTo(directory: ObjectId, wanted: ObjectId): boolean {
    for (let at: ObjectId | undefined = directory; at !== undefined; ) {
      if (at === wanted) return true;
      at = this.#visited.get(at)?.parent;
    }
    return false;
  }

  /** The objects that no name leads to, in the order of their ids. */
  unreached(): { readonly orphans: ObjectId[]; readonly otherCount: number } {
    const orphans: ObjectId[] = [];
    let otherCount = 0;
    for (let anchor: Uint8Array | undefined; ; ) {
      const part = this.#view.listObjects({ limit: 10_000, ...(anchor && { anchor }) });
      for (const oid of part.keys) {
        if (oid === SUPERBLOCK_OID || oid === ROOT_OID || this.#visited.has(oid)) continue;
        const type = typeOf(oid);
        if (type === ObjectType.arrayByte || type === ObjectType.multiLexical) orphans.push(oid);
        else otherCount += 1;
      }
      anchor = part.anchor;
      if (anchor === undefined) return { orphans, otherCount };
    }
  }

  /** The directories and files that entries of an object lead to. */
  childrenOf(oid: ObjectId): ObjectId[] {
    if (typeOf(oid) !== ObjectType.multiLexical) return [];
    return listValues({ view: this.#view }, oid, INODE_AKEY).flatMap(({ value }) => {
      try {
        return [decodeInode(value, "").oid];
      } catch {
        return []; // The scan reports it.
      }
    });
  }
}
