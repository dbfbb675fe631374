/**
 * A container of a test of transactions, and what is written to it.
 *
 * @module
 */

import { join } from "node:path";
import { afterEach, expect } from "@jest/globals";
import { type Container, Pattern, Pool, type TransactionScope, wholeOf } from "daos-ts";
import { temporaryDirectory } from "../../support/temporary.ts";

export const OID = 1n;
export const OTHER = 2n;
export const bytes = (text: string) => Buffer.from(text);
export const A = bytes("a");
export const V = bytes("v");
export const range = (start: number, end: number) => wholeOf(Pattern.contiguous(start, end));
export const code = (expected: string) =>
  expect.objectContaining({ name: "DaosError", code: expected });

export const pools: Pool[] = [];
afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

/** A container in a pool that lives as long as the running test. */
export function newContainer(retainCommits = 2): Container {
  const pool = Pool.create({ path: join(temporaryDirectory(), "p"), durability: "process" });
  pools.push(pool);
  return pool.createContainer("c", { retainCommits });
}

/** Writes of a transaction. */
export type Writes = (own: TransactionScope["own"]) => void;
export const put =
  (dkey: string, value: string | undefined = "x", oid = OID, akey: Uint8Array = A): Writes =>
  (own) =>
    own.put({
      oid,
      dkey: bytes(dkey),
      akey,
      value: value === "" ? undefined : bytes(value),
      condition: "none",
    });
export const write =
  (start: number, text: string): Writes =>
  (own) =>
    own.write(OID, range(start, start + text.length), bytes(text));
export const records =
  (dkey: string, index: number | bigint, text: string): Writes =>
  (own) =>
    own.update(OID, bytes(dkey), [
      { akey: V, recordSize: 1, ranges: [{ index, count: text.length }], data: bytes(text) },
    ]);
export const names = (keys: readonly Uint8Array[]) =>
  keys.map((key) => Buffer.from(key).toString());
