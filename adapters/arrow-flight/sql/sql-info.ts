/**
 * What Flight SQL's clients ask of a server before they ask for data: `CommandGetSqlInfo`.
 *
 * @module
 */

import {
  Bool,
  type Data,
  DenseUnion,
  Field,
  Int32,
  Int64,
  List,
  Map_,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Uint32,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { nullColumn } from "../../arrow/table/gather.js";

type Value = string | boolean | bigint;

/** Numbers and values, as FlightSql.proto has them. */
const FACTS: readonly (readonly [number: number, value: Value])[] = [
  // Name, version and Arrow version of the server; read-only, SQL, no Substrait, no transactions.
  [0, "daos-ts"],
  [1, "1"],
  [2, "21"],
  [3, true],
  [4, true],
  [5, false],
  // DDL of catalogs, schemas and tables: none.
  [500, false],
  [501, false],
  [502, false],
  // Unquoted names: their case is kept, and not looked at.
  [503, 3n],
  [504, '"'],
  // Quoted names: the same.
  [505, 3n],
];

const entries = new Struct([
  new Field("key", new Int32(), false),
  new Field("value", new List(new Field("$data$", new Int32(), true)), true),
]);
const FIELDS = [
  new Field("string_value", new Utf8(), true),
  new Field("bool_value", new Bool(), true),
  new Field("bigint_value", new Int64(), true),
  new Field("int32_bitmask", new Int32(), true),
  new Field("string_list", new List(new Field("$data$", new Utf8(), true)), true),
  new Field(
    "int32_to_int32_list_map",
    new Map_(new Field("entries", entries, false) as never),
    true,
  ),
];
const VALUE = new DenseUnion([0, 1, 2, 3, 4, 5], FIELDS);

/** The schema of the answer. */
export const SQL_INFO_SCHEMA: Schema = new Schema([
  new Field("info_name", new Uint32(), false),
  new Field("value", VALUE, false),
]);

function typeIdOf(value: Value): number {
  if (typeof value === "string") return 0;
  return typeof value === "boolean" ? 1 : 2;
}

/**
 * The facts of some numbers.
 *
 * @param wanted Numbers of facts; all if empty.
 */
export function sqlInfo(wanted: readonly number[]): RecordBatch {
  const facts = FACTS.filter(([number]) => wanted.length === 0 || wanted.includes(number));
  const typeIds = Int8Array.from(facts, ([, value]) => typeIdOf(value));
  const counts = [0, 0, 0];
  const valueOffsets = Int32Array.from(typeIds, (id) => {
    const at = counts[id] as number;
    counts[id] = at + 1;
    return at;
  });
  const of = (id: number) =>
    facts.map(([, value]) => value).filter((value) => typeIdOf(value) === id);
  const children = FIELDS.map(({ type }, id) => {
    const values = id < counts.length ? of(id) : [];
    // The type of maps is not one that apache-arrow makes columns of from nothing.
    if (values.length === 0) return nullColumn(type, 0);
    return vectorFromArray(values, type as never).data[0] as Data;
  });
  const length = facts.length;
  const names = makeData({ type: new Uint32(), data: Uint32Array.from(facts, ([name]) => name) });
  const values = makeData({ type: VALUE, length, typeIds, valueOffsets, children } as never);
  const type = new Struct(SQL_INFO_SCHEMA.fields);
  const data = makeData({ type, length, nullCount: 0, children: [names, values] } as never);
  return new RecordBatch(SQL_INFO_SCHEMA, data as never);
}
