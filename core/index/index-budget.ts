/**
 * The pages that a transaction of the index may take.
 *
 * LMDB never changes a page in place: also a removal needs fresh pages, and LMDB finds a full disk when
 * it commits. So the index file is allocated ahead of its use:
 *
 *     0                      pageCount                        allocated          limit
 *     ├─ used, some of it free ─┤── allocated ahead: the ballast ──┤─ not yet there ─┤
 *
 * Invariants:
 *
 * 1. A transaction whose pages would reach beyond what is allocated ends before any of them is written.
 *    So the file is never longer than the tier's limit allows.
 * 2. When a transaction commits, the pages that are allocated and unused, and the free ones that the
 *    next transaction can take, are at least what its use must leave of the reserve: a removal finds
 *    them, whatever other programs have done to the file system.
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
  INDEX_STEP_PAGES_MAX,
  RESERVE_SIZE_MAX,
  SCM_FIXED_SIZE,
} from "../limits.js";
import { noSpace, reserveLeftBy, type SpaceUse } from "./space-record.js";

/** Pages that LMDB takes for its list of free pages when it commits, beside those that the list has. */
const OVERHEAD_PAGES = 8;
/** A step that changes at most this part of the reserve, as a fraction 1/n, may take the last of it. */
const SMALL_STEP_SHARE = 4;

/** Space of an index, in bytes. */
export interface IndexSpace {
  /** Size of the file. */
  readonly used: number;
  /** Pages in use. */
  readonly live: number;
  /** What ordinary writes can still take, within the file and beyond it. */
  readonly free: number;
}

/** Pages of an index, of its newest state or as a transaction will leave it. */
export interface PageCounts {
  /** Bytes of a page. */
  readonly pageSize: number;
  /** Pages of the file up to the last one that was ever used. */
  readonly pageCount: number;
  /** Pages among them that nothing refers to. */
  readonly freePages: number;
  /** Branch and leaf pages of the entries: the most that a transaction of small changes copies. */
  readonly treePages: number;
  /** Pages of the list of free pages. */
  readonly freeListPages: number;
  /** Pages that the running transaction has changed. */
  readonly changedPages: number;
}

/** What the budget asks LMDB. */
export interface PageSource {
  counts(): PageCounts;
  /** Free pages that the running transaction can still take, one by one. */
  usable(): number;
}

/** The budget of one index file. A process has one for each index that it has open. */
export class IndexBudget {
  readonly #fd: number;
  readonly #source: PageSource;
  readonly #limit: () => number | undefined;
  readonly #pageSize: number;
  #what = "";
  #use: SpaceUse = "write";
  /** Pages of the file, used or allocated ahead. */
  #allocated = 0;
  #isChanged = false;
  /** Whether the transaction that failed last would find more pages after another one. */
  #hasPending = false;

  /**
   * @param path The index file.
   * @param options `limit`: the limit of its tier in bytes, asked under the writer lock.
   */
  constructor(
    path: string,
    options: { readOnly: boolean; source: PageSource; limit: () => number | undefined },
  ) {
    this.#fd = fs.openSync(path, options.readOnly ? "r" : "r+");
    this.#source = options.source;
    this.#limit = options.limit;
    this.#pageSize = options.source.counts().pageSize;
  }

  /** Starts a transaction. Call it under the writer lock. */
  begin(what: string, use: SpaceUse): void {
    this.#what = what;
    this.#use = use;
    this.#isChanged = false;
    this.#allocated = Math.floor(fs.fstatSync(this.#fd).size / this.#pageSize);
  }

