/**
 * Sources of virtual datasets whose numbers are of another type: converted as HDF5 converts them.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import { type Datatype, itemSizeOf, sameDatatype } from "../datatype/datatype.js";
import { product, type Region, regionShape } from "../region.js";
import { decodeNumbers, encodeNumbers, type NumberType } from "../values/numbers.js";
import type { VirtualSource } from "./virtual-dataset.js";

const isNumber = (type: Datatype): type is NumberType =>
  type.class === "integer" || type.class === "float";

/**
 * A source as if its elements were of a type. What is no number can be read as its own type only: other reads and
 * writes are `DER_NOSYS`.
 *
 * @param name Of the virtual dataset, for errors.
 */
export function asType(source: VirtualSource, type: Datatype, name: string): VirtualSource {
  const { type: own } = source;
  if (sameDatatype(own, type)) return source;
  if (!isNumber(own) || !isNumber(type)) {
    const refuse = async (): Promise<void> => {
      const text = {
        what: `Reading or writing virtual dataset "${name}"`,
        why: `elements of class ${own.class} of a source are none of its type`,
        remedy: "make the virtual dataset of the type of its sources",
      };
      throw new DaosError("DER_NOSYS", text, { name });
    };
    return { ...source, type, read: refuse, write: refuse };
  }
  return {
    type,
    extents: source.extents,
    read: async (region: Region, target: Uint8Array) => {
      const bytes = new Uint8Array(product(regionShape(region)) * itemSizeOf(own));
      await source.read(region, bytes);
      target.set(encodeNumbers(type, decodeNumbers(own, bytes)));
    },
    // Decoding may change its bytes, which are the caller's.
    write: (region: Region, bytes: Uint8Array) =>
      source.write(region, encodeNumbers(own, decodeNumbers(type, Uint8Array.from(bytes)))),
  };
}
