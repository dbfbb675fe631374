/**
 * A group in the store: how objects of any description are made, and linked.
 *
 * Here nothing is inferred, converted or checked beyond what the store itself needs: import and the API are
 * built on it.
 *
 * @module
 */

import type { ObjectId } from "../../../core/index.js";
import { type CharacterSet, type Datatype, hasSlots } from "../datatype/datatype.js";
import type { CreationOrder, DatasetDescription } from "../description.js";
import type { Session } from "../session.js";
import type { LinkTarget } from "./link-format.js";
import { getLink, insertLink, linkOrderOf, listLinks, type StoredLink } from "./links.js";
import { type DatasetHeader, NO_ORDER } from "./object-format.js";
import { newOid, readHeader, writeHeader } from "./objects.js";
import { storeSlots } from "./slots.js";
import { StoredDataset, storageFor } from "./stored-dataset.js";
import { StoredObject } from "./stored-object.js";

/** What any new object may have. */
export interface ObjectOptions {
  /** Of the link that leads to it; by default UTF-8 if the name is not ASCII. */
  readonly nameCharset?: CharacterSet | undefined;
  readonly attributeOrder?: CreationOrder | undefined;
  readonly comment?: string | undefined;
}

/** What a new dataset may have. */
export interface DatasetFacts extends ObjectOptions {
  /** Whether all of its elements are written next. */
  readonly isFilled?: boolean;
}

/** What a new group may have. */
export interface GroupFacts extends ObjectOptions {
  readonly linkOrder?: CreationOrder | undefined;
}

const isPlain = ({ linkOrder = NO_ORDER, attributeOrder = NO_ORDER, comment }: GroupFacts) =>
  !linkOrder.isTracked && !attributeOrder.isTracked && comment === undefined;

/** A group. */
export class StoredGroup extends StoredObject {
  #pathOf(name: string): string {
    return this.name === "/" ? `/${name}` : `${this.name}/${name}`;
  }

  /** Sets what the group is; a root keeps being one. */
  describe(options: GroupFacts): void {
    const kind = this.oid === this.session.root ? "file" : "group";
    if (kind === "group" && isPlain(options)) return;
    const { linkOrder = NO_ORDER, attributeOrder = NO_ORDER, comment } = options;
    writeHeader(this.session, this.oid, { kind, linkOrder, attributeOrder, comment });
  }

  /** Creates a group. @throws `DaosError` `DER_EXIST`. */
  createGroup(name: string, options: GroupFacts = {}): StoredGroup {
    const oid = newOid(this.session, "group");
    this.#insert(name, oid, options, true);
    const group = new StoredGroup(this.session, oid, this.#pathOf(name));
    group.describe(options);
    return group;
  }

  #insert(name: string, oid: ObjectId, { nameCharset }: ObjectOptions, isGroup: boolean): void {
    const target = { kind: "hard", oid, isGroup } as const;
    insertLink(this.session, this.oid, { name, nameCharset, target, isFirst: true });
  }

  /**
   * Creates a dataset, whose elements show the fill value until they are written.
   *
   * @throws `DaosError` `DER_EXIST`.
   */
  createDataset(
    name: string,
    description: DatasetDescription,
    options: DatasetFacts = {},
  ): StoredDataset {
    const { session } = this;
    const oid = newOid(session, "dataset");
    this.#insert(name, oid, options, false);
    const { attributeOrder = NO_ORDER, comment } = options;
    const { type, fill } = description;
    const needsHeap = fill.value && fill.value.heap.length > 0 && hasSlots(type);
    const fillStored = needsHeap ? storeSlots(session, oid, type, fill.value) : undefined;
    const header: DatasetHeader = {
      kind: "dataset",
      description,
      storage: storageFor(description),
      attributeOrder,
      comment,
      fillStored,
    };
    writeHeader(session, oid, header);
    const dataset = new StoredDataset({ session, oid, name: this.#pathOf(name) }, header);
    if (options.isFilled !== true) dataset.reserve();
    return dataset;
  }

  /** Commits a datatype. @throws `DaosError` `DER_EXIST`. */
  createDatatype(name: string, type: Datatype, options: ObjectOptions = {}): StoredObject {
    const { session } = this;
    const oid = newOid(session, "datatype");
    this.#insert(name, oid, options, false);
    const { attributeOrder = NO_ORDER, comment } = options;
    writeHeader(session, oid, { kind: "datatype", type, attributeOrder, comment });
    return new StoredObject(session, oid, this.#pathOf(name));
  }

  /**
   * Makes a link to an object that has one already, or to a path.
   *
   * @throws `DaosError` `DER_EXIST`.
   */
  link(
    name: string,
    target: Exclude<LinkTarget, { kind: "hard" }> | { kind: "hard"; object: StoredObject },
    nameCharset?: CharacterSet,
  ): void {
    const stored: LinkTarget =
      target.kind !== "hard"
        ? target
        : {
            kind: "hard",
            oid: target.object.oid,
            isGroup: target.object instanceof StoredGroup,
          };
    insertLink(this.session, this.oid, { name, nameCharset, target: stored });
  }

  /** The link of a name, if there is one. */
  find(name: string): StoredLink | undefined {
    return getLink(this.session, this.oid, name);
  }

  /** The links, in the order of creation if that is tracked, else of the bytes of their names. */
  links(): StoredLink[] {
    const { isTracked } = linkOrderOf(this.session, this.oid, this.name);
    return listLinks(this.session, this.oid, isTracked ? "creation" : "name");
  }
}

/** What a hard link leads to, opened; `undefined` if it is gone. */
export function openStored(
  session: Session,
  { oid, isGroup }: { readonly oid: ObjectId; readonly isGroup: boolean },
  name: string,
): StoredGroup | StoredDataset | StoredObject | undefined {
  if (isGroup) return new StoredGroup(session, oid, name);
  const header = readHeader(session, oid, name);
  if (header?.kind === "dataset") return new StoredDataset({ session, oid, name }, header);
  return header?.kind === "datatype" ? new StoredObject(session, oid, name) : undefined;
}
