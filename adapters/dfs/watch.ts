/**
 * Watching files and directories for changes, by whatever process, after `watch` of `node:fs/promises`.
 *
 *     commit ─▶ what differs from the version before ─▶ names and bytes that are watched ─▶ events
 *
 * No event is lost: the version before stays pinned until its successor was compared with it. Where that
 * cannot be (a reader that may not pin), the names are read again and compared.
 *
 * @module
 */

import {
  type CommitWatch,
  type Container,
  type ContainerChange,
  type ContainerView,
  isDaosError,
  type ObjectId,
} from "../../core/index.js";
import { inodeAt, type Place, ROOT_NAME } from "./directory.js";
import { withPosixErrors } from "./errors.js";
import { NameTree, type WatchedName } from "./name-tree.js";
import { findPlace } from "./place.js";

/** How a path is watched. */
export interface WatchPathOptions {
  /** Whether what is in the directories below is watched too; `false` by default. */
  readonly recursive?: boolean | undefined;
  /** Ends the watch with an `AbortError`. */
  readonly signal?: AbortSignal | undefined;
}

/** What happened to a name. */
export interface FileChange {
  /** `rename`: the name came or went. `change`: bytes or attributes of what it stands for changed. */
  readonly eventType: "rename" | "change";
  /** The name; below a directory that is watched recursively, the path from there. */
  readonly filename: string;
}

const DONE = { done: true, value: undefined } as const;

class WatchAborted extends Error {
  override readonly name = "AbortError";
  readonly code = "ABORT_ERR";

  constructor(cause: unknown) {
    super("The operation was aborted", { cause });
  }
}

/** Events without repetitions, in order. A name that came says that what it stands for is new too. */
class EventList {
  readonly #events = new Map<string, FileChange>();

