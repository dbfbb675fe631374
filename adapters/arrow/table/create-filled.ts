/**
 * Creates a table with rows in it: both at one epoch, or nothing.
 *
 * @module
 */

import type { RecordBatch } from "apache-arrow";
import type { Container, Epoch, Transaction } from "../../../core/index.js";
import { create } from "../../dfs/index.js";
import { type NewPart, publishNamed, putParts, writeParts } from "./append.js";
import type { BufferCodec } from "./part-writer.js";
import { encodeHeader, TABLE_AKEY, TABLE_DKEY, type TableHeader } from "./table-format.js";

/** A table that is to be. */
export interface NewTable {
  readonly container: Container;
  readonly path: string;
  /** Its dictionaries are numbered one by one. */
  readonly header: TableHeader;
  readonly codec: BufferCodec | undefined;
}

/** The names of a table and its parts, in a transaction of their own. */
function nameTable({ container, path, header }: NewTable, parts: readonly NewPart[]): Transaction {
  const own = container.begin();
  try {
    using view = container.view();
    const { oid } = create(container, { view, own }, { path, kind: "directory" });
    const value = encodeHeader(header);
    own.put({ oid, dkey: TABLE_DKEY, akey: TABLE_AKEY, value, condition: "insert" });
    putParts(own, oid, 1, parts);
    return own;
  } catch (error) {
    own.abort();
    throw error;
  }
}

/**
 * Creates a table with rows; see `Table.createFrom`.
 *
 * @throws `DaosError` `DER_EXIST` if the name is taken, at once or meanwhile.
 */
export async function createFilled(
  table: NewTable,
  batches: Iterable<RecordBatch> | AsyncIterable<RecordBatch>,
): Promise<Epoch> {
  const { container, path, header, codec } = table;
  // A name that is taken is told before anything is written.
  nameTable(table, []).abort();
  const own = container.begin();
  try {
    using view = container.view();
    const target = { container, state: { path, view, header }, codec };
    const parts = await writeParts(target, own, batches);
    return publishNamed(target, own, () => nameTable(table, parts));
  } catch (error) {
    own.abort();
    throw error;
  }
}
