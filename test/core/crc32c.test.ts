/**
 * CRC-32C: known values, and both implementations agree on every part and seed.
 */

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  beginBlocks,
  checksumBlocks,
  crc32c,
  crc32cAccelerated,
  crc32cPortable,
  endBlocks,
} from "../../dist/core/device/crc32c.js";
import { CHECKSUM_SHARED_SIZE_MIN } from "../../dist/core/limits.js";
import { fcOptions } from "../support/property.ts";

/** Bit by bit, as the definition says. */
function crcByDefinition(bytes: Uint8Array, seed: number): number {
  let crc = ~seed >>> 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe.each([
  ["crc32c", crc32c],
  ["crc32cPortable", crc32cPortable],
])("%s()", (_name, crc) => {
  // From RFC 3720, appendix B.4.
  test.each([
    ["32 bytes of zeros", new Uint8Array(32), 0x8a9136aa],
    ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["32 incrementing bytes", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ["32 decrementing bytes", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ["123456789", Buffer.from("123456789"), 0xe3069283],
    ["nothing", new Uint8Array(0), 0],
  ])("has the published value of %s", (_what, bytes, expected) => {
    expect(crc(bytes, 0, bytes.length, 0)).toBe(expected);
  });

  test("agrees with the definition on every part of a buffer and continues from a seed", () => {
    const part = fc.tuple(fc.uint8Array({ maxLength: 100 }), fc.nat(), fc.nat(), fc.nat());
    fc.assert(
      fc.property(part, ([bytes, one, two, seed]) => {
        const [start, end] = [one % (bytes.length + 1), two % (bytes.length + 1)].sort(
          (a, b) => a - b,
        ) as [number, number];
        expect(crc(bytes, start, end, seed)).toBe(
          crcByDefinition(bytes.subarray(start, end), seed),
        );
        const whole = crc(bytes, 0, bytes.length, seed);
        expect(crc(bytes, start, bytes.length, crc(bytes, 0, start, seed))).toBe(whole);
      }),
      fcOptions(300),
    );
  });
});

test("crc32cAccelerated says whether the addon computes", () => {
  expect(crc32cAccelerated).toBe(crc32c !== crc32cPortable);
});

describe("blocks", () => {
  const size = 4096;
  const countMin = CHECKSUM_SHARED_SIZE_MIN / size;
  const bytes = Uint8Array.from(
    { length: (countMin + 40) * size },
    (_, i) => (i * 31 + i / 4096) % 251,
  );

  /** Blocks with seeds 0, 1, 2 ... and a guard on each side of them. */
  function makeBlocks(start: number, count: number) {
    const crcs = Uint32Array.from({ length: count + 2 }, (_, index) => index);
    return { bytes, start, size, count, crcs, first: 1 };
  }

  function expectedOf({ start, count }: { start: number; count: number }): number[] {
    const crcs = Array.from({ length: count }, (_, block) => {
      const at = start + block * size;
      return crc32cPortable(bytes, at, at + size, block + 1);
    });
    return [0, ...crcs, count + 1];
  }

  test.each([0, 1, 3])(
    "checksumBlocks() replaces the seeds of %d blocks by their CRCs",
    (count) => {
      const blocks = makeBlocks(5, count);
      checksumBlocks(blocks);
      expect([...blocks.crcs]).toEqual(expectedOf(blocks));
    },
  );

  test("beginBlocks() leaves what is small, or has no addon, to its caller", () => {
    expect(beginBlocks(makeBlocks(0, countMin - 1))).toBe(false);
    const begun = beginBlocks(makeBlocks(0, countMin));
    if (begun) endBlocks();
    expect(begun).toBe(crc32cAccelerated);
  });

  test("endBlocks() has all of them, whoever computed them, and whether the helper slept or not", async () => {
    if (!crc32cAccelerated) return;
    const expected = [countMin, countMin + 1, countMin + 39].map((count, start) => ({
      blocks: { start, count },
      crcs: expectedOf({ start, count }),
    }));
    for (let round = 0; round < 300; round++) {
      // The helper sleeps after a while without work.
      if (round % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 5));
      for (const { blocks, crcs } of expected) {
        const made = makeBlocks(blocks.start, blocks.count);
        beginBlocks(made);
        if (round % 2 === 0) for (const end = performance.now() + 0.2; performance.now() < end; );
        endBlocks();
        expect(
          Buffer.compare(Buffer.from(made.crcs.buffer), Buffer.from(Uint32Array.from(crcs).buffer)),
        ).toBe(0);
      }
    }
  });

  test("endBlocks() waits for a block that the helper is still at", () => {
    if (!crc32cAccelerated) return;
    const large = new Uint8Array(3 * 2 ** 20).fill(7);
    const seeds = [1, 2, 3];
    const expected = seeds.map((seed) => crc32c(large, 0, 2 ** 20, seed));
    for (let round = 0; round < 300; round++) {
      const crcs = Uint32Array.from(seeds);
      beginBlocks({ bytes: large, start: 0, size: 2 ** 20, count: 3, crcs, first: 0 });
      // The helper has begun by then, and is somewhere within one of its blocks.
      for (const end = performance.now() + (round % 20) / 100; performance.now() < end; );
      endBlocks();
      expect([...crcs]).toEqual(expected);
    }
  });

  test("beginBlocks() refuses blocks outside of the bytes or the checksums", () => {
    if (!crc32cAccelerated) return;
    const blocks = makeBlocks(0, countMin);
    expect(() => beginBlocks({ ...blocks, start: 41 * size })).toThrow("lie outside");
    expect(() => beginBlocks({ ...blocks, first: 3 })).toThrow("lie outside");
  });
});
