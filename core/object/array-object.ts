/**
 * An array of cells of one size over the bytes of an object.
 *
 *     byte array (arrayByte)   cells of one byte; holes read as zeros
 *     array (array)            cell and chunk size are stored with the object; holes leave buffers as they are
 *     array (arrayAttr)        the same, but who opens it says the sizes
 *
 * Strided ranges and regular lists are one pattern from the call down to the index (array-ranges.ts): their
 * cost does not grow with their number.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { ARRAY_CHUNK_SIZE_DEFAULT } from "../limits.js";
import type { TransactionScope } from "../pool/container-transaction.js";
import type { ContainerView } from "../pool/view.js";
import type { Epoch } from "../vos/epoch.js";
import { formatOid, type ObjectId, ObjectType, objectTypeOf } from "../vos/object-id.js";
import { Pattern, type PatternRange, wholeOf } from "../vos/pattern.js";
import { BufferCursor, type Bytes, sizeOf } from "../vos/records.js";
import {
  type ArrayAttributes,
  ATTRIBUTES_NAME,
  checkAttributes,
  decodeAttributes,
  encodeAttributes,
} from "./array-format.js";
import { type CellRange, patternsOf } from "./array-ranges.js";
import {
  type CallOptions,
  changing,
  type ObjectSource,
  reading,
  writing,
} from "./object-access.js";

/** How an array is created. */
export interface ArrayCreateOptions extends Partial<ArrayAttributes> {
  /** `byte` has cells of one byte and stores no attributes; `cells`, the default, does. */
  readonly type?: "byte" | "cells";
  /** The transaction that the array is created in. */
  readonly tx?: TransactionScope | undefined;
}

/** What a read found. */
export interface ArrayReadResult {
  /** Cells of the ranges that lie before the end of the array: what a short read counts. */
  readonly cells: number;
}

const BYTE_ATTRIBUTES = { cellSize: 1, chunkSize: ARRAY_CHUNK_SIZE_DEFAULT };

/** The object type and the attributes of a new array. */
export function newArray(options: ArrayCreateOptions): {
  type: (typeof ObjectType)["array"] | (typeof ObjectType)["arrayByte"];
  attributes: ArrayAttributes;
} {
  const what = "Creating an array";
  const { type = "cells", cellSize = 1 } = options;
  if (type !== "byte" && type !== "cells") {
    const remedy = 'use "byte" or "cells"';
    throw new DaosError("DER_INVAL", { what, why: `"${type}" is no type of array`, remedy });
  }
  if (type === "byte" && cellSize !== 1) {
    const why = `the cells of a byte array cannot have ${cellSize} bytes`;
    throw new DaosError("DER_INVAL", { what, why, remedy: 'use the type "cells"' });
  }
  const perChunk = Math.max(1, Math.floor(ARRAY_CHUNK_SIZE_DEFAULT / cellSize));
  const attributes = { cellSize, chunkSize: options.chunkSize ?? perChunk };
  checkAttributes(what, attributes);
  return { type: type === "byte" ? ObjectType.arrayByte : ObjectType.array, attributes };
}

/** Stores the attributes of a new array, where its type has any. */
export async function storeAttributes(
  source: ObjectSource,
  { oid, attributes }: { oid: ObjectId; attributes: ArrayAttributes },
  options: CallOptions,
): Promise<void> {
  if (objectTypeOf(oid) !== ObjectType.array) return;
  const value = encodeAttributes(attributes);
  const change = { oid, ...ATTRIBUTES_NAME, value, condition: "insert" as const };
  await writing(source, options, (own) => own.put(change));
}

/**
 * The attributes of an array that exists.
 *
 * @param given Attributes that the caller knows; needed for `arrayAttr`.
 * @throws {@link DaosError} `DER_NONEXIST` if none are stored, `DER_INVAL` if the object is no array.
 */
export async function loadAttributes(
  source: ObjectSource,
  oid: ObjectId,
  { given, ...options }: CallOptions & { given?: ArrayAttributes | undefined },
): Promise<ArrayAttributes> {
  options.signal?.throwIfAborted();
  const what = `Opening array ${formatOid(oid)}`;
  const type = objectTypeOf(oid);
  if (type === ObjectType.arrayByte && given === undefined) return BYTE_ATTRIBUTES;
  if (type === ObjectType.arrayByte || type === ObjectType.arrayAttr) {
    const attributes = given ?? { cellSize: Number.NaN, chunkSize: Number.NaN };
    checkAttributes(what, attributes);
    if (type === ObjectType.arrayAttr || attributes.cellSize === 1) return attributes;
  }
  if (type !== ObjectType.array) {
    const remedy = "use an id of type array, arrayAttr or arrayByte";
    throw new DaosError("DER_INVAL", { what, why: `its type is ${type}`, remedy }, { type });
  }
  const { dkey, akey } = ATTRIBUTES_NAME;
  const stored = reading(source, options, (view) => view.getValue(oid, dkey, akey));
  if (stored !== undefined) return decodeAttributes(oid, stored);
  const remedy = "create it with container.createArray()";
  throw new DaosError("DER_NONEXIST", { what, why: "there is no such array", remedy });
}

/**
 * An open array.
 *
 * @example
 * ```ts
 * const array = await container.createArray({ cellSize: 8 });
 * await array.write({ index: 0, count: 1, stride: 4, blocks: 1000 }, column); // every fourth cell
 * const { cells } = await array.read({ index: 0, count: 4000 }, whole);
 * ```
 */
