/**
 * From a typemap to one nested pattern, where it is one.
 *
 * @module
 */

import { EMPTY_LAYOUT, type Layout, moveLayout, repeatLayout, spanOf } from "./layout.js";
import type { Typemap } from "./typemap.js";

/** The layout of a typemap; undefined if its blocks are no nested pattern of increasing offsets. */
export function layoutOf(map: Typemap): Layout | undefined {
  if (map.size === 0) return EMPTY_LAYOUT;
  if (map.kind === "elements") return { offset: 0, blockLength: map.size, levels: [] };
  if (map.kind === "sequence") {
    return joined(map.children.map(layoutOf), map.offsets);
  }
  const child = layoutOf(map.child);
  if (child === undefined) return undefined;
  if (map.kind === "repeat") return repeatLayout(child, map.count, map.stride);
  const [first, second] = map.offsets as [number, number?];
  const stride = (second ?? first) - first;
  if (map.offsets.every((offset, i) => offset === first + i * stride)) {
    const whole = repeatLayout(child, map.offsets.length, stride);
    return whole && moveLayout(whole, first);
  }
  return joined(
    map.offsets.map(() => child),
    map.offsets,
  );
}

/** Blocks that touch are one block: the only sequences of unlike parts that are a pattern. */
function joined(
  parts: readonly (Layout | undefined)[],
  offsets: readonly number[],
): Layout | undefined {
  let whole: Layout | undefined;
  for (const [i, part] of parts.entries()) {
    if (part === undefined) return undefined;
    const moved = moveLayout(part, offsets[i] as number);
    if (whole === undefined) {
      whole = moved;
      continue;
    }
    const isSolid = whole.levels.length === 0 && moved.levels.length === 0;
    if (!isSolid || whole.offset + spanOf(whole) !== moved.offset) return undefined;
    whole = { ...whole, blockLength: whole.blockLength + moved.blockLength };
  }
  return whole;
}
