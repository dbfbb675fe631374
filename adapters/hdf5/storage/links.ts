/**
 * The links of a group: names that lead to objects, or to other names.
 *
 * An object has one *first* hard link, an entry of the namespace, and may have others, which it knows: the
 * value under dkey `.`, akey `H5_NAMES` of the object lists them, each as 16 bytes id of the group and the
 * link's dkey as bytes. If the first link goes, one of the others takes its place; with the last one the
 * object goes.
 *
 * @module
 */

import { ByteReader, ByteWriter, DaosError, type ObjectId } from "../../../core/index.js";
import { inodeAt, listDirectory, listValues, newInode, putInode } from "../../dfs/index.js";
import type { CharacterSet } from "../datatype/datatype.js";
import type { Session } from "../session.js";
import {
  decodeLink,
  encodeLink,
  LINK_AKEY,
  type LinkRecord,
  type LinkTarget,
  linkKey,
  usualCharset,
} from "./link-format.js";
import { encodeOid, HEADER_DKEY, PLAIN_GROUP, readOid } from "./object-format.js";
import { hasHeader, readHeader } from "./objects.js";

const NAMES_AKEY = Buffer.from("H5_NAMES");

/** A link of a group. */
export interface StoredLink {
  readonly name: string;
  readonly nameCharset: CharacterSet;
  /** Place in the order of creation, if that is tracked. */
  readonly order: number | undefined;
  readonly target: LinkTarget;
}

/** Where a hard link is stored. */
interface LinkPlace {
  readonly group: ObjectId;
  readonly dkey: Uint8Array;
}

function recordAt(session: Session, group: ObjectId, dkey: Uint8Array): LinkRecord | undefined {
  const value = session.get(group, dkey, LINK_AKEY);
  return value && decodeLink(value, dkey);
}

/** What an inode leads to, if it is a part of the file. */
function firstTarget(
  session: Session,
  { kind, oid }: { kind: string; oid: ObjectId },
): LinkTarget | undefined {
  if (kind === "directory") return { kind: "hard", oid, isGroup: true };
  // What another front end put beside is no part of the file.
  if (kind !== "file" || !hasHeader(session, oid)) return undefined;
  return { kind: "hard", oid, isGroup: false };
}

function linkOf(name: string, record: LinkRecord | undefined, target: LinkTarget): StoredLink {
  const nameCharset = record?.nameCharset ?? usualCharset(name);
  return { name, nameCharset, order: record?.order, target };
}

/** The link of a name, if there is one. */
export function getLink(session: Session, group: ObjectId, name: string): StoredLink | undefined {
  const { dkey } = linkKey(name);
  const record = recordAt(session, group, dkey);
  if (record !== undefined && record.target.kind !== "first") {
    return linkOf(name, record, record.target);
  }
  const inode = inodeAt(session.state("Opening"), { parent: group, name: dkey });
  const target = inode && firstTarget(session, inode);
  return target && linkOf(name, record, target);
}

/** The links of a group, in the order of the bytes of their names, or of their creation. */
export function listLinks(
  session: Session,
  group: ObjectId,
  by: "name" | "creation" = "name",
): StoredLink[] {
  const state = session.state("Listing");
  const records = new Map<string, LinkRecord>();
  const links: StoredLink[] = [];
  for (const { dkey, value } of listValues(state, group, LINK_AKEY)) {
    const record = decodeLink(value, dkey);
    const text = Buffer.from(dkey).toString();
    records.set(text, record);
    if (record.target.kind !== "first")
      links.push(linkOf(record.name ?? text, record, record.target));
  }
  const others = links.length;
  for (const { name: text, inode } of listDirectory(state, group)) {
    const record = records.get(text);
    if (record !== undefined && record.target.kind !== "first") continue;
    const target = firstTarget(session, inode);
    if (target !== undefined) links.push(linkOf(record?.name ?? text, record, target));
  }
  const isEscaped = [...records.values()].some(({ name }) => name !== undefined);
  if (others > 0 || isEscaped) {
    links.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  }
  if (by === "creation") links.sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
  return links;
}

/** Whether a group tracks the order in which its links are made. */
export function linkOrderOf(session: Session, group: ObjectId, name: string) {
  const header = readHeader(session, group, name) ?? PLAIN_GROUP;
  return header.kind === "group" || header.kind === "file"
    ? header.linkOrder
    : PLAIN_GROUP.linkOrder;
}

function otherPlaces(session: Session, oid: ObjectId): LinkPlace[] {
  const value = session.get(oid, HEADER_DKEY, NAMES_AKEY);
  if (value === undefined) return [];
  const reader = new ByteReader(value, "the links of an HDF5 object");
  const places: LinkPlace[] = [];
  while (reader.remaining > 0) {
    places.push({ group: readOid(reader), dkey: new Uint8Array(reader.bytes()) });
  }
  return places;
}

function putOtherPlaces(session: Session, oid: ObjectId, places: readonly LinkPlace[]): void {
  const writer = new ByteWriter(64);
  for (const { group, dkey } of places) writer.raw(encodeOid(group)).bytes(dkey);
  const value = places.length === 0 ? undefined : writer.finish();
  session.put({ oid, dkey: HEADER_DKEY, akey: NAMES_AKEY, value });
}

const isSamePlace = (a: LinkPlace, b: LinkPlace) =>
  a.group === b.group && Buffer.compare(a.dkey, b.dkey) === 0;

