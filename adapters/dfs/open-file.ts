/**
 * What is behind a file handle: one version of a file, with changes of its own on top.
 *
 *     open ─▶ view + transaction ─▶ sync: commit, view of the newest version ─▶ ... ─▶ close
 *
 * Writes at positions go to a transaction. Appends wait in memory, because where they land is decided by
 * the commit: it reads the size of the array and writes behind it, again if another one was faster.
 *
 * @module
 */

import {
  type Container,
  type ContainerView,
  type Epoch,
  Pattern,
  type Transaction,
  wholeOf,
} from "../../core/index.js";

import { setSize } from "./content.js";
import { inodeAt, type Place, putInode } from "./directory.js";
import { DfsError } from "./errors.js";
import type { Inode } from "./inode-format.js";
import { APPEND_ATTEMPTS_MAX, APPEND_PENDING_SIZE_MAX, CHANGE_ATTEMPTS_MAX } from "./limits.js";
import type { NamedFile } from "./place.js";

/** What a handle is made of. */
export interface FileHandleOrigin {
  readonly container: Container;
  readonly path: string;
  readonly inode: Inode;
  /** Where its name is. */
  readonly place: Place;
  /** What it reads. */
  readonly view: ContainerView;
  /** Lets go of the view. */
  readonly release: () => void;
  readonly canRead: boolean;
  readonly canWrite: boolean;
  /** Whether each write lands at the end of the file, wherever that is when it is committed. */
  readonly append?: boolean;
  /** Whether each write is committed at once. */
  readonly sync?: boolean;
  /** Whether attributes cannot be changed either: an old version, or a pool for reading. */
  readonly readOnly?: boolean;
  /** Told when the handle committed something. */
  readonly changed?: () => void;
}

/** The position is where the last append ended, which its commit decides. */
const AFTER_APPENDS = -1;

/** An open file. */
export class OpenFile {
  readonly origin: FileHandleOrigin;
  readonly #incarnation: Epoch;
  /** Where the name was at the opening. */
  readonly #place: Place;
  #inode: Inode;
  #view: ContainerView | undefined;
  #release: () => void;
  #transaction: Transaction | undefined;
  #appended: Uint8Array[] = [];
  #appendedSize = 0;
  /** How many of those lie before the position. */
  #movedSize = 0;
  #position = 0;

  constructor(origin: FileHandleOrigin) {
    this.origin = origin;
    this.#view = origin.view;
    this.#release = origin.release;
    this.#inode = origin.inode;
    this.#incarnation = origin.view.incarnation(origin.inode.oid);
    this.#place = { parent: origin.place.parent, name: origin.place.name };
  }

  /** Whether it was not closed. */
  get isOpen(): boolean {
    return this.#view !== undefined;
  }

  /** The inode, as of the version that is read, with own changes. */
  get inode(): Inode {
    return this.#inode;
  }

  error(
    posix: string,
    code: "DER_INVAL" | "DER_NO_HDL" | "DER_NO_PERM" | "DER_EP_RO",
    text: string[],
  ) {
    const { path } = this.origin;
    const [what, why = "", remedy = ""] = text;
    return new DfsError(posix, code, { what: `${what} "${path}"`, why, remedy }, { path });
  }

