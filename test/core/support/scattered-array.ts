/**
 * An array of 4 KiB blocks that is overwritten here and there, and what a container's index says of it:
 * what aggregation merges and copies, with a model that knows every block at every version.
 *
 * @module
 */

import { join } from "node:path";
import { type Container, type ContainerView, Pattern, type Pool, wholeOf } from "daos-ts";
import { IndexStore } from "../../../dist/core/index/index-store.js";
import { KeySpace, prefixEnd } from "../../../dist/core/index/key-codec.js";
import { listSegments } from "../../../dist/core/log/segment-record.js";
import { isHole, pieceSize } from "../../../dist/core/vos/piece.js";
import { decodeRun } from "../../../dist/core/vos/run-format.js";
import { randomFrom } from "./random.ts";

export const BLOCK_SIZE = 4096;
export const BLOCK_COUNT = 512;
export const ARRAY_SIZE = BLOCK_SIZE * BLOCK_COUNT;
const OID = 1n;

/** The tag of a block's bytes: of which version it is. */
function fill(target: Uint8Array, tag: number): void {
  // Not one byte repeated, so that a block shifted by some bytes is seen.
  for (let at = 0; at < target.length; at++) target[at] = tag * 37 + at + (at >> 8);
}

/** What the array should hold, by block: 0 for what was never written. */
export class ScatteredArray {
  readonly #container: Container;
  readonly #random: () => number;
  readonly #oid: bigint;
  /** Tags of the blocks after each commit, by epoch. */
  readonly versions = new Map<bigint, Uint32Array>();
  #head = new Uint32Array(BLOCK_COUNT);
  #tag = 0;

  constructor(container: Container, seed: number, oid = OID) {
    this.#container = container;
    this.#random = randomFrom(seed);
    this.#oid = oid;
  }

  /** Commits `count` blocks at random places. */
  scatter(count: number): bigint {
    return this.write(
      Array.from({ length: count }, () => Math.floor(this.#random() * BLOCK_COUNT)),
    );
  }

  /** Commits all blocks, in one piece. */
  writeAll(): bigint {
    return this.write(Array.from({ length: BLOCK_COUNT }, (_, block) => block));
  }

  /** Commits every `stride`-th block, as one regular pattern. */
  writeStrided(first: number, stride: number): bigint {
    const count = Math.ceil((BLOCK_COUNT - first) / stride);
    const levels = [{ stride: stride * BLOCK_SIZE, count }];
    const start = first * BLOCK_SIZE;
    const pattern = new Pattern({ start, blockLength: BLOCK_SIZE, levels });
    const blocks = Array.from({ length: count }, (_, at) => first + at * stride);
    const bytes = this.#bytesOf(blocks);
    const incarnation = this.#container.incarnation(this.#oid);
    const { epoch } = this.#container.update((tx) =>
      tx.write(this.#oid, wholeOf(pattern), bytes, incarnation),
    );
    return this.#committed(epoch);
  }

  /** Commits some blocks, each written on its own. */
  write(blocks: readonly number[]): bigint {
    const bytes = this.#bytesOf(blocks);
    const incarnation = this.#container.incarnation(this.#oid);
    const { epoch } = this.#container.update((tx) => {
      for (const [at, block] of blocks.entries()) {
        const start = block * BLOCK_SIZE;
        const range = wholeOf(Pattern.contiguous(start, start + BLOCK_SIZE));
        const part = bytes.subarray(at * BLOCK_SIZE, (at + 1) * BLOCK_SIZE);
        tx.write(this.#oid, range, part, incarnation);
      }
    });
    return this.#committed(epoch);
  }

  /** Punches the array. */
  punch(): bigint {
    this.#head = new Uint32Array(BLOCK_COUNT);
    return this.#committed(this.#container.update((tx) => tx.punch(this.#oid)).epoch);
  }

  #bytesOf(blocks: readonly number[]): Uint8Array {
    this.#head = this.#head.slice();
    const bytes = new Uint8Array(blocks.length * BLOCK_SIZE);
    for (const [at, block] of blocks.entries()) {
      this.#tag += 1;
      fill(bytes.subarray(at * BLOCK_SIZE, (at + 1) * BLOCK_SIZE), this.#tag);
      this.#head[block] = this.#tag;
    }
    return bytes;
  }

  #committed(epoch: bigint): bigint {
    this.versions.set(epoch, this.#head);
    return epoch;
  }

  /** The bytes of the version that an epoch shows. */
  bytesAt(epoch: bigint): Uint8Array {
    const newest = [...this.versions.keys()].filter((one) => one <= epoch).at(-1);
    const tags = newest === undefined ? undefined : this.versions.get(newest);
    const bytes = new Uint8Array(ARRAY_SIZE);
    for (const [block, tag] of (tags ?? []).entries()) {
      if (tag !== 0) fill(bytes.subarray(block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE), tag);
    }
    return bytes;
  }

  /** Throws if a view shows anything else. */
  check(view: ContainerView): void {
    const read = view.readBytes(this.#oid, 0, ARRAY_SIZE);
    const expected = this.bytesAt(view.epoch);
    if (Buffer.compare(read, expected) === 0) return;
    const at = expected.findIndex((byte, index) => byte !== read[index]);
    throw new Error(`epoch ${view.epoch} differs from byte ${at} on`);
  }
}

/** What the index of a pool says of its arrays. */
export interface IndexCount {
  readonly runs: number;
  readonly pieces: number;
  /** Bytes that runs refer to, by segment. */
  readonly live: ReadonlyMap<number, number>;
}

function withIndex<T>(pool: Pool, work: (index: IndexStore) => T): T {
  const index = IndexStore.open(join(pool.path, "scm", "index.mdb"), { durable: false });
  try {
    return work(index);
  } finally {
    index.close();
  }
}

/** Counts what the runs of a pool refer to. */
export function countIndex(pool: Pool): IndexCount {
  return withIndex(pool, (index) => {
    const start = Uint8Array.of(KeySpace.run);
    const live = new Map<number, number>();
    let runs = 0;
    let pieces = 0;
    index.visit({ start, end: prefixEnd(start) }, (_key, value) => {
      runs += 1;
      for (const piece of decodeRun(value).pieces) {
        pieces += 1;
        if (isHole(piece)) continue;
        live.set(piece.segment, (live.get(piece.segment) ?? 0) + pieceSize(piece));
      }
      return true;
    });
    return { runs, pieces, live };
  });
}

/** Throws if the live size of a segment is not what runs refer to. */
export function checkLiveSizes(pool: Pool): void {
  const { live } = countIndex(pool);
  const recorded = withIndex(pool, listSegments).filter(({ record }) => record.liveSize > 0);
  const found = new Map(recorded.map(({ id, record }) => [id, record.liveSize]));
  const text = (sizes: ReadonlyMap<number, number>) =>
    [...sizes].sort(([a], [b]) => a - b).join(" ");
  if (text(found) !== text(live)) {
    throw new Error(`live sizes are ${text(found)}, runs refer to ${text(live)}`);
  }
}

/** Bytes of the segments that are not free, as far as they are committed. */
export function committedSize(pool: Pool): number {
  return withIndex(pool, listSegments)
    .filter(({ record }) => record.state !== "free")
    .reduce((sum, { record }) => sum + record.committedSize, 0);
}
