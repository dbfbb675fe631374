/**
 * The values of an object as a transaction sees them: the version that it reads, and its own changes.
 *
 * @module
 */

import type { ObjectId } from "../../core/index.js";
import type { NamespaceState } from "./directory.js";

/** A dkey and the value that it holds under one akey. */
export interface KeyedValue {
  /** The distribution key. */
  readonly dkey: Uint8Array;
  /** The value. */
  readonly value: Uint8Array;
}

/** The dkeys of an object that hold a value of `akey`, in lexical order, with those values. */
export function listValues(state: NamespaceState, oid: ObjectId, akey: Uint8Array): KeyedValue[] {
  const name = (dkey: Uint8Array) => Buffer.from(dkey).toString("latin1");
  const hides = (dkey: Uint8Array) => state.own?.hides(oid, dkey) === true;
  const committed = state.view.listValues(oid, { akey }).filter(({ dkey }) => !hides(dkey));
  const own = (state.own?.ownValues(oid) ?? []).filter(
    (change) => Buffer.compare(change.akey, akey) === 0,
  );
  if (own.length === 0) return committed;
  const values = new Map<string, KeyedValue>(committed.map((entry) => [name(entry.dkey), entry]));
  for (const { dkey, value } of own) {
    if (value === undefined) values.delete(name(dkey));
    else values.set(name(dkey), { dkey, value });
  }
  return [...values.values()].sort((a, b) => Buffer.compare(a.dkey, b.dkey));
}
