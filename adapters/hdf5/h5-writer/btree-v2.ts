/**
 * Writes B-trees of version 2 in one go, from all their records in order.
 *
 * A tree is as flat as it can be, and its nodes are filled alike. See `h5-file/btree-v2.ts` for the form of nodes.
 *
 * @module
 */

import type { TargetFile } from "../../local/target-file.js";
import { ADDRESS_SIZE, beginRecord, endRecord, UNDEFINED_ADDRESS, widthOf } from "./fields.js";

/** HDF5's numbers of what trees hold. Durable: DO NOT CHANGE THESE VALUES. */
export const TREE_TYPE = {
  hugeObjects: 1,
  linkNames: 5,
  linkOrder: 6,
  attributeNames: 8,
  attributeOrder: 9,
} as const;

/** As HDF5 has them. */
const NODE_SIZE = 512;
const NODE_OVERHEAD = 10;
const SPLIT_PERCENT = 100;
const MERGE_PERCENT = 40;

/** What nodes of a level hold at most. */
interface Level {
  /** Records of a node. */
  readonly countMax: number;
  /** Records of a node and all below. */
  readonly totalMax: number;
  /** Bytes of such a total. */
  readonly totalWidth: number;
}

interface Node {
  readonly address: number;
  /** Records of the node itself. */
  readonly count: number;
  readonly total: number;
}

/** Levels from the leaves up, as many as hold `total` records. */
function levelsFor(total: number, recordSize: number): Level[] {
  const space = NODE_SIZE - NODE_OVERHEAD;
  const leafMax = Math.floor(space / recordSize);
  const countWidth = widthOf(BigInt(leafMax));
  const levels: Level[] = [{ countMax: leafMax, totalMax: leafMax, totalWidth: 0 }];
  for (;;) {
    const below = levels.at(-1) as Level;
    if (below.totalMax >= total) return levels;
    const pointerSize = ADDRESS_SIZE + countWidth + below.totalWidth;
    const countMax = Math.floor((space - pointerSize) / (recordSize + pointerSize));
    const totalMax = (countMax + 1) * below.totalMax + countMax;
    levels.push({ countMax, totalMax, totalWidth: widthOf(BigInt(totalMax)) });
  }
}

/** Writes one tree. */
class TreeWriter {
  readonly #target: TargetFile;
  readonly #type: number;
  readonly #records: readonly Uint8Array[];
  readonly #levels: readonly Level[];
  readonly #countWidth: number;

  constructor(
    target: TargetFile,
    type: number,
    records: readonly Uint8Array[],
    levels: readonly Level[],
  ) {
    this.#target = target;
    this.#type = type;
    this.#records = records;
    this.#levels = levels;
    this.#countWidth = widthOf(BigInt((levels[0] as Level).countMax));
  }

  /** Writes the records from `start` on, `total` of them, as a node of a level and those below. */
  write(level: number, start: number, total: number): Node {
    const writer = beginRecord(level > 0 ? "BTIN" : "BTLF", NODE_SIZE)
      .u8(0)
      .u8(this.#type);
    if (level === 0) {
      for (let index = 0; index < total; index++) {
        writer.raw(this.#records[start + index] as Uint8Array);
      }
      return this.#place(endRecord(writer), total, total);
    }
    const below = this.#levels[level - 1] as Level;
    const children = Math.max(2, Math.ceil((total + 1) / (below.totalMax + 1)));
    const nodes: Node[] = [];
    const separators: Uint8Array[] = [];
    let at = start;
    for (let child = 0; child < children; child++) {
      // The records between children are the node's own.
      const rest = start + total - at - (children - child - 1);
      const share = Math.ceil(rest / (children - child));
      nodes.push(this.write(level - 1, at, share));
      at += share;
      if (child < children - 1) separators.push(this.#records[at++] as Uint8Array);
    }
    for (const record of separators) writer.raw(record);
    for (const { address, count, total: sum } of nodes) {
      writer.u64(address).uint(count, this.#countWidth);
      if (below.totalWidth > 0) writer.uint(sum, below.totalWidth);
    }
    return this.#place(endRecord(writer), separators.length, total);
  }

  #place(record: Uint8Array, count: number, total: number): Node {
    const address = this.#target.allocate(NODE_SIZE);
    this.#target.write(address, record);
    return { address, count, total };
  }
}

/**
 * Writes a tree.
 *
 * @param type One of {@link TREE_TYPE}.
 * @param records In their order, all of one size.
 * @returns Address of its header.
 */
export function writeTree(
  target: TargetFile,
  type: number,
  { records, recordSize }: { records: readonly Uint8Array[]; recordSize: number },
): number {
  const levels = levelsFor(records.length, recordSize);
  const root =
    records.length === 0
      ? undefined
      : new TreeWriter(target, type, records, levels).write(levels.length - 1, 0, records.length);
  const header = beginRecord("BTHD", 40)
    .u8(0)
    .u8(type)
    .u32(NODE_SIZE)
    .u16(recordSize)
    .u16(levels.length - 1)
    .u8(SPLIT_PERCENT)
    .u8(MERGE_PERCENT)
    .u64(root?.address ?? UNDEFINED_ADDRESS)
    .u16(root?.count ?? 0)
    .u64(records.length);
  return target.append(endRecord(header));
}
