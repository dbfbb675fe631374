/**
 * Handles as bytes that another process of the same machine opens: one rank connects and broadcasts.
 *
 *     magic "DAOSHDL", u8 version, u8 kind (0 pool, 1 container), text host, text boot id, text path,
 *     16 bytes UUID of the pool, u8 mode (0 ro, 1 rw), text rights,
 *     text user, u8 administrator, varint uid + 1 (0: unknown), varint count, text group [count],
 *     varint count, varint gid [count],
 *     of a container: 16 bytes its UUID, u8 force
 *     u32 CRC-32C of all before
 *
 * They are no secret and no proof: the permissions of the pool's files are what protects it. They carry
 * the rights of the handle, which are those of the moment when it was opened.
 *
 * @module
 */

import fs from "node:fs";
import { hostname } from "node:os";
import type { Rights } from "../access/acl.js";
import type { KnownIdentity } from "../access/identity.js";
import { crc32c } from "../device/crc32c.js";
import { DaosError } from "../errors.js";
import { ByteReader, ByteWriter } from "../index/byte-codec.js";

const MAGIC = Buffer.from("DAOSHDL", "latin1");
const GLOBAL_HANDLE_VERSION = 1;
const CHECKSUM_SIZE = 4;
const UUID_SIZE = 16;

/** A machine, from one start to the next. */
export interface Machine {
  readonly host: string;
  /** Drawn by the kernel at each start; empty if it does not tell. */
  readonly bootId: string;
}

/** A handle that left its process. */
export interface GlobalHandle {
  readonly machine: Machine;
  /** Directory of the pool. */
  readonly path: string;
  /** 16 bytes. */
  readonly poolUuid: Uint8Array;
  readonly mode: "ro" | "rw";
  readonly rights: Rights;
  readonly identity: KnownIdentity;
  /** The container of a container's handle. */
  readonly container?: { readonly uuid: Uint8Array; readonly force: boolean };
}

/** The machine on which this process runs. */
export function thisMachine(): Machine {
  let bootId = "";
  try {
    bootId = fs.readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    // A system without it is known by its host name alone.
  }
  return { host: hostname(), bootId };
}

/** Encodes a handle. */
export function encodeGlobalHandle(handle: GlobalHandle): Uint8Array {
  const { machine, path, poolUuid, mode, rights, identity, container } = handle;
  const writer = new ByteWriter(256)
    .raw(MAGIC)
    .u8(GLOBAL_HANDLE_VERSION)
    .u8(container === undefined ? 0 : 1)
    .text(machine.host)
    .text(machine.bootId)
    .text(path)
    .raw(poolUuid)
    .u8(mode === "ro" ? 0 : 1)
    .text(rights)
    .text(identity.user)
    .u8(identity.isAdministrator === true ? 1 : 0)
    .varint(identity.uid === undefined ? 0 : identity.uid + 1)
    .varint(identity.groups.length);
  for (const group of identity.groups) writer.text(group);
  const { gids = [] } = identity;
  writer.varint(gids.length);
  for (const gid of gids) writer.varint(gid);
  if (container !== undefined) writer.raw(container.uuid).u8(container.force ? 1 : 0);
  const covered = writer.finish();
  return writer.u32(crc32c(covered, 0, covered.length, 0)).finish();
}

function refused(what: string, why: string): DaosError {
  const remedy = "give the bytes that toGlobal() of this release returned, unchanged";
  return new DaosError("DER_INVAL", { what, why, remedy });
}

function readIdentity(reader: ByteReader): KnownIdentity {
  const user = reader.text();
  const isAdministrator = reader.u8() === 1;
  const uid = reader.varint() - 1;
  const groups = Array.from({ length: reader.varint() }, () => reader.text());
  const gids = Array.from({ length: reader.varint() }, () => reader.varint());
  return { user, groups, gids, isAdministrator, ...(uid < 0 ? {} : { uid }) };
}

/**
 * Decodes a handle, and refuses one of another machine: the locks by which handles are counted do not
 * reach there.
 *
 * @throws {@link DaosError} `DER_INVAL` if it is damaged or not of the kind, `DER_NOSYS` if it is of another
 *   machine, or of this one before it was started again.
 */
export function decodeGlobalHandle(
  what: string,
  bytes: Uint8Array,
  kind: "pool" | "container",
): GlobalHandle {
  const size = bytes.length - CHECKSUM_SIZE;
  const begins = Buffer.compare(bytes.subarray(0, MAGIC.length), MAGIC) === 0;
  if (!begins || size <= MAGIC.length) throw refused(what, "these bytes are no handle");
  const checksum = new ByteReader(bytes.subarray(size), "a handle").u32();
  if (checksum !== crc32c(bytes, 0, size, 0)) throw refused(what, "the handle is damaged");
  const reader = new ByteReader(bytes.subarray(0, size), "a handle");
  reader.raw(MAGIC.length);
  const version = reader.u8();
  if (version !== GLOBAL_HANDLE_VERSION) throw refused(what, `its version is ${version}`);
  const isContainer = reader.u8() === 1;
  if (isContainer !== (kind === "container")) throw refused(what, `it is no handle of a ${kind}`);
  const machine = { host: reader.text(), bootId: reader.text() };
  const now = thisMachine();
  if (machine.host !== now.host || machine.bootId !== now.bootId) {
    const why = `the handle was made on ${machine.host}, or before this machine was started`;
    const remedy = "connect on this machine instead: an embedded pool is used on one node";
    throw new DaosError("DER_NOSYS", { what, why, remedy }, { host: machine.host });
  }
  const path = reader.text();
  const poolUuid = reader.raw(UUID_SIZE).slice();
  const mode = reader.u8() === 0 ? "ro" : "rw";
  const rights = reader.text();
  const fields = { machine, path, poolUuid, mode, rights, identity: readIdentity(reader) } as const;
  if (!isContainer) return fields;
  const container = { uuid: reader.raw(UUID_SIZE).slice(), force: reader.u8() === 1 };
  return { ...fields, container };
}
