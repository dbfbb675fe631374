/**
 * The files of a test, in a container: which objects are open under the recorder's numbers.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Container, isDaosError } from "daos-ts";
import { Dfs } from "daos-ts/dfs";
import {
  CommittedType,
  Dataset,
  File,
  type FileMode,
  type FileOptions,
  Group,
  type Hdf5Object,
  importH5,
  openH5File,
  type Reference,
} from "daos-ts/hdf5";
import { type Call, Inexpressible, kindOf, type Recorded } from "./recording.ts";
import { type Surroundings, selectionOfRegion } from "./values.ts";

/** What the recorder says of an object when it first meets it. */
interface Facts {
  readonly object: number;
  readonly kind: string;
  readonly path: string | null;
  readonly file: string;
  readonly mode?: string;
}

/** An object that should be there and is not: it comes of an earlier disagreement. */
export class Missing extends Error {}

/** Why copies do not have what references lead to, which HDF5 names `~obj_pointed_by_...`. */
export const EXPAND_REFS = "expand_refs: copies of what references lead to";

/** Views, virtual layouts and sources: objects of the program's own. */
export type View = { readonly kind: string };

/** The files and objects that are open. */
export class World implements Surroundings {
  readonly container: Container;
  readonly #directory: string;
  readonly #facts = new Map<number, Facts>();
  readonly #objects = new Map<number, Hdf5Object>();
  readonly #views = new Map<number, View>();
  readonly #files = new Map<string, File[]>();
  readonly #dropped = new Set<File>();
  readonly #folders = new Set<string>();
  /** Why objects are not there: they come of calls that have no counterpart. By number, or by file and path. */
  readonly #unmade = new Map<number | string, string>();
  readonly #folder: string;
  /** The file that the running call is about. */
  current = "";

  /**
   * @param directory For files on their way into the container.
   * @param folder Of the recorded tests.
   */
  constructor(container: Container, directory: string, folder: string) {
    this.container = container;
    this.#directory = directory;
    this.#folder = folder;
  }

