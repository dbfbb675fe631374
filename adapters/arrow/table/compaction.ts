/**
 * Compaction: writes small batches as larger ones, and batches with deleted rows without them.
 *
 *     parts  1 2 3 │ 4 │ 5 6      4 is left as it is: its batches are large, and no row is deleted
 *            └─┬─┘       └┬┘
 *     parts    1   │ 4 │  5       at one epoch; the order of the rows stays
 *
 * Rows are read at one version, and written to the writer's own log. Then a small transaction puts the new parts under
 * the names of old ones, if those are still as they were read: an append meanwhile does not matter, a deletion does.
 *
 * @module
 */

import { type Data, makeData, RecordBatch, type Schema, Struct } from "apache-arrow";
import {
  type Container,
  DaosError,
  type Epoch,
  isDaosError,
  type Transaction,
  type TransactionScope,
} from "../../../core/index.js";
import { notFound, putInode } from "../../dfs/index.js";
import { DictionaryUnifier } from "../files/unify-dictionaries.js";
import { COMPACTED_ROWS, COMPACTION_ATTEMPTS_MAX, STORED_BODY_SIZE_MAX } from "../limits.js";
import { type KnownTarget, type NewPart, writeParts } from "./append.js";
import { concat } from "./concat.js";
import { bindScan, scanBatches } from "./scan.js";
import { encodePart, PART_AKEY, type PartEntry, TABLE_AKEY, TABLE_DKEY } from "./table-format.js";
import { readerOf, type TableState } from "./table-state.js";

/** What a compaction did. */
export interface Compaction {
  /** The version at which it is visible; the one that was read, if there was nothing to do. */
  readonly epoch: Epoch;
  /** Files that were replaced. */
  readonly replacedParts: number;
  /** Files that took their place. */
  readonly newParts: number;
  /** Rows that were written anew. */
  readonly rows: number;
  /** Deleted rows that are not stored in the new files. */
  readonly removedRows: number;
}

/** Parts that lie one behind the other, and what they become. */
interface Run {
  readonly parts: readonly PartEntry[];
  readonly written: readonly NewPart[];
}

interface PartShape {
  readonly part: PartEntry;
  /** Whether it is written anew even if it is alone. */
  readonly isFragmented: boolean;
  /** Whether its rows may go into a batch with those of its neighbours. */
  readonly isSmall: boolean;
}

function shapeOf(state: TableState, part: PartEntry): PartShape {
  const { batches } = readerOf(state, part).contents;
  const smalls = batches.map(({ rows, bodySize }) => {
    return rows < COMPACTED_ROWS && bodySize < STORED_BODY_SIZE_MAX / 2;
  });
  const isFragmented = part.deletedRows > 0 || smalls.slice(0, -1).includes(true);
  return { part, isFragmented, isSmall: !smalls.includes(false) };
}

/** The parts that are written anew, in runs of neighbours. */
function runsOf(state: TableState): PartEntry[][] {
  const runs: PartShape[][] = [[]];
  for (const part of state.parts) {
    const shape = shapeOf(state, part);
    if (shape.isFragmented || shape.isSmall) runs.at(-1)?.push(shape);
    else runs.push([]);
  }
  const wanted = runs.filter((run) => run.length > 1 || run[0]?.isFragmented === true);
  return wanted.map((run) => run.map(({ part }) => part));
}

/** Makes large batches of small ones; dictionaries go on, as long as their indices can number their values. */
async function* mergedBatches(
  schema: Schema,
  batches: AsyncIterable<RecordBatch>,
  what: string,
): AsyncGenerator<RecordBatch> {
  let unifier = new DictionaryUnifier(schema, what);
  let waiting: (readonly Data[])[] = [];
  let [rows, size] = [0, 0];
  const merged = (): RecordBatch => {
    const children = schema.fields.map((_, index) => {
      return concat(waiting.map((columns) => columns[index] as Data));
    });
    const type = new Struct(schema.fields);
    const data = makeData({ type, length: rows, nullCount: 0, children } as never);
    waiting = [];
    [rows, size] = [0, 0];
    return new RecordBatch(schema, data as never);
  };
  for await (const batch of batches) {
    const bytes = batch.data.byteLength;
    if (rows > 0 && size + bytes > STORED_BODY_SIZE_MAX) yield merged();
    let columns: readonly Data[];
    try {
      columns = unifier.unify(batch.data.children as Data[]);
    } catch (error) {
      if (!isDaosError(error, "DER_INVAL")) throw error;
      if (rows > 0) yield merged();
      unifier = new DictionaryUnifier(schema, what);
      columns = unifier.unify(batch.data.children as Data[]);
    }
    waiting.push(columns);
    rows += batch.numRows;
    size += bytes;
    if (rows >= COMPACTED_ROWS) yield merged();
  }
  if (rows > 0) yield merged();
}

