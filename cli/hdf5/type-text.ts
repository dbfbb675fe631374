/**
 * Datatypes, dataspaces and layouts as text, in the words of h5dump where it has some.
 *
 *     integerType(4, true)      H5T_STD_I32LE
 *     floatType("float64")      H5T_IEEE_F64LE
 *     a compound                H5T_COMPOUND { H5T_STD_I32LE "a"; H5T_STRING 6 "b" }
 *
 * @module
 */

import {
  type Dataspace,
  type Datatype,
  type FilterDescription,
  type FloatType,
  floatType,
  type IntegerType,
  integerType,
  type LayoutDescription,
  type SpaceSelection,
  sameDatatype,
} from "daos-ts/hdf5";

const ORDERS = { little: "LE", big: "BE", vax: "VAX" } as const;
const FLOATS = ["float16", "bfloat16", "float32", "float64"] as const;
const FLOAT_NAMES = {
  float16: "H5T_IEEE_F16",
  bfloat16: "H5T_FLOAT_BFLOAT16",
  float32: "H5T_IEEE_F32",
  float64: "H5T_IEEE_F64",
} as const;
const FILTER_NAMES: Readonly<Record<number, string>> = {
  1: "deflate",
  2: "shuffle",
  3: "fletcher32",
  4: "szip",
  5: "nbit",
  6: "scaleoffset",
  32000: "lzf",
  32001: "blosc",
  32004: "lz4",
  32008: "bitshuffle",
  32015: "zstd",
};

function integerText(type: IntegerType): string {
  const { size, isSigned, order, precision, bitOffset } = type;
  const name = `H5T_STD_${isSigned ? "I" : "U"}${8 * size}${ORDERS[order]}`;
  if (sameDatatype(type, integerType(size, isSigned, order))) return name;
  return `${name} (${precision} bits from bit ${bitOffset})`;
}

function floatText(type: FloatType): string {
  const { order } = type;
  const usual =
    order === "vax" ? undefined : FLOATS.find((name) => sameDatatype(type, floatType(name, order)));
  if (usual !== undefined) return `${FLOAT_NAMES[usual]}${ORDERS[order]}`;
  const { size, precision, exponentSize, mantissaSize } = type;
  return `H5T_FLOAT ${8 * size}${ORDERS[order]} (${precision} bits, exponent ${exponentSize}, mantissa ${mantissaSize})`;
}

/** A datatype on one line. */
export function typeText(type: Datatype): string {
  switch (type.class) {
    case "integer":
      return integerText(type);
    case "float":
      return floatText(type);
    case "time":
      return `H5T_TIME ${8 * type.size}${ORDERS[type.order]}`;
    case "bitfield":
      return `H5T_STD_B${8 * type.size}${ORDERS[type.order]}`;
    case "string":
      return `H5T_STRING ${type.size} ${type.padding} ${type.charset}`;
    case "vlenString":
      return `H5T_STRING variable ${type.padding} ${type.charset}`;
    case "opaque":
      return `H5T_OPAQUE ${type.size} ${JSON.stringify(type.tag)}`;
    case "compound": {
      const members = type.members.map(
        (one) => `${typeText(one.type)} ${JSON.stringify(one.name)}`,
      );
      return `H5T_COMPOUND { ${members.join("; ")} }`;
    }
    case "reference":
      return `H5T_REFERENCE { ${type.kind === "object" ? "H5T_STD_REF_OBJECT" : "H5T_STD_REF_DSETREG"} }`;
    case "enum": {
      const members = type.members.map(({ name, value }) => `${JSON.stringify(name)} ${value}`);
      return `H5T_ENUM { ${typeText(type.base)}; ${members.join("; ")} }`;
    }
    case "vlen":
      return `H5T_VLEN { ${typeText(type.base)} }`;
    case "array":
      return `H5T_ARRAY { [${type.shape.join("][")}] ${typeText(type.base)} }`;
  }
}

/** A dataspace on one line: `( 4, 5 ) / ( H5S_UNLIMITED, 10 )`. */
export function spaceText(space: Dataspace): string {
  if (space.kind !== "simple") return space.kind.toUpperCase();
  const limits = space.maxShape.map((limit) => limit ?? "H5S_UNLIMITED");
  return `SIMPLE { ( ${space.shape.join(", ")} ) / ( ${limits.join(", ")} ) }`;
}

/** A selection on one line. */
export function selectionText(selection: SpaceSelection): string {
  switch (selection.kind) {
    case "hyperslab": {
      const { start, stride, count, block } = selection.slab;
      const list = (values: readonly (number | null)[]) =>
        `(${values.map((value) => value ?? "H5S_UNLIMITED").join(",")})`;
      return `START ${list(start)} STRIDE ${list(stride)} COUNT ${list(count)} BLOCK ${list(block)}`;
    }
    case "blocks":
      return selection.blocks
        .map(([first, end]) => `(${first.join(",")})-(${end.map((one) => one - 1).join(",")})`)
        .join(", ");
    case "points":
      return selection.points.map((point) => `(${point.join(",")})`).join(", ");
    default:
      return selection.kind.toUpperCase();
  }
}

/** A layout on lines. */
export function layoutLines(layout: LayoutDescription): string[] {
  switch (layout.kind) {
    case "chunked":
      return [`CHUNKED ( ${layout.chunkShape.join(", ")} )`];
    case "external":
      return layout.files.map(({ name, offset, size }) => {
        return `EXTERNAL ${JSON.stringify(name)} OFFSET ${offset} SIZE ${size ?? "H5F_UNLIMITED"}`;
      });
    case "virtual":
      return layout.mappings.map(({ file, dataset, source, target }) => {
        const from = `${JSON.stringify(file)} ${JSON.stringify(dataset)} ${selectionText(source)}`;
        return `VIRTUAL ${selectionText(target)} FROM ${from}`;
      });
    default:
      return [layout.kind.toUpperCase()];
  }
}

/** A filter: `deflate 4`. */
export function filterText({ id, name, parameters }: FilterDescription): string {
  const label = FILTER_NAMES[id] ?? (name === "" ? String(id) : name);
  return [label, ...parameters].join(" ");
}
