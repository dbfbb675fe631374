/**
 * Evaluates predicates: on statistics, to find out whether rows may match, and on columns, row by row.
 *
 * Each row has one of three outcomes, as in SQL; of a batch, statistics tell which of them can occur.
 *
 * @module
 */

import type { Data } from "apache-arrow";
import { DataType } from "apache-arrow";
import type { BoundLiteral } from "./literals.js";
import type { BoundPredicate, Comparison } from "./predicate.js";
import {
  compareScalars,
  isValid,
  numbersOf,
  type Scalar,
  type ScalarKind,
  scalarAt,
} from "./scalars.js";
import type { ColumnStatistics } from "./statistics.js";

const FALSE = 0;
const TRUE = 1;
const UNKNOWN = 2;

/** Sets of outcomes, as bits. */
const CAN_FALSE = 1 << FALSE;
const CAN_TRUE = 1 << TRUE;
const CAN_UNKNOWN = 1 << UNKNOWN;
const CAN_ALL = CAN_FALSE | CAN_TRUE | CAN_UNKNOWN;

/** What statistics know of the rows that are looked at. */
export interface RowStatistics {
  readonly rows: number;
  /** Of a column; `undefined` if nothing is known. */
  column(column: number): ColumnStatistics | undefined;
}

/** The comparison that says the same of a literal between two values, of the smaller one. */
function rounded(op: Comparison, { value, isExact }: BoundLiteral): Comparison | boolean {
  if (isExact) return op;
  void value;
  if (op === "=" || op === "!=") return op === "!=";
  return op === "<" || op === "<=" ? "<=" : ">";
}

function outcomesOfRange(op: Comparison, low: number, high: number): number {
  // `low` and `high` tell where the least and the largest value lie beside the literal.
  const [isAllBelow, isAllAbove] = [high < 0, low > 0];
  const isAllEqual = low === 0 && high === 0;
  const canEqual = low <= 0 && high >= 0;
  const canBelow = low < 0;
  const canAbove = high > 0;
  const of = (canTrue: boolean, canFalse: boolean) =>
    (canTrue ? CAN_TRUE : 0) | (canFalse ? CAN_FALSE : 0);
  switch (op) {
    case "=":
      return of(canEqual, !isAllEqual);
    case "!=":
      return of(!isAllEqual, canEqual);
    case "<":
      return of(canBelow, !isAllBelow);
    case "<=":
      return of(canBelow || canEqual, canAbove);
    case ">":
      return of(canAbove, !isAllAbove);
    case ">=":
      return of(canAbove || canEqual, canBelow);
  }
}

function isNan(value: Scalar): boolean {
  return typeof value === "number" && Number.isNaN(value);
}

function outcomesOfComparison(
  { op, literal }: BoundPredicate & { literal: BoundLiteral; op: Comparison },
  known: ColumnStatistics | undefined,
  rows: number,
): number {
  if (known === undefined) return CAN_ALL;
  const { nullCount, bounds, hasNan } = known;
  const ofNulls = nullCount > 0 ? CAN_UNKNOWN : 0;
  if (nullCount >= rows) return CAN_UNKNOWN;
  const plain = rounded(op, literal);
  if (typeof plain === "boolean") return ofNulls | (plain ? CAN_TRUE : CAN_FALSE);
  const ofNan = plain === "!=" ? CAN_TRUE : CAN_FALSE;
  if (isNan(literal.value)) return ofNulls | ofNan;
  if (bounds === undefined) return ofNulls | (hasNan ? CAN_ALL : CAN_ALL);
  const low = compareScalars(bounds.min, literal.value);
  const high = compareScalars(bounds.max, literal.value);
  return ofNulls | (hasNan ? ofNan : 0) | outcomesOfRange(plain, low, high);
}

function negated(outcomes: number): number {
  const unknown = outcomes & CAN_UNKNOWN;
  return unknown | (outcomes & CAN_TRUE ? CAN_FALSE : 0) | (outcomes & CAN_FALSE ? CAN_TRUE : 0);
}

