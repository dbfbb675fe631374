/**
 * Property: resolve() shows what replaying the writes, oldest first, into plain cells would show.
 *
 * Method: random pieces (ranges of patterns that begin and end inside blocks) over 64 offsets, so that
 * most of them overlap. Every packed byte of the query must be reported once, from the newest piece
 * that covers it, or as a hole.
 */

import { describe, expect, test } from "@jest/globals";
import { Pattern, wholeOf } from "daos-ts";
import fc from "fast-check";
import {
  LAYERS_RECENT_MAX,
  LAYERS_UNINDEXED_MAX,
  RESOLVE_BATCH_COUNT,
} from "../../dist/core/limits.js";
import { LayerIndex } from "../../dist/core/vos/layer-index.js";
import { firstOffset, lastOffset, type PatternRange } from "../../dist/core/vos/pattern.js";
import type { Layer } from "../../dist/core/vos/piece.js";
import { resolve } from "../../dist/core/vos/resolve.js";
import { fcOptions, seed } from "../support/property.ts";
import { OFFSETS_MAX, offsetsOf, range, shape } from "./support/patterns.ts";
import { randomFrom } from "./support/random.ts";

const HOLE = "hole";

/** Layers of pieces given oldest first; each lies in a segment of its own. */
function layersOf(ranges: readonly PatternRange[]): Layer[] {
  return ranges.map((ranged, segment) => ({
    piece: { ...ranged, segment: segment + 1, position: 0 },
    start: firstOffset(ranged),
    end: lastOffset(ranged),
  }));
}

function indexOf(ranges: readonly PatternRange[]): LayerIndex {
  return LayerIndex.of(layersOf(ranges));
}

/** What resolve() says of each packed byte of the query. */
function resolved(query: PatternRange, index: LayerIndex): string[] {
  const cells = new Array<string>(query.to - query.from).fill("");
  const put = (target: number, size: number, name: (byte: number) => string) => {
    // Plain checks: there are very many of them.
    if (size <= 0) throw new Error(`a part of ${size} bytes`);
    for (let byte = 0; byte < size; byte++) {
      if (cells[target + byte] !== "") throw new Error(`byte ${target + byte} is reported twice`);
      cells[target + byte] = name(byte);
    }
  };
  resolve(query, index, {
    fragment: ({ piece }, target, packed, size) =>
      put(target, size, (byte) => `${piece.segment}:${packed + byte}`),
    hole: (target, size) => put(target, size, () => HOLE),
  });
  return cells;
}

/** The same by brute force. */
function replayed(query: PatternRange, ranges: readonly PatternRange[]): string[] {
  const array = new Array<string>(OFFSETS_MAX).fill(HOLE);
  for (const [segment, { pattern, from, to }] of ranges.entries()) {
    const offsets = offsetsOf(pattern);
    for (let packed = from; packed < to; packed++) {
      array[offsets[packed] as number] = `${segment + 1}:${packed}`;
    }
  }
  const offsets = offsetsOf(query.pattern).slice(query.from, query.to);
  return offsets.map((offset) => array[offset] as string);
}

/** A quarter of a cube of bytes: a half of its first and of its second dimension. */
function subarray({ rank, count }: { rank: number; count: number }): PatternRange {
  const half = count / 2;
  const start = (rank >> 1) * half * count * count + (rank & 1) * half * count;
  const levels = [
    { stride: count, count: half },
    { stride: count * count, count: half },
  ];
  return wholeOf(new Pattern({ start, blockLength: count, levels }));
}

