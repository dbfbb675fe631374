/**
 * Elements of HDF5-like datasets as Arrow columns.
 *
 *     integers, floats, bit fields, enums    numbers; those of 16-bit floats float32, odd sizes the next larger type
 *     enum of FALSE and TRUE                 bool
 *     text                                   utf8
 *     opaque                                 fixed_size_binary
 *     complex, array                         fixed_size_list
 *     compound                               struct; a table, where it is the dataset's own type
 *     sequences                              list
 *
 * @module
 */

import {
  Bool,
  type Data,
  type DataType,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  makeData,
  Struct,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from "apache-arrow";
import {
  type CompoundType,
  complexPartOf,
  type Datatype,
  type Elements,
  isBool,
} from "../../hdf5/index.js";
import { buildColumn } from "../files/build-column.js";
import { countOf } from "./boxes.js";

const SIGNED = [Int8, Int16, Int32, Int64] as const;
const UNSIGNED = [Uint8, Uint16, Uint32, Uint64] as const;

function integerType(size: number, isSigned: boolean): DataType | undefined {
  const Type = (isSigned ? SIGNED : UNSIGNED)[Math.ceil(Math.log2(size))];
  return Type === undefined ? undefined : new Type();
}

const itemOf = (type: DataType | undefined) => type && new Field("item", type, false);

function compoundType(type: CompoundType): DataType | undefined {
  const part = complexPartOf(type);
  if (part !== undefined) {
    return new FixedSizeList(2, new Field("item", arrowTypeOf(part) as DataType, false));
  }
  const fields: Field[] = [];
  for (const { name, type: member } of type.members) {
    const arrow = arrowTypeOf(member);
    if (arrow === undefined) return undefined;
    fields.push(new Field(name, arrow, false));
  }
  return new Struct(fields);
}

/** The Arrow type of a datatype; `undefined` for those that Arrow has nothing for. */
export function arrowTypeOf(type: Datatype): DataType | undefined {
  switch (type.class) {
    case "integer":
      return integerType(type.size, type.isSigned);
    case "bitfield":
      return integerType(type.size, false);
    case "float":
      return type.size <= 4 ? new Float32() : new Float64();
    case "enum":
      return isBool(type) ? new Bool() : arrowTypeOf(type.base);
    case "string":
    case "vlenString":
      return new Utf8();
    case "opaque":
      return new FixedSizeBinary(type.size);
    case "array": {
      const item = itemOf(arrowTypeOf(type.base));
      return item && new FixedSizeList(countOf(type.shape), item);
    }
    case "compound":
      return compoundType(type);
    case "vlen": {
      const item = itemOf(arrowTypeOf(type.base));
      return item && new List(item);
    }
    default:
      return undefined;
  }
}

interface Numbers extends ArrayLike<number | bigint> {
  readonly BYTES_PER_ELEMENT: number;
}

/** Numbers in the array that an Arrow type has; themselves, if they are in one. */
function numbersFor({ ArrayType }: DataType, values: Numbers): unknown {
  const Kind = ArrayType as { from(values: Numbers): unknown; readonly name: string };
  return (values as object).constructor.name === Kind.name ? values : Kind.from(values);
}

/** A list of elements, each with those of a sequence, behind one another. */
function joined(type: Datatype, lists: readonly Elements[]): Data {
  const arrow = arrowTypeOf(type) as DataType;
  const values = lists.flatMap((list) => Array.from(list as ArrayLike<unknown>));
  return buildColumn(arrow, values);
}

/**
 * A column of elements.
 *
 * @param type One that {@link arrowTypeOf} knows.
 * @param elements What a dataset's `read` returns.
 */
export function columnOf(type: Datatype, elements: Elements, length: number): Data {
  const arrow = arrowTypeOf(type) as DataType;
  const common = { type: arrow, length, nullCount: 0 };
  if (type.class === "compound") {
    const part = complexPartOf(type);
    if (part !== undefined) {
      const child = columnOf(part, elements, 2 * length);
      return makeData({ ...common, child } as never) as Data;
    }
    const columns = elements as Readonly<Record<string, Elements>>;
    const children = type.members.map(({ name, type: member }) => {
      return columnOf(member, columns[name] as Elements, length);
    });
    return makeData({ ...common, children } as never) as Data;
  }
  if (type.class === "array") {
    const child = columnOf(type.base, elements, length * countOf(type.shape));
    return makeData({ ...common, child } as never) as Data;
  }
  if (type.class === "vlen") {
    const lists = elements as readonly Elements[];
    const valueOffsets = new Int32Array(length + 1);
    for (let row = 0; row < length; row++) {
      const size = (lists[row] as ArrayLike<unknown> | undefined)?.length ?? 0;
      valueOffsets[row + 1] = (valueOffsets[row] as number) + size;
    }
    return makeData({ ...common, valueOffsets, child: joined(type.base, lists) } as never) as Data;
  }
  if (arrow instanceof Utf8) return buildColumn(arrow, elements as readonly string[]);
  if (arrow instanceof Bool) {
    return buildColumn(
      arrow,
      Array.from(elements as Uint8Array, (value) => value !== 0),
    );
  }
  if (type.class === "opaque") return makeData({ ...common, data: elements } as never) as Data;
  return makeData({ ...common, data: numbersFor(arrow, elements as Numbers) } as never) as Data;
}