  /** @throws {@link DfsError} `EBADF` if it was closed. */
  requireOpen(what: string): ContainerView {
    if (this.#view !== undefined) return this.#view;
    throw this.error("EBADF", "DER_NO_HDL", [what, "the handle was closed", "open the file again"]);
  }

  /** @throws {@link DfsError} `EBADF` if it was closed, or opened for writing only. */
  requireReadable(what: string): ContainerView {
    const view = this.requireOpen(what);
    if (this.#inode.kind === "directory") {
      const why = "it is a directory";
      throw this.error("EISDIR", "DER_INVAL", [what, why, "list it with readdir()"]);
    }
    if (this.origin.canRead) return view;
    const why = "it was opened for writing only";
    throw this.error("EBADF", "DER_NO_PERM", [what, why, 'open it with "r", "r+" or "w+"']);
  }

  /** @throws {@link DfsError} `EBADF` (`EINVAL` for a change of the size) if it cannot be written. */
  requireWritable(what: string, posix = "EBADF"): void {
    this.requireOpen(what);
    if (this.origin.canWrite) return;
    const why = "it was opened for reading";
    throw this.error(posix, "DER_NO_PERM", [what, why, 'open it with "r+", "w" or "a"']);
  }

  /** Where calls without a position go on, in bytes. */
  get position(): number {
    this.#landAppends();
    return this.#position;
  }

  set position(position: number) {
    this.#position = position;
  }

  /** Appends must have landed before their bytes, and where they are, can be told. */
  #landAppends(): void {
    if (this.#appendedSize > 0) this.sync();
  }

  /** One past the last byte, in bytes, with own writes. */
  size(): number {
    this.#landAppends();
    if (this.#inode.kind === "directory") return 0;
    return this.requireOpen("Reading").arraySize(this.#inode.oid, this.#transaction);
  }

  /** Reads what there is from a position on. @returns Bytes read. */
  read(bytes: Uint8Array, position: number): number {
    const count = Math.min(bytes.length, Math.max(0, this.size() - position));
    if (count > 0) {
      const range = wholeOf(Pattern.contiguous(position, position + count));
      this.requireOpen("Reading").readArray(this.#inode.oid, range, bytes, this.#transaction);
    }
    return count;
  }

  /** Changes the array; if that fails, all changes since the last sync are dropped. */
  #change(body: (own: Transaction) => void): void {
    this.#transaction ??= this.origin.container.begin();
    try {
      body(this.#transaction);
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** Writes bytes; of an append handle, at the end of the file, whatever the position. */
  write(bytes: Uint8Array, position: number | undefined): void {
    if (this.origin.append === true) {
      if (bytes.length > 0) this.#append(bytes, position === undefined);
      return;
    }
    const start = position ?? this.#position;
    if (bytes.length > 0) {
      const range = wholeOf(Pattern.contiguous(start, start + bytes.length));
      this.#change((own) => own.write(this.#inode.oid, range, bytes, this.#incarnation));
    }
    if (position === undefined) this.#position = start + bytes.length;
    if (this.origin.sync === true) this.sync();
  }

  #append(bytes: Uint8Array, movesOn: boolean): void {
    this.#appended.push(new Uint8Array(bytes));
    this.#appendedSize += bytes.length;
    if (movesOn) {
      this.#position = AFTER_APPENDS;
      this.#movedSize = this.#appendedSize;
    }
    const isMuch = this.#appendedSize >= APPEND_PENDING_SIZE_MAX;
    if (isMuch || this.origin.sync === true) this.sync();
  }

  /** Cuts the file, or makes it longer by zeros. */
  truncate(size: number): void {
    this.#landAppends();
    const view = this.requireOpen("Truncating");
    const { oid } = this.#inode;
    const incarnation = this.#incarnation;
    this.#change((own) => setSize({ view, own, oid, incarnation }, size));
    // The next append begins at the end that this made.
    if (this.origin.append === true || this.origin.sync === true) this.sync();
  }

  #requireChangeable(what: string): void {
    const { container, readOnly = container.readOnly } = this.origin;
    if (!readOnly) return;
    const why = "it was opened of an old version, or of a pool for reading";
    throw this.error("EROFS", "DER_EP_RO", [what, why, "mount the newest version for writing"]);
  }

  /** The name of the file, for what is stored beside it. */
  named(what: string): NamedFile {
    const view = this.requireOpen(what);
    const { container, path } = this.origin;
    const requireChangeable = () => this.#requireChangeable(what);
    const place = { ...this.#place, inode: this.#inode };
    const { changed } = this.origin;
    return { container, view, path, place, what, requireChangeable, changed };
  }

  /**
   * Changes the inode, in a commit of its own.
   *
   * @throws {@link DfsError} `EROFS`; `ENOENT` if the name was removed, replaced or renamed.
   */
  changeInode(what: string, change: (inode: Inode, view: ContainerView) => Inode): void {
    this.requireOpen(what);
    const { container, path } = this.origin;
    this.#requireChangeable(what);
    const { value } = container.runTransaction(
      ({ view, own }) => {
        const inode = inodeAt({ view, own }, this.#place);
        if (inode?.oid !== this.#inode.oid) {
          const text = { what: `${what} "${path}"`, why: "it has another name now, or none" };
          const remedy = "open the file again";
          throw new DfsError("ENOENT", "DER_NONEXIST", { ...text, remedy }, { path });
        }
        const next = change(inode, view);
        putInode(own, this.#place, next, "update");
        return next;
      },
      { attempts: CHANGE_ATTEMPTS_MAX },
    );
    this.origin.changed?.();
    this.#inode = value;
  }

  /** Commits what was changed; a writer reads the newest version from then on. */
  sync(): void {
    this.requireOpen("Syncing");
    this.#commit();
    if (!this.origin.canWrite) return;
    const view = this.origin.container.view();
    this.#release();
    this.#view = view;
    this.#release = () => view.close();
    const inode = inodeAt({ view }, this.#place);
    if (inode?.oid === this.#inode.oid) this.#inode = inode;
  }

  #commit(): void {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    const appended = this.#appended;
    this.#appended = [];
    this.#appendedSize = 0;
    if (transaction !== undefined) this.origin.container.commit(transaction);
    if (appended.length > 0) this.#land(appended);
    if (transaction !== undefined || appended.length > 0) this.origin.changed?.();
  }

  /** Writes behind the end of the file, at one moment. */
  #land(parts: readonly Uint8Array[]): void {
    const { oid } = this.#inode;
    const options = { attempts: APPEND_ATTEMPTS_MAX };
    const { value } = this.origin.container.runTransaction(({ view, own }) => {
      const start = view.arraySize(oid);
      let end = start;
      for (const part of parts) {
        const range = wholeOf(Pattern.contiguous(end, end + part.length));
        own.write(oid, range, part, this.#incarnation);
        end += part.length;
      }
      return start;
    }, options);
    if (this.#position === AFTER_APPENDS) this.#position = value + this.#movedSize;
  }

  /** Drops what was written since the last sync. */
  discard(): void {
    this.#transaction?.abort();
    this.#transaction = undefined;
    this.#appended = [];
    this.#appendedSize = 0;
    if (this.#position === AFTER_APPENDS) this.#position = this.size();
  }

  /** Commits and lets go of the version, even if the commit fails. */
  close(): void {
    this.#view = undefined;
    try {
      this.#commit();
    } finally {
      this.#release();
    }
  }
}
