/**
 * What a transaction wrote to arrays and has not committed: byte arrays, and records under keys.
 *
 * @module
 */

import type { KeyPunch, RecordsName } from "./contribution-format.js";
import type { Epoch } from "./epoch.js";
import { latin1 } from "./names.js";
import type { ObjectId } from "./object-id.js";
import { type AkeyPlace, akeyName } from "./own-values.js";
import { RunBuilder } from "./run-builder.js";

/** What a transaction wrote to one array. */
export interface OwnArray {
  readonly oid: ObjectId;
  readonly builder: RunBuilder;
  readonly incarnation: Epoch;
  /** Of an array under keys: which. */
  readonly records: RecordsName | undefined;
}

function recordsName(
  oid: ObjectId,
  { dkey, akey, window }: Omit<RecordsName, "recordSize">,
): string {
  return `${oid}/${window}/${dkey.length}/${latin1(dkey)}${latin1(akey)}`;
}

function isUnder({ oid, records }: OwnArray, place: AkeyPlace): boolean {
  return (
    oid === place.oid &&
    records !== undefined &&
    Buffer.compare(records.dkey, place.dkey) === 0 &&
    Buffer.compare(records.akey, place.akey) === 0
  );
}

/** The uncommitted array writes of one transaction. */
export class OwnArrays {
  /** Byte arrays by object, arrays under keys by name: both are one look-up. */
  readonly #arrays = new Map<ObjectId | string, OwnArray>();
  /** Names of the akeys that have own records. */
  readonly #akeys = new Set<string>();

  /** Number of arrays. */
  get size(): number {
    return this.#arrays.size;
  }

  /** All of them, in the order of the first writes. */
  all(): MapIterator<OwnArray> {
    return this.#arrays.values();
  }

  /** The writes to a byte array, begun if there are none. */
  ofBytes(oid: ObjectId, incarnation: Epoch): OwnArray {
    let writes = this.#arrays.get(oid);
    if (writes === undefined) {
      writes = { oid, builder: new RunBuilder(), incarnation, records: undefined };
      this.#arrays.set(oid, writes);
    }
    return writes;
  }

  /** The writes to a window of records, begun if there are none. */
  ofRecords(oid: ObjectId, { dkey, akey, window, recordSize }: RecordsName): OwnArray {
    const name = recordsName(oid, { dkey, akey, window });
    let writes = this.#arrays.get(name);
    if (writes === undefined) {
      const copies = { dkey: new Uint8Array(dkey), akey: new Uint8Array(akey) };
      const records = { ...copies, window, recordSize };
      writes = { oid, builder: new RunBuilder(), incarnation: 0n, records };
      this.#arrays.set(name, writes);
      this.#akeys.add(akeyName({ oid, dkey, akey }));
    }
    return writes;
  }

  /** The writes to a byte array, or to a window of records, if there are any. */
  find(oid: ObjectId, records?: Omit<RecordsName, "recordSize">): OwnArray | undefined {
    return this.#arrays.get(records === undefined ? oid : recordsName(oid, records));
  }

  /** Forgets the records of an akey. @returns Whether there were any. */
  drop(place: AkeyPlace): boolean {
    if (this.#akeys.size === 0 || !this.#akeys.delete(akeyName(place))) return false;
    this.#dropIf((array) => isUnder(array, place));
    return true;
  }

  /** Forgets what was written below a dkey, or to an object if the dkey is empty. */
  dropBelow({ oid, dkey }: KeyPunch): void {
    this.#dropIf(({ oid: of, records }) => {
      if (of !== oid) return false;
      return (
        dkey.length === 0 || (records !== undefined && Buffer.compare(records.dkey, dkey) === 0)
      );
    });
  }

  #dropIf(isDropped: (array: OwnArray) => boolean): void {
    for (const [name, array] of this.#arrays) {
      if (!isDropped(array)) continue;
      this.#arrays.delete(name);
      const { oid, records } = array;
      if (records !== undefined) this.#akeys.delete(akeyName({ oid, ...records }));
    }
  }

  /** The record size of the records of an akey. */
  recordSize(place: AkeyPlace): number | undefined {
    if (!this.#akeys.has(akeyName(place))) return undefined;
    const found = [...this.all()].find((array) => isUnder(array, place));
    return found?.records?.recordSize;
  }

  /** The windows of an akey that records were written to. */
  windows(place: AkeyPlace): number[] {
    return [...this.all()].flatMap((array) =>
      isUnder(array, place) && array.records ? [array.records.window] : [],
    );
  }
}
