/**
 * Conditions on rows, as plain data: they can be stored, sent, and decide what is never read.
 *
 * A condition on a null is neither true nor false, as in SQL; the rows for which a predicate is true are those that
 * it selects.
 *
 * @module
 */

import type { DataType, Schema } from "apache-arrow";
import { invalid } from "../errors.js";
import { PREDICATE_DEPTH_MAX, PREDICATE_SIZE_MAX } from "../limits.js";
import { type BoundLiteral, bindLiteral } from "./literals.js";
import { type ScalarKind, scalarKind } from "./scalars.js";

/**
 * A value that a column is compared with.
 *
 * Of a 64-bit integer, a decimal, a timestamp or a duration also a string of digits, which keeps all of them; of
 * dates, times and timestamps also ISO 8601 text. Numbers stand for the column's own unit. Of a column of bytes,
 * hexadecimal digits after `0x`.
 */
export type Literal = number | string | boolean | bigint;

/** How a column is compared with a literal. */
export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** Which rows: plain data, that can be stored and sent as JSON if its literals are no `bigint`s. */
export type Predicate =
  | {
      /** The condition. */
      readonly op: Comparison;
      /** Name of the column. */
      readonly column: string;
      /** What it is compared with. */
      readonly value: Literal;
    }
  | {
      /** The condition. */
      readonly op: "in";
      /** Name of the column. */
      readonly column: string;
      /** Any of these. */
      readonly values: readonly Literal[];
    }
  | {
      /** The condition. */
      readonly op: "is null" | "is not null";
      /** Name of the column. */
      readonly column: string;
    }
  | {
      /** The condition. */
      readonly op: "and" | "or";
      /** What is joined. */
      readonly operands: readonly Predicate[];
    }
  | {
      /** The condition. */
      readonly op: "not";
      /** What is negated. */
      readonly operand: Predicate;
    };

/** A predicate whose columns and literals were found to fit a schema. */
export type BoundPredicate =
  | {
      readonly op: Comparison;
      readonly column: number;
      readonly kind: ScalarKind;
      readonly literal: BoundLiteral;
    }
  | { readonly op: "is null"; readonly column: number }
  | { readonly op: "and" | "or"; readonly operands: readonly BoundPredicate[] }
  | { readonly op: "not"; readonly operand: BoundPredicate };

const COMPARISONS: readonly string[] = ["=", "!=", "<", "<=", ">", ">="];
const WHAT = "Selecting rows";

interface Binding {
  readonly schema: Schema;
  /** Conditions and literals that may still come. */
  budget: number;
}

function columnOf({ schema }: Binding, name: unknown): { column: number; type: DataType } {
  const column = schema.fields.findIndex((field) => field.name === name);
  const field = schema.fields[column];
  if (field !== undefined) return { column, type: field.type };
  const names = schema.fields.map((other) => other.name).join(", ");
  throw invalid(WHAT, `there is no column "${String(name)}"`, `name one of ${names.slice(0, 200)}`);
}

function bindComparison(
  binding: Binding,
  op: Comparison,
  { column: name, value }: { column: string; value: Literal },
): BoundPredicate {
  const { column, type } = columnOf(binding, name);
  const kind = scalarKind(type);
  if (kind === undefined) {
    const why = `column "${name}" is of type ${String(type)}, whose values are not compared`;
    throw invalid(WHAT, why, "ask whether it is null, or compare another column");
  }
  return { op, column, kind, literal: bindLiteral(name, type, value) };
}

function operandsOf(node: object): readonly Predicate[] {
  const { operands } = node as { operands?: unknown };
  if (Array.isArray(operands)) return operands as Predicate[];
  throw invalid(WHAT, '"and" and "or" need operands', 'give { op: "and", operands: [...] }');
}

function bind(binding: Binding, predicate: Predicate, depth: number): BoundPredicate {
  binding.budget -= 1;
  if (depth > PREDICATE_DEPTH_MAX || binding.budget < 0) {
    const why = `it is deeper than ${PREDICATE_DEPTH_MAX} or larger than ${PREDICATE_SIZE_MAX}`;
    throw invalid(WHAT, why, "ask for less at once");
  }
  const node = predicate as Predicate | null | undefined;
  const op: unknown = typeof node === "object" ? node?.op : undefined;
  const next = (operand: Predicate) => bind(binding, operand, depth + 1);
  if (node === null || node === undefined || typeof op !== "string") {
    throw invalid(WHAT, "a condition is no object with an op", 'give { op: "=", column, value }');
  }
  if (COMPARISONS.includes(op)) {
    return bindComparison(binding, op as Comparison, node as { column: string; value: Literal });
  }
  switch (node.op) {
    case "in": {
      if (!Array.isArray(node.values)) {
        throw invalid(WHAT, '"in" needs values', 'give { op: "in", column, values: [...] }');
      }
      columnOf(binding, node.column);
      const equal = (value: Literal) => next({ op: "=", column: node.column, value });
      return { op: "or", operands: node.values.map(equal) };
    }
    case "is null":
      return { op: "is null", column: columnOf(binding, node.column).column };
    case "is not null": {
      const { column } = columnOf(binding, node.column);
      return { op: "not", operand: { op: "is null", column } };
    }
    case "and":
    case "or":
      return { op: node.op, operands: operandsOf(node).map(next) };
    case "not":
      return { op: "not", operand: next(node.operand) };
    default:
      throw invalid(
        WHAT,
        `"${op}" is no condition`,
        "use =, !=, <, <=, >, >=, in, is null, and, or",
      );
  }
}

/**
 * Checks a predicate against a schema.
 *
 * @throws `DaosError` `DER_INVAL` for an unknown column or condition, or a literal that does not fit its column.
 */
export function bindPredicate(schema: Schema, predicate: Predicate): BoundPredicate {
  return bind({ schema, budget: PREDICATE_SIZE_MAX }, predicate, 0);
}

/** The numbers of the columns that a predicate asks for. */
export function columnsOfPredicate(
  predicate: BoundPredicate,
  into = new Set<number>(),
): Set<number> {
  if ("operands" in predicate) {
    for (const operand of predicate.operands) columnsOfPredicate(operand, into);
  } else if ("operand" in predicate) columnsOfPredicate(predicate.operand, into);
  else into.add(predicate.column);
  return into;
}
