/**
 * What one commit has published so far, so that a later contribution's punch can take it back: a reader
 * hides what is older than a punch, and what the same commit wrote before it is not older.
 *
 * @module
 */

import type { IndexTransaction } from "../index/index-store.js";
import { changeLiveSize } from "../log/segment-record.js";
import type { ObjectId } from "./object-id.js";
import { isHole, pieceSize } from "./piece.js";
import { decodeRun } from "./run-format.js";

interface Published {
  readonly oid: ObjectId;
  /** Dkey and akey that it lies under, as they are in keys; of a byte array, the empty ones. */
  readonly path: Uint8Array;
  readonly key: Uint8Array;
  /** The run, if it is one. */
  readonly run: Uint8Array | undefined;
}

/** The entries of one commit. */
export class Publication {
  readonly #entries: Published[] | undefined;

  /** @param contributions Of a single one nothing has to be taken back. */
  constructor(contributions: number) {
    this.#entries = contributions > 1 ? [] : undefined;
  }

  /** Remembers a version of an akey, given by its key. */
  version(oid: ObjectId, prefix: Uint8Array, suffix: Uint8Array, objectSize: number): void {
    if (this.#entries === undefined) return;
    const key = Buffer.concat([prefix, suffix]);
    this.#entries.push({ oid, path: prefix.subarray(objectSize), key, run: undefined });
  }

  /** Remembers a run. */
  run(oid: ObjectId, path: Uint8Array, key: Uint8Array, run: Uint8Array): void {
    this.#entries?.push({ oid, path, key, run });
  }

  /** Takes back what lies below a punched object, dkey or akey. */
  takeBack(tx: IndexTransaction, oid: ObjectId, path: Uint8Array): void {
    for (const entry of this.#entries ?? []) {
      const below =
        entry.oid === oid && Buffer.compare(entry.path.subarray(0, path.length), path) === 0;
      if (!below || tx.get(entry.key) === undefined) continue;
      tx.remove(entry.key);
      if (entry.run === undefined) continue;
      for (const piece of decodeRun(entry.run).pieces) {
        if (!isHole(piece)) changeLiveSize(tx, piece.segment, -pieceSize(piece));
      }
    }
  }
}
