/**
 * Datatype: MPI datatypes as descriptions of memory and files, in plain TypeScript.
 *
 * They describe what messages are made of, and which bytes of a file a rank sees; they work without an MPI
 * library, which is told of a type when a message first uses it. Terms are those of the MPI standard: the
 * *size* counts data bytes; the *extent* is the distance at which a type is repeated, from its lower bound;
 * the *true* bounds enclose the data alone.
 *
 * Types are immutable. There is no need to commit them, nor to free them: what a library holds of a type goes
 * with it. `commit` and `free` do at once what would else be done later.
 *
 * @module
 */

import { MpiError } from "../errors.js";
import {
  type ArrayOrder,
  argumentError,
  dimensionsOf,
  requireBlocks,
  requireInteger,
  requireOrder,
  requireSize,
  requireSubarray,
} from "./arguments.js";
import { BASIC_TYPES, type BasicName } from "./basic-types.js";
import { type Bounds, EMPTY_BOUNDS, markedBounds, padded, unionOf } from "./bounds.js";
import { CONTENT_CODES, type Combiner, type Contents } from "./contents.js";
import { type Distribution, shareOf } from "./darray.js";
import type { Layout } from "./layout.js";
import { listed, repeated, type Span, sequence, spanOf, type Typemap } from "./typemap.js";
import { layoutOf } from "./typemap-layout.js";

/** What a type is made of. */
interface Parts {
  readonly map: Typemap;
  readonly bounds: Bounds;
  /** What the address of its elements is a multiple of, in bytes. */
  readonly alignment: number;
  readonly contents: Contents;
  readonly name: string;
}

const NAMED = new Map<BasicName, Datatype>();

/** A description of bytes in memory or in a file. */
export class Datatype {
  /** One byte without meaning. */
  static readonly BYTE = Datatype.named("BYTE");
  /** Bytes that `pack` made. */
  static readonly PACKED = Datatype.named("PACKED");
  /** A character of 8 bits. */
  static readonly CHAR = Datatype.named("CHAR");
  /** A signed integer of 8 bits. */
  static readonly INT8 = Datatype.named("INT8_T");
  /** An unsigned integer of 8 bits. */
  static readonly UINT8 = Datatype.named("UINT8_T");
  /** A signed integer of 16 bits. */
  static readonly INT16 = Datatype.named("INT16_T");
  /** An unsigned integer of 16 bits. */
  static readonly UINT16 = Datatype.named("UINT16_T");
  /** A signed integer of 32 bits. */
  static readonly INT32 = Datatype.named("INT32_T");
  /** An unsigned integer of 32 bits. */
  static readonly UINT32 = Datatype.named("UINT32_T");
  /** A signed integer of 64 bits. */
  static readonly INT64 = Datatype.named("INT64_T");
  /** An unsigned integer of 64 bits. */
  static readonly UINT64 = Datatype.named("UINT64_T");
  /** A floating point number of 32 bits. */
  static readonly FLOAT = Datatype.named("FLOAT");
  /** A floating point number of 64 bits. */
  static readonly DOUBLE = Datatype.named("DOUBLE");
  /** C's `int`, of 32 bits. */
  static readonly INT = Datatype.named("INT");
  /** C's `long`, of 64 bits. */
  static readonly LONG = Datatype.named("LONG");
  /** A truth value of 8 bits. */
  static readonly C_BOOL = Datatype.named("C_BOOL");
  /** Two floating point numbers of 32 bits. */
  static readonly C_FLOAT_COMPLEX = Datatype.named("C_FLOAT_COMPLEX");
  /** Two floating point numbers of 64 bits. */
  static readonly C_DOUBLE_COMPLEX = Datatype.named("C_DOUBLE_COMPLEX");
  /** A FLOAT and an INT: value and place, for MINLOC and MAXLOC. */
  static readonly FLOAT_INT = Datatype.named("FLOAT_INT");
  /** A DOUBLE and an INT, and 4 bytes of nothing. */
  static readonly DOUBLE_INT = Datatype.named("DOUBLE_INT");
  /** A LONG and an INT, and 4 bytes of nothing. */
  static readonly LONG_INT = Datatype.named("LONG_INT");
  /** Two INTs. */
  static readonly TWO_INT = Datatype.named("TWO_INT");
  /** A SHORT and an INT, and 2 bytes of nothing between them. */
  static readonly SHORT_INT = Datatype.named("SHORT_INT");

