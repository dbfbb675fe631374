/**
 * The names below a directory, as a watch remembers them: what was where before the next commit.
 *
 *     object of the directory ─▶ names ─▶ what each stands for ─▶ (a directory) its names ...
 *
 * @module
 */

import type { ObjectId } from "../../core/index.js";
import { listDirectory, type NamespaceState } from "./directory.js";
import type { Inode } from "./inode-format.js";

/** A name that is watched. */
export interface WatchedName {
  readonly parent: ObjectId;
  readonly name: string;
  readonly inode: Inode;
}

/** The names below a directory. */
export class NameTree {
  readonly #root: ObjectId;
  readonly #isRecursive: boolean;
  /** The only name that counts; all if undefined. */
  readonly #only: string | undefined;
  readonly #directories = new Map<ObjectId, Map<string, WatchedName>>();
  readonly #byObject = new Map<ObjectId, WatchedName>();

  constructor(root: ObjectId, options: { isRecursive: boolean; only?: string | undefined }) {
    this.#root = root;
    this.#isRecursive = options.isRecursive;
    this.#only = options.only;
  }

  /** Reads all of it. */
  load(state: NamespaceState): void {
    this.#directories.clear();
    this.#byObject.clear();
    this.#loadDirectory(state, this.#root);
  }

  #loadDirectory(state: NamespaceState, directory: ObjectId): void {
    this.#directories.set(directory, new Map());
    for (const { name, inode } of listDirectory(state, directory)) {
      this.set(state, { parent: directory, name, inode });
    }
  }

  /** Whether the names of a directory are watched. */
  watches(directory: ObjectId): boolean {
    return this.#directories.has(directory);
  }

  get(directory: ObjectId, name: string): WatchedName | undefined {
    return this.#directories.get(directory)?.get(name);
  }

  /** The name of an object. */
  of(object: ObjectId): WatchedName | undefined {
    return this.#byObject.get(object);
  }

  /** Adds or changes a name, with what is below it. */
  set(state: NamespaceState, entry: WatchedName): void {
    const names = this.#directories.get(entry.parent);
    if (names === undefined || (this.#only !== undefined && this.#only !== entry.name)) return;
    const known = names.get(entry.name);
    if (known !== undefined && known.inode.oid !== entry.inode.oid) this.delete(known);
    names.set(entry.name, entry);
    this.#byObject.set(entry.inode.oid, entry);
    const isNew = !this.#directories.has(entry.inode.oid);
    if (this.#isRecursive && entry.inode.kind === "directory" && isNew) {
      this.#loadDirectory(state, entry.inode.oid);
    }
  }

  /** Forgets a name, with what is below it. */
  delete(entry: WatchedName): void {
    const { oid } = entry.inode;
    this.#directories.get(entry.parent)?.delete(entry.name);
    // A rename has given the object its new name already, or will.
    if (this.#byObject.get(oid) === entry) this.#byObject.delete(oid);
    for (const below of [...(this.#directories.get(oid)?.values() ?? [])]) this.delete(below);
    this.#directories.delete(oid);
  }

  /** The path from the directory that is watched. */
  path(entry: WatchedName): string {
    const names = [entry.name];
    let parent = entry.parent;
    while (parent !== this.#root) {
      const above = this.#byObject.get(parent);
      if (above === undefined) break;
      names.push(above.name);
      parent = above.parent;
    }
    return names.reverse().join("/");
  }

  /** All names. */
  *entries(): Generator<WatchedName, void, undefined> {
    for (const names of this.#directories.values()) yield* names.values();
  }
}
