/**
 * Objects by their keys, key-value stores and arrays: asynchronous calls with transactions and signals.
 *
 * @module
 */

export type { ArrayAttributes } from "./array-format.js";
export { type ArrayCreateOptions, ArrayObject, type ArrayReadResult } from "./array-object.js";
export type { CellRange } from "./array-ranges.js";
export { DaosObject, type PunchOptions, type UpdateOptions } from "./daos-object.js";
export {
  KeyValue,
  type KvEntry,
  type KvKey,
  type KvKeyKind,
  type PutOptions,
} from "./key-value.js";
export { type IterateOptions, ListIterator } from "./list-iterator.js";
export type { CallOptions } from "./object-access.js";
