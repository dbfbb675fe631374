/**
 * What a commit finds changed: each kind of read, and each kind of change that matters to it or does not.
 */

import { describe, expect, test } from "@jest/globals";
import { type Container, type ContainerView, isDaosError, Pattern, wholeOf } from "daos-ts";
import {
  A,
  bytes,
  newContainer,
  OID,
  OTHER,
  put,
  range,
  records,
  V,
  type Writes,
  write,
} from "../support/transaction-container.ts";

const readRecords = (dkey: string, index: number, count: number) => (view: ContainerView) => {
  const into = new Uint8Array(count);
  view.fetch(OID, bytes(dkey), [{ akey: V, ranges: [{ index, count }], into }]);
  return into;
};
/** Whether a transaction that read something conflicts with a commit that came in between. */
function conflicts(
  read: (view: ContainerView) => unknown,
  change: Writes,
  { before = [], between }: { before?: Writes[]; between?: (container: Container) => void } = {},
): boolean {
  const container = newContainer(1);
  container.update(put("churn", "s", 98n));
  for (const writes of before) container.update(writes);
  using transaction = container.beginTransaction();
  read(transaction.view);
  transaction.put({ oid: OTHER, dkey: A, akey: A, value: A, condition: "none" });
  container.update(change);
  between?.(container);
  const commits = container.commits().length;
  try {
    transaction.commit();
    return false;
  } catch (error) {
    expect(isDaosError(error, "DER_TX_RESTART")).toBe(true);
    using view = container.view();
    expect(view.getValue(OTHER, A, A)).toBeUndefined();
    expect(container.commits().length).toBe(commits);
    return true;
  }
}

/** Commits and aggregates, so that the lists of changes are forgotten. */
function churn(container: Container): void {
  for (let round = 0; round < 4; round++) container.update(put("churn", `${round}`, 98n));
  container.aggregate();
}

type Case = [string, (view: ContainerView) => unknown, Writes, Writes[], boolean];
const value = (dkey: string) => (view: ContainerView) => view.getValue(OID, bytes(dkey), A);
const dkeys = (view: ContainerView) => view.listDkeys(OID);
const long = "long".repeat(100);
/** A value that lies in the log. */
const LONG = "L".repeat(5000);
const size = (view: ContainerView) => view.valueSize(OID, bytes("k"), A);
const fetchLong = (view: ContainerView) =>
  view.fetch(OID, bytes("k"), [{ akey: A, into: new Uint8Array(5000) }]);
