/**
 * The fixed-width numeric types: their Arrow type, and the typed array that views their bytes.
 *
 * @module
 */

import {
  type Data,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  makeData,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
} from "apache-arrow";
import { DaosError } from "../../core/index.js";

const TYPES = {
  int8: { arrow: Int8, view: Int8Array },
  int16: { arrow: Int16, view: Int16Array },
  int32: { arrow: Int32, view: Int32Array },
  int64: { arrow: Int64, view: BigInt64Array },
  uint8: { arrow: Uint8, view: Uint8Array },
  uint16: { arrow: Uint16, view: Uint16Array },
  uint32: { arrow: Uint32, view: Uint32Array },
  uint64: { arrow: Uint64, view: BigUint64Array },
  float16: { arrow: Float16, view: Uint16Array },
  float32: { arrow: Float32, view: Float32Array },
  float64: { arrow: Float64, view: Float64Array },
} as const;

/** Names of the element types. */
export type NumericTypeName = keyof typeof TYPES;

/** The Arrow type of an element type. */
export type ArrowTypeOf<Name extends NumericTypeName> = InstanceType<(typeof TYPES)[Name]["arrow"]>;

/** What reading elements of a type takes. */
export interface NumericType {
  /** The Arrow type. */
  readonly arrow: ArrowTypeOf<NumericTypeName>;
  /** Bytes of one element. */
  readonly size: number;
  /** A column over little-endian bytes that begin at a multiple of an element, without nulls; copies nothing. */
  column(bytes: Uint8Array): Data;
}

/**
 * The type of a name.
 *
 * @throws `DaosError` `DER_INVAL` for a name that is not in the list.
 */
export function numericType(name: string): NumericType {
  const known = Object.hasOwn(TYPES, name) ? TYPES[name as NumericTypeName] : undefined;
  if (known === undefined) {
    const names = Object.keys(TYPES).join(", ");
    throw new DaosError(
      "DER_INVAL",
      {
        what: `Reading elements of type "${name}"`,
        why: "it is not a fixed-width numeric type",
        remedy: `choose one of ${names}`,
      },
      { type: name },
    );
  }
  const { arrow: ArrowType, view: View } = known;
  const arrow = new ArrowType();
  const column = ({ buffer, byteOffset, byteLength }: Uint8Array) => {
    const data = new View(buffer as ArrayBuffer, byteOffset, byteLength / View.BYTES_PER_ELEMENT);
    // One pair stands for all: makeData() has an overload per type, and none for a union of them.
    const pair = { type: arrow as Float64, data: data as Float64Array };
    return makeData({ ...pair, length: data.length, nullCount: 0 });
  };
  return { arrow, size: View.BYTES_PER_ELEMENT, column };
}
