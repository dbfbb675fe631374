/**
 * Creates a table with rows in it, at one epoch.
 *
 * As in an append, the data goes to the writer's own log first; names and header are a second, small transaction, and
 * both are published as one.
 *
 * @module
 */

import type { RecordBatch } from "apache-arrow";
import type { Transaction } from "../../../core/index.js";
import { create, lookup, remove } from "../../dfs/index.js";
import { type NewPart, nameOf, type PartTarget, putPart, writeParts } from "./append.js";
import { encodeHeader, TABLE_AKEY, TABLE_DKEY, type TableHeader } from "./table-format.js";
import { readState } from "./table-state.js";

/** The table to create. */
export interface NewTable extends Omit<PartTarget, "state"> {
  readonly path: string;
  /** Dictionaries of its schema are numbered one by one. */
  readonly header: TableHeader;
  /** Whether a table that is there is replaced. */
  readonly replace: boolean;
}

/** Refuses a path before anything is read that would be refused when all was. */
function checkPlace({ container, path, replace }: NewTable): void {
  using view = container.view();
  const inode = lookup({ view }, path);
  if (inode === undefined) return;
  if (replace) {
    readState(view, path, new Map());
    return;
  }
  const own = container.begin();
  try {
    create(container, { view, own }, { path, kind: "directory" });
  } finally {
    own.abort();
  }
}

function putTable(target: NewTable, names: Transaction, parts: readonly NewPart[]): void {
  const { container, path, header, replace } = target;
  using view = container.view();
  const scope = { view, own: names };
  if (replace && lookup({ view }, path) !== undefined) {
    readState(view, path, new Map());
    remove(scope, path, { recursive: true });
  }
  const { oid } = create(container, scope, { path, kind: "directory" });
  const place = { oid, dkey: TABLE_DKEY, akey: TABLE_AKEY };
  names.put({ ...place, value: encodeHeader(header), condition: "insert" });
  for (const [index, part] of parts.entries()) {
    putPart(names, { parent: oid, name: nameOf(index + 1) }, part, "insert");
  }
}

/** Creates a table with rows; see `Table.createFrom`. */
export async function createWithBatches(
  target: NewTable,
  batches: AsyncIterable<RecordBatch>,
): Promise<void> {
  checkPlace(target);
  const { container, path, header, codec } = target;
  const own = container.begin();
  const names = container.begin();
  using view = container.view();
  try {
    const parts = await writeParts(
      { container, state: { path, view, header }, codec },
      own,
      batches,
    );
    putTable(target, names, parts);
    container.publish([own.prepare(), names.prepare()], container.newTransactionId());
    names.settle();
    own.settle();
  } catch (error) {
    names.abort();
    own.abort();
    throw error;
  }
}
