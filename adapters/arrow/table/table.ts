/**
 * Tables: record batches in a container, at any version.
 *
 *     table directory ─ "." ─ ARROW_TABLE ─▶ schema
 *                     ├ 000000000001.arrow ─▶ an Arrow IPC file, made by one append
 *                     └ 000000000002.arrow ...
 *
 * @module
 */

import type { Field, RecordBatch, Schema } from "apache-arrow";
import { Schema as SchemaClass } from "apache-arrow";
import {
  type Container,
  type ContainerView,
  DaosError,
  type Epoch,
  isDaosError,
  type ObjectId,
  type Version,
} from "../../../core/index.js";
import { create, listDirectory, lookup, remove } from "../../dfs/index.js";
import { invalid } from "../errors.js";
import { type Compression, loadCodec } from "../ipc/compression.js";
import { type BatchStream, numberDictionaries } from "../ipc/types.js";
import { COLUMNS_MAX, COMPACTION_ATTEMPTS_MAX } from "../limits.js";
import { appendBatches } from "./append.js";
import { type Compaction, compactTable } from "./compaction.js";
import { createWithBatches } from "./create-with-batches.js";
import { deleteMatching } from "./deletion.js";
import type { PartReader } from "./part-reader.js";
import type { Predicate } from "./predicate.js";
import { bindScan, type ScanOptions, scanBatches } from "./scan.js";
import {
  decodeHeader,
  encodeHeader,
  TABLE_AKEY,
  TABLE_DKEY,
  type TableHeader,
} from "./table-format.js";
import { countRows, headerAt, listParts, readState, type TableState } from "./table-state.js";
import { type TableStatistics, tableStatistics } from "./table-statistics.js";

/** Which version of a table is opened: one of these; the newest by default. */
export interface TableVersion {
  /** An epoch. */
  readonly epoch?: Epoch;
  /** Name of a snapshot. */
  readonly snapshot?: string;
  /** The newest commit at that time. */
  readonly time?: Date;
}

/** How a table is written. */
export interface TableWriteOptions {
  /** How buffers are compressed; by default not at all, so that they are read without a copy. */
  readonly compression?: Compression;
}

/** The version that is named; `undefined` for the newest. */
export function versionOf({ epoch, snapshot, time }: TableVersion): Version | undefined {
  if (epoch !== undefined) return epoch;
  if (snapshot !== undefined) return { snapshot };
  return time === undefined ? undefined : { time };
}

/** Contents of parts that were read by a handle of a container: object ids are never given twice. */
const knownReaders = new WeakMap<Container, Map<ObjectId, PartReader>>();

function readersOf(container: Container): Map<ObjectId, PartReader> {
  let readers = knownReaders.get(container);
  if (readers === undefined) {
    readers = new Map();
    knownReaders.set(container, readers);
  }
  return readers;
}

function checkSchema(path: string, schema: Schema): void {
  const what = `Creating table "${path}"`;
  const names = new Set(schema.fields.map(({ name }) => name));
  if (names.size < schema.fields.length) {
    throw invalid(what, "two columns have one name", "give each column its own name");
  }
  if (schema.fields.length === 0 || schema.fields.length > COLUMNS_MAX) {
    const why = `it has ${schema.fields.length} columns`;
    throw invalid(what, why, `give it 1 to ${COLUMNS_MAX}`);
  }
}

/** The batches of a scan, and their schema. */
export type TableScan = AsyncIterableIterator<RecordBatch> & BatchStream;

/** How a table is created from batches. */
export interface TableImportOptions extends TableWriteOptions {
  /** Whether a table that is there is replaced; readers see the old one until the new one is complete. */
  readonly replace?: boolean;
}

/** A table of a container, at one version. Close it, so that its space can be reclaimed. */
export class Table implements Disposable {
  #createdAt: Epoch | undefined;
  readonly #container: Container;
  readonly #isOld: boolean;
  readonly #compression: Compression | undefined;
  readonly #readers: Map<ObjectId, PartReader>;
  #state: TableState;

  private constructor(
    container: Container,
    path: string,
    { at, compression }: { at: TableVersion; compression: Compression | undefined },
  ) {
    this.#container = container;
    this.#readers = readersOf(container);
    const version = versionOf(at);
    this.#isOld = version !== undefined;
    this.#compression = compression;
    this.#state = this.#read(path, version);
  }

