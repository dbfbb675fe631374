/**
 * Fixed and extensible arrays: the chunks of datasets with no or one unlimited dimension.
 *
 *     fixed        "FAHD", u8 0, u8 client, u8 entry size, u8 page bits, length count, address of
 *                  "FADB", u8 0, u8 client, address, (bits of pages), entries or pages
 *     extensible   "EAHD", u8 0, u8 client, u8 entry size, u8 bits of the count, u8 entries in the index
 *                  block, u8 least entries of a data block, u8 least data blocks of a super block,
 *                  u8 page bits, 6 x length, address of
 *                  "EAIB", u8 0, u8 client, address, entries, data blocks, super blocks
 *                  "EADB", u8 0, u8 client, address, offset, entries or pages
 *                  "EASB", u8 0, u8 client, address, offset, (bits of pages), data blocks
 *
 * Each record ends with a checksum, each page too. An entry is an address; of filtered chunks also a
 * size and u32 mask.
 *
 * Source: HDF5 File Format Specification, sections VII.C and VII.D.
 *
 * @module
 */

import { CHECKSUM_SIZE, type Fields, type H5Format } from "./format.js";
import { lookup3 } from "./lookup3.js";

/** An entry: number of the chunk, and the fields that say where it is. */
export interface ChunkEntry {
  readonly number: number;
  readonly fields: Fields;
}

/** What is asked for. */
export interface ArrayRequest {
  readonly address: number;
  /** Chunks that the dataset may have; entries beyond are not read. */
  readonly count: number;
  readonly what: string;
}

const NODE_HEAD_SIZE = 6;

interface ArrayHead {
  readonly format: H5Format;
  readonly what: string;
  readonly entrySize: number;
  /** Entries of a page. */
  readonly pageCount: number;
}

/** Fields of entries that follow each other, one by one. */
function* entriesOf(fields: Fields, entrySize: number, first: number): Generator<ChunkEntry> {
  for (let number = first; fields.remaining >= entrySize; number++) {
    yield { number, fields: fields.rest(entrySize) };
  }
}

/** Pages behind the head of a data block; those that were never written are left out. */
function* pagesOf(
  { format, what, entrySize, pageCount }: ArrayHead,
  block: { start: number; count: number; first: number; isWritten: (page: number) => boolean },
): Generator<ChunkEntry> {
  const { start, count, first, isWritten } = block;
  for (let done = 0, page = 0; done < count; done += pageCount, page++) {
    if (!isWritten(page)) continue;
    const size = Math.min(pageCount, count - done) * entrySize;
    const address = start + page * (pageCount * entrySize + CHECKSUM_SIZE);
    const fields = format.record(address, size + CHECKSUM_SIZE, what);
    const entries = fields.rest(size);
    if (fields.u32() !== lookup3(format.bytes.read(format.base + address, size, what))) {
      throw fields.malformed("the checksum of a page does not match");
    }
    yield* entriesOf(entries, entrySize, first + done);
  }
}

/** Bits of pages, most significant first. */
function bitsOf(bits: Uint8Array): (page: number) => boolean {
  return (page) => ((bits[page >> 3] ?? 0) & (0x80 >> (page & 7))) !== 0;
}

/** Entries of a fixed array. */
export function* fixedArrayEntries(format: H5Format, request: ArrayRequest): Generator<ChunkEntry> {
  const { address, what } = request;
  const { offsetSize, lengthSize } = format;
  const size = 8 + lengthSize + offsetSize + CHECKSUM_SIZE;
  const fields = format.checkedRecord({ address, size, signature: "FAHD" }, what);
  fields.version("fixed array", 0);
  fields.u8();
  const [entrySize, pageBits, count] = [fields.u8(), fields.u8(), fields.size()];
  const data = fields.address();
  if (data === undefined) return;
  const pageCount = checkedPage(fields, entrySize, pageBits);
  const head = { format, what, entrySize, pageCount };
  const isPaged = count > pageCount;
  const bitsSize = isPaged ? Math.ceil(Math.ceil(count / pageCount) / 8) : 0;
  const headSize = NODE_HEAD_SIZE + offsetSize + bitsSize;
  const blockSize = headSize + (isPaged ? 0 : count * entrySize) + CHECKSUM_SIZE;
  const record = { address: data, size: blockSize, signature: "FADB" };
  const block = format.checkedRecord(record, what);
  block.version("data block", 0);
  block.skip(1 + offsetSize);
  if (!isPaged) {
    yield* entriesOf(block, entrySize, 0);
    return;
  }
  const isWritten = bitsOf(block.raw(bitsSize));
  yield* pagesOf(head, { start: data + blockSize, count, first: 0, isWritten });
}

function checkedPage(fields: Fields, entrySize: number, pageBits: number): number {
  if (entrySize === 0 || pageBits > 48) throw fields.malformed("an array of chunks makes no sense");
  return 2 ** pageBits;
}

/** What the header of an extensible array says. */
interface Extensible extends ArrayHead {
  readonly indexed: number;
  readonly leastEntries: number;
  readonly leastBlocks: number;
  readonly superBlocks: number;
  readonly offsetWidth: number;
  readonly count: number;
  readonly block: number | undefined;
}

