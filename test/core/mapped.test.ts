/**
 * Bytes that are kept whole lie in one piece, from a multiple of 64 on, and are mapped as they were written.
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "@jest/globals";
import { ObjectType, Pattern, Pool, wholeOf } from "daos-ts";
import fc from "fast-check";
import { fcOptions } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { flip } from "./support/flip.ts";

const pools: Pool[] = [];

afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
});

function container(size?: number) {
  const path = join(temporaryDirectory(), "pool");
  const options = size === undefined ? {} : { size };
  const pool = Pool.create({ path, durability: "process", ...options });
  pools.push(pool);
  return pool.createContainer("tests");
}

function filled(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => (at * 31 + seed) & 0xff);
}

test("keepWhole() has bytes lie in one piece, whatever was appended before", () => {
  const tests = container();
  const sizes = fc.array(
    fc.record({ before: fc.nat(100_000), size: fc.integer({ min: 1, max: 300_000 }) }),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(sizes, (parts) => {
      const oid = tests.allocateOid(ObjectType.arrayByte);
      const other = tests.allocateOid(ObjectType.arrayByte);
      const starts: number[] = [];
      let end = 0;
      tests.update((own) => {
        for (const [index, { before, size }] of parts.entries()) {
          own.write(other, wholeOf(Pattern.contiguous(0, before)), new Uint8Array(before));
          own.keepWhole(size);
          starts.push(end);
          const bytes = filled(size, index);
          // In two writes: what follows one another is one piece all the same.
          const middle = size >> 1;
          own.write(oid, wholeOf(Pattern.contiguous(end, end + middle)), bytes.subarray(0, middle));
          own.write(
            oid,
            wholeOf(Pattern.contiguous(end + middle, end + size)),
            bytes.subarray(middle),
          );
          end += size;
        }
      });
      using view = tests.view();
      for (const [index, { size }] of parts.entries()) {
        const start = starts[index] as number;
        const mapped = view.mapBytes(oid, start, start + size) as Uint8Array;
        expect(mapped.byteOffset % 64).toBe(0);
        expect(Buffer.compare(mapped, filled(size, index))).toBe(0);
      }
    }),
    fcOptions(20),
  );
});

test("mapArray() shows pieces in order, and what was never written as such", () => {
  const tests = container();
  const oid = tests.allocateOid(ObjectType.arrayByte);
  tests.update((own) => own.write(oid, wholeOf(Pattern.contiguous(10, 20)), filled(10, 0)));
  tests.update((own) => own.write(oid, wholeOf(Pattern.contiguous(15, 30)), filled(15, 9)));
  using view = tests.view();
  const fragments = view.mapArray(oid, wholeOf(Pattern.contiguous(0, 40)));
  expect(fragments.map(({ start, size, bytes }) => [start, size, bytes && [...bytes]])).toEqual([
    [0, 10, undefined],
    [10, 5, [...filled(5, 0)]],
    [15, 15, [...filled(15, 9)]],
    [30, 10, undefined],
  ]);
  expect(view.mapBytes(oid, 12, 18)).toBeUndefined();
});

test("bytes too many for a segment are kept, in pieces", () => {
  const tests = container(64 * 2 ** 20);
  const oid = tests.allocateOid(ObjectType.arrayByte);
  const bytes = filled(16 * 2 ** 20, 1);
  tests.update((own) => {
    own.keepWhole(bytes.length);
    own.write(oid, wholeOf(Pattern.contiguous(0, bytes.length)), bytes);
  });
  using view = tests.view();
  expect(Buffer.compare(view.readBytes(oid, 0, bytes.length), bytes)).toBe(0);
});

test("mapped bytes stay as they are after the view and the pool are closed", () => {
  const tests = container();
  const oid = tests.allocateOid(ObjectType.arrayByte);
  tests.update((own) => own.write(oid, wholeOf(Pattern.contiguous(0, 1000)), filled(1000, 3)));
  const view = tests.view();
  const mapped = view.mapBytes(oid, 0, 1000) as Uint8Array;
  view.close();
  for (const pool of pools.splice(0)) pool.close();
  expect(Buffer.compare(mapped, filled(1000, 3))).toBe(0);
});

test("mapBytes() refuses damaged bytes", () => {
  const tests = container();
  const oid = tests.allocateOid(ObjectType.arrayByte);
  tests.update((own) =>
    own.write(oid, wholeOf(Pattern.contiguous(0, 100_000)), filled(100_000, 3)),
  );
  const folder = join((pools.at(-1) as Pool).path, "nvme");
  for (const name of readdirSync(folder)) flip(join(folder, name), 64 * 1024 + 50_000);
  using view = tests.view();
  expect(() => view.mapBytes(oid, 0, 100_000)).toThrow(
    expect.objectContaining({ code: "DER_CSUM" }),
  );
});
