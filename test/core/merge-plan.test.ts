/**
 * Property: what planMerge() plans can be done in steps, and after each of them every byte of the array
 * shows what it showed before, from the same place of the log.
 *
 * Method: random runs of patterns over 64 offsets, so that most of them overlap, are replayed into plain
 * cells before, between and after the steps of the plan.
 */

import { describe, expect, test } from "@jest/globals";
import { Pattern, wholeOf } from "daos-ts";
import fc from "fast-check";
import { COMPACTION_WINDOW_SIZE, MERGED_RUN_WEIGHT_MAX } from "../../dist/core/limits.js";
import { intervalsOf } from "../../dist/core/vos/kept-epochs.js";
import { type MergePlan, planMerge } from "../../dist/core/vos/merge-plan.js";
import { firstOffset, lastOffset, type PatternRange } from "../../dist/core/vos/pattern.js";
import { sortedBy } from "../../dist/core/vos/pausing.js";
import type { Piece, Run } from "../../dist/core/vos/piece.js";
import { RunBuilder } from "../../dist/core/vos/run-builder.js";
import { flatten } from "../../dist/core/vos/solid-map.js";
import { visibleParts } from "../../dist/core/vos/visible-parts.js";
import { fcOptions } from "../support/property.ts";
import { OFFSETS_MAX, offsetsOf, range } from "./support/patterns.ts";

/** A run whose pieces lie one after the other in a segment. */
function runOf(
  version: { epoch: bigint; sequence: number },
  segment: number,
  ranges: readonly PatternRange[],
): Run {
  let position = 0;
  const pieces = ranges.map((one) => {
    const piece = { ...one, segment, position };
    position += one.to - one.from;
    return piece;
  });
  return withBounds({ ...version, pieces, extents: [{ segment, end: position, tailCrc: 0 }] });
}

function withBounds(run: Omit<Run, "start" | "end">): Run {
  const start = Math.min(...run.pieces.map(firstOffset));
  const end = Math.max(...run.pieces.map(lastOffset));
  return { ...run, start, end };
}

function isNewer(a: Run, b: Run): number {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch ? -1 : 1;
  return b.sequence - a.sequence;
}

/** Where each byte lies that a reader of all runs sees, in any order given. */
function shown(runs: readonly Run[], size = OFFSETS_MAX): string[] {
  const cells = new Array<string>(size).fill("");
  for (const { pieces } of runs.toSorted(isNewer).reverse()) {
    for (const { pattern, from, to, segment, position } of pieces) {
      const offsets = offsetsOf(pattern).slice(from, to);
      for (const [at, offset] of offsets.entries()) cells[offset] = `${segment}:${position + at}`;
    }
  }
  return cells;
}

function planned(runs: readonly Run[], compact = false): MergePlan {
  const planning = planMerge(runs, { compact });
  for (;;) {
    const step = planning.next();
    if (step.done === true) return step.value;
  }
}

function piecesOf({ parts }: MergePlan["merged"][number]): readonly Piece[] {
  const builder = new RunBuilder({ formsSeries: false });
  for (const { range: ranged, start, end, segment, position, size } of parts) {
    builder.begin(ranged ?? wholeOf(Pattern.contiguous(start, end)));
    builder.place(segment, position, size);
  }
  return builder.pieces;
}

/** Does what was planned, one removal at a time, and calls `check` in between. */
function carriedOut(
  runs: readonly Run[],
  plan: MergePlan,
  check: (runs: readonly Run[]) => void,
): Run[] {
  let current = [...runs];
  const remove = (index: number) => {
    expect(current).toContain(runs[index]);
    current = current.filter((run) => run !== runs[index]);
    check(current);
  };
  for (const index of plan.hidden) remove(index);
  for (const merged of plan.merged) {
    const sameEpoch = current.filter(({ epoch }) => epoch === merged.epoch);
    const sequence = Math.max(...sameEpoch.map((run) => run.sequence)) + 1;
    const pieces = piecesOf(merged);
    const extents = [...new Set(pieces.map(({ segment }) => segment))].map((segment) => {
      return { segment, end: 1000, tailCrc: 0 };
    });
    current.push(withBounds({ epoch: merged.epoch, sequence, pieces, extents }));
    check(current);
    for (const source of merged.sources) expect(runs[source]).toBeDefined();
    for (const index of merged.finished) remove(index);
  }
  return current.toSorted(isNewer);
}

