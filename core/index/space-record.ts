/**
 * The space of a pool: the limit of each tier, and what its segments take.
 *
 * The record lies in the index, so that a limit and the space under it are compared in one transaction,
 * whichever process changes either: a segment's growth is registered here before its file grows.
 *
 * Key: `pool` space, component "space". Value, version 1:
 *
 *     u8 version, varint limit of scm (0: none), varint limit of nvme (0: none),
 *     varint size of all segment files
 *
 * Who may use a tier's reserve:
 *
 * | use       | who                                                          | leaves           |
 * |-----------|--------------------------------------------------------------|------------------|
 * | `write`   | everything that stores something new                         | the reserve      |
 * | `remove`  | commits that only punch, snapshots that end                  | half of it       |
 * | `reclaim` | aggregation (also the copying one), recovery, ending a lease | nothing          |
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { NVME_RESERVE_SHARE, NVME_RESERVE_SIZE_MIN, RESERVE_SIZE_MAX } from "../limits.js";
import { ByteReader, ByteWriter } from "./byte-codec.js";
import { KeyBuilder, KeySpace } from "./key-codec.js";

const RECORD_VERSION = 1;

/** A tier of a pool. */
export type Tier = "scm" | "nvme";

/** What space is used for, and so how much of a tier's reserve it may take. */
export type SpaceUse = "write" | "remove" | "reclaim";

/** Limits and use of a pool's space, in bytes. */
export interface SpaceRecord {
  /** Most bytes of the files beside the index, and of the index itself. */
  readonly scmLimit: number | undefined;
  /** Most bytes of all segment files. */
  readonly nvmeLimit: number | undefined;
  /** Bytes of all registered segment files; a file is at most as long as it is counted here. */
  readonly nvmeSize: number;
}

const UNLIMITED: SpaceRecord = { scmLimit: undefined, nvmeLimit: undefined, nvmeSize: 0 };

const KEY = new KeyBuilder(KeySpace.pool).component(Buffer.from("space")).done();

/** What of an index is needed to read the record. */
interface Reader {
  get(key: Uint8Array): Uint8Array | undefined;
}

/** Reads the record; a pool without one has no limits. */
export function getSpace(reader: Reader): SpaceRecord {
  const value = reader.get(KEY);
  if (value === undefined) return UNLIMITED;
  const fields = new ByteReader(value, "the space of the pool");
  if (fields.u8() !== RECORD_VERSION) throw fields.malformed("its version is unknown");
  const [scmLimit, nvmeLimit, nvmeSize] = [fields.varint(), fields.varint(), fields.varint()];
  fields.end();
  return { scmLimit: scmLimit || undefined, nvmeLimit: nvmeLimit || undefined, nvmeSize };
}

/** Stores the record. */
export function putSpace(
  tx: { put(key: Uint8Array, value: Uint8Array): void },
  { scmLimit, nvmeLimit, nvmeSize }: SpaceRecord,
): void {
  const writer = new ByteWriter(25).u8(RECORD_VERSION);
  tx.put(
    KEY,
    writer
      .varint(scmLimit ?? 0)
      .varint(nvmeLimit ?? 0)
      .varint(nvmeSize)
      .finish(),
  );
}

/** What a use must leave of a reserve. */
export function reserveLeftBy(use: SpaceUse, reserve: number): number {
  if (use === "write") return reserve;
  return use === "remove" ? Math.floor(reserve / 2) : 0;
}

/** The reserve of the segments' tier. `total` is its limit, or the size of its file system. */
export function nvmeReserve(total: number): number {
  const share = Math.floor(total / NVME_RESERVE_SHARE);
  return Math.min(RESERVE_SIZE_MAX, Math.max(NVME_RESERVE_SIZE_MIN, share));
}

/** The error of a tier that is full. Sizes in bytes. */
export function noSpace(
  what: string,
  facts: { tier: Tier; needed: number; free: number; limited: boolean },
  cause?: unknown,
): DaosError {
  const { tier, needed, free, limited } = facts;
  const bound = limited ? "its limit" : "its file system";
  const why = `tier ${tier} has ${free} bytes free within ${bound}, ${needed} are needed`;
  const more = limited ? "raise the limit with pool.setSize()" : "free space on that file system";
  const remedy = `remove data or snapshots and aggregate, or ${more}; nothing was committed`;
  return new DaosError("DER_NOSPACE", { what, why, remedy }, facts, cause);
}