  /** Number of data bytes. @mpi MPI_Type_size, MPI_Type_size_x */
  readonly size: number;
  /** Where the data lies, in the order of the standard. */
  readonly typemap: Typemap;
  /**
   * How the type was made (MPI_Type_get_envelope and MPI_Type_get_contents).
   *
   * @mpi MPI_Type_get_envelope, MPI_Type_get_contents
   */
  readonly contents: Contents;
  /** Name for people, such as "MPI_DOUBLE"; "" by default. @mpi MPI_Type_get_name */
  readonly name: string;
  // `private`, not `#`: TypeScript 6.0 miscompiles a class whose static fields and #fields both name the class.
  private readonly bounds: Bounds;
  private readonly span: Span;
  private readonly alignment: number;
  private cachedLayout: { readonly layout: Layout | undefined } | undefined;

  /** @internal */
  constructor({ map, bounds, alignment, contents, name }: Parts) {
    const span = spanOf(map);
    const numbers = [map.size, bounds.lower, bounds.upper, span.lower, span.upper];
    if (!numbers.every(Number.isSafeInteger)) {
      throw argumentError("a datatype", "its size or extent exceeds 2^53 - 1 bytes");
    }
    this.size = map.size;
    this.typemap = map;
    this.contents = contents;
    this.name = name;
    this.bounds = bounds;
    this.span = span;
    this.alignment = alignment;
  }

  /**
   * Where the bytes lie, as one nested pattern; undefined if they do not (other orders, overlapping,
   * several patterns): see {@link typemap}.
   */
  get layout(): Layout | undefined {
    this.cachedLayout ??= { layout: layoutOf(this.typemap) };
    return this.cachedLayout.layout;
  }

  /** Where repetition starts, in bytes from the origin. */
  get lowerBound(): number {
    return this.bounds.lower;
  }

  /** Distance between repetitions, in bytes. @mpi MPI_Type_get_extent, MPI_Type_get_extent_x */
  get extent(): number {
    return this.bounds.upper - this.bounds.lower;
  }

  /** Where the data starts, in bytes from the origin. */
  get trueLowerBound(): number {
    return this.span.lower;
  }

  /**
   * From the first to one past the last byte of data, in bytes.
   *
   * @mpi MPI_Type_get_true_extent, MPI_Type_get_true_extent_x
   */
  get trueExtent(): number {
    return this.span.upper - this.span.lower;
  }

  /** Whether the type is one of the named ones. */
  get isPredefined(): boolean {
    return this.contents.combiner === "named";
  }

  /** A type by its name in C, without `MPI_`: "LONG_LONG". */
  static named(name: BasicName): Datatype {
    const known = NAMED.get(name);
    if (known !== undefined) return known;
    if (!Object.hasOwn(BASIC_TYPES, name))
      throw argumentError("a datatype", `no type is named ${name}`);
    const { map, extent, alignment } = BASIC_TYPES[name];
    const contents: Contents = { combiner: "named", integers: [], addresses: [], datatypes: [] };
    const bounds = { ...EMPTY_BOUNDS, upper: extent };
    const made = new Datatype({ map, bounds, alignment, contents, name: `MPI_${name}` });
    NAMED.set(name, made);
    return made;
  }

  /**
   * `count` elements, one after the other. @mpi MPI_Type_contiguous
   *
   * @throws {@link MpiError} `MPI_ERR_ARG` for a count that is no size, `MPI_ERR_TYPE` for no type; so
   *   do all constructors.
   */
  static contiguous(count: number, old: Datatype): Datatype {
    requireType(old);
    requireSize("contiguous", "count", count);
    return old.block(count).made("contiguous", [count], [], [old]);
  }

  /**
   * `count` blocks of `blocklength` elements, whose starts are `stride` elements apart. @mpi MPI_Type_vector
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
    const blocks = old.blocks("vector", { count, blocklength, stride: stride * old.extent });
    return blocks.made("vector", [count, blocklength, stride], [], [old]);
  }

  /** As `vector`, with the stride in bytes. @mpi MPI_Type_create_hvector */
  static hvector(count: number, blocklength: number, stride: number, old: Datatype): Datatype {
    requireType(old);
    requireInteger("hvector", "stride", stride);
    const blocks = old.blocks("hvector", { count, blocklength, stride });
    return blocks.made("hvector", [count, blocklength], [stride], [old]);
  }

  /**
   * Blocks of different lengths at different places. @mpi MPI_Type_indexed
   *
   * @param blocklengths Elements of each block.
   * @param displacements Where each block starts, in elements.
   */
  static indexed(
    blocklengths: readonly number[],
    displacements: readonly number[],
    old: Datatype,
  ): Datatype {
    requireType(old);
    requireBlocks("indexed", blocklengths, displacements);
    const offsets = displacements.map((displacement) => displacement * old.extent);
    const integers = [displacements.length, ...blocklengths, ...displacements];
    return Datatype.combined(blocklengths, offsets, [old]).made("indexed", integers, [], [old]);
  }

