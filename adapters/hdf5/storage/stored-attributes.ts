/**
 * The attributes of an object, with whatever type, space and elements they have.
 *
 * @module
 */

import type { ObjectId } from "../../../core/index.js";
import { listValues } from "../../dfs/index.js";
import type { CharacterSet } from "../datatype/datatype.js";
import type { Session } from "../session.js";
import {
  ATTRIBUTE_AKEY,
  attributeDkey,
  attributeNameOf,
  decodeAttribute,
  encodeAttribute,
  type StoredAttribute,
} from "./attribute-format.js";
import { usualCharset } from "./link-format.js";
import { NO_ORDER } from "./object-format.js";
import { readHeader } from "./objects.js";

/** An attribute with its name. */
export interface NamedAttribute extends StoredAttribute {
  readonly name: string;
}

/** An attribute that is to be stored. */
export type NewAttribute = Omit<NamedAttribute, "order" | "nameCharset"> & {
  /** By default UTF-8 if the name is not ASCII. */
  readonly nameCharset?: CharacterSet | undefined;
};

/** Where an attribute is: those of version 1 have their name as dkey. */
function dkeyOf(session: Session, oid: ObjectId, name: string): Uint8Array | undefined {
  const dkey = attributeDkey(name);
  if (session.has(oid, dkey, ATTRIBUTE_AKEY)) return dkey;
  const first = Buffer.from(name);
  if (name === "" || name.startsWith("/")) return undefined;
  return session.has(oid, first, ATTRIBUTE_AKEY) ? first : undefined;
}

/** Whether there is an attribute of a name. */
export function hasAttribute(session: Session, oid: ObjectId, name: string): boolean {
  return dkeyOf(session, oid, name) !== undefined;
}

/** An attribute, if there is one of the name. */
export function getAttribute(
  session: Session,
  oid: ObjectId,
  name: string,
): NamedAttribute | undefined {
  const dkey = dkeyOf(session, oid, name);
  const value = dkey && session.get(oid, dkey, ATTRIBUTE_AKEY);
  return value && { name, ...decodeAttribute(value, name) };
}

/** The attributes of an object, in the order of creation if that is tracked, else of the bytes of their names. */
export function listAttributes(session: Session, oid: ObjectId): NamedAttribute[] {
  const attributes = listValues(session.state("Listing attributes"), oid, ATTRIBUTE_AKEY).map(
    ({ dkey, value }) => {
      const name = attributeNameOf(dkey, value);
      return { name, ...decodeAttribute(value, name) };
    },
  );
  if (attributes.some(({ order }) => order !== undefined)) {
    return attributes.sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
  }
  return attributes.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

/** Creates or replaces an attribute; one that is replaced keeps its place in the order of creation. */
export function putAttribute(session: Session, oid: ObjectId, attribute: NewAttribute): void {
  const { name, nameCharset = usualCharset(name) } = attribute;
  const known = getAttribute(session, oid, name);
  const order = known === undefined ? nextOrder(session, oid) : known.order;
  removeAttribute(session, oid, name);
  const value = encodeAttribute({ ...attribute, nameCharset, order });
  session.put({ oid, dkey: attributeDkey(name), akey: ATTRIBUTE_AKEY, value });
}

function nextOrder(session: Session, oid: ObjectId): number | undefined {
  const { isTracked } = readHeader(session, oid, "")?.attributeOrder ?? NO_ORDER;
  if (!isTracked) return undefined;
  return session.nextOrder(`${oid}/attributes`, () => {
    return (
      listAttributes(session, oid).reduce((most, { order = -1 }) => Math.max(most, order), -1) + 1
    );
  });
}

/** Removes an attribute. @returns Whether there was one. */
export function removeAttribute(session: Session, oid: ObjectId, name: string): boolean {
  const dkey = dkeyOf(session, oid, name);
  if (dkey === undefined) return false;
  session.put({ oid, dkey, akey: ATTRIBUTE_AKEY, value: undefined });
  return true;
}
