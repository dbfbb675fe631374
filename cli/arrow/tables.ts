/**
 * Tables as users name them: daos://<pool>/<container>/<table>, at a version.
 *
 * @module
 */

import { Table } from "daos-ts/arrow";
import { Pool } from "../../core/index.js";
import { findContainer, openView, type VersionOptions } from "../container/open.js";
import type { Address } from "../location.js";
import type { Operand } from "../verb.js";

/** The table of most verbs. */
export const tableOperand: Operand = {
  name: "table",
  kind: "address",
  description: "daos://<pool>/<container>/<table>",
};

/** An open table; closing it closes the pool that it is in. */
export interface OpenedTable extends Disposable {
  readonly table: Table;
  /** How it is called in answers. */
  readonly display: string;
}

/** How a table is called in answers. */
export function displayOf({ pool, container, path }: Address): string {
  return `daos://${pool}/${container}/${path}`;
}

/** Opens a table for reading. */
export async function openTable(
  address: Address,
  version: VersionOptions = {},
): Promise<OpenedTable> {
  const pool = Pool.connect(address.pool, { mode: "ro" });
  try {
    const container = findContainer(pool, address.container ?? "");
    using view = openView(container, version);
    const table = await Table.open(container, address.path, { epoch: view.epoch });
    const close = () => {
      table.close();
      pool.close();
    };
    return { table, display: displayOf(address), [Symbol.dispose]: close };
  } catch (error) {
    pool.close();
    throw error;
  }
}
