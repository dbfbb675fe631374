/**
 * What pools and containers have in common as objects of administration: user attributes, properties, an
 * owner, and an access control list. Rights are those that the handle got when it was opened.
 *
 * @module
 */

import { noRight, type Ownership, type Permission, type Rights } from "../access/acl.js";
import { type Acl, checkPrincipalName, formatAcl, sortedAcl, toAcl } from "../access/acl-format.js";
import { withAt } from "../access/identity.js";
import { DaosError } from "../errors.js";
import { ATTRIBUTE_NAME_SIZE_MAX, ATTRIBUTE_SIZE_MAX, ATTRIBUTES_MAX } from "../limits.js";
import {
  getAttribute,
  getProperty,
  listAttributes,
  listProperties,
  putAttribute,
  putProperty,
  removeAttribute,
} from "../vos/metadata.js";
import type { Metadata } from "../vos/target.js";
import {
  type CONTAINER_PROPERTIES,
  checkProperties,
  completeProperties,
  type Properties,
  type PropertyValue,
} from "./properties.js";

/** What the base class asks of a pool or container handle. */
export interface AdministeredOrigin {
  /** 0 for the pool, else the container's id. */
  readonly scope: number;
  /** How errors name it: `pool /p`. */
  readonly name: string;
  readonly rights: Rights;
  readonly readOnly: boolean;
  readonly table: typeof CONTAINER_PROPERTIES;
  readonly metadata: () => Metadata;
  /** Owner and list if none are stored. */
  readonly defaults: () => { readonly ownership: Ownership; readonly acl: Acl };
  /** The label, and how it is changed. */
  readonly label: () => string;
  readonly rename: (label: string) => void;
  /** What of a pool follows its owner, group and list: the permissions of its files. */
  readonly files?: {
    /** Refuses a change that could not be followed. */
    readonly require: (what: string) => void;
    readonly match: () => void;
  };
}

function checkName(what: string, name: string): void {
  const size = Buffer.byteLength(name);
  if (size > 0 && size <= ATTRIBUTE_NAME_SIZE_MAX) return;
  const remedy = `use a name of 1 to ${ATTRIBUTE_NAME_SIZE_MAX} bytes`;
  throw new DaosError("DER_INVAL", { what, why: `its name has ${size} bytes`, remedy }, { size });
}

/** A pool or container handle with what can be administered through it. */
export abstract class Administered {
  /** What the methods below work on. */
  protected abstract administered(what: string): AdministeredOrigin;