  /** As `indexed`, with displacements in bytes. @mpi MPI_Type_create_hindexed */
  static hindexed(
    blocklengths: readonly number[],
    displacements: readonly number[],
    old: Datatype,
  ): Datatype {
    requireType(old);
    requireBlocks("hindexed", blocklengths, displacements);
    const integers = [displacements.length, ...blocklengths];
    const blocks = Datatype.combined(blocklengths, displacements, [old]);
    return blocks.made("hindexed", integers, [...displacements], [old]);
  }

  /** Blocks of one length at different places; displacements in elements. @mpi MPI_Type_create_indexed_block */
  static indexedBlock(
    blocklength: number,
    displacements: readonly number[],
    old: Datatype,
  ): Datatype {
    requireType(old);
    requireBlocks("indexedBlock", blocklength, displacements);
    const offsets = displacements.map((displacement) => displacement * old.extent);
    const integers = [displacements.length, blocklength, ...displacements];
    return Datatype.combined(blocklength, offsets, [old]).made(
      "indexed_block",
      integers,
      [],
      [old],
    );
  }

  /** As `indexedBlock`, with displacements in bytes. @mpi MPI_Type_create_hindexed_block */
  static hindexedBlock(
    blocklength: number,
    displacements: readonly number[],
    old: Datatype,
  ): Datatype {
    requireType(old);
    requireBlocks("hindexedBlock", blocklength, displacements);
    const blocks = Datatype.combined(blocklength, displacements, [old]);
    const integers = [displacements.length, blocklength];
    return blocks.made("hindexed_block", integers, [...displacements], [old]);
  }

  /**
   * Blocks of different types: a C struct. Its extent is a multiple of its alignment, unless one of the types
   * was given its bounds. @mpi MPI_Type_create_struct
   *
   * @param displacements Where each block starts, in bytes.
   *
   * @example
   * ```ts
   * // struct { int32_t id; double value[3]; }
   * const particle = Datatype.struct([1, 3], [0, 8], [Datatype.INT32, Datatype.DOUBLE]);
   * ```
   */
  static struct(
    blocklengths: readonly number[],
    displacements: readonly number[],
    types: readonly Datatype[],
  ): Datatype {
    requireBlocks("struct", blocklengths, displacements);
    if (!Array.isArray(types) || types.length !== displacements.length) {
      throw argumentError("struct", "there is not one type for each block");
    }
    for (const type of types) requireType(type);
    const plain = Datatype.combined(blocklengths, displacements, types);
    const { alignment } = plain;
    const blocks = new Datatype({ ...plain.parts, bounds: padded(plain.bounds, alignment) });
    const integers = [displacements.length, ...blocklengths];
    return blocks.made("struct", integers, [...displacements], [...types]);
  }

  /**
   * A block of an array of any number of dimensions; its extent is that of the whole array. @mpi MPI_Type_create_subarray
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
    requireSubarray(sizes, subsizes, starts, order);
    const dimensions = sizes.map((_, i) => i);
    if (order === "C") dimensions.reverse();
    let map = old.typemap;
    let stride = old.extent;
    let start = 0;
    for (const i of dimensions) {
      map = repeated(map, subsizes[i] as number, stride);
      start += (starts[i] as number) * stride;
      stride *= sizes[i] as number;
    }
    const dims = [...sizes, ...subsizes, ...starts];
    const integers = [sizes.length, ...dims, CONTENT_CODES[order]];
    return old.within(listed(map, [start]), stride).made("subarray", integers, [], [old]);
  }

  /**
   * The share of a process of an array that is dealt out to a grid of processes; its extent is that of the
   * whole array. @mpi MPI_Type_create_darray
   *
   * @param size Number of processes: the product of `psizes`.
   * @param rank Which of them, counted row-major.
   * @param gsizes Lengths of the whole array, in elements.
   * @param distribs How each dimension is dealt out.
   * @param dargs Elements of a block in each dimension, or `DISTRIBUTE_DFLT_DARG`.
   * @param psizes Processes along each dimension.
   */
  static darray(
    size: number,
    rank: number,
    gsizes: readonly number[],
    distribs: readonly Distribution[],
    dargs: readonly number[],
    psizes: readonly number[],
    order: ArrayOrder,
    old: Datatype,
  ): Datatype {
    requireType(old);
    requireOrder("darray", order);
    const dimensions = dimensionsOf(size, rank, { gsizes, distribs, dargs, psizes });
    const fastestFirst = order === "C" ? dimensions.toReversed() : dimensions;
    let map = old.typemap;
    let stride = old.extent;
    for (const dimension of fastestFirst) {
      map = shareOf(dimension, map, stride);
      stride *= dimension.size;
    }
    const codes = distribs.map((distribution) => CONTENT_CODES[distribution]);
    const lists = [...gsizes, ...codes, ...dargs, ...psizes];
    const integers = [size, rank, gsizes.length, ...lists, CONTENT_CODES[order]];
    return old.within(map, stride).made("darray", integers, [], [old]);
  }

