/**
 * The long values that a transaction put and has not committed: their bytes lie in the writer's log.
 *
 * A value that is replaced, or punched, is forgotten; its bytes in the log are lost until the segment is
 * emptied.
 *
 * @module
 */

import { assert } from "../errors.js";
import type { LogWriter } from "../log/log-writer.js";
import { BYTES_OF_VALUE, type KeyPunch, type RecordsName } from "./contribution-format.js";
import { latin1 } from "./names.js";
import type { ObjectId } from "./object-id.js";
import { firstOffset, lastOffset } from "./pattern.js";
import { RunBuilder } from "./run-builder.js";

/** Which akey. */
export interface AkeyPlace {
  readonly oid: ObjectId;
  readonly dkey: Uint8Array;
  readonly akey: Uint8Array;
}

/** The bytes of one long value. */
export interface OwnBytes {
  readonly oid: ObjectId;
  readonly builder: RunBuilder;
  readonly records: RecordsName;
}

/** The name of an akey for look-ups in memory. */
export function akeyName({ oid, dkey, akey }: AkeyPlace): string {
  return `${oid}/${dkey.length}/${latin1(dkey)}${latin1(akey)}`;
}

/** The uncommitted long values of one transaction. */
export class OwnValues {
  readonly #values = new Map<string, OwnBytes>();

  /** Number of values. */
  get size(): number {
    return this.#values.size;
  }

  /** All of them, in the order in which they were put. */
  all(): Iterable<OwnBytes> {
    return this.#values.values();
  }

  /** Begins a value: its bytes are appended to the builder that is returned. */
  begin({ oid, dkey, akey }: AkeyPlace): RunBuilder {
    const builder = new RunBuilder();
    const copies = { dkey: new Uint8Array(dkey), akey: new Uint8Array(akey) };
    const records = { ...copies, window: 0, recordSize: BYTES_OF_VALUE };
    this.#values.set(akeyName({ oid, dkey, akey }), { oid, builder, records });
    return builder;
  }

  /** Forgets the value of an akey. */
  drop(place: AkeyPlace): void {
    if (this.#values.size > 0) this.#values.delete(akeyName(place));
  }

  /** Forgets the values below a dkey, or an object if the dkey is empty. */
  dropBelow({ oid, dkey }: KeyPunch): void {
    for (const [name, { oid: of, records }] of this.#values) {
      const isBelow = of === oid && (dkey.length === 0 || Buffer.compare(records.dkey, dkey) === 0);
      if (isBelow) this.#values.delete(name);
    }
  }

  /** Copies bytes of a value from `start` on. */
  read(writer: LogWriter, place: AkeyPlace, start: number, target: Uint8Array): void {
    const end = start + target.length;
    let copied = 0;
    // Pieces of a value are contiguous, and disjoint.
    for (const piece of this.#values.get(akeyName(place))?.builder.pieces ?? []) {
      const first = firstOffset(piece);
      const from = Math.max(start, first);
      const to = Math.min(end, lastOffset(piece));
      if (from >= to) continue;
      const part = target.subarray(from - start, to - start);
      const isThere = writer.read(piece.segment, piece.position + (from - first), part);
      assert(isThere, "a writer holds the segments of what it has not committed");
      copied += part.length;
    }
    assert(copied === target.length, "all bytes of an own value are in the log");
  }
}