describe("resolve()", () => {
  test("agrees with the replayed writes, byte for byte", () => {
    const ranges = fc.oneof(
      fc.array(range, { maxLength: 12 }),
      fc.array(range, { minLength: LAYERS_UNINDEXED_MAX + 1, maxLength: 30 }),
    );
    fc.assert(
      fc.property(ranges, fc.nat(), range, (written, cut, query) => {
        // The newest layers are walked, the others found in the index.
        const layers = layersOf(written);
        const indexed = cut % (layers.length + 1);
        const index = LayerIndex.of(layers.slice(0, indexed)).extended(layers.slice(indexed));
        expect(resolved(query, index)).toEqual(replayed(query, written));
      }),
      fcOptions(2000),
    );
  });

  test("agrees with them where a few patterns come again and again, in parts", () => {
    const few = fc.array(shape, { minLength: 1, maxLength: 3 });
    const picks = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(few, picks, (shapes, picked) => {
        const patterns = shapes.map((shaped) => new Pattern(shaped));
        const ranges = picked.map(([which, first, second]) => {
          const pattern = patterns[which % patterns.length] as Pattern;
          const from = first % pattern.size;
          return { pattern, from, to: from + 1 + (second % (pattern.size - from)) };
        });
        const query = ranges.pop() as PatternRange;
        expect(resolved(query, indexOf(ranges))).toEqual(replayed(query, ranges));
      }),
      fcOptions(2000),
    );
  });

  test("agrees with them after many extensions of an index", () => {
    const random = randomFrom(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const written: PatternRange[] = [];
    let index = LayerIndex.of<Layer>([]);
    for (let round = 0; round < 60; round++) {
      const added = Array.from({ length: 1 + below(40) }, () => {
        const start = below(OFFSETS_MAX - 8);
        if (below(4) > 0) return wholeOf(Pattern.contiguous(start, start + 1 + below(8)));
        const levels = [{ stride: 2 + below(2), count: 1 + below(3) }];
        return wholeOf(new Pattern({ start, blockLength: 1, levels }));
      });
      written.push(...added);
      index = index.extended(layersOf(written).slice(-added.length));
      const all = wholeOf(Pattern.contiguous(0, OFFSETS_MAX));
      expect(resolved(all, index)).toEqual(replayed(all, written));
    }
    // What is hidden is forgotten.
    expect(written.length).toBeGreaterThan(LAYERS_RECENT_MAX * 3);
    expect(index.count).toBeLessThan(LAYERS_RECENT_MAX * 2);
  });

  test("shows blocks of a subarray as they were written, a fragment each", () => {
    const blocks = [0, 1, 2, 3].map((rank) => subarray({ rank, count: 16 }));
    const index = indexOf([...blocks, ...blocks]);
    for (const [rank, query] of blocks.entries()) {
      const fragments: unknown[] = [];
      resolve(query, index, {
        fragment: ({ piece }, target, packed, size) =>
          fragments.push([piece.segment, target, packed, size]),
        hole: () => fragments.push(HOLE),
      });
      expect(fragments).toEqual([[5 + rank, 0, 0, query.to]]);
    }
  });

  test("covers a query whose blocks fill several batches", () => {
    const count = RESOLVE_BATCH_COUNT * 2 + 3;
    const query = wholeOf(
      new Pattern({ start: 1, blockLength: 2, levels: [{ stride: 4, count }] }),
    );
    const written = wholeOf(
      new Pattern({ start: 0, blockLength: 2, levels: [{ stride: 4, count: count + 1 }] }),
    );
    const cells = resolved(query, indexOf([written]));
    // Of each block [4k + 1, 4k + 3), the first byte is the written block's second one.
    const expected = Array.from({ length: count }, (_, block) => [`1:${2 * block + 1}`, HOLE]);
    expect(cells).toEqual(expected.flat());
  });

  test("covers one block that a layer splits into more parts than a batch", () => {
    const count = RESOLVE_BATCH_COUNT * 3;
    const holes = new Pattern({ start: 0, blockLength: 1, levels: [{ stride: 2, count }] });
    const query = wholeOf(Pattern.contiguous(0, 2 * count));
    const below = wholeOf(Pattern.contiguous(0, 2 * count - 1));
    const cells = resolved(query, indexOf([below, wholeOf(holes)]));
    const expected = Array.from({ length: count }, (_, index) => [
      `2:${index}`,
      index === count - 1 ? HOLE : `1:${2 * index + 1}`,
    ]);
    expect(cells).toEqual(expected.flat());
  });

  test("goes on after a sink that threw", () => {
    const query = wholeOf(Pattern.contiguous(0, 8));
    const index = indexOf([wholeOf(Pattern.contiguous(2, 4))]);
    const broken = {
      fragment: () => {
        throw new Error("broken sink");
      },
      hole: () => {},
    };
    expect(() => resolve(query, index, broken)).toThrow("broken sink");
    expect(resolved(query, index)).toEqual([HOLE, HOLE, "1:0", "1:1", HOLE, HOLE, HOLE, HOLE]);
  });
});
