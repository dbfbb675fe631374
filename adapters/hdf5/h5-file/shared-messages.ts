/**
 * Shared messages: bodies that are in the header of a committed datatype, or in the heap of a table.
 *
 *     body    version 1   u8 1, u8 0, 6 bytes, length, address of the header
 *             version 2   u8 2, u8 0, address of the header
 *             version 3   u8 3, u8 kind (1 in the heap: 8 bytes id; 2 in a header: address)
 *     table   "SMTB", per index: u8 0, u8 kind, u16 types, u32 least size, u16, u16, u16,
 *             address index, address heap; u32 checksum
 *
 * Source: HDF5 File Format Specification, sections III.J and IV.A.1.
 *
 * @module
 */

import { CHECKSUM_SIZE, Fields, type H5Format } from "./format.js";
import { FractalHeap } from "./fractal-heap.js";
import { MESSAGE, type Message, readObjectHeader } from "./object-header.js";

const IN_HEAP = 1;
const HEAP_ID_SIZE = 8;

/** A message whose body was found. */
export interface ResolvedMessage {
  readonly body: Uint8Array;
  /** Address of the committed datatype that holds it. */
  readonly committed: number | undefined;
}

/** Finds the bodies of shared messages. */
export class SharedMessages {
  readonly #format: H5Format;
  /** Heap of each index, with the types of messages in it as bits. */
  readonly #heaps: { readonly types: number; readonly address: number }[];
  readonly #open = new Map<number, FractalHeap>();

  /** @param extension Address of the superblock's extension. */
  constructor(format: H5Format, extension: number | undefined) {
    this.#format = format;
    this.#heaps = extension === undefined ? [] : readTable(format, extension);
  }

  /** The body of a message. */
  resolve(message: Message, what: string): ResolvedMessage {
    if (!message.isShared) return { body: message.body, committed: undefined };
    return this.resolveBody(message.type, message.body, what);
  }

  /** The body that the body of a shared message leads to. */
  resolveBody(type: number, body: Uint8Array, what: string): ResolvedMessage {
    const fields = new Fields(body, what, this.#format);
    const version = fields.version("shared message", 1, 2, 3);
    const kind = fields.u8();
    if (version === 3 && kind === IN_HEAP) {
      return { body: this.heapOf(type, what).get(fields.raw(HEAP_ID_SIZE)), committed: undefined };
    }
    if (version === 1) fields.skip(6 + this.#format.lengthSize);
    const address = fields.presentAddress();
    const { messages } = readObjectHeader(this.#format, address, what);
    const found = messages.find((message) => message.type === type && !message.isShared);
    if (found === undefined) throw fields.malformed("a shared message is not where it should be");
    return { body: found.body, committed: type === MESSAGE.datatype ? address : undefined };
  }

  /** The heap of messages of a type. */
  heapOf(type: number, what: string): FractalHeap {
    const index = this.#heaps.find(({ types }) => (types & (1 << type)) !== 0);
    if (index === undefined) {
      const empty = new Fields(new Uint8Array(0), what, this.#format);
      throw empty.malformed(`the file has no heap of messages of type ${type}`);
    }
    let heap = this.#open.get(index.address);
    if (heap === undefined) {
      heap = new FractalHeap(this.#format, index.address, what);
      this.#open.set(index.address, heap);
    }
    return heap;
  }
}

function readTable(format: H5Format, extension: number): { types: number; address: number }[] {
  const what = `the table of shared messages of ${format.bytes.path}`;
  const { messages } = readObjectHeader(format, extension, what);
  const message = messages.find(({ type }) => type === MESSAGE.sharedTable);
  if (message === undefined) return [];
  const fields = new Fields(message.body, what, format);
  fields.version("shared message table", 0);
  const [address, count] = [fields.presentAddress(), fields.u8()];
  const entrySize = 14 + 2 * format.offsetSize;
  const size = 4 + count * entrySize + CHECKSUM_SIZE;
  const table = format.checkedRecord({ address, size, signature: "SMTB" }, what);
  return Array.from({ length: count }, () => {
    table.skip(2);
    const types = table.u16();
    table.skip(10);
    table.address();
    return { types, address: table.address() };
  }).filter((one): one is { types: number; address: number } => one.address !== undefined);
}
