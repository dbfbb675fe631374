/**
 * Text: bytes as stored, and strings.
 *
 * Bytes that are no UTF-8 become lone surrogates U+DC80 to U+DCFF, and become the same bytes again, as in Python's
 * "surrogateescape": nothing is lost on the way.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { isAscii, isUtf8 } from "node:buffer";
import { DaosError } from "../../../core/index.js";
import type { StringPadding } from "../datatype/datatype.js";

const ESCAPE = 0xdc00;
const SPACE = 0x20;

/** A string of bytes that are meant as UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isAscii(buffer)) return buffer.toString("latin1");
  return isUtf8(buffer) ? buffer.toString() : decodeEscaped(buffer);
}

/** Bytes of the character that begins at `at`, if it is well-formed. */
function characterSize(bytes: Buffer, at: number): number {
  for (let size = 1; size <= 4 && at + size <= bytes.length; size++) {
    if (isUtf8(bytes.subarray(at, at + size))) return size;
  }
  return 0;
}

function decodeEscaped(bytes: Buffer): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const size = characterSize(bytes, at);
    if (size === 0) text += String.fromCharCode(ESCAPE + (bytes[at] as number));
    else text += bytes.toString("utf8", at, at + size);
    at += Math.max(1, size);
  }
  return text;
}

/** Halves of characters outside of the first plane that have no other half. */
const LONE = /[\ud800-\udfff]/u;
const ESCAPED = /([\udc80-\udcff])/u;

/**
 * The bytes of a string.
 *
 * @throws `DaosError` `DER_INVAL` for half a character that stands for no byte.
 */
export function encodeText(text: string): Uint8Array {
  if (!LONE.test(text)) return Buffer.from(text);
  return Buffer.concat(
    text.split(ESCAPED).map((part) => {
      if (!LONE.test(part)) return Buffer.from(part);
      if (ESCAPED.test(part)) return Buffer.of(part.charCodeAt(0) - ESCAPE);
      const why = "a string holds half a character";
      throw new DaosError("DER_INVAL", {
        what: "Encoding text",
        why,
        remedy: "correct the string",
      });
    }),
  );
}

/** The bytes of text of a fixed size, without what follows it. */
export function trimPadding(bytes: Uint8Array, padding: StringPadding): Uint8Array {
  if (padding === "nullterm") {
    const end = bytes.indexOf(0);
    return end === -1 ? bytes : bytes.subarray(0, end);
  }
  const pad = padding === "spacepad" ? SPACE : 0;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === pad) end--;
  return bytes.subarray(0, end);
}