/** A link that is to be made. */
export interface NewLink {
  readonly name: string;
  /** By default UTF-8 if the name is not ASCII. */
  readonly nameCharset?: CharacterSet | undefined;
  readonly target: LinkTarget;
  /** Whether the object has no link yet. */
  readonly isFirst?: boolean;
}

/**
 * Makes a link.
 *
 * @throws `DaosError` `DER_EXIST` if the name is taken.
 */
export function insertLink(session: Session, group: ObjectId, link: NewLink): void {
  const { name, target } = link;
  const what = `Creating link "${name}"`;
  const { own, view } = session.change(what);
  if (getLink(session, group, name) !== undefined) {
    const remedy = "choose another name, or delete the link first";
    throw new DaosError("DER_EXIST", { what, why: "the name is taken", remedy }, { name });
  }
  putRecord(session, group, link);
  if (target.kind !== "hard") return;
  const { dkey } = linkKey(name);
  if (link.isFirst !== true) {
    putOtherPlaces(session, target.oid, [...otherPlaces(session, target.oid), { group, dkey }]);
    return;
  }
  const kind = target.isGroup ? "directory" : "file";
  const drawn = { allocateOid: () => target.oid };
  const inode = newInode(drawn, { view, own }, { kind });
  putInode(own, { parent: group, name: dkey }, inode, "insert");
}

/** Writes the record of a link, if it needs one. */
function putRecord(
  session: Session,
  group: ObjectId,
  { name, nameCharset = usualCharset(name), target, isFirst }: NewLink,
): void {
  const { own } = session.change("Creating a link");
  const { dkey, name: kept } = linkKey(name);
  const next = () => {
    return (
      listLinks(session, group).reduce((most, { order = -1 }) => Math.max(most, order), -1) + 1
    );
  };
  const { isTracked } = linkOrderOf(session, group, name);
  const order = isTracked ? session.nextOrder(`${group}/links`, next) : undefined;
  const isUsual = order === undefined && kept === undefined && nameCharset === usualCharset(name);
  if (isFirst === true && isUsual) return;
  const record = { name: kept, nameCharset, order };
  const value = encodeLink({ ...record, target: isFirst === true ? { kind: "first" } : target });
  // An entry of the namespace has its own condition.
  const condition = isFirst === true ? "none" : "insert";
  own.put({ oid: group, dkey, akey: LINK_AKEY, value, condition });
}

/** Makes another link of an object its first one. */
function promote(session: Session, oid: ObjectId, isGroup: boolean, rest: LinkPlace[]): void {
  const [place, ...others] = rest as [LinkPlace, ...LinkPlace[]];
  const { own, view } = session.change("Removing a link");
  const record = recordAt(session, place.group, place.dkey);
  if (record !== undefined) {
    const value = encodeLink({ ...record, target: { kind: "first" } });
    own.put({ oid: place.group, dkey: place.dkey, akey: LINK_AKEY, value, condition: "none" });
  }
  const kind = isGroup ? "directory" : "file";
  const inode = newInode({ allocateOid: () => oid }, { view, own }, { kind });
  putInode(own, { parent: place.group, name: place.dkey }, inode);
  putOtherPlaces(session, oid, others);
}

/** Takes a link away; says what becomes of the object that it led to. */
function detach(
  session: Session,
  group: ObjectId,
  { name, target }: StoredLink,
): "kept" | "unreachable" {
  const { own } = session.change(`Removing link "${name}"`);
  const { dkey } = linkKey(name);
  const record = recordAt(session, group, dkey);
  own.punchDkey(group, dkey, "update");
  if (target.kind !== "hard") return "kept";
  const places = otherPlaces(session, target.oid);
  if (record?.target.kind === "hard") {
    const place = { group, dkey };
    const rest = places.filter((other) => !isSamePlace(other, place));
    putOtherPlaces(session, target.oid, rest);
    return "kept";
  }
  if (places.length === 0) return "unreachable";
  promote(session, target.oid, target.isGroup, places);
  return "kept";
}

/** Removes a link, and the object with it if that has no other. */
export function removeLink(session: Session, group: ObjectId, link: StoredLink): void {
  const { target } = link;
  const fate = detach(session, group, link);
  if (fate === "kept" || target.kind !== "hard") return;
  if (target.isGroup) {
    for (const below of listLinks(session, target.oid)) removeLink(session, target.oid, below);
  }
  session.punch(target.oid);
}

/** Gives a link another name, or another group. */
export function moveLink(
  session: Session,
  from: { readonly group: ObjectId; readonly link: StoredLink },
  to: { readonly group: ObjectId; readonly name: string },
): void {
  const { target, nameCharset } = from.link;
  const { own } = session.change(`Moving link "${from.link.name}"`);
  const { dkey } = linkKey(from.link.name);
  const isFirst =
    target.kind === "hard" && recordAt(session, from.group, dkey)?.target.kind !== "hard";
  const charset = nameCharset === usualCharset(from.link.name) ? undefined : nameCharset;
  insertLink(session, to.group, { name: to.name, nameCharset: charset, target, isFirst });
  own.punchDkey(from.group, dkey, "update");
  if (target.kind !== "hard" || isFirst) return;
  const place = { group: from.group, dkey };
  const rest = otherPlaces(session, target.oid).filter((other) => !isSamePlace(other, place));
  putOtherPlaces(session, target.oid, rest);
}
