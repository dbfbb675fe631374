/**
 * A container as of one epoch: what a reader sees, whatever writers do meanwhile.
 *
 * @module
 */

import type { ArrayReader } from "../vos/array-reader.js";
import type { Epoch } from "../vos/epoch.js";
import type { ObjectId } from "../vos/object-id.js";
import { Pattern, type PatternRange, wholeOf } from "../vos/pattern.js";
import type { Pin } from "../vos/pins.js";
import type { Target } from "../vos/target.js";
import type { Transaction } from "../vos/transaction.js";
import type { DkeyEntry } from "../vos/values.js";

/** A pinned version of a container. Close it, so that its space can be reclaimed. */
export class ContainerView {
  readonly #target: Target;
  readonly #container: number;
  readonly #pin: Pin;
  readonly #arrays = new Map<ObjectId, ArrayReader>();
  /** Punches that the epoch sees; they cannot change any more. */
  readonly #punches = new Map<ObjectId, Epoch>();

  constructor(target: Target, container: number, pin: Pin) {
    this.#target = target;
    this.#container = container;
    this.#pin = pin;
  }

  /** The epoch that the view shows. */
  get epoch(): Epoch {
    return this.#pin.epoch;
  }

  #array(oid: ObjectId): ArrayReader {
    let reader = this.#arrays.get(oid);
    if (reader === undefined) {
      reader = this.#target.array({ container: this.#container, oid }, this.epoch);
      this.#arrays.set(oid, reader);
    }
    return reader;
  }

  #punchEpoch(oid: ObjectId): Epoch {
    let punched = this.#punches.get(oid);
    if (punched === undefined) {
      punched = this.#target.punchEpoch({ container: this.#container, oid }, this.epoch);
      this.#punches.set(oid, punched);
    }
    return punched;
  }

  /**
   * One past the last byte written to an array, in bytes; 0 if nothing was.
   *
   * @param own A transaction of this process whose writes are seen too.
   */
  arraySize(oid: ObjectId, own?: Transaction): number {
    return this.#array(oid).size(own?.overlay(oid));
  }

  /**
   * Reads a range of an array into `target`, packed; bytes never written become 0.
   *
   * @param target At least as large as the range.
   * @param own A transaction of this process whose writes are seen too.
   * @throws {@link DaosError} `DER_CSUM` if stored bytes are damaged.
   */
  readArray(oid: ObjectId, range: PatternRange, target: Uint8Array, own?: Transaction): void {
    this.#array(oid).read(range, target, own?.overlay(oid));
  }

  /** Bytes `[start, end)` of an array, in a new buffer. */
  readBytes(oid: ObjectId, start: number, end: number): Uint8Array {
    const target = new Uint8Array(end - start);
    if (end > start) this.readArray(oid, wholeOf(Pattern.contiguous(start, end)), target);
    return target;
  }

  /** A single value, or `undefined`. */
  getValue(
    oid: ObjectId,
    dkey: Uint8Array,
    akey: Uint8Array,
    own?: Transaction,
  ): Uint8Array | undefined {
    const change = own?.ownValue({ oid, dkey, akey });
    if (change !== undefined) return change.value;
    const version = { epoch: this.epoch, punched: this.#punchEpoch(oid) };
    return this.#target.getValue({ container: this.#container, oid, dkey, akey }, version);
  }

  /** The dkeys of an object that hold a value of `akey`, in lexical order, with those values. */
  listDkeys(
    oid: ObjectId,
    options: { akey: Uint8Array; after?: Uint8Array; limit?: number },
  ): DkeyEntry[] {
    const object = { container: this.#container, oid };
    return this.#target.listDkeys(object, { ...options, epoch: this.epoch });
  }

  /** Lets go of the epoch. Later calls do nothing. */
  close(): void {
    this.#arrays.clear();
    this.#pin.release();
  }

  /** Closes the view at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}
