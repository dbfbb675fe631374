/**
 * One statement in DuckDB: its relations ask for their rows when they are read, and only for the columns that are.
 *
 * @module
 */

import type { DuckDBConnection, DuckDBDataChunk } from "@duckdb/node-api";
import {
  type Data,
  Field,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  tableFromIPC,
  Vector,
} from "apache-arrow";
import { SQL_BATCH_ROWS } from "../limits.js";
import { resultKind } from "./duckdb-results.js";
import { type ColumnKind, columnKind, type DuckDb } from "./duckdb-types.js";
import type { Answer, Frame, Relation, Request } from "./frames.js";

/** The way to the server. */
export interface ServerLink {
  readonly send: (answer: Answer, payload?: readonly Uint8Array[]) => void;
  readonly ask: (answer: Answer) => Frame<Request>;
}

const vectorOf = (data: Data): Vector => new Vector([data]);

/** A name as SQL has it. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Rows of a batch that were not yet handed out. */
interface Pending {
  readonly batch: RecordBatch;
  readonly readers: readonly ((row: number) => unknown)[];
  at: number;
}

interface ScanState {
  readonly scan: number;
  readonly columns: readonly string[];
  readonly kinds: readonly ColumnKind[];
  /** Rows are counted only: DuckDB asks for a column, but looks at none. */
  pending: Pending | undefined;
}

let scans = 0;

/** Takes the next batch of a scan from the server. */
function nextBatch(link: ServerLink, relation: number, state: ScanState): Pending | undefined {
  const { scan, columns, kinds } = state;
  for (;;) {
    const { head, payload } = link.ask({ kind: "next", relation, scan, columns });
    if (head.kind === "batch" && head.failure !== undefined) throw new Error(head.failure);
    if (payload.length === 0) return undefined;
    const [batch] = tableFromIPC(payload).batches;
    if (batch === undefined || batch.numRows === 0) continue;
    const readers = kinds.map((kind, index) => kind.reader(batch.data.children[index] as Data));
    return { batch, readers, at: 0 };
  }
}

/** Fills a chunk of DuckDB with the next rows. */
function fill(chunk: DuckDBDataChunk, { readers, batch, ...rest }: Pending, size: number): number {
  const count = Math.min(size, batch.numRows - rest.at);
  chunk.rowCount = count;
  for (const [index, read] of readers.entries()) {
    const vector = chunk.getColumnVector(index);
    for (let row = 0; row < count; row++) vector.setItem(row, read(rest.at + row) as never);
    vector.flush();
  }
  return count;
}

/** Rows of a chunk of DuckDB. */
const CHUNK_ROWS = 2048;

/** Makes a relation known to a connection. */
function addRelation(
  duckdb: DuckDb,
  connection: DuckDBConnection,
  { index, relation, link }: { index: number; relation: Relation; link: ServerLink },
): void {
  const { schema } = tableFromIPC(Buffer.from(relation.arrowSchema, "base64"));
  const known = schema.fields.map(({ name, type }) => {
    return { name, kind: columnKind(duckdb, type, vectorOf), type };
  });
  const table = duckdb.DuckDBTableFunction.create({
    name: `__relation_${index}`,
    supportsProjectionPushdown: true,
    bindFunction: (info) => {
      for (const { name, kind } of known) info.addResultColumn(name, kind?.type ?? duckdb.VARCHAR);
      info.setCardinality(relation.rows, false);
    },
    initFunction: (info) => {
      const wanted = info.getColumnIndexes().map((column) => known[column]);
      const unknown = wanted.find((column) => column?.kind === undefined);
      if (unknown !== undefined) {
        info.setError(`Column "${unknown.name}" is of type ${unknown.type}, which SQL cannot read`);
        return;
      }
      scans += 1;
      const columns = wanted.map((column) => column?.name as string);
      const kinds = wanted.map((column) => column?.kind as ColumnKind);
      info.setInitData({ scan: scans, columns, kinds, pending: undefined } satisfies ScanState);
      info.setMaxThreads(1);
    },
    mainFunction: (info, chunk) => {
      const state = info.initData as ScanState;
      try {
        state.pending ??= nextBatch(link, index, state);
        if (state.pending === undefined) {
          chunk.rowCount = 0;
          return;
        }
        state.pending.at += fill(chunk, state.pending, CHUNK_ROWS);
        if (state.pending.at >= state.pending.batch.numRows) state.pending = undefined;
      } catch (error) {
        info.setError((error as Error).message);
      }
    },
  });
  connection.registerTableFunction(table);
}

