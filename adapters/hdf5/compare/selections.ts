/**
 * One form for selections that select the same elements.
 *
 * @module
 */

import type { SpaceSelection } from "../description.js";

/** A regular selection with its blocks as large and as few as they can be. */
export function normalizeSelection(selection: SpaceSelection): SpaceSelection {
  if (selection.kind === "blocks") {
    const blocks = [...selection.blocks].sort(([first], [second]) => {
      const at = first.findIndex((index, dimension) => index !== second[dimension]);
      return (first[at] ?? 0) - (second[at] ?? 0);
    });
    return { kind: "blocks", blocks };
  }
  if (selection.kind !== "hyperslab") return selection;
  const { slab } = selection;
  const axes = slab.start.map((start, dimension) => {
    const stride = slab.stride[dimension] as number;
    const count = slab.count[dimension] as number | null;
    const block = slab.block[dimension] as number | null;
    // Blocks that touch are one block.
    if (block !== null && (count === 1 || block === stride)) {
      return { start, stride: 1, count: 1, block: count === null ? null : count * block };
    }
    return { start, stride: block === null ? 1 : stride, count, block };
  });
  return {
    kind: "hyperslab",
    slab: {
      start: axes.map(({ start }) => start),
      stride: axes.map(({ stride }) => stride),
      count: axes.map(({ count }) => count),
      block: axes.map(({ block }) => block),
    },
  };
}
