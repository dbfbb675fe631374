/**
 * What all objects in the store have: an identity, and attributes.
 *
 * @module
 */

import type { ObjectId } from "../../../core/index.js";
import type { Session } from "../session.js";
import { noteReference } from "./objects.js";
import { type NewAttribute, putAttribute } from "./stored-attributes.js";

/** An object of any kind. */
export class StoredObject {
  readonly session: Session;
  readonly oid: ObjectId;
  /** Name in the file, for errors. */
  readonly name: string;

  constructor(session: Session, oid: ObjectId, name: string) {
    this.session = session;
    this.oid = oid;
    this.name = name;
  }

  /** Identity in the file. */
  get id(): string {
    return this.oid.toString();
  }

  /** A reference to the object as elements hold it; noted, so that it can be followed. */
  reference(): bigint {
    return noteReference(this.session, this.oid);
  }

  /** Creates or replaces an attribute. */
  putAttribute(attribute: NewAttribute): void {
    putAttribute(this.session, this.oid, attribute);
  }
}