export class ArrayObject {
  /** The object's id. */
  readonly oid: ObjectId;
  /** Bytes of a cell. */
  readonly cellSize: number;
  /** Cells of a chunk. */
  readonly chunkSize: number;
  readonly #source: ObjectSource;

  constructor(source: ObjectSource, oid: ObjectId, { cellSize, chunkSize }: ArrayAttributes) {
    this.#source = source;
    this.oid = oid;
    this.cellSize = cellSize;
    this.chunkSize = chunkSize;
  }

  #patterns(
    verb: string,
    ranges: CellRange | readonly CellRange[],
    bytes: Bytes | undefined,
  ): PatternRange[] {
    const what = `${verb} array ${formatOid(this.oid)}`;
    const patterns = patternsOf(what, ranges, this.cellSize);
    const needed = patterns.reduce((sum, { to }) => sum + to, 0);
    if (bytes === undefined || sizeOf(bytes) === needed) return patterns;
    const why = `the cells have ${needed} bytes, the buffers ${sizeOf(bytes)}`;
    const remedy = "pass buffers of exactly the cells";
    throw new DaosError("DER_INVAL", { what, why, remedy }, { needed });
  }

  /**
   * Reads cells into buffers, packed, in the order of the ranges.
   *
   * Cells that were never written become zeros in a byte array; else they leave the buffer as it is.
   *
   * @param into Exactly as many bytes as the cells have.
   * @throws {@link DaosError} `DER_INVAL`, or `DER_CSUM` if stored bytes are damaged.
   */
  async read(
    ranges: CellRange | readonly CellRange[],
    into: Bytes,
    options: CallOptions = {},
  ): Promise<ArrayReadResult> {
    const patterns = this.#patterns("Reading", ranges, into);
    return reading(this.#source, options, (view) => {
      const size = view.arraySize(this.oid);
      const buffers = new BufferCursor(into);
      let bytes = 0;
      for (const { pattern } of patterns) {
        bytes += pattern.packedAtOrAfter(size);
        let from = 0;
        buffers.take(pattern.size, (part) => {
          this.#readPart(view, { pattern, from, to: from + part.length }, part);
          from += part.length;
        });
      }
      return { cells: Math.ceil(bytes / this.cellSize) };
    });
  }

  #readPart(view: ContainerView, range: PatternRange, part: Uint8Array): void {
    if (objectTypeOf(this.oid) === ObjectType.arrayByte) view.readArray(this.oid, range, part);
    else view.readWritten(this.oid, range, part);
  }

  /**
   * Writes cells from buffers, packed, in the order of the ranges. The buffers may be reused when the call
   * returns.
   *
   * @param from Exactly as many bytes as the cells have.
   * @returns The epoch; `undefined` in a transaction.
   * @throws {@link DaosError} `DER_INVAL`, `DER_NOSPACE`, `DER_IO`; as commits do.
   */
  async write(
    ranges: CellRange | readonly CellRange[],
    from: Bytes,
    options: CallOptions = {},
  ): Promise<Epoch | undefined> {
    const patterns = this.#patterns("Writing", ranges, from);
    return writing(this.#source, options, (own) => {
      const buffers = new BufferCursor(from);
      for (const { pattern } of patterns) {
        let at = 0;
        buffers.take(pattern.size, (part) => {
          own.write(this.oid, { pattern, from: at, to: at + part.length }, part);
          at += part.length;
        });
      }
    });
  }

  /** Punches cells: they are as if they had never been written. */
  async punch(
    ranges: CellRange | readonly CellRange[],
    options: CallOptions = {},
  ): Promise<Epoch | undefined> {
    const patterns = this.#patterns("Punching", ranges, undefined);
    return writing(this.#source, options, (own) => {
      for (const pattern of patterns) own.punchRange(this.oid, pattern);
    });
  }

  /** Number of cells up to the last one that was written. */
  async getSize(options: CallOptions = {}): Promise<number> {
    return reading(this.#source, options, (view) => this.#sizeIn(view));
  }

  #sizeIn(view: ContainerView): number {
    return Math.ceil(view.arraySize(this.oid) / this.cellSize);
  }

  /**
   * Makes the array so many cells long: what lies behind is punched, or the last cell is written as zeros.
   *
   * @returns The epoch; `undefined` in a transaction.
   * @throws {@link DaosError} `DER_INVAL`; `DER_TX_RESTART` if others keep changing the size.
   */
  async setSize(cells: number, options: CallOptions = {}): Promise<Epoch | undefined> {
    const what = `Resizing array ${formatOid(this.oid)}`;
    if (!Number.isSafeInteger(cells) || cells < 0) {
      const text = { what, why: `${cells} is no number of cells`, remedy: "use a whole number" };
      throw new DaosError("DER_INVAL", text);
    }
    // Also checks that the last cell lies inside.
    const [last] =
      cells === 0 ? [] : patternsOf(what, { index: cells - 1, count: 1 }, this.cellSize);
    return changing(this.#source, options, ({ view, own }) => {
      const size = view.arraySize(this.oid);
      const wanted = cells * this.cellSize;
      if (wanted < size) own.punchRange(this.oid, wholeOf(Pattern.contiguous(wanted, size)));
      // Behind a hole the end is not where it should be.
      const isShort = last !== undefined && view.arraySize(this.oid) <= wanted - this.cellSize;
      if (isShort) own.write(this.oid, last, new Uint8Array(this.cellSize));
    });
  }

  /** Removes the array with its attributes; it stays in the versions before. */
  async destroy(options: CallOptions = {}): Promise<Epoch | undefined> {
    return writing(this.#source, options, (own) => own.punch(this.oid));
  }
}
