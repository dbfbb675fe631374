/**
 * Reads the elements of a dataset as its new file has them, box by box, with bounded items.
 *
 * @module
 */

import { type Datatype, hasSlots, itemSizeOf } from "../datatype/datatype.js";
import type { Box, RawElements, SourceDataset } from "../description.js";
import { countOfShape } from "../h5-file/box-copy.js";
import { halvesOf } from "./boxes.js";
import { BOX_SIZE_MAX, ITEMS_COUNT_FIRST, ITEMS_SIZE_MAX } from "./limits.js";
import type { WriteContext } from "./write-context.js";

/** The elements of one dataset. */
export class ElementSource {
  readonly type: Datatype;
  readonly itemSize: number;
  /** Extents; none of a scalar. */
  readonly shape: readonly number[];
  readonly path: string;
  readonly #context: WriteContext;
  readonly #dataset: SourceDataset;
  readonly #isSparse: boolean;
  /** Elements of fixed size are read into it. */
  readonly #memory: Uint8Array | undefined;
  /** Elements that are read at once: fewer where their items are large. */
  #countMax: number;

  constructor(context: WriteContext, dataset: SourceDataset, path: string) {
    this.#context = context;
    this.#dataset = dataset;
    this.path = path;
    const { type, space } = dataset.description;
    this.type = type;
    this.itemSize = itemSizeOf(type);
    this.shape = space.kind === "simple" ? space.shape : [];
    this.#memory = hasSlots(type) ? undefined : context.memory;
    // Chunks of slots that point to nothing may never have been written, and need not be.
    this.#isSparse = hasSlots(type) && dataset.description.layout.kind === "chunked";
    this.#countMax = hasSlots(type) ? ITEMS_COUNT_FIRST : Number.POSITIVE_INFINITY;
  }

  /** Elements that a box should have, at most. */
  get countMax(): number {
    return Math.max(1, Math.floor(BOX_SIZE_MAX / this.itemSize));
  }

  /** Bytes of all elements. */
  get size(): number {
    const isNull = this.#dataset.description.space.kind === "null";
    return isNull ? 0 : countOfShape(this.shape) * this.itemSize;
  }

  /** Elements of a box; the next call may overwrite them. */
  async read(box: Box): Promise<Uint8Array> {
    const count = countOfShape(box.shape);
    const halves = count > this.#countMax ? halvesOf(box) : undefined;
    if (halves === undefined) return this.#readAtOnce(box, count);
    const [first, second] = halves;
    return Buffer.concat([await this.read(first), await this.read(second)]);
  }

  async #readAtOnce(box: Box, count: number): Promise<Uint8Array> {
    let elements: RawElements;
    try {
      elements = await this.#dataset.read(box, this.#memory);
    } catch (error) {
      const isTooLarge = (error as { code?: string }).code === "DER_REC2BIG";
      if (!isTooLarge || halvesOf(box) === undefined) throw error;
      this.#countMax = Math.max(1, Math.floor(count / 2));
      return this.read(box);
    }
    if (this.#countMax !== Number.POSITIVE_INFINITY) this.#adapt(elements.heap, count);
    if (this.#isSparse && elements.bytes.every((byte) => byte === 0)) return elements.bytes;
    return this.convert(elements);
  }

  #adapt(heap: readonly Uint8Array[], count: number): void {
    const size = heap.reduce((sum, item) => sum + item.length, 1);
    const fitting = Math.floor((count * ITEMS_SIZE_MAX) / size);
    this.#countMax = Math.max(1, Math.min(2 * this.#countMax, fitting));
  }

  /** Elements as the file has them. */
  convert(elements: RawElements): Promise<Uint8Array> {
    const { path } = this;
    const report = (why: string) => this.#context.counts.note(path, "DER_NONEXIST", why);
    return this.#context.elements.convert(this.type, elements, { what: `"${path}"`, report });
  }
}
