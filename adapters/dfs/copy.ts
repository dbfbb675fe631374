/**
 * Copies of files and trees inside a mounted container, in one commit.
 *
 *     source as of one version ─▶ filter ─▶ plan ─▶ transaction: checks against what is at the target
 *
 * The filter may wait, a transaction may not: so what is copied is decided first. Bytes are read of the
 * version that was planned with, so that writers of the source do not make the copy begin again.
 *
 * @module
 */

import { constants } from "node:fs";
import { posix } from "node:path";
import { type ContainerView, isDaosError } from "../../core/index.js";
import { copyContent } from "./content.js";
import { listDirectory, type NamespaceState, newInode, putInode } from "./directory.js";
import {
  existsError,
  type FileCall,
  isDirectoryError,
  notDirectoryError,
  refusal,
  withPosixErrors,
} from "./errors.js";
import type { Inode } from "./inode-format.js";
import { inodeTimes, withTimes } from "./inode-times.js";
import type { Change, Mount } from "./mount.js";
import { createDirectories, removeAt, replaceAt } from "./namespace.js";
import { type Walked, type WalkOptions, walk } from "./path-walk.js";
import { findPlace } from "./place.js";

const { COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE } = constants;

/** How a tree is copied, after `cp` of `node:fs`. */
export interface CopyOptions {
  /** Whether directories are copied, with what is in them; without it they are `EISDIR`. */
  readonly recursive?: boolean | undefined;
  /** Whether files and links that exist are replaced; `true` by default. */
  readonly force?: boolean | undefined;
  /** Whether those that exist are an error, if they are not replaced. */
  readonly errorOnExist?: boolean | undefined;
  /** Whether copies of files and links get the access and modification times of the originals. */
  readonly preserveTimestamps?: boolean | undefined;
  /** Whether what links lead to is copied instead of the links. */
  readonly dereference?: boolean | undefined;
  /** Whether targets of links are copied as they are; else relative ones become absolute. */
  readonly verbatimSymlinks?: boolean | undefined;
  /** `COPYFILE_EXCL`: as `force: false` with `errorOnExist`. */
  readonly mode?: number | undefined;
  /** Whether something is copied; a directory that is not, with all that is in it. May wait. */
  readonly filter?: ((source: string, target: string) => boolean | Promise<boolean>) | undefined;
}

/** One thing to be copied. */
interface Planned {
  readonly source: string;
  readonly target: string;
  readonly inode: Inode;
}

/** Checks flags of `copyFile`. @throws `EINVAL`, `ENOTSUP`. */
function checkCopyFlags(call: FileCall, flags: unknown): boolean {
  const known = COPYFILE_EXCL | COPYFILE_FICLONE | COPYFILE_FICLONE_FORCE;
  if (!Number.isInteger(flags) || ((flags as number) & ~known) !== 0) {
    const remedy = "give COPYFILE_... constants of node:fs";
    throw refusal(call, { posix: "EINVAL", why: `${String(flags)} are no flags`, remedy });
  }
  if (((flags as number) & COPYFILE_FICLONE_FORCE) !== 0) {
    const remedy = "use COPYFILE_FICLONE, which copies where sharing is not possible";
    const why = "files do not share their bytes";
    throw refusal(call, { posix: "ENOTSUP", code: "DER_NOSYS", why, remedy });
  }
  return ((flags as number) & COPYFILE_EXCL) !== 0;
}

/** See `Dfs.copyFile`. */
export function copyFile(mount: Mount, call: FileCall, flags: number): void {
  const isExclusive = checkCopyFlags(call, flags);
  const { path, what } = call;
  const dest = call.dest as string;
  mount.requireWritable(call);
  withSource(mount, call, (view) => {
    const source = findPlace({ view }, path, what).inode;
    mount.change(call, (state) => {
      const to = walk(state, dest, { what, follow: !isExclusive, isName: true, isFile: true });
      if (to.meansDirectory && to.last === "name") throw isDirectoryError(dest, what);
      if (to.inode !== undefined && isExclusive) throw existsError(dest, what);
      if (to.inode?.kind === "directory") throw isDirectoryError(dest, what);
      if (source.kind === "directory") throw isDirectoryError(path, what);
      if (to.inode?.oid === source.oid) return;
      putCopy(mount, state, { view, source, to });
    });
  });
}

