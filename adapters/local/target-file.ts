/**
 * A file that appears as a whole: written under another name in the same folder, flushed, renamed.
 *
 *     .name.<host>.<pid>.<random>.partial  --flush, rename-->  name
 *
 * 1. Space is handed out once, from the begin to the end; nothing is freed.
 * 2. Small records are gathered, large ones written as they are; what nobody wrote reads as zeros.
 * 3. A process that dies leaves `name` as it was, and the partial file, which the next one for the same name
 *    removes.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { DaosError, type DaosErrorCode } from "../../core/index.js";
import { ALIGNED_SIZE_MIN, ALIGNMENT_SIZE, DIRECT_SIZE_MIN, GATHER_SIZE_MAX } from "./limits.js";

const SUFFIX = ".partial";
const FULL = ["ENOSPC", "EDQUOT", "EFBIG"];
const CODES: Readonly<Record<string, DaosErrorCode>> = {
  ENOENT: "DER_NONEXIST",
  ENOTDIR: "DER_NONEXIST",
  EACCES: "DER_NO_PERM",
  EPERM: "DER_NO_PERM",
  EROFS: "DER_NO_PERM",
  EEXIST: "DER_EXIST",
};

/** The error for a call of the file system that failed. */
function failure(file: string, error: unknown): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  const what = `Writing ${file}`;
  const facts = { path: file, system: code };
  if (FULL.includes(code)) {
    const why = `there is no space for it (${code})`;
    const remedy = "free space there, or choose another folder; nothing was left behind";
    return new DaosError("DER_NOSPACE", { what, why, remedy }, facts, error);
  }
  const remedy = "correct the path or its permissions";
  return new DaosError(CODES[code] ?? "DER_IO", { what, why: message, remedy }, facts, error);
}

function alreadyThere(file: string): DaosError {
  const text = {
    what: `Writing ${file}`,
    why: "it exists",
    remedy: "remove it, choose another name, or allow it to be replaced",
  };
  return new DaosError("DER_EXIST", text, { path: file });
}

/** Refuses what cannot become, or be replaced by, a file. */
function checkPlace(file: string, replaces: boolean): void {
  const there = fs.lstatSync(file, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!replaces) throw alreadyThere(file);
  if (there.isFile() || there.isSymbolicLink()) return;
  const text = { what: `Writing ${file}`, why: "it is no file", remedy: "choose another name" };
  throw new DaosError("DER_INVAL", text, { path: file });
}

