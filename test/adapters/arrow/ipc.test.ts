/**
 * Arrow IPC from elsewhere: what is well-formed is read as apache-arrow reads it, what is not is refused.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import {
  type Table as ArrowTable,
  Dictionary,
  Float64,
  Int8,
  tableFromArrays,
  tableFromIPC,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { readIpc } from "daos-ts/arrow";
import fc from "fast-check";
import { fcOptions } from "../../support/property.ts";
import { root } from "../../support/root.ts";
import { codeOf } from "../temporary-container.ts";

const given = tableFromArrays({
  n: vectorFromArray([1, null, 3], new Float64()),
  t: vectorFromArray(["a", null, "ccc"], new Utf8()),
  d: vectorFromArray(["x", "y", null], new Dictionary(new Utf8(), new Int8())),
} as never) as unknown as ArrowTable;

/** Cuts bytes into pieces. */
function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(chunks: Iterable<Uint8Array>): Promise<string[]> {
  const rows: string[] = [];
  const stream = await readIpc(chunks);
  for await (const batch of stream) rows.push(...batch.toArray().map(String));
  return rows;
}

test.each(["stream", "file"] as const)("reads a %s, however its bytes come", async (format) => {
  const bytes = tableToIPC(given, format);
  for (const size of [1, 7, 64, bytes.length]) {
    expect(await readAll(pieces(bytes, size))).toEqual(given.toArray().map(String));
  }
});

test("reads the flights of vega-datasets", async () => {
  const bytes = readFileSync(join(root, "node_modules/vega-datasets/data/flights-200k.arrow"));
  const expected = tableFromIPC(bytes);
  let rows = 0;
  for await (const batch of await readIpc(pieces(bytes, 100_000))) rows += batch.numRows;
  expect(rows).toBe(expected.numRows);
});

test("refuses big-endian data before anything is decoded", async () => {
  const bytes = Uint8Array.from(tableToIPC(given, "stream"));
  const { Schema } = await import("apache-arrow/fb/schema");
  const { Message } = await import("apache-arrow/fb/message");
  const { ByteBuffer } = await import("flatbuffers");
  const buffer = new ByteBuffer(bytes.subarray(8));
  const schema = Message.getRootAsMessage(buffer).header(new Schema());
  // apache-arrow leaves the default, little, out: the slot of a field that is there takes its place.
  const table = schema.bb_pos;
  const view = new DataView(bytes.buffer, 8);
  const fields = table - view.getInt32(table, true);
  const slot = view.getUint16(fields + 4, true);
  if (slot === 0) view.setUint16(fields + 4, view.getUint16(fields + 6, true), true);
  else view.setInt16(table + slot, 1, true);
  expect(await codeOf(() => readAll([bytes]))).toBe("DER_NOSYS");
});

test("refuses damaged bytes with a typed error, or reads them, in bounded time and memory", async () => {
  const bytes = tableToIPC(given, "stream");
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(damage, fc.nat(bytes.length), async (changes, end) => {
      const bad = Uint8Array.from(bytes);
      for (const [at, value] of changes) bad[at] = value;
      for (const part of [bad, bytes.subarray(0, end)]) {
        try {
          await readAll([part]);
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^DER_(INVAL|NOSYS)$/);
        }
      }
    }),
    fcOptions(600),
  );
});

test("refuses a message that promises more than may come", async () => {
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setUint32(0, 0xffff_ffff, true);
  new DataView(prefix.buffer).setUint32(4, 0x7fff_ffff, true);
  expect(await codeOf(() => readAll([prefix]))).toBe("DER_INVAL");
  expect(await codeOf(() => readAll([Buffer.from("no Arrow at all")]))).toBe("DER_INVAL");
  expect(await codeOf(() => readAll([]))).toBe("DER_INVAL");
});
