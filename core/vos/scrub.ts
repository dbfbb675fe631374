/**
 * The scrubber: reads every block that a run refers to and says which objects are damaged, and where.
 *
 *     index    run ─▶ pieces ─▶ blocks ─▶ checked, through the device
 *                        ▲                   │
 *              array ranges ◀── run still there? ◀── damaged blocks
 *
 * A pass walks the runs in the order of their keys, in steps of bounded size. Between steps it holds no
 * lock, no descriptor and no state of the index, so that writers, aggregation and recycling go on.
 *
 * 1. A run that is removed meanwhile is not reported: its segment may be another one by now.
 * 2. A run that is committed or merged behind the pass is left to the next one.
 * 3. Bytes that no run refers to are not read, but for those that share a block with others.
 *
 * Before the runs, the pages of the index are checked, in which single values of up to 4 KiB lie
 * (index-scrub.ts).
 *
 * @module
 */

import type { IndexReader } from "../index/index-store.js";
import { KeySpace, prefixEnd } from "../index/key-codec.js";
import {
  CHECKSUM_BLOCK_SIZE,
  RESOLVE_RETRIES_MAX,
  SCRUB_BATCH_COUNT,
  SCRUB_BATCH_SIZE,
  SCRUB_DAMAGES_MAX,
} from "../limits.js";
import { BlockChecker, type SegmentPlace } from "../log/block-checker.js";
import type { CommittedExtent } from "../log/segment-reader.js";
import { keysOfArray } from "./array-address.js";
import { getContainer } from "./containers.js";
import { mergedRanges, type OffsetRange, offsetsWithin } from "./damage.js";
import type { Epoch } from "./epoch.js";
import { type CheckableIndex, type IndexDamage, scrubIndex } from "./index-scrub.js";
import type { ObjectId } from "./object-id.js";
import { isHole, pieceSize, type Run } from "./piece.js";
import { decodeRun, parseRunKey } from "./run-format.js";

/** Bytes of a page of the index, about: steps are counted in them. */
const INDEX_PAGE_SIZE = 4096;

/** A range of an array, or of a long value, that cannot be read. */
export interface Damage {
  /** Label of the container. */
  readonly container: string;
  /** The array, or the object that it lies in. */
  readonly oid: ObjectId;
  /** Of an array or a value under keys: the distribution key. */
  readonly dkey: Uint8Array | undefined;
  /** Likewise the attribute key. */
  readonly akey: Uint8Array | undefined;
  /** The commit that wrote the range: views of it and of later epochs are concerned. */
  readonly epoch: Epoch;
  /** First byte of the array. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
  /** Segment that the damaged blocks are in. */
  readonly segment: number;
}

/** What a step of a pass, or a whole one, has checked and found. */
export interface ScrubReport {
  /** Runs whose blocks were all checked. */
  readonly runs: number;
  /** Blocks read; a partial last block counts for each run that ends in it. */
  readonly blocks: number;
  /** Bytes of them. */
  readonly bytes: number;
  /**
   * What cannot be read, in order of container, object and epoch (newest first); the first 65,536
   * ranges in the report of a whole pass.
   */
  readonly damages: readonly Damage[];
  /** How many damaged ranges there are. */
  readonly damageCount: number;
  /** Pages of the index that were read. */
  readonly pages: number;
  /** Damaged pages of the index. If there are any, the pass ends with them: runs are read through the index. */
  readonly indexDamages: readonly IndexDamage[];
}

/** What a scrubber reads. */
export interface ScrubSource {
  readonly index: IndexReader & CheckableIndex;
  readonly segments: SegmentPlace;
}

interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The damaged ranges of one run, by segment. */
type DamagedRanges = Map<number, OffsetRange[]>;

/** The sum of the steps of a pass. */
export function summed(steps: Iterable<ScrubReport>): ScrubReport {
  const damages: Damage[] = [];
  const indexDamages: IndexDamage[] = [];
  const total = { runs: 0, blocks: 0, bytes: 0, damageCount: 0, pages: 0 };
  for (const step of steps) {
    total.runs += step.runs;
    total.blocks += step.blocks;
    total.bytes += step.bytes;
    total.damageCount += step.damageCount;
    total.pages += step.pages;
    indexDamages.push(...step.indexDamages);
    damages.push(...step.damages.slice(0, SCRUB_DAMAGES_MAX - damages.length));
  }
  return { ...total, damages, indexDamages };
}

/** One pass over a pool. */
export class Scrubber {
  readonly #source: ScrubSource;
  readonly #stepSize: number;
  readonly #checker: BlockChecker;
  #damages: Damage[] = [];
  #runs = 0;
  #pages = 0;
  #indexDamages: IndexDamage[] = [];
  /** Counts of the checker when the step began. */
  #before = { blocks: 0, bytes: 0 };
  /** Bytes of runs decoded in this step, which cost time too. */
  #decoded = 0;

  /** @param stepSize Bytes after which a step ends, at the next block. */
  constructor(source: ScrubSource, stepSize: number) {
    this.#source = source;
    this.#stepSize = stepSize;
    this.#checker = new BlockChecker(source.segments);
  }

