/**
 * The bytes of a file, read with bounds: small reads through a few kept pages, large ones directly.
 *
 * @module
 */

import fs from "node:fs";
import { DaosError } from "../../../core/index.js";
import { malformed } from "../messages/field-codec.js";
import { METADATA_SIZE_MAX, PAGE_SIZE, PAGES_MAX } from "./limits.js";

/** The error for a file that cannot be read. */
export function unreadable(path: string, error: unknown): DaosError {
  const { code, message } = error as NodeJS.ErrnoException;
  const what = `Reading ${path}`;
  if (code === "ENOENT") {
    const text = { what, why: "there is no such file", remedy: "correct the path" };
    return new DaosError("DER_NONEXIST", text, { path });
  }
  if (code === "EACCES" || code === "EPERM") {
    const text = { what, why: "this user may not read it", remedy: "change its permissions" };
    return new DaosError("DER_NO_PERM", text, { path });
  }
  const text = { what, why: message, remedy: "see to the device, or correct the path" };
  return new DaosError("DER_IO", text, { path });
}

/** An open file. */
export class FileBytes {
  /** Its path, as it was given. */
  readonly path: string;
  /** Its size when it was opened, in bytes. */
  readonly size: number;
  #descriptor: number | undefined;
  /** Pages in the order of their last use. */
  readonly #pages = new Map<number, Buffer>();

  /** @throws `DaosError` `DER_NONEXIST`, `DER_NO_PERM`, `DER_IO`; `DER_INVAL` if it is no file. */
  constructor(path: string) {
    this.path = path;
    try {
      this.#descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      const stats = fs.fstatSync(this.#descriptor);
      this.size = stats.size;
      if (!stats.isFile()) {
        const text = { what: `Reading ${path}`, why: "it is no file", remedy: "correct the path" };
        throw new DaosError("DER_INVAL", text, { path });
      }
    } catch (error) {
      this.close();
      throw error instanceof DaosError ? error : unreadable(path, error);
    }
  }

  /**
   * Fills `target` with the bytes at `position`.
   *
   * @param what What is read, for errors.
   * @throws `DaosError` `DER_DF_INVAL` if the file ends before, `DER_IO`, `DER_NO_HDL`.
   */
  readInto(target: Uint8Array, position: number, what: string): void {
    this.#requireInside(position, target.length, what);
    this.#fill(target, position, what);
  }

  #fill(target: Uint8Array, position: number, what: string): void {
    if (this.#descriptor === undefined) {
      const text = { what: `Reading ${what}`, why: "it was closed", remedy: "open it again" };
      throw new DaosError("DER_NO_HDL", text, { path: this.path });
    }
    let done = 0;
    while (done < target.length) {
      let count: number;
      try {
        count = fs.readSync(this.#descriptor, target, done, target.length - done, position + done);
      } catch (error) {
        throw unreadable(this.path, error);
      }
      // Somebody cuts the file meanwhile.
      if (count === 0) throw malformed(what, "the file became shorter");
      done += count;
    }
  }

  #requireInside(position: number, size: number, what: string): void {
    if (position < 0 || !Number.isSafeInteger(position + size) || position + size > this.size) {
      const why = `${size} bytes at ${position} lie beyond the end of the file, at ${this.size}`;
      throw malformed(what, why);
    }
  }

  /** Returns bytes of metadata; they belong to this object, and must not be changed. */
  read(position: number, size: number, what: string): Buffer {
    this.#requireInside(position, size, what);
    if (size > METADATA_SIZE_MAX) throw malformed(what, `a record of ${size} bytes is too large`);
    const number = Math.floor(position / PAGE_SIZE);
    const start = position - number * PAGE_SIZE;
    if (start + size <= PAGE_SIZE) return this.#page(number, what).subarray(start, start + size);
    const bytes = Buffer.allocUnsafeSlow(size);
    this.#fill(bytes, position, what);
    return bytes;
  }

  #page(number: number, what: string): Buffer {
    const known = this.#pages.get(number);
    if (known !== undefined) {
      this.#pages.delete(number);
      this.#pages.set(number, known);
      return known;
    }
    const start = number * PAGE_SIZE;
    const page = Buffer.allocUnsafeSlow(Math.min(PAGE_SIZE, this.size - start));
    this.#fill(page, start, what);
    this.#pages.set(number, page);
    if (this.#pages.size > PAGES_MAX) {
      const [oldest] = this.#pages.keys();
      if (oldest !== undefined) this.#pages.delete(oldest);
    }
    return page;
  }

  /** Closes the file. Later calls do nothing. */
  close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#pages.clear();
  }
}
