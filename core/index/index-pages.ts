/**
 * Which pages of an index file are in use, as LMDB's own records say: the meta pages and the free list.
 *
 * Little-endian, as the pinned release of `lmdb` lays them out; offsets from the start of a page:
 *
 *     page     u64 number, u64 transaction, u16, u16 flags (1 branch, 2 leaf, 4 overflow),
 *              u16 end of the node offsets, u16; then u16 node offsets
 *     meta     at 24: u32 magic, u32 version, u64, u64, tree of free pages, tree of entries,
 *              u64 last page, u64 transaction; the one of the later transaction counts
 *     tree     u32 page size (of free pages only), u16, u16 depth, u64 branch pages, u64 leaf pages,
 *              u64 overflow pages, u64 entries, u64 root (all ones: none)
 *     node     u16, u16 low parts of the data size (leaf) or of the child (branch), u16 flags
 *              (1: the data is a page number, of overflow pages) or high part, u16 key size, key, data
 *     free     key: u64 transaction that freed them; data: u64 count, then pages; a negative number
 *              -n says that n pages follow one another from the next one on, 0 is a gap
 *
 * What is read is right while the caller holds the index's writer lock; without it, it may be some
 * transactions old, or be refused.
 *
 * @module
 */

import fs from "node:fs";
import { DaosError } from "../errors.js";

const PAGE_HEADER_SIZE = 24;
const META_SIZE = 160;
const META_PAGES = 2;
const TREE_FREE = 48;
const TREE_MAIN = 96;
const NO_ROOT = 0xffff_ffff_ffff_ffffn;
const FLAG_BRANCH = 1;
const FLAG_BIG_DATA = 1;
const DEPTH_MAX = 32;

/** What a committed state of an index takes. */
export interface PageUsage {
  /** Bytes of a page. */
  readonly pageSize: number;
  /** Pages of the file up to the last one that was ever used. */
  readonly pageCount: number;
  /** Pages among them that nothing refers to. */
  readonly freePages: number;
  /** Branch pages of the tree of entries. */
  readonly branchPages: number;
  /** Its leaf pages. */
  readonly leafPages: number;
  /** Pages of the list of free pages. */
  readonly freeListPages: number;
  /** Depth of the tree of entries. */
  readonly depth: number;
  /** Last committed transaction. */
  readonly transaction: number;
  /** Root of the list of free pages, or -1. */
  readonly freeRoot: number;
}

interface Tree {
  readonly depth: number;
  readonly branches: number;
  readonly leaves: number;
  readonly overflow: number;
  readonly root: number;
}

function readTree(meta: Buffer, at: number): Tree {
  const root = meta.readBigUInt64LE(at + 40);
  return {
    depth: meta.readUInt16LE(at + 6),
    branches: Number(meta.readBigUInt64LE(at + 8)),
    leaves: Number(meta.readBigUInt64LE(at + 16)),
    overflow: Number(meta.readBigUInt64LE(at + 24)),
    root: root === NO_ROOT ? -1 : Number(root),
  };
}

function pagesOf({ branches, leaves, overflow }: Tree): number {
  return branches + leaves + overflow;
}