  #require(
    what: string,
    permissions: readonly Permission[],
    isChange: boolean,
  ): AdministeredOrigin {
    const origin = this.administered(what);
    const { rights, readOnly } = origin;
    if (!permissions.some((permission) => rights.includes(permission))) {
      throw noRight(what, permissions[0] as string, rights);
    }
    if (!isChange || !readOnly) return origin;
    const why = "the handle is read-only";
    throw new DaosError("DER_NO_PERM", { what, why, remedy: 'open it with mode "rw"' });
  }

  /** Names of the user attributes, in bytewise order. */
  listAttributes(): string[] {
    const { metadata, scope } = this.#require("Listing attributes", ["r"], false);
    return listAttributes(metadata().reader, scope);
  }

  /**
   * User attributes by name; one that is not there is left out.
   *
   * @param names All by default.
   */
  getAttributes(names?: readonly string[]): Record<string, Uint8Array> {
    const what = "Reading attributes";
    const { metadata, scope } = this.#require(what, ["r"], false);
    const { reader } = metadata();
    const found: [string, Uint8Array][] = [];
    for (const name of names ?? listAttributes(reader, scope)) {
      checkName(what, name);
      const value = getAttribute(reader, scope, name);
      if (value !== undefined) found.push([name, value]);
    }
    return Object.fromEntries(found);
  }

  /**
   * Stores user attributes, all or none.
   *
   * @param attributes Values by name; texts are stored as UTF-8.
   * @throws {@link DaosError} `DER_INVAL` for a name of no or more than 511 bytes, `DER_REC2BIG` for a value
   *   above 1 MiB, `DER_NOSPACE` above 4096 attributes, `DER_NO_PERM`.
   *
   * @example
   * ```ts
   * pool.setAttributes({ project: "combustion", key: Uint8Array.of(1, 2) });
   * ```
   */
  setAttributes(attributes: Readonly<Record<string, Uint8Array | string>>): void {
    const what = "Storing attributes";
    const { metadata, scope } = this.#require(what, ["w"], true);
    const given = Object.entries(attributes).map(([name, value]) => {
      checkName(what, name);
      const bytes = typeof value === "string" ? Buffer.from(value) : value;
      if (bytes.length > ATTRIBUTE_SIZE_MAX) {
        const why = `"${name}" has ${bytes.length} bytes, more than ${ATTRIBUTE_SIZE_MAX}`;
        throw new DaosError("DER_REC2BIG", { what, why, remedy: "store it in an object" });
      }
      return { name, value: bytes };
    });
    metadata().transact(what, (tx) => {
      for (const attribute of given) putAttribute(tx, scope, attribute);
      if (listAttributes(tx, scope).length <= ATTRIBUTES_MAX) return;
      const why = `there would be more than ${ATTRIBUTES_MAX}`;
      throw new DaosError("DER_NOSPACE", { what, why, remedy: "delete some of them" });
    });
  }

  /**
   * Deletes user attributes, all or none.
   *
   * @throws {@link DaosError} `DER_NONEXIST` if one is not there, `DER_NO_PERM`.
   */
  deleteAttributes(names: readonly string[]): void {
    const what = "Deleting attributes";
    const { metadata, scope } = this.#require(what, ["w"], true);
    for (const name of names) checkName(what, name);
    metadata().transact(what, (tx) => {
      for (const name of new Set(names)) {
        if (getAttribute(tx, scope, name) === undefined) {
          const remedy = "choose some of listAttributes()";
          const why = `there is no attribute "${name}"`;
          throw new DaosError("DER_NONEXIST", { what, why, remedy }, { name });
        }
        removeAttribute(tx, scope, name);
      }
    });
  }

  /** All properties, with DAOS's names; see docs/guides/administration.md. */
  getProperties(): Record<string, PropertyValue> {
    const origin = this.#require("Reading properties", ["t", "r"], false);
    const stored = listProperties(origin.metadata().reader, origin.scope);
    const { owner, group } = this.#ownership(origin);
    const acl = formatAcl(this.#acl(origin));
    return {
      label: origin.label(),
      owner,
      group,
      acl,
      ...completeProperties(origin.table, stored),
    };
  }

  /**
   * Changes properties. Label and the others are two steps: what is impossible is found before either.
   *
   * @throws {@link DaosError} `DER_INVAL` for an unknown, impossible or fixed one, `DER_EXIST` for a label
   *   that is taken, `DER_NO_PERM`. Nothing is changed then.
   */
  setProperties(properties: Properties): void {
    const what = "Changing properties";
    const origin = this.#require(what, ["T"], true);
    const { label, ...others } = properties;
    const checked = checkProperties(what, origin.table, others, false);
    if (label !== undefined) origin.rename(String(label));
    origin.metadata().transact(what, (tx) => {
      for (const [name, value] of checked) putProperty(tx, origin.scope, name, value);
    });
  }

  #ownership({ metadata, scope, defaults }: AdministeredOrigin): Ownership {
    const { reader } = metadata();
    const { ownership } = defaults();
    return {
      owner: String(getProperty(reader, scope, "owner") ?? ownership.owner),
      group: String(getProperty(reader, scope, "group") ?? ownership.group),
    };
  }

  #acl({ metadata, scope, defaults }: AdministeredOrigin): Acl {
    const stored = getProperty(metadata().reader, scope, "acl");
    return stored === undefined ? defaults().acl : toAcl(String(stored));
  }

  /** The access control list, in the order in which it is matched. */
  getAcl(): Acl {
    return sortedAcl(this.#acl(this.#require("Reading the access control list", ["a"], false)));
  }

  /**
   * Replaces the access control list.
   *
   * @param acl Entries, or text such as `A::OWNER@:rwcdtTaAo`; see `acl-format.ts`.
   * @throws {@link DaosError} `DER_INVAL` if it is malformed or too long, `DER_NO_PERM`.
   */
  overwriteAcl(acl: string | Acl): void {
    this.#changeAcl(() => toAcl(acl));
  }

  /** Adds entries, or replaces those of the same principals. */
  updateAcl(acl: string | Acl): void {
    const added = toAcl(acl);
    const isAdded = ({ principal, isGroup }: Acl[number]) =>
      added.some((entry) => entry.principal === principal && entry.isGroup === isGroup);
    this.#changeAcl((known) => [...known.filter((entry) => !isAdded(entry)), ...added]);
  }

  /**
   * Deletes the entry of a principal.
   *
   * @param principal `OWNER@`, `GROUP@`, `EVERYONE@`, `u:alice@`, `g:staff@`, or a user `alice@`.
   * @throws {@link DaosError} `DER_NONEXIST` if there is none.
   */
  deleteAclEntry(principal: string): void {
    const isGroup = principal.startsWith("g:") || principal === "GROUP@";
    const name = principal.replace(/^[ug]:/, "");
    this.#changeAcl((known) => {
      const left = known.filter((e) => e.principal !== name || e.isGroup !== isGroup);
      if (left.length < known.length) return left;
      const what = `Deleting the entry of ${principal}`;
      const text = { what, why: "the list has none", remedy: "choose one of getAcl()" };
      throw new DaosError("DER_NONEXIST", text, { principal });
    });
  }

  #changeAcl(change: (known: Acl) => Acl): void {
    const what = "Changing the access control list";
    const origin = this.#require(what, ["A"], true);
    const { metadata, scope, files } = origin;
    files?.require(what);
    metadata().transact(what, (tx) => {
      putProperty(tx, scope, "acl", formatAcl(change(this.#acl(origin))));
    });
    files?.match();
  }

  /**
   * Gives it another owner, another group, or both.
   *
   * @throws {@link DaosError} `DER_INVAL` for a bad name, `DER_NO_PERM`.
   */
  setOwner(owner: { readonly user?: string; readonly group?: string }): void {
    const what = "Changing the owner";
    const { metadata, scope, files } = this.#require(what, ["o"], true);
    const named = [
      ["owner", owner.user],
      ["group", owner.group],
    ] as const;
    const given = named.flatMap(([name, value]) =>
      value === undefined ? [] : [[name, withAt(value)] as const],
    );
    for (const [, value] of given) checkPrincipalName(what, value);
    files?.require(what);
    metadata().transact(what, (tx) => {
      for (const [name, value] of given) putProperty(tx, scope, name, value);
    });
    files?.match();
  }
}
