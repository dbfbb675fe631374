/**
 * What a client asks to read: the JSON of commands and tickets, and descriptors that are paths.
 *
 *     { "table": "results/runs/energy", "version": "before-restart", "columns": ["step", "energy"],
 *       "where": { "op": ">", "column": "energy", "value": 10 }, "rows": [0, 100000], "limit": 1000 }
 *
 *     { "array": "results/u", "shape": [96, 96, 96], "type": "float64", "rows": [0, 9216] }
 *
 * The first name of a path is the container's. Without a key "version", what follows an "@" in the last name is the
 * version: an epoch (digits, or 0x and hexadecimal ones), a time (ISO 8601), or else the name of a snapshot.
 *
 * @module
 */

import type { NumericTypeName, Predicate, TableVersion } from "../../arrow/index.js";
import { badRequest } from "../errors.js";
import { COMMAND_SIZE_MAX, CONDITIONS_MAX } from "../limits.js";
import { DescriptorType, type FlightDescriptor } from "../protocol/messages.js";

/** A container and a path in it, at a version. */
export interface DatasetName {
  readonly container: string;
  readonly path: string;
  /** As it was written; the newest if absent. */
  readonly version?: string | undefined;
}

/** Which rows and columns of a table. */
export interface TableRequest {
  readonly kind: "table";
  readonly name: DatasetName;
  readonly columns?: readonly string[] | undefined;
  readonly where?: Predicate | undefined;
  readonly rows?: readonly [start: number, end: number] | undefined;
  readonly limit?: number | undefined;
}

/** A column of an array. */
export interface ArrayRequestColumn {
  readonly name: string;
  readonly type: NumericTypeName;
  readonly offset?: number;
  readonly path?: string;
}

/** Which elements of an array, as rows. */
export interface ArrayRequest {
  readonly kind: "array";
  readonly name: DatasetName;
  readonly shape: readonly number[];
  readonly columns: readonly ArrayRequestColumn[];
  readonly rows?: readonly [start: number, end: number] | undefined;
  readonly batchRows?: number | undefined;
}

/** What a client asks to read. */
export type ReadRequest = TableRequest | ArrayRequest;

const WHAT = "Reading a request";

function fault(why: string, remedy: string): Error {
  return badRequest(WHAT, why, remedy);
}

/** Splits "results/runs/energy@before-restart". */
export function parseName(written: string, version?: string | null): DatasetName {
  const names = written.split("/").filter((name) => name !== "");
  const [container, ...path] = names;
  if (container === undefined || path.length === 0) {
    const remedy = "write container/path, or container/path@version";
    throw fault(`"${written.slice(0, 200)}" names no dataset`, remedy);
  }
  if (version !== undefined)
    return { container, path: path.join("/"), version: version || undefined };
  const last = path.at(-1) as string;
  const at = last.lastIndexOf("@");
  if (at <= 0) return { container, path: path.join("/") };
  path[path.length - 1] = last.slice(0, at);
  return { container, path: path.join("/"), version: last.slice(at + 1) };
}

/** A version as a client writes it. */
export function parseVersion(written: string | undefined): TableVersion {
  if (written === undefined || written === "") return {};
  if (/^([0-9]+|0x[0-9a-f]+)$/i.test(written)) {
    const epoch = BigInt(written);
    if (epoch < 1n << 64n) return { epoch };
    throw fault(`"${written.slice(0, 80)}" is no epoch`, "give an epoch of at most 64 bits");
  }
  if (/^\d{4}-\d\d-\d\d/.test(written)) {
    const time = new Date(written);
    if (!Number.isNaN(time.getTime())) return { time };
  }
  return { snapshot: written };
}

function textOf(object: Record<string, unknown>, key: string): string | undefined {
  const value = object[key];
  if (value === undefined || typeof value === "string") return value;
  throw fault(`"${key}" is no text`, `give "${key}" as text`);
}

function rowsOf(rows: unknown): readonly [number, number] | undefined {
  if (rows === undefined || rows === null) return undefined;
  const [start, end] = Array.isArray(rows) ? rows : [];
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  if (isCount(start) && (end === null || (isCount(end) && end >= start))) {
    return [start, end ?? Number.POSITIVE_INFINITY];
  }
  throw fault('"rows" is no range', "give [start, end), such as [0, 1000], or [1000, null]");
}

function countOf(object: Record<string, unknown>, key: string): number | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw fault(`"${key}" is no count`, "give a whole number of at least 0");
}

/** Counts what a predicate compares, before anybody follows it down. */
function checkSize(where: unknown): void {
  const left: unknown[] = [where];
  for (let count = 0; left.length > 0; count++) {
    if (count > CONDITIONS_MAX) {
      const remedy = "ask for fewer at once, or read the rows and choose among them";
      throw fault(`"where" has more than ${CONDITIONS_MAX} conditions and literals`, remedy);
    }
    const { operands, operand, values } = (left.pop() ?? {}) as Record<string, unknown>;
    for (const below of [operands, values]) if (Array.isArray(below)) left.push(...below);
    if (operand !== undefined) left.push(operand);
  }
}

