/**
 * Properties of the codecs of the index: round trips, refusal of damage, and keys whose bytewise order
 * is the order of their fields.
 */

import { describe, expect, test } from "@jest/globals";
import { isDaosError } from "daos-ts";
import fc from "fast-check";
import { ByteReader, ByteWriter } from "../../dist/core/index/byte-codec.js";
import { KeyBuilder, KeyReader, KeySpace, prefixEnd } from "../../dist/core/index/key-codec.js";
import { checkHeader, encodeHeader } from "../../dist/core/log/segment-format.js";
import { decodeSuperblock, encodeSuperblock } from "../../dist/core/pool/superblock-format.js";
import {
  type Contribution,
  decodeContribution,
  encodeContribution,
} from "../../dist/core/vos/contribution-format.js";
import { fcOptions } from "../support/property.ts";

const u32 = fc.nat({ max: 0xffff_ffff });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const safe = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: Number.MAX_SAFE_INTEGER }));
const signed = fc.oneof(
  fc.integer({ min: -200, max: 200 }),
  fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
);
/** Few distinct bytes, so that prefixes and escapes are common. */
const key = fc
  .uint8Array({ maxLength: 6 })
  .map((bytes) => bytes.map((byte) => [0, 1, 0xff, 7][byte % 4] as number));

function refusedAs(code: "DER_DF_INVAL" | "DER_DF_INCOMPT", read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!isDaosError(error, code)) throw error;
    return;
  }
  throw new Error(`not refused with ${code}`);
}

describe("ByteWriter and ByteReader", () => {
  test("round-trip every field", () => {
    const fields = fc.record({ u32, u64, safe, signed, bytes: fc.uint8Array(), text: fc.string() });
    fc.assert(
      fc.property(fields, (value) => {
        const written = new ByteWriter(1)
          .u32(value.u32)
          .u64(value.u64)
          .varint(value.safe)
          .svarint(value.signed)
          .bytes(value.bytes)
          .text(value.text)
          .finish();
        const reader = new ByteReader(written, "a test record");
        expect(reader.u32()).toBe(value.u32);
        expect(reader.u64()).toBe(value.u64);
        expect(reader.varint()).toBe(value.safe);
        expect(reader.svarint() - value.signed).toBe(0);
        expect([...reader.bytes()]).toEqual([...value.bytes]);
        // Lone surrogates have no UTF-8.
        expect(reader.text()).toBe(Buffer.from(value.text).toString());
        reader.end();
      }),
      fcOptions(500),
    );
  });

  test("varints of damaged records are refused, however long", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        for (const read of ["varint", "svarint"] as const) {
          try {
            expect(Number.isSafeInteger(new ByteReader(bytes, "a test record")[read]())).toBe(true);
          } catch (error) {
            expect(isDaosError(error, "DER_DF_INVAL")).toBe(true);
          }
        }
      }),
      fcOptions(1000),
    );
    const endless = new Uint8Array(2000).fill(0x80);
    refusedAs("DER_DF_INVAL", () => new ByteReader(endless, "a test record").varint());
  });
});

describe("KeyBuilder", () => {
  const build = (bytes: Uint8Array) => new KeyBuilder(KeySpace.akey).component(bytes).done();

  test("orders components as their bytes, a prefix first", () => {
    fc.assert(
      fc.property(key, key, (one, two) => {
        expect(Math.sign(Buffer.compare(build(one), build(two)))).toBe(
          Math.sign(Buffer.compare(one, two)),
        );
      }),
      fcOptions(1000),
    );
  });

  test("orders pairs of components by the first, then by the second", () => {
    const pair = fc.tuple(key, key);
    const buildPair = ([dkey, akey]: [Uint8Array, Uint8Array]) =>
      new KeyBuilder(KeySpace.akey).component(dkey).component(akey).done();
    fc.assert(
      fc.property(pair, pair, (one, two) => {
        const expected = Buffer.compare(one[0], two[0]) || Buffer.compare(one[1], two[1]);
        expect(Math.sign(Buffer.compare(buildPair(one), buildPair(two)))).toBe(Math.sign(expected));
      }),
      fcOptions(1000),
    );
  });

  test("KeyReader reads back every field", () => {
    fc.assert(
      fc.property(u32, u64, u64, key, (number, long, epoch, bytes) => {
        const built = new KeyBuilder(KeySpace.run)
          .u32(number)
          .u64(long)
          .newest(epoch)
          .component(bytes)
          .done();
        const reader = new KeyReader(built);
        expect([reader.u32(), reader.u64(), reader.newest()]).toEqual([number, long, epoch]);
        expect([...reader.component()]).toEqual([...bytes]);
      }),
      fcOptions(500),
    );
  });

  test("newest() orders later epochs first", () => {
    const at = (epoch: bigint) => new KeyBuilder(KeySpace.run).newest(epoch).done();
    fc.assert(
      fc.property(u64, u64, (one, two) => {
        const expected = one === two ? 0 : one > two ? -1 : 1;
        expect(Math.sign(Buffer.compare(at(one), at(two)))).toBe(expected);
      }),
      fcOptions(300),
    );
  });

  test("prefixEnd() bounds exactly the keys that begin with a prefix", () => {
    fc.assert(
      fc.property(key, key, (prefix, other) => {
        const start = new KeyBuilder(KeySpace.akey).raw(prefix).done();
        const candidate = new KeyBuilder(KeySpace.akey).raw(other).done();
        const begins = Buffer.compare(candidate.subarray(0, start.length), start) === 0;
        const inside =
          Buffer.compare(candidate, start) >= 0 && Buffer.compare(candidate, prefixEnd(start)) < 0;
        expect(inside).toBe(begins);
      }),
      fcOptions(1000),
    );
  });
});

