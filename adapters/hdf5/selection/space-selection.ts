/**
 * Selections as HDF5 files have them: in references to regions and in virtual datasets.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import type { Hyperslab, SpaceSelection } from "../description.js";
import { type AxisPart, boxRegion, product, type Region, regionShape } from "../region.js";
import {
  type DimensionSelection,
  MultiBlock,
  Points,
  type ResolvedSelection,
  type Selection,
  slice,
} from "./selection.js";

function pointOf(offset: number, shape: readonly number[]): number[] {
  const point: number[] = [];
  let rest = offset;
  for (let dimension = shape.length - 1; dimension >= 0; dimension--) {
    const extent = shape[dimension] as number;
    point.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return point;
}

/** The boxes of a region, each as first and one past last index. */
function boxesOf(region: Region): [number[], number[]][] {
  let boxes: [number[], number[]][] = [[[], []]];
  for (const axis of region) {
    const ranges = axis.flatMap(({ start, stride, count, block }) =>
      Array.from({ length: count }, (_, index) => {
        const first = start + index * stride;
        return [first, first + block] as const;
      }),
    );
    boxes = boxes.flatMap(([from, to]) =>
      ranges.map(([first, last]): [number[], number[]] => [
        [...from, first],
        [...to, last],
      ]),
    );
  }
  return boxes;
}

/** A selection, applied to a shape, as files have it. */
export function toSpaceSelection(
  resolved: ResolvedSelection,
  shape: readonly number[],
): SpaceSelection {
  const { region, offsets, count } = resolved;
  if (offsets !== undefined) {
    return { kind: "points", points: Array.from(offsets, (offset) => pointOf(offset, shape)) };
  }
  if (count === 0) return { kind: "none" };
  const extents = regionShape(region);
  if (extents.every((extent, dimension) => extent === shape[dimension])) return { kind: "all" };
  if (region.some((axis) => axis.length > 1)) return { kind: "blocks", blocks: boxesOf(region) };
  const parts = region.map(([part]) => part as AxisPart);
  const slab = {
    start: parts.map(({ start }) => start),
    stride: parts.map(({ stride }) => stride),
    count: parts.map((part) => part.count),
    block: parts.map(({ block }) => block),
  };
  return { kind: "hyperslab", slab };
}

function slabSelection({ start, stride, count, block }: Hyperslab): DimensionSelection[] {
  return start.map(
    (first, dimension) =>
      new MultiBlock(
        first,
        count[dimension] ?? null,
        stride[dimension] as number,
        block[dimension] ?? 1,
      ),
  );
}

/** A selection of a file, as {@link Selection}: what was selected by boxes is a list of points, box by box. */
export function fromSpaceSelection(selection: SpaceSelection, shape: readonly number[]): Selection {
  switch (selection.kind) {
    case "all":
      return [];
    case "none":
      return shape.length === 0 ? new Points([]) : shape.map(() => slice(0, 0));
    case "hyperslab":
      return slabSelection(selection.slab);
    case "points":
      return new Points(selection.points);
    case "blocks": {
      const places = selection.blocks.flatMap(([from, to]) => {
        const extents = to.map((last, dimension) => last - (from[dimension] as number));
        return pointsOfBox(from, extents);
      });
      const unique = new Map(places.map((point) => [placeOf(point, shape), point]));
      const sorted = [...unique].sort(([a], [b]) => a - b).map(([, point]) => point);
      return new Points(sorted);
    }
  }
}

function placeOf(point: readonly number[], shape: readonly number[]): number {
  return point.reduce((place, index, dimension) => place * (shape[dimension] as number) + index, 0);
}

function pointsOfBox(from: readonly number[], extents: readonly number[]): number[][] {
  return Array.from({ length: product(extents) }, (_, place) =>
    pointOf(place, extents).map((index, dimension) => index + (from[dimension] as number)),
  );
}

/** All of a shape. */
export function wholeRegion(shape: readonly number[]): Region {
  return boxRegion({ start: shape.map(() => 0), shape });
}
