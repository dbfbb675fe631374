/**
 * B-trees of version 2: the records of links, attributes and chunks of new files, in their order.
 *
 *     header     "BTHD", u8 0, u8 type, u32 node size, u16 record size, u16 depth, u8 split, u8 merge,
 *                address root, u16 records of the root, length all records, u32 checksum
 *     internal   "BTIN", u8 0, u8 type, records, children: (address, count, count of all below), checksum
 *     leaf       "BTLF", u8 0, u8 type, records, checksum
 *
 * Source: HDF5 File Format Specification, section III.A.2.
 *
 * @module
 */

import { CHECKSUM_SIZE, type Fields, type H5Format } from "./format.js";
import { TREE_DEPTH_MAX } from "./limits.js";

const NODE_HEAD_SIZE = 6;

interface Tree {
  readonly nodeSize: number;
  readonly recordSize: number;
  /** Bytes of the count of records of a child. */
  readonly countWidth: number;
  /** Bytes of the count of all records below a child, by the child's level. */
  readonly totalWidths: readonly number[];
}

interface Node {
  readonly address: number;
  readonly count: number;
  readonly level: number;
}

/** Bytes that hold any number up to `limit`. */
function widthOf(limit: bigint): number {
  return Math.ceil(Math.max(1, limit.toString(2).length) / 8);
}

function measure(fields: Fields, nodeSize: number, recordSize: number, depth: number): Tree {
  const { offsetSize } = fields.widths;
  const space = nodeSize - NODE_HEAD_SIZE - CHECKSUM_SIZE;
  const leafCount = Math.floor(space / recordSize);
  if (leafCount < 1) throw fields.malformed("a node of a tree has no room for a record");
  const countWidth = widthOf(BigInt(leafCount));
  const totalWidths = [0];
  let total = BigInt(leafCount);
  for (let level = 1; level <= depth; level++) {
    const pointerSize = offsetSize + countWidth + (totalWidths[level - 1] as number);
    const count = BigInt(Math.floor((space - pointerSize) / (recordSize + pointerSize)));
    if (count < 1n) throw fields.malformed("a node of a tree has no room for a record");
    total = (count + 1n) * total + count;
    totalWidths.push(widthOf(total));
  }
  return { nodeSize, recordSize, countWidth, totalWidths };
}

/**
 * The records of a tree in their order.
 *
 * @param what What the tree is of, for errors.
 * @returns The fields of each record, one after the other.
 * @throws `DaosError` `DER_DF_INVAL`, also for a tree whose nodes lead to each other.
 */
export function* treeRecords(format: H5Format, address: number, what: string): Generator<Fields> {
  const size = 16 + format.offsetSize + 2 + format.lengthSize + CHECKSUM_SIZE;
  const fields = format.checkedRecord({ address, size, signature: "BTHD" }, what);
  fields.version("tree", 0);
  fields.u8();
  const [nodeSize, recordSize, depth] = [fields.u32(), fields.u16(), fields.u16()];
  fields.skip(2);
  const root = fields.address();
  const count = fields.u16();
  if (root === undefined) return;
  if (depth > TREE_DEPTH_MAX || recordSize === 0) throw fields.malformed("a tree makes no sense");
  const tree = measure(fields, nodeSize, recordSize, depth);
  yield* nodeRecords(format, tree, { address: root, count, level: depth }, what, new Set());
}

function* nodeRecords(
  format: H5Format,
  tree: Tree,
  node: Node,
  what: string,
  met: Set<number>,
): Generator<Fields> {
  const { address, count, level } = node;
  const { recordSize, countWidth, totalWidths } = tree;
  const totalWidth = level > 1 ? (totalWidths[level - 1] as number) : 0;
  const pointerSize = format.offsetSize + countWidth + totalWidth;
  const pointers = level > 0 ? (count + 1) * pointerSize : 0;
  const size = NODE_HEAD_SIZE + count * recordSize + pointers + CHECKSUM_SIZE;
  const signature = level > 0 ? "BTIN" : "BTLF";
  const fields = format.checkedRecord({ address, size, signature }, what);
  if (met.has(address)) throw fields.malformed("nodes of a tree lead to each other");
  met.add(address);
  fields.version("node of a tree", 0);
  fields.u8();
  const records = Array.from({ length: count }, () => fields.rest(recordSize));
  for (let index = 0; index <= count; index++) {
    if (level > 0) {
      const child = { address: fields.presentAddress(), count: fields.length(countWidth) };
      fields.skip(totalWidth);
      yield* nodeRecords(format, tree, { ...child, level: level - 1 }, what, met);
    }
    const record = records[index];
    if (record !== undefined) yield record;
  }
}
