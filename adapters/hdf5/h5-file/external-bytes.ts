/**
 * Elements in raw files outside of the HDF5 file: one line of bytes over several files.
 *
 * A file that is too short reads as zeros, as in HDF5. Names are looked for beside the HDF5 file, then
 * in the working directory.
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import type { LayoutDescription } from "../description.js";
import { malformed } from "../messages/field-codec.js";
import { unreadable } from "./file-bytes.js";

type ExternalFile = Extract<LayoutDescription, { kind: "external" }>["files"][number];

/** Reads a list of external files. */
export class ExternalBytes {
  readonly #files: readonly ExternalFile[];
  readonly #directory: string;

  /** @param directory Where the HDF5 file lies. */
  constructor(files: readonly ExternalFile[], directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  /**
   * Fills `target` with the bytes at a position of the line.
   *
   * @throws `DaosError` `DER_NONEXIST` and the like for a file; `DER_DF_INVAL` beyond the last one.
   */
  readInto(target: Uint8Array, position: number, what: string): void {
    let [done, start] = [0, 0];
    for (const { name, offset, size } of this.#files) {
      const end = start + (size ?? Number.POSITIVE_INFINITY);
      const at = position + done;
      if (at < end && done < target.length) {
        const part = target.subarray(done, done + Math.min(target.length - done, end - at));
        this.#readFile(name, part, offset + at - start);
        done += part.length;
      }
      start = end;
    }
    if (done < target.length) throw malformed(what, "its external files are too small for it");
  }

  #readFile(name: string, target: Uint8Array, position: number): void {
    const file = this.#find(name);
    let descriptor: number | undefined;
    try {
      descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
      // A hostile file may name a device or a pipe.
      if (!fs.fstatSync(descriptor).isFile()) throw new Error("it is no file");
      let done = 0;
      while (done < target.length) {
        const count = fs.readSync(descriptor, target, done, target.length - done, position + done);
        if (count === 0) break;
        done += count;
      }
      target.fill(0, done);
    } catch (error) {
      throw unreadable(file, error);
    } finally {
      if (descriptor !== undefined) fs.closeSync(descriptor);
    }
  }

  #find(name: string): string {
    const beside = path.resolve(this.#directory, name);
    return fs.existsSync(beside) ? beside : path.resolve(name);
  }
}
