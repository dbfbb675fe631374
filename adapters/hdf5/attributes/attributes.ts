/**
 * The attributes of a group, dataset or committed datatype: small named values.
 *
 * @module
 */

import { DaosError, type ObjectId } from "../../../core/index.js";
import { itemSizeOf } from "../datatype/datatype.js";
import { product } from "../region.js";
import type { Session } from "../session.js";
import {
  getAttribute,
  hasAttribute,
  listAttributes,
  type NamedAttribute,
  putAttribute,
  removeAttribute,
} from "../storage/stored-attributes.js";
import {
  type AttributeContent,
  type AttributeOptions,
  type AttributeValue,
  attributeOf,
  contentOf,
  valueOfAttribute,
} from "./attribute-values.js";

/** The attributes of one object. */
export class Attributes {
  readonly #session: Session;
  readonly #oid: ObjectId;

  constructor(session: Session, oid: ObjectId) {
    this.#session = session;
    this.#oid = oid;
  }

  #find(name: string): NamedAttribute | undefined {
    return name === "" ? undefined : getAttribute(this.#session, this.#oid, name);
  }

  /**
   * Value of an attribute, or `undefined` if there is none: of a scalar its one value (a string, a number, a
   * `bigint` for 64-bit integers, a boolean ...), else its elements in row-major order, which belong to the caller;
   * {@link Empty} if it has a type only.
   */
  async get(name: string): Promise<AttributeValue> {
    const attribute = this.#find(name);
    return attribute && valueOfAttribute(attribute);
  }

  /** Elements of an attribute with their shape and type, or `undefined` if there is none. */
  async read(name: string): Promise<AttributeContent | undefined> {
    const attribute = this.#find(name);
    return attribute && contentOf(attribute);
  }

  /**
   * Creates or replaces an attribute.
   *
   * @param value Text, a number (stored as float64), a `bigint` (int64, or uint64 where it must), a boolean, a
   *   typed array, lists of these in lists, elements with their shape, columns, references, or an {@link Empty}.
   * @throws `DaosError` `DER_INVAL` for another value, `DER_KEY2BIG` for a name of more than 64 KiB,
   *   `DER_REC2BIG` for more than 1 GiB, `DER_NO_PERM`.
   */
  async set(name: string, value: unknown): Promise<void> {
    putAttribute(this.#session, this.#oid, attributeOf(name, value));
  }

  /**
   * Creates or replaces an attribute of a given type or shape.
   *
   * @param value As for {@link set}; zeros if it is `undefined`.
   * @throws `DaosError` as {@link set}; `DER_INVAL` if the value does not fit.
   *
   * @example
   * ```ts
   * await dataset.attrs.create("bounds", [0, 1], { dtype: "float32" });
   * ```
   */
  async create(name: string, value: unknown, options: AttributeOptions = {}): Promise<void> {
    putAttribute(this.#session, this.#oid, attributeOf(name, value, options));
  }

  /**
   * Gives an attribute another value of the same type and shape; creates it if there is none.
   *
   * @throws `DaosError` as {@link create}; `DER_INVAL` for one that has a type only.
   */
  async modify(name: string, value: unknown): Promise<void> {
    const known = this.#find(name);
    if (known === undefined) return this.set(name, value);
    const { type, space } = known;
    if (space.kind === "null") {
      const why = "it has a type only";
      throw new DaosError("DER_INVAL", {
        ...{ what: `Changing attribute "${name}"`, why, remedy: "create it anew" },
      });
    }
    const shape = space.kind === "simple" ? space.shape : [];
    const changed = attributeOf(name, value, { dtype: type, shape });
    if (changed.elements.bytes.length !== product(shape) * itemSizeOf(type)) {
      const why = `the value does not fit its shape [${shape}]`;
      const remedy = "give as many elements, or create it anew";
      throw new DaosError("DER_INVAL", { what: `Changing attribute "${name}"`, why, remedy });
    }
    const { committedType, nameCharset } = known;
    putAttribute(this.#session, this.#oid, { ...changed, committedType, nameCharset });
  }

  /**
   * Gives an attribute another name; one that has it is replaced.
   *
   * @throws `DaosError` `DER_NONEXIST`, `DER_NO_PERM`.
   */
  async rename(name: string, newName: string): Promise<void> {
    this.#session.change(`Renaming attribute "${name}"`);
    const known = this.#find(name);
    if (known === undefined) {
      const text = {
        what: `Renaming attribute "${name}"`,
        why: "there is none",
        remedy: "name one that is there",
      };
      throw new DaosError("DER_NONEXIST", text, { name });
    }
    if (name === newName) return;
    const { order: _, nameCharset: __, ...rest } = known;
    putAttribute(this.#session, this.#oid, { ...rest, name: newName });
    removeAttribute(this.#session, this.#oid, name);
  }

  #list(): NamedAttribute[] {
    return listAttributes(this.#session, this.#oid);
  }

  /** Number of attributes. */
  async size(): Promise<number> {
    return this.#list().length;
  }

  /** Names of the attributes, in the order of creation if that is tracked, else of their bytes. */
  async keys(): Promise<string[]> {
    return this.#list().map(({ name }) => name);
  }

  /** Values of the attributes, in the order of {@link keys}. */
  async values(): Promise<AttributeValue[]> {
    return this.#list().map(valueOfAttribute);
  }

  /** Names and values of the attributes, in the order of {@link keys}. */
  async entries(): Promise<[string, AttributeValue][]> {
    return this.#list().map((attribute) => [attribute.name, valueOfAttribute(attribute)]);
  }

  /** Iterates over the names. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    yield* await this.keys();
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
