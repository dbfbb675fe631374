/**
 * What a transaction did to keys and has not committed: new versions, punches, conditions.
 *
 * A punch drops what the transaction wrote below it before; what is left was written after it. So a
 * commit takes punches first, and the order in which the program made its changes is kept.
 *
 * Conditions are answered at once where the transaction's own changes say so, else by the commit.
 *
 * @module
 */

import { readComponent } from "../index/component.js";
import type { Existence, KeyPunch, ObjectRun, ValueVersion } from "./contribution-format.js";
import { conditionError } from "./existence.js";
import { isLong, latin1, OBJECT_PREFIX_SIZE, objectPrefix, shortPrefix } from "./names.js";
import type { ObjectId } from "./object-id.js";
import { kindOf, VersionKind } from "./versions.js";

const NO_KEY = new Uint8Array();

function nameOf(oid: ObjectId, dkey: Uint8Array, akey: Uint8Array): string {
  return `${oid}/${dkey.length}/${latin1(dkey)}${latin1(akey)}`;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** A version under short keys: they are read from the beginning of its index keys when asked for. */
class ShortVersion implements ValueVersion {
  readonly oid: ObjectId;
  readonly record: Uint8Array;
  readonly prefix: Uint8Array;

  constructor(oid: ObjectId, record: Uint8Array, prefix: Uint8Array) {
    this.oid = oid;
    this.record = record;
    this.prefix = prefix;
  }

  get dkey(): Uint8Array {
    return readComponent(this.prefix, OBJECT_PREFIX_SIZE).bytes;
  }

  get akey(): Uint8Array {
    const { end } = readComponent(this.prefix, OBJECT_PREFIX_SIZE);
    return readComponent(this.prefix, end).bytes;
  }
}

/** The uncommitted key changes of one transaction. */
export class OwnChanges {
  readonly #container: number;
  #values: ValueVersion[] = [];
  readonly #conditions: Existence[] = [];
  #punches: KeyPunch[] = [];
  /** The last version of each akey, by name; made when it is asked for. */
  readonly #last = new Map<string, ValueVersion>();
  #named = 0;
  /** The object that was changed last, and the beginning of its keys. */
  #object: { readonly oid: ObjectId; readonly prefix: Uint8Array } | undefined;

  constructor(container: number) {
    this.#container = container;
  }

  get isEmpty(): boolean {
    return this.#values.length + this.#punches.length + this.#conditions.length === 0;
  }

  /** In program order. */
  get values(): readonly ValueVersion[] {
    return this.#values;
  }

  get conditions(): readonly Existence[] {
    return this.#conditions;
  }

  get punches(): readonly KeyPunch[] {
    return this.#punches;
  }

  /** Adds a version; the keys are copied, the record is not. */
  add(oid: ObjectId, dkey: Uint8Array, akey: Uint8Array, record: Uint8Array): void {
    if (isLong(dkey) || isLong(akey)) {
      // Not slice(): that of a Buffer shares its memory.
      const copies = { dkey: new Uint8Array(dkey), akey: new Uint8Array(akey) };
      this.#values.push({ oid, ...copies, record, prefix: undefined });
      return;
    }
    if (this.#object?.oid !== oid) {
      this.#object = { oid, prefix: objectPrefix({ container: this.#container, oid }) };
    }
    const prefix = shortPrefix(this.#object.prefix, dkey, akey);
    this.#values.push(new ShortVersion(oid, record, prefix));
  }

  /** Punches a dkey, or the object if the dkey is empty. */
  punch(oid: ObjectId, dkey: Uint8Array): void {
    const isBelow = (item: { oid: ObjectId; dkey: Uint8Array }) =>
      item.oid === oid && (dkey.length === 0 || equal(item.dkey, dkey));
    this.#values = this.#values.filter((value) => !isBelow(value));
    this.#punches = this.#punches.filter((punch) => !isBelow(punch));
    this.#last.clear();
    this.#named = 0;
    this.#punches.push({ oid, dkey: new Uint8Array(dkey) });
  }

  /** Whether the transaction punched a dkey, or its object: committed versions are hidden then. */
  hides(oid: ObjectId, dkey: Uint8Array): boolean {
    return this.#punches.some(
      (punch) => punch.oid === oid && (punch.dkey.length === 0 || equal(punch.dkey, dkey)),
    );
  }

  #lasts(): ReadonlyMap<string, ValueVersion> {
    for (; this.#named < this.#values.length; this.#named++) {
      const value = this.#values[this.#named] as ValueVersion;
      this.#last.set(nameOf(value.oid, value.dkey, value.akey), value);
    }
    return this.#last;
  }

  /** The transaction's last version of an akey. */
  last(oid: ObjectId, dkey: Uint8Array, akey: Uint8Array): ValueVersion | undefined {
    return this.#values.length === 0 ? undefined : this.#lasts().get(nameOf(oid, dkey, akey));
  }

  /** The last versions of the akeys of an object. */
  ofObject(oid: ObjectId): ValueVersion[] {
    return [...this.#lasts().values()].filter((value) => value.oid === oid);
  }

  /**
   * Demands that a key exists, or that it does not.
   *
   * @param runs What the transaction wrote to arrays.
   * @throws {@link DaosError} `DER_EXIST` or `DER_NONEXIST` if its own changes say otherwise.
   */
  demand(condition: Existence, runs: Iterable<Pick<ObjectRun, "oid" | "records">>): void {
    const known = this.#existence(condition, runs);
    if (known === condition.mustExist) return;
    if (known !== undefined) throw conditionError(condition);
    const { oid, dkey, akey, mustExist } = condition;
    const copies = { dkey: new Uint8Array(dkey), akey: new Uint8Array(akey) };
    this.#conditions.push({ oid, ...copies, mustExist });
  }

  /** Whether a key exists, as far as the own changes say. */
  #existence(
    { oid, dkey, akey }: Existence,
    runs: Iterable<Pick<ObjectRun, "oid" | "records">>,
  ): boolean | undefined {
    const isBelow = (item: { dkey: Uint8Array; akey: Uint8Array }) =>
      (dkey.length === 0 || equal(item.dkey, dkey)) &&
      (akey.length === 0 || equal(item.akey, akey));
    for (const run of runs) {
      if (run.oid === oid && isBelow(run.records ?? { dkey: NO_KEY, akey: NO_KEY })) return true;
    }
    if (akey.length > 0) {
      const last = this.last(oid, dkey, akey);
      if (last !== undefined) return kindOf(last.record) !== VersionKind.punch;
    } else if (this.#values.length > 0) {
      const below = this.ofObject(oid).filter(isBelow);
      if (below.some(({ record }) => kindOf(record) !== VersionKind.punch)) return true;
    }
    return this.hides(oid, dkey) ? false : undefined;
  }
}
