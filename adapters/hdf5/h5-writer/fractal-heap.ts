/**
 * Writes fractal heaps: links of large groups, attributes of objects with many or large ones.
 *
 * Objects are put into direct blocks one after the other; the blocks of addresses that lead to them are written
 * at the end. The first block is large enough for any object, so that no block has to be left out; what is larger
 * than {@link MANAGED_SIZE_MAX} lies apart. See `h5-file/fractal-heap.ts` for how a heap is read.
 *
 * Source: HDF5 File Format Specification, section III.G.
 *
 * @module
 */

import type { TargetFile } from "../../local/target-file.js";
import { lookup3 } from "../h5-file/lookup3.js";
import { FieldWriter } from "../messages/field-codec.js";
import { TREE_TYPE, writeTree } from "./btree-v2.js";
import { ADDRESS_SIZE, beginRecord, endRecord, UNDEFINED_ADDRESS } from "./fields.js";
import { MANAGED_SIZE_MAX } from "./limits.js";

/** As HDF5 has them for links and attributes. */
const TABLE_WIDTH = 4;
const DIRECT_SIZE_MAX = 64 * 1024;
const HAS_CHECKSUMS = 2;
const LENGTH_WIDTH = 2;
const HUGE = 1 << 4;
const HEADER_SIZE = 146;

/** What a heap is for. */
export interface HeapKind {
  /** Bytes of an offset in it. */
  readonly offsetWidth: number;
  /** Size of its first block if objects are small. */
  readonly startSizeMin: number;
}

/** A heap of links. */
export const LINK_HEAP: HeapKind = { offsetWidth: 4, startSizeMin: 512 };
/** A heap of attributes. */
export const ATTRIBUTE_HEAP: HeapKind = { offsetWidth: 5, startSizeMin: 1024 };

const log2 = (value: number): number => Math.floor(Math.log2(value));

/** A heap under way. */
export class HeapWriter {
  readonly #target: TargetFile;
  readonly #kind: HeapKind;
  readonly #startSize: number;
  readonly #address: number;
  /** Addresses of the direct blocks, in their order. */
  readonly #blocks: number[] = [];
  #block: Buffer<ArrayBuffer> | undefined;
  #blockStart = 0;
  #blockUsed = 0;
  /** Where the next direct block begins. */
  #nextOffset = 0;
  #count = 0;
  #usedSize = 0;
  #allocatedSize = 0;
  readonly #huge: Uint8Array[] = [];
  #hugeSize = 0;

  /** @param sizeMax Size of the largest object that will be put into it, or more. */
  constructor(target: TargetFile, kind: HeapKind, sizeMax: number) {
    this.#target = target;
    this.#kind = kind;
    const needed = Math.min(sizeMax, MANAGED_SIZE_MAX) + this.#overhead;
    this.#startSize = Math.max(kind.startSizeMin, 2 ** Math.ceil(Math.log2(needed)));
    // Blocks say to which heap they belong.
    this.#address = target.allocate(HEADER_SIZE);
  }

