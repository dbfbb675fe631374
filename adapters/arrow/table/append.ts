/**
 * Appends batches to a table, all of them at one epoch or none.
 *
 * The data goes to the writer's own log as it comes. Its place in the table, behind the last part, is asked for in a
 * second, small transaction, and both are published as one: where another writer took the place first, only the small
 * one is made again.
 *
 * @module
 */

import type { RecordBatch } from "apache-arrow";
import {
  type Container,
  DaosError,
  type Epoch,
  isDaosError,
  type ObjectId,
  type Transaction,
} from "../../../core/index.js";
import { type Inode, newInode, notFound, putInode } from "../../dfs/index.js";
import type { BufferCodec } from "../ipc/body.js";
import { APPEND_ATTEMPTS_MAX } from "../limits.js";
import { PartWriter } from "./part-writer.js";
import { columnsFor, storedRows } from "./table-batches.js";
import { encodePart, PART_AKEY, TABLE_AKEY, TABLE_DKEY } from "./table-format.js";
import type { TableState } from "./table-state.js";

/** What is appended to. */
export interface AppendTarget {
  readonly container: Container;
  readonly state: Pick<TableState, "path" | "view" | "header">;
  readonly codec: BufferCodec | undefined;
}

/** A table that is there already. */
export interface KnownTarget extends AppendTarget {
  readonly state: TableState;
}

/** A part that was written, but has no name yet. */
export interface NewPart {
  readonly inode: Inode;
  readonly rows: number;
}

/** Digits of a part's number, so that names are in the order of numbers. */
const NAME_DIGITS = 12;

/** The name of a part by its number. */
export function nameOf(number: number): Uint8Array {
  return Buffer.from(`${String(number).padStart(NAME_DIGITS, "0")}.arrow`);
}

/** Writes the parts that batches make. */
export async function writeParts(
  { container, state, codec }: AppendTarget,
  own: Transaction,
  batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>,
): Promise<NewPart[]> {
  const { schema, columnIds } = state.header;
  const parts: NewPart[] = [];
  let writer: PartWriter | undefined;
  let inode: Inode | undefined;
  const finish = () => {
    if (writer === undefined || inode === undefined) return;
    writer.finish();
    parts.push({ inode, rows: writer.rows });
    writer = undefined;
  };
  const begin = () => {
    inode = newInode(container, state, { kind: "file" });
    return new PartWriter({ own, oid: inode.oid, schema, columnIds, codec });
  };
  for await (const batch of batches) {
    if (batch.numRows === 0) continue;
    const columns = columnsFor(schema, batch, state.path);
    const step = storedRows(batch);
    for (let row = 0; row < batch.numRows; row += step) {
      const rows = Math.min(step, batch.numRows - row);
      const part = rows === batch.numRows ? columns : columns.map((data) => data.slice(row, rows));
      writer ??= begin();
      if (writer.add(part, rows)) continue;
      finish();
      writer = begin();
      writer.add(part, rows);
    }
  }
  finish();
  return parts;
}

/** The number of the next part, at a version. */
function nextNumber(last: Uint8Array | undefined): number {
  const digits = last === undefined ? "" : Buffer.from(last).toString().slice(0, NAME_DIGITS);
  return /^\d+$/.test(digits) ? Number(digits) + 1 : 1;
}

/** Names parts in a table's directory, from a number on. */
export function putParts(
  names: Transaction,
  oid: ObjectId,
  first: number,
  parts: readonly NewPart[],
): void {
  for (const [index, { inode, rows }] of parts.entries()) {
    const name = nameOf(first + index);
    putInode(names, { parent: oid, name }, inode, "insert");
    const value = encodePart({ oid: inode.oid, rows, deletedRows: 0 });
    names.put({ oid, dkey: name, akey: PART_AKEY, value, condition: "insert" });
  }
}

/** Names parts behind the last one, in a transaction of their own. */
function nameParts(
  container: Container,
  { path, oid }: KnownTarget["state"],
  parts: readonly NewPart[],
) {
  const names = container.begin();
  try {
    using view = container.view();
    if (view.getValue(oid, TABLE_DKEY, TABLE_AKEY) === undefined) {
      throw notFound(path, "Appending to table");
    }
    // Nothing is changed here, but the commit fails if the table is gone by then.
    names.update(oid, TABLE_DKEY, [], { condition: "update" });
    putParts(names, oid, nextNumber(view.queryDkey(oid, "max")), parts);
    return names;
  } catch (error) {
    names.abort();
    throw error;
  }
}

/**
 * Publishes the data of parts and their names as one commit.
 *
 * @param name Puts the names in a transaction of their own; called again where another writer was faster.
 */
export function publishNamed(
  { container, state }: AppendTarget,
  own: Transaction,
  name: () => Transaction,
): Epoch {
  const data = own.prepare();
  for (let attempt = 0; attempt < APPEND_ATTEMPTS_MAX; attempt++) {
    const names = name();
    try {
      const id = container.newTransactionId();
      const { epoch } = container.publish([data, names.prepare()], id);
      names.settle();
      own.settle();
      return epoch;
    } catch (error) {
      names.abort();
      if (!isDaosError(error, "DER_EXIST")) throw error;
    }
  }
  const why = `others took its place ${APPEND_ATTEMPTS_MAX} times`;
  const text = { what: `Appending to table "${state.path}"`, why, remedy: "append larger batches" };
  throw new DaosError("DER_TX_RESTART", text);
}

/** Appends batches; see `Table.append`. */
export async function appendBatches(
  target: KnownTarget,
  batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>,
): Promise<Epoch> {
  const { container, state } = target;
  const own = container.begin();
  try {
    const parts = await writeParts(target, own, batches);
    if (parts.length > 0) {
      return publishNamed(target, own, () => nameParts(container, state, parts));
    }
    own.abort();
    return state.view.epoch;
  } catch (error) {
    own.abort();
    throw error;
  }
}