/** Runs `body` with the version of which bytes are read. */
function withSource<T>(mount: Mount, call: FileCall, body: (view: ContainerView) => T): T {
  return withPosixErrors(() => {
    const { view, release } = mount.open();
    try {
      return body(view);
    } finally {
      release();
    }
  }, call);
}

/** Creates or replaces a file by a copy of another one, with its permission bits. */
function putCopy(
  mount: Mount,
  state: Change,
  { view, source, to }: { view: ContainerView; source: Inode; to: Walked },
): void {
  const { container } = mount;
  const fresh =
    to.inode === undefined
      ? newInode(container, state, { kind: "file" })
      : replaceAt(container, state, { ...to, inode: to.inode });
  putInode(state.own, to, { ...fresh, mode: source.mode });
  copyContent({ view, oid: source.oid }, { ...state, oid: fresh.oid });
}

/** Where a path leads, or, where directories on the way are missing, the last one that is there. */
function nearest(
  state: NamespaceState,
  path: string,
  options: WalkOptions,
): Walked & { readonly isWhole: boolean } {
  for (let part = path; ; part = posix.dirname(part)) {
    try {
      return { ...walk(state, part, options), isWhole: part === path };
    } catch (error) {
      // Directories that lead to the target are created.
      if (!isDaosError(error, "DER_NONEXIST") || posix.dirname(part) === part) throw error;
    }
  }
}

/** A recursive copy. */
export class TreeCopy {
  readonly #mount: Mount;
  readonly #call: FileCall;
  readonly #options: CopyOptions;

  constructor(mount: Mount, call: FileCall, options: CopyOptions) {
    this.#mount = mount;
    this.#call = call;
    const isExclusive = checkCopyFlags(call, options.mode ?? 0);
    if (options.dereference === true && options.verbatimSymlinks === true) {
      const why = "it has no links if they are followed";
      const remedy = "give dereference or verbatimSymlinks, not both";
      throw refusal(call, { posix: "EINVAL", why, remedy });
    }
    this.#options = isExclusive ? { ...options, force: false, errorOnExist: true } : options;
  }

  async run(): Promise<void> {
    this.#mount.requireWritable(this.#call);
    const { view, release } = withPosixErrors(() => this.#mount.open(), this.#call);
    try {
      await this.#copyOf(view);
    } finally {
      release();
    }
  }

  async #copyOf(view: ContainerView): Promise<void> {
    const { path, dest = "" } = this.#call;
    const plan: Planned[] = [];
    await this.#plan(view, { source: path, target: dest }, plan);
    if (plan.length === 0) return;
    const made = this.#mount.change(this.#call, (state) => {
      // What was planned to be new may be there now, or the other way round: it is decided here.
      this.#checkEnds(state);
      return plan.filter((each, index) => this.#copy(state, view, each, index === 0));
    });
    if (this.#options.preserveTimestamps !== true) return;
    const files = made.filter(({ inode }) => inode.kind !== "directory");
    if (files.length > 0) this.#setTimes(view, files);
  }

  /** Refuses to copy something onto itself, or into itself. */
  #checkEnds(state: NamespaceState): void {
    const { path, dest = "", what } = this.#call;
    const follow = this.#options.dereference === true;
    const from = findPlace(state, path, what, { follow }).inode;
    const to = nearest(state, dest, { what, follow });
    const invalid = (why: string) =>
      refusal(this.#call, { posix: "EINVAL", why, remedy: "choose another target" });
    if (to.isWhole && to.inode?.oid === from.oid) throw invalid("it would be copied onto itself");
    if (to.isWhole && to.inode !== undefined) this.#checkKinds(from, to.inode);
    const isInside = to.directories.includes(from.oid) || to.inode?.oid === from.oid;
    if (isInside) throw invalid("it would be copied into itself");
  }

