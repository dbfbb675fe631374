/**
 * Property: the pieces of a RunBuilder say the same as the writes that went in.
 *
 * Method: random writes, contiguous and strided, whose bytes a toy log places in parts in two segments;
 * replaying the pieces must show, at every offset, the log position that replaying the writes shows.
 */

import { describe, expect, test } from "@jest/globals";
import { Pattern, wholeOf } from "daos-ts";
import fc from "fast-check";
import type { PatternRange } from "../../dist/core/vos/pattern.js";
import { RunBuilder } from "../../dist/core/vos/run-builder.js";
import { encodeRun } from "../../dist/core/vos/run-format.js";
import { fcOptions } from "../support/property.ts";
import { OFFSETS_MAX, offsetsOf, range } from "./support/patterns.ts";

interface Write {
  readonly range: PatternRange;
  /** Bytes of another transaction that come before it in the log. */
  readonly gap: number;
  /** Where the log cuts it: a part for each segment. */
  readonly cut: number;
}

const contiguous = fc
  .tuple(fc.nat({ max: OFFSETS_MAX - 8 }), fc.integer({ min: 1, max: 8 }))
  .map(([start, size]) => wholeOf(Pattern.contiguous(start, start + size)));

const write: fc.Arbitrary<Write> = fc.record({
  range: fc.oneof({ weight: 3, arbitrary: contiguous }, { weight: 1, arbitrary: range }),
  gap: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(3) }),
  cut: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat() }),
});

/** Series of equal records, as a simulation writes them: these must fold. */
const series: fc.Arbitrary<Write[]> = fc
  .record({
    start: fc.nat({ max: 8 }),
    size: fc.integer({ min: 1, max: 4 }),
    gap: fc.nat({ max: 3 }),
    count: fc.integer({ min: 1, max: 6 }),
  })
  .map(({ start, size, gap, count }) =>
    Array.from({ length: count }, (_, index) => {
      const at = start + index * (size + gap);
      return { range: wholeOf(Pattern.contiguous(at, at + size)), gap: 0, cut: 0 };
    }),
  );

const writes = fc
  .array(fc.oneof(series, fc.array(write, { maxLength: 4 })), { maxLength: 4 })
  .map((groups) => groups.flat());

/** Appends writes as a log would; returns the builder and what a replay of the writes shows. */
function append(all: readonly Write[]): { builder: RunBuilder; shown: Map<number, string> } {
  const builder = new RunBuilder();
  const shown = new Map<number, string>();
  const ends = [0, 0];
  let segment = 0;
  for (const { range: ranged, gap, cut } of all) {
    ends[segment] = (ends[segment] as number) + gap;
    const offsets = offsetsOf(ranged.pattern).slice(ranged.from, ranged.to);
    const sizes = cut % offsets.length === 0 ? [offsets.length] : [cut % offsets.length];
    if (sizes[0] !== offsets.length) sizes.push(offsets.length - (sizes[0] as number));
    builder.begin(ranged);
    for (const [part, size] of sizes.entries()) {
      if (part > 0) segment = 1 - segment;
      const position = ends[segment] as number;
      builder.place(segment, position, size);
      ends[segment] = position + size;
      for (const [byte, offset] of offsets.splice(0, size).entries()) {
        shown.set(offset, `${segment}:${position + byte}`);
      }
    }
  }
  return { builder, shown };
}

describe("RunBuilder", () => {
  test("its pieces show what the writes show", () => {
    fc.assert(
      fc.property(writes, (all) => {
        const { builder, shown } = append(all);
        const replay = new Map<number, string>();
        for (const { pattern, from, to, segment, position } of builder.pieces) {
          for (const [byte, offset] of offsetsOf(pattern).slice(from, to).entries()) {
            replay.set(offset, `${segment}:${position + byte}`);
          }
        }
        const sorted = (map: Map<number, string>) => [...map].sort(([a], [b]) => a - b);
        expect(sorted(replay)).toEqual(sorted(shown));
        if (shown.size === 0) return;
        expect(builder.start).toBe(Math.min(...shown.keys()));
        expect(builder.end).toBe(Math.max(...shown.keys()) + 1);
      }),
      fcOptions(1500),
    );
  });

  test("a million records at one distance become one piece of less than 100 bytes", () => {
    const builder = new RunBuilder();
    const size = 48;
    for (let record = 0; record < 1_000_000; record++) {
      const start = record * 4096 + 17;
      builder.begin(wholeOf(Pattern.contiguous(start, start + size)));
      builder.place(1, record * size, size);
    }
    const { pieces, start, end } = builder;
    expect(pieces).toHaveLength(1);
    const extents = [{ segment: 1, end: 48_000_000, tailCrc: 1 }];
    expect(encodeRun({ start, end, extents, pieces }).length).toBeLessThan(100);
  });

  test("adjoining writes become one block", () => {
    const builder = new RunBuilder();
    for (let at = 0; at < 1000; at++) {
      builder.begin(wholeOf(Pattern.contiguous(at, at + 1)));
      builder.place(1, at, 1);
    }
    expect(builder.pieces).toHaveLength(1);
    expect(builder.pieces[0]?.pattern).toMatchObject({ start: 0, blockLength: 1000, levels: [] });
  });

  test("reading the pieces between writes changes nothing that they show", () => {
    const builder = new RunBuilder();
    for (let record = 0; record < 4; record++) {
      builder.begin(wholeOf(Pattern.contiguous(record * 8, record * 8 + 4)));
      builder.place(1, record * 4, 4);
      expect(builder.end).toBe(record * 8 + 4);
    }
    const bytes = builder.pieces.reduce((sum, { from, to }) => sum + to - from, 0);
    expect(bytes).toBe(16);
  });
});
