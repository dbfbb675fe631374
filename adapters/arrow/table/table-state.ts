/**
 * A table at one version: its header and its parts.
 *
 * @module
 */

import { type ContainerView, DaosError, type ObjectId } from "../../../core/index.js";
import { type Inode, lookup, notFound } from "../../dfs/index.js";
import { PARTS_CACHED_MAX } from "../limits.js";
import { PartReader } from "./part-reader.js";
import {
  DELETED_AKEY,
  decodeDeleted,
  decodeHeader,
  decodePart,
  PART_AKEY,
  type PartEntry,
  TABLE_AKEY,
  TABLE_DKEY,
  type TableHeader,
} from "./table-format.js";

/** What a version knows of a table. */
export interface TableState {
  readonly path: string;
  readonly view: ContainerView;
  readonly oid: ObjectId;
  readonly header: TableHeader;
  /** In the order in which they were appended. */
  readonly parts: readonly PartEntry[];
  readonly numRows: number;
  /** The contents of parts, by their objects, which never change. */
  readonly readers: Map<ObjectId, PartReader>;
}

/** The header of a directory; `undefined` if it is no table. */
export function headerAt(view: ContainerView, { kind, oid }: Inode, path: string) {
  if (kind !== "directory") return undefined;
  const value = view.getValue(oid, TABLE_DKEY, TABLE_AKEY);
  return value && decodeHeader(value, path);
}

/** The parts of a table. */
export function listParts(view: ContainerView, oid: ObjectId): PartEntry[] {
  const entries = view.listValues(oid, { akey: PART_AKEY });
  return entries.map(({ dkey, value }) => decodePart(dkey, value));
}

/** The rows of parts that were not deleted. */
export function countRows(parts: readonly PartEntry[]): number {
  return parts.reduce((sum, { rows, deletedRows }) => sum + rows - deletedRows, 0);
}

/**
 * Reads what a version knows of a table.
 *
 * @throws `DaosError` `DER_NONEXIST`; `DER_INVAL` if the path leads to something else.
 */
export function readState(
  view: ContainerView,
  path: string,
  readers: Map<ObjectId, PartReader>,
): TableState {
  const inode = lookup({ view }, path);
  if (inode === undefined) throw notFound(path, "Opening table");
  const header = headerAt(view, inode, path);
  if (header === undefined) {
    const text = { what: `Opening table "${path}"`, why: `it is a ${inode.kind}, not a table` };
    throw new DaosError("DER_INVAL", { ...text, remedy: "correct the path" }, { path });
  }
  const parts = listParts(view, inode.oid);
  return { path, view, oid: inode.oid, header, parts, numRows: countRows(parts), readers };
}

/** The contents of a part. */
export function readerOf({ view, readers }: TableState, { oid }: PartEntry): PartReader {
  let reader = readers.get(oid);
  if (reader === undefined) {
    if (readers.size >= PARTS_CACHED_MAX) readers.clear();
    reader = new PartReader(view, oid);
    readers.set(oid, reader);
  }
  return reader;
}

/** The deleted rows of a part, as bits; `undefined` if there are none. */
export function deletedOf({ view, oid }: TableState, part: PartEntry): Uint8Array | undefined {
  if (part.deletedRows === 0) return undefined;
  const value = view.getValue(oid, part.name, DELETED_AKEY);
  return value && decodeDeleted(value);
}