  /** A file's name, as the tests have it: files of theirs that name others name them so. */
  linkedName(name: string): string {
    return name.replace("$TMP/", this.#folder);
  }

  /** The path in the container of a file of the tests. */
  pathOf(name: string): string {
    const full = this.linkedName(name);
    return (full.startsWith("/") ? full : this.#folder + full).slice(1);
  }

  /** Takes note of what a call would have made, had it a counterpart. */
  leaveUnmade(call: Call, reason: string): void {
    const number = kindOf<number>(call.result, "object") ?? kindOf<number>(call.result, "view");
    if (number !== undefined && !this.#objects.has(number)) this.#unmade.set(number, reason);
    const own = kindOf<number>(call.on, "view") ?? -1;
    if (own !== -1 && !this.#views.has(own)) this.#unmade.set(own, reason);
    const { path, file } = this.#facts.get(number ?? -1) ?? {};
    if (path === "/" && file !== undefined) this.#unmade.set(`${file}:`, reason);
    const names = ["name", "dest", "path"].map((name) => call.args?.[name]);
    for (const name of names) {
      const text =
        typeof name === "string"
          ? name
          : this.#facts.get(kindOf<number>(name, "object") ?? -1)?.path;
      if (typeof text === "string")
        this.#unmade.set(`${this.current}:${text.replace(/^\//, "")}`, reason);
    }
  }

  /** Why an object is not there, if a call without counterpart would have made it or what it is in. */
  whyUnmade(value: Recorded | undefined): string | undefined {
    const number = kindOf<number>(value, "object") ?? kindOf<number>(value, "view") ?? -1;
    const facts = this.#facts.get(number);
    const known = this.#unmade.get(number);
    if (known !== undefined || facts === undefined) return known;
    const parts = (facts.path ?? "").split("/").slice(1);
    const above = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
    for (const path of ["", ...above]) {
      const reason = this.#unmade.get(`${facts.file}:${path}`);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  /** Takes note of what a call says of objects. */
  learn(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) for (const item of value) this.learn(item);
    else {
      const facts = value as Partial<Facts>;
      if (typeof facts.object === "number" && facts.kind !== undefined) {
        this.#facts.set(facts.object, value as Facts);
      } else {
        for (const item of Object.values(value)) this.learn(item);
      }
    }
  }

  /** Opens a file. */
  async openFile(name: string, mode: FileMode, options: FileOptions): Promise<File> {
    const path = this.pathOf(name);
    await this.#makeFolder(path);
    // Handles of one file see each other's changes in HDF5; here, those that were flushed.
    for (const open of this.#openFiles(path)) await open.flush();
    const file = await File.open(this.container, path, mode, options);
    this.#files.set(path, [...(this.#files.get(path) ?? []), file]);
    return file;
  }

  /** The folders of the tests' files are there before them. */
  async #makeFolder(path: string): Promise<void> {
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (this.#folders.has(folder)) return;
    this.#folders.add(folder);
    await Dfs.mount(this.container).mkdir(folder, { recursive: true });
  }

  /** The file's changes are not kept when it is closed. */
  dropAtClose(file: File): void {
    this.#dropped.add(file);
  }

  #openFiles(path: string): File[] {
    return (this.#files.get(path) ?? []).filter((file) => !isClosed(file));
  }

  /** Closes a file. */
  async closeFile(file: File): Promise<void> {
    const others = (this.#files.get(file.filename) ?? []).filter((other) => other !== file);
    this.#files.set(file.filename, others);
    if (this.#dropped.has(file)) await file.abort();
    else await file.close();
    // What was closed is seen through links at once in HDF5; here, by files that move on to the newest version.
    for (const path of this.#files.keys()) {
      for (const open of this.#openFiles(path)) await open.flush();
    }
  }

  /** Drops everything that is open. */
  async closeAll(): Promise<void> {
    for (const files of this.#files.values()) for (const file of files) await file.abort();
    this.#files.clear();
    this.#objects.clear();
    this.#views.clear();
  }

  /** Keeps an object under the number of a result. */
  bind(value: Recorded | undefined, object: Hdf5Object): void {
    const number = kindOf<number>(value, "object");
    if (number !== undefined) this.#objects.set(number, object);
  }

  /** Keeps a view under the number of a result. */
  bindView(value: Recorded | undefined, view: View): void {
    const number = kindOf<number>(value, "view");
    if (number !== undefined) this.#views.set(number, view);
  }

  /** Forgets a view: what comes of it cannot be made. */
  dropView(value: Recorded | undefined): void {
    this.#views.delete(kindOf<number>(value, "view") ?? -1);
  }

  /** A view, layout or source. */
  view<T extends View>(value: Recorded | undefined): T {
    const found = this.#views.get(kindOf<number>(value, "view") ?? -1);
    if (found === undefined) throw new Missing("its view was not made");
    return found as T;
  }

  /** The file that an object is in, open. */
  fileOf(value: Recorded | undefined): File {
    const facts = this.#facts.get(kindOf<number>(value, "object") ?? -1);
    return this.fileNamed(facts?.file ?? this.current);
  }

  /** Whether the file that an object is in was opened, not only reached through a link. */
  hasFileOf(value: Recorded | undefined): boolean {
    const facts = this.#facts.get(kindOf<number>(value, "object") ?? -1);
    return this.#openFiles(this.pathOf(facts?.file ?? this.current)).length > 0;
  }

  /** A file that is open. */
  fileNamed(name: string): File {
    const path = this.pathOf(name);
    const file = this.#openFiles(path).at(-1) ?? this.#files.get(path)?.at(-1);
    if (file === undefined) throw new Missing("its file is not open");
    return file;
  }

  /** The object of a number: bound by the call that gave it, else by its path. */
  async object(value: Recorded | undefined): Promise<Hdf5Object> {
    const number = kindOf<number>(value, "object");
    if (number === undefined) throw new Inexpressible("an object that has no number");
    const facts = this.#facts.get(number);
    if (facts !== undefined) this.current = facts.file;
    const known = this.#objects.get(number);
    if (known !== undefined) return known;
    if (facts?.path === undefined || facts.path === null) {
      throw new Inexpressible("an object that has no name in its file");
    }
    const file = this.fileNamed(facts.file);
    const found = facts.kind === "File" ? file : await file.get(facts.path);
    if (found === undefined) throw new Missing(`${facts.path} is not there`);
    this.#objects.set(number, found);
    return found;
  }

  /** The group of a number. */
  async group(value: Recorded | undefined): Promise<Group> {
    const found = await this.object(value);
    if (found instanceof Group) return found;
    throw new Missing("its object is no group");
  }

  /** The dataset of a number. */
  async dataset(value: Recorded | undefined): Promise<Dataset> {
    const found = await this.object(value);
    if (found instanceof Dataset) return found;
    throw new Missing("its object is no dataset");
  }

  async reference(value: { readonly [kind: string]: unknown }): Promise<Reference | undefined> {
    const path = value.ref as string | null;
    if (path === null) return undefined;
    if (path.startsWith("/~obj_pointed_by")) throw new Inexpressible(EXPAND_REFS);
    const target = await this.fileNamed(value.file as string).get(path);
    if (target === undefined) throw new Missing(`${path}, which a reference is for, is not there`);
    if (value.select === undefined) return target.ref;
    if (!(target instanceof Dataset)) throw new Missing(`${path} is no dataset`);
    if (value.select === "none" && target.ndim === 0) {
      throw new Inexpressible("a region without the only element");
    }
    return target.regionRef(selectionOfRegion(value, target.ndim));
  }

  /** Puts a file in place that came about without recorded calls. */
  async restore(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.pathOf(name);
    const open = this.#openFiles(path);
    for (const file of open) await file.abort();
    this.#files.delete(path);
    await this.#import(path, bytes);
    if (open.length === 0) return;
    const mode = open.some(({ mode }) => mode !== "r") ? "r+" : "r";
    const again = await File.open(this.container, path, mode);
    this.#files.set(path, [again]);
    // Handles go on with the restored file; their objects are found again by their paths.
    for (const [number, facts] of this.#facts) {
      if (this.pathOf(facts.file) !== path) continue;
      if (facts.kind === "File") this.#objects.set(number, again);
      else this.#objects.delete(number);
    }
  }

  async #import(path: string, bytes: Uint8Array): Promise<void> {
    await this.remove(path);
    const local = join(this.#directory, "restored.h5");
    writeFileSync(local, bytes);
    let source: Awaited<ReturnType<typeof openH5File>>;
    try {
      source = await openH5File(local);
    } catch (error) {
      if (!isDaosError(error)) throw error;
      // It is meant to be no HDF5 file.
      await this.#makeFolder(path);
      await Dfs.mount(this.container).writeFile(path, bytes);
      return;
    }
    try {
      await importH5(source, this.container, path);
    } finally {
      await source.close();
    }
  }

  /** Removes a file. */
  async remove(path: string): Promise<void> {
    await Dfs.mount(this.container).rm(path, { recursive: true, force: true });
  }
}

/** Whether a file was closed: it says so only when it is asked for something. */
export function isClosed(file: File): boolean {
  try {
    file.epoch;
    return false;
  } catch {
    return true;
  }
}

/** The class that an object has in h5py. */
export function classOf(object: Hdf5Object): string {
  if (object instanceof File) return "File";
  if (object instanceof Group) return "Group";
  return object instanceof CommittedType ? "Datatype" : "Dataset";
}
