/**
 * A disk that a journal is replayed to, and what a power cut could leave of it.
 *
 *     journal ──▶ begin(), complete() ──▶ durable state, what was done since ──▶ writeImage()
 *
 * An image is chosen at random, everything independently of everything else:
 *
 * 1. Each page of 4 KiB (or each sector of 512 bytes, in torn images) that was written since its file's
 *    last sync holds what it held then, or what any write since gave it: dropped and reordered.
 * 2. A file has the size of its last sync, or any that it had since; what was not written is zero.
 * 3. Changes of names since their directory's last sync survive as a prefix of each chain of changes
 *    that share a name; chains are independent of one another and of what the files hold.
 *
 * A write to a descriptor with O_DSYNC makes the pages that it touches durable, and the size, and no
 * other page. Nothing is ever durable because time passed.
 *
 * @module
 */

import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { JournalRecord } from "./journal.ts";

const PAGE_SIZE = 4096;
const SECTOR_SIZE = 512;

/** A number in `[0, 1)`. */
export type Random = () => number;

/** How an image is chosen. */
export interface ImageOptions {
  /** Decides what survives: always 0 loses all that was not synced, always just below 1 nothing. */
  readonly random: Random;
  /** Whether sectors of a page survive independently of each other. */
  readonly torn: boolean;
  /** Names of files that a reboot removes. */
  readonly without?: RegExp;
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random() * from.length)] as T;
}

const ZEROS = new Uint8Array(PAGE_SIZE);

/** The content of one file: what is durable, and what came since. */
class FileOnDisk {
  readonly #durable = new Map<number, Uint8Array>();
  /** What a page held since the last sync, oldest first, without what it held then. */
  readonly #since = new Map<number, Uint8Array[]>();
  #durableSize = 0;
  #sizesSince: number[] = [];