function joinedOutcomes(all: readonly number[], op: "and" | "or"): number {
  const isAnd = op === "and";
  // The value that decides alone, and the one that all must have.
  const [decides, must] = isAnd ? [CAN_FALSE, CAN_TRUE] : [CAN_TRUE, CAN_FALSE];
  const canDecide = all.some((one) => (one & decides) !== 0);
  const canMust = all.every((one) => (one & must) !== 0);
  const canUnknown =
    all.some((one) => (one & CAN_UNKNOWN) !== 0) && all.every((one) => one !== decides);
  return (canDecide ? decides : 0) | (canMust ? must : 0) | (canUnknown ? CAN_UNKNOWN : 0);
}

function outcomes(predicate: BoundPredicate, statistics: RowStatistics): number {
  const { rows } = statistics;
  switch (predicate.op) {
    case "and":
    case "or":
      return joinedOutcomes(
        predicate.operands.map((operand) => outcomes(operand, statistics)),
        predicate.op,
      );
    case "not":
      return negated(outcomes(predicate.operand, statistics));
    case "is null": {
      const known = statistics.column(predicate.column);
      if (known === undefined) return CAN_TRUE | CAN_FALSE;
      return (known.nullCount > 0 ? CAN_TRUE : 0) | (known.nullCount < rows ? CAN_FALSE : 0);
    }
    default:
      return outcomesOfComparison(predicate, statistics.column(predicate.column), rows);
  }
}

/** Whether a row can match; if not, none of them need be read. */
export function mayMatch(predicate: BoundPredicate, statistics: RowStatistics): boolean {
  return (outcomes(predicate, statistics) & CAN_TRUE) !== 0;
}

/**
 * Whether all rows match; then none of them need be looked at. Statistics do not know of nulls among the values of a
 * dictionary: predicates on such columns are not to be asked about.
 */
export function mustMatch(predicate: BoundPredicate, statistics: RowStatistics): boolean {
  return outcomes(predicate, statistics) === CAN_TRUE;
}

/** Compares numbers of either width: one loop for each comparison, so that none decides row by row. */
function compareNumbers(
  values: ArrayLike<number>,
  { op, literal, rows }: { op: Comparison; literal: number; rows: number },
): Uint8Array {
  const result = new Uint8Array(rows);
  switch (op) {
    case "=":
      for (let row = 0; row < rows; row++) result[row] = values[row] === literal ? TRUE : FALSE;
      break;
    case "!=":
      for (let row = 0; row < rows; row++) result[row] = values[row] === literal ? FALSE : TRUE;
      break;
    case "<":
      for (let row = 0; row < rows; row++) result[row] = (values[row] as number) < literal ? 1 : 0;
      break;
    case "<=":
      for (let row = 0; row < rows; row++) result[row] = (values[row] as number) <= literal ? 1 : 0;
      break;
    case ">":
      for (let row = 0; row < rows; row++) result[row] = (values[row] as number) > literal ? 1 : 0;
      break;
    case ">=":
      for (let row = 0; row < rows; row++) result[row] = (values[row] as number) >= literal ? 1 : 0;
      break;
  }
  return result;
}

