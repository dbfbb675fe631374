/**
 * A tree of files in a container.
 *
 * It is read at one version, that of its opening or of its own last commit. Small files are gathered, and
 * many of them become one commit; a large one is streamed into a commit of its own. Attributes follow in a
 * commit behind: what is written later than a time was set is newer than that time.
 *
 * @module
 */

import {
  create,
  findPlace,
  type Inode,
  inodeTimes,
  listDirectory,
  lookup,
  notFound,
  putInode,
  readXattrs,
  replace,
  replaceXattrs,
  withTimes,
} from "daos-ts/dfs";
import {
  type Container,
  type ContainerView,
  DaosError,
  type Epoch,
  isDaosError,
  type ObjectId,
  Pattern,
  type Transaction,
  wholeOf,
} from "../../../core/index.js";
import { moveContent } from "./content.js";
import { requireUnchanged } from "./real-tree.js";
import {
  type Attributes,
  type ByteRange,
  type Content,
  type EntryKind,
  type FileJob,
  joined,
  type TargetTree,
  type TreeEntry,
  type Written,
  type WrittenListener,
} from "./tree.js";

/** Files up to this size are gathered, in bytes. */
const SMALL_SIZE_MAX = 1 << 20;
/** Bytes that are gathered before they are committed. */
const GATHERED_SIZE_MAX = 16 << 20;
/** Files that are gathered before they are committed. */
const GATHERED_COUNT_MAX = 512;
/** Times that a commit is made again because another process changed the same names meanwhile. */
const COMMIT_ATTEMPTS_MAX = 16;

/** A directory, or a file with its bytes, that waits for its commit. */
interface Gathered {
  readonly path: string;
  /** Nothing was written of a directory. */
  readonly written: Written | undefined;
  readonly attributes: Attributes | undefined;
  readonly chunks: readonly { readonly bytes: Uint8Array; readonly position: number }[];
}

/** A name whose attributes are to be set. */
interface Attributed {
  readonly path: string;
  readonly attributes: Attributes;
}

type Change = { readonly view: ContainerView; readonly own: Transaction };

/** An open file of a container. */
class PoolContent implements Content {
  readonly size: number;
  readonly #view: ContainerView;
  readonly #oid: ObjectId;

  constructor(view: ContainerView, oid: ObjectId) {
    this.#view = view;
    this.#oid = oid;
    this.size = view.arraySize(oid);
  }

  ranges(): Iterable<ByteRange> {
    return this.#view.writtenRanges(this.#oid, { start: 0, end: this.size });
  }

  read(target: Uint8Array, position: number): void {
    const range = wholeOf(Pattern.contiguous(position, position + target.length));
    this.#view.readArray(this.#oid, range, target);
  }

  changed(): undefined {
    return undefined; // A version does not change.
  }

  [Symbol.dispose](): void {
    // The tree's view is closed by the tree.
  }
}

/** Files of a container below a directory. */
export class PoolTree implements TargetTree, Disposable {
  readonly #container: Container;
  readonly #root: string;
  readonly #listener: WrittenListener;
  readonly #at: Epoch | { readonly snapshot: string } | undefined;
  #view: ContainerView;
  #gathered: Gathered[] = [];
  #gatheredSize = 0;
  /** Directories, by how deep they are: what is put into one makes it newer. */
  readonly #directories: Attributed[][] = [];

  /**
   * @param options `root`: path in the container; `at`: the version, the newest by default; `listener`:
   *   told of written files.
   */
  constructor(
    container: Container,
    options: {
      readonly root: string;
      readonly at?: Epoch | { readonly snapshot: string } | undefined;
      readonly listener?: WrittenListener;
    },
  ) {
    this.#container = container;
    this.#root = options.root;
    this.#at = options.at;
    this.#listener = options.listener ?? (() => undefined);
    this.#view = container.view(this.#at);
  }

  /** The version that is read. */
  get epoch(): Epoch {
    return this.#view.epoch;
  }

