/**
 * The pages that a transaction of the index may take, found out before it takes them.
 *
 * LMDB never changes a page in place: also a removal needs fresh pages, and LMDB finds a full disk when
 * it commits. So the index file is allocated ahead of its use, and each change is charged with the most
 * pages that it can take:
 *
 *     0                      pageCount                        allocated          limit
 *     ├─ used, some of it free ─┤── allocated ahead: the ballast ──┤─ not yet there ─┤
 *
 * Invariants:
 *
 * 1. What is charged fits what is allocated, less the reserve that the use must leave: at first beyond
 *    `pageCount`, where it surely fits; once the file cannot grow, also in the free pages.
 * 2. The file is never allocated beyond the tier's limit.
 * 3. It holds whatever other programs do to the file system, since the reserve is allocated as well.
 *
 * Values that take several pages need pages that follow one another. Whether LMDB finds such among the
 * free ones depends on its search: twice as many as needed must be there.
 *
 * @module
 */

import fs from "node:fs";
import { storageAddon } from "../device/addon.js";
import { systemCode } from "../errors.js";
import {
  INDEX_GROWTH_SIZE_MAX,
  INDEX_GROWTH_SIZE_MIN,
  INDEX_RESERVE_SHARE,
  INDEX_RESERVE_SIZE_MIN,
  RESERVE_SIZE_MAX,
  SCM_FIXED_SIZE,
} from "../limits.js";
import { IndexPages, type PageUsage } from "./index-pages.js";
import { noSpace, reserveLeftBy, type SpaceUse } from "./space-record.js";

/** Bytes of a page that hold no entries, at least: LMDB puts larger entries on pages of their own. */
const PAGE_HEADER_SIZE = 24;
const NODE_SIZE = 8;
/** Pages of the free list's own tree that a transaction changes, and a new root of each tree. */
const OVERHEAD_PAGES = 8;
/** Bytes that a page number takes in the free list, with the number that says how many follow. */
const FREE_ENTRY_SIZE = 16;

/** Space of an index, in bytes. */
export interface IndexSpace {
  /** Size of the file. */
  readonly used: number;
  /** Pages in use. */
  readonly live: number;
  /** What ordinary writes can still take, within the file and beyond it. */
  readonly free: number;
}

/** Pages that an ordinary transaction leaves. */
function reservePages({ branchPages, leafPages, pageSize }: PageUsage): number {
  const share = Math.floor(((branchPages + leafPages) * pageSize) / INDEX_RESERVE_SHARE);
  const size = Math.min(RESERVE_SIZE_MAX, Math.max(INDEX_RESERVE_SIZE_MIN, share));
  return Math.ceil(size / pageSize);
}

/** The budget of one index file. A process has one for each index that it has open. */
export class IndexBudget {
  readonly #fd: number;
  readonly #pages: IndexPages;
  readonly #limit: () => number | undefined;
  #what = "";
  #usage: PageUsage;
  /** Pages of the file, used or allocated ahead. */
  #allocated = 0;
  /** Pages that must stay free after this transaction. */
  #left = 0;
  #puts = 0;
  #removals = 0;
  /** Pages for values that have pages of their own, the most of one of them, and such values. */
  #overflow = 0;
  #overflowMax = 0;
  #overflowCount = 0;
  /** Runs of free pages, once they had to be read. */
  #runs: number[] | undefined;

  /**
   * @param path The index file.
   * @param options `limit`: the limit of its tier in bytes, asked under the writer lock.
   */
  constructor(path: string, options: { readOnly: boolean; limit: () => number | undefined }) {
    this.#fd = fs.openSync(path, options.readOnly ? "r" : "r+");
    this.#limit = options.limit;
    this.#pages = new IndexPages(this.#fd, path);
    this.#usage = this.#pages.usage();
  }

  /** Starts a transaction. Call it under the writer lock. */
  begin(what: string, use: SpaceUse): void {
    this.#what = what;
    this.#usage = this.#pages.usage();
    this.#allocated = Math.floor(fs.fstatSync(this.#fd).size / this.#usage.pageSize);
    this.#left = reserveLeftBy(use, reservePages(this.#usage));
    this.#puts = 0;
    this.#removals = 0;
    this.#overflow = 0;
    this.#overflowMax = 0;
    this.#overflowCount = 0;
    this.#runs = undefined;
  }

  /**
   * Charges the storing of an entry; sizes in bytes.
   *
   * @throws {@link DaosError} `DER_NOSPACE`: abort the transaction then.
   */
  chargePut(keySize: number, valueSize: number): void {
    const { pageSize } = this.#usage;
    this.#puts += 1;
    if (NODE_SIZE + keySize + valueSize > (pageSize - PAGE_HEADER_SIZE) / 2 - 2) {
      const pages = Math.ceil((PAGE_HEADER_SIZE + valueSize) / pageSize);
      this.#overflow += pages;
      this.#overflowMax = Math.max(this.#overflowMax, pages);
      this.#overflowCount += 1;
    }
    this.#check();
  }

  /** Charges the removal of an entry; throws as {@link chargePut} does. */
  chargeRemove(): void {
    this.#removals += 1;
    this.#check();
  }