  #read(path: string, version: Version | undefined): TableState {
    const view = this.#container.view(version);
    try {
      return readState(view, path, this.#readers);
    } catch (error) {
      view.close();
      throw error;
    }
  }

  /**
   * Creates an empty table, and the directories that lead to it.
   *
   * @throws `DaosError` `DER_EXIST`; `DER_INVAL` if two columns have one name or there is none; `DER_NO_PERM`.
   *
   * @example
   * ```ts
   * const schema = new Schema([new Field("step", new Int32()), new Field("energy", new Float64())]);
   * using table = await Table.create(container, "runs/energy", schema);
   * await table.append(batches);
   * ```
   */
  static async create(
    container: Container,
    path: string,
    schema: Schema,
    options: TableWriteOptions = {},
  ): Promise<Table> {
    checkSchema(path, schema);
    const columnIds = schema.fields.map((_, index) => index);
    const header = { schema, columnIds, nextColumnId: columnIds.length };
    const value = encodeHeader({ ...header, schema: numberDictionaries(schema) });
    container.runTransaction((scope) => {
      const { oid } = create(container, scope, { path, kind: "directory" });
      scope.own.put({ oid, dkey: TABLE_DKEY, akey: TABLE_AKEY, value, condition: "insert" });
    });
    return new Table(container, path, { at: {}, compression: options.compression });
  }

  /**
   * Creates a table with rows in it: it appears with all of them, at one epoch, or not at all.
   *
   * @param stream Its schema and its rows: what `readIpc` returns, or the scan of another table. No more than one batch
   *   is held in memory.
   * @throws `DaosError` as {@link Table.create} and {@link Table.append}; what the stream throws.
   *
   * @example
   * ```ts
   * using table = await Table.createFrom(container, "flights", await openIpcFile("flights.arrow"));
   * ```
   */
  static async createFrom(
    container: Container,
    path: string,
    stream: BatchStream,
    { compression, replace = false }: TableImportOptions = {},
  ): Promise<Table> {
    const schema = numberDictionaries(stream.schema);
    checkSchema(path, schema);
    const columnIds = schema.fields.map((_, index) => index);
    const header = { schema, columnIds, nextColumnId: columnIds.length };
    const codec = compression && { compression, codec: await loadCodec(compression) };
    const target = { container, path, header, codec, replace };
    const epoch = await createWithBatches(target, stream);
    const table = new Table(container, path, { at: {}, compression });
    table.#createdAt = epoch;
    return table;
  }

  /** The epoch of the commit that made the table with its first rows, if this handle did. */
  get createdAt(): Epoch | undefined {
    return this.#createdAt;
  }

  /**
   * Opens a table.
   *
   * @param at The version; the newest by default. Only that one can be written.
   * @throws `DaosError` `DER_NONEXIST` if there is no table or no such snapshot, `DER_INVAL` if the path leads to
   *   something else, `DER_EPOCH_GONE`, `DER_DF_INCOMPT` if another format version wrote it.
   */
  static async open(
    container: Container,
    path: string,
    at: TableVersion & TableWriteOptions = {},
  ): Promise<Table> {
    return new Table(container, path, { at, compression: at.compression });
  }

  /**
   * Removes a table. Its versions stay readable as long as their epochs do.
   *
   * @throws `DaosError` `DER_NONEXIST`, `DER_INVAL` if the path leads to something else, `DER_NO_PERM`.
   */
  static async remove(container: Container, path: string): Promise<void> {
    container.runTransaction((scope) => {
      readState(scope.view, path, new Map());
      remove(scope, path, { recursive: true });
    });
  }

  /** Path in the container. */
  get path(): string {
    return this.#state.path;
  }

  /** The columns. */
  get schema(): Schema {
    return this.#state.header.schema;
  }

  /** The version that is read. */
  get epoch(): Epoch {
    return this.#state.view.epoch;
  }

  /** Rows at that version. */
  get numRows(): number {
    return this.#state.numRows;
  }

  #requireNewest(what: string): void {
    if (!this.#isOld) return;
    const why = `it is open at epoch ${this.epoch}`;
    const remedy = "open the table without naming a version";
    throw new DaosError("DER_EP_RO", { what: `${what} table "${this.path}"`, why, remedy });
  }

