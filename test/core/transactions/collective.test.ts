/**
 * Reads that travel with contributions: collective commits, the serial order of their ranks, reads beyond
 * the limit, and versions that are gone.
 */

import { describe, expect, test } from "@jest/globals";
import {
  type Container,
  type ContainerTransaction,
  type ContainerView,
  Pattern,
  Pool,
  wholeOf,
} from "daos-ts";
import fc from "fast-check";
import { ByteReader, ByteWriter } from "../../../dist/core/index/byte-codec.js";
import { type Read, ReadSet } from "../../../dist/core/vos/read-set.js";
import { decodeReads, encodeReads } from "../../../dist/core/vos/read-set-format.js";
import { fcOptions } from "../../support/property.ts";
import {
  A,
  bytes,
  code,
  newContainer,
  OID,
  pools,
  put,
  range,
  type Writes,
  write,
} from "../support/transaction-container.ts";

type Rank = readonly [read: (view: ContainerView) => unknown, writes: Writes];
const nothing = () => {};
const value = (dkey: string) => (view: ContainerView) => view.getValue(OID, bytes(dkey), A);

/** Commits what ranks read and write, as one. */
function commitRanks(
  container: Container,
  ranks: readonly Rank[],
  between: Writes = nothing,
): bigint {
  const transactions = ranks.map(([read, writes]) => {
    const transaction = container.beginTransaction();
    read(transaction.view);
    writes(transaction.own);
    return transaction;
  });
  if (between !== nothing) container.update(between);
  const contributions = transactions.map(({ own }) => own.prepare());
  try {
    const { epoch } = container.publish(contributions, container.newTransactionId());
    for (const { own } of transactions) own.settle();
    return epoch;
  } finally {
    for (const transaction of transactions) transaction.abort();
  }
}

describe("T2: a collective commit", () => {
  const strided = (start: number) =>
    wholeOf(new Pattern({ start, blockLength: 1, levels: [{ stride: 2, count: 50 }] }));
  const cases: [string, Rank[], boolean][] = [
    [
      "ranks that touch different keys",
      [
        [value("a"), put("b")],
        [value("c"), put("d")],
      ],
      true,
    ],
    [
      "a rank that writes what an earlier one read",
      [
        [value("a"), put("b")],
        [value("c"), put("a")],
      ],
      true,
    ],
    [
      "a rank that read what an earlier one writes",
      [
        [value("c"), put("a")],
        [value("a"), put("b")],
      ],
      false,
    ],
    [
      "a rank that only read what an earlier one writes",
      [
        [nothing, put("a")],
        [value("a"), nothing],
      ],
      false,
    ],
    [
      "a rank that read what an earlier one punches",
      [
        [nothing, (own) => own.punch(OID)],
        [value("a"), put("b")],
      ],
      false,
    ],
    [
      "a rank that listed keys, and an earlier one makes one",
      [
        [nothing, put("new")],
        [(view) => view.listDkeys(OID), put("b")],
      ],
      false,
    ],
    [
      "a rank that listed keys, and an earlier one changes one",
      [
        [nothing, put("a", "2")],
        [(view) => view.listDkeys(OID), put("b", "2")],
      ],
      true,
    ],
    [
      "a rank that read an array that an earlier one writes",
      [
        [nothing, write(0, "xx")],
        [(view) => view.readBytes(OID, 1, 3), put("b")],
      ],
      false,
    ],
    [
      "ranks that read and write their parts of an array",
      [
        [
          (view) => view.readArray(OID, strided(0), new Uint8Array(50)),
          (own) => own.write(OID, strided(0), new Uint8Array(50)),
        ],
        [
          (view) => view.readArray(OID, strided(1), new Uint8Array(50)),
          (own) => own.write(OID, strided(1), new Uint8Array(50)),
        ],
      ],
      true,
    ],
    [
      "a rank that read everything there is no value of",
      [
        [nothing, (own) => own.punchAkey(OID, bytes("none"), A)],
        [value("none"), put("b")],
      ],
      true,
    ],
    [
      "blind writes of the same key",
      [
        [nothing, put("a", "1")],
        [nothing, put("a", "2")],
      ],
      true,
    ],
  ];
  test.each(cases)("of %s", (_name, ranks, expected) => {
    const container = newContainer();
    for (const key of ["a", "b", "c"]) container.update(put(key));
    const commits = container.commits().length;
    const commit = () => commitRanks(container, ranks);
    if (expected) expect(commit()).toBe(container.commits()[0]?.epoch);
    else expect(commit).toThrow(code("DER_TX_RESTART"));
    expect(container.commits().length).toBe(commits + (expected ? 1 : 0));
    using view = container.view();
    const seen = view.getValue(OID, bytes("b"), A);
    if (!expected) expect(seen).toEqual(bytes("x"));
  });

  test("fails as a whole if a commit of others changed what one rank read", () => {
    const container = newContainer();
    const ranks: Rank[] = [
      [value("a"), put("b")],
      [value("c"), put("d")],
    ];
    expect(() => commitRanks(container, ranks, put("c"))).toThrow(code("DER_TX_RESTART"));
    using view = container.view();
    expect(view.listDkeys(OID).keys).toEqual([bytes("c")].map((key) => new Uint8Array(key)));
    expect(commitRanks(container, ranks)).toBe(container.commits()[0]?.epoch);
  });

  test("fails if the version that a rank read is gone", () => {
    const container = newContainer(1);
    const other = Pool.connect(container.pool);
    pools.push(other);
    const transaction = other.openContainer("c").beginTransaction();
    transaction.view.getValue(OID, A, A);
    put("late")(transaction.own);
    const contribution = transaction.own.prepare();
    // The rank dies: its pin ends, and what it read may be trimmed.
    transaction.view.close();
    for (let round = 0; round < 4; round++) container.update(put("churn", `${round}`, 98n));
    container.aggregate();
    const publish = () => container.publish([contribution], container.newTransactionId());
    expect(publish).toThrow(code("DER_TX_RESTART"));
    transaction.abort();
  });
});

