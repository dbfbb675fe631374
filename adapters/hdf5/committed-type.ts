/**
 * A datatype with a name in the file, which datasets and attributes can share.
 *
 * @module
 */

import { Attributes } from "./attributes/attributes.js";
import type { Datatype } from "./datatype/datatype.js";
import { type DType, dtypeNameOf } from "./datatype/names.js";
import type { StoredObject } from "./storage/stored-object.js";
import { Reference } from "./values/references.js";

/** A committed datatype. */
export class CommittedType {
  /** Name in the file, from its root: `/types/particle`. */
  readonly name: string;
  /** The datatype, to the bit. */
  readonly type: Datatype;
  /** The attributes of the datatype. */
  readonly attrs: Attributes;
  /** The datatype as the store has it. @internal */
  readonly stored: StoredObject;

  /** @internal */
  constructor(stored: StoredObject, type: Datatype) {
    this.name = stored.name;
    this.type = type;
    this.attrs = new Attributes(stored.session, stored.oid);
    this.stored = stored;
  }

  /** The datatype: its name if it has one, else {@link type}. */
  get dtype(): DType {
    return dtypeNameOf(this.type) ?? this.type;
  }

  /** A reference to it. */
  get ref(): Reference {
    return new Reference(this.stored.reference());
  }
}