  /**
   * The same data with another lower bound and extent. @mpi MPI_Type_create_resized
   *
   * @param lowerBound In bytes.
   * @param extent In bytes.
   */
  static resized(old: Datatype, lowerBound: number, extent: number): Datatype {
    requireType(old);
    requireInteger("resized", "lowerBound", lowerBound);
    requireInteger("resized", "extent", extent);
    const bounds = markedBounds(lowerBound, lowerBound + extent);
    return new Datatype({ ...old.parts, bounds }).made("resized", [], [lowerBound, extent], [old]);
  }

  /** The same type once more, with a name of its own. @mpi MPI_Type_dup */
  dup(): Datatype {
    return this.made("dup", [], [], [this]);
  }

  /** The same type with a name for people, which errors and tools show. @mpi MPI_Type_set_name */
  withName(name: string): Datatype {
    // A library knows the named types by their names.
    const { parts } = this.isPredefined ? this.dup() : this;
    return new Datatype({ ...parts, name });
  }

  private get parts(): Parts {
    const { typemap: map, bounds, alignment, contents, name } = this;
    return { map, bounds, alignment, contents, name };
  }

  private made(
    combiner: Combiner,
    integers: readonly number[],
    addresses: readonly number[],
    datatypes: readonly Datatype[],
  ): Datatype {
    const contents = { combiner, integers, addresses, datatypes };
    return new Datatype({ ...this.parts, contents, name: "" });
  }

  /** `count` elements, one after the other. */
  private block(count: number): Datatype {
    return this.spread(count, this.extent);
  }

  private spread(count: number, stride: number): Datatype {
    const map = repeated(this.typemap, count, stride);
    const placed = { bounds: this.bounds, from: 0, to: (count - 1) * stride };
    const bounds = count === 0 ? EMPTY_BOUNDS : unionOf([placed]);
    return new Datatype({ ...this.parts, map, bounds });
  }

  private blocks(
    what: string,
    { count, blocklength, stride }: { count: number; blocklength: number; stride: number },
  ): Datatype {
    requireSize(what, "count", count);
    requireSize(what, "blocklength", blocklength);
    return blocklength === 0 ? this.block(0) : this.block(blocklength).spread(count, stride);
  }

  /** Data within an array of `extent` bytes. */
  private within(map: Typemap, extent: number): Datatype {
    return new Datatype({ ...this.parts, map, bounds: markedBounds(0, extent) });
  }

  /** Blocks of types, each of as many elements; one length or type goes for all blocks. */
  private static combined(
    blocklengths: readonly number[] | number,
    displacements: readonly number[],
    types: readonly Datatype[],
  ): Datatype {
    const [first] = types;
    const blocks: Datatype[] = [];
    const offsets: number[] = [];
    // Equal blocks are one object, so that their typemap is a list.
    const known = new Map<string, Datatype>();
    const ids = new Map([...new Set(types)].map((type, id) => [type, id]));
    for (const [i, offset] of displacements.entries()) {
      const length = typeof blocklengths === "number" ? blocklengths : (blocklengths[i] as number);
      if (length === 0) continue;
      const type = (types[i] ?? first) as Datatype;
      const key = `${ids.get(type)}x${length}`;
      const block = known.get(key) ?? type.block(length);
      known.set(key, block);
      blocks.push(block);
      offsets.push(offset);
    }
    const maps = blocks.map(({ typemap }) => typemap);
    const placed = blocks.map(({ bounds }, i) => {
      const at = offsets[i] as number;
      return { bounds, from: at, to: at };
    });
    const alignment = Math.max(1, ...new Set(types.map((type) => type.alignment)));
    const parts = (first ?? Datatype.BYTE).parts;
    return new Datatype({
      ...parts,
      map: sequence(maps, offsets),
      bounds: unionOf(placed),
      alignment,
    });
  }
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