  add(eventType: FileChange["eventType"], filename: string): void {
    if (eventType === "change" && this.#events.has(`rename/${filename}`)) return;
    this.#events.set(`${eventType}/${filename}`, { eventType, filename });
  }

  get all(): FileChange[] {
    return [...this.#events.values()];
  }
}

interface KeyChange {
  readonly change: "added" | "removed" | "changed";
  readonly oid: ObjectId;
  readonly name: string;
}

/** The changes of a path, as an endless async iterator. */
export class PathWatch implements AsyncIterableIterator<FileChange> {
  readonly #container: Container;
  readonly #signal: AbortSignal | undefined;
  readonly #commits: CommitWatch;
  readonly #tree: NameTree;
  readonly #self: Place;
  readonly #selfName: string;
  readonly #selfOid: ObjectId | undefined;
  #view: ContainerView;
  #found: FileChange[] = [];
  #last: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(container: Container, path: string, options: WatchPathOptions = {}) {
    this.#container = container;
    this.#signal = options.signal;
    this.#view = container.view();
    try {
      const view = this.#view;
      const { inode, ...place } = findPlace({ view }, path, "Watching");
      this.#self = place;
      this.#selfName = Buffer.from(place.name).toString();
      const isDirectory = inode.kind === "directory";
      this.#selfOid = isDirectory ? inode.oid : undefined;
      const isRecursive = isDirectory && options.recursive === true;
      const only = isDirectory ? undefined : this.#selfName;
      this.#tree = new NameTree(isDirectory ? inode.oid : place.parent, { isRecursive, only });
      this.#tree.load({ view });
      const { signal } = options;
      this.#commits = container.watch({ from: view.epoch, ...(signal && { signal }) });
    } catch (error) {
      this.#view.close();
      throw error;
    }
  }

  /** The watch itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * The next change; waits until there is one.
   *
   * @throws `AbortError` when the signal is aborted, {@link DfsError} `ENOENT` when the container is destroyed.
   */
  next(): Promise<IteratorResult<FileChange, undefined>> {
    const result = this.#last.then(() => this.#next());
    this.#last = result.catch(() => {});
    return result;
  }

  async #next(): Promise<IteratorResult<FileChange, undefined>> {
    for (;;) {
      if (this.#signal?.aborted) {
        this.close();
        throw new WatchAborted(this.#signal.reason);
      }
      const value = this.#found.shift();
      if (value !== undefined) return { done: false, value };
      const commit = await this.#commits.next();
      if (commit.done !== true) withPosixErrors(() => this.#advance());
      else if (this.#signal?.aborted !== true) {
        this.close();
        return DONE;
      }
    }
  }

  /** Goes on to the newest version; several commits that came meanwhile are told of at once. */
  #advance(): void {
    const before = this.#view;
    const view = this.#container.view();
    if (view.epoch === before.epoch) {
      view.close();
      return;
    }
    this.#view = view;
    try {
      const changes = [...this.#container.diff(before.epoch, view.epoch)];
      this.#found = this.#eventsOf(changes, view);
    } catch (error) {
      if (!isDaosError(error, "DER_EPOCH_GONE")) throw error;
      this.#found = this.#compared(before, view);
    } finally {
      before.close();
    }
  }

  #eventsOf(changes: readonly ContainerChange[], view: ContainerView): FileChange[] {
    const events = new EventList();
    const keys: KeyChange[] = [];
    const written = new Set<ObjectId>();
    for (const change of changes) {
      if (change.level === "bytes") written.add(change.oid);
      if (change.level !== "dkey") continue;
      keys.push({
        change: change.change,
        oid: change.oid,
        name: Buffer.from(change.dkey).toString(),
      });
    }
    this.#tellOfSelf(keys, events);
    const removed = keys.filter(({ change }) => change === "removed");
    const known = removed.flatMap(({ oid, name }) => this.#tree.get(oid, name) ?? []);
    for (const entry of known) events.add("rename", this.#tree.path(entry));
    for (const entry of known) this.#tree.delete(entry);
    this.#takeIn(
      keys.filter(({ change }) => change !== "removed"),
      view,
      events,
    );
    for (const oid of written) {
      const entry = this.#tree.of(oid);
      if (entry !== undefined) events.add("change", this.#tree.path(entry));
    }
    return events.all;
  }

  /** The directory that is watched has a name itself. */
  #tellOfSelf(keys: readonly KeyChange[], events: EventList): void {
    if (this.#selfOid === undefined || Buffer.compare(this.#self.name, ROOT_NAME) === 0) return;
    const { parent } = this.#self;
    const own = keys.find(({ oid, name }) => oid === parent && name === this.#selfName);
    if (own === undefined) return;
    events.add(own.change === "changed" ? "change" : "rename", this.#selfName);
  }

  /** Takes in names that came or changed: those in a directory after the directory itself. */
  #takeIn(changed: readonly KeyChange[], view: ContainerView, events: EventList): void {
    let waiting = changed;
    for (let count = -1; count !== waiting.length; ) {
      count = waiting.length;
      const later: KeyChange[] = [];
      for (const key of waiting) {
        if (this.#tree.watches(key.oid)) this.#takeName(key, view, events);
        else later.push(key);
      }
      waiting = later;
    }
  }

  #takeName({ change, oid: parent, name }: KeyChange, view: ContainerView, events: EventList) {
    const was = this.#tree.get(parent, name);
    const inode = inodeAt({ view }, { parent, name: Buffer.from(name) });
    if (inode === undefined) return;
    this.#tree.set({ view }, { parent, name, inode });
    const is = this.#tree.get(parent, name);
    if (is === undefined) return;
    // New bytes in place of the old ones are a change; another file under the name is not.
    const isSame = was !== undefined && was.inode.created === inode.created;
    const isChange = change === "changed" && isSame;
    events.add(isChange ? "change" : "rename", this.#tree.path(is));
  }

  /** What changed by the names alone, where versions cannot be compared. */
  #compared(before: ContainerView, view: ContainerView): FileChange[] {
    const events = new EventList();
    const paths = () =>
      new Map([...this.#tree.entries()].map((entry) => [this.#tree.path(entry), entry] as const));
    const old = paths();
    this.#tree.load({ view });
    const now = paths();
    for (const [path] of old) if (!now.has(path)) events.add("rename", path);
    for (const [path, entry] of now) {
      const was = old.get(path);
      if (was === undefined || was.inode.created !== entry.inode.created)
        events.add("rename", path);
      else if (hasChanged(was, entry, { since: before.epoch, view })) events.add("change", path);
    }
    return events.all;
  }

  /** Ends the watch. Later calls do nothing. */
  close(): void {
    this.#commits.close();
    this.#view.close();
    this.#found = [];
  }

  /** Ends the watch when a loop over it is left. */
  return(): Promise<IteratorResult<FileChange, undefined>> {
    this.close();
    return Promise.resolve(DONE);
  }

  /** Ends the watch at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

function hasChanged(
  was: WatchedName,
  is: WatchedName,
  { since, view }: { since: bigint; view: ContainerView },
): boolean {
  if (was.inode.oid !== is.inode.oid || was.inode.changed !== is.inode.changed) return true;
  return is.inode.kind === "file" && (view.newestChange(is.inode.oid) ?? 0n) > since;
}

/** Watches a path; see `Dfs.watch`. */
export function watchPath(
  container: Container,
  path: string,
  options?: WatchPathOptions,
): PathWatch {
  return withPosixErrors(() => new PathWatch(container, path, options));
}
