/**
 * Fractal heaps: where large groups keep links, and objects with many or large attributes those.
 *
 * A heap is a line of bytes, cut into direct blocks whose sizes double from row to row of a table;
 * blocks of addresses (indirect ones) lead to them, and to further blocks of addresses. An object is
 * known by an id that says where it is:
 *
 *     managed   offset in the line, and length
 *     huge      address and length, or the key of a B-tree that knows them
 *     tiny      the object itself
 *
 * Source: HDF5 File Format Specification, section III.G.
 *
 * @module
 */

import { treeRecords } from "./btree-v2.js";
import { CHECKSUM_SIZE, Fields, type H5Format, unsupported } from "./format.js";
import { HEAP_CACHE_SIZE, METADATA_SIZE_MAX, TREE_DEPTH_MAX } from "./limits.js";
import { lookup3 } from "./lookup3.js";

const HAS_CHECKSUMS = 2;
const TINY_SIZE_MAX = 16;

interface Place {
  readonly address: number;
  readonly size: number;
}

/** Table of blocks: rows of `width` blocks; two of the first size, then each double. */
interface Table {
  readonly width: number;
  readonly startSize: number;
  readonly directSizeMax: number;
  /** Address of the first block, direct if it has no rows. */
  readonly root: number | undefined;
  readonly rootRows: number;
}

const log2 = (value: number): number => Math.floor(Math.log2(value));
const isPowerOf2 = (value: number): boolean => value > 0 && Number.isInteger(Math.log2(value));
/** Bytes that hold any number up to `limit`. */
const widthOf = (limit: number): number => Math.floor(log2(limit) / 8) + 1;
const sizeOfRow = ({ startSize }: Table, row: number): number =>
  startSize * 2 ** Math.max(0, row - 1);

/** An open heap. */
export class FractalHeap {
  readonly #format: H5Format;
  readonly #what: string;
  readonly #address: number;
  readonly #table: Table;
  readonly #hasChecksums: boolean;
  readonly #offsetWidth: number;
  readonly #lengthWidth: number;
  readonly #idSize: number;
  readonly #hugeTree: number | undefined;
  #huge: Map<bigint, Place> | undefined;
  readonly #blocks = new Map<number, Buffer>();
  #cached = 0;

  /** @throws `DaosError` `DER_DF_INVAL`; `DER_NOSYS` for a heap with filters. */
  constructor(format: H5Format, address: number, what: string) {
    this.#format = format;
    this.#what = what;
    this.#address = address;
    const { offsetSize, lengthSize } = format;
    const size = 22 + 12 * lengthSize + 3 * offsetSize + CHECKSUM_SIZE;
    const head = format.record(address + 7, 2, what);
    // The size and mask of a filtered root lie between.
    if (head.u16() !== 0) throw unsupported(what, "a heap of it has filters");
    const fields = format.checkedRecord({ address, size, signature: "FRHP" }, what);
    fields.version("fractal heap", 0);
    this.#idSize = fields.u16();
    fields.u16();
    this.#hasChecksums = (fields.u8() & HAS_CHECKSUMS) !== 0;
    const managedSizeMax = fields.u32();
    fields.size();
    this.#hugeTree = fields.address();
    fields.size();
    fields.address();
    fields.skip(8 * lengthSize);
    const width = fields.u16();
    const [startSize, directSizeMax] = [fields.size(), fields.size()];
    const bits = fields.u16();
    fields.u16();
    const root = fields.address();
    this.#table = { width, startSize, directSizeMax, root, rootRows: fields.u16() };
    if (![width, startSize, directSizeMax].every(isPowerOf2) || startSize > directSizeMax) {
      throw fields.malformed("the sizes of a heap's blocks are no powers of 2");
    }
    if (directSizeMax > METADATA_SIZE_MAX || bits > 64 || managedSizeMax === 0) {
      throw fields.malformed("the sizes of a heap's blocks are too large");
    }
    this.#offsetWidth = Math.ceil(bits / 8);
    this.#lengthWidth = Math.min(Math.ceil(log2(directSizeMax) / 8), widthOf(managedSizeMax));
  }

  /** Bytes of an id. */
  get idSize(): number {
    return this.#idSize;
  }

