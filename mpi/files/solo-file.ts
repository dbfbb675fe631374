/**
 * Files of one rank over node:fs, so that programs with files run without MPI, too.
 *
 * Nonblocking accesses are done when they are started. Numbers of "external32" are big-endian, with the sizes of this
 * machine's types.
 *
 * @module
 */

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { bytesOf, elementSizeOf } from "../buffers.js";
import { ANY_TAG, PROC_NULL } from "../constants.js";
import type { Datatype } from "../datatype/datatype.js";
import { pack, unpack } from "../datatype/pack.js";
import { MpiError } from "../errors.js";
import {
  type Message,
  packedBytes,
  placeBytes,
  TypedElements,
  unitOf,
} from "../messages/message-buffer.js";
import type { Request } from "../messages/request.js";
import { Status } from "../messages/status.js";
import { EndedRequest } from "./ended-request.js";
import type { View } from "./file-calls.js";
import { codeOfSystemError } from "./file-errors.js";
import {
  ACCESS_TRAITS,
  type FileAccess,
  type FileTransport,
  type Hints,
} from "./file-transport.js";
import { DISPLACEMENT_CURRENT, Mode, mayRead, Seek } from "./mode.js";
import { rangesOf, streamSize } from "./view-ranges.js";

/** Bytes that one system call moves at most. */
const TRANSFER_SIZE_MAX = 2 ** 30;
/** Bytes that are allocated at once. */
const CHUNK_SIZE = 2 ** 22;

/** Runs a system call; its failure becomes an MpiError. */
function attempt<T>(call: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const { message, code = "" } = cause as { message: string; code?: string };
    throw new MpiError({ code: codeOfSystemError(code), call, why: message, cause });
  }
}

/** Removes a file. @throws {@link MpiError} `MPI_ERR_NO_SUCH_FILE`, `MPI_ERR_ACCESS`. */
export function removeFile(path: string): void {
  attempt("MPI_File_delete", () => rmSync(path));
}

/** A file of one rank. */
export class SoloFile implements FileTransport {
  readonly #path: string;
  readonly #amode: number;
  readonly #fd: number;
  #view: View;
  #hints: Map<string, string>;
  /** Pointers, in elementary types: the rank's own, and the shared one. */
  readonly #pointers = { individual: 0, shared: 0 };
  #isAtomic = false;
  #ended: Status | undefined;

