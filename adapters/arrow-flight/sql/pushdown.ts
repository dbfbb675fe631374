/**
 * Conditions of SQL as predicates of scans.
 *
 * A predicate selects at least what its condition does: DuckDB looks at the rows again. What is not understood is left
 * to it; so is what the two compare in different ways. In DuckDB a NaN is larger than all other numbers, and single
 * precision is compared in single precision.
 *
 * @module
 */

import { type DataType, type Schema, Type } from "apache-arrow";
import type { Comparison, Literal, Predicate } from "../../arrow/index.js";
import type { Node } from "./syntax.js";

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  COMPARE_EQUAL: "=",
  COMPARE_NOTEQUAL: "!=",
  COMPARE_LESSTHAN: "<",
  COMPARE_LESSTHANOREQUALTO: "<=",
  COMPARE_GREATERTHAN: ">",
  COMPARE_GREATERTHANOREQUALTO: ">=",
};
/** The same with its sides exchanged. */
const EXCHANGED: Readonly<Record<Comparison, Comparison>> = {
  "=": "=",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

/** A table whose columns a condition is about. */
export interface PushTarget {
  readonly schema: Schema;
  /** Names by which the statement calls the table. */
  readonly names: readonly string[];
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The column that an expression is. */
function columnOf({ schema, names }: PushTarget, node: unknown) {
  if (!isNode(node) || node.class !== "COLUMN_REF") return undefined;
  const parts = node.column_names as readonly string[];
  const [name, table, ...others] = [...parts].reverse();
  if (others.length > 0 || (table !== undefined && !names.includes(table))) return undefined;
  // DuckDB does not look at the case of names.
  const same = (other: string) => other.toLowerCase() === name?.toLowerCase();
  const found = schema.fields.filter((field) => same(field.name));
  return found.length === 1 ? found[0] : undefined;
}

const INTEGERS = new Set(["TINYINT", "SMALLINT", "INTEGER", "BIGINT"]);
const UNSIGNED = new Set(["UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"]);

/** The number that a constant is, if it is exact. */
function numberOf(id: string, value: unknown, info: unknown): number | undefined {
  if (typeof value !== "number") return undefined;
  if (INTEGERS.has(id) || UNSIGNED.has(id)) return Number.isSafeInteger(value) ? value : undefined;
  if (id === "DOUBLE") return Number.isFinite(value) ? value : undefined;
  if (id !== "DECIMAL" || !isNode(info) || !Number.isSafeInteger(value)) return undefined;
  const { scale } = info as { scale?: unknown };
  return typeof scale === "number" ? Number(`${value}e-${scale}`) : undefined;
}

/** The literal that an expression is, for a column of a type. */
function literalOf(type: DataType, node: unknown): Literal | undefined {
  if (!isNode(node) || node.class !== "CONSTANT" || !isNode(node.value)) return undefined;
  const { value, is_null: isNull, type: written } = node.value;
  if (isNull === true || !isNode(written)) return undefined;
  const id = String(written.id);
  switch (type.typeId) {
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Utf8View:
      return id === "VARCHAR" && typeof value === "string" ? value : undefined;
    case Type.Bool:
      return id === "BOOLEAN" && typeof value === "boolean" ? value : undefined;
    case Type.Int: {
      const number = numberOf(id, value, written.type_info);
      return Number.isSafeInteger(number) ? number : undefined;
    }
    case Type.Float: {
      const number = numberOf(id, value, written.type_info);
      const { precision } = type as DataType & { precision: number };
      if (number === undefined || precision === 0) return undefined;
      return precision === 1 ? Math.fround(number) : number;
    }
    default:
      return undefined;
  }
}

/** A comparison, as DuckDB means it. */
function compared(
  type: DataType,
  column: string,
  op: Comparison,
  value: Literal,
): Predicate | undefined {
  // Not at most: larger, or no number.
  if (type.typeId === Type.Float && (op === ">" || op === ">=")) {
    const opposite = op === ">" ? "<=" : "<";
    return { op: "not", operand: { op: opposite, column, value } };
  }
  return { op, column, value };
}

function comparisonOf(
  target: PushTarget,
  op: Comparison,
  left: unknown,
  right: unknown,
): Predicate | undefined {
  const column = columnOf(target, left);
  if (column === undefined) {
    const other = columnOf(target, right);
    const value = other && literalOf(other.type, left);
    if (other === undefined || value === undefined) return undefined;
    return compared(other.type, other.name, EXCHANGED[op], value);
  }
  const value = literalOf(column.type, right);
  return value === undefined ? undefined : compared(column.type, column.name, op, value);
}

function operatorOf(target: PushTarget, node: Node): Predicate | undefined {
  const [first, ...others] = listOf(node.children);
  const column = columnOf(target, first);
  if (column === undefined) return undefined;
  const { name } = column;
  if (node.type === "OPERATOR_IS_NULL") return { op: "is null", column: name };
  if (node.type === "OPERATOR_IS_NOT_NULL") return { op: "is not null", column: name };
  if (node.type !== "COMPARE_IN" || column.type.typeId === Type.Float) return undefined;
  const values = others.map((other) => literalOf(column.type, other));
  if (values.length === 0 || values.includes(undefined)) return undefined;
  return { op: "in", column: name, values: values as Literal[] };
}

function joined(op: "and" | "or", parts: readonly Predicate[]): Predicate | undefined {
  if (parts.length === 0) return undefined;
  return parts.length === 1 ? parts[0] : { op, operands: parts };
}

/**
 * The predicate that selects what a condition may be true for; `undefined` for everything.
 *
 * @param where The condition, as DuckDB's parser says it.
 */
export function predicateOf(target: PushTarget, where: Node): Predicate | undefined {
  const isKnown = (part: Predicate | undefined): part is Predicate => part !== undefined;
  switch (where.class) {
    case "CONJUNCTION": {
      const children = listOf(where.children);
      const parts = children.map((child) => predicateOf(target, child)).filter(isKnown);
      if (where.type === "CONJUNCTION_AND") return joined("and", parts);
      return parts.length === children.length ? joined("or", parts) : undefined;
    }
    case "COMPARISON": {
      const op = COMPARISONS[String(where.type)];
      return op && comparisonOf(target, op, where.left, where.right);
    }
    case "BETWEEN": {
      const lower = comparisonOf(target, ">=", where.input, where.lower);
      const upper = comparisonOf(target, "<=", where.input, where.upper);
      return joined("and", [lower, upper].filter(isKnown));
    }
    case "OPERATOR":
      return operatorOf(target, where);
    default:
      return undefined;
  }
}
