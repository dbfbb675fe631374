/**
 * Property: what a transaction sees of itself before its commit is what everybody sees after it.
 *
 * Method: a random committed state, then random changes in one transaction; after some of them everything
 * is read through the transaction's view, and once more through a plain view of its commit. The domain is
 * small, with keys on both sides of the border of long ones, so that changes meet.
 */

import { expect, test } from "@jest/globals";
import type { Container, ContainerView, Transaction } from "daos-ts";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { bytes, newContainer, range } from "../support/transaction-container.ts";

const long = (end: string) => "k".repeat(256) + end;
const OIDS = [1n, 2n];
const DKEYS = ["a", "b\0", "b", long("1"), long("2")];
const AKEYS = ["a", "v", long("v")];
const SIZE = 12;
const FAR = 2 ** 40;

interface Change {
  readonly kind: string;
  readonly oid: bigint;
  readonly dkey: string;
  readonly akey: string;
  readonly at: number;
  readonly count: number;
  readonly tag: number;
}

const changes = fc.array(
  fc.record<Change>({
    kind: fc.constantFrom(
      "put",
      "put",
      "punchAkey",
      "punchDkey",
      "punch",
      "write",
      "hole",
      "records",
    ),
    oid: fc.constantFrom(...OIDS),
    dkey: fc.constantFrom(...DKEYS),
    akey: fc.constantFrom(...AKEYS),
    at: fc.nat(SIZE - 1),
    count: fc.integer({ min: 1, max: 4 }),
    tag: fc.integer({ min: 1, max: 255 }),
  }),
  { maxLength: 14 },
);

/** Single values are put under the first akey only and records under the others: kinds do not mix. */
function apply(own: Transaction, { kind, oid, dkey, akey, at, count, tag }: Change): void {
  const key = bytes(dkey);
  const isValue = akey === "a";
  const data = new Uint8Array(count).fill(tag);
  if (kind === "put" || (kind === "records" && isValue)) {
    own.put({ oid, dkey: key, akey: bytes("a"), value: data, condition: "none" });
  } else if (kind === "records") {
    const index = at % 3 === 0 ? FAR + at : at;
    const update = { akey: bytes(akey), recordSize: 2, ranges: [{ index, count }] };
    const filled = tag % 5 === 0 ? undefined : new Uint8Array(2 * count).fill(tag);
    own.update(oid, key, [{ ...update, data: filled }]);
  } else if (kind === "punchAkey") own.punchAkey(oid, key, bytes(akey));
  else if (kind === "punchDkey") own.punchDkey(oid, key);
  else if (kind === "punch") own.punch(oid);
  else if (kind === "write") own.write(oid, range(at, at + count), data);
  else own.punchRange(oid, range(at, at + count));
}

const hex = (key: Uint8Array | undefined) => key && Buffer.from(key).toString("latin1");

/** All keys of a list that is read in parts. */
function inParts<Key>(
  list: (options: { limit: number; anchor?: Uint8Array }) => {
    keys: Key[];
    anchor: Uint8Array | undefined;
  },
): Key[] {
  const all: Key[] = [];
  let anchor: Uint8Array | undefined;
  do {
    const part = list({ limit: 2, ...(anchor && { anchor }) });
    all.push(...part.keys);
    anchor = part.anchor;
  } while (anchor !== undefined);
  return all;
}

function showKeys(view: ContainerView, oid: bigint, dkey: Uint8Array): unknown {
  const akeys = AKEYS.map((name) => {
    const akey = bytes(name);
    if (name === "a") return hex(view.getValue(oid, dkey, akey));
    const into = new Uint8Array(2 * SIZE);
    const ranges = [{ index: 0, count: SIZE }];
    const [fetched] = view.fetch(oid, dkey, [{ akey, ranges, into, map: true }]);
    return [
      fetched,
      hex(into),
      view.listRecords(oid, dkey, akey),
      view.listRecords(oid, dkey, akey, { reverse: true, limit: 1 }).ranges,
      view.queryRecord(oid, dkey, akey, "min"),
      view.queryRecord(oid, dkey, akey, "max"),
    ];
  });
  return [
    view.exists(oid, dkey),
    view.listAkeys(oid, dkey).keys.map(hex),
    inParts((options) => view.listAkeys(oid, dkey, options)).map(hex),
    hex(view.queryAkey(oid, dkey, "min")),
    hex(view.queryAkey(oid, dkey, "max")),
    akeys,
  ];
}

function show(view: ContainerView): unknown {
  const objects = OIDS.map((oid) => [
    view.exists(oid),
    view.listDkeys(oid).keys.map(hex),
    inParts((options) => view.listDkeys(oid, options)).map(hex),
    view
      .splitDkeys(oid, 3)
      .flatMap((anchor) => view.listDkeys(oid, { anchor }).keys)
      .map(hex),
    hex(view.queryDkey(oid, "min")),
    hex(view.queryDkey(oid, "max")),
    view.listValues(oid, { akey: bytes("a") }).map(({ dkey, value }) => [hex(dkey), hex(value)]),
    view
      .listValues(oid, { akey: bytes("a"), after: bytes("a"), limit: 1 })
      .map(({ dkey }) => hex(dkey)),
    view.arraySize(oid),
    hex(view.readBytes(oid, 0, SIZE + 4)),
    view.writtenRanges(oid, { start: 0, end: SIZE + 4 }),
    DKEYS.map((dkey) => showKeys(view, oid, bytes(dkey))),
  ]);
  return [view.listObjects().keys, inParts((options) => view.listObjects(options)), objects];
}

function commitAndCompare(container: Container, made: readonly Change[], looksAt: number): void {
  const transaction = container.beginTransaction();
  for (const [index, change] of made.entries()) {
    apply(transaction.own, change);
    if (index % looksAt === 0) show(transaction.view);
  }
  const seen = show(transaction.view);
  const epoch = transaction.commit();
  using view = container.view(epoch);
  expect(seen).toEqual(show(view));
}

test("T2: a transaction sees its own writes as everybody sees them after its commit", () => {
  const looksAt = fc.integer({ min: 1, max: 6 });
  const run = fc.property(changes, changes, changes, looksAt, (first, second, third, step) => {
    const container = newContainer(1);
    for (const made of [first, second, third]) commitAndCompare(container, made, step);
  });
  fc.assert(run, fcOptions(30));
});