  constructor({ path, amode, hints }: { path: string; amode: number; hints: Hints }, view: View) {
    this.#path = path;
    this.#amode = amode;
    this.#view = view;
    this.#hints = new Map(hints);
    this.#fd = attempt("MPI_File_open", () => openSync(path, flagsOf(amode), 0o666));
    if (fstatSync(this.#fd).isDirectory()) {
      closeSync(this.#fd);
      const why = `"${path}" is a directory`;
      throw new MpiError({ code: "MPI_ERR_BAD_FILE", call: "MPI_File_open", why });
    }
    if ((amode & Mode.APPEND) !== 0) {
      this.#pointers.individual = this.#pointers.shared = this.#end();
    }
  }

  close(): void {
    attempt("MPI_File_close", () => {
      closeSync(this.#fd);
      if ((this.#amode & Mode.DELETE_ON_CLOSE) !== 0) rmSync(this.#path, { force: true });
    });
  }

  setSize(size: number): void {
    attempt("MPI_File_set_size", () => ftruncateSync(this.#fd, size));
  }

  preallocate(size: number): void {
    const existing = mayRead(this.#amode) ? 0 : this.size();
    attempt("MPI_File_preallocate", () => {
      for (let at = existing; at < size; at += CHUNK_SIZE) {
        // What is there is written again, so that holes get their storage.
        const chunk = new Uint8Array(Math.min(CHUNK_SIZE, size - at));
        if (mayRead(this.#amode)) this.#readRun(chunk, at);
        this.#writeRun(chunk, at);
      }
    });
  }

  size(): number {
    return attempt("MPI_File_get_size", () => fstatSync(this.#fd).size);
  }

  setInfo(hints: Hints): void {
    for (const [key, value] of hints) this.#hints.set(key, value);
  }

  info(): Hints {
    return [...this.#hints];
  }

  setView(view: View, hints: Hints | undefined): void {
    const isCurrent = view.displacement === DISPLACEMENT_CURRENT;
    const displacement = isCurrent ? this.byteOffset(this.#pointers.shared) : view.displacement;
    this.#view = { ...view, displacement };
    this.#pointers.individual = this.#pointers.shared = 0;
    if (hints) this.setInfo(hints);
  }

  access(access: FileAccess, offset: number, message: Message): Status {
    const { call, isRead, pointer: where, isAtSharedPointer } = ACCESS_TRAITS[access];
    const pointer = isAtSharedPointer ? "shared" : "individual";
    const unit = this.#view.etype.size;
    const start = where === "explicit" ? offset : this.#pointers[pointer];
    const move = isRead ? this.#read : this.#write;
    const count = attempt(call, () => move.call(this, message, start * unit));
    // By what was asked for, as the standard says, also where the file ended before.
    if (where !== "explicit") this.#pointers[pointer] = start + message.byteLength / unit;
    return new Status(PROC_NULL, ANY_TAG, count, unitOf(message));
  }

  start(access: FileAccess, offset: number, message: Message): Request {
    return new EndedRequest(this.access(access, offset, message));
  }

  begin(access: FileAccess, offset: number, message: Message): void {
    this.#ended = this.access(access, offset, message);
  }

  end(): Status {
    return this.#ended as Status;
  }

  seek(offset: number, whence: number, isShared: boolean): void {
    const pointer = isShared ? "shared" : "individual";
    const current = this.#pointers[pointer];
    const from = whence === Seek.END ? this.#end() : whence === Seek.CUR ? current : 0;
    const place = from + offset;
    if (!Number.isSafeInteger(place) || place < 0) {
      const call = isShared ? "MPI_File_seek_shared" : "MPI_File_seek";
      const why = `${place} is no place in the view`;
      throw new MpiError({ code: "MPI_ERR_ARG", call, why });
    }
    this.#pointers[pointer] = place;
  }

  position(isShared: boolean): number {
    return this.#pointers[isShared ? "shared" : "individual"];
  }

  byteOffset(offset: number): number {
    const { value } = rangesOf(this.#view, offset * this.#view.etype.size, 1).next();
    return value?.offset ?? this.#view.displacement;
  }

  typeExtent(datatype: Datatype): number {
    return datatype.extent;
  }

  setAtomicity(isAtomic: boolean): void {
    this.#isAtomic = isAtomic;
  }

  atomicity(): boolean {
    return this.#isAtomic;
  }

  sync(): void {
    attempt("MPI_File_sync", () => fsyncSync(this.#fd));
  }

  /** Elementary types in the view before the end of the file. */
  #end(): number {
    return Math.ceil(streamSize(this.#view, this.size()) / this.#view.etype.size);
  }

  #write(message: Message, from: number): number {
    const bytes = this.#isTurned ? turnedBytes(message) : packedBytes(message);
    let done = 0;
    for (const { offset, length } of rangesOf(this.#view, from, bytes.length)) {
      this.#writeRun(bytes.subarray(done, done + length), offset);
      done += length;
    }
    return done;
  }

  #read(message: Message, from: number): number {
    const size = message.byteLength;
    const isPlain = !(message instanceof TypedElements) && !this.#isTurned;
    const bytes = isPlain ? bytesOf(message) : new Uint8Array(size);
    let done = 0;
    for (const { offset, length } of rangesOf(this.#view, from, size)) {
      const count = this.#readRun(bytes.subarray(done, done + length), offset);
      done += count;
      if (count < length) break;
    }
    const found = bytes.subarray(0, done);
    if (this.#isTurned) turn(found, message);
    if (!isPlain) placeBytes(message, found);
    return done;
  }

  get #isTurned(): boolean {
    return this.#view.datarep === "external32";
  }

  #writeRun(bytes: Uint8Array, offset: number): void {
    for (let done = 0; done < bytes.length; ) {
      const length = Math.min(bytes.length - done, TRANSFER_SIZE_MAX);
      done += writeSync(this.#fd, bytes, done, length, offset + done);
    }
  }

  #readRun(bytes: Uint8Array, offset: number): number {
    let done = 0;
    while (done < bytes.length) {
      const length = Math.min(bytes.length - done, TRANSFER_SIZE_MAX);
      const count = readSync(this.#fd, bytes, done, length, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }
}

function flagsOf(amode: number): number {
  const { O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_WRONLY } = constants;
  const access =
    (amode & Mode.RDWR) !== 0 ? O_RDWR : (amode & Mode.WRONLY) !== 0 ? O_WRONLY : O_RDONLY;
  const create = (amode & Mode.CREATE) !== 0 ? O_CREAT : 0;
  const exclusive = create !== 0 && (amode & Mode.EXCL) !== 0 ? O_EXCL : 0;
  return access | create | exclusive;
}

/** The data of a message, with the bytes of each number turned around. */
function turnedBytes(message: Message): Uint8Array {
  const bytes = Uint8Array.from(packedBytes(message));
  turn(bytes, message);
  return bytes;
}

/** Turns the bytes of each number around; a part of one at the end stays. */
function turn(bytes: Uint8Array, message: Message): void {
  if (message instanceof TypedElements) {
    const { datatype } = message;
    const count = Math.floor(bytes.length / datatype.size);
    const plain = new Uint8Array(datatype.extent * count + Math.abs(datatype.trueLowerBound));
    if (count === 0) return;
    unpack(datatype, bytes, plain, { count });
    pack(datatype, plain, bytes, { count, representation: "external32" });
    return;
  }
  const size = elementSizeOf(message);
  for (let at = 0; at + size <= bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}
