/**
 * Operations: how reductions combine elements.
 *
 * @module
 */

import type { MpiTypedArray } from "../buffers.js";
import type { BasicName } from "../datatype/basic-types.js";
import { MpiError } from "../errors.js";

/** Operations of the standard, in the order of the addon's table (mpi-reduce.c). DO NOT REORDER. */
export const OP_NAMES = [
  "max",
  "min",
  "sum",
  "prod",
  "land",
  "band",
  "lor",
  "bor",
  "lxor",
  "bxor",
  "minloc",
  "maxloc",
  "replace",
  "no_op",
] as const;

/** Name of an operation of the standard. */
export type BuiltInOp = (typeof OP_NAMES)[number];

/**
 * A function that combines elements: `inout[i] = left[i] ∘ inout[i]`.
 *
 * Both operands are copies of a part of the buffers, of equal length: for named datatypes typed arrays of
 * their numbers (complex numbers are two each), for others their bytes, element after element.
 */
export type Combine<Operand extends MpiTypedArray = MpiTypedArray> = (
  inout: Operand,
  left: Operand,
) => void;

/** An operation that {@link Op.create} made. */
export class UserOp {
  /** What combines the elements. */
  readonly combine: Combine;
  /** Whether operands may be exchanged. @mpi MPI_Op_commutative */
  readonly isCommutative: boolean;

  /** @internal */
  constructor(combine: Combine, isCommutative: boolean) {
    this.combine = combine;
    this.isCommutative = isCommutative;
  }
}

/** Reduction operations. `LAND`, `LOR`, `LXOR` treat numbers as truth values. */
export const Op = {
  /** Maximum. */
  MAX: "max",
  /** Minimum. */
  MIN: "min",
  /** Sum. */
  SUM: "sum",
  /** Product. */
  PROD: "prod",
  /** Logical and. */
  LAND: "land",
  /** Bitwise and. */
  BAND: "band",
  /** Logical or. */
  LOR: "lor",
  /** Bitwise or. */
  BOR: "bor",
  /** Logical exclusive or. */
  LXOR: "lxor",
  /** Bitwise exclusive or. */
  BXOR: "bxor",
  /** Minimum and its place, of pairs such as `Datatype.DOUBLE_INT`; of equal ones the smallest place. */
  MINLOC: "minloc",
  /** Maximum and its place, of pairs; of equal ones the smallest place. */
  MAXLOC: "maxloc",
  /** The new value. Of one-sided communication; reductions refuse it. */
  REPLACE: "replace",
  /** The old value. Of one-sided communication; reductions refuse it. */
  NO_OP: "no_op",

  /**
   * Makes an operation of a function (MPI_Op_create). It must be associative, and call nothing of MPI. There
   * is no need to free it.
   *
   * Blocking reductions call it on this thread. When it throws, the reduction throws that on this rank; the
   * other ranks get undefined results. Nonblocking reductions refuse it.
   *
   * @param combine What combines the elements.
   * @param options `commute`: operands may be exchanged, which can be faster. By default they are combined
   *   in the order of ranks.
   * @throws {@link MpiError} `MPI_ERR_OP` for what is no function.
   *
   * @example
   * ```ts
   * const absMax = Op.create<Float64Array>(
   *   (inout, left) => {
   *     for (const [i, value] of left.entries()) inout[i] = Math.max(Math.abs(value), Math.abs(inout[i]));
   *   },
   *   { commute: true },
   * );
   * comm.allreduce(values, result, absMax);
   * ```
   * @mpi MPI_Op_create
   */
  create<Operand extends MpiTypedArray = MpiTypedArray>(
    combine: Combine<Operand>,
    options: { readonly commute?: boolean } = {},
  ): UserOp {
    if (typeof combine === "function") {
      return new UserOp(combine as unknown as Combine, options.commute === true);
    }
    const why = `a ${typeof combine} is no function`;
    throw new MpiError({ code: "MPI_ERR_OP", call: "MPI_Op_create", why });
  },
} as const;

/** A reduction operation: one of the standard, or a function. */
export type Op = BuiltInOp | UserOp;

const VIEWS: Readonly<Record<string, new (memory: ArrayBuffer) => MpiTypedArray>> = {
  CHAR: Int8Array,
  SIGNED_CHAR: Int8Array,
  INT8_T: Int8Array,
  SHORT: Int16Array,
  INT16_T: Int16Array,
  UNSIGNED_SHORT: Uint16Array,
  UINT16_T: Uint16Array,
  INT: Int32Array,
  INT32_T: Int32Array,
  WCHAR: Int32Array,
  TWO_INT: Int32Array,
  UNSIGNED: Uint32Array,
  UINT32_T: Uint32Array,
  LONG: BigInt64Array,
  LONG_LONG: BigInt64Array,
  INT64_T: BigInt64Array,
  AINT: BigInt64Array,
  OFFSET: BigInt64Array,
  COUNT: BigInt64Array,
  UNSIGNED_LONG: BigUint64Array,
  UNSIGNED_LONG_LONG: BigUint64Array,
  UINT64_T: BigUint64Array,
  FLOAT: Float32Array,
  C_FLOAT_COMPLEX: Float32Array,
  DOUBLE: Float64Array,
  C_DOUBLE_COMPLEX: Float64Array,
};

/** What shows elements of a named type as numbers; of those that are none, their bytes. */
export function viewOf(type: BasicName): new (memory: ArrayBuffer) => MpiTypedArray {
  return VIEWS[type] ?? Uint8Array;
}

/** An operation's function as the addon calls it: with copies of the operands' memory. */
export function memoryFunction(
  { combine }: UserOp,
  type: BasicName | undefined,
): (left: ArrayBuffer, inout: ArrayBuffer) => void {
  const View = viewOf(type ?? "BYTE");
  return (left, inout) => {
    const result: unknown = combine(new View(inout), new View(left));
    if (!(result instanceof Promise)) return;
    result.catch(() => {}); // The error below says enough.
    throw new MpiError({
      code: "MPI_ERR_OP",
      call: "MPI_Op_create",
      why: "the function of the operation is asynchronous",
      remedy: "Pass a function that has combined the operands when it returns",
    });
  };
}
