/**
 * Transactions of one writer that are prepared together: published in any order, late, or not at all.
 */

import { expect, test } from "@jest/globals";
import { type Container, Pool } from "daos-ts";
import { code, newContainer, OID, pools, range } from "../support/transaction-container.ts";

function store(container: Container, at: number, value: number): void {
  container.update((own) => own.write(OID, range(at, at + 1), Uint8Array.of(value)));
}

/** Three transactions of one byte each, prepared in this order. */
function prepareThree(container: Container) {
  return [1, 2, 3].map((value, at) => {
    const transaction = container.begin();
    transaction.write(OID, range(at, at + 1), Uint8Array.of(value));
    return { transaction, bytes: transaction.prepare() };
  });
}

const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];
test.each(orders)("T2: prepared together they are published in any order: %i %i %i", (...order) => {
  const container = newContainer(9);
  const prepared = prepareThree(container);
  for (const index of order) {
    const { transaction, bytes } = prepared[index] as (typeof prepared)[number];
    container.publish([bytes], container.newTransactionId());
    transaction.settle();
  }
  store(container, 3, 4);
  pools.pop()?.close();
  const again = Pool.connect(container.pool);
  pools.push(again);
  using view = again.openContainer("c").view();
  expect([...view.readBytes(OID, 0, 4)]).toEqual([1, 2, 3, 4]);
  expect(again.scrub().damages).toEqual([]);
});

test("T2: what was prepared, and may be published late, is not written over", () => {
  const container = newContainer(9);
  const [first, second, third] = prepareThree(container);
  // As a rank does that does not learn of the commit.
  for (const one of [first, second, third]) one?.transaction.abort();
  store(container, 9, 9);
  for (const one of [third, first]) {
    container.publish([one?.bytes as Uint8Array], container.newTransactionId());
  }
  store(container, 10, 10);
  using view = container.view();
  expect([...view.readBytes(OID, 0, 11)]).toEqual([1, 0, 3, 0, 0, 0, 0, 0, 0, 9, 10]);
  expect(pools.at(-1)?.scrub().damages).toEqual([]);
});

test("T2: what was prepared is refused when the lease is over", () => {
  const container = newContainer(9);
  const [first] = prepareThree(container);
  pools.pop()?.close();
  const again = Pool.connect(container.pool);
  pools.push(again);
  const late = again.openContainer("c");
  store(late, 0, 7);
  const publish = () => late.publish([first?.bytes as Uint8Array], late.newTransactionId());
  expect(publish).toThrow(code("DER_TX_RESTART"));
  using view = late.view();
  expect([...view.readBytes(OID, 0, 3)]).toEqual([7, 0, 0]);
});