  #path(below: string): string {
    return this.#root === "" || below === "" ? this.#root + below : `${this.#root}/${below}`;
  }

  display(below: string): string {
    const { pool, label } = this.#container;
    return `daos://${pool}/${joined(label, this.#path(below))}`.replace(/\/$/, "");
  }

  #entryOf(name: string, inode: Inode): TreeEntry {
    const { kind, oid } = inode;
    const size = kind === "file" ? this.#view.arraySize(oid) : 0;
    return { name, kind, size, modified: inodeTimes(inode, this.#view).modified };
  }

  attributes(below: string): Attributes {
    const view = this.#view;
    const path = this.#path(below);
    const follow = below === "";
    const { inode, ...place } = findPlace({ view }, path === "" ? "/" : path, "Reading", {
      follow,
    });
    const { modified } = inodeTimes(inode, view);
    return { mode: inode.mode, modified, xattrs: readXattrs(view, place) };
  }

  linkTarget(below: string): string {
    const inode = this.#inode(below);
    if (inode === undefined) throw notFound(this.#path(below), "Reading");
    return Buffer.from(inode.target).toString();
  }

  /** What is there; only the path of the tree itself may be a link. */
  #inode(below: string): Inode | undefined {
    return lookup({ view: this.#view }, this.#path(below), { follow: below === "" });
  }

  entry(below: string): TreeEntry | undefined {
    const inode = this.#inode(below);
    return inode && this.#entryOf(below.split("/").at(-1) ?? "", inode);
  }

  list(below: string): TreeEntry[] {
    const inode = this.#inode(below);
    if (inode === undefined) throw notFound(this.#path(below), "Listing");
    const entries = listDirectory({ view: this.#view }, inode.oid);
    return entries.map(({ name, inode: of }) => this.#entryOf(name, of));
  }

  open(below: string): Content {
    const inode = this.#inode(below);
    if (inode === undefined) throw notFound(this.#path(below), "Reading");
    return new PoolContent(this.#view, inode.oid);
  }

  makeDirectory(below: string): void {
    this.#gather({ path: below, written: undefined, attributes: undefined, chunks: [] });
  }

  #gather(one: Gathered): void {
    this.#gathered.push(one);
    this.#gatheredSize += one.written?.size ?? 0;
    const isFull = this.#gathered.length >= GATHERED_COUNT_MAX;
    if (isFull || this.#gatheredSize >= GATHERED_SIZE_MAX) this.#commitGathered();
  }

  putLink(below: string, target: string, { modified }: Attributes): void {
    this.#commitGathered();
    this.#commit((state) => {
      const path = this.#path(below);
      const bytes = Buffer.from(target);
      if (lookup(state, path, { follow: false }) === undefined) {
        create(this.#container, state, { path, kind: "symlink", target: bytes });
      }
      const { inode, ...place } = findPlace(state, path, "Linking", { follow: false });
      const times = { accessed: modified, modified, modifiedEpoch: state.view.epoch };
      putInode(state.own, place, { ...inode, target: bytes, ...times });
    });
  }

  putAttributes(below: string, kind: EntryKind, attributes: Attributes): undefined {
    const one = { path: below, attributes };
    if (kind !== "directory") {
      this.#commitGathered();
      this.#setAttributes([one]);
      return;
    }
    const depth = below === "" ? 0 : below.split("/").length;
    for (let above = this.#directories.length; above <= depth; above++) this.#directories.push([]);
    this.#directories[depth]?.push(one);
  }

  /** Gives names their attributes, in a commit behind that of their bytes. */
  #setAttributes(names: readonly Attributed[]): void {
    this.#commit(({ view, own }) => {
      for (const { path: below, attributes } of names) {
        const { mode, modified, xattrs } = attributes;
        const path = this.#path(below);
        // The root of a container has no name, and a link is none that was copied.
        if (path === "") continue;
        const { inode, ...place } = findPlace({ view, own }, path, "Copying to", {
          follow: below === "",
        });
        const timed = withTimes(inode, view, { accessed: modified, modified });
        putInode(own, place, { ...timed, mode, changed: BigInt(Date.now()) * 1_000_000n });
        replaceXattrs({ view, own }, place, xattrs);
      }
    });
  }

  putFile(job: FileJob, advance: (bytes: number) => void): void {
    const { path, attributes, content } = job;
    if (content.size > SMALL_SIZE_MAX) {
      this.#commitGathered();
      this.#stream(job, advance);
      return;
    }
    const chunks: { bytes: Uint8Array; position: number }[] = [];
    const written = moveContent(path, content, (bytes, position) => {
      chunks.push({ bytes: Uint8Array.from(bytes), position });
      advance(bytes.length);
    });
    requireUnchanged(content, this.display(path));
    this.#gather({ path, written, attributes, chunks });
  }

  flush(): void {
    this.#commitGathered();
    for (const level of this.#directories.splice(0).reverse()) {
      for (let first = 0; first < level.length; first += GATHERED_COUNT_MAX) {
        this.#setAttributes(level.slice(first, first + GATHERED_COUNT_MAX));
      }
    }
  }

  #commitGathered(): void {
    const files = this.#gathered;
    this.#gathered = [];
    this.#gatheredSize = 0;
    if (files.length === 0) return;
    try {
      this.#commitFiles(files);
    } catch (error) {
      // One of them is the reason: alone, each has an outcome of its own.
      for (const file of files) {
        if (files.length > 1) this.#commitAlone(file);
        else this.#listener(file.path, undefined, error);
      }
      return;
    }
    for (const { path, written } of files) if (written) this.#listener(path, written);
  }

  #commitAlone(file: Gathered): void {
    try {
      this.#commitFiles([file]);
      if (file.written) this.#listener(file.path, file.written);
    } catch (error) {
      this.#listener(file.path, undefined, error);
    }
  }

  #commitFiles(files: readonly Gathered[]): void {
    this.#commit((state) => {
      for (const { path, written, chunks } of files) {
        if (written === undefined) {
          this.#requireDirectory(state, path);
          continue;
        }
        const oid = this.#renew(state, path);
        const incarnation = this.#container.incarnation(oid);
        for (const { bytes, position } of chunks) put(state.own, oid, bytes, position, incarnation);
        endAt(state.own, oid, written, incarnation);
      }
    });
    const attributed = files.flatMap(({ path, attributes }) =>
      attributes === undefined ? [] : [{ path, attributes }],
    );
    if (attributed.length > 0) this.#setAttributes(attributed);
  }

  #requireDirectory(state: Change, below: string): void {
    const path = this.#path(below);
    if (lookup(state, path, { follow: below === "" })?.kind === "directory") return;
    create(this.#container, state, { path, kind: "directory" });
  }

  /** Writes a large file in a commit of its own, after what was gathered: its directory may be there. */
  #stream({ path, attributes, content }: FileJob, advance: (bytes: number) => void): void {
    let moved = 0;
    let written: Written | undefined;
    this.#commit((state) => {
      // Once more, after another process changed the name: what was counted is counted off.
      advance(-moved);
      moved = 0;
      const oid = this.#renew(state, path);
      const incarnation = this.#container.incarnation(oid);
      written = moveContent(path, content, (bytes, position) => {
        put(state.own, oid, bytes, position, incarnation);
        moved += bytes.length;
        advance(bytes.length);
      });
      endAt(state.own, oid, written, incarnation);
      requireUnchanged(content, this.display(path));
    });
    this.#setAttributes([{ path, attributes }]);
    this.#listener(path, written);
  }

  /** A file with nothing in it: created, or put in place of the old one. */
  #renew(state: Change, below: string): ObjectId {
    const path = this.#path(below);
    const known = lookup(state, path, { follow: false });
    if (known === undefined) return create(this.#container, state, { path, kind: "file" }).oid;
    if (known.kind === "file") return replace(this.#container, state, { path, file: known }).oid;
    const what = `Writing ${this.display(below)}`;
    const why = `there is a ${known.kind} of that name`;
    throw new DaosError("DER_EXIST", { what, why, remedy: "remove it, or choose another name" });
  }

  /** Commits a change, again if the commit met another one; then reads the newest version. */
  #commit(body: (state: Change) => void): void {
    for (let attempt = 1; ; attempt++) {
      try {
        using view = this.#container.view();
        this.#container.update((own) => body({ view, own }));
        break;
      } catch (error) {
        if (!isConflict(error) || attempt >= COMMIT_ATTEMPTS_MAX) throw error;
      }
    }
    const before = this.#view;
    this.#view = this.#container.view();
    before.close();
  }

  /** Lets go of the version. */
  [Symbol.dispose](): void {
    this.#view.close();
  }
}

function put(
  own: Transaction,
  oid: ObjectId,
  bytes: Uint8Array,
  position: number,
  incarnation: Epoch,
): void {
  const range = wholeOf(Pattern.contiguous(position, position + bytes.length));
  own.write(oid, range, bytes, incarnation);
}

/** Gives a file that ends in a hole its size: a file ends where its last written byte does. */
function endAt(own: Transaction, oid: ObjectId, written: Written, incarnation: Epoch): void {
  const { size, ranges } = written;
  if (size === (ranges.at(-1)?.end ?? 0)) return;
  put(own, oid, Uint8Array.of(0), size - 1, incarnation);
}

function isConflict(error: unknown): boolean {
  return isDaosError(error, "DER_TX_RESTART") && !error.text.why.startsWith("the source changed");
}
