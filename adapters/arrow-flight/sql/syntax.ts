/**
 * What DuckDB's parser says of a statement: which relations it names, and whether it does anything but read them.
 *
 * The parser writes SELECT statements only, as a tree of nodes with a `type`. Table functions, which read files and more,
 * are refused here already, before DuckDB, which has no files either, gets to see them.
 *
 * @module
 */

import { badRequest, notServed } from "../errors.js";
import { SQL_RELATIONS_MAX } from "../limits.js";

const WHAT = "Reading a SQL statement";

/** A node of the tree. */
export type Node = Readonly<Record<string, unknown>>;

/** A relation that a statement names. */
export interface NamedRelation {
  /** As they are written; empty if they are not. */
  readonly catalog: string;
  readonly schema: string;
  readonly table: string;
  /** How many times it is there. */
  count: number;
}

/** A statement that only reads. */
export interface Syntax {
  /** The node of its SELECT. */
  readonly select: Node;
  readonly relations: readonly NamedRelation[];
}

/** Kinds of what stands behind FROM that are let through. */
const TABLES = new Set([
  ...["BASE_TABLE", "SUBQUERY", "JOIN", "EXPRESSION_LIST", "EMPTY", "EMPTY_FROM", "PIVOT"],
]);
/** Kinds that are not, by which they are known wherever they stand. */
const FORBIDDEN_TABLES = new Set([
  ...["TABLE_FUNCTION", "SHOW_REF", "COLUMN_DATA", "DELIM_GET", "BOUND_TABLE_REF", "CTE"],
]);
/** Table functions that make rows of their arguments. */
const HARMLESS = new Set(["range", "generate_series", "unnest"]);
/** Functions that tell of the process, or work on text as SQL. */
const FORBIDDEN_FUNCTIONS =
  /^(current_setting|getenv|getvariable|query|query_table|read_|write_|pragma_|duckdb_|pg_|parquet_|json_execute|sniff_|glob$|which_secret)/i;

function refused(why: string): Error {
  return notServed(WHAT, why, "send one SELECT over tables that you may read");
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(node: Node, key: string): string {
  const value = node[key];
  return typeof value === "string" ? value : "";
}

/** Visits all nodes of a tree. */
function* nodesOf(root: unknown): Generator<Node> {
  const left: unknown[] = [root];
  while (left.length > 0) {
    const next = left.pop();
    if (Array.isArray(next)) {
      for (const one of next) left.push(one);
    } else if (isNode(next)) {
      yield next;
      for (const below of Object.values(next)) {
        if (typeof below === "object" && below !== null) left.push(below);
      }
    }
  }
}

function checkTableFunction(node: Node): void {
  const called = isNode(node.function) ? textOf(node.function, "function_name") : "";
  if (HARMLESS.has(called.toLowerCase())) return;
  throw refused(`it calls ${called || "a table function"}, which is not served`);
}

function checkNode(node: Node): void {
  const type = textOf(node, "type");
  if (type === "TABLE_FUNCTION") checkTableFunction(node);
  else if (FORBIDDEN_TABLES.has(type) && "alias" in node && "sample" in node) {
    throw refused(`${type} is not served`);
  }
  if (isNode(node.from_table)) {
    const kind = textOf(node.from_table, "type");
    if (!TABLES.has(kind) && kind !== "TABLE_FUNCTION") throw refused(`${kind} is not served`);
  }
  const called = textOf(node, "function_name");
  if (FORBIDDEN_FUNCTIONS.test(called)) throw refused(`it calls ${called}, which is not served`);
  if (isNode(node.at_clause)) {
    throw refused('AT is not served: write the version into the name, as in "table@version"');
  }
}

/** Names that a statement itself gives to subqueries. */
function ownNames(root: unknown): Set<string> {
  const names = new Set<string>();
  for (const { cte_map: ctes } of nodesOf(root)) {
    const { map } = (isNode(ctes) ? ctes : {}) as { map?: unknown };
    if (!Array.isArray(map)) continue;
    for (const { key } of map as { key?: unknown }[]) names.add(String(key).toLowerCase());
  }
  return names;
}

/**
 * Looks at what the parser says.
 *
 * @throws `DaosError` `DER_INVAL` for an error of syntax, `DER_NOSYS` for anything but one SELECT over tables.
 */
export function examine(tree: unknown): Syntax {
  if (!isNode(tree)) throw refused("the parser says nothing of it");
  if (tree.error === true) {
    const why = textOf(tree, "error_message");
    if (/^Only SELECT/.test(why)) throw refused("it does not only read");
    throw badRequest(WHAT, why.split("\n")[0] ?? "", "correct the statement");
  }
  const { statements } = tree;
  if (!Array.isArray(statements) || statements.length !== 1) {
    const count = Array.isArray(statements) ? statements.length : 0;
    throw refused(`there are ${count} statements`);
  }
  const select = (statements[0] as { node?: unknown }).node;
  if (!isNode(select)) throw refused("it is no SELECT");
  const names = ownNames(select);
  const relations = new Map<string, NamedRelation>();
  for (const node of nodesOf(select)) {
    checkNode(node);
    if (textOf(node, "type") !== "BASE_TABLE") continue;
    const [catalog, schema] = [textOf(node, "catalog_name"), textOf(node, "schema_name")];
    const table = textOf(node, "table_name");
    if (schema === "" && names.has(table.toLowerCase())) continue;
    const key = JSON.stringify([catalog, schema, table]);
    const known = relations.get(key);
    if (known === undefined) relations.set(key, { catalog, schema, table, count: 1 });
    else known.count += 1;
  }
  if (relations.size > SQL_RELATIONS_MAX) {
    throw refused(`it names ${relations.size} tables, more than ${SQL_RELATIONS_MAX}`);
  }
  return { select, relations: [...relations.values()] };
}

/**
 * The condition of the SELECT that reads a relation, if it reads nothing else: what it does not select, it need not
 * be given.
 */
export function conditionOn(
  { select }: Syntax,
  { catalog, schema, table, count }: NamedRelation,
): { readonly where: Node; readonly names: readonly string[] } | undefined {
  if (count !== 1) return undefined;
  for (const node of nodesOf(select)) {
    const { from_table: from, where_clause: where } = node;
    if (!isNode(from) || !isNode(where) || from.type !== "BASE_TABLE") continue;
    const isThis =
      from.catalog_name === catalog && from.schema_name === schema && from.table_name === table;
    const renames = from.column_name_alias;
    if (!isThis || (Array.isArray(renames) && renames.length > 0)) continue;
    const alias = textOf(from, "alias");
    return { where, names: [alias === "" ? table : alias] };
  }
  return undefined;
}
