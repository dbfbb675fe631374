/**
 * The process that runs SQL: DuckDB, without files, extensions, or a way to change that.
 *
 * It has what it is sent over its socket and nothing else: no pool, no environment. Reading the socket blocks, because
 * DuckDB asks for rows in calls that must return them, and there is nothing else to do meanwhile.
 *
 * @module
 */

import { readSync, writeSync } from "node:fs";
import {
  type Answer,
  decodeFrame,
  encodeFrame,
  FRAME_PREFIX_SIZE,
  type Frame,
  frameSizes,
  type Request,
} from "./frames.js";
import { runStatement } from "./statement-run.js";

/** The socket to the server. */
const SOCKET = 3;

function readFully(size: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let at = 0; at < size; ) {
    const count = readSync(SOCKET, bytes, at, size - at, null);
    if (count === 0) return undefined;
    at += count;
  }
  return bytes;
}

/** The next thing that the server says; `undefined` when it is gone. */
function receive(): Frame<Request> | undefined {
  const prefix = readFully(FRAME_PREFIX_SIZE);
  const sizes = prefix && frameSizes(prefix);
  const head = sizes && readFully(sizes.head);
  const payload = sizes && readFully(sizes.payload);
  return head && payload && decodeFrame(head, payload);
}

function send(answer: Answer, payload: readonly Uint8Array[] = []): void {
  for (const piece of encodeFrame(answer, payload)) {
    for (let at = 0; at < piece.length; ) at += writeSync(SOCKET, piece, at);
  }
}

/** Asks the server for something, and waits. */
function ask(answer: Answer): Frame<Request> {
  send(answer);
  const frame = receive();
  if (frame === undefined) process.exit(0);
  return frame;
}

async function main(): Promise<void> {
  const duckdb = await import("@duckdb/node-api").catch(() => {
    send({ kind: "failed", message: "missing" });
    process.exit(0);
  });
  const parser = await (await duckdb.DuckDBInstance.create(":memory:")).connect();
  send({ kind: "done" });
  for (let frame = receive(); frame !== undefined; frame = receive()) {
    const { head } = frame;
    try {
      if (head.kind === "parse") {
        const result = await parser.runAndReadAll("SELECT json_serialize_sql($1::VARCHAR)", [
          head.sql,
        ]);
        const [row] = result.getRows();
        send({ kind: "parsed", tree: JSON.parse(String(row?.[0])) });
      } else if (head.kind !== "batch") {
        await runStatement(duckdb, head, { send, ask });
        send({ kind: "done" });
      }
    } catch (error) {
      send({ kind: "failed", message: (error as Error).message });
    }
  }
}

await main();
process.exit(0);