  get #size(): number {
    return this.#sizesSince.at(-1) ?? this.#durableSize;
  }

  #newest(page: number): Uint8Array {
    return this.#since.get(page)?.at(-1) ?? this.#durable.get(page) ?? ZEROS;
  }

  #change(page: number, content: Uint8Array): void {
    const versions = this.#since.get(page);
    if (versions === undefined) this.#since.set(page, [content]);
    else versions.push(content);
  }

  write(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    for (let page = Math.floor(offset / PAGE_SIZE); page * PAGE_SIZE < end; page++) {
      const start = page * PAGE_SIZE;
      const content = Uint8Array.from(this.#newest(page));
      const from = Math.max(start, offset);
      content.set(bytes.subarray(from - offset, start + PAGE_SIZE - offset), from - start);
      this.#change(page, content);
    }
    if (end > this.#size) this.#sizesSince.push(end);
  }

  resize(size: number): void {
    if (size === this.#size) return;
    for (const page of new Set([...this.#durable.keys(), ...this.#since.keys()])) {
      if ((page + 1) * PAGE_SIZE <= size) continue;
      const content = Uint8Array.from(this.#newest(page));
      content.fill(0, Math.max(0, size - page * PAGE_SIZE));
      this.#change(page, content);
    }
    this.#sizesSince.push(size);
  }

  /** Makes the pages of a range durable, as they are now, and the size. */
  syncRange(offset: number, size: number): void {
    for (let page = Math.floor(offset / PAGE_SIZE); page * PAGE_SIZE < offset + size; page++) {
      this.#durable.set(page, this.#newest(page));
      this.#since.delete(page);
    }
    this.#durableSize = this.#size;
    this.#sizesSince = [];
  }

  sync(): void {
    for (const page of this.#since.keys()) this.#durable.set(page, this.#newest(page));
    this.#since.clear();
    this.#durableSize = this.#size;
    this.#sizesSince = [];
  }

  #survivor(page: number, { random, torn }: ImageOptions): Uint8Array {
    const durable = this.#durable.get(page) ?? ZEROS;
    const since = this.#since.get(page);
    if (since === undefined) return durable;
    const versions = [durable, ...since];
    if (!torn) return pick(versions, random);
    const content = new Uint8Array(PAGE_SIZE);
    for (let at = 0; at < PAGE_SIZE; at += SECTOR_SIZE) {
      content.set(pick(versions, random).subarray(at, at + SECTOR_SIZE), at);
    }
    return content;
  }

  writeImage(path: string, options: ImageOptions): void {
    const size = pick([this.#durableSize, ...this.#sizesSince], options.random);
    const fd = openSync(path, "wx");
    try {
      ftruncateSync(fd, size);
      for (const page of new Set([...this.#durable.keys(), ...this.#since.keys()])) {
        const content = this.#survivor(page, options);
        const count = Math.min(PAGE_SIZE, size - page * PAGE_SIZE);
        if (count > 0 && content !== ZEROS) writeSync(fd, content, 0, count, page * PAGE_SIZE);
      }
    } finally {
      closeSync(fd);
    }
  }
}

type Node = FileOnDisk | DirectoryOnDisk;

/** A change of names: those that it sets, and what it sets them to (`undefined` removes). */
type NameChange = ReadonlyMap<string, Node | undefined>;

/** The names of one directory: what is durable, and what came since. */
class DirectoryOnDisk {
  readonly #durable = new Map<string, Node>();
  #since: NameChange[] = [];

  get(name: string): Node | undefined {
    const change = this.#since.findLast((candidate) => candidate.has(name));
    return change === undefined ? this.#durable.get(name) : change.get(name);
  }

  change(names: Readonly<Record<string, Node | undefined>>): void {
    this.#since.push(new Map(Object.entries(names)));
  }

  static #apply(names: Map<string, Node>, change: NameChange): void {
    for (const [name, node] of change) {
      if (node === undefined) names.delete(name);
      else names.set(name, node);
    }
  }

  sync(): void {
    for (const change of this.#since) DirectoryOnDisk.#apply(this.#durable, change);
    this.#since = [];
  }

  /** Changes since the last sync, those that share a name together and in order. */
  #chains(): NameChange[][] {
    let chains: { names: Set<string>; changes: NameChange[] }[] = [];
    for (const change of this.#since) {
      const names = new Set(change.keys());
      const touched = chains.filter((chain) => [...names].some((name) => chain.names.has(name)));
      chains = chains.filter((chain) => !touched.includes(chain));
      const changes = this.#since.filter(
        (other) => other === change || touched.some((chain) => chain.changes.includes(other)),
      );
      for (const chain of touched) for (const name of chain.names) names.add(name);
      chains.push({ names, changes });
    }
    return chains.map(({ changes }) => changes);
  }

  writeImage(path: string, options: ImageOptions): void {
    const names = new Map(this.#durable);
    for (const chain of this.#chains()) {
      const kept = Math.floor(options.random() * (chain.length + 1));
      for (const change of chain.slice(0, kept)) DirectoryOnDisk.#apply(names, change);
    }
    mkdirSync(path, { recursive: true });
    for (const [name, node] of names) {
      if (options.without?.test(name) !== true) node.writeImage(join(path, name), options);
    }
  }
}

/** The files below one directory, as a journal makes them. */
export class DiskModel {
  readonly #root = new DirectoryOnDisk();
  /** By inode number; a number that is used again stands for the newest file. */
  readonly #files = new Map<bigint, FileOnDisk>();

  #directory(name: string): DirectoryOnDisk {
    if (name === "" || name === ".") return this.#root;
    const found = this.#directory(dirname(name)).get(basename(name));
    if (!(found instanceof DirectoryOnDisk)) throw new Error(`${name} is not a directory`);
    return found;
  }

  #file(inode: bigint): FileOnDisk {
    const file = this.#files.get(inode);
    if (file === undefined) throw new Error(`nothing made file ${inode}`);
    return file;
  }

  /** What a record does, nothing of it durable yet: a write may have arrived in parts. */
  begin(record: JournalRecord): void {
    const parent = this.#directory(dirname(record.name));
    const name = basename(record.name);
    if (record.kind === "write") this.#file(record.file).write(record.offset, record.bytes);
    else if (record.kind === "resize") this.#file(record.file).resize(record.size);
    else if (record.kind === "create") {
      const file = new FileOnDisk();
      this.#files.set(record.file, file);
      parent.change({ [name]: file });
    } else if (record.kind === "makeDirectory") parent.change({ [name]: new DirectoryOnDisk() });
    else if (record.kind === "rename") this.#rename(record.name, record.target);
    else if (record.kind === "unlink" || record.kind === "removeDirectory") {
      parent.change({ [name]: undefined });
    }
  }

  /** The call of a record that has begun returns: what it promises is durable. */
  complete(record: JournalRecord): void {
    if (record.kind === "sync") this.#file(record.file).sync();
    else if (record.kind === "syncNames") this.#directory(record.name).sync();
    else if (record.kind === "write" && record.isDurable) {
      this.#file(record.file).syncRange(record.offset, record.bytes.length);
    }
  }

  #rename(source: string, target: string): void {
    if (dirname(source) !== dirname(target)) {
      throw new Error(`a rename from ${source} to ${target} leaves its directory`);
    }
    const directory = this.#directory(dirname(source));
    const node = directory.get(basename(source));
    directory.change({ [basename(source)]: undefined, [basename(target)]: node });
  }

  /** Writes what a power cut now could leave of a directory, which is there. */
  writeImage(name: string, target: string, options: ImageOptions): void {
    this.#directory(name).writeImage(target, options);
  }
}
