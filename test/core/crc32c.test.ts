/**
 * CRC-32C: known values, and both implementations agree on every part and seed.
 */

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { crc32c, crc32cAccelerated, crc32cPortable } from "../../dist/core/device/crc32c.js";
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
