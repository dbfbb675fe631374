/**
 * What an HTTP request asks for.
 *
 *     GET /results/runs/energy?columns=step,energy&where={"op":">","column":"energy","value":10}&rows=0-1000&version=v1
 *
 * @module
 */

import type { IncomingMessage } from "node:http";
import { parseName, parseRequest, type ReadRequest } from "../datasets/request.js";
import { badRequest } from "../errors.js";

/** The media type of a stream of batches. */
export const ARROW_STREAM_TYPE = "application/vnd.apache.arrow.stream";

const WHAT = "Reading an HTTP request";
const KNOWN = ["columns", "where", "rows", "version", "limit"];

function fault(why: string, remedy: string): Error {
  return badRequest(WHAT, why, remedy);
}

/** Whether the client takes a media type. */
export function accepts(request: IncomingMessage, type: string): boolean {
  const { accept } = request.headers;
  if (accept === undefined || accept.trim() === "") return true;
  const [group = ""] = type.split("/");
  return accept.split(",").some((one) => {
    const [range = "", ...parameters] = one.split(";").map((part) => part.trim().toLowerCase());
    if (parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) return false;
    return range === type || range === "*/*" || range === `${group}/*`;
  });
}

function parsed(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw fault(`"${key}" is no JSON: ${(error as Error).message}`, `correct "${key}"`);
  }
}

function columnsOf(text: string): unknown {
  return text.startsWith("[") ? parsed("columns", text) : text.split(",");
}

function rowsOf(text: string): [number, number | null] {
  const [, start, end] = /^(\d+)-(\d*)$/.exec(text) ?? [];
  if (start === undefined) {
    throw fault(`"rows" is "${text.slice(0, 80)}"`, "write rows=0-1000, or rows=1000- to the end");
  }
  return [Number(start), end ? Number(end) : null];
}

function pathOf(url: URL): string {
  try {
    return url.pathname
      .split("/")
      .map((name) => decodeURIComponent(name))
      .join("/");
  } catch {
    throw fault("the path has an escape that is none", "write %25 for a percent sign");
  }
}

/**
 * The request of an address; `undefined` for the list of all datasets.
 *
 * @throws `DaosError` `DER_INVAL`.
 */
export function requestOfUrl(written: string): ReadRequest | undefined {
  if (!URL.canParse(written, "http://server")) throw fault("the address is none", "correct it");
  const url = new URL(written, "http://server");
  const path = pathOf(url);
  if (path === "/") return undefined;
  const keys = [...url.searchParams.keys()];
  const other = keys.find((key, index) => !KNOWN.includes(key) || keys.indexOf(key) !== index);
  if (other !== undefined) {
    const why = `"${other.slice(0, 80)}" is not known, or is there twice`;
    throw fault(why, `use ${KNOWN.join(", ")}, each once`);
  }
  const of = (key: string) => url.searchParams.get(key) ?? undefined;
  const [columns, where, rows, limit] = ["columns", "where", "rows", "limit"].map(of);
  const { container, path: below, version } = parseName(path, of("version"));
  const request = {
    table: `${container}/${below}`,
    version: version ?? "",
    ...(columns === undefined ? {} : { columns: columnsOf(columns) }),
    ...(where === undefined ? {} : { where: parsed("where", where) }),
    ...(rows === undefined ? {} : { rows: rowsOf(rows) }),
    ...(limit === undefined ? {} : { limit: Number(limit === "" ? Number.NaN : limit) }),
  };
  if (Number.isNaN(request.limit)) throw fault('"limit" is no count', "write limit=1000");
  return parseRequest(Buffer.from(JSON.stringify(request)));
}
