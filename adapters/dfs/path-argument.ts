/**
 * Paths as `node:fs` takes them: text, bytes of UTF-8, or `file:` URLs.
 *
 * @module
 */

import { ArgumentTypeError, DfsError } from "./errors.js";

/** A path in the container. Without a leading slash it begins at the root all the same. */
export type PathLike = string | Uint8Array | URL;

const isBytes = (value: unknown): value is Uint8Array =>
  ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]";

function isUrl(value: unknown): value is URL {
  const { href, protocol, pathname } = (value ?? {}) as Partial<URL>;
  return [href, protocol, pathname].every((each) => typeof each === "string");
}

function unusable(text: string, why: string): DfsError {
  const path = text.replaceAll("\0", "\\0");
  const remedy = "correct the path";
  const parts = { what: `Using path "${path}"`, why, remedy };
  return new DfsError("EINVAL", "DER_INVAL", parts, { path: text });
}

/**
 * The text of a path.
 *
 * @param name Name of the argument, for the error.
 * @throws `TypeError` `ERR_INVALID_ARG_TYPE` if it is no path, {@link DfsError} `EINVAL` if it contains a
 *   zero byte, is no UTF-8 or no `file:` URL.
 */
export function pathText(path: unknown, name = "path"): string {
  const text = rawText(path, name);
  if (text.includes("\0")) throw unusable(text, "it contains a zero byte");
  return text;
}

function rawText(path: unknown, name: string): string {
  if (typeof path === "string") return path;
  if (isBytes(path)) {
    const bytes = Buffer.from(path.buffer, path.byteOffset, path.byteLength);
    const text = bytes.toString();
    if (Buffer.from(text).equals(bytes)) return text;
    throw unusable(text, "its bytes are no UTF-8, which names are");
  }
  if (!isUrl(path)) throw new ArgumentTypeError(name, "a string, a Buffer or a URL", path);
  if (path.protocol !== "file:") throw unusable(path.href, `${path.protocol} is not file:`);
  try {
    return decodeURIComponent(path.pathname);
  } catch {
    throw unusable(path.href, "its escapes are no UTF-8");
  }
}
