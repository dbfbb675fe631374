/**
 * Catalogs, schemas and tables as Flight SQL has them: the pool, its containers, and the tables in those.
 *
 * @module
 */

import {
  Binary,
  Bool,
  type DataType,
  Field,
  Int32,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Uint8,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import type { Pool } from "../../../core/index.js";
import { listTables } from "../../arrow/index.js";
import { nullColumn } from "../../arrow/table/gather.js";
import { readableContainers } from "../access/pool-handles.js";
import { schemaBytes } from "../calls/flight-info.js";

const text = (name: string, nullable = false) => new Field(name, new Utf8(), nullable);
const integer = (name: string, nullable = false) => new Field(name, new Int32(), nullable);

/** Schemas of the answers, by command. */
export const CATALOG_SCHEMAS = {
  catalogs: new Schema([text("catalog_name")]),
  dbSchemas: new Schema([text("catalog_name", true), text("db_schema_name")]),
  tableTypes: new Schema([text("table_type")]),
  tables: new Schema([
    ...[text("catalog_name", true), text("db_schema_name", true)],
    ...[text("table_name"), text("table_type")],
  ]),
  tablesWithSchema: new Schema([
    ...[text("catalog_name", true), text("db_schema_name", true)],
    ...[text("table_name"), text("table_type"), new Field("table_schema", new Binary(), false)],
  ]),
  primaryKeys: new Schema([
    ...[text("catalog_name", true), text("db_schema_name", true), text("table_name")],
    ...[text("column_name"), text("key_name", true), integer("key_sequence")],
  ]),
  foreignKeys: new Schema([
    ...[text("pk_catalog_name", true), text("pk_db_schema_name", true), text("pk_table_name")],
    text("pk_column_name"),
    ...[text("fk_catalog_name", true), text("fk_db_schema_name", true), text("fk_table_name")],
    text("fk_column_name"),
    ...[integer("key_sequence"), text("fk_key_name", true), text("pk_key_name", true)],
    ...[new Field("update_rule", new Uint8(), false), new Field("delete_rule", new Uint8(), false)],
  ]),
  xdbcTypes: new Schema([
    ...[text("type_name"), integer("data_type"), integer("column_size", true)],
    ...[text("literal_prefix", true), text("literal_suffix", true)],
    new Field("create_params", new List(new Field("$data$", new Utf8(), false)), true),
    ...[integer("nullable"), new Field("case_sensitive", new Bool(), false), integer("searchable")],
    ...[
      new Field("unsigned_attribute", new Bool(), true),
      new Field("fixed_prec_scale", new Bool(), false),
    ],
    ...[new Field("auto_increment", new Bool(), true), text("local_type_name", true)],
    ...[integer("minimum_scale", true), integer("maximum_scale", true), integer("sql_data_type")],
    ...[
      integer("datetime_subcode", true),
      integer("num_prec_radix", true),
      integer("interval_precision", true),
    ],
  ]),
} as const;

/** The kind of all tables. */
const TABLE = "TABLE";

/** A batch of rows; without any if there are none. */
export function batchOf(schema: Schema, rows: readonly (readonly unknown[])[]): RecordBatch {
  const children = schema.fields.map(({ type }, column) => {
    if (rows.length === 0) return nullColumn(type, 0);
    const values = rows.map((row) => row[column]);
    return vectorFromArray(values as never[], type as DataType).data[0];
  });
  const type = new Struct(schema.fields);
  const data = makeData({ type, length: rows.length, nullCount: 0, children } as never);
  return new RecordBatch(schema, data as never);
}

/** A pattern of SQL, with % and _. */
function matcher(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  const escaped = pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const source = escaped.replaceAll("%", ".*").replaceAll("_", ".");
  const expression = new RegExp(`^${source}$`, "s");
  return (name) => expression.test(name);
}

/** Which tables are asked for. */
export interface TableFilter {
  readonly catalog?: string;
  readonly dbSchemaFilterPattern?: string;
  readonly tableNameFilterPattern?: string;
  readonly tableTypes?: readonly string[];
  readonly includeSchema?: boolean;
}

/** The schemas, which are containers that the caller may read. */
export function dbSchemas(
  pool: Pool,
  { catalog, dbSchemaFilterPattern }: TableFilter,
): RecordBatch {
  const matches = matcher(dbSchemaFilterPattern);
  const rows: string[][] = [];
  if (catalog === undefined || catalog === pool.label) {
    for (const { label } of readableContainers(pool)) {
      if (matches(label)) rows.push([pool.label, label]);
    }
  }
  return batchOf(CATALOG_SCHEMAS.dbSchemas, rows);
}

/** The tables that the caller may read. */
export async function tables(pool: Pool, filter: TableFilter): Promise<RecordBatch> {
  const { catalog, tableTypes = [], includeSchema = false } = filter;
  const schemaMatches = matcher(filter.dbSchemaFilterPattern);
  const tableMatches = matcher(filter.tableNameFilterPattern);
  const isAsked =
    (catalog === undefined || catalog === pool.label) &&
    (tableTypes.length === 0 || tableTypes.includes(TABLE));
  const rows: unknown[][] = [];
  for (const container of isAsked ? readableContainers(pool) : []) {
    if (!schemaMatches(container.label)) continue;
    for await (const { path, schema } of listTables(container)) {
      if (!tableMatches(path)) continue;
      const row: unknown[] = [pool.label, container.label, path, TABLE];
      rows.push(includeSchema ? [...row, schemaBytes(schema)] : row);
    }
  }
  const { tablesWithSchema, tables: plain } = CATALOG_SCHEMAS;
  return batchOf(includeSchema ? tablesWithSchema : plain, rows);
}

/** The kinds of tables. */
export function tableTypes(): RecordBatch {
  return batchOf(CATALOG_SCHEMAS.tableTypes, [[TABLE]]);
}
