/**
 * The named datatypes: what MPI calls them, and how their elements lie in memory on this machine.
 *
 * @module
 */

import { elements, sequence, type Typemap } from "./typemap.js";

/** A named type in memory. */
export interface BasicType {
  /** Where its bytes lie. */
  readonly map: Typemap;
  /** Distance between elements of an array, in bytes. */
  readonly extent: number;
  /** What its address is a multiple of, in bytes. */
  readonly alignment: number;
}

function number(size: number): BasicType {
  return { map: elements(size), extent: size, alignment: size };
}

function complex(size: number): BasicType {
  return { map: elements(size, 2), extent: 2 * size, alignment: size };
}

/** A value and an int, as a C struct: what MINLOC and MAXLOC work on. */
function pair(size: number): BasicType {
  const alignment = Math.max(size, 4);
  const location = Math.ceil(size / 4) * 4;
  const extent = Math.ceil((location + 4) / alignment) * alignment;
  return { map: sequence([elements(size), elements(4)], [0, location]), extent, alignment };
}

/**
 * The named types, by the name that the standard gives them in C without `MPI_`. `LONG` and the address
 * types have 64 bits, as on every 64-bit Unix.
 */
export const BASIC_TYPES = {
  BYTE: number(1),
  PACKED: number(1),
  CHAR: number(1),
  SIGNED_CHAR: number(1),
  UNSIGNED_CHAR: number(1),
  WCHAR: number(4),
  SHORT: number(2),
  UNSIGNED_SHORT: number(2),
  INT: number(4),
  UNSIGNED: number(4),
  LONG: number(8),
  UNSIGNED_LONG: number(8),
  LONG_LONG: number(8),
  UNSIGNED_LONG_LONG: number(8),
  INT8_T: number(1),
  INT16_T: number(2),
  INT32_T: number(4),
  INT64_T: number(8),
  UINT8_T: number(1),
  UINT16_T: number(2),
  UINT32_T: number(4),
  UINT64_T: number(8),
  FLOAT: number(4),
  DOUBLE: number(8),
  C_BOOL: number(1),
  C_FLOAT_COMPLEX: complex(4),
  C_DOUBLE_COMPLEX: complex(8),
  AINT: number(8),
  OFFSET: number(8),
  COUNT: number(8),
  FLOAT_INT: pair(4),
  DOUBLE_INT: pair(8),
  LONG_INT: pair(8),
  TWO_INT: pair(4),
  SHORT_INT: pair(2),
} as const satisfies Record<string, BasicType>;

/** Name of a named type. */
export type BasicName = keyof typeof BASIC_TYPES;

/** Position of each named type in the addon's table (mpi-datatype.c). DO NOT REORDER. */
export const BASIC_NAMES = Object.keys(BASIC_TYPES) as readonly BasicName[];