/** Carries plans out until nothing is left to do. */
function settled(runs: readonly Run[], check: (runs: readonly Run[]) => void = () => {}): Run[] {
  let current = [...runs];
  for (let round = 0; round < 8; round++) {
    const plan = planned(current);
    if (plan.hidden.length + plan.merged.length === 0) return current;
    current = carriedOut(current, plan, check);
  }
  throw new Error("plans do not come to an end");
}

const runs = fc
  .array(fc.tuple(fc.nat({ max: 3 }), fc.array(range, { minLength: 1, maxLength: 4 })), {
    minLength: 1,
    maxLength: 20,
    size: "max",
  })
  .map((given) => {
    let epoch = 10n;
    let sequence = 0;
    return given
      .map(([step, ranges], index) => {
        // Segments are counted from 1.
        const segment = index + 1;
        epoch += BigInt(step);
        sequence = step === 0 ? sequence + 1 : 0;
        return runOf({ epoch, sequence }, segment, ranges);
      })
      .reverse();
  });

/** A run of one contiguous piece. */
function block(number: number, start: number, end: number, position = 0): Run {
  const pattern = Pattern.contiguous(start, end);
  const piece = { pattern, from: 0, to: end - start, segment: 1, position };
  const extents = [{ segment: 1, end: position + end - start, tailCrc: 0 }];
  return withBounds({ epoch: BigInt(number), sequence: 0, pieces: [piece], extents });
}

