/**
 * The attributes of a group or dataset: small named values.
 *
 * @module
 */

import type { ObjectId } from "../../core/index.js";
import { type AttributeValue, attributeOf, valueOfAttribute } from "./attribute-values.js";
import type { Session } from "./session.js";
import {
  getAttribute,
  hasAttribute,
  listAttributes,
  putAttribute,
  removeAttribute,
} from "./storage/stored-attributes.js";

/** The attributes of one object. */
export class Attributes {
  readonly #session: Session;
  readonly #oid: ObjectId;

  constructor(session: Session, oid: ObjectId) {
    this.#session = session;
    this.#oid = oid;
  }

  /**
   * Value of an attribute, or `undefined`: a string, a number, a `bigint` for 64-bit integers, or a
   * typed array, which belongs to the caller.
   */
  async get(name: string): Promise<AttributeValue | undefined> {
    if (name === "") return undefined;
    const attribute = getAttribute(this.#session, this.#oid, name);
    return attribute && valueOfAttribute(attribute);
  }

  /**
   * Creates or replaces an attribute.
   *
   * @param value A string, a number (stored as float64), a `bigint` (int64, or uint64 where it must), a
   *   typed array or a list of numbers (float64), in one dimension.
   * @throws `DaosError` `DER_INVAL` for another value, `DER_KEY2BIG` for a name of more than 64 KiB,
   *   `DER_REC2BIG` for more than 1 GiB, `DER_NO_PERM`.
   */
  async set(name: string, value: AttributeValue | readonly number[]): Promise<void> {
    putAttribute(this.#session, this.#oid, attributeOf(name, value));
  }

  /** Names of the attributes, in the order of creation if that is tracked, else of their bytes. */
  async keys(): Promise<string[]> {
    return listAttributes(this.#session, this.#oid).map(({ name }) => name);
  }

  /** Whether there is an attribute of this name. */
  async has(name: string): Promise<boolean> {
    return name !== "" && hasAttribute(this.#session, this.#oid, name);
  }

  /**
   * Removes an attribute.
   *
   * @returns Whether there was one.
   */
  async delete(name: string): Promise<boolean> {
    this.#session.change(`Removing attribute "${name}"`);
    return removeAttribute(this.#session, this.#oid, name);
  }
}
