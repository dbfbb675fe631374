/**
 * Writes the links of a group: in its header if they are few, else in a fractal heap with trees.
 *
 * Source: HDF5 File Format Specification, sections IV.A.2.c (link info) and IV.A.2.g (link).
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import type { TargetFile } from "../../local/target-file.js";
import type { CreationOrder, SourceLink } from "../description.js";
import { lookup3 } from "../h5-file/lookup3.js";
import { FieldWriter } from "../messages/field-codec.js";
import { TREE_TYPE, writeTree } from "./btree-v2.js";
import { UNDEFINED_ADDRESS } from "./fields.js";
import { HeapWriter, LINK_HEAP } from "./fractal-heap.js";
import { COMPACT_COUNT_MAX, MESSAGE_SIZE_MAX } from "./limits.js";
import { MESSAGE, type Message } from "./object-header.js";

const KIND = { hard: 0, soft: 1, external: 64 } as const;
const HAS_ORDER = 1 << 2;
const HAS_KIND = 1 << 3;
const HAS_CHARSET = 1 << 4;
const CHARSETS = ["ascii", "utf8"] as const;
const ORDER_TRACKED = 1;
const ORDER_INDEXED = 2;
/** Most bytes of what a soft, external or user-defined link holds. */
const VALUE_SIZE_MAX = 65_535;

/** A link whose object, if it leads to one, has an address. */
export type TargetLink =
  | Exclude<SourceLink, { kind: "hard" }>
  | (Pick<SourceLink, "name" | "nameCharset"> & {
      readonly kind: "hard";
      readonly address: number;
    });

function linkValue(link: Exclude<TargetLink, { kind: "hard" }>): Uint8Array {
  switch (link.kind) {
    case "soft":
      return Buffer.from(link.path);
    case "external":
      return new FieldWriter(64).u8(0).cString(link.file).cString(link.path).finish();
    case "user":
      return link.data;
  }
}

/** Encodes a link; `order` is its number if that is kept. */
function encodeLink(link: TargetLink, order: number | undefined): Uint8Array {
  const name = Buffer.from(link.name);
  const code = name.length < 0x100 ? 0 : name.length < 0x1_0000 ? 1 : 2;
  const kind = link.kind === "user" ? link.type : KIND[link.kind];
  const flags =
    code |
    (order === undefined ? 0 : HAS_ORDER) |
    (kind === KIND.hard ? 0 : HAS_KIND) |
    (link.nameCharset === "ascii" ? 0 : HAS_CHARSET);
  const writer = new FieldWriter(name.length + 64).u8(1).u8(flags);
  if (kind !== KIND.hard) writer.u8(kind);
  if (order !== undefined) writer.u64(order);
  if (link.nameCharset !== "ascii") writer.u8(CHARSETS.indexOf(link.nameCharset));
  writer.uint(name.length, 2 ** code).raw(name);
  if (link.kind === "hard") return writer.u64(link.address).finish();
  const value = linkValue(link);
  if (value.length > VALUE_SIZE_MAX) {
    const text = {
      what: `Writing link "${link.name}"`,
      why: `what it leads to has ${value.length} bytes, and HDF5 takes at most ${VALUE_SIZE_MAX}`,
      remedy: "let it lead to a shorter path",
    };
    throw new DaosError("DER_REC2BIG", text, { name: link.name });
  }
  return writer.u16(value.length).raw(value).finish();
}

interface StoredLink {
  readonly name: Buffer;
  readonly hash: number;
  readonly id: Uint8Array;
}

/** As HDF5 compares names in such trees: by checksum, then byte for byte. */
function compareNames(first: StoredLink, second: StoredLink): number {
  return first.hash - second.hash || Buffer.compare(first.name, second.name);
}

/** Where dense links are. */
interface DenseLinks {
  readonly heap: number;
  readonly names: number;
  readonly orders: number | undefined;
}

function writeDense(
  target: TargetFile,
  links: readonly TargetLink[],
  bodies: readonly Uint8Array[],
  isIndexed: boolean,
): DenseLinks {
  const sizeMax = bodies.reduce((most, { length }) => Math.max(most, length), 0);
  const heap = new HeapWriter(target, LINK_HEAP, sizeMax);
  const stored = links.map((link, index): StoredLink => {
    const name = Buffer.from(link.name);
    return { name, hash: lookup3(name), id: heap.put(bodies[index] as Uint8Array) };
  });
  const orders = stored.map(({ id }, order) => new FieldWriter(16).u64(order).raw(id).finish());
  stored.sort(compareNames);
  const names = stored.map(({ hash, id }) => new FieldWriter(16).u32(hash).raw(id).finish());
  return {
    heap: heap.finish(),
    names: writeTree(target, TREE_TYPE.linkNames, {
      records: names,
      recordSize: 4 + heap.idSize,
    }),
    orders: isIndexed
      ? writeTree(target, TREE_TYPE.linkOrder, { records: orders, recordSize: 8 + heap.idSize })
      : undefined,
  };
}

/** Writes links, and returns the messages that say where they are, or are them. */
export function writeLinks(
  target: TargetFile,
  links: readonly TargetLink[],
  { isTracked, isIndexed }: CreationOrder,
): Message[] {
  const bodies = links.map((link, order) => encodeLink(link, isTracked ? order : undefined));
  const isCompact =
    links.length <= COMPACT_COUNT_MAX && bodies.every(({ length }) => length <= MESSAGE_SIZE_MAX);
  const hasIndex = isTracked && isIndexed;
  const dense = isCompact ? undefined : writeDense(target, links, bodies, hasIndex);
  const info = new FieldWriter(40).u8(0);
  info.u8((isTracked ? ORDER_TRACKED : 0) | (hasIndex ? ORDER_INDEXED : 0));
  if (isTracked) info.u64(links.length);
  info.u64(dense?.heap ?? UNDEFINED_ADDRESS).u64(dense?.names ?? UNDEFINED_ADDRESS);
  if (hasIndex) info.u64(dense?.orders ?? UNDEFINED_ADDRESS);
  const messages: Message[] = [
    { type: MESSAGE.linkInfo, body: info.finish() },
    { type: MESSAGE.groupInfo, body: new Uint8Array(2), isConstant: true },
  ];
  if (isCompact) for (const body of bodies) messages.push({ type: MESSAGE.link, body });
  return messages;
}
