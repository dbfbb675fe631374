/**
 * What the server and a process that runs SQL say to each other, over a socket that both have from the start.
 *
 *     u32 size of the head, u32 size of the payload, head (JSON), payload       little-endian
 *
 *     server ─ parse ─────────▶ process ─ parsed | failed ──▶
 *            ─ run, describe ─▶         ─ schema ───────────▶   an IPC stream of no batches
 *            ◀─ next ──────────         the process waits: it has nothing else to do
 *            ─ batch ─────────▶         an IPC stream of one batch; without payload at the end, with a failure instead
 *                                       ─ rows ─────────────▶   an IPC stream of one batch
 *                                       ─ done | failed ────▶
 *
 * @module
 */

import { SQL_MESSAGE_SIZE_MAX } from "../limits.js";

/** A column of a relation, with its type as DuckDB writes it. */
export interface RelationColumn {
  readonly name: string;
  readonly type: string;
}

/** A relation of a statement: a table that the caller may read. */
export interface Relation {
  /** As they are written in the statement; empty if they are not. */
  readonly catalog: string;
  readonly schema: string;
  readonly table: string;
  /** An IPC stream of its schema, in base64. */
  readonly arrowSchema: string;
  readonly rows: number;
}

/** What the server says. */
export type Request =
  | { readonly kind: "parse"; readonly sql: string }
  | {
      readonly kind: "run" | "describe";
      readonly sql: string;
      readonly relations: readonly Relation[];
      readonly memorySizeMax: number;
    }
  | { readonly kind: "batch"; readonly failure?: string };

/** What the process says. */
export type Answer =
  | { readonly kind: "parsed"; readonly tree: unknown }
  | { readonly kind: "schema" | "rows" | "done" }
  | { readonly kind: "failed"; readonly message: string }
  | {
      readonly kind: "next";
      readonly relation: number;
      /** Tells the scans of one relation apart. */
      readonly scan: number;
      readonly columns: readonly string[];
    };

/** A head with its payload. */
export interface Frame<T> {
  readonly head: T;
  readonly payload: Uint8Array;
}

/** Bytes before a head. */
export const FRAME_PREFIX_SIZE = 8;
const NONE = new Uint8Array(0);

/** A frame, in pieces. */
export function encodeFrame(head: Request | Answer, payload: readonly Uint8Array[] = []) {
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(FRAME_PREFIX_SIZE);
  prefix.writeUInt32LE(text.length, 0);
  prefix.writeUInt32LE(
    payload.reduce((sum, { length }) => sum + length, 0),
    4,
  );
  return [prefix, text, ...payload];
}

/** The sizes that a prefix says; `undefined` if no frame is so large. */
export function frameSizes(prefix: Buffer): { head: number; payload: number } | undefined {
  const [head, payload] = [prefix.readUInt32LE(0), prefix.readUInt32LE(4)];
  return head + payload > SQL_MESSAGE_SIZE_MAX ? undefined : { head, payload };
}

/** A frame of its parts. The payload is copied to where its buffers are aligned. */
export function decodeFrame<T>(head: Uint8Array, payload: Uint8Array): Frame<T> {
  const parsed = JSON.parse(Buffer.from(head).toString()) as T;
  return { head: parsed, payload: payload.length === 0 ? NONE : payload };
}
