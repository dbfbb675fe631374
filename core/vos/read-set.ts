/**
 * What a transaction has read, so that its commit can tell whether it would read the same again.
 *
 *     value     one akey, or that it is not there        array    ranges of an array's bytes
 *     exists    whether an object or a dkey exists       keys     a list of keys, with its bounds
 *     values    a list of keys with their values         objects  a list of objects, with its bounds
 *
 * A read is remembered by what it looked at and not by what it saw: what it saw is still there at the
 * epoch that the transaction pins. Beyond a number of reads, those of an object become one read of all of
 * it, and in the end one of the container: a read is never forgotten.
 *
 * @module
 */

import { READS_MAX } from "../limits.js";
import type { Epoch } from "./epoch.js";
import { latin1 } from "./names.js";
import type { ObjectId } from "./object-id.js";
import { Pattern, type PatternRange, wholeOf } from "./pattern.js";

/** Reads of bytes of one array; of a byte array, dkey and akey are empty. */
export interface ArrayRead {
  readonly kind: "array";
  readonly oid: ObjectId;
  readonly dkey: Uint8Array;
  readonly akey: Uint8Array;
  /** First and last window that was read. */
  readonly windowFirst: number;
  readonly windowLast: number;
  /** Which bytes of a single window; `undefined` for all of all windows. */
  readonly range: PatternRange | undefined;
}

/** One read. Keys of lists lie in `[first, last]`; an empty `last` is no bound. */
export type Read =
  | {
      readonly kind: "value";
      readonly oid: ObjectId;
      readonly dkey: Uint8Array;
      readonly akey: Uint8Array;
    }
  /** An empty dkey stands for the object. */
  | { readonly kind: "exists"; readonly oid: ObjectId; readonly dkey: Uint8Array }
  | ArrayRead
  /** The akeys of a dkey; of an empty one, the dkeys of the object. */
  | {
      readonly kind: "keys";
      readonly oid: ObjectId;
      readonly dkey: Uint8Array;
      readonly first: Uint8Array;
      readonly last: Uint8Array;
    }
  /** The dkeys that hold a value of one akey, and these values. */
  | {
      readonly kind: "values";
      readonly oid: ObjectId;
      readonly akey: Uint8Array;
      readonly first: Uint8Array;
      readonly last: Uint8Array;
    }
  /** The objects from one id on, up to another one. */
  | { readonly kind: "objects"; readonly first: ObjectId; readonly last: ObjectId }
  /** Anything of an object. */
  | { readonly kind: "object"; readonly oid: ObjectId }
  /** Anything. */
  | { readonly kind: "container" };

/** The reads of a transaction, as they travel with its writes. */
export interface ContributedReads {
  /** The version that was read. */
  readonly epoch: Epoch;
  readonly reads: readonly Read[];
}

/** Last possible object id. */
export const OBJECT_ID_MAX: ObjectId = (1n << 128n) - 1n;

/** An object's reads, by name. */
interface ObjectReads {
  isWhole: boolean;
  readonly reads: Map<string, Read>;
  /** The array read that came last, and its name: the next one may go on where it ends. */
  last: { readonly name: string; readonly read: ArrayRead } | undefined;
}

/** Collects the reads of one transaction. */
export class ReadSet {
  /** The version that is read. */
  readonly epoch: Epoch;
  readonly #objects = new Map<ObjectId, ObjectReads>();
  readonly #lists: Read[] = [];
  #count = 0;
  #isWhole = false;
  readonly #countMax: number;

  constructor(epoch: Epoch, countMax = READS_MAX) {
    this.epoch = epoch;
    this.#countMax = countMax;
  }

  /** Number of reads that are remembered. */
  get count(): number {
    return this.#isWhole ? 1 : this.#count;
  }

  #of(oid: ObjectId): ObjectReads | undefined {
    if (this.#isWhole) return undefined;
    let object = this.#objects.get(oid);
    if (object === undefined) {
      object = { isWhole: false, reads: new Map(), last: undefined };
      this.#objects.set(oid, object);
    }
    return object.isWhole ? undefined : object;
  }

  #add({ reads }: ObjectReads, name: string, read: Read): void {
    const before = reads.size;
    reads.set(name, read);
    this.#count += reads.size - before;
    if (this.#count > this.#countMax) this.#coarsen();
  }

  /** Objects with several reads become one read each; if that is not half as many, all become one. */
  #coarsen(): void {
    for (const object of this.#objects.values()) {
      if (object.isWhole || object.reads.size <= 1) continue;
      this.#count -= object.reads.size - 1;
      object.reads.clear();
      object.isWhole = true;
    }
    if (this.#count * 2 > this.#countMax) this.#becomeWhole();
  }

