/**
 * The durable form of a segment: an append-only file of one writer's data.
 *
 * File, version 1, integers big-endian:
 *
 *     0        magic "DAOSTSEG", u32 format version, u32 checksum block size, u64 segment id,
 *              16 bytes pool UUID, u32 CRC-32C of the 40 bytes before
 *     4096     checksum table: u32 per full block of data, block 0 first (little-endian, so that
 *              the table is written and read as it lies in memory)
 *     65536    data, up to 256 MiB - 64 KiB
 *
 * A block's checksum is the CRC-32C of its 32 KiB, seeded with the segment id and the block number:
 * an id is never used twice, so a recycled file never verifies as what it was before. A partial last
 * block has no table entry; the commit that ends in it records the checksum of the prefix.
 *
 * @module
 */

import path from "node:path";
import { crc32c, crc32cPortable } from "../device/crc32c.js";
import { DaosError } from "../errors.js";
import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import { CHECKSUM_BLOCK_SIZE, FORMAT_VERSION } from "../limits.js";

/** Where the checksum table starts in a segment file, in bytes. */
export const CHECKSUM_TABLE_OFFSET = 4096;
/** Bytes of the header that are used. */
export const SEGMENT_HEADER_SIZE = 44;

const MAGIC = Buffer.from("DAOSTSEG", "latin1");

/** File name of a registered segment. */
export function segmentFileName(id: number): string {
  return `${id.toString(16).padStart(12, "0")}.seg`;
}

/** File name of a segment that is being made or recycled and is not registered yet. */
export function temporaryFileName(id: number): string {
  return `${id.toString(16).padStart(12, "0")}.tmp`;
}

/** Id and kind of a file in the segment directory; `undefined` for a name that is not a segment's. */
export function parseFileName(
  name: string,
): { id: number; kind: "segment" | "temporary" } | undefined {
  const { name: stem, ext } = path.parse(name);
  if (!/^[0-9a-f]{12}$/.test(stem) || (ext !== ".seg" && ext !== ".tmp")) return undefined;
  return { id: Number.parseInt(stem, 16), kind: ext === ".seg" ? "segment" : "temporary" };
}

/** Encodes a header. */
export function encodeHeader(id: number, poolUuid: Uint8Array): Uint8Array {
  const body = new ByteWriter(SEGMENT_HEADER_SIZE)
    .raw(MAGIC)
    .u32(FORMAT_VERSION)
    .u32(CHECKSUM_BLOCK_SIZE)
    .u64(BigInt(id))
    .raw(poolUuid);
  const covered = body.finish();
  return body.u32(crc32c(covered, 0, covered.length, 0)).finish();
}

/**
 * Checks a header against what it must say.
 *
 * @throws {@link DaosError} `DER_DF_INVAL` if it is damaged or another segment's, `DER_DF_INCOMPT`
 *   if another format version wrote it.
 */
export function checkHeader(header: Uint8Array, id: number, poolUuid: Uint8Array): void {
  const reader = new ByteReader(header, `the header of segment ${id}`);
  if (Buffer.compare(reader.raw(8), MAGIC) !== 0) throw reader.malformed("it is not a segment");
  const version = reader.u32();
  if (version !== FORMAT_VERSION) {
    throw new DaosError(
      "DER_DF_INCOMPT",
      {
        what: `Reading segment ${id}`,
        why: `its format version is ${version}, this program knows ${FORMAT_VERSION}`,
        remedy: "use the release that wrote the pool, or upgrade the pool with it",
      },
      { version, known: FORMAT_VERSION },
    );
  }
  if (reader.u32() !== CHECKSUM_BLOCK_SIZE) throw reader.malformed("its block size is unknown");
  if (reader.u64() !== BigInt(id)) throw reader.malformed("it belongs to another segment");
  if (Buffer.compare(reader.raw(16), poolUuid) !== 0) {
    throw reader.malformed("it belongs to another pool");
  }
  const covered = header.subarray(0, SEGMENT_HEADER_SIZE - 4);
  if (reader.u32() !== crc32c(covered, 0, covered.length, 0)) {
    throw reader.malformed("its checksum does not match");
  }
}

const seedBytes = Buffer.alloc(12);
/** The id that was asked for last, in the bytes, and the CRC of its eight bytes. */
let seedId = -1;
let seedOfId = 0;

/** What the seeds of a segment's blocks continue from: the CRC of u64 segment id. */
export function segmentSeed(id: number): number {
  if (id !== seedId) {
    seedBytes.writeBigUInt64BE(BigInt(id), 0);
    seedOfId = crc32c(seedBytes, 0, 8, 0);
    seedId = id;
  }
  return seedOfId;
}

/** The CRC that a block's checksum continues from: that of u64 segment id, u32 block. */
export function blockSeed(id: number, block: number): number {
  const seed = segmentSeed(id);
  seedBytes.writeUInt32BE(block, 8);
  // For four bytes, calling the addon costs more than the tables.
  return crc32cPortable(seedBytes, 8, 12, seed);
}