function whatOf({ path }: TableState): string {
  return `Compacting table "${path}"`;
}

/** Puts new parts in the place of old ones, if those are as they were read. */
function replaceParts({ view, own }: TransactionScope, state: TableState, runs: readonly Run[]) {
  const { oid, path } = state;
  const what = whatOf(state);
  if (view.getValue(oid, TABLE_DKEY, TABLE_AKEY) === undefined) throw notFound(path, what);
  for (const { parts, written } of runs) {
    for (const { name, oid: file } of parts) {
      const before = state.view.getValue(oid, name, PART_AKEY) as Uint8Array;
      const now = view.getValue(oid, name, PART_AKEY);
      if (now === undefined || Buffer.compare(before, now) !== 0) {
        const why = "another writer deleted rows of it, or compacted it, meanwhile";
        throw new DaosError("DER_TX_RESTART", { what, why, remedy: "compact it later" }, { path });
      }
      own.punchDkey(oid, name, "update");
      own.punch(file);
    }
    for (const [index, { inode, rows }] of written.entries()) {
      // There are no more new parts than old ones.
      const { name } = parts[index] as PartEntry;
      putInode(own, { parent: oid, name }, inode, "none");
      const value = encodePart({ oid: inode.oid, rows, deletedRows: 0 });
      own.put({ oid, dkey: name, akey: PART_AKEY, value, condition: "none" });
    }
  }
}

/** Publishes the data of new parts and their names as one commit. */
function publish(
  container: Container,
  own: Transaction,
  { state, runs }: { readonly state: TableState; readonly runs: readonly Run[] },
): Epoch {
  const data = own.prepare();
  for (let attempt = 1; ; attempt++) {
    using names = container.beginTransaction();
    replaceParts(names, state, runs);
    try {
      const contributions = [data, names.own.prepare()];
      const { epoch } = container.publish(contributions, container.newTransactionId());
      names.own.settle();
      own.settle();
      return epoch;
    } catch (error) {
      // Whether it was these parts that changed is seen by looking again.
      if (!isDaosError(error, "DER_TX_RESTART") || attempt >= COMPACTION_ATTEMPTS_MAX) throw error;
    }
  }
}

/**
 * Compacts a version of a table; see `Table.compact`.
 *
 * @throws `DaosError` `DER_TX_RESTART` if another writer changed the same parts.
 */
export async function compactTable({ container, state, codec }: KnownTarget): Promise<Compaction> {
  const runs: Run[] = [];
  const own = container.begin();
  try {
    for (const parts of runsOf(state)) {
      const rows = scanBatches({ ...state, parts }, bindScan(state, {}));
      const batches = mergedBatches(state.header.schema, rows, whatOf(state));
      const written = await writeParts({ container, state, codec }, own, batches);
      const hasDeleted = parts.some(({ deletedRows }) => deletedRows > 0);
      const isFragmented = parts.length === 1;
      // Dictionaries that cannot be one keep parts apart.
      const isLess = written.length < parts.length || hasDeleted || isFragmented;
      if (isLess && written.length <= parts.length) runs.push({ parts, written });
    }
    const replaced = runs.flatMap(({ parts }) => parts);
    const written = runs.flatMap((run) => run.written);
    const result = {
      replacedParts: replaced.length,
      newParts: written.length,
      rows: written.reduce((sum, { rows }) => sum + rows, 0),
      removedRows: replaced.reduce((sum, { deletedRows }) => sum + deletedRows, 0),
    };
    if (replaced.length > 0) return { epoch: publish(container, own, { state, runs }), ...result };
    own.abort();
    return { epoch: state.view.epoch, ...result };
  } catch (error) {
    own.abort();
    throw error;
  }
}