describe("T2: reads beyond the limit", () => {
  const kinds = (reads: ReadSet) => reads.contributed().reads.map(({ kind }) => kind);

  test("become reads of objects, then of the container", () => {
    const reads = new ReadSet(1n, 10);
    reads.value(1n, A, A);
    for (let index = 0; index < 20; index++) reads.value(2n, bytes(`${index}`), A);
    expect(kinds(reads)).toEqual(["value", "object"]);
    reads.exists(2n, A);
    reads.keys(2n, A, { first: A, last: A });
    expect(reads.count).toBe(2);
    for (let index = 0; index < 20; index++) reads.value(BigInt(10 + index), A, A);
    reads.objects(0n, 5n);
    expect([kinds(reads), reads.count]).toEqual([["container"], 1]);
  });

  test("of adjoining bytes are one", () => {
    const reads = new ReadSet(1n, 10);
    const bytesOf = { dkey: new Uint8Array(), akey: new Uint8Array(), window: 0 };
    for (let at = 0; at < 1000; at++) reads.array(OID, bytesOf, range(at * 8, at * 8 + 8));
    expect(reads.contributed().reads).toMatchObject([
      { kind: "array", range: { from: 0, to: 8000 } },
    ]);
  });

  test("conflict with any change of the object, and no other", () => {
    const container = newContainer();
    container.update(put("k", "1"));
    container.update(write(0, "bytes"));
    const changes: [Writes, boolean][] = [
      [put("other"), true],
      [write(900, "x"), true],
      [(own) => own.punchDkey(OID, bytes("k")), true],
      [(own) => own.punch(OID), true],
      [put("k", "1", 77n), false],
    ];
    for (const [change, expected] of changes) {
      container.update(put("k", "1"));
      const transaction: ContainerTransaction = container.beginTransaction();
      for (let index = 0; index < 20_000; index++)
        transaction.view.getValue(OID, bytes(`n${index}`), A);
      put("out", "1", 99n)(transaction.own);
      container.update(change);
      if (expected) expect(() => transaction.commit()).toThrow(code("DER_TX_RESTART"));
      else transaction.commit();
    }
  });
});

test("T2: reads are the same after their way to another process", () => {
  const key = fc.uint8Array({ maxLength: 300 });
  const oid = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
  const bounds = { first: key, last: key };
  const window = fc.nat(2 ** 32 - 1);
  const kind = <K extends string>(name: K) => fc.constant(name);
  const pattern = fc
    .record({
      start: fc.nat(2 ** 40),
      blockLength: fc.integer({ min: 1, max: 99 }),
      count: fc.integer({ min: 1, max: 9 }),
    })
    .map(({ start, blockLength, count }) =>
      wholeOf(new Pattern({ start, blockLength, levels: [{ stride: 200, count }] })),
    );
  const read: fc.Arbitrary<Read> = fc.oneof(
    fc.record({ kind: kind("value"), oid, dkey: key, akey: key }),
    fc.record({ kind: kind("exists"), oid, dkey: key }),
    fc
      .record({
        kind: kind("array"),
        oid,
        dkey: key,
        akey: key,
        windowFirst: window,
        range: pattern,
      })
      .map((one) => ({ ...one, windowLast: one.windowFirst })),
    fc.record({
      kind: kind("array"),
      oid,
      dkey: key,
      akey: key,
      windowFirst: window,
      windowLast: window,
      range: fc.constant(undefined),
    }),
    fc.record({ kind: kind("keys"), oid, dkey: key, ...bounds }),
    fc.record({ kind: kind("values"), oid, akey: key, ...bounds }),
    fc.record({ kind: kind("objects"), first: oid, last: oid }),
    fc.record({ kind: kind("object"), oid }),
    fc.record({ kind: kind("container") }),
  );
  const run = fc.property(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.array(read),
    (epoch, reads) => {
      const writer = new ByteWriter();
      encodeReads(writer, { epoch, reads });
      const encoded = writer.finish();
      const reader = new ByteReader(encoded, "reads");
      expect(decodeReads(reader)).toEqual({ epoch, reads });
      reader.end();
      for (const at of [0, 1, encoded.length >> 1]) {
        const cut = new ByteReader(encoded.subarray(0, at), "reads");
        if (at < encoded.length) expect(() => decodeReads(cut)).toThrow(code("DER_DF_INVAL"));
      }
    },
  );
  fc.assert(run, fcOptions(100));
});