describe("planMerge()", () => {
  test("shows the same after each step, and comes to an end", () => {
    let merged = 0;
    fc.assert(
      fc.property(runs, (given) => {
        const before = shown(given);
        const after = settled(given, (current) => expect(shown(current)).toEqual(before));
        expect(after.length).toBeLessThanOrEqual(given.length);
        merged += given.length - after.length;
        // What is not referred to any more is what nothing shows, as far as it pays to say so.
        expect(planned(after)).toEqual({ hidden: [], merged: [] });
      }),
      fcOptions(150),
    );
    expect(merged).toBeGreaterThan(200);
  });

  test("removes exactly the runs of which nothing is shown", () => {
    fc.assert(
      fc.property(runs, (given) => {
        const cells = shown(given);
        const isShown = ({ pieces }: Run) =>
          cells.some((cell) => cell.startsWith(`${pieces[0]?.segment}:`));
        const { hidden } = planned(given);
        expect(hidden).toEqual([...given.keys()].filter((at) => !isShown(given[at] as Run)));
      }),
      fcOptions(300),
    );
  });

  test("puts blocks that adjoin in array and log together, and bounds the runs", () => {
    // Blocks written backwards: each lies elsewhere, but pairs adjoin.
    const count = 3000;
    const given = Array.from({ length: count }, (_, at) => {
      const offset = at * 10;
      return block(at + 1, offset, offset + 10, (at ^ 1) * 1000 + (at % 2) * 10);
    }).reverse();
    const after = settled(given);
    expect(after.length).toBe(Math.ceil(count / MERGED_RUN_WEIGHT_MAX));
    const adjoining = Array.from({ length: count }, (_, at) =>
      block(at + 1, at * 10, at * 10 + 10, at * 10),
    ).reverse();
    const [one, ...others] = settled(adjoining);
    expect(others).toEqual([]);
    expect(one?.pieces.map(({ from, to }) => [from, to])).toEqual([[0, count * 10]]);
  });

  test("lets go of a run that goes over several merged ones with the last of them", () => {
    // Each run has pieces all over the array, and hides two thirds of those before it.
    const given = Array.from({ length: 6 }, (_, run) =>
      runOf(
        { epoch: BigInt(run + 1), sequence: 0 },
        run,
        Array.from({ length: 3000 }, (_, slot) => slot)
          .filter((slot) => (slot * 7 + run) % 3 !== 0)
          .map((slot) => wholeOf(Pattern.contiguous(slot * 3, slot * 3 + 2))),
      ),
    ).reverse();
    const before = shown(given, 10_000);
    const plan = planned(given);
    expect(plan.merged.length).toBeGreaterThan(2);
    const after = carriedOut(given, plan, (current) =>
      expect(shown(current, 10_000).join()).toBe(before.join()),
    );
    expect(after).toHaveLength(plan.merged.length);
  });

  test("keeps a pattern of a million blocks one piece, and cuts what lies over it", () => {
    const pattern = new Pattern({
      start: 0,
      blockLength: 1024,
      levels: [{ stride: 4096, count: 1_000_000 }],
    });
    const strided = runOf({ epoch: 1n, sequence: 0 }, 1, [wholeOf(pattern)]);
    // Between the blocks, over half of one, and over all blocks from the middle on.
    const between = block(2, 1024, 4096);
    const half = block(3, 4096 * 1000, 4096 * 1000 + 512);
    const rest = block(4, 4096 * 500_000, 4096 * 1_000_000);
    const after = settled([rest, half, between, strided]);
    const pieces = after.flatMap((run) => run.pieces).filter(({ pattern: of }) => of.levels.length);
    const bytes = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
    expect(pieces.length).toBeLessThanOrEqual(3);
    expect(bytes).toBeLessThanOrEqual(1024 * 500_000);
    const same = runOf({ epoch: 5n, sequence: 0 }, 2, [wholeOf(pattern)]);
    expect(planned([same, strided]).hidden).toEqual([1]);
  });

  test("does not cut a pattern where newer blocks lie in its gaps", () => {
    const levels = [{ stride: 100, count: 1000 }];
    const strided = wholeOf(new Pattern({ start: 0, blockLength: 10, levels }));
    const between = Array.from({ length: 99 }, (_, at) =>
      block(at + 2, at * 1000 + 20, at * 1000 + 50),
    );
    const given = [...between.reverse(), runOf({ epoch: 1n, sequence: 0 }, 2, [strided])];
    const after = settled(given);
    expect(after.flatMap(({ pieces }) => pieces)).toHaveLength(100);
  });

  test("does not rewrite what does not become smaller", () => {
    const wide = runOf(
      { epoch: 1n, sequence: 0 },
      1,
      Array.from({ length: 500 }, (_, at) => wholeOf(Pattern.contiguous(at * 100, at * 100 + 50))),
    );
    const beside = block(2, 150, 160);
    expect(planned([beside, wide])).toEqual({ hidden: [], merged: [] });
    // A single run is left as it is, unless it hides enough of itself.
    expect(planned([wide])).toEqual({ hidden: [], merged: [] });
    const all = wholeOf(Pattern.contiguous(0, 100_000));
    const twice = runOf({ epoch: 1n, sequence: 0 }, 1, [all, all]);
    expect(planned([twice]).merged).toHaveLength(1);
  });

  test("says of ranges that lie scattered that they are to be copied, once a quarter is new", () => {
    const MIB = COMPACTION_WINDOW_SIZE;
    const base = block(1, 0, 3 * MIB);
    const over = (count: number) =>
      Array.from({ length: count }, (_, at) => {
        const start = MIB + at * 8192;
        return block(at + 2, start, start + 4096, 4 * MIB + ((at * 7) % count) * 4096);
      });
    const copiedOf = (given: readonly Run[]) =>
      planned(given.toSorted(isNewer), true)
        .merged.flatMap(({ parts }) => parts)
        .filter(({ isCopied }) => isCopied);
    expect(copiedOf([base, ...over(60)])).toEqual([]);
    const copied = copiedOf([base, ...over(70)]);
    expect(Math.min(...copied.map(({ start }) => start))).toBe(MIB);
    expect(Math.max(...copied.map(({ end }) => end))).toBe(2 * MIB);
    expect(copied.reduce((sum, { size }) => sum + size, 0)).toBe(MIB);
  });
});

/** Numbers below `max` that look random, the same each time. */
function mixed(at: number, max: number): number {
  return Math.floor((Math.abs(Math.sin(at + 1) * 1e6) % 1) * max);
}

