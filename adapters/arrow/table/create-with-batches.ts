/**
 * Creates a table with rows in it, at one epoch.
 *
 * As in an append, the data goes to the writer's own log first; names and header are a second, small transaction, and
 * both are published as one.
 *
 * @module
 */

import type { RecordBatch } from "apache-arrow";
import type { Epoch, Transaction } from "../../../core/index.js";
import { create, lookup, remove } from "../../dfs/index.js";
import { type AppendTarget, type NewPart, publishNamed, putParts, writeParts } from "./append.js";
import { encodeHeader, TABLE_AKEY, TABLE_DKEY, type TableHeader } from "./table-format.js";
import { readState } from "./table-state.js";

/** The table to create. */
export interface NewTable extends Omit<AppendTarget, "state"> {
  readonly path: string;
  /** Dictionaries of its schema are numbered one by one. */
  readonly header: TableHeader;
  /** Whether a table that is there is replaced. */
  readonly replace: boolean;
}

/** The names of a table and its parts, in a transaction of their own. */
function nameTable(target: NewTable, parts: readonly NewPart[]): Transaction {
  const { container, path, header, replace } = target;
  const own = container.begin();
  try {
    using view = container.view();
    const scope = { view, own };
    if (replace && lookup({ view }, path) !== undefined) {
      readState(view, path, new Map());
      remove(scope, path, { recursive: true });
    }
    const { oid } = create(container, scope, { path, kind: "directory" });
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
 * @returns The epoch at which they are visible.
 * @throws `DaosError` `DER_EXIST` if the name is taken, at once or meanwhile.
 */
export async function createWithBatches(
  target: NewTable,
  batches: AsyncIterable<RecordBatch>,
): Promise<Epoch> {
  const { container, path, header, codec } = target;
  // A path that would be refused is told before anything is read or written.
  nameTable(target, []).abort();
  const own = container.begin();
  try {
    using view = container.view();
    const written = { container, state: { path, view, header }, codec };
    const parts = await writeParts(written, own, batches);
    return publishNamed(written, own, () => nameTable(target, parts));
  } catch (error) {
    own.abort();
    throw error;
  }
}