  /** The most single pages that the transaction takes so far. */
  #singles(): number {
    const { depth, branchPages, leafPages, freeListPages, pageSize } = this.#usage;
    // A change copies its path; a removal may merge each page of it with a neighbour.
    const paths = this.#puts + 2 * this.#removals;
    const copied = Math.min(paths, leafPages) + Math.min(paths * depth, branchPages);
    const changed = copied + this.#puts + depth;
    const listed = ((changed + this.#overflow) * FREE_ENTRY_SIZE) / pageSize;
    return changed + freeListPages + Math.ceil(listed) + OVERHEAD_PAGES;
  }

  #check(): void {
    const needed = this.#singles() + this.#overflow + this.#left;
    if (this.#usage.pageCount + needed <= this.#allocated) return;
    this.#makeRoom(needed);
  }

  /** Pages that the file may have. */
  #limitPages(): number {
    const limit = this.#limit();
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    return Math.floor((limit - SCM_FIXED_SIZE) / this.#usage.pageSize);
  }

  /** Allocates more of the file, else looks for free pages in it; throws if both do not do. */
  #makeRoom(needed: number): void {
    const { pageCount, pageSize } = this.#usage;
    const limit = this.#limitPages();
    const end = pageCount + needed;
    const quarter = (this.#allocated * pageSize) / 4;
    const size = Math.min(INDEX_GROWTH_SIZE_MAX, Math.max(INDEX_GROWTH_SIZE_MIN, quarter));
    const step = Math.ceil(size / pageSize);
    const full = this.#runs !== undefined;
    // Once the free pages were looked for, the file could not grow.
    if (!full && end <= limit && this.#grow(Math.min(limit, end + step), end)) return;
    if (!full && end > limit && this.#allocated < limit) this.#grow(limit, limit);
    this.#runs ??= this.#pages.freeRuns(this.#usage);
    if (this.#fits(this.#runs)) return;
    const listed = this.#runs.reduce((sum, run) => sum + run, 0);
    const free = this.#allocated - pageCount + listed - this.#left;
    throw noSpace(this.#what, {
      tier: "scm",
      needed: (needed - this.#left) * pageSize,
      free: Math.max(0, free) * pageSize,
      limited: this.#allocated >= limit,
    });
  }

  /** Allocates the file to `wanted` pages, or to what is `needed`; returns whether the latter is there. */
  #grow(wanted: number, needed: number): boolean {
    for (const end of new Set([wanted, needed])) {
      if (end <= this.#allocated) return true;
      const { pageSize } = this.#usage;
      const start = this.#allocated * pageSize;
      try {
        storageAddon().fallocate(this.#fd, start, end * pageSize - start);
        this.#allocated = end;
        return true;
      } catch (error) {
        const code = systemCode(error);
        if (code !== "ENOSPC" && code !== "EDQUOT") throw error;
      }
    }
    return false;
  }

  /** Whether the transaction fits the rest of the file and its free pages. */
  #fits(runs: readonly number[]): boolean {
    const beyond = this.#allocated - this.#usage.pageCount;
    const free = runs.reduce((sum, run) => sum + run, 0);
    const singles = this.#singles();
    if (singles + this.#overflow + this.#left > beyond + free) return false;
    if (this.#overflow === 0) return true;
    const half = Math.floor(this.#left / 2);
    if (this.#overflow + Math.max(0, singles - free) + half <= beyond) return true;
    const size = this.#overflowMax;
    const places = runs.reduce((sum, run) => sum + Math.floor(run / size), 0);
    return places >= 2 * this.#overflowCount;
  }

  /** Allocates the ballast of an index that was just made; on a full disk it comes later. */
  allocateBallast(): void {
    this.begin("Allocating the index", "write");
    const end = this.#usage.pageCount + this.#left + OVERHEAD_PAGES;
    this.#grow(end, end);
  }

  /**
   * Gives back what was allocated beyond a new limit of the tier. Call it under the writer lock.
   *
   * @throws {@link DaosError} `DER_NOSPACE` if more is in use.
   */
  shrinkTo(limit: number): void {
    this.begin("Lowering the limit of tier scm", "write");
    const { pageCount, pageSize } = this.#usage;
    const pages = Math.floor((limit - SCM_FIXED_SIZE) / pageSize);
    if (pages >= this.#allocated) return;
    const needed = pageCount + this.#left;
    if (pages < needed) {
      const free = Math.max(0, pages) * pageSize;
      throw noSpace(this.#what, { tier: "scm", needed: needed * pageSize, free, limited: true });
    }
    fs.ftruncateSync(this.#fd, pages * pageSize);
  }

  /**
   * Space of the index.
   *
   * @param bounds What the file system still has, and the limit of the tier, in bytes.
   */
  space({ available, limit }: { available: number; limit: number | undefined }): IndexSpace {
    const usage = this.#pages.usage();
    const { pageSize, pageCount, freePages } = usage;
    const used = fs.fstatSync(this.#fd).size;
    const inside = used - (pageCount - freePages) * pageSize;
    const room = limit === undefined ? available : Math.max(0, limit - SCM_FIXED_SIZE - used);
    const beyond = Math.min(available, room);
    const free = Math.max(0, inside + beyond - reservePages(usage) * pageSize);
    return { used, live: (pageCount - freePages) * pageSize, free };
  }

  /** Closes the file. */
  close(): void {
    fs.closeSync(this.#fd);
  }
}