describe("large arrays", () => {
  const COUNT = 12_000;
  const SIZE = 20_000;

  test.each([
    ["blocks", 0],
    ["patterns among them", 3],
  ])("are planned with pauses, and show the same after what was planned: %s", (_what, every) => {
    const given = Array.from({ length: COUNT }, (_, at) => {
      const start = mixed(at, SIZE - 40);
      if (every === 0 || at % every > 0) return { ...block(at + 1, start, start + 3, at * 10) };
      const levels = [{ stride: 4, count: 9 }];
      const pattern = new Pattern({ start, blockLength: 2, levels });
      return runOf({ epoch: BigInt(at + 1), sequence: 0 }, at + 2, [wholeOf(pattern)]);
    }).reverse();
    const before = shown(given, SIZE);
    const planning = planMerge(given, { compact: false });
    let pauses = 0;
    let step = planning.next();
    for (; step.done !== true; step = planning.next()) pauses += 1;
    expect(pauses).toBeGreaterThan(COUNT / 1000);
    const { hidden, merged } = step.value;
    expect(hidden.length).toBeGreaterThan(COUNT / 10);
    const gone = new Set(hidden);
    const left = given.filter((_, at) => !gone.has(at));
    expect(shown(left, SIZE).join()).toBe(before.join());
    // What merged runs hold is what was seen there, and nothing twice.
    const cells = new Array<string>(SIZE).fill("");
    for (const piece of merged.flatMap(piecesOf)) {
      for (const [at, offset] of offsetsOf(piece.pattern).slice(piece.from, piece.to).entries()) {
        if (cells[offset] !== "") cells[offset] += " twice ";
        cells[offset] += `${piece.segment}:${piece.position + at}`;
      }
    }
    expect(cells.filter((cell, offset) => cell !== "" && cell !== before[offset])).toEqual([]);
  });

  test.each([0, 1, 2047, 2048, 2049, 3 * 2048 + 5, 20_000])(
    "sortedBy() keeps the order of equals: %i",
    (count) => {
      const items = Array.from({ length: count }, (_, at) => ({ at, key: mixed(at, 100) }));
      const sorting = sortedBy(items, ({ key }) => key);
      let step = sorting.next();
      while (step.done !== true) step = sorting.next();
      const sorted = items.toSorted((a, b) => a.key - b.key);
      expect(step.value.map(({ at }) => at).join()).toBe(sorted.map(({ at }) => at).join());
    },
  );

  test("a map of many layers shows the newest at each offset", () => {
    const layers = Array.from({ length: COUNT }, (_, at) => {
      const start = mixed(at, SIZE - 40);
      const { pieces } = block(at + 1, start, start + 1 + mixed(at + COUNT, 39));
      const [piece] = pieces as [Piece];
      return { piece, start, end: lastOffset(piece) };
    });
    const cells = new Array<number>(SIZE).fill(-1);
    for (const [number, { start, end }] of layers.entries()) cells.fill(number, start, end);
    const map = flatten(layers, 0);
    const found = cells.map((_, offset) => map.ownerOf(map.find(offset)));
    expect(found.join()).toBe(cells.join());
  });
});

test("visibleParts() gives up on a run that would fall into too many parts", () => {
  const base = block(1, 0, 1_000_000);
  const holes = new Pattern({ start: 0, blockLength: 1, levels: [{ stride: 2, count: 100_000 }] });
  const over = runOf({ epoch: 2n, sequence: 0 }, 2, [wholeOf(holes)]);
  const finding = visibleParts([over, base]);
  let step = finding.next();
  while (step.done !== true) step = finding.next();
  expect([...step.value.inexact]).toEqual([1]);
  expect(step.value.parts.map(({ run }) => run)).toEqual([0]);
});

test("intervalsOf() puts versions by the oldest kept epoch that sees them", () => {
  const epochs = fc.array(fc.bigInt({ min: 1n, max: 20n }), { maxLength: 8 });
  fc.assert(
    fc.property(epochs, epochs, (versions, keptEpochs) => {
      const kept = [...new Set(keptEpochs)].sort((a, b) => (a < b ? -1 : 1));
      const given = versions.sort((a, b) => (a > b ? -1 : 1)).map((epoch) => ({ epoch }));
      const found = intervalsOf(given, kept).flatMap(({ sees, versions: of }) =>
        of.map(({ epoch }) => `${epoch} ${sees}`),
      );
      const expected = given
        .map(({ epoch }) => [epoch, kept.find((sees) => sees >= epoch)] as const)
        .filter(([, sees]) => sees !== undefined)
        .map(([epoch, sees]) => `${epoch} ${sees}`);
      expect(found).toEqual(expected);
    }),
    fcOptions(300),
  );
});