function holds(op: Comparison, order: number): boolean {
  switch (op) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

function compareOthers(
  data: Data,
  kind: ScalarKind,
  { op, literal }: { op: Comparison; literal: Scalar },
): Uint8Array {
  const result = new Uint8Array(data.length);
  for (let row = 0; row < data.length; row++) {
    if (!isValid(data, row)) continue;
    result[row] = holds(op, compareScalars(scalarAt(data, kind, row), literal)) ? TRUE : FALSE;
  }
  return result;
}

/** Outcomes of the values of a dictionary, taken by each row. */
function compareDictionary(
  data: Data,
  kind: ScalarKind,
  comparison: { op: Comparison; literal: Scalar },
): Uint8Array {
  const chunks = (data.dictionary?.data ?? []).map((chunk) => compareRows(chunk, kind, comparison));
  const values = new Uint8Array(Buffer.concat(chunks));
  const indices = data.values as unknown as ArrayLike<number | bigint>;
  const result = new Uint8Array(data.length);
  for (let row = 0; row < data.length; row++) {
    result[row] = values[Number(indices[row])] ?? UNKNOWN;
  }
  return result;
}

function markNulls(data: Data, result: Uint8Array): Uint8Array {
  if (data.nullCount === 0) return result;
  for (let row = 0; row < data.length; row++) if (!isValid(data, row)) result[row] = UNKNOWN;
  return result;
}

function compareRows(
  data: Data,
  kind: ScalarKind,
  comparison: { op: Comparison; literal: Scalar },
): Uint8Array {
  if (DataType.isDictionary(data.type)) {
    return markNulls(data, compareDictionary(data, kind, comparison));
  }
  if (kind !== "number" && kind !== "bigint") {
    return markNulls(data, compareOthers(data, kind, comparison));
  }
  const values = numbersOf(data) as ArrayLike<number>;
  const wanted = sameWidth(kind, comparison.literal);
  if (wanted === undefined) {
    // Numbers of two widths are never identical, but compare by value.
    return markNulls(data, compareWidths(values, data.length, comparison));
  }
  const { op } = comparison;
  const literal = wanted as number;
  return markNulls(data, compareNumbers(values, { op, literal, rows: data.length }));
}

function compareWidths(
  values: ArrayLike<number | bigint>,
  rows: number,
  { op, literal }: { op: Comparison; literal: Scalar },
): Uint8Array {
  const result = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const value = values[row] as number | bigint;
    const isUnordered = isNan(value) || isNan(literal);
    const order = isUnordered ? Number.NaN : compareScalars(value, literal);
    result[row] = holds(op, order) ? TRUE : FALSE;
  }
  return result;
}

/** A literal in the width of its column, if there is the same number in it. */
function sameWidth(kind: "number" | "bigint", literal: Scalar): number | bigint | undefined {
  if (typeof literal === kind) return literal as number | bigint;
  if (kind === "bigint") return Number.isInteger(literal) ? BigInt(literal as number) : undefined;
  const value = Number(literal);
  return BigInt(value) === literal ? value : undefined;
}

/** The columns of a batch, by their numbers in the schema that the predicate is bound to. */
export type ColumnSource = (column: number) => Data;

function evaluate(predicate: BoundPredicate, rows: number, columns: ColumnSource): Uint8Array {
  switch (predicate.op) {
    case "and":
    case "or":
      return joinedRows(predicate, rows, columns);
    case "not": {
      const result = evaluate(predicate.operand, rows, columns);
      for (let row = 0; row < rows; row++) {
        if (result[row] !== UNKNOWN) result[row] = result[row] === TRUE ? FALSE : TRUE;
      }
      return result;
    }
    case "is null": {
      const data = columns(predicate.column);
      const result = new Uint8Array(rows);
      if (DataType.isUnion(data.type)) return result;
      for (let row = 0; row < rows; row++) result[row] = isValid(data, row) ? FALSE : TRUE;
      return result;
    }
    default: {
      const data = columns(predicate.column);
      const op = rounded(predicate.op, predicate.literal);
      if (typeof op === "boolean") return markNulls(data, new Uint8Array(rows).fill(op ? 1 : 0));
      return compareRows(data, predicate.kind, { op, literal: predicate.literal.value });
    }
  }
}

function joinedRows(
  { op, operands }: { op: "and" | "or"; operands: readonly BoundPredicate[] },
  rows: number,
  columns: ColumnSource,
): Uint8Array {
  const decides = op === "and" ? FALSE : TRUE;
  const result = new Uint8Array(rows).fill(op === "and" ? TRUE : FALSE);
  for (const operand of operands) {
    const next = evaluate(operand, rows, columns);
    for (let row = 0; row < rows; row++) {
      if (result[row] === decides) continue;
      if (next[row] === decides || next[row] === UNKNOWN) result[row] = next[row] as number;
    }
  }
  return result;
}

/**
 * The rows that match.
 *
 * @returns Their numbers, increasing; `undefined` if all of them do.
 */
export function matchingRows(
  predicate: BoundPredicate,
  rows: number,
  columns: ColumnSource,
): Int32Array | undefined {
  const result = evaluate(predicate, rows, columns);
  let count = 0;
  for (let row = 0; row < rows; row++) if (result[row] === TRUE) count += 1;
  if (count === rows) return undefined;
  const matching = new Int32Array(count);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    if (result[row] === TRUE) {
      matching[at] = row;
      at += 1;
    }
  }
  return matching;
}
