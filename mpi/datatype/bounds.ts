/**
 * Bounds: where a datatype begins and ends, as the standard computes it.
 *
 * The *bounds* are those of all elements, or, where a type was given its own (`resized`, `subarray`), those
 * *marked* ones alone: a mark survives in whatever is made of the type.
 *
 * @module
 */

/** Where a type begins and ends, in bytes from its origin. */
export interface Bounds {
  readonly lower: number;
  readonly upper: number;
  /** Whether the lower bound was given, not computed. */
  readonly isLowerMarked: boolean;
  /** Whether the upper bound was given, not computed. */
  readonly isUpperMarked: boolean;
}

/** The bounds of nothing. */
export const EMPTY_BOUNDS: Bounds = {
  lower: 0,
  upper: 0,
  isLowerMarked: false,
  isUpperMarked: false,
};

/** A type as a part of another: its bounds, and where it is put. */
export interface PlacedBounds {
  readonly bounds: Bounds;
  /** Displacements of its first and last copy, in bytes, in either order. */
  readonly from: number;
  readonly to: number;
}

/** The bounds of several types together. */
export function unionOf(parts: readonly PlacedBounds[]): Bounds {
  if (parts.length === 0) return EMPTY_BOUNDS;
  const isLowerMarked = parts.some(({ bounds }) => bounds.isLowerMarked);
  const isUpperMarked = parts.some(({ bounds }) => bounds.isUpperMarked);
  let [lower, upper] = [Infinity, -Infinity];
  for (const { bounds, from, to } of parts) {
    const [first, last] = from < to ? [from, to] : [to, from];
    if (bounds.isLowerMarked === isLowerMarked) lower = Math.min(lower, first + bounds.lower);
    if (bounds.isUpperMarked === isUpperMarked) upper = Math.max(upper, last + bounds.upper);
  }
  return { lower, upper, isLowerMarked, isUpperMarked };
}

/** Bounds that were given. */
export function markedBounds(lower: number, upper: number): Bounds {
  return { lower, upper, isLowerMarked: true, isUpperMarked: true };
}

/** Bounds of which the extent is a multiple of an alignment, unless the upper one was given. */
export function padded(bounds: Bounds, alignment: number): Bounds {
  if (bounds.isUpperMarked) return bounds;
  const extent = Math.ceil((bounds.upper - bounds.lower) / alignment) * alignment;
  return { ...bounds, upper: bounds.lower + extent };
}
