/**
 * Datatype: MPI datatypes as descriptions of memory and files, in plain TypeScript.
 *
 * They describe file views (which bytes of a file a rank sees) and work without an MPI library.
 * Terms are those of the MPI standard: the *size* counts data bytes; the *extent* is the distance at
 * which a type is repeated, from its lower bound; the *true* bounds enclose the data alone.
 *
 * Types are immutable values: there is nothing to commit and nothing to free.
 *
 * @module
 */

import { MpiError } from "./errors.js";
import { EMPTY_LAYOUT, type Layout, moveLayout, repeatLayout } from "./layout.js";

/** How the dimensions of an array follow each other in memory: "C", last one fastest. */
export type ArrayOrder = "C" | "FORTRAN";

/** Where a type begins and ends, in bytes from its origin. */
interface Bounds {
  readonly lower: number;
  readonly upper: number;
  readonly trueLower: number;
  readonly trueUpper: number;
}

/** A description of bytes in memory or in a file. */
export class Datatype {
  /** One byte without meaning. */
  static readonly BYTE = new Datatype(...bytes(1));
  /** A character of 8 bits. */
  static readonly CHAR = new Datatype(...bytes(1));
  /** A signed integer of 8 bits. */
  static readonly INT8 = new Datatype(...bytes(1));
  /** An unsigned integer of 8 bits. */
  static readonly UINT8 = new Datatype(...bytes(1));
  /** A signed integer of 16 bits. */
  static readonly INT16 = new Datatype(...bytes(2));
  /** An unsigned integer of 16 bits. */
  static readonly UINT16 = new Datatype(...bytes(2));
  /** A signed integer of 32 bits. */
  static readonly INT32 = new Datatype(...bytes(4));
  /** An unsigned integer of 32 bits. */
  static readonly UINT32 = new Datatype(...bytes(4));
  /** A signed integer of 64 bits. */
  static readonly INT64 = new Datatype(...bytes(8));
  /** An unsigned integer of 64 bits. */
  static readonly UINT64 = new Datatype(...bytes(8));
  /** A floating point number of 32 bits. */
  static readonly FLOAT = new Datatype(...bytes(4));
  /** A floating point number of 64 bits. */
  static readonly DOUBLE = new Datatype(...bytes(8));

  /** Number of data bytes. */
  readonly size: number;
  /**
   * Where the bytes lie; undefined if their pattern is not nested and regular with increasing offsets
   * (overlapping, interleaved or backward repetitions).
   */
  readonly layout: Layout | undefined;
  readonly #bounds: Bounds;

  private constructor(size: number, bounds: Bounds, layout: Layout | undefined) {
    const numbers = [size, bounds.lower, bounds.upper, bounds.trueLower, bounds.trueUpper];
    if (!numbers.every(Number.isSafeInteger)) {
      throw argumentError("a datatype", "its size or extent exceeds 2^53 - 1 bytes");
    }
    this.size = size;
    this.layout = layout;
    this.#bounds = bounds;
  }

  /** Where repetition starts, in bytes from the origin. */
  get lowerBound(): number {
    return this.#bounds.lower;
  }

  /** Distance between repetitions, in bytes. */
  get extent(): number {
    return this.#bounds.upper - this.#bounds.lower;
  }

  /** Where the data starts, in bytes from the origin. */
  get trueLowerBound(): number {
    return this.#bounds.trueLower;
  }

  /** From the first to one past the last byte of data, in bytes. */
  get trueExtent(): number {
    return this.#bounds.trueUpper - this.#bounds.trueLower;
  }

  /**
   * `count` elements, one after the other.
   *
   * @throws {@link MpiError} `MPI_ERR_ARG` for a count that is no size, `MPI_ERR_TYPE` for no type; so
   *   do all constructors.
   */
  static contiguous(count: number, old: Datatype): Datatype {
    requireType(old);
    requireSize("contiguous", "count", count);
    return old.repeated(count, old.extent);
  }

  /**
   * `count` blocks of `blocklength` elements, whose starts are `stride` elements apart.
   *
   * @example
   * ```ts
   * // One column of a 10 x 20 array of doubles.
   * const column = Datatype.vector(10, 1, 20, Datatype.DOUBLE);
   * ```
   */
  static vector(count: number, blocklength: number, stride: number, old: Datatype): Datatype {
    requireType(old);
    requireInteger("vector", "stride", stride);
    return Datatype.hvector(count, blocklength, stride * old.extent, old);
  }

  /** As `vector`, with the stride in bytes. */
  static hvector(count: number, blocklength: number, stride: number, old: Datatype): Datatype {
    requireType(old);
    requireSize("vector", "count", count);
    requireSize("vector", "blocklength", blocklength);
    requireInteger("vector", "stride", stride);
    return old.repeated(blocklength, old.extent).repeated(count, stride);
  }

