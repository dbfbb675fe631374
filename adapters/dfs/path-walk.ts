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

import { type ContainerView, DaosError, type ObjectId } from "../../core/index.js";
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
import {
  DIRECTORIES_REMEMBERED_MAX,
  LINKS_FOLLOWED_MAX,
  NAME_SIZE_MAX,
  PATH_SIZE_MAX,
} from "./limits.js";

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
  /** Symbolic links that were followed. */
  readonly linkCount: number;
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
    const meansDirectory = this.#meansDirectory;
    const linkCount = this.#linkCount;
    return { ...place, inode, last, meansDirectory, directories, realPath, linkCount };
  }

  /** The directory that the walk is in: the path ended with a dot, or it is the root. */
  #current(last: LastComponent): Walked {
    const level = this.#levels.pop();
    if (level !== undefined) return this.#walked(level, last);
    const inode = rootInode(this.#state);
    const meansDirectory = this.#meansDirectory;
    const linkCount = this.#linkCount;
    return {
      ...ROOT_PLACE,
      inode,
      last,
      meansDirectory,
      directories: [],
      realPath: "/",
      linkCount,
    };
  }
}

function lastOf(component: string | undefined): LastComponent {
  if (component === undefined) return "/";
  return component === "." || component === ".." ? component : "name";
}

/** Directories that a view was walked to, by the text that led there. */
const remembered = new WeakMap<ContainerView, Map<string, ObjectId>>();

/**
 * Lets walks in a view remember where directories are, so that calls about the files of one do not walk to it
 * again. Not for the view of a transaction, which has to note what is read.
 */
export function rememberDirectories(view: ContainerView): void {
  remembered.set(view, new Map());
}

/** What a path leads to, and where its name is stored. */
export interface Found extends Place {
  /** What the name stands for; `undefined` if there is nothing. */
  readonly inode: Inode | undefined;
}

/**
 * What a path leads to, as {@link walk} finds it, for those who need not know how it got there.
 *
 * @throws As {@link walk}.
 */
export function find(state: NamespaceState, path: string, options: WalkOptions): Found {
  const directories = state.own === undefined ? remembered.get(state.view) : undefined;
  const nameStart = path.lastIndexOf("/") + 1;
  const name = path.slice(nameStart);
  if (directories === undefined || name === "" || name === "." || name === "..") {
    return walk(state, path, options);
  }
  const above = path.slice(0, nameStart);
  const parent = directories.get(above);
  if (parent === undefined) {
    const walked = walk(state, path, options);
    // Where links lead through is not asked for often enough to be remembered.
    if (walked.linkCount === 0) {
      if (directories.size >= DIRECTORIES_REMEMBERED_MAX) directories.clear();
      directories.set(above, walked.parent);
    }
    return walked;
  }
  checkName(name, path, options.what);
  if (Buffer.byteLength(path) > PATH_SIZE_MAX) return walk(state, path, options);
  const place = { parent, name: Buffer.from(name) };
  const inode = inodeAt(state, place);
  // Where it leads depends on links above: from the beginning.
  if (inode?.kind === "symlink" && options.follow === true) return walk(state, path, options);
  return { parent, name: place.name, inode };
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