/** An index file, open beside LMDB's own descriptor. */
export class IndexPages {
  readonly #fd: number;
  readonly #path: string;
  readonly #metas: [Buffer, Buffer] = [Buffer.alloc(META_SIZE), Buffer.alloc(META_SIZE)];
  readonly #pageSize: number;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
    fs.readSync(fd, this.#metas[0], 0, META_SIZE, 0);
    this.#pageSize = this.#metas[0].readUInt32LE(TREE_FREE);
    if (this.#pageSize < 512 || this.#pageSize > 65_536) throw this.#damaged("its page size");
  }

  #damaged(what: string): DaosError {
    const text = { what: `Reading index ${this.#path}`, why: `${what} makes no sense` };
    const remedy = "restore the pool from a copy";
    return new DaosError("DER_DF_INVAL", { ...text, remedy }, { path: this.#path });
  }

  /** What the last committed state takes. */
  usage(): PageUsage {
    const pageSize = this.#pageSize;
    const [first, second] = this.#metas;
    fs.readSync(this.#fd, first, 0, META_SIZE, 0);
    fs.readSync(this.#fd, second, 0, META_SIZE, pageSize);
    const isFirst = first.readBigUInt64LE(152) >= second.readBigUInt64LE(152);
    const meta = isFirst ? first : second;
    const free = readTree(meta, TREE_FREE);
    const main = readTree(meta, TREE_MAIN);
    const pageCount = Number(meta.readBigUInt64LE(144)) + 1;
    const inUse = META_PAGES + pagesOf(free) + pagesOf(main);
    return {
      pageSize,
      pageCount,
      freePages: Math.max(0, pageCount - inUse),
      branchPages: main.branches,
      leafPages: main.leaves,
      freeListPages: pagesOf(free),
      depth: main.depth,
      transaction: Number(meta.readBigUInt64LE(152)),
      freeRoot: free.root,
    };
  }

  #readPages(page: number, count: number): Buffer {
    const bytes = Buffer.alloc(count * this.#pageSize);
    const size = fs.readSync(this.#fd, bytes, 0, bytes.length, page * this.#pageSize);
    if (size < bytes.length) throw this.#damaged(`page ${page}`);
    return bytes;
  }

  /**
   * The free pages that the next transaction can use, as runs of pages that follow one another:
   * those that the last one freed can still be seen by a reader.
   *
   * @returns Lengths of the runs.
   */
  freeRuns({ freeRoot, transaction }: PageUsage): number[] {
    const pages: number[] = [];
    if (freeRoot >= 0) this.#collect(freeRoot, transaction, pages, 0);
    const sorted = Float64Array.from(pages).sort();
    const runs: number[] = [];
    let previous = -2;
    for (const page of sorted) {
      if (page === previous + 1) runs[runs.length - 1] = (runs.at(-1) as number) + 1;
      else if (page !== previous) runs.push(1);
      previous = page;
    }
    return runs;
  }

  #collect(page: number, before: number, pages: number[], depth: number): void {
    if (depth > DEPTH_MAX) throw this.#damaged("the depth of its free list");
    const bytes = this.#readPages(page, 1);
    const isBranch = (bytes.readUInt16LE(18) & FLAG_BRANCH) !== 0;
    const nodes = (bytes.readUInt16LE(20) - PAGE_HEADER_SIZE) >> 1;
    for (let index = 0; index < nodes; index++) {
      const at = bytes.readUInt16LE(PAGE_HEADER_SIZE + index * 2);
      const low = bytes.readUInt32LE(at);
      const flags = bytes.readUInt16LE(at + 4);
      const data = at + 8 + bytes.readUInt16LE(at + 6);
      if (isBranch) {
        this.#collect(low + flags * 2 ** 32, before, pages, depth + 1);
      } else if (Number(bytes.readBigUInt64LE(at + 8)) < before) {
        if ((flags & FLAG_BIG_DATA) === 0) addPages(bytes.subarray(data, data + low), pages);
        else addPages(this.#overflow(Number(bytes.readBigUInt64LE(data)), low), pages);
      }
    }
  }

  #overflow(page: number, size: number): Buffer {
    const count = Math.ceil((PAGE_HEADER_SIZE + size) / this.#pageSize);
    return this.#readPages(page, count).subarray(PAGE_HEADER_SIZE, PAGE_HEADER_SIZE + size);
  }
}

/** Adds the pages of one entry of the free list. */
function addPages(entry: Buffer, pages: number[]): void {
  const count = Math.min(Number(entry.readBigInt64LE(0)), entry.length / 8 - 1);
  for (let index = 1; index <= count; index++) {
    const number = Number(entry.readBigInt64LE(index * 8));
    if (number > 0) pages.push(number);
    if (number >= 0 || index === count) continue;
    index += 1;
    const first = Number(entry.readBigInt64LE(index * 8));
    for (let page = first; page < first - number; page++) pages.push(page);
  }
}
