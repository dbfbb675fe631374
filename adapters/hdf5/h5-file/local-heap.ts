/**
 * Local heaps: names of the members of old groups, and of external files.
 *
 *     "HEAP", u8 0, 3 bytes, length size, length free list, address of the data
 *
 * Source: HDF5 File Format Specification, section III.D.
 *
 * @module
 */

import { Fields, type H5Format } from "./format.js";

/** An open local heap. */
export class LocalHeap {
  readonly #bytes: Buffer;
  readonly #format: H5Format;
  readonly #what: string;

  constructor(format: H5Format, address: number, what: string) {
    const head = format.record(address, 8 + 2 * format.lengthSize + format.offsetSize, what);
    head.signature("HEAP").version("local heap", 0);
    const size = head.skip(3).size();
    head.size();
    this.#format = format;
    this.#what = what;
    this.#bytes = format.bytes.read(format.base + head.presentAddress(), size, what);
  }

  /** The text at an offset. */
  text(offset: number): string {
    const fields = new Fields(this.#bytes, this.#what, this.#format);
    return fields.skip(offset).cString();
  }
}
