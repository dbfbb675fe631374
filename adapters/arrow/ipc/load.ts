/**
 * Makes Arrow data of the buffers of a message; those of other columns are not even looked for.
 *
 * Data that comes from elsewhere is checked: that each buffer is as large as its rows need, that offsets increase
 * and stay within what they lead into, and that indices name what is there. What follows no false offset cannot
 * read what it should not, or take time without end.
 *
 * @module
 */

import { type Data, DataType, makeData, Type, UnionMode, Vector } from "apache-arrow";
import { malformed } from "../errors.js";
import { elementSize } from "./assemble.js";
import type { BodyLayout, Region } from "./layout.js";
import { checkIndices, checkOffsets, checkUnion, checkViews } from "./load-checks.js";
import { childrenOf, hasText } from "./types.js";

/** Where buffers and dictionaries come from. */
export interface LoadSource {
  /** What is done, for errors. */
  readonly what: string;
  /** Whether the data was checked before, as all that a table stores was. */
  readonly isTrusted: boolean;
  /** The bytes of a buffer. */
  bytesOf(region: Region): Uint8Array;
  /** The dictionary of a number. */
  dictionary(id: number): Vector | undefined;
}

const NONE = new Uint8Array(0);

/** Copies bytes that do not lie where their elements may be viewed. */
function viewable(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
}

/** Goes through the nodes and buffers of a message in the order of the columns. */
export class Loader {
  readonly #layout: BodyLayout;
  readonly #source: LoadSource;
  #node = 0;
  #region = 0;
  #variadic = 0;

  constructor(layout: BodyLayout, source: LoadSource) {
    this.#layout = layout;
    this.#source = source;
  }

  #fault(why: string): Error {
    return malformed(this.#source.what, why);
  }

