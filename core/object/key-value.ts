/**
 * A key-value store over an object, as DAOS has it: the key is a dkey, below it lies one akey with a
 * single value.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { LIST_BATCH_COUNT, LIST_BATCH_SIZE, VALUE_INDEX_SIZE_MAX } from "../limits.js";
import { type Anchor, decodeAnchor, encodeAnchor, successor } from "../vos/anchor.js";
import type { KeyCondition } from "../vos/contribution-format.js";
import type { Epoch } from "../vos/epoch.js";
import type { DkeyEntry } from "../vos/key-view.js";
import { checkKey, integerKey, integerOfKey } from "../vos/names.js";
import { formatOid, type ObjectId, ObjectType, objectTypeOf } from "../vos/object-id.js";
import { sizeOfValues } from "../vos/value-list.js";
import { checkValueSize } from "../vos/versions.js";
import { type IterateOptions, ListIterator } from "./list-iterator.js";
import { type CallOptions, type ObjectSource, reading, writing } from "./object-access.js";

/** A key: text (as UTF-8) or bytes; in an object of type `kvUint64` an integer. */
export type KvKey = string | Uint8Array | number | bigint;

/** Which keys a store has. */
export type KvKeyKind = "lexical" | "hashed" | "integer";

/** Options of a put. */
export interface PutOptions extends CallOptions {
  /** `insert` refuses a key that exists, `update` one that does not. */
  readonly condition?: KeyCondition;
}

/** A key with its value. */
export interface KvEntry {
  /** The key, as bytes; see {@link KeyValue.keyOf}. */
  readonly key: Uint8Array;
  /** The value. */
  readonly value: Uint8Array;
}

/** Below each key. */
const AKEY = Buffer.from("0");

const TYPES: Record<KvKeyKind, (typeof ObjectType)[keyof typeof ObjectType]> = {
  lexical: ObjectType.kvLexical,
  hashed: ObjectType.kvHashed,
  integer: ObjectType.kvUint64,
};

/** The object type of a store. */
export function typeOfKeys(keys: KvKeyKind): (typeof ObjectType)[keyof typeof ObjectType] {
  const type = TYPES[keys];
  if (type !== undefined) return type;
  const remedy = 'use "lexical", "hashed" or "integer"';
  const text = { what: "Creating a key-value store", why: `"${keys}" are no keys`, remedy };
  throw new DaosError("DER_INVAL", text);
}

/**
 * A key-value store. All calls are atomic by themselves; puts that are asked for together share a commit.
 *
 * @example
 * ```ts
 * const kv = container.createKeyValue();
 * await kv.put("answer", Buffer.from("42"));
 * Buffer.from((await kv.get("answer")) ?? []).toString(); // "42"
 * for await (const { key, value } of kv.entries()) console.log(kv.keyOf(key), value.length);
 * ```
 */
export class KeyValue {
  /** The object's id. */
  readonly oid: ObjectId;
  readonly #source: ObjectSource;
  readonly #isInteger: boolean;

  /** @throws {@link DaosError} `DER_INVAL` if the id is not one of a key-value store. */
  constructor(source: ObjectSource, oid: ObjectId) {
    const type = objectTypeOf(oid);
    if (!Object.values(TYPES).some((known) => known === type)) {
      const what = `Opening object ${formatOid(oid)} as a key-value store`;
      const remedy = "use container.openObject(), or an id of type kvHashed, kvUint64 or kvLexical";
      throw new DaosError("DER_INVAL", { what, why: `its type is ${type}`, remedy }, { type });
    }
    this.#source = source;
    this.oid = oid;
    this.#isInteger = type === ObjectType.kvUint64;
  }

  #dkey(key: KvKey): Uint8Array {
    if (typeof key === "number" || typeof key === "bigint") {
      if (this.#isInteger) return integerKey(key);
      const what = `Using ${key} as a key of object ${formatOid(this.oid)}`;
      const remedy = "use text or bytes, or create the store with integer keys";
      throw new DaosError("DER_INVAL", { what, why: "its keys are bytes", remedy });
    }
    const dkey = typeof key === "string" ? Buffer.from(key) : key;
    checkKey(this.oid, "dkey", dkey);
    return dkey;
  }

