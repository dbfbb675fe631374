/**
 * What one commit has published so far, so that a later contribution's punch can take it back: a reader
 * hides what is older than a punch, and what the same commit wrote before it is not older. So it is with a
 * value, and the bytes that lay below its akey.
 *
 * @module
 */

import type { IndexTransaction } from "../index/index-store.js";
import { KeySpace } from "../index/key-codec.js";
import { changeLiveSize } from "../log/segment-record.js";
import { type ArrayAddress, WINDOW_FIELD_SIZE } from "./array-address.js";
import { inSpace, latin1, OBJECT_PREFIX_SIZE } from "./names.js";
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
  /** The runs below each akey, by the beginning of its keys. */
  readonly #runs = new Map<string, Published[]>();

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
  run({ oid, path }: ArrayAddress, key: Uint8Array, run: Uint8Array): void {
    if (this.#entries === undefined) return;
    const entry = { oid, path, key, run };
    this.#entries.push(entry);
    const akey = latin1(runPrefixOfAkey(key, path));
    const known = this.#runs.get(akey);
    if (known === undefined) this.#runs.set(akey, [entry]);
    else known.push(entry);
  }

  /** Takes back the runs below an akey, given as the beginning of its keys, whose version is replaced. */
  takeBackRuns(tx: IndexTransaction, akey: Uint8Array): void {
    if (this.#runs.size === 0) return;
    const name = latin1(inSpace(akey, KeySpace.run));
    for (const entry of this.#runs.get(name) ?? []) remove(tx, entry);
    this.#runs.delete(name);
  }

  /** Takes back what lies below a punched object, dkey or akey. */
  takeBack(tx: IndexTransaction, oid: ObjectId, path: Uint8Array): void {
    for (const entry of this.#entries ?? []) {
      const below =
        entry.oid === oid && Buffer.compare(entry.path.subarray(0, path.length), path) === 0;
      if (below) remove(tx, entry);
    }
  }
}

/** The beginning of the keys of the runs below an akey, whatever their window. */
function runPrefixOfAkey(key: Uint8Array, path: Uint8Array): Uint8Array {
  return key.subarray(0, OBJECT_PREFIX_SIZE + path.length - WINDOW_FIELD_SIZE);
}

/** Removes an entry that may be gone already. */
function remove(tx: IndexTransaction, { key, run }: Published): void {
  if (tx.get(key) === undefined) return;
  tx.remove(key);
  if (run === undefined) return;
  for (const piece of decodeRun(run).pieces) {
    if (!isHole(piece)) changeLiveSize(tx, piece.segment, -pieceSize(piece));
  }
}