function readExtensible(format: H5Format, { address, count, what }: ArrayRequest): Extensible {
  const size = 12 + 6 * format.lengthSize + format.offsetSize + CHECKSUM_SIZE;
  const fields = format.checkedRecord({ address, size, signature: "EAHD" }, what);
  fields.version("extensible array", 0);
  fields.u8();
  const [entrySize, bits, indexed] = [fields.u8(), fields.u8(), fields.u8()];
  const [leastEntries, leastBlocks, pageBits] = [fields.u8(), fields.u8(), fields.u8()];
  fields.skip(4 * format.lengthSize);
  // Entries beyond the largest that was set are not there.
  const written = fields.size();
  fields.size();
  const block = fields.address();
  const pageCount = checkedPage(fields, entrySize, pageBits);
  const powers = [leastEntries, leastBlocks].every((one) => Number.isInteger(Math.log2(one)));
  if (!powers || bits > 64) throw fields.malformed("an array of chunks makes no sense");
  const superBlocks = 1 + bits - Math.log2(leastEntries);
  return {
    ...{ format, what, entrySize, pageCount, indexed, leastEntries, leastBlocks, superBlocks },
    ...{ offsetWidth: Math.ceil(bits / 8), count: Math.min(count, written), block },
  };
}

/** Entries of an extensible array. */
export function* extensibleArrayEntries(
  format: H5Format,
  request: ArrayRequest,
): Generator<ChunkEntry> {
  const array = readExtensible(format, request);
  const { entrySize, indexed, leastBlocks, superBlocks, what, count } = array;
  if (array.block === undefined) return;
  const { offsetSize } = format;
  const direct = 2 * (leastBlocks - 1);
  const firstSuper = 2 * Math.log2(leastBlocks);
  const others = Math.max(0, superBlocks - firstSuper);
  const size =
    NODE_HEAD_SIZE +
    offsetSize +
    indexed * entrySize +
    (direct + others) * offsetSize +
    CHECKSUM_SIZE;
  const record = { address: array.block, size, signature: "EAIB" };
  const fields = format.checkedRecord(record, what);
  fields.version("index block", 0);
  fields.skip(1 + offsetSize);
  yield* entriesOf(fields.rest(indexed * entrySize), entrySize, 0);
  let first = indexed;
  for (let number = 0; number < superBlocks && first < count; number++) {
    const { blocks, entries } = shapeOf(array, number);
    if (number >= firstSuper) {
      const address = fields.address();
      if (address !== undefined) yield* superBlockEntries(array, { address, number, first });
      first += blocks * entries;
      continue;
    }
    for (let block = 0; block < blocks; block++, first += entries) {
      const address = fields.address();
      if (address === undefined) continue;
      yield* dataBlockEntries(array, { address, count: entries, first, isWritten: () => true });
    }
  }
}

/** Data blocks of a super block, and entries of each. */
function shapeOf({ leastEntries }: Extensible, superBlock: number) {
  const blocks = 2 ** Math.floor(superBlock / 2);
  return { blocks, entries: 2 ** Math.ceil(superBlock / 2) * leastEntries };
}

function* superBlockEntries(
  array: Extensible,
  { address, number, first }: { address: number; number: number; first: number },
): Generator<ChunkEntry> {
  const { format, what, pageCount, offsetWidth, count } = array;
  const { blocks, entries } = shapeOf(array, number);
  const bitsSize = entries > pageCount ? Math.ceil(Math.ceil(entries / pageCount) / 8) : 0;
  const headSize = NODE_HEAD_SIZE + format.offsetSize + offsetWidth;
  const size = headSize + blocks * (bitsSize + format.offsetSize) + CHECKSUM_SIZE;
  const fields = format.checkedRecord({ address, size, signature: "EASB" }, what);
  fields.version("super block", 0);
  fields.skip(1 + format.offsetSize + offsetWidth);
  const bits = Array.from({ length: blocks }, () => fields.raw(bitsSize));
  for (let block = 0; block < blocks && first + block * entries < count; block++) {
    const data = fields.address();
    if (data === undefined) continue;
    const isWritten = bitsOf(bits[block] as Uint8Array);
    const start = first + block * entries;
    yield* dataBlockEntries(array, { address: data, count: entries, first: start, isWritten });
  }
}

function* dataBlockEntries(
  array: Extensible,
  block: { address: number; count: number; first: number; isWritten: (page: number) => boolean },
): Generator<ChunkEntry> {
  const { format, what, entrySize, pageCount, offsetWidth } = array;
  const { address, count, first, isWritten } = block;
  const isPaged = count > pageCount;
  const headSize = NODE_HEAD_SIZE + format.offsetSize + offsetWidth;
  const size = headSize + (isPaged ? 0 : count * entrySize) + CHECKSUM_SIZE;
  const fields = format.checkedRecord({ address, size, signature: "EADB" }, what);
  fields.version("data block", 0);
  fields.skip(1 + format.offsetSize + offsetWidth);
  if (!isPaged) yield* entriesOf(fields, entrySize, first);
  else yield* pagesOf(array, { start: address + size, count, first, isWritten });
}
