/**
 * Reads files of a file system: from the begin on, at their ends, and as text.
 *
 * @module
 */

import fs from "node:fs";
import { malformed } from "../errors.js";
import { READ_SIZE } from "../limits.js";

/** Called with the bytes that were read. */
export type Advance = (bytes: number) => void;

/** Bytes of a file in pieces of {@link READ_SIZE}, each in a buffer of its own. */
export async function* bytesFrom(
  path: string,
  start: number,
  advance: Advance,
): AsyncGenerator<Uint8Array> {
  const handle = await fs.promises.open(path);
  try {
    for (let position = start; ; ) {
      const block = Buffer.allocUnsafeSlow(READ_SIZE);
      const { bytesRead } = await handle.read(block, 0, READ_SIZE, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      advance(bytesRead);
      yield block.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** The first and last bytes of a file; fewer, if it has not as many. */
export async function edgesOf(
  path: string,
  { beginSize, endSize }: { readonly beginSize: number; readonly endSize: number },
): Promise<{ begin: Buffer; end: Buffer }> {
  const handle = await fs.promises.open(path);
  try {
    const { size } = await handle.stat();
    const begin = Buffer.alloc(Math.min(size, beginSize));
    await handle.read(begin, 0, begin.length, 0);
    const end = Buffer.alloc(Math.min(size, endSize));
    await handle.read(end, 0, end.length, size - end.length);
    return { begin, end };
  } finally {
    await handle.close();
  }
}

/**
 * A file as text.
 *
 * @throws `DaosError` `DER_INVAL` if it is not UTF-8.
 */
export async function* textFrom(
  path: string,
  what: string,
  advance: Advance,
): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw malformed(what, "it is not UTF-8");
    }
  };
  for await (const bytes of bytesFrom(path, 0, advance)) yield decode(bytes);
  const rest = decode();
  if (rest !== "") yield rest;
}
