/**
 * The attributes of a group or dataset: small named values.
 *
 * @module
 */

import type { ObjectId } from "../../core/index.js";
import {
  ATTRIBUTE_AKEY,
  type AttributeValue,
  decodeAttribute,
  encodeAttribute,
} from "./object-format.js";
import type { Session } from "./session.js";

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
    const value = this.#session.get(this.#oid, Buffer.from(name), ATTRIBUTE_AKEY);
    return value && decodeAttribute(value, name);
  }

  /**
   * Creates or replaces an attribute.
   *
   * @param value A string, a number (stored as float64), a `bigint` (int64, or uint64 where it must), a
   *   typed array or a list of numbers (float64), in one dimension.
   * @throws `DaosError` `DER_INVAL` for another value, `DER_KEY2BIG` for a name of more than 255
   *   bytes, `DER_REC2BIG` for more than 1 GiB, `DER_NO_PERM`.
   */
  async set(name: string, value: AttributeValue | readonly number[]): Promise<void> {
    const encoded = encodeAttribute(name, value);
    this.#session.put({
      oid: this.#oid,
      dkey: Buffer.from(name),
      akey: ATTRIBUTE_AKEY,
      value: encoded,
    });
  }

  /** Names of the attributes, in the order of their bytes. */
  async keys(): Promise<string[]> {
    const { view, own } = this.#session.state("Listing attributes");
    const { keys } = view.listDkeys(this.#oid, {}, own);
    // Not their values, which may be large.
    return keys
      .filter((dkey) => this.#session.has(this.#oid, dkey, ATTRIBUTE_AKEY))
      .map((dkey) => Buffer.from(dkey).toString());
  }

  /** Whether there is an attribute of this name. */
  async has(name: string): Promise<boolean> {
    return name !== "" && this.#session.has(this.#oid, Buffer.from(name), ATTRIBUTE_AKEY);
  }

  /**
   * Removes an attribute.
   *
   * @returns Whether there was one.
   */
  async delete(name: string): Promise<boolean> {
    this.#session.change(`Removing attribute "${name}"`);
    if (!(await this.has(name))) return false;
    const dkey = Buffer.from(name);
    this.#session.put({ oid: this.#oid, dkey, akey: ATTRIBUTE_AKEY, value: undefined });
    return true;
  }
}
