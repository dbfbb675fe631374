/**
 * An object by its keys: updates and fetches of many akeys of a dkey, punches, lists, queries.
 *
 * @module
 */

import { LIST_BATCH_COUNT } from "../limits.js";
import { type Anchor, decodeAnchor, encodeAnchor, successor } from "../vos/anchor.js";
import type { KeyCondition } from "../vos/contribution-format.js";
import type { Epoch } from "../vos/epoch.js";
import { checkKey, integerKey } from "../vos/names.js";
import type { ObjectId } from "../vos/object-id.js";
import type {
  AkeyFetch,
  AkeyFetched,
  AkeyUpdate,
  ExactRange,
  RecordRange,
} from "../vos/records.js";
import { type IterateOptions, ListIterator } from "./list-iterator.js";
import { type CallOptions, type ObjectSource, reading, writing } from "./object-access.js";

/** Options of an update. */
export interface UpdateOptions extends CallOptions {
  /** On the dkey: `insert` refuses one that exists, `update` one that does not. */
  readonly condition?: KeyCondition;
}

/** Options of a punch. */
export interface PunchOptions extends CallOptions {
  /** `update` refuses to punch what does not exist. */
  readonly condition?: "none" | "update";
}

const NO_KEY = new Uint8Array();
const WINDOW_BITS = 52n;

/** Where a list of keys goes on behind one. */
function anchorAfterKey(level: "dkey" | "akey") {
  return (key: Uint8Array, first: Anchor | undefined): Anchor => {
    const { end } = decodeAnchor(level, first);
    return encodeAnchor(level, { start: successor(key), end });
  };
}

/**
 * An object. Opening it costs nothing, and the first update creates it.
 *
 * @example
 * ```ts
 * const object = container.openObject(oid);
 * await object.update(Buffer.from("step-1"), [
 *   { akey: Buffer.from("name"), value: Buffer.from("first") },
 *   { akey: Buffer.from("cells"), recordSize: 8, ranges: [{ index: 0, count: 2 }], data: cells },
 * ]);
 * for await (const dkey of object.listDkeys()) console.log(Buffer.from(dkey).toString());
 * ```
 */
export class DaosObject {
  /** Its id. */
  readonly oid: ObjectId;
  readonly #source: ObjectSource;

  constructor(source: ObjectSource, oid: ObjectId) {
    this.#source = source;
    this.oid = oid;
  }

  /**
   * Updates akeys of one dkey, atomically. The buffers may be reused when the call returns.
   *
   * @returns The epoch; `undefined` in a transaction.
   * @throws {@link DaosError} As {@link Transaction.update}, and as commits do; nothing is changed then.
   */
  async update(
    dkey: Uint8Array,
    updates: readonly AkeyUpdate[],
    options: UpdateOptions = {},
  ): Promise<Epoch | undefined> {
    const { condition = "none" } = options;
    return writing(this.#source, options, (own) =>
      own.update(this.oid, dkey, updates, { condition }),
    );
  }

  /**
   * Fetches akeys of one dkey at one version: single values, their sizes, records.
   *
   * @throws {@link DaosError} As {@link ContainerView.fetch}.
   */
  async fetch(
    dkey: Uint8Array,
    fetches: readonly AkeyFetch[],
    options: CallOptions = {},
  ): Promise<AkeyFetched[]> {
    return reading(this.#source, options, (view) => view.fetch(this.oid, dkey, fetches));
  }

  /** Punches the object: what it holds is hidden from then on, and stays in the versions before. */
  async punch(options: PunchOptions = {}): Promise<Epoch | undefined> {
    return writing(this.#source, options, (own) => own.punch(this.oid, options.condition));
  }

  /** Punches dkeys with all of their akeys, atomically. */
  async punchDkeys(
    dkeys: readonly Uint8Array[],
    options: PunchOptions = {},
  ): Promise<Epoch | undefined> {
    return writing(this.#source, options, (own) => {
      for (const dkey of dkeys) checkKey(this.oid, "dkey", dkey);
      for (const dkey of dkeys) own.punchDkey(this.oid, dkey, options.condition);
    });
  }

  /** Punches akeys of one dkey, atomically; with its last akey the dkey is gone. */
  async punchAkeys(
    dkey: Uint8Array,
    akeys: readonly Uint8Array[],
    options: PunchOptions = {},
  ): Promise<Epoch | undefined> {
    return writing(this.#source, options, (own) => {
      for (const akey of akeys) checkKey(this.oid, "akey", akey);
      for (const akey of akeys) own.punchAkey(this.oid, dkey, akey, options.condition);
    });
  }

