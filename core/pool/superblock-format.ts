/**
 * The superblock: what makes a directory a pool. Written once, when the pool is created.
 *
 * File `POOL` in the pool's directory, version 1:
 *
 *     magic "DAOSPOOL", u32 format version, 16 bytes UUID, u8 durability (0 power, 1 process),
 *     u64 creation time (ns since 1970), text label, u32 CRC-32C of all before
 *
 * @module
 */

import { crc32c } from "../device/crc32c.js";
import { DaosError } from "../errors.js";
import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import { FORMAT_VERSION } from "../limits.js";

/** Name of the superblock in a pool's directory. */
export const SUPERBLOCK_FILE = "POOL";

/** Its name once a destruction of the pool was begun. */
export const DESTROYING_FILE = `${SUPERBLOCK_FILE}.destroying`;

const MAGIC = Buffer.from("DAOSPOOL", "latin1");
/** Durable: DO NOT CHANGE THESE VALUES. */
const DURABILITIES = ["power", "process"] as const;

/**
 * What a pool survives. `power`: killed processes and power cuts; a commit returns when it is on the
 * device. `process`: killed processes only; a power cut may cost the whole pool.
 */
export type Durability = (typeof DURABILITIES)[number];

/** The fixed properties of a pool. */
export interface Superblock {
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  readonly durability: Durability;
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly created: bigint;
  readonly label: string;
}

/** Encodes a superblock; of all versions so far the fields are the same. */
export function encodeSuperblock(
  superblock: Superblock,
  version: number = FORMAT_VERSION,
): Uint8Array {
  const writer = new ByteWriter(128)
    .raw(MAGIC)
    .u32(version)
    .raw(superblock.uuid)
    .u8(DURABILITIES.indexOf(superblock.durability))
    .u64(superblock.created)
    .text(superblock.label);
  const covered = writer.finish();
  return writer.u32(crc32c(covered, 0, covered.length, 0)).finish();
}

/** The error of a pool whose format version this release cannot use. */
export function unknownVersion(what: string, path: string, version: number): DaosError {
  const isOlder = version < FORMAT_VERSION;
  const remedy = isOlder
    ? "upgrade it with Pool.upgrade() or `dmg pool upgrade`, while nobody uses it"
    : "use a release that knows that version";
  const why = `its format version is ${version}, this program knows version ${FORMAT_VERSION}`;
  const facts = { path, version, known: FORMAT_VERSION };
  return new DaosError("DER_DF_INCOMPT", { what, why, remedy }, facts);
}

function readVersion(reader: ByteReader): number {
  if (Buffer.compare(reader.raw(8), MAGIC) !== 0) throw reader.malformed("it is not a superblock");
  return reader.u32();
}

/**
 * The format version that a superblock says.
 *
 * @throws {@link DaosError} `DER_DF_INVAL` if it is not a superblock.
 */
export function superblockVersion(bytes: Uint8Array, path: string): number {
  return readVersion(new ByteReader(bytes, `the superblock of pool ${path}`));
}

/**
 * Decodes a superblock.
 *
 * @param known The version that it may have.
 * @throws {@link DaosError} `DER_DF_INCOMPT` if another format version wrote it, `DER_DF_INVAL` if it is
 *   damaged or not a superblock.
 */
export function decodeSuperblock(
  bytes: Uint8Array,
  path: string,
  known: number = FORMAT_VERSION,
): Superblock {
  const reader = new ByteReader(bytes, `the superblock of pool ${path}`);
  const version = readVersion(reader);
  if (version !== known) throw unknownVersion(`Connecting to pool ${path}`, path, version);
  const uuid = reader.raw(16).slice();
  const durability = DURABILITIES[reader.u8()];
  const created = reader.u64();
  const label = reader.text();
  const size = bytes.length - reader.remaining;
  if (reader.u32() !== crc32c(bytes, 0, size, 0) || durability === undefined) {
    throw reader.malformed("its checksum does not match");
  }
  reader.end();
  return { uuid, durability, created, label };
}
