/**
 * Walking a path: from the root through directories and symbolic links, as `path_resolution(7)` says.
 *
 *     /a/link/../b    link -> /c/d     root ─a─▶ link ─▶ root ─c─▶ d ─..─▶ c ─b─▶ place { c, "b" }
 *
 * `..` leads to the directory that holds the current one, not to the path's text before it; that of the
 * root is the root. A walk keeps the directories that it is in, so that no object needs to know its parent.
 *
 * @module
 */

import { DaosError } from "../../core/index.js";
import {
  inodeAt,
  type NamespaceState,
  type Place,
  ROOT_OID,
  ROOT_PLACE,
  rootInode,
} from "./directory.js";
import { noEntryError, notDirectoryError } from "./errors.js";
import type { Inode } from "./inode-format.js";
import { LINKS_FOLLOWED_MAX, NAME_SIZE_MAX, PATH_SIZE_MAX } from "./limits.js";

/** What the last component of a path is. */
export type LastComponent = "name" | "." | ".." | "/";

/** Where a path leads. */
export interface Walked extends Place {
  /** What the name stands for; `undefined` if there is nothing. */
  readonly inode: Inode | undefined;
  /** The last component of the path, as it was given. */
  readonly last: LastComponent;
  /** Whether the path ends with a slash: it means a directory. */
  readonly meansDirectory: boolean;
  /** The directories on the way, from the root to the one that holds the name. */
  readonly directories: readonly Inode["oid"][];
  /** The path without links and dots. */
  readonly realPath: string;
}

/** How a path is walked. */
export interface WalkOptions {
  /** What is done, for errors. */
  readonly what: string;
  /**
   * Whether a link at the end is followed. One with a slash behind it always is, unless `isName`.
   */
  readonly follow?: boolean;
  /** Whether the name itself is wanted, to create, remove or rename it. */
  readonly isName?: boolean;
  /** Whether a file is to be created there: a link is not followed where a directory is meant. */
  readonly isFile?: boolean;
}

interface Level {
  readonly place: Place;
  readonly inode: Inode;
  readonly name: string;
}

/** @throws `DaosError` `DER_INVAL` if the text cannot be a path. */
function components(path: string, whole: string, what: string): string[] {
  if (Buffer.byteLength(path) > PATH_SIZE_MAX) {
    throw tooLong(whole, what, `it has more than ${PATH_SIZE_MAX} bytes`);
  }
  return path.split("/").filter((name) => name !== "");
}

function tooLong(path: string, what: string, why: string): DaosError {
  const remedy = "use shorter names";
  const facts = { path, posix: "ENAMETOOLONG" };
  return new DaosError("DER_INVAL", { what: `${what} "${path}"`, why, remedy }, facts);
}

function checkName(name: string, path: string, what: string): void {
  if (Buffer.byteLength(name) <= NAME_SIZE_MAX) return;
  throw tooLong(path, what, `a name has more than ${NAME_SIZE_MAX} bytes`);
}

function loopError(path: string, what: string): DaosError {
  const text = {
    what: `${what} "${path}"`,
    why: `more than ${LINKS_FOLLOWED_MAX} symbolic links lie on the way`,
    remedy: "look for links that lead to themselves",
  };
  return new DaosError("DER_INVAL", text, { path, posix: "ELOOP" });
}

class Walk {
  readonly #state: NamespaceState;
  readonly #path: string;
  readonly #options: WalkOptions;
  /** Components that are still to go, the next one last. */
  readonly #pending: string[];
  #levels: Level[] = [];
  #linkCount = 0;
  #meansDirectory: boolean;

  constructor(state: NamespaceState, path: string, options: WalkOptions) {
    this.#state = state;
    this.#path = path;
    this.#options = options;
    this.#pending = components(path, path, options.what).reverse();
    this.#meansDirectory = this.#pending.length > 0 && path.endsWith("/");
  }

  /** Where the names lie that are looked up now. */
  get #directory(): Inode["oid"] {
    return this.#levels.at(-1)?.inode.oid ?? ROOT_OID;
  }

  #follows(): boolean {
    if (this.#pending.length > 0) return true;
    const { follow, isName, isFile } = this.#options;
    if (this.#meansDirectory && isFile === true) return false;
    return follow === true || (this.#meansDirectory && isName !== true);
  }

  #enterLink({ target }: Inode): void {
    this.#linkCount += 1;
    if (this.#linkCount > LINKS_FOLLOWED_MAX) throw loopError(this.#path, this.#options.what);
    const text = Buffer.from(target).toString();
    if (text.startsWith("/")) this.#levels = [];
    if (this.#pending.length === 0 && text.endsWith("/")) this.#meansDirectory = true;
    this.#pending.push(...components(text, this.#path, this.#options.what).reverse());
  }

  run(): Walked {
    const { what } = this.#options;
    const last = lastOf(this.#pending[0]);
    let found: Walked | undefined;
    for (let name = this.#pending.pop(); name !== undefined; name = this.#pending.pop()) {
      found = undefined;
      if (name === ".") continue;
      if (name === "..") {
        this.#levels.pop();
        continue;
      }
      checkName(name, this.#path, what);
      const place = { parent: this.#directory, name: Buffer.from(name) };
      const inode = inodeAt(this.#state, place);
      const isLast = this.#pending.length === 0;
      if (inode === undefined && !isLast) throw noEntryError(this.#path, what);
      if (inode?.kind === "symlink" && this.#follows()) {
        this.#enterLink(inode);
        continue;
      }
      if (inode?.kind === "directory" && !isLast) this.#levels.push({ place, inode, name });
      else if (isLast) found = this.#walked({ place, inode, name }, last);
      else throw notDirectoryError(this.#path, what);
    }
    return found ?? this.#current(last);
  }

  #walked(
    end: { place: Place; inode: Inode | undefined; name: string },
    last: LastComponent,
  ): Walked {
    const { inode, place, name } = end;
    const { isName, what } = this.#options;
    const isOther = inode !== undefined && inode.kind !== "directory";
    if (this.#meansDirectory && isName !== true && isOther) {
      throw notDirectoryError(this.#path, what);
    }
    const directories = [ROOT_OID, ...this.#levels.map((level) => level.inode.oid)];
    const realPath = `/${[...this.#levels.map((level) => level.name), name].join("/")}`;
    return { ...place, inode, last, meansDirectory: this.#meansDirectory, directories, realPath };
  }

  /** The directory that the walk is in: the path ended with a dot, or it is the root. */
  #current(last: LastComponent): Walked {
    const level = this.#levels.pop();
    if (level !== undefined) return this.#walked(level, last);
    const inode = rootInode(this.#state);
    const meansDirectory = this.#meansDirectory;
    return { ...ROOT_PLACE, inode, last, meansDirectory, directories: [], realPath: "/" };
  }
}

function lastOf(component: string | undefined): LastComponent {
  if (component === undefined) return "/";
  return component === "." || component === ".." ? component : "name";
}

/**
 * Walks a path.
 *
 * @throws `DaosError` with the POSIX code `ENOENT` if a directory on the way is missing, or the path is empty;
 *   `ENOTDIR`, `ELOOP`, `ENAMETOOLONG`.
 */
export function walk(state: NamespaceState, path: string, options: WalkOptions): Walked {
  if (path === "") throw noEntryError(path, options.what);
  return new Walk(state, path, options).run();
}
