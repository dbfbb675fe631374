/**
 * Writes the index of chunks that HDF5 1.10 and all later ones read: a B-tree of version 1.
 *
 *     node   "TREE", u8 1, u8 level, u16 entries, u64 left, u64 right, key, (child, key) ...
 *     key    u32 bytes, u32 filters that were left out, u64 first element along each dimension, u64 0
 *
 * The chunks are kept as a few numbers each, and sorted if they did not come in order.
 *
 * Source: HDF5 File Format Specification, section III.A.1.
 *
 * @module
 */

import type { TargetFile } from "../../local/target-file.js";
import { ADDRESS_SIZE, UNDEFINED_ADDRESS } from "./fields.js";

/** Entries of a node: twice what HDF5 calls the rank of the tree, 32 if the superblock says nothing else. */
const ENTRIES_MAX = 64;
const NODE_HEAD_SIZE = 24;
const COUNT_FIRST = 1024;

/** What lies under a node: the first chunk, and where. */
interface Entry {
  /** Index into the chunks in order; of their count, the end. */
  readonly chunk: number;
  readonly address: number;
}

/** The chunks of a dataset. */
export class ChunkTree {
  readonly #chunkShape: readonly number[];
  readonly #grid: readonly number[];
  readonly #itemSize: number;
  /** Of each chunk: number in row-major order of the grid, address. */
  #places = new Float64Array(2 * COUNT_FIRST);
  /** Of each chunk: bytes, filters left out. */
  #sizes = new Uint32Array(2 * COUNT_FIRST);
  #count = 0;
  #isSorted = true;

  constructor(
    { shape, chunkShape }: { shape: readonly number[]; chunkShape: readonly number[] },
    itemSize: number,
  ) {
    this.#chunkShape = chunkShape;
    this.#itemSize = itemSize;
    this.#grid = shape.map((extent, dimension) =>
      Math.ceil(extent / (chunkShape[dimension] as number)),
    );
  }

  /**
   * Adds a chunk.
   *
   * @param start Its first element.
   */
  add(
    start: readonly number[],
    { address, size, filterMask }: { address: number; size: number; filterMask: number },
  ): void {
    let number = 0;
    for (const [dimension, at] of start.entries()) {
      number =
        number * (this.#grid[dimension] as number) + at / (this.#chunkShape[dimension] as number);
    }
    const at = 2 * this.#count;
    if (at === this.#places.length) this.#grow();
    if (this.#count > 0 && number <= (this.#places[at - 2] as number)) this.#isSorted = false;
    this.#places[at] = number;
    this.#places[at + 1] = address;
    this.#sizes[at] = size;
    this.#sizes[at + 1] = filterMask;
    this.#count++;
  }

  #grow(): void {
    const places = new Float64Array(2 * this.#places.length);
    places.set(this.#places);
    this.#places = places;
    const sizes = new Uint32Array(2 * this.#sizes.length);
    sizes.set(this.#sizes);
    this.#sizes = sizes;
  }

  /** Indices of the chunks in the order of their numbers. */
  #order(): Uint32Array {
    const order = Uint32Array.from({ length: this.#count }, (_, index) => index);
    if (this.#isSorted) return order;
    const places = this.#places;
    return order.sort((a, b) => (places[2 * a] as number) - (places[2 * b] as number));
  }

  /**
   * Writes the tree.
   *
   * @returns Address of its root; `undefined` if there are no chunks.
   */
  write(target: TargetFile): number | undefined {
    if (this.#count === 0) return undefined;
    const order = this.#order();
    let entries: Iterable<Entry> = this.#leaves(order);
    for (let level = 0; ; level++) {
      const nodes = this.#writeLevel(target, level, entries, order);
      if (nodes.length === 1) return (nodes[0] as Entry).address;
      entries = nodes;
    }
  }

  *#leaves(order: Uint32Array): Generator<Entry> {
    for (const [chunk, index] of order.entries()) {
      yield { chunk, address: this.#places[2 * index + 1] as number };
    }
  }

  /** Writes the nodes of a level, and returns them as entries of the next one. */
  #writeLevel(
    target: TargetFile,
    level: number,
    entries: Iterable<Entry>,
    order: Uint32Array,
  ): Entry[] {
    const nodes: Entry[] = [];
    let left: number | undefined;
    let address = target.allocate(this.#nodeSize);
    let gathered: Entry[] = [];
    const finish = (end: number, right: number | undefined): void => {
      const node = this.#node({ level, entries: gathered, end, left, right }, order);
      target.write(address, node);
      nodes.push({ chunk: (gathered[0] as Entry).chunk, address });
      left = address;
      gathered = [];
    };
    for (const entry of entries) {
      if (gathered.length === ENTRIES_MAX) {
        const next = target.allocate(this.#nodeSize);
        finish(entry.chunk, next);
        address = next;
      }
      gathered.push(entry);
    }
    finish(order.length, undefined);
    return nodes;
  }

  get #keySize(): number {
    return 8 + 8 * (this.#chunkShape.length + 1);
  }

  get #nodeSize(): number {
    return NODE_HEAD_SIZE + ENTRIES_MAX * ADDRESS_SIZE + (ENTRIES_MAX + 1) * this.#keySize;
  }

  #node(
    {
      level,
      entries,
      end,
      left,
      right,
    }: {
      level: number;
      entries: readonly Entry[];
      end: number;
      left: number | undefined;
      right: number | undefined;
    },
    order: Uint32Array,
  ): Uint8Array {
    const node = Buffer.alloc(this.#nodeSize);
    node.write("TREE", 0, "latin1");
    node[4] = 1;
    node[5] = level;
    node.writeUInt16LE(entries.length, 6);
    node.writeBigUInt64LE(left === undefined ? UNDEFINED_ADDRESS : BigInt(left), 8);
    node.writeBigUInt64LE(right === undefined ? UNDEFINED_ADDRESS : BigInt(right), 16);
    let at = NODE_HEAD_SIZE;
    for (const { chunk, address } of entries) {
      this.#key(node, at, chunk, order);
      node.writeBigUInt64LE(BigInt(address), at + this.#keySize);
      at += this.#keySize + ADDRESS_SIZE;
    }
    this.#key(node, at, end, order);
    return node;
  }

  /** The key of a chunk; behind the last one, a key that is larger than any chunk of the tree. */
  #key(node: Buffer, at: number, chunk: number, order: Uint32Array): void {
    const isEnd = chunk === order.length;
    const index = order[isEnd ? chunk - 1 : chunk] as number;
    if (!isEnd) {
      node.writeUInt32LE(this.#sizes[2 * index] as number, at);
      node.writeUInt32LE(this.#sizes[2 * index + 1] as number, at + 4);
    }
    let number = this.#places[2 * index] as number;
    const rank = this.#chunkShape.length;
    const past = isEnd ? 1 : 0;
    for (let dimension = rank - 1; dimension >= 0; dimension--) {
      const extent = this.#grid[dimension] as number;
      const first = ((number % extent) + past) * (this.#chunkShape[dimension] as number);
      node.writeBigUInt64LE(BigInt(first), at + 8 + 8 * dimension);
      number = Math.floor(number / extent);
    }
    node.writeBigUInt64LE(BigInt(past * this.#itemSize), at + 8 + 8 * rank);
  }
}