  /** Bytes of a direct block that are not objects. */
  get #overhead(): number {
    return 5 + ADDRESS_SIZE + this.#kind.offsetWidth + 4;
  }

  /** Bytes of an id. */
  get idSize(): number {
    return 1 + this.#kind.offsetWidth + LENGTH_WIDTH;
  }

  /** Puts an object into the heap, and returns its id. */
  put(bytes: Uint8Array): Uint8Array {
    const id = new FieldWriter(this.idSize);
    if (bytes.length > MANAGED_SIZE_MAX) {
      const key = this.#huge.length + 1;
      const place = new FieldWriter(24).u64(this.#target.append(bytes)).u64(bytes.length);
      this.#huge.push(place.u64(key).finish());
      this.#hugeSize += bytes.length;
      return id
        .u8(HUGE)
        .uint(key, this.idSize - 1)
        .finish();
    }
    if (this.#block === undefined || this.#blockUsed + bytes.length > this.#block.length) {
      this.#nextBlock();
    }
    const block = this.#block as Buffer;
    block.set(bytes, this.#blockUsed);
    const offset = this.#blockStart + this.#blockUsed;
    this.#blockUsed += bytes.length;
    this.#usedSize += bytes.length;
    this.#count++;
    return id.u8(0).uint(offset, this.#kind.offsetWidth).uint(bytes.length, LENGTH_WIDTH).finish();
  }

  /** Rows have four blocks; those of the first two rows are of the first size, then each double. */
  #sizeOfRow(row: number): number {
    return this.#startSize * 2 ** Math.max(0, row - 1);
  }

  /** Row of the root's table in which an offset lies. */
  #rowOfOffset(offset: number): number {
    const firstRow = TABLE_WIDTH * this.#startSize;
    return offset < firstRow ? 0 : log2(offset / firstRow) + 1;
  }

  /** Size of the direct block at an offset, by the innermost table that covers it. */
  #directSizeAt(offset: number): number {
    let rest = offset;
    for (;;) {
      const row = this.#rowOfOffset(rest);
      const size = this.#sizeOfRow(row);
      if (size <= DIRECT_SIZE_MAX) return size;
      const rowStart = TABLE_WIDTH * this.#startSize * 2 ** (row - 1);
      rest = (rest - rowStart) % size;
    }
  }

  #nextBlock(): void {
    this.#finishBlock();
    const size = this.#directSizeAt(this.#nextOffset);
    this.#blockStart = this.#nextOffset;
    this.#nextOffset += size;
    this.#allocatedSize += size;
    this.#block = Buffer.alloc(size);
    const head = beginRecord("FHDB", 32).u8(0).u64(this.#address);
    this.#block.set(head.uint(this.#blockStart, this.#kind.offsetWidth).finish());
    this.#blockUsed = this.#overhead;
  }

  /** Writes the block; its checksum is of the block with zeros in its place. */
  #finishBlock(): void {
    if (this.#block === undefined) return;
    this.#block.writeUInt32LE(lookup3(this.#block), this.#overhead - 4);
    this.#blocks.push(this.#target.append(this.#block));
    this.#block = undefined;
  }

  /**
   * Writes the tables and the header.
   *
   * @returns Address of the header.
   */
  finish(): number {
    this.#finishBlock();
    const rows = this.#blocks.length > 1 ? this.#rootRows() : 0;
    const root = rows > 0 ? this.#writeTable(0, rows, this.#blocks[Symbol.iterator]()) : undefined;
    const covered = rows > 0 ? this.#sizeOfRows(rows) : this.#allocatedSize;
    const free = this.#freeIn(rows) - this.#usedSize;
    const huge = { records: this.#huge, recordSize: 24 };
    const tree =
      this.#huge.length === 0
        ? UNDEFINED_ADDRESS
        : writeTree(this.#target, TREE_TYPE.hugeObjects, huge);
    const header = beginRecord("FRHP", HEADER_SIZE)
      .u8(0)
      .u16(this.idSize)
      .u16(0)
      .u8(HAS_CHECKSUMS)
      .u32(MANAGED_SIZE_MAX)
      .u64(this.#huge.length)
      .u64(tree)
      .u64(Math.max(0, free))
      .u64(UNDEFINED_ADDRESS)
      .u64(covered)
      .u64(this.#allocatedSize)
      .u64(this.#nextOffset)
      .u64(this.#count)
      .u64(this.#hugeSize)
      .u64(this.#huge.length)
      .u64(0)
      .u64(0)
      .u16(TABLE_WIDTH)
      .u64(this.#startSize)
      .u64(DIRECT_SIZE_MAX)
      .u16(8 * this.#kind.offsetWidth)
      .u16(1)
      .u64(root ?? this.#blocks[0] ?? UNDEFINED_ADDRESS)
      .u16(rows);
    this.#target.write(this.#address, endRecord(header));
    return this.#address;
  }

  /** Rows of the root's table: a power of 2, as it would have grown. */
  #rootRows(): number {
    const needed = this.#rowOfOffset(this.#nextOffset - 1) + 1;
    const rowsMax = 8 * this.#kind.offsetWidth - log2(this.#startSize * TABLE_WIDTH) + 1;
    return Math.min(2 ** Math.ceil(Math.log2(needed)), rowsMax);
  }

  /** Bytes that so many rows cover. */
  #sizeOfRows(rows: number): number {
    return TABLE_WIDTH * this.#startSize * 2 ** (rows - 1);
  }

  /** Bytes for objects in all blocks that so many rows cover, those included that do not exist yet. */
  #freeIn(rows: number): number {
    if (rows === 0) return this.#blocks.length === 0 ? 0 : this.#startSize - this.#overhead;
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const size = this.#sizeOfRow(row);
      const each =
        size <= DIRECT_SIZE_MAX ? size - this.#overhead : this.#freeIn(this.#rowsBelow(size));
      sum += TABLE_WIDTH * each;
    }
    return sum;
  }

  /** Rows of the table that covers a block of a size. */
  #rowsBelow(size: number): number {
    return log2(size) - log2(this.#startSize * TABLE_WIDTH) + 1;
  }

  /** Writes a table and those below it; `blocks` are the direct blocks that are left. */
  #writeTable(offset: number, rows: number, blocks: Iterator<number>): number {
    const children: (number | undefined)[] = [];
    let start = offset;
    for (let row = 0; row < rows; row++) {
      const size = this.#sizeOfRow(row);
      for (let column = 0; column < TABLE_WIDTH; column++) {
        const isUsed = start < this.#nextOffset;
        const isDirect = size <= DIRECT_SIZE_MAX;
        if (!isUsed) children.push(undefined);
        else if (isDirect) children.push(blocks.next().value);
        else children.push(this.#writeTable(start, this.#rowsBelow(size), blocks));
        start += size;
      }
    }
    const writer = beginRecord("FHIB", 64).u8(0).u64(this.#address);
    writer.uint(offset, this.#kind.offsetWidth);
    for (const child of children) writer.u64(child ?? UNDEFINED_ADDRESS);
    return this.#target.append(endRecord(writer));
  }
}