  #nextNode(): { length: number; nullCount: number } {
    const node = this.#layout.node(this.#node);
    this.#node += 1;
    if (node === undefined) throw this.#fault("columns are missing");
    const { length, nullCount } = node;
    if (!Number.isSafeInteger(length) || length < 0 || length > 2 ** 31 - 1) {
      throw this.#fault(`a column cannot have ${length} rows`);
    }
    if (nullCount > length) throw this.#fault("a column has more nulls than rows");
    return { length, nullCount };
  }

  #nextRegion(): Region {
    const region = this.#layout.region(this.#region);
    this.#region += 1;
    if (region === undefined) throw this.#fault("buffers are missing");
    return region;
  }

  /** The next buffer, of at least `needed` bytes. */
  #buffer(needed: number, size = 1): Uint8Array {
    const bytes = this.#source.bytesOf(this.#nextRegion());
    if (bytes.length < needed) {
      throw this.#fault(`a buffer has ${bytes.length} bytes where its rows need ${needed}`);
    }
    return viewable(bytes, size);
  }

  #nulls(length: number, nullCount: number): Uint8Array {
    const region = this.#nextRegion();
    if (nullCount === 0) return NONE;
    const bytes = this.#source.bytesOf(region);
    if (bytes.length === 0 && nullCount < 0) return NONE;
    if (bytes.length < (length + 7) >> 3) throw this.#fault("a bitmap is too short");
    return bytes;
  }

  #offsets(length: number, size: 4 | 8): Int32Array | BigInt64Array {
    // Arrow lets data without rows come without its one offset.
    const bytes = this.#buffer(length === 0 ? 0 : (length + 1) * size, size);
    if (bytes.length < size) return size === 8 ? new BigInt64Array(1) : new Int32Array(1);
    const { buffer, byteOffset } = bytes;
    return size === 8
      ? new BigInt64Array(buffer, byteOffset, length + 1)
      : new Int32Array(buffer, byteOffset, length + 1);
  }

  /** Passes over a column: its buffers stay where they are. */
  skip(type: DataType): void {
    const { typeId } = type;
    const isDictionary = DataType.isDictionary(type);
    this.#node += 1;
    if (typeId === Type.Null) return;
    if (DataType.isUnion(type)) this.#region += type.mode === UnionMode.Dense ? 2 : 1;
    else if (DataType.isStruct(type) || DataType.isFixedSizeList(type)) this.#region += 1;
    else if (hasText(typeId) && !isDictionary) this.#region += 3;
    else this.#region += 2;
    if (typeId === Type.Utf8View || typeId === Type.BinaryView) {
      this.#region += this.#nextVariadic();
    }
    if (!isDictionary) for (const child of childrenOf(type)) this.skip(child.type);
  }

  #nextVariadic(): number {
    const count = this.#layout.variadicCount(this.#variadic);
    this.#variadic += 1;
    if (count < 0 || count > this.#layout.regionCount) throw this.#fault("buffers are missing");
    return count;
  }

  /**
   * The data of the next column.
   *
   * @throws `DaosError` `DER_INVAL` if the message does not hold it.
   */
  load(type: DataType): Data {
    const node = this.#nextNode();
    const { length } = node;
    if (type.typeId === Type.Null) return makeData({ type, length } as never) as Data;
    if (DataType.isUnion(type)) return this.#union(type, length);
    const nullBitmap = this.#nulls(length, node.nullCount);
    const nullCount = nullBitmap.length === 0 ? 0 : node.nullCount;
    const common = { type, length, nullCount, nullBitmap };
    if (DataType.isDictionary(type)) return this.#dictionary(type, common);
    const { typeId } = type;
    if (hasText(typeId)) return this.#text(typeId, common);
    if (typeId === Type.Utf8View || typeId === Type.BinaryView) return this.#views(common);
    if (childrenOf(type).length > 0 || DataType.isStruct(type)) return this.#nested(type, common);
    if (typeId === Type.Bool) {
      return makeData({ ...common, data: this.#buffer((length + 7) >> 3) } as never) as Data;
    }
    const size = elementSize(type);
    const data = this.#buffer(length * flatStride(type) * size, size);
    return makeData({ ...common, data: exact(data, length * flatStride(type) * size) } as never);
  }

  #text(typeId: Type, common: { length: number }): Data {
    const isLarge = typeId === Type.LargeUtf8 || typeId === Type.LargeBinary;
    const valueOffsets = this.#offsets(common.length, isLarge ? 8 : 4);
    const data = this.#buffer(0);
    if (!this.#source.isTrusted) checkOffsets(valueOffsets, data.length, this.#source.what);
    return makeData({ ...common, valueOffsets, data } as never) as Data;
  }

  #views(common: { length: number }): Data {
    const views = exact(this.#buffer(common.length * 16, 4), common.length * 16);
    const variadicBuffers = Array.from({ length: this.#nextVariadic() }, () => this.#buffer(0));
    if (!this.#source.isTrusted) checkViews(views, variadicBuffers, this.#source.what);
    return makeData({ ...common, views, variadicBuffers } as never) as Data;
  }

  #nested(type: DataType, common: { length: number }): Data {
    const { length } = common;
    if (DataType.isStruct(type)) {
      const children = type.children.map((child) => this.#child(child.type, length));
      return makeData({ ...common, children } as never) as Data;
    }
    const childType = childrenOf(type)[0]?.type as DataType;
    if (DataType.isFixedSizeList(type)) {
      const child = this.#child(childType, length * type.listSize);
      return makeData({ ...common, child } as never) as Data;
    }
    const valueOffsets = this.#offsets(length, type.typeId === Type.LargeList ? 8 : 4);
    const child = this.load(childType);
    if (!this.#source.isTrusted) checkOffsets(valueOffsets, child.length, this.#source.what);
    return makeData({ ...common, valueOffsets, child } as never) as Data;
  }

  /** A child of so many rows, or more. */
  #child(type: DataType, length: number): Data {
    const child = this.load(type);
    if (child.length === length) return child;
    if (child.length < length) throw this.#fault("a nested column has too few rows");
    return child.slice(0, length);
  }

  #union(type: DataType & { mode: UnionMode; typeIds: Int32Array }, length: number): Data {
    const typeIds = exact(this.#buffer(length), length);
    const isDense = type.mode === UnionMode.Dense;
    const offsets = isDense ? exact(this.#buffer(length * 4, 4), length * 4) : undefined;
    const children = childrenOf(type).map((child) => {
      return isDense ? this.load(child.type) : this.#child(child.type, length);
    });
    const valueOffsets =
      offsets && new Int32Array(offsets.buffer, offsets.byteOffset, offsets.byteLength / 4);
    if (!this.#source.isTrusted) {
      const lengths = children.map((child) => child.length);
      checkUnion({ typeIds, offsets: valueOffsets, ids: type.typeIds, lengths }, this.#source.what);
    }
    return makeData({ type, length, typeIds, valueOffsets, children } as never) as Data;
  }

  #dictionary(
    type: DataType & { id: number; indices: DataType; dictionary: DataType },
    common: { length: number; nullBitmap: Uint8Array },
  ): Data {
    const size = elementSize(type.indices);
    const needed = common.length * size;
    const data = exact(this.#buffer(needed, size), needed);
    const dictionary = this.#source.dictionary(type.id) ?? emptyDictionary(type.dictionary);
    if (!this.#source.isTrusted) {
      const { length: count } = dictionary;
      checkIndices({ bytes: data, size, count, nulls: common.nullBitmap }, this.#source.what);
    }
    return makeData({ ...common, data, dictionary } as never) as Data;
  }
}

/** Elements of the type's array that a row has. */
export function flatStride(type: DataType): number {
  if (DataType.isDecimal(type)) return type.bitWidth / 32;
  if (DataType.isFixedSizeBinary(type)) return type.byteWidth;
  if (DataType.isInterval(type)) return [1, 2, 4][type.unit] as number;
  return 1;
}

function exact(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.length === size ? bytes : bytes.subarray(0, size);
}

function emptyDictionary(type: DataType): Vector {
  return new Vector([makeData({ type, length: 0 } as never) as Data]);
}