  /**
   * The object of an id.
   *
   * @returns Its bytes; they may belong to the heap, and must not be changed.
   */
  get(id: Uint8Array): Uint8Array {
    const fields = new Fields(id, this.#what, this.#format);
    const first = fields.u8();
    const type = (first >> 4) & 3;
    if (first >> 6 !== 0) throw fields.malformed("an id of a heap has an unknown version");
    if (type === 0) {
      return this.#managed(fields.length(this.#offsetWidth), fields.length(this.#lengthWidth));
    }
    if (type === 1) {
      const { address, size } = this.#hugePlace(fields);
      return this.#format.bytes.read(this.#format.base + address, size, this.#what);
    }
    if (type !== 2) throw fields.malformed("an id of a heap is of an unknown type");
    const isExtended = id.length - 1 > TINY_SIZE_MAX + 1;
    const size = (isExtended ? ((first & 0xf) << 8) | fields.u8() : first & 0xf) + 1;
    return fields.raw(size);
  }

  #hugePlace(fields: Fields): Place {
    const { offsetSize, lengthSize } = this.#format;
    // Ids that have room for address and length hold those.
    if (this.#idSize - 1 >= offsetSize + lengthSize) {
      return { address: fields.presentAddress(), size: fields.size() };
    }
    const key = fields.uint(Math.min(this.#idSize - 1, 8));
    const found = this.#hugeObjects().get(key);
    if (found === undefined) throw fields.malformed("a huge object of a heap is missing");
    return found;
  }

  #hugeObjects(): Map<bigint, Place> {
    if (this.#huge !== undefined) return this.#huge;
    const huge = new Map<bigint, Place>();
    this.#huge = huge;
    if (this.#hugeTree === undefined) return huge;
    for (const record of treeRecords(this.#format, this.#hugeTree, this.#what)) {
      const place = { address: record.presentAddress(), size: record.size() };
      huge.set(record.uint(this.#format.lengthSize), place);
    }
    return huge;
  }

  #managed(offset: number, size: number): Uint8Array {
    const { root, rootRows, startSize } = this.#table;
    if (root === undefined) throw this.#malformed("a heap has no blocks");
    if (rootRows === 0) return this.#inBlock({ address: root, size: startSize }, 0, offset, size);
    let [address, rows, start] = [root, rootRows, 0];
    for (let depth = 0; depth < TREE_DEPTH_MAX; depth++) {
      const { row, column, blockStart } = this.#find(offset - start);
      if (row >= rows) throw this.#malformed("an object of a heap lies beyond its table");
      const child = this.#child(address, rows, row * this.#table.width + column);
      const blockSize = sizeOfRow(this.#table, row);
      start += blockStart;
      if (blockSize <= this.#table.directSizeMax) {
        return this.#inBlock({ address: child, size: blockSize }, start, offset, size);
      }
      rows = log2(blockSize) - log2(startSize * this.#table.width) + 1;
      address = child;
    }
    throw this.#malformed("a heap is too deep");
  }

  /** Row and column of the block that holds an offset of a table, and where it begins in that table. */
  #find(offset: number): { row: number; column: number; blockStart: number } {
    const { width, startSize } = this.#table;
    const firstRow = width * startSize;
    const row = offset < firstRow ? 0 : log2(offset / firstRow) + 1;
    const rowStart = row === 0 ? 0 : firstRow * 2 ** (row - 1);
    const size = sizeOfRow(this.#table, row);
    const column = Math.floor((offset - rowStart) / size);
    return { row, column, blockStart: rowStart + column * size };
  }

  /** Address of a block of an indirect block. */
  #child(address: number, rows: number, index: number): number {
    const { width, startSize, directSizeMax } = this.#table;
    const { offsetSize } = this.#format;
    const directRows = Math.min(rows, log2(directSizeMax) - log2(startSize) + 2);
    const headSize = 5 + offsetSize + this.#offsetWidth;
    // Direct and indirect blocks have entries of the same size as long as there are no filters.
    const size = headSize + rows * width * offsetSize + CHECKSUM_SIZE;
    if (directRows < 1) throw this.#malformed("a heap has no rows");
    const block = this.#block({ address, size }, "FHIB");
    const start = headSize + index * offsetSize;
    const fields = new Fields(block.subarray(start, start + offsetSize), this.#what, this.#format);
    return fields.presentAddress();
  }

  #inBlock(block: Place, blockStart: number, offset: number, size: number): Uint8Array {
    const bytes = this.#block(block, "FHDB");
    const start = offset - blockStart;
    if (start < 0 || start + size > bytes.length) {
      throw this.#malformed("an object of a heap lies beyond its block");
    }
    return bytes.subarray(start, start + size);
  }

  /** A block, verified when it is read first. */
  #block({ address, size }: Place, signature: "FHDB" | "FHIB"): Buffer {
    const known = this.#blocks.get(address);
    if (known !== undefined && known.length === size) return known;
    const bytes = this.#format.bytes.read(this.#format.base + address, size, this.#what);
    const fields = new Fields(bytes, this.#what, this.#format).signature(signature);
    fields.version("block of a heap", 0);
    if (fields.address() !== this.#address) throw this.#malformed("a block is of another heap");
    if (signature === "FHIB") this.#format.checked(bytes, signature, this.#what);
    else if (this.#hasChecksums) this.#verifyDirect(bytes);
    if (this.#cached + size > HEAP_CACHE_SIZE) {
      this.#blocks.clear();
      this.#cached = 0;
    }
    this.#blocks.set(address, bytes);
    this.#cached += size;
    return bytes;
  }

  /** The checksum of a direct block is of the block with zeros in its place. */
  #verifyDirect(bytes: Buffer): void {
    const at = 5 + this.#format.offsetSize + this.#offsetWidth;
    const copy = Buffer.from(bytes);
    const stored = copy.readUInt32LE(at);
    copy.fill(0, at, at + CHECKSUM_SIZE);
    if (stored !== lookup3(copy)) throw this.#malformed("the checksum of a block does not match");
  }

  #malformed(why: string) {
    return new Fields(new Uint8Array(0), this.#what, this.#format).malformed(why);
  }
}
