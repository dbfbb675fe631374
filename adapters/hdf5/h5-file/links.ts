/**
 * Links of groups: in a symbol table, in messages of the header, or in a heap with a tree of names.
 *
 *     symbol table node   "SNOD", u8 1, u8 0, u16 count, entries: length name, address header,
 *                         u32 cache (2: soft link), u32 0, 16 bytes (of a soft link: u32 path)
 *     link message        u8 1, u8 flags, (u8 type), (i64 order), (u8 charset), length of the name,
 *                         name; hard: address; soft: u16 size, path; others: u16 size, data
 *
 * Source: HDF5 File Format Specification, sections III.B and IV.A.2.g.
 *
 * @module
 */

import type { CharacterSet } from "../datatype/datatype.js";
import type { CreationOrder } from "../description.js";
import { oldTreeLeaves } from "./btree-v1.js";
import { treeRecords } from "./btree-v2.js";
import { Fields, type H5Format } from "./format.js";
import { FractalHeap } from "./fractal-heap.js";
import { LocalHeap } from "./local-heap.js";

const CACHED_SOFT_LINK = 2;
const SOFT = 1;
const EXTERNAL = 64;
const HAS_ORDER = 1 << 2;
const HAS_TYPE = 1 << 3;
const HAS_CHARSET = 1 << 4;

/** A link as it is stored. */
export type LinkRecord = {
  readonly name: string;
  readonly nameCharset: CharacterSet;
  /** Place in the order of creation, if that is tracked. */
  readonly order: bigint;
} & (
  | { readonly kind: "hard"; readonly address: number }
  | { readonly kind: "soft"; readonly path: string }
  | { readonly kind: "external"; readonly file: string; readonly path: string }
  | { readonly kind: "user"; readonly type: number; readonly data: Uint8Array }
);

/** What a link info message says. */
export interface LinkInfo {
  readonly order: CreationOrder;
  /** Where the links are if they are not in the header. */
  readonly heap: number | undefined;
  readonly names: number | undefined;
}

/** Decodes a link info message. */
export function decodeLinkInfo(fields: Fields): LinkInfo {
  fields.version("link info", 0);
  const flags = fields.u8();
  const order = { isTracked: (flags & 1) !== 0, isIndexed: (flags & 2) !== 0 };
  if (order.isTracked) fields.skip(8);
  return { order, heap: fields.address(), names: fields.address() };
}

/** Decodes a link message. */
export function decodeLink(fields: Fields): LinkRecord {
  fields.version("link", 1);
  const flags = fields.u8();
  const type = flags & HAS_TYPE ? fields.u8() : 0;
  const order = flags & HAS_ORDER ? fields.u64() : 0n;
  const charset = flags & HAS_CHARSET ? fields.u8() : 0;
  if (charset > 1) throw fields.malformed(`character set ${charset} is not known`);
  const nameCharset = charset === 1 ? "utf8" : "ascii";
  const name = fields.text(fields.length(1 << (flags & 3)));
  const base = { name, nameCharset, order } as const;
  if (type === 0) return { ...base, kind: "hard", address: fields.presentAddress() };
  const size = fields.u16();
  if (type === SOFT) return { ...base, kind: "soft", path: fields.text(size) };
  if (type !== EXTERNAL) {
    return { ...base, kind: "user", type, data: Uint8Array.from(fields.raw(size)) };
  }
  const target = fields.rest(size);
  target.version("external link", 0);
  return { ...base, kind: "external", file: target.cString(), path: target.cString() };
}

/** Links in a symbol table, in the order of their names. */
export function* symbolTableLinks(
  format: H5Format,
  message: Fields,
  what: string,
): Generator<LinkRecord> {
  const address = message.presentAddress();
  const heap = new LocalHeap(format, message.presentAddress(), what);
  const tree = { address, type: 0, keySize: format.lengthSize } as const;
  const met = new Set<number>();
  for (const { child } of oldTreeLeaves(format, tree, what)) {
    if (met.has(child)) throw message.malformed("parts of a symbol table lead to each other");
    met.add(child);
    yield* nodeLinks(format, heap, child, what);
  }
}

function* nodeLinks(
  format: H5Format,
  heap: LocalHeap,
  address: number,
  what: string,
): Generator<LinkRecord> {
  const head = format.record(address, 8, what).signature("SNOD");
  head.version("symbol table node", 1);
  const count = head.skip(1).u16();
  const entrySize = format.lengthSize + format.offsetSize + 24;
  const fields = format.record(address + 8, count * entrySize, what);
  for (let index = 0; index < count; index++) {
    const name = heap.text(fields.size());
    const header = fields.address();
    const cache = fields.u32();
    const scratch = fields.skip(4).rest(16);
    const base = { name, nameCharset: "ascii", order: 0n } as const;
    if (cache === CACHED_SOFT_LINK) {
      yield { ...base, kind: "soft", path: heap.text(scratch.u32()) };
    } else {
      if (header === undefined) throw fields.malformed("a link leads nowhere");
      yield { ...base, kind: "hard", address: header };
    }
  }
}

/** Links in a heap, in no order. */
export function* denseLinks(
  format: H5Format,
  { heap, names }: LinkInfo,
  what: string,
): Generator<LinkRecord> {
  if (heap === undefined || names === undefined) return;
  const links = new FractalHeap(format, heap, what);
  for (const record of treeRecords(format, names, what)) {
    const id = record.skip(4).raw(links.idSize);
    yield decodeLink(new Fields(links.get(id), what, format));
  }
}

/** Puts links into the order in which they are listed: of creation if that is tracked, else by name. */
export function orderLinks(links: LinkRecord[], { isTracked }: CreationOrder): LinkRecord[] {
  if (isTracked) return links.sort((a, b) => Number(a.order - b.order));
  return links.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}
