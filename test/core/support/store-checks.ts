/**
 * Compares what a view of a real container shows with a state of the model: every key alone, every list.
 *
 * @module
 */

import type { ContainerView, Transaction } from "daos-ts";
import { type ArrayState, type ContainerState, valueKey } from "./container-model.ts";

/** Two of them are long and agree in the first 256 bytes, by which the index orders them. */
const LONG = "L".repeat(300);
export const KEYS = [`${LONG}x`, `${LONG}a`, "a", "ab", "b\0"] as const;
const SORTED_KEYS = [...KEYS].sort();
/** The akey that holds records; the others hold single values. */
export const RECORDS = "records";
/** What may hold single values: the akey of records changes its kind. */
export const AKEYS = [...KEYS, RECORDS, RECORDS] as const;
/** Sizes of values around the largest that lies in the index, and far above. */
export const VALUE_SIZES = [0, 1, 4095, 4096, 4097, 70_000, 2 ** 20 + 1] as const;
export const RECORD_SIZE = 4;
/** Where records are: at the start, and where a window of the store ends. */
export const RECORD_STARTS = [0n, 3n, 2n ** 50n - 3n, 2n ** 60n] as const;
export const RECORDS_MAX = 6;

const known = new Map<string, Buffer>();

/** The bytes of a value of the model, `tag*size`: different ones for each tag. */
export function bytesOfValue(name: string): Buffer {
  let bytes = known.get(name);
  if (bytes === undefined) {
    if (known.size > 100) known.clear();
    const size = Number(name.split("*")[1]);
    bytes = Buffer.from(`${name};`.repeat(Math.ceil(size / (name.length + 1)))).subarray(0, size);
    known.set(name, bytes);
  }
  return bytes;
}

/** Says of bytes which value of the model they are, if they are the expected one. */
function nameOf(found: Uint8Array | undefined, expected: string | undefined): string | undefined {
  if (found === undefined) return undefined;
  if (expected !== undefined && Buffer.compare(found, bytesOfValue(expected)) === 0)
    return expected;
  return `${found.length} bytes: ${Buffer.from(found.subarray(0, 20))}`;
}

/** The error of a difference. */
export function differs(what: string, real: unknown, model: unknown): Error {
  return new Error(`${what}: the store says ${real}, the model ${model}`);
}

/** Compares bytes one by one. */
export function compareBytes(what: string, real: Uint8Array, model: Uint8Array): void {
  if (Buffer.compare(real, model) === 0) return;
  const at = model.findIndex((byte, index) => byte !== real[index]);
  throw differs(`${what}, byte ${at}`, real[at], model[at]);
}

/** The dkeys of an object that exist. */
export function dkeysOf(state: ContainerState, oid: bigint): string[] {
  return SORTED_KEYS.filter((dkey) => akeysOf(state, oid, dkey).length > 0);
}

function akeysOf(state: ContainerState, oid: bigint, dkey: string): string[] {
  return [...SORTED_KEYS, RECORDS].filter((akey) => {
    const key = valueKey(oid, dkey, akey);
    return state.values.has(key) || state.records.has(key);
  });
}

export function checkWritten(view: ContainerView, oid: bigint, { written }: ArrayState): void {
  const found = new Uint8Array(written.length);
  for (const { start, end } of view.writtenRanges(oid, { start: 0, end: written.length })) {
    found.fill(1, start, end);
  }
  compareBytes(`written ranges of ${oid} at ${view.epoch}`, found, written);
}

/** Every key of an object, alone. */
export function checkObject(
  view: ContainerView,
  state: ContainerState,
  oid: bigint,
  own?: Transaction,
): void {
  for (const dkey of KEYS) {
    for (const akey of [...KEYS, RECORDS]) {
      const expected = state.values.get(valueKey(oid, dkey, akey));
      checkValue(view, { oid, dkey, akey }, expected, own);
    }
    const name = valueKey(oid, dkey, RECORDS);
    if (!state.values.has(name)) checkRecords(view, { oid, dkey }, state.records.get(name), own);
  }
}

/** A value: whole, its size, and in buffers that are cut somewhere. */
function checkValue(
  view: ContainerView,
  { oid, dkey: dname, akey: aname }: { oid: bigint; dkey: string; akey: string },
  expected: string | undefined,
  own?: Transaction,
): void {
  const [dkey, akey] = [Buffer.from(dname), Buffer.from(aname)];
  const what = `value ${oid}/${dname}/${aname}`;
  const value = nameOf(view.getValue(oid, dkey, akey, own), expected);
  if (value !== expected) throw differs(what, value, expected);
  const size = expected === undefined ? undefined : bytesOfValue(expected).length;
  const found = view.valueSize(oid, dkey, akey, own);
  if (found !== size) throw differs(`size of ${what}`, found, size);
  if (size === undefined) return;
  const into = Buffer.alloc(size + 1, 0xcc);
  const cut = Math.floor(size / 3);
  const parts = [into.subarray(0, cut), into.subarray(cut, cut), into.subarray(cut)];
  const [fetched] = view.fetch(oid, dkey, [{ akey, into: parts }], own);
  if (fetched?.size !== size) throw differs(`fetched size of ${what}`, fetched?.size, size);
  const again = nameOf(into.subarray(0, size), expected);
  if (again !== expected) throw differs(`fetched ${what}`, again, expected);
  if (into[size] !== 0xcc) throw differs(`the byte behind ${what}`, into[size], 0xcc);
}