  /**
   * Appends batches: all of them at one epoch, or nothing. Any number of writers may append at once; each one's rows
   * stay together. Then the newest version is read.
   *
   * Batches are stored as they come, those of more than 64 MiB in parts: at 64 Ki rows or more, they are read
   * fastest.
   *
   * @param batches With the columns of the table in any order; columns that may be null may be missing.
   * @returns The epoch at which they are visible.
   * @throws `DaosError` `DER_INVAL` for other columns or types, or nulls where there are to be none; `DER_EP_RO` for
   *   an older version; `DER_NONEXIST` if the table was removed; `DER_NOSPACE`, `DER_IO`, `DER_NO_PERM`; what
   *   `batches` throws. Nothing was appended then.
   */
  async append(batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>): Promise<Epoch> {
    this.#requireNewest("Appending to");
    const compression = this.#compression;
    const codec = compression && { compression, codec: await loadCodec(compression) };
    const target = { container: this.#container, state: this.#state, codec };
    const epoch = await appendBatches(target, batches);
    await this.refresh();
    return epoch;
  }

  /**
   * Reads rows as record batches, in the order in which they were appended.
   *
   * Buffers are those of the pool's files, mapped into memory, wherever a batch is wanted whole: nothing is copied.
   * They are to be read, not changed, and stay valid after the scan. The version is pinned until the iteration ends.
   *
   * @returns Batches with the columns that were asked for. Their metadata has the number of a row of the table that
   *   is not behind their first one as `daos.row`.
   * @throws `DaosError` `DER_INVAL` for options that do not fit the table, at once; `DER_CSUM` if stored bytes are
   *   damaged.
   *
   * @example
   * ```ts
   * const where = { op: ">", column: "energy", value: 10 } as const;
   * for await (const batch of table.scan({ columns: ["step"], where })) console.log(batch.numRows);
   * ```
   */
  scan(options: ScanOptions = {}): TableScan {
    const state = this.#state;
    const scan = bindScan(state, options);
    const container = this.#container;
    const batches = (async function* () {
      const view: ContainerView = container.view(state.view.epoch);
      try {
        yield* scanBatches({ ...state, view }, scan);
      } finally {
        view.close();
      }
    })();
    return Object.assign(batches, { schema: scan.schema });
  }

  /** What is known of the table without reading it. */
  async statistics(): Promise<TableStatistics> {
    return tableStatistics(this.#state);
  }

  #alter(what: string, change: (header: TableHeader) => TableHeader): Epoch {
    this.#requireNewest(what);
    const { oid, path } = this.#state;
    const { epoch } = this.#container.runTransaction(({ view, own }) => {
      const value = view.getValue(oid, TABLE_DKEY, TABLE_AKEY);
      if (value === undefined) {
        const text = {
          what: `${what} table "${path}"`,
          why: "it was removed",
          remedy: "create it",
        };
        throw new DaosError("DER_NONEXIST", text, { path });
      }
      const header = change(decodeHeader(value, path));
      checkSchema(path, header.schema);
      const changed = encodeHeader({ ...header, schema: numberDictionaries(header.schema) });
      own.put({ oid, dkey: TABLE_DKEY, akey: TABLE_AKEY, value: changed, condition: "update" });
    });
    return epoch;
  }

  #columnOf({ schema }: TableHeader, name: string): number {
    const index = schema.fields.findIndex((field) => field.name === name);
    if (index >= 0) return index;
    const what = `Changing table "${this.path}"`;
    throw invalid(what, `there is no column "${name}"`, "name a column of its schema");
  }

  /**
   * Adds a column; rows that are there have nulls in it. Nothing is written anew.
   *
   * @throws `DaosError` `DER_INVAL` if it may not be null, or has the name of another column; `DER_EP_RO`.
   */
  async addColumn(field: Field): Promise<Epoch> {
    if (!field.nullable) {
      const what = `Adding column "${field.name}" to table "${this.path}"`;
      throw invalid(what, "it may not be null, but rows without it are", "let it be nullable");
    }
    const epoch = this.#alter("Adding a column to", ({ schema, columnIds, nextColumnId }) => ({
      schema: new SchemaClass([...schema.fields, field], schema.metadata),
      columnIds: [...columnIds, nextColumnId],
      nextColumnId: nextColumnId + 1,
    }));
    await this.refresh();
    return epoch;
  }

  /**
   * Drops a column. Older versions of the table keep it.
   *
   * @throws `DaosError` `DER_INVAL` if there is no such column, or no other; `DER_EP_RO`.
   */
  async dropColumn(name: string): Promise<Epoch> {
    const epoch = this.#alter("Dropping a column of", (header) => {
      const dropped = this.#columnOf(header, name);
      const fields = header.schema.fields.filter((_, index) => index !== dropped);
      return {
        ...header,
        schema: new SchemaClass(fields, header.schema.metadata),
        columnIds: header.columnIds.filter((_, index) => index !== dropped),
      };
    });
    await this.refresh();
    return epoch;
  }

  /**
   * Gives a column another name.
   *
   * @throws `DaosError` `DER_INVAL` if there is no such column, or another one has the new name; `DER_EP_RO`.
   */
  async renameColumn(name: string, newName: string): Promise<Epoch> {
    const epoch = this.#alter("Renaming a column of", (header) => {
      const renamed = this.#columnOf(header, name);
      const fields = header.schema.fields.map((field, index) => {
        return index === renamed ? field.clone({ name: newName }) : field;
      });
      return { ...header, schema: new SchemaClass(fields, header.schema.metadata) };
    });
    await this.refresh();
    return epoch;
  }

  /**
   * Deletes the rows that match, of those that the table has when the call begins. Older versions keep them.
   *
   * @returns How many rows were deleted.
   * @throws `DaosError` `DER_INVAL` for a predicate that does not fit the table; `DER_EP_RO`; `DER_TX_RESTART` if
   *   another writer deleted rows of the same parts meanwhile: nothing was deleted then.
   */
  async deleteRows(where: Predicate): Promise<number> {
    this.#requireNewest("Deleting rows of");
    await this.refresh();
    const count = await deleteMatching(this.#container, this.#state, where);
    await this.refresh();
    return count;
  }

  /**
   * Writes small batches as batches of 64 Ki rows or more, and parts with deleted rows without them; the rest stays as
   * it is. Rows keep their order. All of it is one commit: readers see the table before or after it, older versions
   * and snapshots stay as they are, and the space comes back once no version that is kept needs the old parts.
   *
   * Others may append meanwhile. Where others delete rows of the same parts, it begins again.
   *
   * @returns What was replaced.
   * @throws `DaosError` `DER_TX_RESTART` if others changed the same parts again and again; `DER_EP_RO` for an older
   *   version; `DER_NONEXIST`, `DER_NOSPACE`, `DER_IO`, `DER_NO_PERM`. Nothing was changed then.
   *
   * @example
   * ```ts
   * const { replacedParts, newParts } = await table.compact();
   * ```
   */
  async compact(): Promise<Compaction> {
    this.#requireNewest("Compacting");
    const compression = this.#compression;
    const codec = compression && { compression, codec: await loadCodec(compression) };
    for (let attempt = 1; ; attempt++) {
      await this.refresh();
      const target = { container: this.#container, state: this.#state, codec };
      try {
        const compaction = await compactTable(target);
        await this.refresh();
        return compaction;
      } catch (error) {
        const isConflict = isDaosError(error, "DER_TX_RESTART");
        if (!isConflict || attempt >= COMPACTION_ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** Reads the newest version from now on; does nothing for a table that was opened at another one. */
  async refresh(): Promise<void> {
    if (this.#isOld) return;
    const old = this.#state;
    this.#state = this.#read(old.path, undefined);
    old.view.close();
  }

  /** Lets go of the version. Scans that go on keep theirs. Later calls do nothing. */
  close(): void {
    this.#state.view.close();
  }

  /** Closes the table at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** A table, as a list shows it. */
export interface ListedTable {
  /** Path in the container. */
  readonly path: string;
  /** Its columns. */
  readonly schema: Schema;
  /** Its rows. */
  readonly numRows: number;
}

function* tablesBelow(view: ContainerView, oid: ObjectId, prefix: string): Generator<ListedTable> {
  for (const { name, inode } of listDirectory({ view }, oid)) {
    if (inode.kind !== "directory") continue;
    const path = `${prefix}${name}`;
    const header = headerAt(view, inode, path);
    if (header === undefined) yield* tablesBelow(view, inode.oid, `${path}/`);
    else yield { path, schema: header.schema, numRows: countRows(listParts(view, inode.oid)) };
  }
}

/**
 * The tables of a container, in the order of their paths.
 *
 * @param at The version; the newest by default.
 */
export async function* listTables(
  container: Container,
  at: TableVersion = {},
): AsyncGenerator<ListedTable> {
  using view = container.view(versionOf(at));
  const root = lookup({ view }, "");
  if (root !== undefined) yield* tablesBelow(view, root.oid, "");
}
