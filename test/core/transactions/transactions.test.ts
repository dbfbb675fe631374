/**
 * Serializable transactions: their handles, how they are tried again, and what they do not mind. Row ids
 * are those of DAOS's features.
 */

import { expect, test } from "@jest/globals";
import { type ContainerTransaction, Pool, type TransactionScope } from "daos-ts";
import {
  A,
  bytes,
  code,
  names,
  newContainer,
  OID,
  pools,
  put,
} from "../support/transaction-container.ts";

test("T3: DER_TX_RESTART leaves a handle that can be restarted", () => {
  const container = newContainer();
  container.update(put("n", "1"));
  const transaction: ContainerTransaction = container.beginTransaction();
  const add = () => {
    const before = transaction.view.getValue(OID, bytes("n"), A) as Uint8Array;
    put("n", `${Number(Buffer.from(before)) + 1}`)(transaction.own);
  };
  add();
  container.update(put("n", "5"));
  expect(() => transaction.commit()).toThrow(code("DER_TX_RESTART"));
  transaction.restart();
  add();
  const epoch = transaction.commit();
  using view = container.view(epoch);
  expect(names([view.getValue(OID, bytes("n"), A) as Uint8Array])).toEqual(["6"]);
  expect(() => transaction.commit()).toThrow(code("DER_NO_HDL"));
  expect(() => transaction.restart()).toThrow(code("DER_NO_HDL"));
});

test("T2: a lost update and a write skew are found, blind writes are not refused", () => {
  const container = newContainer();
  container.update((own) => [put("x", "1"), put("y", "1")].map((one) => one(own)));
  const [first, second] = [container.beginTransaction(), container.beginTransaction()];
  // Each demands that not both become 0.
  for (const [transaction, other, mine] of [
    [first, "y", "x"],
    [second, "x", "y"],
  ] as const) {
    expect(names([transaction.view.getValue(OID, bytes(other), A) as Uint8Array])).toEqual(["1"]);
    put(mine, "0")(transaction.own);
  }
  first.commit();
  expect(() => second.commit()).toThrow(code("DER_TX_RESTART"));
  const [third, fourth] = [container.beginTransaction(), container.beginTransaction()];
  put("x", "3")(third.own);
  put("x", "4")(fourth.own);
  expect(fourth.commit() < third.commit()).toBe(true);
});

test("T3: runTransaction() repeats its body, a bounded number of times", async () => {
  const container = newContainer();
  let runs = 0;
  const busy = ({ view, own }: TransactionScope) => {
    runs += 1;
    view.getValue(OID, A, A);
    put("out")(own);
    container.update(put("a", `${runs}`));
  };
  const failed = (() => {
    try {
      return container.runTransaction(busy, { attempts: 3 });
    } catch (error) {
      return error;
    }
  })();
  expect(failed).toEqual(code("DER_TX_RESTART"));
  expect(failed).toMatchObject({ facts: { attempts: 3 } });
  expect(runs).toBe(3);
  runs = 0;
  const twice = (scope: TransactionScope) => {
    if (runs < 1) busy(scope);
    else put("out", "late")(scope.own);
    return runs;
  };
  const { value: got, epoch } = container.runTransaction(twice);
  expect(got).toBe(1);
  using view = container.view(epoch);
  expect(names([view.getValue(OID, bytes("out"), A) as Uint8Array])).toEqual(["late"]);
  runs = 0;
  const later = await container.runTransactionAsync(async (scope) => {
    await new Promise((resolve) => setImmediate(resolve));
    return twice(scope);
  });
  expect(later.value).toBe(1);
  expect(() => container.runTransaction(() => 1, { attempts: 0 })).toThrow(code("DER_INVAL"));
  expect(() => container.runTransaction(async () => 1)).toThrow(code("DER_INVAL"));
  const thrown = new Error("mine");
  expect(() =>
    container.runTransaction(({ own }) => {
      put("never")(own);
      throw thrown;
    }),
  ).toThrow(thrown);
  const signal = AbortSignal.abort();
  await expect(container.runTransactionAsync(async () => 1, { signal })).rejects.toThrow("abort");
  using after = container.view();
  expect(after.getValue(OID, bytes("never"), A)).toBeUndefined();
});

test("T2: reads alone need no commit", () => {
  const container = newContainer();
  container.update(put("k"));
  const { epoch, value: seen } = container.runTransaction(({ view }) => {
    container.update(put("k", "2"));
    return names([view.getValue(OID, bytes("k"), A) as Uint8Array]);
  });
  expect(seen).toEqual(["x"]);
  expect(epoch).toBe(container.commits()[1]?.epoch);
});

test("T4: a snapshot transaction reads its version and refuses writes", () => {
  const container = newContainer();
  container.update(put("k", "old"));
  const { epoch } = container.createSnapshot("s");
  container.update(put("k", "new"));
  for (const at of [{ snapshot: "s" }, { epoch }]) {
    using transaction = container.beginTransaction(at);
    expect(names([transaction.view.getValue(OID, bytes("k"), A) as Uint8Array])).toEqual(["old"]);
    expect(() => transaction.own).toThrow(code("DER_EP_RO"));
    expect(() => transaction.punch(OID)).toThrow(code("DER_EP_RO"));
    expect(transaction.commit()).toBe(epoch);
  }
  expect(() => container.beginTransaction({ snapshot: "t" })).toThrow(code("DER_NONEXIST"));
  const again = Pool.connect(container.pool, { mode: "ro" });
  pools.push(again);
  const reader = again.openContainer("c");
  expect(() => reader.beginTransaction()).toThrow(code("DER_NO_PERM"));
  expect(reader.beginTransaction({ epoch }).commit()).toBe(epoch);
});
