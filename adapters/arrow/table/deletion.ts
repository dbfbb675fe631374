/**
 * Deletes rows of a table: marks them beside their part, which stays as it is.
 *
 * @module
 */

import { type Container, type ContainerTransaction, DaosError } from "../../../core/index.js";
import type { Predicate } from "./predicate.js";
import { bindScan, foundRows } from "./scan.js";
import {
  DELETED_AKEY,
  encodeDeleted,
  encodePart,
  PART_AKEY,
  type PartEntry,
} from "./table-format.js";
import { deletedOf, type TableState } from "./table-state.js";

function newBits(known: Uint8Array | undefined, rows: number): Uint8Array {
  const bits = new Uint8Array((rows + 7) >> 3);
  if (known !== undefined) bits.set(known);
  return bits;
}

function countBits(bits: Uint8Array): number {
  let count = 0;
  for (let byte of bits) for (; byte !== 0; byte &= byte - 1) count += 1;
  return count;
}

/** Stores which rows are deleted, if nobody else changed the same parts. */
function commitDeleted(
  container: Container,
  { oid, path, view }: TableState,
  deleted: ReadonlyMap<PartEntry, Uint8Array>,
): void {
  container.runTransaction((scope: Pick<ContainerTransaction, "view" | "own">) => {
    for (const [part, bits] of deleted) {
      const place = { oid, dkey: part.name };
      const before = view.getValue(oid, part.name, PART_AKEY) as Uint8Array;
      const now = scope.view.getValue(oid, part.name, PART_AKEY);
      if (now === undefined || Buffer.compare(before, now) !== 0) {
        const why = "another writer changed the same rows";
        const text = { what: `Deleting rows of table "${path}"`, why, remedy: "delete again" };
        throw new DaosError("DER_TX_RESTART", text, { path });
      }
      const value = encodePart({ ...part, deletedRows: countBits(bits) });
      scope.own.put({ ...place, akey: PART_AKEY, value, condition: "update" });
      const rows = encodeDeleted(bits);
      scope.own.put({ ...place, akey: DELETED_AKEY, value: rows, condition: "none" });
    }
  });
}

/**
 * Deletes the rows of a version that match.
 *
 * @returns How many.
 */
export async function deleteMatching(
  container: Container,
  state: TableState,
  where: Predicate,
): Promise<number> {
  const deleted = new Map<PartEntry, Uint8Array>();
  let count = 0;
  for await (const { part, firstRow, batch, rows } of foundRows(
    state,
    bindScan(state, { where }),
  )) {
    const bits = deleted.get(part) ?? newBits(deletedOf(state, part), part.rows);
    deleted.set(part, bits);
    const found = rows ?? Int32Array.from({ length: batch.rows }, (_, row) => row);
    for (const row of found) {
      const bit = firstRow + row;
      bits[bit >> 3] = (bits[bit >> 3] as number) | (1 << (bit & 7));
    }
    count += found.length;
  }
  if (count > 0) commitDeleted(container, state, deleted);
  return count;
}