  #checkKinds(from: Inode, to: Inode, call: FileCall = this.#call): void {
    const { dest = "", what } = call;
    // As node has it, where rename(2) has it the other way round.
    if (from.kind === "directory" && to.kind !== "directory") throw isDirectoryError(dest, what);
    if (from.kind !== "directory" && to.kind === "directory") throw notDirectoryError(dest, what);
  }

  async #plan(
    view: ContainerView,
    { source, target }: { source: string; target: string },
    plan: Planned[],
  ): Promise<void> {
    const { filter, dereference, recursive } = this.#options;
    if (filter !== undefined && !(await filter(source, target))) return;
    const { what } = this.#call;
    const entries = withPosixErrors(() => {
      if (plan.length === 0) this.#checkEnds({ view });
      const { inode } = findPlace({ view }, source, what, { follow: dereference === true });
      plan.push({ source, target, inode });
      if (inode.kind !== "directory") return [];
      if (recursive !== true) throw isDirectoryError(source, what);
      return listDirectory({ view }, inode.oid);
    }, this.#call);
    for (const { name } of entries) {
      const below = { source: posix.join(source, name), target: posix.join(target, name) };
      await this.#plan(view, below, plan);
    }
  }

  /** @returns Whether it was copied. */
  #copy(state: Change, view: ContainerView, each: Planned, isTop: boolean): boolean {
    const { inode: source, target } = each;
    const { what } = this.#call;
    const call = { ...this.#call, path: each.source, dest: target };
    const { container } = this.#mount;
    if (isTop) createDirectories(container, state, { path: posix.dirname(target), what });
    const follow = this.#options.dereference === true && source.kind !== "symlink";
    const to = walk(state, target, { what, follow, isName: true });
    if (source.kind === "directory") {
      if (to.inode !== undefined) this.#checkKinds(source, to.inode, call);
      else {
        const fresh = newInode(container, state, { kind: "directory" });
        putInode(state.own, to, { ...fresh, mode: source.mode }, "insert");
      }
      return to.inode === undefined;
    }
    if (to.meansDirectory) throw isDirectoryError(target, what);
    if (to.inode !== undefined) {
      this.#checkKinds(source, to.inode, call);
      if (this.#options.force === false) {
        if (this.#options.errorOnExist !== true) return false;
        throw existsError(target, what);
      }
      if (source.kind === "symlink" && to.inode.kind === "file") throw existsError(target, what);
      removeAt(state, { ...to, inode: to.inode }, { path: target, isRecursive: false });
    }
    if (source.kind === "symlink") this.#copyLink(state, each, to);
    else putCopy(this.#mount, state, { view, source, to: { ...to, inode: undefined } });
    return true;
  }

  #copyLink(state: Change, { inode, source }: Planned, to: Walked): void {
    const text = Buffer.from(inode.target).toString();
    const isKept = this.#options.verbatimSymlinks === true || text.startsWith("/");
    const target = isKept ? text : posix.resolve("/", posix.dirname(source), text);
    const fresh = newInode(this.#mount.container, state, {
      kind: "symlink",
      target: Buffer.from(target),
    });
    putInode(state.own, to, fresh);
  }

  /** Sets times in a commit of its own: bytes that are written count as modifications until then. */
  #setTimes(view: ContainerView, made: readonly Planned[]): void {
    this.#mount.change(this.#call, (state) => {
      for (const { target, inode } of made) {
        const place = findPlace(state, target, this.#call.what, { follow: false });
        const times = { accessed: inode.accessed, modified: inodeTimes(inode, view).modified };
        putInode(state.own, place, withTimes(place.inode, state.view, times));
      }
    });
  }
}