/** Removes what processes of this machine that are gone left for the same name. */
function sweep(folder: string, prefix: string): void {
  for (const name of fs.readdirSync(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith(SUFFIX)) continue;
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (!(pid > 0) || pid === process.pid || isAlive(pid)) continue;
    fs.rmSync(path.join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** A file under way. End it with {@link commit} or {@link discard}. */
export class TargetFile {
  /** Its name when it is whole. */
  readonly path: string;
  readonly #partial: string;
  readonly #replaces: boolean;
  readonly #base: number;
  #descriptor: number | undefined;
  #end = 0;
  /** Records that follow one another and were not written yet. */
  readonly #gathered = Buffer.allocUnsafeSlow(GATHER_SIZE_MAX);
  #gatheredStart = 0;
  #gatheredSize = 0;
  /** End of what was written last in the file, gathered or not. */
  #written = 0;

  /**
   * @param options `replace`: whether the file may exist; `base`: bytes in front of address 0.
   * @throws `DaosError` `DER_EXIST`, `DER_INVAL` if something else than a file is there, `DER_NONEXIST`,
   *   `DER_NO_PERM`, `DER_IO`.
   */
  constructor(file: string, { replace, base }: { replace: boolean; base: number }) {
    this.path = path.resolve(file);
    this.#replaces = replace;
    this.#base = base;
    const folder = path.dirname(this.path);
    const prefix = `.${path.basename(this.path)}.${hostname()}.`;
    this.#partial = path.join(
      folder,
      `${prefix}${process.pid}.${randomBytes(4).toString("hex")}${SUFFIX}`,
    );
    try {
      checkPlace(this.path, replace);
      sweep(folder, prefix);
      this.#descriptor = fs.openSync(this.#partial, "wx+");
    } catch (error) {
      throw failure(this.path, error);
    }
  }

  /** Bytes of the file, those in front of address 0 included. */
  get size(): number {
    return this.#base + this.#end;
  }

  /** Takes space at the end, and returns its address. */
  allocate(size: number): number {
    const unit = size >= ALIGNED_SIZE_MIN ? ALIGNMENT_SIZE : 8;
    const address = Math.ceil(this.#end / unit) * unit;
    this.#end = address + size;
    return address;
  }

  /** Writes bytes right behind the end, wherever that is; they may be used again when the call returns. */
  extend(bytes: Uint8Array): void {
    const address = this.#end;
    this.#end += bytes.length;
    this.write(address, bytes);
  }

  /** Takes space for a record, writes it, and returns its address. */
  append(bytes: Uint8Array): number {
    const address = this.allocate(bytes.length);
    this.write(address, bytes);
    return address;
  }

  /** Writes bytes, which may be used again when the call returns. */
  write(address: number, bytes: Uint8Array): void {
    if (bytes.length >= DIRECT_SIZE_MIN) {
      this.#flushGathered();
      this.#writeAll(bytes, address);
      this.#written = Math.max(this.#written, address + bytes.length);
      return;
    }
    const end = this.#gatheredStart + this.#gatheredSize;
    const gap = address - end;
    // A small gap is cheaper to write than to go around, if nothing was written there before.
    const follows = gap === 0 || (gap > 0 && gap <= ALIGNMENT_SIZE && end >= this.#written);
    if (!follows || address + bytes.length > this.#gatheredStart + GATHER_SIZE_MAX) {
      this.#flushGathered();
      this.#gatheredStart = address;
    } else this.#gathered.fill(0, this.#gatheredSize, this.#gatheredSize + gap);
    this.#gathered.set(bytes, address - this.#gatheredStart);
    this.#gatheredSize = address - this.#gatheredStart + bytes.length;
    this.#written = Math.max(this.#written, address + bytes.length);
  }

  /** Reads again what was written. */
  read(address: number, size: number): Buffer {
    this.#flushGathered();
    const bytes = Buffer.alloc(size);
    try {
      fs.readSync(this.#handle, bytes, 0, size, this.#base + address);
    } catch (error) {
      throw failure(this.path, error);
    }
    return bytes;
  }

  /** Writes the bytes in front of address 0. */
  writeFront(bytes: Uint8Array): void {
    this.#writeAll(bytes, -this.#base);
  }

  get #handle(): number {
    if (this.#descriptor === undefined) throw new Error("the file was closed");
    return this.#descriptor;
  }

  #flushGathered(): void {
    const size = this.#gatheredSize;
    this.#gatheredSize = 0;
    if (size > 0) this.#writeAll(this.#gathered.subarray(0, size), this.#gatheredStart);
  }

  #writeAll(bytes: Uint8Array, address: number): void {
    let done = 0;
    try {
      while (done < bytes.length) {
        const position = this.#base + address + done;
        done += fs.writeSync(this.#handle, bytes, done, bytes.length - done, position);
      }
    } catch (error) {
      throw failure(this.path, error);
    }
  }

  /**
   * Makes the file durable, and lets it appear under its name.
   *
   * @throws `DaosError` `DER_EXIST` if a file came there meanwhile, `DER_NOSPACE`, `DER_IO`.
   */
  commit(): void {
    this.#flushGathered();
    try {
      fs.ftruncateSync(this.#handle, this.size);
      fs.fsyncSync(this.#handle);
      fs.closeSync(this.#handle);
      this.#descriptor = undefined;
      this.#appear();
      const folder = fs.openSync(path.dirname(this.path), "r");
      fs.fsyncSync(folder);
      fs.closeSync(folder);
    } catch (error) {
      throw failure(this.path, error);
    }
  }

  #appear(): void {
    if (!this.#replaces) {
      try {
        // A link never replaces what came there meanwhile, which a rename would.
        fs.linkSync(this.#partial, this.path);
        fs.unlinkSync(this.#partial);
        return;
      } catch (error) {
        // Some file systems have no hard links.
        if ((error as NodeJS.ErrnoException).code === "EEXIST") throw alreadyThere(this.path);
        checkPlace(this.path, false);
      }
    }
    fs.renameSync(this.#partial, this.path);
  }

  /** Leaves nothing behind. After {@link commit}, does nothing. */
  discard(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
    fs.rmSync(this.#partial, { force: true });
  }
}
