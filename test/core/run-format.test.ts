/**
 * Property: a run survives its encoding, and damaged encodings are refused or are another valid run.
 *
 * Method: random runs round-trip; then every truncation and random flips of their bytes are decoded.
 * A decoder that trusts a count of a damaged record would hang or exhaust memory here.
 */

import { describe, expect, test } from "@jest/globals";
import { isDaosError, Pattern, wholeOf } from "daos-ts";
import fc from "fast-check";
import { ByteWriter } from "../../dist/core/index/byte-codec.js";
import { firstOffset, lastOffset } from "../../dist/core/vos/pattern.js";
import type { Piece } from "../../dist/core/vos/piece.js";
import {
  decodeRun,
  encodeRun,
  parseRunKey,
  type RunBody,
  runKey,
  runPrefix,
} from "../../dist/core/vos/run-format.js";
import { fcOptions } from "../support/property.ts";
import { range, shape } from "./support/patterns.ts";

const EXTENT_END = 1 << 20;

/** Moves a pattern far out, up to the last offset of an array. */
const farRange = fc
  .tuple(shape, fc.nat({ max: Number.MAX_SAFE_INTEGER - 100 }))
  .map(([shaped, by]) => wholeOf(new Pattern({ ...shaped, start: shaped.start + by })));

const piece: fc.Arbitrary<Piece> = fc
  .record({
    range: fc.oneof(range, farRange),
    segment: fc.integer({ min: 1, max: 3 }),
    position: fc.nat({ max: EXTENT_END - 100 }),
  })
  .map(({ range: ranged, ...place }) => ({ ...ranged, ...place }));

const run: fc.Arbitrary<RunBody> = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => {
  const used = [...new Set(pieces.map(({ segment }) => segment))];
  return {
    start: Math.min(...pieces.map(firstOffset)),
    end: Math.max(...pieces.map(lastOffset)),
    extents: used.map((segment) => ({ segment, end: EXTENT_END, tailCrc: segment * 0x1234_5678 })),
    pieces,
  };
});

/** Decodes damaged bytes: a run, or `undefined` if they were refused as they must be. */
function decodeDamaged(bytes: Uint8Array): RunBody | undefined {
  try {
    return decodeRun(bytes);
  } catch (error) {
    if (!isDaosError(error, "DER_DF_INVAL")) throw error;
    return undefined;
  }
}

describe("encodeRun() and decodeRun()", () => {
  test("round-trip every run, also at the last offsets of an array", () => {
    fc.assert(
      fc.property(run, (body) => {
        expect(decodeRun(encodeRun(body))).toEqual(body);
      }),
      fcOptions(1000),
    );
  });

  test("every truncation is refused with DER_DF_INVAL", () => {
    fc.assert(
      fc.property(run, (body) => {
        const bytes = encodeRun(body);
        for (let size = 0; size < bytes.length; size++) {
          expect(decodeDamaged(bytes.subarray(0, size))).toBeUndefined();
        }
      }),
      fcOptions(50),
    );
  });

  test("flipped bits give DER_DF_INVAL or a run whose pieces lie in their segments", () => {
    const flip = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(run, fc.array(flip, { minLength: 1, maxLength: 3 }), (body, flips) => {
        const bytes = encodeRun(body);
        for (const [at, bits] of flips) {
          const index = at % bytes.length;
          bytes[index] = (bytes[index] as number) ^ bits;
        }
        const decoded = decodeDamaged(bytes);
        const ends = new Map(decoded?.extents.map(({ segment, end }) => [segment, end]));
        for (const { from, to, pattern, segment, position } of decoded?.pieces ?? []) {
          const inPattern = from >= 0 && from < to && to <= pattern.size;
          const end = position + (to - from);
          if (!inPattern || position < 0 || end > (ends.get(segment) ?? -1)) {
            throw new Error(`a piece of packed bytes ${from} to ${to} at ${position}`);
          }
        }
      }),
      fcOptions(2000),
    );
  });

  test("random bytes are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        decodeDamaged(bytes);
      }),
      fcOptions(2000),
    );
  });

  test.each([
    ["extents", [0]],
    ["pieces", [0, 0]],
    ["levels", [0, 0, 1]],
  ])("a huge count of %s allocates nothing", (_name, before) => {
    const writer = new ByteWriter().u8(1).varint(0).varint(1);
    // The counts before the one that lies are honest.
    for (const count of before.slice(1)) writer.varint(count);
    const bytes = writer.varint(Number.MAX_SAFE_INTEGER).raw(new Uint8Array(16)).finish();
    const heap = process.memoryUsage().heapUsed;
    expect(decodeDamaged(bytes)).toBeUndefined();
    expect(process.memoryUsage().heapUsed - heap).toBeLessThan(16 << 20);
  });
});

describe("runKey()", () => {
  const version = fc.record({
    epoch: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    sequence: fc.nat({ max: 0xffff_ffff }),
  });
  const object = fc.record({
    container: fc.nat({ max: 0xffff_ffff }),
    oid: fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
    path: fc.uint8Array({ minLength: 8, maxLength: 40 }),
  });

  test("parseRunKey() reads back what it names", () => {
    fc.assert(
      fc.property(object, version, (address, { epoch, sequence }) => {
        const parsed = parseRunKey(runKey(address, epoch, sequence));
        expect(parsed.epoch).toBe(epoch);
        expect(parsed.sequence).toBe(sequence);
        expect(parsed.oid).toBe(address.oid);
        expect([...parsed.path]).toEqual([...address.path]);
      }),
      fcOptions(300),
    );
  });

  test("sorts the runs of an object newest first, within its prefix", () => {
    fc.assert(
      fc.property(object, version, version, (address, one, two) => {
        const keys = [one, two].map(({ epoch, sequence }) => runKey(address, epoch, sequence));
        const newer =
          one.epoch === two.epoch ? one.sequence - two.sequence : one.epoch > two.epoch ? 1 : -1;
        const order = Buffer.compare(keys[0] as Uint8Array, keys[1] as Uint8Array);
        expect(Math.sign(order)).toBe(-Math.sign(newer) + 0);
        const prefix = runPrefix(address);
        expect(Buffer.compare((keys[0] as Uint8Array).subarray(0, prefix.length), prefix)).toBe(0);
      }),
      fcOptions(300),
    );
  });
});