  /** Runs the pass; yields what each step has checked. */
  *steps(): Generator<ScrubReport, void, undefined> {
    const prefix = Uint8Array.of(KeySpace.run);
    const end = prefixEnd(prefix);
    try {
      const isSound = yield* this.#scrubIndex();
      for (let start = isSound ? prefix : undefined; start !== undefined; ) {
        const batch = this.#batch(start, end);
        for (const entry of batch) yield* this.#scrub(entry);
        const last = batch.at(-1);
        start = last === undefined ? undefined : Uint8Array.of(...last.key, 0);
      }
      yield this.#step();
    } finally {
      this.#checker.release();
    }
  }

  /** Checks the pages of the index; returns whether all were sound. */
  *#scrubIndex(): Generator<ScrubReport, boolean, undefined> {
    let isSound = true;
    const pagesMax = Math.max(1, Math.ceil(this.#stepSize / INDEX_PAGE_SIZE));
    for (const { pages, damage } of scrubIndex(() => this.#source.index, pagesMax)) {
      this.#pages += pages;
      if (damage !== undefined) {
        this.#indexDamages.push(damage);
        isSound = false;
      }
      if (this.#pages >= pagesMax) yield this.#step();
    }
    return isSound;
  }

  #batch(start: Uint8Array, end: Uint8Array): Entry[] {
    const entries: Entry[] = [];
    let size = 0;
    this.#source.index.visit({ start, end }, (key, value) => {
      entries.push({ key, value });
      size += value.length;
      return entries.length < SCRUB_BATCH_COUNT && size < SCRUB_BATCH_SIZE;
    });
    return entries;
  }

  /** Ends a step: lets go of the segments and hands out the counts. */
  #step(): ScrubReport {
    this.#checker.release();
    const { blocks, bytes } = this.#checker;
    const report = {
      runs: this.#runs,
      blocks: blocks - this.#before.blocks,
      bytes: bytes - this.#before.bytes,
      damages: this.#damages,
      damageCount: this.#damages.length,
      pages: this.#pages,
      indexDamages: this.#indexDamages,
    };
    this.#pages = 0;
    this.#indexDamages = [];
    this.#before = { blocks, bytes };
    this.#damages = [];
    this.#runs = 0;
    this.#decoded = 0;
    return report;
  }

  get #isStepDone(): boolean {
    return this.#checker.bytes - this.#before.bytes + this.#decoded >= this.#stepSize;
  }

  *#scrub({ key, value }: Entry): Generator<ScrubReport, void, undefined> {
    let current = value;
    for (let attempt = 0; attempt < RESOLVE_RETRIES_MAX; attempt++) {
      const run = { ...decodeRun(current), ...parseRunKey(key) };
      this.#decoded += current.length;
      const damaged = yield* this.#check(run);
      if (damaged.size === 0) break;
      const now = this.#source.index.get(key);
      if (now === undefined) return;
      if (Buffer.compare(now, current) === 0) {
        this.#report(key, damaged);
        break;
      }
      // Rewritten under its key: what was checked is not what it refers to now.
      current = now;
    }
    this.#runs += 1;
  }

  *#check(run: Run): Generator<ScrubReport, DamagedRanges, undefined> {
    const extents = new Map(run.extents.map((extent) => [extent.segment, extent]));
    const damaged: DamagedRanges = new Map();
    // Pieces of a run share a segment's partial last block, which the checker does not remember.
    const tails = new Map<number, boolean>();
    for (const piece of run.pieces) {
      if (isHole(piece)) continue;
      const extent = extents.get(piece.segment) as CommittedExtent;
      const end = piece.position + pieceSize(piece);
      const first = Math.floor(piece.position / CHECKSUM_BLOCK_SIZE);
      for (let block = first; block * CHECKSUM_BLOCK_SIZE < end; block++) {
        if (this.#isStepDone) yield this.#step();
        const start = block * CHECKSUM_BLOCK_SIZE;
        const isTail = start + CHECKSUM_BLOCK_SIZE > extent.end;
        const known = isTail ? tails.get(extent.segment) : undefined;
        const intact = known ?? this.#checker.isIntact(block, extent);
        if (isTail) tails.set(extent.segment, intact);
        if (intact) continue;
        const ranges = damaged.get(extent.segment) ?? [];
        ranges.push(...offsetsWithin(piece, { start, end: start + CHECKSUM_BLOCK_SIZE }));
        damaged.set(extent.segment, ranges);
      }
    }
    return damaged;
  }

  #report(key: Uint8Array, damaged: DamagedRanges): void {
    const { oid, epoch, path } = parseRunKey(key);
    const id = new DataView(key.buffer, key.byteOffset).getUint32(1);
    const keys = keysOfArray(this.#source.index, { container: id, oid, path });
    const [dkey, akey] = [keys?.dkey, keys?.akey];
    const container = getContainer(this.#source.index, id)?.label ?? String(id);
    for (const [segment, ranges] of damaged) {
      for (const { start, end } of mergedRanges(ranges)) {
        this.#damages.push({ container, oid, dkey, akey, epoch, start, end, segment });
      }
    }
  }
}
