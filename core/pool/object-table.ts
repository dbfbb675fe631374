/**
 * The object table of a snapshot: all objects that it shows, and a mark for each.
 *
 *     begin   table.mark(oid, progress)  ...  killed
 *     later   table.entries({ only: "unmarked" })      what is left to do
 *
 * DAOS keeps a list of objects with each snapshot that wants one (OIT); here the list follows from the
 * snapshot itself, so that every snapshot has it, and only marks are stored. They are durable when the call
 * returns, seen by all processes, and freed with the snapshot.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import {
  LIST_BATCH_COUNT,
  OBJECT_MARK_SIZE_MAX,
  OBJECT_MARKS_MAX,
  OBJECT_TABLE_SCAN_COUNT_MAX,
} from "../limits.js";
import { type Anchor, decodeAnchor, encodeAnchor } from "../vos/anchor.js";
import type { Epoch } from "../vos/epoch.js";
import { formatOid, type ObjectId, oidBytes, oidOfBytes } from "../vos/object-id.js";
import type { MarkedObject, MarkedSnapshot } from "../vos/object-marks.js";
import type { ObjectMarks } from "../vos/target.js";
import type { ContainerView } from "./view.js";

/** An object of a snapshot. */
export interface TableEntry {
  /** The object. */
  readonly oid: ObjectId;
  /** Its mark; `undefined` if it has none. */
  readonly mark: Uint8Array | undefined;
}

/** Which objects of a table are wanted. */
export interface TableOptions {
  /** Only objects with a mark, or only those without; all by default. */
  readonly only?: "marked" | "unmarked";
  /** Where to go on; from the start by default. */
  readonly anchor?: Anchor | undefined;
}

/** A part of a table. */
export interface TablePart {
  /** In the order of the object ids; may be empty although there are more. */
  readonly entries: TableEntry[];
  /** Where the list goes on; `undefined` at its end. */
  readonly anchor: Anchor | undefined;
}

/** What a table is made of. @internal */
export interface TableOrigin {
  readonly place: MarkedSnapshot;
  /** A view of the snapshot, which the table closes. */
  readonly view: ContainerView;
  readonly marks: () => ObjectMarks;
  /** Refuses to go on through a closed handle. */
  readonly requireOpen: (what: string) => void;
  /** The same, and through one that may only read. */
  readonly requireWritable: (what: string) => void;
}

const OID_END = 1n << 128n;
const NO_KEY = new Uint8Array();

function anchorAt(oid: ObjectId): Anchor | undefined {
  if (oid >= OID_END) return undefined;
  return encodeAnchor("object", { start: oidBytes(oid), end: NO_KEY });
}

/** The object table of one snapshot. Close it, so that aggregation can take what nothing else sees. */
export class ObjectTable {
  readonly #origin: TableOrigin;
  #isOpen = true;

  /** @internal */
  constructor(origin: TableOrigin) {
    this.#origin = origin;
  }

  /** Name of the snapshot. */
  get snapshot(): string {
    return this.#origin.place.snapshot.name;
  }

  /** What the snapshot shows. */
  get epoch(): Epoch {
    return this.#origin.place.snapshot.epoch;
  }

  /**
   * A part of the objects of the snapshot, with their marks.
   *
   * @param options `limit`: entries at most, 65,536 by default and at most. A call looks at a bounded number
   *   of objects: of a filtered list it may come back with few entries, or none, and an anchor.
   * @throws {@link DaosError} `DER_NONEXIST` once the snapshot is destroyed, `DER_INVAL` for a bad anchor or
   *   limit, `DER_NO_HDL` if table or pool were closed.
   */
  list(options: TableOptions & { readonly limit?: number } = {}): TablePart {
    const { only, anchor, limit = OBJECT_TABLE_SCAN_COUNT_MAX } = options;
    const what = this.#requireOpen("Listing");
    if (!(Number.isSafeInteger(limit) && limit >= 1)) {
      const text = { what, why: `the limit is ${limit}`, remedy: "give 1 or more" };
      throw new DaosError("DER_INVAL", text, { limit });
    }
    const wanted = Math.min(limit, OBJECT_TABLE_SCAN_COUNT_MAX);
    return only === "marked" ? this.#marked(anchor, wanted) : this.#listed(options, wanted);
  }