  /**
   * A block of an array of any number of dimensions; its extent is that of the whole array.
   *
   * The arguments are in the standard's order; all lists have one entry per dimension, in elements.
   *
   * @param sizes Lengths of the whole array.
   * @param subsizes Lengths of the block.
   * @param starts Where the block starts, from 0.
   * @param order Which dimension is fastest in memory: the last one ("C") or the first.
   *
   * @example
   * ```ts
   * // The lower half of a 96 x 96 array.
   * const half = Datatype.subarray([96, 96], [48, 96], [48, 0], "C", Datatype.DOUBLE);
   * ```
   */
  static subarray(
    sizes: readonly number[],
    subsizes: readonly number[],
    starts: readonly number[],
    order: ArrayOrder,
    old: Datatype,
  ): Datatype {
    requireType(old);
    requireBlock(sizes, subsizes, starts, order);
    const dimensions = sizes.map((_, i) => i);
    if (order === "C") dimensions.reverse();

    let block = old;
    let stride = old.extent;
    let start = 0;
    for (const i of dimensions) {
      block = block.repeated(subsizes[i] as number, stride);
      start += (starts[i] as number) * stride;
      stride *= sizes[i] as number;
    }
    return block.movedBy(start).withBounds(0, stride);
  }

  /**
   * The same data with another lower bound and extent.
   *
   * @param lowerBound In bytes.
   * @param extent In bytes.
   */
  static resized(old: Datatype, lowerBound: number, extent: number): Datatype {
    requireType(old);
    requireInteger("resized", "lowerBound", lowerBound);
    requireInteger("resized", "extent", extent);
    return old.withBounds(lowerBound, extent);
  }

  // The methods below are `private`, not `#`: TypeScript 6.0 miscompiles a class whose static fields and
  // #methods both name the class.

  private repeated(count: number, stride: number): Datatype {
    if (count === 0 || this.size === 0) {
      // No data, but elements of a size of 0 keep their bounds.
      const none = { lower: 0, upper: 0, trueLower: 0, trueUpper: 0 };
      return new Datatype(0, count === 0 ? none : this.spread(count, stride), EMPTY_LAYOUT);
    }
    const layout = this.layout && repeatLayout(this.layout, count, stride);
    return new Datatype(this.size * count, this.spread(count, stride), layout);
  }

  /** Bounds of `count` copies, of which the last is `(count - 1) * stride` bytes away. */
  private spread(count: number, stride: number): Bounds {
    const { lower, upper, trueLower, trueUpper } = this.#bounds;
    const last = (count - 1) * stride;
    return {
      lower: lower + Math.min(0, last),
      upper: upper + Math.max(0, last),
      trueLower: trueLower + Math.min(0, last),
      trueUpper: trueUpper + Math.max(0, last),
    };
  }

  private movedBy(distance: number): Datatype {
    if (this.size === 0) return this;
    const { lower, upper, trueLower, trueUpper } = this.#bounds;
    const bounds = {
      lower: lower + distance,
      upper: upper + distance,
      trueLower: trueLower + distance,
      trueUpper: trueUpper + distance,
    };
    return new Datatype(this.size, bounds, this.layout && moveLayout(this.layout, distance));
  }

  private withBounds(lower: number, extent: number): Datatype {
    const bounds = { ...this.#bounds, lower, upper: lower + extent };
    return new Datatype(this.size, bounds, this.layout);
  }
}

/** Size, bounds and layout of a run of bytes. */
function bytes(size: number): [number, Bounds, Layout] {
  const bounds = { lower: 0, upper: size, trueLower: 0, trueUpper: size };
  return [size, bounds, { offset: 0, blockLength: size, levels: [] }];
}

function argumentError(what: string, why: string): MpiError {
  return new MpiError({
    code: "MPI_ERR_ARG",
    call: `Constructing ${what}`,
    why,
    remedy: "Use whole numbers; sizes and starts are in elements of the old type, from 0",
  });
}

function requireType(value: unknown): asserts value is Datatype {
  if (value instanceof Datatype) return;
  throw new MpiError({
    code: "MPI_ERR_TYPE",
    call: "Constructing a datatype",
    why: `the old type is a ${typeof value}`,
    remedy: "Pass a Datatype, such as Datatype.DOUBLE",
  });
}

function requireInteger(what: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value)) throw argumentError(what, `${name} is ${value}`);
}

function requireSize(what: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw argumentError(what, `${name} is ${value}`);
}

function requireBlock(
  sizes: readonly number[],
  subsizes: readonly number[],
  starts: readonly number[],
  order: ArrayOrder,
): void {
  const count = sizes.length;
  if (count === 0 || subsizes.length !== count || starts.length !== count) {
    throw argumentError("subarray", "sizes, subsizes and starts differ in length or are empty");
  }
  if (order !== "C" && order !== "FORTRAN") throw argumentError("subarray", `order is ${order}`);
  for (let i = 0; i < count; i += 1) {
    const [size, subsize, start] = [sizes[i], subsizes[i], starts[i]] as [number, number, number];
    const sound = [size, subsize, start].every(Number.isSafeInteger);
    // The standard wants subsizes of at least 1; 0 is allowed here, for a rank without a share.
    if (!sound || size < 1 || subsize < 0 || start < 0 || start + subsize > size) {
      const why = `in dimension ${i}, ${subsize} elements from ${start} are not within ${size}`;
      throw argumentError("subarray", why);
    }
  }
}
