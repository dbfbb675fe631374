/**
 * The part of a scrub that checks the pages of the index, in steps: LMDB trusts its pages, and an index that is
 * large is not read whole when it is opened.
 *
 * The tree of the entries is walked in the order of keys; each step reads the newest state. Of a damaged page the
 * walk knows between which keys it lies: those are what may be lost. Free pages hold nothing and are not read.
 *
 * @module
 */

import type { CheckedPages } from "../index/index-store.js";
import { KeySpace } from "../index/key-codec.js";
import { OBJECT_PREFIX_SIZE, objectOfKey } from "./names.js";
import type { ObjectId } from "./object-id.js";

/** A page of the index that cannot be read. */
export interface IndexDamage {
  /** Number of the page. */
  readonly page: number;
  /** What is wrong with it. */
  readonly problem: string;
  /** Id of the container of the first key that it may hold, if keys there are of one. */
  readonly container: number | undefined;
  /** Object of that key: it and those behind it may be concerned. */
  readonly oid: ObjectId | undefined;
}

/** An index whose pages can be checked. */
export interface CheckableIndex {
  checkFrom(key: Uint8Array, pages: number): CheckedPages;
}

/** Keys of these spaces begin with a container and an object. */
const OBJECT_SPACES: readonly number[] = [
  KeySpace.object,
  KeySpace.akey,
  KeySpace.dkeyPunch,
  KeySpace.longKey,
  KeySpace.run,
];

function damageOf({
  page,
  problem,
  firstKey: key,
}: NonNullable<CheckedPages["damage"]>): IndexDamage {
  const isOfObject = OBJECT_SPACES.includes(key[0] ?? 0) && key.length >= OBJECT_PREFIX_SIZE;
  if (!isOfObject) return { page, problem, container: undefined, oid: undefined };
  const container = new DataView(key.buffer, key.byteOffset).getUint32(1);
  return { page, problem, container, oid: objectOfKey(key) };
}

/**
 * Checks all pages of the entries; yields what each part has read and found.
 *
 * @param openIndex Gives the index, or throws once it is closed.
 */
export function* scrubIndex(
  openIndex: () => CheckableIndex,
  pagesMax: number,
): Generator<{ pages: number; damage: IndexDamage | undefined }, void, undefined> {
  let from: Uint8Array | undefined = new Uint8Array();
  while (from !== undefined) {
    const { count, next, damage }: CheckedPages = openIndex().checkFrom(from, pagesMax);
    yield { pages: count, damage: damage && damageOf(damage) };
    from = next;
  }
}