  /** A key of a list as it is given to puts: text if it is UTF-8; of a store of integers a bigint. */
  keyOf(key: Uint8Array): string | Uint8Array | bigint {
    if (this.#isInteger) return integerOfKey(key);
    const text = Buffer.from(key).toString();
    return Buffer.compare(Buffer.from(text), key) === 0 ? text : key;
  }

  /**
   * Stores a value of up to 1 GiB; the bytes are copied, or written, before the call returns.
   *
   * @returns The epoch; `undefined` in a transaction.
   * @throws {@link DaosError} `DER_EXIST` or `DER_NONEXIST` if the condition does not hold, `DER_KEY2BIG`,
   *   `DER_REC2BIG`, `DER_INVAL`; as commits do.
   */
  async put(key: KvKey, value: Uint8Array, options: PutOptions = {}): Promise<Epoch | undefined> {
    const { condition = "none" } = options;
    const change = { oid: this.oid, dkey: this.#dkey(key), akey: AKEY, value, condition };
    // Space for a long one may be wanting, which must not fail its neighbours.
    const isPlain = condition === "none" && value.length <= VALUE_INDEX_SIZE_MAX;
    return writing(this.#source, options, (own) => own.put(change), { isPlain });
  }

  /** Stores several values, atomically; of a key that comes twice the last one counts. */
  async putMany(
    entries: Iterable<readonly [KvKey, Uint8Array]>,
    options: PutOptions = {},
  ): Promise<Epoch | undefined> {
    const { condition = "none" } = options;
    const changes = Array.from(entries, ([key, value]) => {
      checkValueSize(this.oid, value.length);
      return { oid: this.oid, dkey: this.#dkey(key), akey: AKEY, value, condition };
    });
    return writing(this.#source, options, (own) => {
      for (const change of changes) own.put(change);
    });
  }

  /** The value of a key, or `undefined`. */
  async get(key: KvKey, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    const dkey = this.#dkey(key);
    return reading(this.#source, options, (view) => view.getValue(this.oid, dkey, AKEY));
  }

  /** The values of several keys at one version, in the order of the keys. */
  async getMany(
    keys: Iterable<KvKey>,
    options: CallOptions = {},
  ): Promise<(Uint8Array | undefined)[]> {
    const dkeys = Array.from(keys, (key) => this.#dkey(key));
    return reading(this.#source, options, (view) =>
      dkeys.map((dkey) => view.getValue(this.oid, dkey, AKEY)),
    );
  }

  /** Bytes of the value of a key; `undefined` if there is none. */
  async size(key: KvKey, options: CallOptions = {}): Promise<number | undefined> {
    const dkey = this.#dkey(key);
    return reading(this.#source, options, (view) => view.valueSize(this.oid, dkey, AKEY));
  }

  /**
   * Removes a key; one that does not exist is no error, unless the condition says so.
   *
   * @throws {@link DaosError} `DER_NONEXIST` if the condition is `update` and there is no such key.
   */
  async remove(
    key: KvKey,
    options: CallOptions & { readonly condition?: "none" | "update" } = {},
  ): Promise<Epoch | undefined> {
    const dkey = this.#dkey(key);
    return writing(this.#source, options, (own) =>
      own.punchAkey(this.oid, dkey, AKEY, options.condition),
    );
  }

  /** Removes all keys. */
  async clear(options: CallOptions = {}): Promise<Epoch | undefined> {
    return writing(this.#source, options, (own) => own.punch(this.oid));
  }

  /** The keys, as bytes, in lexical order; integers in their own. */
  list(options: IterateOptions = {}): ListIterator<Uint8Array> {
    return new ListIterator(this.#source, options, {
      batch: (view, anchor) => {
        const { keys, anchor: next } = view.listDkeys(this.oid, {
          anchor,
          limit: LIST_BATCH_COUNT,
        });
        return { items: keys, anchor: next };
      },
      anchorAfter: (key, first) => anchorBehind(key, first),
    });
  }

  /** Anchors of at most `parts` parts of the list of keys, to be listed side by side. */
  async split(parts: number, options: CallOptions = {}): Promise<Anchor[]> {
    return reading(this.#source, options, (view) => view.splitDkeys(this.oid, parts));
  }

  /** The keys with their values, in the order of {@link list}. */
  entries(options: IterateOptions = {}): ListIterator<KvEntry> {
    return new ListIterator(this.#source, options, {
      batch: (view, anchor) => {
        const { start, end } = decodeAnchor("dkey", anchor);
        const listed = view.listValues(this.oid, {
          akey: AKEY,
          limit: LIST_BATCH_COUNT,
          size: LIST_BATCH_SIZE,
          ...(start.length > 0 && { from: start }),
        });
        const found = listed.filter(
          ({ dkey }) => end.length === 0 || Buffer.compare(dkey, end) < 0,
        );
        const mayGoOn =
          listed.length === LIST_BATCH_COUNT || sizeOfValues(listed) >= LIST_BATCH_SIZE;
        const isFull = mayGoOn && found.length === listed.length;
        const last = found.at(-1);
        return {
          items: found.map(entryOf),
          anchor: isFull && last ? anchorBehind(last.dkey, anchor) : undefined,
        };
      },
      anchorAfter: ({ key }, first) => anchorBehind(key, first),
    });
  }
}

function entryOf({ dkey, value }: DkeyEntry): KvEntry {
  return { key: dkey, value };
}

function anchorBehind(key: Uint8Array, first: Anchor | undefined): Anchor {
  return encodeAnchor("dkey", { start: successor(key), end: decodeAnchor("dkey", first).end });
}