  /**
   * Makes sure that the file has space for the pages that the transaction has added by now.
   *
   * @throws {@link DaosError} `DER_NOSPACE`: abort the transaction then.
   */
  require(pageCount: number): void {
    this.#isChanged = true;
    if (pageCount <= this.#allocated || this.#grow(pageCount)) return;
    throw this.#full(pageCount - this.#allocated, 0);
  }

  /**
   * Makes sure that the transaction can be committed and leaves what it must leave.
   *
   * @throws {@link DaosError} `DER_NOSPACE`: abort the transaction then.
   */
  requireReserve(): void {
    if (!this.#isChanged) return;
    const counts = this.#source.counts();
    const { pageCount, freeListPages } = counts;
    // A transaction may free as many pages as it takes, and lists them: 512 on a page.
    const overhead = OVERHEAD_PAGES + freeListPages + Math.ceil(pageCount / 4096);
    const most = overhead + this.#left(counts, undefined);
    if (pageCount + most <= this.#allocated || this.#grow(pageCount + most)) return;
    const left = this.#left(counts, this.#limit());
    const unused = this.#allocated - pageCount + this.#source.usable();
    if (unused < overhead + left) throw this.#full(overhead, Math.max(0, unused - left));
  }

  /**
   * Pages that the transaction leaves. What a transaction frees can be taken by the one after the
   * next: a large step must leave some for small ones, or there would never be a next one.
   */
  #left(counts: PageCounts, limit: number | undefined): number {
    const reserve = this.#reserve(counts, limit);
    const small = Math.floor(reserve / SMALL_STEP_SHARE);
    if (this.#use === "reclaim") return counts.changedPages <= small ? 0 : small;
    return reserveLeftBy(this.#use, reserve);
  }

  /**
   * Whether the transaction that failed last would find more pages after another one: those that the
   * one before it freed, and that a reader could still see. Says so once.
   */
  takePending(): boolean {
    const hasPending = this.#hasPending;
    this.#hasPending = false;
    return hasPending;
  }

  /** Pages that an ordinary transaction leaves. */
  #reserve({ treePages }: PageCounts, limit: number | undefined): number {
    const step = Math.min(treePages, INDEX_STEP_PAGES_MAX);
    const share = Math.max(step, treePages / INDEX_RESERVE_SHARE);
    const least = INDEX_RESERVE_SIZE_MIN / this.#pageSize;
    const bound = limit === undefined ? share : this.#limitPages(limit) / INDEX_RESERVE_SHARE;
    const most = RESERVE_SIZE_MAX / this.#pageSize;
    return Math.floor(Math.min(most, Math.max(least, Math.min(share, bound))));
  }

  /** Pages that the file may have. */
  #limitPages(limit: number | undefined): number {
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    return Math.floor((limit - SCM_FIXED_SIZE) / this.#pageSize);
  }

  #full(needed: number, free: number): Error {
    const { freePages } = this.#source.counts();
    const pending = freePages - this.#source.usable();
    this.#hasPending = pending > Math.max(2 * OVERHEAD_PAGES, needed - free);
    const size = this.#pageSize;
    const limited = this.#allocated >= this.#limitPages(this.#limit());
    const facts = { tier: "scm", needed: needed * size, free: free * size, limited } as const;
    return noSpace(this.#what, facts);
  }

  /** Allocates the file up to `needed` pages, or some more; on a full tier, what there is of it. */
  #grow(needed: number): boolean {
    const size = this.#pageSize;
    const limit = this.#limitPages(this.#limit());
    const quarter = (this.#allocated * size) / 4;
    const step = Math.min(INDEX_GROWTH_SIZE_MAX, Math.max(INDEX_GROWTH_SIZE_MIN, quarter));
    const start = this.#allocated;
    for (const end of [needed + Math.ceil(step / size), needed]) {
      const reached = Math.min(limit, end);
      if (reached <= start) return false;
      try {
        storageAddon().fallocate(this.#fd, start * size, (reached - start) * size);
        this.#allocated = reached;
        return reached >= needed;
      } catch (error) {
        const code = systemCode(error);
        if (code !== "ENOSPC" && code !== "EDQUOT") throw error;
      }
    }
    return false;
  }

  /**
   * Gives back what was allocated beyond a new limit of the tier. Call it under the writer lock.
   *
   * @throws {@link DaosError} `DER_NOSPACE` if more is in use.
   */
  shrinkTo(limit: number): void {
    const pages = this.#limitPages(limit);
    if (pages >= this.#allocated) return;
    const counts = this.#source.counts();
    const needed = counts.pageCount + this.#reserve(counts, limit);
    if (pages < needed) {
      const size = this.#pageSize;
      const facts = { tier: "scm", needed: needed * size, free: pages * size } as const;
      throw noSpace(this.#what, { ...facts, limited: true });
    }
    fs.ftruncateSync(this.#fd, pages * this.#pageSize);
    this.#allocated = pages;
  }

  /** Allocates the ballast of an index that was just made; on a full disk it comes later. */
  allocateBallast(): void {
    this.begin("Allocating the index", "write");
    const counts = this.#source.counts();
    this.#grow(counts.pageCount + OVERHEAD_PAGES + this.#reserve(counts, undefined));
  }

  /**
   * Space of the index.
   *
   * @param available What the file system still has, in bytes.
   */
  space(available: number): IndexSpace {
    const counts = this.#source.counts();
    const { pageCount, freePages } = counts;
    const limit = this.#limit();
    const used = fs.fstatSync(this.#fd).size;
    const live = (pageCount - freePages) * this.#pageSize;
    const room = limit === undefined ? available : Math.max(0, limit - SCM_FIXED_SIZE - used);
    const kept = (this.#reserve(counts, limit) + OVERHEAD_PAGES) * this.#pageSize;
    return { used, live, free: Math.max(0, used - live + Math.min(available, room) - kept) };
  }

  /** Closes the file. */
  close(): void {
    fs.closeSync(this.#fd);
  }
}
