/**
 * Checks the parameters of types that come from elsewhere: numbers of bits that no type has, lists without items.
 *
 * @module
 */

import { DataType, Type } from "apache-arrow";
import { childrenOf } from "./types.js";

interface Parameters {
  readonly bitWidth: number;
  readonly byteWidth: number;
  readonly listSize: number;
  readonly precision: number;
  readonly unit: number;
  readonly mode: number;
}

const INTEGER_BITS = [8, 16, 32, 64];
const DECIMAL_BITS = [32, 64, 128, 256];

/** Whether the numbers of a type are those of some Arrow type. */
function areSound(type: DataType): boolean {
  const { bitWidth, byteWidth, listSize, precision, unit, mode } = type as DataType & Parameters;
  const count = childrenOf(type).length;
  switch (type.typeId) {
    case Type.Int:
      return INTEGER_BITS.includes(bitWidth);
    case Type.Float:
      return precision >= 0 && precision <= 2;
    case Type.Decimal:
      return DECIMAL_BITS.includes(bitWidth);
    case Type.FixedSizeBinary:
      return byteWidth >= 0;
    case Type.Date:
      return unit === 0 || unit === 1;
    case Type.Time:
      return unit >= 0 && unit <= 3 && bitWidth === (unit < 2 ? 32 : 64);
    case Type.Timestamp:
    case Type.Duration:
      return unit >= 0 && unit <= 3;
    case Type.Interval:
      return unit >= 0 && unit <= 2;
    case Type.FixedSizeList:
      return listSize >= 0 && count === 1;
    case Type.List:
    case Type.LargeList:
      return count === 1;
    case Type.Map:
      return count === 1 && childrenOf(childrenOf(type)[0]?.type as DataType).length === 2;
    case Type.Union: {
      const { typeIds } = type as DataType & { typeIds: Int32Array };
      return (mode === 0 || mode === 1) && typeIds.length === count;
    }
    default:
      return true;
  }
}

/** Whether a type, and all that is in it, is one that Arrow has. */
export function isSoundType(type: DataType | null | undefined): boolean {
  if (type === null || type === undefined) return false;
  if (DataType.isDictionary(type)) {
    return (
      isSoundType(type.dictionary) && DataType.isInt(type.indices) && isSoundType(type.indices)
    );
  }
  return areSound(type) && childrenOf(type).every((child) => isSoundType(child?.type));
}
