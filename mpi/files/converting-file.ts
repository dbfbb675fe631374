/**
 * ConvertingFile: a file whose view has a representation that the program registered.
 *
 * The file below is one of bytes. What is written is converted first and what was read afterwards, into memory of the
 * size of the access. A conversion that fails takes part in a collective access with no bytes, so that no rank waits.
 *
 * @module
 */

import { ANY_TAG, PROC_NULL } from "../constants.js";
import type { Datatype } from "../datatype/datatype.js";
import type { MpiError } from "../errors.js";
import { type Message, packedBytes, placeBytes, unitOf } from "../messages/message-buffer.js";
import { Request } from "../messages/request.js";
import { Status } from "../messages/status.js";
import { conversionError, type StoredView, storedType } from "./data-representations.js";
import { placeOf } from "./file-arguments.js";
import type { View } from "./file-calls.js";
import {
  ACCESS_TRAITS,
  type FileAccess,
  type FileTransport,
  type Hints,
} from "./file-transport.js";

/** An access in the bytes of the file. */
interface Converted {
  readonly bytes: Uint8Array;
  /** The status of the access that was asked for; memory is filled when it is known. */
  finish(status: Status): Status;
}

/** A file below a converted view. */
export class ConvertingFile implements FileTransport {
  readonly #inner: FileTransport;
  readonly #stored: StoredView;
  /** Bytes of the elementary type in memory. */
  readonly #memorySize: number;
  /** Bytes of the elementary type in the file. */
  readonly #fileSize: number;
  #split: Converted | undefined;

  /** @param inner Its view has been set to what is stored. */
  constructor(inner: FileTransport, view: View, stored: StoredView) {
    this.#inner = inner;
    this.#stored = stored;
    this.#memorySize = view.etype.size;
    this.#fileSize = stored.view.etype.size;
  }

  access(access: FileAccess, offset: number, message: Message): Status {
    const converted = this.#converted(access, offset, message);
    return converted.finish(this.#inner.access(access, offset, converted.bytes));
  }

  start(access: FileAccess, offset: number, message: Message): Request {
    const converted = this.#converted(access, offset, message);
    return new ConvertedRequest(this.#inner.start(access, offset, converted.bytes), converted);
  }

  begin(access: FileAccess, offset: number, message: Message): void {
    this.#split = this.#converted(access, offset, message);
    this.#inner.begin(access, offset, this.#split.bytes);
  }

  end(access: FileAccess): Status {
    const split = this.#split as Converted;
    this.#split = undefined;
    return split.finish(this.#inner.end(access, split.bytes));
  }

  typeExtent(datatype: Datatype): number {
    return storedType(datatype, this.#stored.functions).extent;
  }

  close(): void {
    this.#inner.close();
  }

  setSize(size: number): void {
    this.#inner.setSize(size);
  }

  preallocate(size: number): void {
    this.#inner.preallocate(size);
  }

  size(): number {
    return this.#inner.size();
  }

  setInfo(hints: Hints): void {
    this.#inner.setInfo(hints);
  }

  info(): Hints {
    return this.#inner.info();
  }

  setView(view: View, hints: Hints | undefined): void {
    this.#inner.setView(view, hints);
  }

  seek(offset: number, whence: number, isShared: boolean): void {
    this.#inner.seek(offset, whence, isShared);
  }

  position(isShared: boolean): number {
    return this.#inner.position(isShared);
  }

  byteOffset(offset: number): number {
    return this.#inner.byteOffset(offset);
  }

  setAtomicity(isAtomic: boolean): void {
    this.#inner.setAtomicity(isAtomic);
  }

  atomicity(): boolean {
    return this.#inner.atomicity();
  }

  sync(): void {
    this.#inner.sync();
  }

  #converted(access: FileAccess, offset: number, message: Message): Converted {
    const count = message.byteLength / this.#memorySize;
    const { call, isRead } = ACCESS_TRAITS[access];
    placeOf(call, this.#stored.view, offset, count * this.#fileSize);
    const bytes = new Uint8Array(count * this.#fileSize);
    if (isRead) {
      return { bytes, finish: ({ count: found }) => this.#received(message, bytes, found) };
    }
    let failure: MpiError | undefined;
    try {
      this.#convert("write", packedBytes(message), bytes, count);
    } catch (error) {
      failure = error as MpiError;
    }
    const finish = ({ count: written }: Status) => {
      if (failure !== undefined) throw failure;
      return this.#status(message, written);
    };
    return { bytes: failure === undefined ? bytes : bytes.subarray(0, 0), finish };
  }

  /** Fills memory with what was read: whole elements. */
  #received(message: Message, bytes: Uint8Array, found: number): Status {
    const count = Math.floor(found / this.#fileSize);
    const memory = new Uint8Array(count * this.#memorySize);
    this.#convert("read", memory, bytes, count);
    placeBytes(message, memory);
    return this.#status(message, found);
  }

  #status(message: Message, bytes: number): Status {
    const size = Math.floor(bytes / this.#fileSize) * this.#memorySize;
    return new Status(PROC_NULL, ANY_TAG, size, unitOf(message));
  }

  /** Converts elementary types, one basic type after the other. */
  #convert(how: "read" | "write", memory: Uint8Array, file: Uint8Array, count: number): void {
    const { runs, functions } = this.#stored;
    const convert = functions[how];
    if (convert === undefined) {
      if (how === "read") memory.set(file.subarray(0, memory.length));
      else file.set(memory);
      return;
    }
    // Of one basic type, all elements are one run.
    const [times, runsAtOnce] = runs.length === 1 ? [1, count] : [count, 1];
    let [inMemory, inFile] = [0, 0];
    for (let i = 0; i < times; i += 1) {
      for (const { type, count: inOne, fileExtent } of runs) {
        const elements = inOne * runsAtOnce;
        const memorySize = elements * type.size;
        const fileSize = elements * fileExtent;
        const from = memory.subarray(inMemory, inMemory + memorySize);
        const to = file.subarray(inFile, inFile + fileSize);
        try {
          convert(from, type, elements, to);
        } catch (error) {
          throw conversionError(`${how} failed for ${elements} elements of ${type.name}`, error);
        }
        inMemory += memorySize;
        inFile += fileSize;
      }
    }
  }
}

/** A nonblocking access of the file below; converted when it has ended. */
class ConvertedRequest extends Request {
  readonly #inner: Request;
  readonly #converted: Converted;

  constructor(inner: Request, converted: Converted) {
    super();
    this.#inner = inner;
    this.#converted = converted;
  }

  protected waitForCompletion(): Status {
    return this.#converted.finish(this.#inner.wait());
  }

  protected testForCompletion(): Status | undefined {
    const status = this.#inner.test();
    return status && this.#converted.finish(status);
  }

  protected cancelOperation(): void {
    this.#inner.cancel();
  }
}
