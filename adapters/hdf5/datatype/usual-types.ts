/**
 * What h5py makes of types that HDF5 does not have: truth values and complex numbers.
 *
 * @module
 */

import {
  type CompoundMember,
  type CompoundType,
  type Datatype,
  type EnumType,
  type FloatType,
  integerType,
  sameDatatype,
} from "./datatype.js";

/** Truth values as h5py stores them. */
export const BOOL: EnumType = {
  class: "enum",
  base: integerType(1, true),
  members: [
    { name: "FALSE", value: 0n },
    { name: "TRUE", value: 1n },
  ],
};

/** Complex numbers as h5py stores them: members `r` and `i`. */
export function complexType(part: FloatType): CompoundType {
  const members = [
    { name: "r", offset: 0, type: part },
    { name: "i", offset: part.size, type: part },
  ];
  return { class: "compound", size: 2 * part.size, members };
}

/** The part of complex numbers, if a datatype is one. */
export function complexPartOf(type: Datatype): FloatType | undefined {
  if (type.class !== "compound" || type.members.length !== 2) return undefined;
  const [real, imaginary] = type.members as readonly [CompoundMember, CompoundMember];
  const part = real.type;
  if (real.name !== "r" || imaginary.name !== "i" || part.class !== "float") return undefined;
  const isPacked =
    real.offset === 0 && imaginary.offset === part.size && type.size === 2 * part.size;
  return isPacked && sameDatatype(part, imaginary.type) ? part : undefined;
}

/** Whether a datatype is that of truth values. */
export function isBool(type: Datatype): boolean {
  return type.class === "enum" && type.base.size === 1 && sameDatatype(type.members, BOOL.members);
}
