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
import { RESOLVE_BATCH_COUNT } from "../../dist/core/limits.js";
import { firstOffset, lastOffset, type PatternRange } from "../../dist/core/vos/pattern.js";
import { type Layer, resolve } from "../../dist/core/vos/resolve.js";
import { fcOptions } from "../support/property.ts";
import { OFFSETS_MAX, offsetsOf, range } from "./support/patterns.ts";

const HOLE = "hole";

/** Layers of pieces given oldest first; each lies in a segment of its own. */
function layersOf(ranges: readonly PatternRange[]): Layer[] {
  return ranges
    .map((ranged, segment) => ({
      piece: { ...ranged, segment, position: 0 },
      start: firstOffset(ranged),
      end: lastOffset(ranged),
    }))
    .reverse();
}

/** What resolve() says of each packed byte of the query. */
function resolved(query: PatternRange, layers: readonly Layer[]): string[] {
  const cells = new Array<string>(query.to - query.from).fill("");
  const put = (target: number, size: number, name: (byte: number) => string) => {
    // Plain checks: there are very many of them.
    if (size <= 0) throw new Error(`a part of ${size} bytes`);
    for (let byte = 0; byte < size; byte++) {
      if (cells[target + byte] !== "") throw new Error(`byte ${target + byte} is reported twice`);
      cells[target + byte] = name(byte);
    }
  };
  resolve(query, layers, {
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
      array[offsets[packed] as number] = `${segment}:${packed}`;
    }
  }
  const offsets = offsetsOf(query.pattern).slice(query.from, query.to);
  return offsets.map((offset) => array[offset] as string);
}

describe("resolve()", () => {
  test("agrees with the replayed writes, byte for byte", () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), range, (ranges, query) => {
        expect(resolved(query, layersOf(ranges))).toEqual(replayed(query, ranges));
      }),
      fcOptions(1000),
    );
  });

  test("covers a query whose blocks fill several batches", () => {
    const count = RESOLVE_BATCH_COUNT * 2 + 3;
    const query = wholeOf(
      new Pattern({ start: 1, blockLength: 2, levels: [{ stride: 4, count }] }),
    );
    const written = wholeOf(
      new Pattern({ start: 0, blockLength: 2, levels: [{ stride: 4, count: count + 1 }] }),
    );
    const cells = resolved(query, layersOf([written]));
    // Of each block [4k + 1, 4k + 3), the first byte is the written block's second one.
    const expected = Array.from({ length: count }, (_, block) => [`0:${2 * block + 1}`, HOLE]);
    expect(cells).toEqual(expected.flat());
  });

  test("covers one block that a layer splits into more parts than a batch", () => {
    const count = RESOLVE_BATCH_COUNT * 3;
    const holes = new Pattern({ start: 0, blockLength: 1, levels: [{ stride: 2, count }] });
    const query = wholeOf(Pattern.contiguous(0, 2 * count));
    const below = wholeOf(Pattern.contiguous(0, 2 * count - 1));
    const cells = resolved(query, layersOf([below, wholeOf(holes)]));
    const expected = Array.from({ length: count }, (_, index) => [
      `1:${index}`,
      index === count - 1 ? HOLE : `0:${2 * index + 1}`,
    ]);
    expect(cells).toEqual(expected.flat());
  });

  test("goes on after a sink that threw", () => {
    const query = wholeOf(Pattern.contiguous(0, 8));
    const layers = layersOf([wholeOf(Pattern.contiguous(2, 4))]);
    const broken = {
      fragment: () => {
        throw new Error("broken sink");
      },
      hole: () => {},
    };
    expect(() => resolve(query, layers, broken)).toThrow("broken sink");
    expect(resolved(query, layers)).toEqual([HOLE, HOLE, "0:0", "0:1", HOLE, HOLE, HOLE, HOLE]);
  });
});