  /** Punches ranges of records of an array. */
  async punchRecords(
    dkey: Uint8Array,
    {
      akey,
      recordSize,
      ranges,
    }: { akey: Uint8Array; recordSize: number; ranges: readonly RecordRange[] },
    options: CallOptions = {},
  ): Promise<Epoch | undefined> {
    const update = { akey, recordSize, ranges, data: undefined };
    return writing(this.#source, options, (own) => own.update(this.oid, dkey, [update]));
  }

  /** Whether the object exists, or a dkey of it. */
  async exists(dkey?: Uint8Array, options: CallOptions = {}): Promise<boolean> {
    return reading(this.#source, options, (view) => view.exists(this.oid, dkey));
  }

  /** The dkeys, in lexical order; integer keys in the order of their numbers. */
  listDkeys(options: IterateOptions = {}): ListIterator<Uint8Array> {
    return new ListIterator(this.#source, options, {
      batch: (view, anchor) => {
        const { keys, anchor: next } = view.listDkeys(this.oid, {
          anchor,
          limit: LIST_BATCH_COUNT,
        });
        return { items: keys, anchor: next };
      },
      anchorAfter: anchorAfterKey("dkey"),
    });
  }

  /**
   * Anchors of at most `parts` parts of the list of dkeys, to be listed side by side: each dkey is in one.
   *
   * @throws {@link DaosError} `DER_INVAL` unless `parts` is a whole number of at least 1.
   */
  async splitDkeys(parts: number, options: CallOptions = {}): Promise<Anchor[]> {
    return reading(this.#source, options, (view) => view.splitDkeys(this.oid, parts));
  }

  /** The akeys of a dkey, in lexical order. */
  listAkeys(dkey: Uint8Array, options: IterateOptions = {}): ListIterator<Uint8Array> {
    return new ListIterator(this.#source, options, {
      batch: (view, anchor) => {
        const list = { anchor, limit: LIST_BATCH_COUNT };
        const { keys, anchor: next } = view.listAkeys(this.oid, dkey, list);
        return { items: keys, anchor: next };
      },
      anchorAfter: anchorAfterKey("akey"),
    });
  }

  /** The ranges of records of an array that were written, in increasing order or from the end. */
  listRecords(
    dkey: Uint8Array,
    akey: Uint8Array,
    options: IterateOptions & { readonly reverse?: boolean } = {},
  ): ListIterator<ExactRange> {
    const { reverse = false } = options;
    let recordSize = 1n;
    return new ListIterator(this.#source, options, {
      batch: (view, anchor) => {
        const list = { anchor, limit: LIST_BATCH_COUNT, reverse };
        const found = view.listRecords(this.oid, dkey, akey, list);
        recordSize = BigInt(found.recordSize);
        return { items: found.ranges, anchor: found.anchor };
      },
      anchorAfter: ({ index, count }) => {
        const at = (reverse ? index : index + count) * recordSize;
        const window = at >> WINDOW_BITS;
        const place = [window, at - (window << WINDOW_BITS)].map(integerKey);
        return encodeAnchor("range", { start: Buffer.concat(place), end: NO_KEY });
      },
    });
  }

  /** The epoch of the newest change of the object; `undefined` if there is none. */
  async newestChange(options: CallOptions = {}): Promise<Epoch | undefined> {
    return reading(this.#source, options, (view) => view.newestChange(this.oid));
  }

  /** The first or last dkey, or `undefined` if there is none. */
  async queryDkey(
    which: "min" | "max",
    options: CallOptions = {},
  ): Promise<Uint8Array | undefined> {
    return reading(this.#source, options, (view) => view.queryDkey(this.oid, which));
  }

  /** The first or last akey of a dkey, or `undefined` if there is none. */
  async queryAkey(
    dkey: Uint8Array,
    which: "min" | "max",
    options: CallOptions = {},
  ): Promise<Uint8Array | undefined> {
    return reading(this.#source, options, (view) => view.queryAkey(this.oid, dkey, which));
  }

  /** The first or last record of an array that was written, or `undefined` if there is none. */
  async queryRecord(
    dkey: Uint8Array,
    akey: Uint8Array,
    which: "min" | "max",
    options: CallOptions = {},
  ): Promise<bigint | undefined> {
    return reading(this.#source, options, (view) => view.queryRecord(this.oid, dkey, akey, which));
  }
}