export function checkRecords(
  view: ContainerView,
  { oid, dkey }: { oid: bigint; dkey: string },
  records: ReadonlyMap<bigint, number> | undefined,
  own: Transaction | undefined,
): void {
  const count = RECORDS_MAX + 3;
  const ranges = RECORD_STARTS.map((index) => ({ index, count }));
  const into = Buffer.alloc(ranges.length * count * RECORD_SIZE, 0xcc);
  const akey = Buffer.from(RECORDS);
  const wanted = [{ akey, ranges, into, map: true }];
  const [found] = view.fetch(oid, Buffer.from(dkey), wanted, own);
  const size = records === undefined ? 0 : RECORD_SIZE;
  if (found?.size !== size) throw differs(`record size of ${dkey}`, found?.size, size);
  const written = new Set<bigint>();
  for (const range of found.written ?? []) {
    for (let at = 0n; at < range.count; at++) written.add(range.index + at);
  }
  let at = 0;
  for (const { index } of ranges) {
    for (let cell = index; cell < index + BigInt(count); cell++, at += RECORD_SIZE) {
      const expected = records?.get(cell) ?? 0xcccc_cccc;
      const value = into.readUInt32LE(at);
      if (value !== expected) throw differs(`record ${cell} of ${oid}/${dkey}`, value, expected);
      const isThere = records?.has(cell) === true;
      if (written.has(cell) !== isThere) throw differs(`map at ${cell}`, !isThere, isThere);
    }
  }
  if (own !== undefined) return;
  for (const which of ["min", "max"] as const) {
    const query = view.queryRecord(oid, Buffer.from(dkey), akey, which);
    const indices = [...(records?.keys() ?? [])].sort((a, b) => (a < b ? -1 : 1));
    const expected = indices.at(which === "min" ? 0 : -1);
    if (query !== expected) throw differs(`${which} record of ${dkey}`, query, expected);
  }
}

/** The lists of an object, whole, in parts, and of one akey. */
export function checkLists(view: ContainerView, state: ContainerState, oid: bigint): void {
  const dkeys = dkeysOf(state, oid);
  if (view.exists(oid) !== (dkeys.length > 0 || state.arrays.has(oid))) {
    throw differs(`exists(${oid})`, view.exists(oid), dkeys);
  }
  const texts = (keys: readonly Uint8Array[]) => keys.map((key) => Buffer.from(key).toString());
  const compare = (what: string, keys: readonly Uint8Array[], expected: readonly string[]) => {
    if (String(texts(keys)) !== String(expected)) throw differs(what, texts(keys), expected);
  };
  compare(`dkeys of ${oid}`, view.listDkeys(oid).keys, dkeys);
  const paged: Uint8Array[] = [];
  for (let anchor: Uint8Array | undefined, first = true; first || anchor !== undefined; ) {
    const part = view.listDkeys(oid, { limit: 2, anchor });
    paged.push(...part.keys);
    anchor = part.anchor;
    first = false;
  }
  compare(`pages of dkeys of ${oid}`, paged, dkeys);
  const split = view.splitDkeys(oid, 3).flatMap((anchor) => view.listDkeys(oid, { anchor }).keys);
  compare(`parts of dkeys of ${oid}`, split, dkeys);
  const edges = [view.queryDkey(oid, "min"), view.queryDkey(oid, "max")];
  compare(
    `edges of ${oid}`,
    edges.filter((key) => key !== undefined),
    dkeys.length === 0 ? [] : [dkeys[0] as string, dkeys.at(-1) as string],
  );
  for (const dkey of KEYS) {
    const name = Buffer.from(dkey);
    if (view.exists(oid, name) !== dkeys.includes(dkey)) {
      throw differs(`exists(${oid}, ${dkey})`, view.exists(oid, name), dkeys);
    }
    const akeys = akeysOf(state, oid, dkey);
    compare(`akeys of ${oid}/${dkey}`, view.listAkeys(oid, name).keys, akeys);
    const last = view.queryAkey(oid, name, "max");
    compare(`last akey of ${oid}/${dkey}`, last === undefined ? [] : [last], akeys.slice(-1));
  }
  for (const akey of [...KEYS, RECORDS]) {
    const listed = dkeys.flatMap((dkey) => {
      const value = state.values.get(valueKey(oid, dkey, akey));
      return value === undefined ? [] : [`${dkey}=${value}`];
    });
    const found = view.listValues(oid, { akey: Buffer.from(akey) }).map(({ dkey, value }) => {
      const name = valueKey(oid, `${Buffer.from(dkey)}`, akey);
      return `${Buffer.from(dkey)}=${nameOf(value, state.values.get(name))}`;
    });
    if (String(found) !== String(listed)) throw differs(`values of ${oid}`, found, listed);
  }
}