  #becomeWhole(): void {
    this.#isWhole = true;
    this.#objects.clear();
    this.#lists.length = 0;
  }

  /** An akey was looked up. */
  value(oid: ObjectId, dkey: Uint8Array, akey: Uint8Array): void {
    const object = this.#of(oid);
    if (object === undefined) return;
    const name = `v${dkey.length}/${latin1(dkey)}${latin1(akey)}`;
    if (object.reads.has(name)) return;
    this.#add(object, name, { kind: "value", oid, dkey: copy(dkey), akey: copy(akey) });
  }

  /** It was asked whether a dkey, or the object if it is empty, exists. */
  exists(oid: ObjectId, dkey: Uint8Array): void {
    const object = this.#of(oid);
    const name = `e${latin1(dkey)}`;
    if (object === undefined || object.reads.has(name)) return;
    this.#add(object, name, { kind: "exists", oid, dkey: copy(dkey) });
  }

  /** Bytes of one window of an array were read. */
  array(
    oid: ObjectId,
    { dkey, akey, window }: { dkey: Uint8Array; akey: Uint8Array; window: number },
    range: PatternRange,
  ): void {
    const object = this.#of(oid);
    if (object === undefined || range.from >= range.to) return;
    const { last } = object;
    if (last !== undefined && last.read.windowFirst === window) {
      const { read, name } = last;
      const isSame = Buffer.compare(read.dkey, dkey) === 0 && Buffer.compare(read.akey, akey) === 0;
      const joined = isSame && read.range && joinedRange(read.range, range);
      if (joined !== undefined && joined !== false) {
        const longer = { ...read, range: joined };
        object.reads.set(name, longer);
        object.last = { name, read: longer };
        return;
      }
    }
    const windows = { windowFirst: window, windowLast: window };
    const read = {
      kind: "array",
      oid,
      dkey: copy(dkey),
      akey: copy(akey),
      ...windows,
      range,
    } as const;
    const name = `a${object.reads.size}`;
    object.last = { name, read };
    this.#add(object, name, read);
  }

  /** All of some windows of an array were read. */
  windows(
    oid: ObjectId,
    { dkey, akey }: { dkey: Uint8Array; akey: Uint8Array },
    [windowFirst, windowLast]: readonly [number, number],
  ): void {
    const object = this.#of(oid);
    if (object === undefined || windowFirst > windowLast) return;
    const name = `w${windowFirst}/${windowLast}/${dkey.length}/${latin1(dkey)}${latin1(akey)}`;
    const keys = { dkey: copy(dkey), akey: copy(akey) };
    this.#add(object, name, {
      kind: "array",
      oid,
      ...keys,
      windowFirst,
      windowLast,
      range: undefined,
    });
  }

  /** Anything of an object was read: when it was changed last. */
  object(oid: ObjectId): void {
    const object = this.#of(oid);
    if (object === undefined) return;
    this.#count += 1 - object.reads.size;
    object.reads.clear();
    object.isWhole = true;
  }

  /** The akeys of a dkey, or the dkeys of an object if it is empty, were listed. */
  keys(oid: ObjectId, dkey: Uint8Array, bounds: { first: Uint8Array; last: Uint8Array }): void {
    const object = this.#of(oid);
    if (object === undefined) return;
    const { first, last } = bounds;
    const name = `k${dkey.length}/${first.length}/${latin1(dkey)}${latin1(first)}${latin1(last)}`;
    const copies = { dkey: copy(dkey), first: copy(first), last: copy(last) };
    this.#add(object, name, { kind: "keys", oid, ...copies });
  }

  /** The values of an akey were listed. */
  values(oid: ObjectId, akey: Uint8Array, bounds: { first: Uint8Array; last: Uint8Array }): void {
    const object = this.#of(oid);
    if (object === undefined) return;
    const { first, last } = bounds;
    const name = `l${akey.length}/${first.length}/${latin1(akey)}${latin1(first)}${latin1(last)}`;
    const copies = { akey: copy(akey), first: copy(first), last: copy(last) };
    this.#add(object, name, { kind: "values", oid, ...copies });
  }

  /** Objects were listed. */
  objects(first: ObjectId, last: ObjectId): void {
    if (this.#isWhole) return;
    this.#lists.push({ kind: "objects", first, last });
    this.#count += 1;
    if (this.#count > this.#countMax) this.#becomeWhole();
  }

  /** All reads, for a commit. */
  contributed(): ContributedReads {
    const { epoch } = this;
    if (this.#isWhole) return { epoch, reads: [{ kind: "container" }] };
    const reads = [...this.#lists];
    for (const [oid, object] of this.#objects) {
      if (object.isWhole) reads.push({ kind: "object", oid });
      else reads.push(...object.reads.values());
    }
    return { epoch, reads };
  }
}

/** Not slice(): that of a Buffer shares its memory. */
function copy(key: Uint8Array): Uint8Array {
  return new Uint8Array(key);
}

/** One contiguous range of two that touch; `undefined` if they are not such. */
function joinedRange(a: PatternRange, b: PatternRange): PatternRange | undefined {
  if (a.pattern.levels.length + b.pattern.levels.length > 0) return undefined;
  const [aStart, aEnd] = [a.pattern.start + a.from, a.pattern.start + a.to];
  const [bStart, bEnd] = [b.pattern.start + b.from, b.pattern.start + b.to];
  if (aStart > bEnd || bStart > aEnd) return undefined;
  return wholeOf(Pattern.contiguous(Math.min(aStart, bStart), Math.max(aEnd, bEnd)));
}