const CASES: Case[] = [
  ["a value, and it is replaced", value("k"), put("k", "2"), [put("k", "1")], true],
  ["a value, and it is punched", value("k"), put("k", ""), [put("k", "1")], true],
  [
    "a value, and its dkey is punched",
    value("k"),
    (own) => own.punchDkey(OID, bytes("k")),
    [put("k")],
    true,
  ],
  ["a value, and its object is punched", value("k"), (own) => own.punch(OID), [put("k")], true],
  ["that there is no value, and it is put", value("k"), put("k"), [], true],
  ["a long value, and it is replaced", value("k"), put("k", LONG), [put("k", LONG)], true],
  ["a long value, and a short one comes", value("k"), put("k"), [put("k", LONG)], true],
  ["a value, and a long one comes", value("k"), put("k", LONG), [put("k")], true],
  ["the size of a long value, and it is replaced", size, put("k", LONG), [put("k", LONG)], true],
  ["a long value in buffers, and it is punched", fetchLong, put("k", ""), [put("k", LONG)], true],
  ["a long value, and another comes", fetchLong, put("l", LONG), [put("k", LONG)], false],
  ["that there is no value under a long key, and it is put", value(long), put(long), [], true],
  ["a value, and another dkey is changed", value("k"), put("l"), [put("k")], false],
  ["a value, and another akey is changed", value("k"), put("k", "x", OID, V), [put("k")], false],
  ["a value, and another object is changed", value("k"), put("k", "x", 3n), [put("k")], false],
  [
    "a value, and another dkey is punched",
    value("k"),
    (own) => own.punchDkey(OID, bytes("l")),
    [put("k"), put("l")],
    false,
  ],
  [
    "that an object exists, and it is punched",
    (view) => view.exists(OID),
    (own) => own.punch(OID),
    [put("k")],
    true,
  ],
  [
    "that an object exists, and it is changed",
    (view) => view.exists(OID),
    put("l"),
    [put("k")],
    false,
  ],
  [
    "that there is no object, and bytes are written",
    (view) => view.exists(OID),
    write(0, "x"),
    [],
    true,
  ],
  [
    "that there is no dkey, and records are",
    (view) => view.exists(OID, bytes("k")),
    records("k", 0, "x"),
    [],
    true,
  ],
  [
    "that a dkey exists, and its last akey is punched",
    (view) => view.exists(OID, bytes("k")),
    put("k", ""),
    [put("k")],
    true,
  ],
  ["a list of dkeys, and one comes", dkeys, put("m"), [put("k"), put("z")], true],
  ["a list of dkeys, and one goes", dkeys, put("k", ""), [put("k"), put("z")], true],
  ["a list of dkeys, and a value is replaced", dkeys, put("k", "2"), [put("k")], false],
  ["a list of dkeys, and a second akey comes", dkeys, put("k", "2", OID, V), [put("k")], false],
  ["an empty list of dkeys, and one comes", dkeys, put("k"), [], true],
  [
    "the first two dkeys, and one comes behind the third",
    (view) => view.listDkeys(OID, { limit: 2 }),
    put("x"),
    [put("a"), put("b"), put("c")],
    false,
  ],
  [
    "the first two dkeys, and one comes between them",
    (view) => view.listDkeys(OID, { limit: 2 }),
    put("ab"),
    [put("a"), put("b"), put("c")],
    true,
  ],
  [
    "the first two dkeys, and the third goes",
    (view) => view.listDkeys(OID, { limit: 2 }),
    put("c", ""),
    [put("a"), put("b"), put("c")],
    true,
  ],
  [
    "a list with a long dkey, and another long one comes",
    dkeys,
    put(`${long}2`),
    [put(long)],
    true,
  ],
  [
    "a list of akeys, and one comes",
    (view) => view.listAkeys(OID, bytes("k")),
    put("k", "x", OID, V),
    [put("k")],
    true,
  ],
  [
    "a list of akeys, and one of another dkey comes",
    (view) => view.listAkeys(OID, bytes("k")),
    put("l", "x", OID, V),
    [put("k")],
    false,
  ],
  [
    "a list of akeys, and the dkey is punched",
    (view) => view.listAkeys(OID, bytes("k")),
    (own) => own.punchDkey(OID, bytes("k")),
    [put("k")],
    true,
  ],
  [
    "a list of values, and one is replaced",
    (view) => view.listValues(OID, { akey: A }),
    put("k", "2"),
    [put("k")],
    true,
  ],
  [
    "a list of values, and one of another akey is",
    (view) => view.listValues(OID, { akey: A }),
    put("k", "2", OID, V),
    [put("k")],
    false,
  ],
  [
    "a list of values, and a dkey is punched",
    (view) => view.listValues(OID, { akey: A }),
    (own) => own.punchDkey(OID, bytes("k")),
    [put("k")],
    true,
  ],
  [
    "a list of objects, and one comes",
    (view) => view.listObjects(),
    put("k", "x", 5n),
    [put("k")],
    true,
  ],
  [
    "a list of objects, and one is changed",
    (view) => view.listObjects(),
    put("l"),
    [put("k")],
    false,
  ],
  [
    "a list of objects, and an array is made",
    (view) => view.listObjects(),
    write(0, "x"),
    [],
    true,
  ],
  [
    "the last dkey, and a larger one comes",
    (view) => view.queryDkey(OID, "max"),
    put("z"),
    [put("k")],
    true,
  ],
  [
    "the last dkey, and a smaller one comes",
    (view) => view.queryDkey(OID, "max"),
    put("a"),
    [put("k")],
    false,
  ],
  [
    "the first dkey, and a smaller one comes",
    (view) => view.queryDkey(OID, "min"),
    put("a"),
    [put("k")],
    true,
  ],
  [
    "the first dkey, and a larger one comes",
    (view) => view.queryDkey(OID, "min"),
    put("z"),
    [put("k")],
    false,
  ],
  [
    "the last akey, and a larger one comes",
    (view) => view.queryAkey(OID, bytes("k"), "max"),
    put("k", "x", OID, V),
    [put("k")],
    true,
  ],
  [
    "bytes, and some of them are written",
    (view) => view.readBytes(OID, 2, 6),
    write(5, "xx"),
    [write(0, "0123456789")],
    true,
  ],
  [
    "bytes, and others are written",
    (view) => view.readBytes(OID, 2, 6),
    write(6, "xx"),
    [write(0, "0123456789")],
    false,
  ],
  [
    "bytes, and some are punched",
    (view) => view.readBytes(OID, 2, 6),
    (own) => own.punchRange(OID, range(0, 3)),
    [write(0, "0123456789")],
    true,
  ],
  [
    "bytes, and the object is punched",
    (view) => view.readBytes(OID, 2, 6),
    (own) => own.punch(OID),
    [write(0, "0123456789")],
    true,
  ],
  [
    "bytes that were never written, and they are",
    (view) => view.readBytes(OID, 2, 6),
    write(4, "x"),
    [],
    true,
  ],
  [
    "every fourth byte, and the others are written",
    (view) =>
      view.readArray(
        OID,
        wholeOf(new Pattern({ start: 0, blockLength: 1, levels: [{ stride: 4, count: 100 }] })),
        new Uint8Array(100),
      ),
    (own) =>
      own.write(
        OID,
        wholeOf(new Pattern({ start: 1, blockLength: 3, levels: [{ stride: 4, count: 100 }] })),
        new Uint8Array(300),
      ),
    [],
    false,
  ],
  [
    "every fourth byte, and one of them is written",
    (view) =>
      view.readArray(
        OID,
        wholeOf(new Pattern({ start: 0, blockLength: 1, levels: [{ stride: 4, count: 100 }] })),
        new Uint8Array(100),
      ),
    write(40, "x"),
    [],
    true,
  ],
  [
    "the size, and it grows",
    (view) => view.arraySize(OID),
    write(10, "x"),
    [write(0, "0123456789")],
    true,
  ],
  [
    "the size, and bytes before the end are written",
    (view) => view.arraySize(OID),
    write(3, "x"),
    [write(0, "0123456789")],
    false,
  ],
  [
    "the size, and the end is punched",
    (view) => view.arraySize(OID),
    (own) => own.punchRange(OID, range(8, 10)),
    [write(0, "0123456789")],
    true,
  ],
  [
    "what was written, and more is",
    (view) => view.writtenRanges(OID, { start: 0, end: 20 }),
    write(15, "x"),
    [write(0, "0123456789")],
    true,
  ],
  [
    "records, and some of them are written",
    readRecords("k", 2, 4),
    records("k", 5, "xx"),
    [records("k", 0, "0123456789")],
    true,
  ],
  [
    "records, and others are written",
    readRecords("k", 2, 4),
    records("k", 6, "xx"),
    [records("k", 0, "0123456789")],
    false,
  ],
  [
    "that there are no records, and they come",
    readRecords("k", 2, 4),
    records("k", 900, "xx"),
    [],
    true,
  ],
  [
    "records, and the akey is punched",
    readRecords("k", 2, 4),
    (own) => own.punchAkey(OID, bytes("k"), V),
    [records("k", 0, "0123456789")],
    true,
  ],
  [
    "a list of records, and more come",
    (view) => view.listRecords(OID, bytes("k"), V),
    records("k", 2n ** 60n, "x"),
    [records("k", 0, "01")],
    true,
  ],
  [
    "the last record, and one comes behind it",
    (view) => view.queryRecord(OID, bytes("k"), V, "max"),
    records("k", 7, "x"),
    [records("k", 0, "01")],
    true,
  ],
  ["nothing, and everything changes", () => undefined, (own) => own.punch(OID), [put("k")], false],
];

describe("T2: a transaction that reads", () => {
  test.each(CASES)("%s", (_name, read, change, before, expected) => {
    expect(conflicts(read, change, { before })).toBe(expected);
    // The same when the lists of changes are gone, and what was merged is newer.
    expect(conflicts(read, change, { before, between: churn })).toBe(expected);
  });
});