  /** Who is marked exists: the snapshot does not change. */
  #marked(anchor: Anchor | undefined, limit: number): TablePart {
    const { start } = decodeAnchor("object", anchor);
    const first = start.length === 0 ? 0n : oidOfBytes(start);
    const entries = this.#marks({ first, limit });
    const last = entries.at(-1);
    const isFull = entries.length === limit && last !== undefined;
    return { entries, anchor: isFull ? anchorAt(last.oid + 1n) : undefined };
  }

  #listed({ only, anchor }: TableOptions, limit: number): TablePart {
    const { view } = this.#origin;
    const entries: TableEntry[] = [];
    let at: Anchor | undefined = anchor;
    let scanned = 0;
    do {
      const count = Math.min(LIST_BATCH_COUNT, limit - entries.length);
      const { keys, anchor: next } = view.listObjects({ anchor: at, limit: count });
      const [first, last] = [keys[0], keys.at(-1)];
      // Also where there are no objects: that the snapshot is there is looked at.
      const range = { first: first ?? 0n, last: last ?? 0n, limit: LIST_BATCH_COUNT };
      const marks = new Map(this.#marks(range).map(({ oid, mark }) => [oid, mark]));
      for (const oid of keys) {
        const mark = marks.get(oid);
        if (only === undefined || mark === undefined) entries.push({ oid, mark });
      }
      scanned += keys.length;
      at = next;
    } while (at !== undefined && entries.length < limit && scanned < OBJECT_TABLE_SCAN_COUNT_MAX);
    return { entries, anchor: at };
  }

  #marks(range: { first: ObjectId; last?: ObjectId; limit: number }): MarkedObject[] {
    const { marks, place } = this.#origin;
    return marks().list(place, range);
  }

  /**
   * The objects of the snapshot, a batch of the index at a time. Marks that change meanwhile may be seen
   * or not.
   *
   * @throws {@link DaosError} as {@link list} does.
   *
   * @example
   * ```ts
   * for (const { oid } of table.entries({ only: "unmarked" })) {
   *   await migrate(oid);
   *   table.mark(oid, done);
   * }
   * ```
   */
  *entries(options: TableOptions = {}): Generator<TableEntry, void, undefined> {
    let { anchor } = options;
    do {
      const part: TablePart = this.list({ ...options, anchor, limit: LIST_BATCH_COUNT });
      yield* part.entries;
      anchor = part.anchor;
    } while (anchor !== undefined);
  }

  /**
   * The mark of an object; `undefined` if it has none.
   *
   * @throws {@link DaosError} `DER_NONEXIST` once the snapshot is destroyed, `DER_NO_HDL`.
   */
  markOf(oid: ObjectId): Uint8Array | undefined {
    this.#requireOpen("Reading");
    return this.#marks({ first: oid, last: oid, limit: 1 })[0]?.mark;
  }

  /**
   * Marks an object of the snapshot; a later mark replaces an earlier one. It is durable (in a `power` pool)
   * when the call returns: {@link markMany} shares the flush.
   *
   * @param mark Up to 32 bytes, also none; copied.
   * @throws {@link DaosError} `DER_NONEXIST` if the snapshot does not show the object, or was destroyed;
   *   `DER_INVAL` if the mark is too large, `DER_NO_PERM` on a read-only handle, `DER_NOSPACE`. Nothing
   *   is changed then.
   */
  mark(oid: ObjectId, mark: Uint8Array): void {
    this.markMany([[oid, mark]]);
  }

  /**
   * Marks objects, all of them or, if an error is thrown, none.
   *
   * @param marks Up to 65,536.
   * @throws {@link DaosError} as {@link mark} does.
   */
  markMany(marks: Iterable<readonly [ObjectId, Uint8Array]>): void {
    const what = this.#requireWritable("Marking objects of");
    const changes = Array.from(marks, ([oid, mark]) => ({ oid, mark }));
    requireFew(what, changes.length);
    for (const { oid, mark } of changes) {
      if (mark.length > OBJECT_MARK_SIZE_MAX) {
        const why = `the mark has ${mark.length} bytes, more than ${OBJECT_MARK_SIZE_MAX}`;
        const remedy = "store more in the object itself, or in one of your own";
        throw new DaosError("DER_INVAL", { what, why, remedy }, { oid, size: mark.length });
      }
      if (this.#origin.view.exists(oid)) continue;
      const why = `the snapshot shows no object ${formatOid(oid)}`;
      const remedy = "mark objects that the table lists";
      throw new DaosError("DER_NONEXIST", { what, why, remedy }, { oid });
    }
    if (changes.length > 0) this.#origin.marks().change(this.#origin.place, changes);
  }

  /**
   * Takes marks away.
   *
   * @param oids Up to 65,536 objects; those without a mark stay as they are.
   * @returns How many had a mark.
   * @throws {@link DaosError} `DER_NONEXIST` once the snapshot is destroyed, `DER_INVAL`, `DER_NO_PERM`.
   *   Nothing is changed then.
   */
  unmark(oids: Iterable<ObjectId>): number {
    const what = this.#requireWritable("Unmarking objects of");
    const changes = Array.from(new Set(oids), (oid) => ({ oid, mark: undefined }));
    requireFew(what, changes.length);
    if (changes.length === 0) return 0;
    return this.#origin.marks().change(this.#origin.place, changes);
  }

  #requireOpen(doing: string): string {
    const what = `${doing} the object table of snapshot ${JSON.stringify(this.snapshot)}`;
    if (!this.#isOpen) {
      const text = { what, why: "the table was closed", remedy: "open it again" };
      throw new DaosError("DER_NO_HDL", text);
    }
    this.#origin.requireOpen(what);
    return what;
  }

  #requireWritable(doing: string): string {
    const what = this.#requireOpen(doing);
    this.#origin.requireWritable(what);
    return what;
  }

  /** Lets go of the snapshot's version. Later calls do nothing, other calls are `DER_NO_HDL`. */
  close(): void {
    this.#isOpen = false;
    this.#origin.view.close();
  }

  /** Closes the table at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function requireFew(what: string, count: number): void {
  if (count <= OBJECT_MARKS_MAX) return;
  const why = `${count} objects are more than the ${OBJECT_MARKS_MAX} of one call`;
  throw new DaosError("DER_INVAL", { what, why, remedy: "change fewer at once" }, { count });
}
