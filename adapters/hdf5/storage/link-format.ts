/**
 * A link of a group, as far as the inode of its name does not say it.
 *
 * A link name is a dkey of the group's object. The first hard link of an object is a name of the namespace:
 * akey `DFS_INODE`. All others, and what an inode does not say, are the value under akey `H5_LINK`:
 *
 *     version 1   u8 1, u8 kind, u8 flags (1 name is UTF-8, 2 has an order, 4 has a name), if it has:
 *                 varint order of creation, text name; then of kind
 *       0 first   nothing: the inode beside it says where it leads
 *       1 hard    u8 1 for a group, 0 for another object, 16 bytes object id
 *       2 soft    text path
 *       3 external text file, text path
 *       4 user    u8 type, bytes
 *
 * A name that is none of the namespace (`..`, one of more than 255 bytes, one that begins with U+0001) is
 * the dkey U+0001 and 32 hexadecimal digits of its SHA-256; the record then has the name. A link without a
 * record is a first one without an order, whose name is UTF-8 if it is not ASCII.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { ByteReader, ByteWriter, DaosError, type ObjectId } from "../../../core/index.js";
import { NAME_SIZE_MAX } from "../../dfs/index.js";
import type { CharacterSet } from "../datatype/datatype.js";
import { encodeOid, readOid } from "./object-format.js";

/** The akey of link records. */
export const LINK_AKEY = Buffer.from("H5_LINK");

const VERSION = 1;
const IS_UTF8 = 1;
const HAS_ORDER = 2;
const HAS_NAME = 4;
const ESCAPE = "\u0001";
const DIGITS = 32;
/** Durable: DO NOT CHANGE THESE VALUES. */
const KINDS = ["first", "hard", "soft", "external", "user"] as const;

/** Where a link leads. */
export type LinkTarget =
  | { readonly kind: "hard"; readonly oid: ObjectId; readonly isGroup: boolean }
  | { readonly kind: "soft"; readonly path: string }
  | { readonly kind: "external"; readonly file: string; readonly path: string }
  | { readonly kind: "user"; readonly type: number; readonly data: Uint8Array };

/** A link record. */
export interface LinkRecord {
  /** The name, if the dkey is not it. */
  readonly name: string | undefined;
  readonly nameCharset: CharacterSet;
  /** Place in the order of creation, if that is tracked. */
  readonly order: number | undefined;
  /** `first`: where the inode beside it leads. */
  readonly target: LinkTarget | { readonly kind: "first" };
}

/** The character set of a name that nobody chose. */
export function usualCharset(name: string): CharacterSet {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what ASCII is.
  return /^[\x00-\x7f]*$/.test(name) ? "ascii" : "utf8";
}

/** Whether a link's name is also one that the namespace can have. */
function isPlain(name: string): boolean {
  if (name === "." || name === ".." || name.startsWith(ESCAPE)) return false;
  return Buffer.byteLength(name) <= NAME_SIZE_MAX;
}

/** The dkey of a link, and its name if the record must have it. */
export function linkKey(name: string): { dkey: Buffer; name: string | undefined } {
  if (isPlain(name)) return { dkey: Buffer.from(name), name: undefined };
  const digits = createHash("sha256").update(name).digest("hex").slice(0, DIGITS);
  return { dkey: Buffer.from(ESCAPE + digits), name };
}

/** Encodes a link record. */
export function encodeLink({ name, nameCharset, order, target }: LinkRecord): Uint8Array {
  const flags =
    (nameCharset === "utf8" ? IS_UTF8 : 0) |
    (order === undefined ? 0 : HAS_ORDER) |
    (name === undefined ? 0 : HAS_NAME);
  const writer = new ByteWriter(64).u8(VERSION).u8(KINDS.indexOf(target.kind)).u8(flags);
  if (order !== undefined) writer.varint(order);
  if (name !== undefined) writer.text(name);
  if (target.kind === "hard") writer.u8(target.isGroup ? 1 : 0).raw(encodeOid(target.oid));
  if (target.kind === "soft") writer.text(target.path);
  if (target.kind === "external") writer.text(target.file).text(target.path);
  if (target.kind === "user") writer.u8(target.type).bytes(target.data);
  return writer.finish();
}

function readTarget(reader: ByteReader, kind: (typeof KINDS)[number]): LinkRecord["target"] {
  switch (kind) {
    case "first":
      return { kind };
    case "hard": {
      const isGroup = reader.u8() === 1;
      return { kind, isGroup, oid: readOid(reader) };
    }
    case "soft":
      return { kind, path: reader.text() };
    case "external": {
      const file = reader.text();
      return { kind, file, path: reader.text() };
    }
    case "user": {
      const type = reader.u8();
      return { kind, type, data: new Uint8Array(reader.bytes()) };
    }
  }
}

/**
 * Decodes a link record.
 *
 * @throws `DaosError` `DER_DF_INCOMPT` if another format version wrote it, `DER_DF_INVAL` if it is
 *   damaged.
 */
export function decodeLink(value: Uint8Array, dkey: Uint8Array): LinkRecord {
  const what = `link "${Buffer.from(dkey).toString()}"`;
  const reader = new ByteReader(value, what);
  const version = reader.u8();
  if (version !== VERSION) {
    const why = `its format version is ${version}, this program knows version ${VERSION}`;
    const remedy = "use a release that knows that version";
    const facts = { version, known: VERSION };
    throw new DaosError("DER_DF_INCOMPT", { what: `Reading ${what}`, why, remedy }, facts);
  }
  const kind = KINDS[reader.u8()];
  if (kind === undefined) throw reader.malformed("its kind is not known");
  const flags = reader.u8();
  const order = (flags & HAS_ORDER) === 0 ? undefined : reader.varint();
  const name = (flags & HAS_NAME) === 0 ? undefined : reader.text();
  const target = readTarget(reader, kind);
  reader.end();
  return { name, nameCharset: (flags & IS_UTF8) === 0 ? "ascii" : "utf8", order, target };
}
