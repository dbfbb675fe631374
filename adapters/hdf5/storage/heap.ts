/**
 * The heap of a dataset: what its elements of variable length hold.
 *
 * Items lie one behind another in blocks of 16 MiB, at addresses of 64 bits; a block is an array of records of one
 * byte, under dkey `%` and the block's number (u64, big-endian), akey `H5_HEAP` of the dataset's own object.
 *
 *     address   u40 number of the block, u24 offset in it; an item may go on in the next block
 *
 * Numbers of blocks are drawn from the container as object ids are: ranks that write at once never meet.
 *
 * @module
 */

import type { ObjectId } from "../../../core/index.js";
import type { Session } from "../session.js";

const AKEY = Buffer.from("H5_HEAP");
const OFFSET_BITS = 24n;
const BLOCK_SIZE = 2 ** Number(OFFSET_BITS);
/** Items that are this near are read together. */
const GAP_MAX = 4096;

/** Where an item is. */
export interface HeapSpan {
  readonly address: bigint;
  /** In bytes. */
  readonly size: number;
}

function blockKey(block: bigint): Buffer {
  const dkey = Buffer.alloc(9);
  dkey.write("%");
  dkey.writeBigUInt64BE(block, 1);
  return dkey;
}

/** Calls `each` with the parts of a span, block by block. */
function inBlocks(
  { address, size }: HeapSpan,
  each: (block: bigint, offset: number, from: number, to: number) => void,
): void {
  let block = address >> OFFSET_BITS;
  let offset = Number(BigInt.asUintN(Number(OFFSET_BITS), address));
  for (let from = 0; from < size; block++, offset = 0) {
    const to = Math.min(size, from + BLOCK_SIZE - offset);
    each(block, offset, from, to);
    from = to;
  }
}

/** Draws the addresses of `size` bytes that follow one another. */
export function allocateHeap(session: Session, size: number): bigint {
  return session.allocateBlocks(Math.max(1, Math.ceil(size / BLOCK_SIZE))) << OFFSET_BITS;
}

/** Writes bytes to addresses that were drawn. */
export function writeHeap(
  session: Session,
  oid: ObjectId,
  address: bigint,
  bytes: Uint8Array,
): void {
  session.write("Writing elements of variable length", (own) => {
    inBlocks({ address, size: bytes.length }, (block, index, from, to) => {
      const ranges = [{ index, count: to - from }];
      const data = bytes.subarray(from, to);
      own.update(oid, blockKey(block), [{ akey: AKEY, recordSize: 1, ranges, data }]);
    });
  });
}

function readSpan(session: Session, oid: ObjectId, span: HeapSpan): Uint8Array {
  const { view, own } = session.dataState("Reading elements of variable length");
  const bytes = new Uint8Array(span.size);
  inBlocks(span, (block, index, from, to) => {
    const ranges = [{ index, count: to - from }];
    view.fetch(oid, blockKey(block), [{ akey: AKEY, ranges, into: bytes.subarray(from, to) }], own);
  });
  return bytes;
}

/**
 * Reads items, near ones together.
 *
 * @returns Their bytes, in the order asked for; those of one read share a buffer.
 */
export function readHeap(
  session: Session,
  oid: ObjectId,
  spans: readonly HeapSpan[],
): Uint8Array[] {
  const items = new Array<Uint8Array>(spans.length);
  const order = spans.map((_, index) => index);
  const address = (index: number) => (spans[index] as HeapSpan).address;
  order.sort((a, b) => (address(a) < address(b) ? -1 : address(a) > address(b) ? 1 : 0));
  for (let first = 0; first < order.length; ) {
    const start = address(order[first] as number);
    let end = start;
    let next = first;
    for (; next < order.length; next++) {
      const span = spans[order[next] as number] as HeapSpan;
      const isFar = span.address > end + BigInt(GAP_MAX);
      // A block's end bounds what is read at once; items of one block are enough for that.
      if (isFar || (next > first && span.address >> OFFSET_BITS !== start >> OFFSET_BITS)) break;
      const last = span.address + BigInt(span.size);
      if (last > end) end = last;
    }
    const bytes = readSpan(session, oid, { address: start, size: Number(end - start) });
    for (; first < next; first++) {
      const index = order[first] as number;
      const from = Number(address(index) - start);
      items[index] = bytes.subarray(from, from + (spans[index] as HeapSpan).size);
    }
  }
  return items;
}
