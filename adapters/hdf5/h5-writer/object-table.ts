/**
 * The objects of a file under way: which are written, where, and how many links and users each has.
 *
 * Memory grows with the number of objects, not with their size.
 *
 * @module
 */

import type { TargetFile } from "../../local/target-file.js";
import type { Datatype } from "../datatype/datatype.js";
import type { SourceObject } from "../description.js";
import { type CountPlace, STUB_SIZE, writeReferenceCount } from "./object-header.js";

/** What is known of an object. */
export interface ObjectEntry {
  /** Address of its header, if it was written or reserved. */
  address: number | undefined;
  /** Whether the address was reserved before the header was written. */
  isReserved: boolean;
  /** Whether it was written, or is being. */
  isStarted: boolean;
  /** Links to it, and users of a committed datatype. */
  count: number;
  /** Whether its header keeps the order of attributes. */
  hasOrder: boolean;
  /** Where the count goes; `undefined` until the header was written. */
  place: CountPlace | undefined;
}

/** The objects of a file. */
export class ObjectTable {
  readonly #target: TargetFile;
  readonly #entries = new Map<string, ObjectEntry>();
  /** Objects that something refers to and that no link has led to yet. */
  readonly #pending = new Map<string, SourceObject>();
  /** Datatypes that are used and that no link has led to yet. */
  readonly #types = new Map<string, Datatype>();

  constructor(target: TargetFile) {
    this.#target = target;
  }

  /** What is known of the object of an identity. */
  entry(id: string): ObjectEntry {
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = {
        ...{ address: undefined, isReserved: false, isStarted: false },
        ...{ count: 0, hasOrder: false, place: undefined },
      };
      this.#entries.set(id, entry);
    }
    return entry;
  }

  /** Address of an object, reserved if it is not written yet. */
  addressOf(id: string): number {
    const entry = this.entry(id);
    if (entry.address === undefined) {
      entry.address = this.#target.allocate(STUB_SIZE);
      entry.isReserved = true;
    }
    return entry.address;
  }

  /** Address of an object that an element refers to. */
  referTo(object: SourceObject): number {
    if (!this.entry(object.id).isStarted) this.#pending.set(object.id, object);
    return this.addressOf(object.id);
  }

  /** Address of a committed datatype that a dataset or attribute uses. */
  useType(id: string, type: Datatype): number {
    const entry = this.entry(id);
    entry.count++;
    if (!entry.isStarted) this.#types.set(id, type);
    return this.addressOf(id);
  }

  /** Says that an object is being written. */
  start(id: string): ObjectEntry {
    const entry = this.entry(id);
    entry.isStarted = true;
    this.#pending.delete(id);
    this.#types.delete(id);
    return entry;
  }

  /** An object that something refers to and no link leads to. */
  nextPending(): SourceObject | undefined {
    const [first] = this.#pending.values();
    return first;
  }

  /** A datatype that is used and no link leads to. */
  nextType(): readonly [string, Datatype] | undefined {
    const [first] = this.#types;
    return first;
  }

  /** Writes the counts that are more than one. */
  finish(): void {
    for (const { count, hasOrder, place } of this.#entries.values()) {
      if (count > 1 && place !== undefined) {
        writeReferenceCount(this.#target, place, { count, hasOrder });
      }
    }
  }
}
