/**
 * Whether a dataset that is there is what was required.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import { CommittedType } from "../committed-type.js";
import type { DatasetOptions } from "../dataset/creation.js";
import { Dataset } from "../dataset/dataset.js";
import { type Datatype, itemSizeOf, sameDatatype } from "../datatype/datatype.js";
import { type DType, datatypeOf } from "../datatype/names.js";

/** What a required dataset is. */
export interface RequireOptions<D extends DType = DType> extends DatasetOptions<D> {
  /** Whether its type must be the same, not only one that holds all values of the type asked for. */
  readonly exact?: boolean;
}

/** Whether a type holds all values of another one, as NumPy's safe casts say. */
function holdsAll(type: Datatype, other: Datatype): boolean {
  if (sameDatatype(type, other)) return true;
  const [size, otherSize] = [itemSizeOf(type), itemSizeOf(other)];
  if (type.class === "float") {
    if (other.class === "float") return size >= otherSize;
    if (other.class === "integer") return size > otherSize || (size === 8 && otherSize === 8);
  }
  if (type.class === "integer" && other.class === "integer") {
    if (type.isSigned === other.isSigned) return size >= otherSize;
    return type.isSigned && size > otherSize;
  }
  return type.class === "string" && other.class === "string" && size >= otherSize;
}

/**
 * Checks what is there.
 *
 * @throws `DaosError` `DER_INVAL` if it is no dataset, or one of another shape or type.
 */
export function checkRequired(name: string, known: unknown, options: RequireOptions): void {
  const fail = (why: string) => {
    const text = { what: `Requiring dataset "${name}"`, why, remedy: "use another path" };
    return new DaosError("DER_INVAL", text, { name });
  };
  if (!(known instanceof Dataset)) throw fail("there is something else");
  const { shape, dtype, exact, maxShape } = options;
  const wanted = typeof shape === "number" ? [shape] : shape;
  const limits = typeof maxShape === "number" ? [maxShape] : maxShape;
  const hasLimits = Array.isArray(limits);
  if (hasLimits && String(limits) !== String(known.maxShape)) {
    throw fail(`its limits are [${known.maxShape}], not [${limits}]`);
  }
  // One that may have grown within the required limits is what was asked for.
  const isSame = String(wanted) === String(known.isNull ? null : known.shape);
  if (wanted !== undefined && !isSame && !(hasLimits && wanted?.length === known.ndim)) {
    throw fail(`its shape is [${known.shape}], not [${wanted}]`);
  }
  if (dtype === undefined) return;
  const type = dtype instanceof CommittedType ? dtype.type : datatypeOf(dtype);
  if (exact === true && !sameDatatype(known.type, type)) throw fail("its type is another one");
  if (!holdsAll(known.type, type))
    throw fail("its type does not hold all values of the required one");
}
