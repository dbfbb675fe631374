/**
 * Object headers: the messages that make an object.
 *
 *     version 1   u8 1, u8 0, u16 count of messages, u32 links, u32 bytes of messages, 4 bytes
 *                 message: u16 type, u16 size, u8 flags, 3 bytes, body
 *     version 2   "OHDR", u8 2, u8 flags, (times), (bounds of attributes), bytes of messages, messages,
 *                 gap, u32 checksum
 *                 message: u8 type, u16 size, u8 flags, (u16 order of creation), body
 *
 * A continuation message leads to more messages; in version 2 these are between "OCHK" and a checksum.
 * The body of a shared message says where the message is: in another header, or in a heap.
 *
 * Source: HDF5 File Format Specification, section IV.A.
 *
 * @module
 */

import { CHECKSUM_SIZE, Fields, type H5Format } from "./format.js";
import { METADATA_SIZE_MAX } from "./limits.js";

/** HDF5's numbers of messages. */
export const MESSAGE = {
  nil: 0,
  dataspace: 1,
  linkInfo: 2,
  datatype: 3,
  oldFill: 4,
  fill: 5,
  link: 6,
  externalFiles: 7,
  layout: 8,
  filters: 11,
  attribute: 12,
  comment: 13,
  sharedTable: 15,
  continuation: 16,
  symbolTable: 17,
  attributeInfo: 21,
} as const;

const IS_SHARED = 2;
/** An object with a message that is not known, and that says so, must not be opened. */
const FAIL_IF_UNKNOWN = 1 << 7;
const LAST_KNOWN_TYPE = 24;

const HAS_ORDER = 1 << 2;
const ORDER_IS_INDEXED = 1 << 3;
const HAS_BOUNDS = 1 << 4;
const HAS_TIMES = 1 << 5;

/** A message as it lies in a header. */
export interface Message {
  readonly type: number;
  readonly isShared: boolean;
  /** Place in the order of creation, of attributes whose order is tracked. */
  readonly order: number | undefined;
  readonly body: Uint8Array;
}

/** An object header. */
export interface ObjectHeader {
  readonly address: number;
  /** Whether the order of attributes is tracked, and indexed. */
  readonly attributeOrder: { readonly isTracked: boolean; readonly isIndexed: boolean };
  /** All but continuations and what was removed. */
  readonly messages: readonly Message[];
}

/** Reads the messages of one block after another. */
class HeaderReader {
  readonly messages: Message[] = [];
  readonly #format: H5Format;
  readonly #what: string;
  /** Blocks to read, and where each block that was met begins. */
  readonly #blocks: { address: number; size: number }[] = [];
  readonly #met = new Set<number>();
  #total = 0;

  constructor(format: H5Format, what: string) {
    this.#format = format;
    this.#what = what;
  }

  /** Reads messages of version 1. */
  readOld(fields: Fields): void {
    while (fields.remaining >= 8) {
      const [type, size, flags] = [fields.u16(), fields.u16(), fields.u8()];
      const body = fields.skip(3).raw(size);
      this.#take({ type, flags, order: undefined, body }, fields);
    }
  }

  /** Reads messages of version 2; what is too short for one is a gap. */
  readNew(fields: Fields, hasOrder: boolean): void {
    const headSize = hasOrder ? 6 : 4;
    while (fields.remaining >= headSize) {
      const [type, size, flags] = [fields.u8(), fields.u16(), fields.u8()];
      const order = hasOrder ? fields.u16() : undefined;
      this.#take({ type, flags, order, body: fields.raw(size) }, fields);
    }
  }

  #take(
    message: { type: number; flags: number; order: number | undefined; body: Uint8Array },
    fields: Fields,
  ): void {
    const { type, flags, order, body } = message;
    if (type === MESSAGE.nil) return;
    if (type > LAST_KNOWN_TYPE && (flags & FAIL_IF_UNKNOWN) !== 0) {
      throw fields.malformed(`message ${type} is not known`);
    }
    if (type !== MESSAGE.continuation) {
      this.messages.push({ type, isShared: (flags & IS_SHARED) !== 0, order, body });
      return;
    }
    const target = new Fields(body, this.#what, fields.widths);
    const [address, size] = [target.presentAddress(), target.size()];
    this.#total += size;
    // Blocks that overlap could be as many as their bytes.
    if (this.#met.has(address) || this.#total > METADATA_SIZE_MAX) {
      throw fields.malformed("its blocks lead to each other, or are too many");
    }
    this.#met.add(address);
    this.#blocks.push({ address, size });
  }

  /** Follows continuations. */
  follow(read: (fields: Fields) => void, signature?: string): void {
    for (let block = this.#blocks.pop(); block !== undefined; block = this.#blocks.pop()) {
      const { address, size } = block;
      if (signature === undefined) {
        read(this.#format.record(address, size, this.#what));
      } else {
        read(this.#format.checkedRecord({ address, size, signature }, this.#what));
      }
    }
  }
}

/**
 * Reads the header of an object.
 *
 * @param what The object, for errors.
 * @throws `DaosError` `DER_DF_INVAL`.
 */
export function readObjectHeader(format: H5Format, address: number, what: string): ObjectHeader {
  const first = format.record(address, 4, what);
  if (first.u8() === 1) return readVersion1(format, address, what);
  return readVersion2(format, address, what);
}

function readVersion1(format: H5Format, address: number, what: string): ObjectHeader {
  const head = format.record(address, 16, what);
  head.skip(8);
  const size = head.u32();
  const reader = new HeaderReader(format, what);
  reader.readOld(format.record(address + 16, size, what));
  reader.follow((fields) => reader.readOld(fields));
  const attributeOrder = { isTracked: false, isIndexed: false };
  return { address, attributeOrder, messages: reader.messages };
}

function readVersion2(format: H5Format, address: number, what: string): ObjectHeader {
  const head = format.record(address, 6, what).signature("OHDR");
  head.version("object header", 2);
  const flags = head.u8();
  const sizeWidth = 1 << (flags & 3);
  const headSize = 6 + (flags & HAS_TIMES ? 16 : 0) + (flags & HAS_BOUNDS ? 4 : 0);
  const sizeField = format.record(address + headSize, sizeWidth, what);
  const size = headSize + sizeWidth + sizeField.length(sizeWidth) + CHECKSUM_SIZE;
  const fields = format.checkedRecord({ address, size, signature: "OHDR" }, what);
  const hasOrder = (flags & HAS_ORDER) !== 0;
  const reader = new HeaderReader(format, what);
  reader.readNew(fields.skip(headSize - 4 + sizeWidth), hasOrder);
  reader.follow((block) => reader.readNew(block, hasOrder), "OCHK");
  const attributeOrder = { isTracked: hasOrder, isIndexed: (flags & ORDER_IS_INDEXED) !== 0 };
  return { address, attributeOrder, messages: reader.messages };
}