describe("decodeContribution()", () => {
  const oid = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
  const bytes = fc.uint8Array({ maxLength: 8 });
  const contribution: fc.Arbitrary<Contribution> = fc.record({
    writer: u64,
    spans: fc.array(
      fc.record({
        segment: safe,
        generation: safe,
        start: safe,
        end: safe,
        tailCrc: u32,
        seal: fc.boolean(),
      }),
      { maxLength: 3 },
    ),
    conditions: fc.array(fc.record({ oid, dkey: bytes, akey: bytes, mustExist: fc.boolean() }), {
      maxLength: 3,
    }),
    punches: fc.array(fc.record({ oid, dkey: bytes }), { maxLength: 3 }),
    values: fc.array(fc.record({ oid, dkey: bytes, akey: bytes, record: bytes }), { maxLength: 3 }),
    runs: fc.array(
      fc.oneof(
        fc.record({ oid, incarnation: u64, records: fc.constant(undefined), run: bytes }),
        fc.record({
          oid,
          incarnation: fc.constant(0n),
          records: fc.record({ dkey: bytes, akey: bytes, window: u32, recordSize: safe }),
          run: bytes,
        }),
      ),
      { maxLength: 3 },
    ),
  });

  /** Byte arrays as plain lists: a view and a buffer of the same bytes are equal. */
  const plain = (value: Contribution) =>
    JSON.parse(
      JSON.stringify(value, (_name, field) => {
        if (typeof field === "bigint") return field.toString();
        if (field?.type === "Buffer") return field.data;
        return ArrayBuffer.isView(field) ? [...(field as Uint8Array)] : field;
      }),
    );

  test("reads back what encodeContribution() wrote", () => {
    fc.assert(
      fc.property(contribution, (value) => {
        expect(plain(decodeContribution(encodeContribution(value)))).toEqual(plain(value));
      }),
      fcOptions(300),
    );
  });

  test("refuses every truncation, and flipped bits with a typed error or not at all", () => {
    fc.assert(
      fc.property(contribution, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, bits) => {
        const encoded = encodeContribution(value);
        for (let size = 0; size < encoded.length; size++) {
          refusedAs("DER_DF_INVAL", () => decodeContribution(encoded.subarray(0, size)));
        }
        const index = at % encoded.length;
        encoded[index] = (encoded[index] as number) ^ bits;
        try {
          decodeContribution(encoded);
        } catch (error) {
          expect(isDaosError(error, "DER_DF_INVAL")).toBe(true);
        }
      }),
      fcOptions(100),
    );
  });
});

describe("headers", () => {
  const uuid = Uint8Array.from({ length: 16 }, (_, index) => index);

  test("a segment header is refused for every flipped byte", () => {
    checkHeader(encodeHeader(7, uuid), 7, uuid);
    const size = encodeHeader(7, uuid).length;
    for (let at = 0; at < size; at++) {
      const damaged = encodeHeader(7, uuid);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      // Bytes 8 to 11 are the format version.
      const code = at >= 8 && at < 12 ? "DER_DF_INCOMPT" : "DER_DF_INVAL";
      refusedAs(code, () => checkHeader(damaged, 7, uuid));
    }
  });

  test("a superblock is read back, and refused for every flipped byte and every truncation", () => {
    const superblock = { uuid, durability: "power", created: 5n, label: "a.pool" } as const;
    const good = encodeSuperblock(superblock);
    expect(decodeSuperblock(good, "p")).toMatchObject({ durability: "power", label: "a.pool" });
    for (let at = 0; at < good.length; at++) {
      const damaged = Uint8Array.from(good);
      damaged[at] = (damaged[at] as number) ^ 0x01;
      const code = at >= 8 && at < 12 ? "DER_DF_INCOMPT" : "DER_DF_INVAL";
      refusedAs(code, () => decodeSuperblock(damaged, "p"));
      refusedAs("DER_DF_INVAL", () => decodeSuperblock(good.subarray(0, at), "p"));
    }
  });
});
