/**
 * Attributes: in messages of the header, or in a heap with a tree of names.
 *
 *     message   version 1   u8 1, u8 0, u16 sizes of name, datatype, dataspace; each padded to 8; elements
 *               version 2   u8 2, u8 flags (1 shared datatype, 2 shared dataspace), sizes; not padded
 *               version 3   u8 3, u8 flags, sizes, u8 charset; not padded
 *
 * Source: HDF5 File Format Specification, section IV.A.2.m.
 *
 * @module
 */

import { type CharacterSet, type Datatype, itemSizeOf } from "../datatype/datatype.js";
import type { Dataspace } from "../description.js";
import { decodeDataspace } from "../messages/dataspace-message.js";
import { decodeDatatype } from "../messages/datatype-message.js";
import { treeRecords } from "./btree-v2.js";
import { Fields, type H5Format } from "./format.js";
import { FractalHeap } from "./fractal-heap.js";
import { MESSAGE, type ObjectHeader } from "./object-header.js";
import type { SharedMessages } from "./shared-messages.js";

const SHARED_TYPE = 1;
const SHARED_SPACE = 2;
const IS_SHARED = 2;
/** Fields in front of the body of a record of a tree of names. */
const DENSE_ID_SIZE = 8;

/** An attribute as it is stored. */
export interface AttributeRecord {
  readonly name: string;
  readonly nameCharset: CharacterSet;
  /** Place in the order of creation, if that is tracked. */
  readonly order: number;
  readonly type: Datatype;
  /** Address of the committed datatype that it uses. */
  readonly committed: number | undefined;
  readonly space: Dataspace;
  /** Its elements in the file. */
  readonly bytes: Uint8Array;
}

/** Elements of a dataspace. */
export function countOf(space: Dataspace): number {
  if (space.kind !== "simple") return space.kind === "scalar" ? 1 : 0;
  return space.shape.reduce((count, extent) => count * extent, 1);
}

/** Reads the attributes of objects. */
export class AttributeReader {
  readonly #format: H5Format;
  readonly #shared: SharedMessages;

  constructor(format: H5Format, shared: SharedMessages) {
    this.#format = format;
    this.#shared = shared;
  }

  /** The attributes of an object: in order of creation if that is tracked, else by name. */
  list(header: ObjectHeader, what: string): AttributeRecord[] {
    const found = [...this.#inHeader(header, what), ...this.#inHeap(header, what)];
    if (header.attributeOrder.isTracked) return found.sort((a, b) => a.order - b.order);
    return found.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }

  *#inHeader(header: ObjectHeader, what: string): Generator<AttributeRecord> {
    for (const message of header.messages) {
      if (message.type !== MESSAGE.attribute) continue;
      const { body } = this.#shared.resolve(message, what);
      yield this.decode(new Fields(body, what, this.#format), message.order ?? 0);
    }
  }

  *#inHeap({ messages }: ObjectHeader, what: string): Generator<AttributeRecord> {
    const message = messages.find(({ type }) => type === MESSAGE.attributeInfo);
    if (message === undefined) return;
    const info = new Fields(message.body, what, this.#format);
    info.version("attribute info", 0);
    if ((info.u8() & 1) !== 0) info.skip(2);
    const [heapAddress, names] = [info.address(), info.address()];
    if (heapAddress === undefined || names === undefined) return;
    const heap = new FractalHeap(this.#format, heapAddress, what);
    for (const record of treeRecords(this.#format, names, what)) {
      const id = record.raw(DENSE_ID_SIZE);
      const isShared = (record.u8() & IS_SHARED) !== 0;
      const order = record.u32();
      const from = isShared ? this.#shared.heapOf(MESSAGE.attribute, what) : heap;
      yield this.decode(new Fields(from.get(id), what, this.#format), order);
    }
  }

  /** Decodes an attribute message. */
  decode(fields: Fields, order: number): AttributeRecord {
    const version = fields.version("attribute", 1, 2, 3);
    const flags = fields.u8();
    const sizes = [fields.u16(), fields.u16(), fields.u16()] as const;
    const charset = version === 3 ? fields.u8() : 0;
    if (charset > 1) throw fields.malformed(`character set ${charset} is not known`);
    const take = (size: number): Uint8Array => {
      const bytes = fields.raw(size);
      if (version === 1) fields.skip((8 - (size % 8)) % 8);
      return bytes;
    };
    const name = Buffer.from(take(sizes[0])).toString("utf8").replace(/\0.*$/s, "");
    const what = `attribute "${name}" of ${fields.what}`;
    const [typeBytes, spaceBytes] = [take(sizes[1]), take(sizes[2])];
    const isTypeShared = version > 1 && (flags & SHARED_TYPE) !== 0;
    const isSpaceShared = version > 1 && (flags & SHARED_SPACE) !== 0;
    const typeMessage = isTypeShared
      ? this.#shared.resolveBody(MESSAGE.datatype, typeBytes, what)
      : { body: typeBytes, committed: undefined };
    const spaceBody = isSpaceShared
      ? this.#shared.resolveBody(MESSAGE.dataspace, spaceBytes, what).body
      : spaceBytes;
    const type = decodeDatatype(typeMessage.body, what);
    const space = decodeDataspace(
      new Fields(spaceBody, what, this.#format),
      what,
      this.#format.lengthSize,
    );
    const count = countOf(space);
    const size = count * itemSizeOf(type);
    // Elements of a file with narrow addresses may be smaller than in memory: all of them are taken.
    const stored = this.#format.offsetSize === 8 ? size : Math.min(size, fields.remaining);
    const bytes = Uint8Array.from(fields.raw(stored));
    const nameCharset = charset === 1 ? "utf8" : "ascii";
    return { name, nameCharset, order, type, committed: typeMessage.committed, space, bytes };
  }
}