const TABLE_KEYS = ["table", "version", "columns", "where", "rows", "limit"];
const ARRAY_KEYS = [
  ...["array", "version", "shape", "type", "name", "offset", "columns", "rows", "batchRows"],
];

function checkKeys(object: Record<string, unknown>, known: readonly string[]): void {
  const other = Object.keys(object).find((key) => !known.includes(key));
  if (other === undefined) return;
  throw fault(`"${other.slice(0, 80)}" is not known`, `use ${known.join(", ")}`);
}

function tableRequest(object: Record<string, unknown>, name: DatasetName): TableRequest {
  checkKeys(object, TABLE_KEYS);
  const { columns, where } = object;
  const isNames =
    Array.isArray(columns) && columns.every((column: unknown) => typeof column === "string");
  if (columns !== undefined && columns !== null && !isNames) {
    throw fault('"columns" are no names', 'give them as ["step", "energy"]');
  }
  checkSize(where);
  return {
    kind: "table",
    name,
    columns: (columns ?? undefined) as string[] | undefined,
    where: (where ?? undefined) as Predicate | undefined,
    rows: rowsOf(object.rows),
    limit: countOf(object, "limit"),
  };
}

function arrayRequest(object: Record<string, unknown>, name: DatasetName): ArrayRequest {
  checkKeys(object, ARRAY_KEYS);
  const { shape, columns } = object;
  if (!Array.isArray(shape) || !shape.every((extent) => typeof extent === "number")) {
    throw fault('"shape" is no list of extents', 'give it as "shape": [96, 96, 96]');
  }
  const one = {
    name: textOf(object, "name") ?? "value",
    type: textOf(object, "type") as NumericTypeName,
    offset: countOf(object, "offset") ?? 0,
  };
  const all: unknown = columns ?? [one];
  const isColumns =
    Array.isArray(all) &&
    all.length > 0 &&
    all.every((column) => typeof column?.name === "string" && typeof column?.type === "string");
  if (!isColumns) {
    throw fault("a column has no name or no type", 'give "type", or "columns" with both');
  }
  return {
    kind: "array",
    name,
    shape,
    columns: all as ArrayRequestColumn[],
    rows: rowsOf(object.rows),
    batchRows: countOf(object, "batchRows"),
  };
}

/** The JSON object that bytes are. */
export function parseObject(bytes: Uint8Array, what = WHAT): Record<string, unknown> {
  const remedy = 'send JSON, such as { "table": "container/path" }';
  if (bytes.length > COMMAND_SIZE_MAX) {
    throw badRequest(what, `it has ${bytes.length} bytes, more than ${COMMAND_SIZE_MAX}`, remedy);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw badRequest(what, `it is no JSON: ${(error as Error).message}`, remedy);
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) {
    return parsed as Record<string, unknown>;
  }
  throw badRequest(what, "it is no JSON object", remedy);
}

/**
 * What a command or a ticket asks for.
 *
 * @throws `DaosError` `DER_INVAL`.
 */
export function parseRequest(bytes: Uint8Array): ReadRequest {
  const object = parseObject(bytes);
  const version = textOf({ version: object.version ?? undefined }, "version");
  const [table, array] = [textOf(object, "table"), textOf(object, "array")];
  if (table !== undefined && array === undefined) {
    return tableRequest(object, parseName(table, version));
  }
  if (array !== undefined && table === undefined) {
    return arrayRequest(object, parseName(array, version));
  }
  throw fault("it names neither a table nor an array", 'give "table" or "array", not both');
}

/**
 * What a descriptor asks for.
 *
 * @throws `DaosError` `DER_INVAL`.
 */
export function requestOf({ type, cmd, path }: FlightDescriptor): ReadRequest {
  if (type === DescriptorType.command) return parseRequest(cmd);
  if (type === DescriptorType.path) return { kind: "table", name: parseName(path.join("/")) };
  throw fault("the descriptor is neither a path nor a command", "give one of them");
}

/** A request as a ticket, of rows of one version. */
export function ticketOf(
  request: ReadRequest,
  epoch: bigint,
  rows: readonly [start: number, end: number] | undefined,
): Buffer {
  const { kind, name, ...rest } = request;
  const end = rows?.[1] === Number.POSITIVE_INFINITY ? null : rows?.[1];
  const range = rows === undefined ? {} : { rows: [rows[0], end] };
  const ticket = {
    [kind]: `${name.container}/${name.path}`,
    version: `0x${epoch.toString(16)}`,
    ...rest,
    ...range,
  };
  return Buffer.from(JSON.stringify(ticket));
}
