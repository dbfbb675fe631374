/**
 * B-trees of version 1: symbol tables of old groups, and chunks of old datasets.
 *
 *     node   "TREE", u8 type (0 group, 1 chunks), u8 level, u16 count, addresses of siblings,
 *            count x (key, address of the child), key
 *
 * Source: HDF5 File Format Specification, section III.A.1.
 *
 * @module
 */

import type { Fields, H5Format } from "./format.js";
import { TREE_DEPTH_MAX } from "./limits.js";

/** Which tree is read. */
export interface OldTree {
  readonly address: number;
  /** 0 of a group, 1 of chunks. */
  readonly type: 0 | 1;
  /** Bytes of a key. */
  readonly keySize: number;
}

/**
 * Keys and children of the leaves of a tree, in their order.
 *
 * @throws `DaosError` `DER_DF_INVAL`, also for a tree whose nodes lead to each other.
 */
export function* oldTreeLeaves(
  format: H5Format,
  tree: OldTree,
  what: string,
): Generator<{ key: Fields; child: number }> {
  yield* leavesBelow(format, tree, what, { met: new Set(), level: undefined });
}

function* leavesBelow(
  format: H5Format,
  { address, type, keySize }: OldTree,
  what: string,
  { met, level }: { met: Set<number>; level: number | undefined },
): Generator<{ key: Fields; child: number }> {
  const { offsetSize } = format;
  const headSize = 8 + 2 * offsetSize;
  const head = format.record(address, headSize, what).signature("TREE");
  const [nodeType, nodeLevel, count] = [head.u8(), head.u8(), head.u16()];
  if (nodeType !== type) throw head.malformed("a tree is of another kind");
  if (met.has(address) || nodeLevel !== (level ?? nodeLevel) || nodeLevel > TREE_DEPTH_MAX) {
    throw head.malformed("nodes of a tree lead to each other");
  }
  met.add(address);
  const fields = format.record(address + headSize, count * (keySize + offsetSize), what);
  for (let index = 0; index < count; index++) {
    const key = fields.rest(keySize);
    const child = fields.presentAddress();
    if (nodeLevel === 0) yield { key, child };
    else {
      const below = { address: child, type, keySize };
      yield* leavesBelow(format, below, what, { met, level: nodeLevel - 1 });
    }
  }
}