/** Opens DuckDB with the relations of a statement, and closes the doors behind them. */
async function openDatabase(
  duckdb: DuckDb,
  request: Extract<Request, { sql: string; relations: unknown }>,
  link: ServerLink,
) {
  const instance = await duckdb.DuckDBInstance.create(":memory:", {
    threads: "2",
    memory_limit: `${Math.floor(request.memorySizeMax / 2 ** 20)}MiB`,
    temp_directory: "",
    max_temp_directory_size: "0KiB",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    allow_community_extensions: "false",
    allow_unsigned_extensions: "false",
    allow_persistent_secrets: "false",
  });
  const connection = await instance.connect();
  const catalogs = new Set(request.relations.map(({ catalog }) => catalog).filter(Boolean));
  for (const catalog of catalogs) {
    await connection.run(`ATTACH ':memory:' AS ${quoted(catalog)}`);
  }
  for (const [index, relation] of request.relations.entries()) {
    addRelation(duckdb, connection, { index, relation, link });
    const { catalog, schema, table } = relation;
    const prefix = catalog === "" ? "" : `${quoted(catalog)}.`;
    const place = schema === "" ? prefix : `${prefix}${quoted(schema)}.`;
    if (schema !== "")
      await connection.run(`CREATE SCHEMA IF NOT EXISTS ${prefix}${quoted(schema)}`);
    const view = `CREATE VIEW ${place}${quoted(table)} AS SELECT * FROM __relation_${index}()`;
    await connection.run(view);
  }
  await connection.run("SET enable_external_access = false");
  await connection.run("SET lock_configuration = true");
  return { instance, connection };
}

function ipcOf(schema: Schema, batches: readonly RecordBatch[]): Uint8Array {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  for (const batch of batches) writer.write(batch);
  writer.finish();
  return writer.toUint8Array(true);
}

/** Runs a statement, or says only what it would result in. */
export async function runStatement(
  duckdb: DuckDb,
  request: Extract<Request, { sql: string; relations: unknown }>,
  link: ServerLink,
): Promise<void> {
  const { instance, connection } = await openDatabase(duckdb, request, link);
  try {
    const prepared = await connection.prepare(request.sql);
    if (prepared.parameterCount > 0) throw new Error("Statements with parameters are not served");
    const count = prepared.columnCount;
    const kinds = Array.from({ length: count }, (_, column) => {
      return resultKind(duckdb, prepared.columnType(column));
    });
    const fields = kinds.map(({ type }, column) => {
      return new Field(prepared.columnName(column), type, true);
    });
    const schema = new Schema(fields);
    link.send({ kind: "schema" }, [ipcOf(schema, [])]);
    if (request.kind === "describe") return;
    const result = await prepared.stream();
    let columns: unknown[][] = kinds.map(() => []);
    const flush = () => {
      const length = columns[0]?.length ?? 0;
      if (length === 0) return;
      const children = kinds.map(({ column }, index) => column(columns[index] as never));
      const data = makeData({ type: new Struct(fields), length, nullCount: 0, children } as never);
      link.send({ kind: "rows" }, [ipcOf(schema, [new RecordBatch(schema, data as never)])]);
      columns = kinds.map(() => []);
    };
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) break;
      for (const [index, values] of columns.entries()) values.push(...chunk.getColumnValues(index));
      if ((columns[0]?.length ?? 0) >= SQL_BATCH_ROWS) flush();
    }
    flush();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
