/**
 * Accesses to a file: the check of every argument, before a library or node:fs sees it.
 *
 * @module
 */

import { MpiError } from "../errors.js";
import { type Message, type MessageBuffer, messageOf } from "../messages/message-buffer.js";
import type { Request } from "../messages/request.js";
import type { Status } from "../messages/status.js";
import { placeOf } from "./file-arguments.js";
import type { FileAccessCalls, FileOffset, SplitAccessCalls, View } from "./file-calls.js";
import { ACCESS_TRAITS, type FileAccess, type FileTransport } from "./file-transport.js";
import { Mode, mayRead, mayWrite } from "./mode.js";

/** Requests that are remembered before those that have ended are looked for. */
const PENDING_COUNT_MIN = 256;

/** A file without its other calls. */
export abstract class FileAccesses implements FileAccessCalls, SplitAccessCalls {
  /** What moves the bytes of the present view. */
  protected transport: FileTransport;
  protected readonly amode: number;
  protected view: View;
  protected isOpen = true;
  #split: { readonly access: FileAccess; readonly message: Message } | undefined;
  #pending: Request[] = [];
  #pendingMax = PENDING_COUNT_MIN;

  constructor(transport: FileTransport, amode: number, view: View) {
    this.transport = transport;
    this.amode = amode;
    this.view = view;
  }

  readAt(offset: FileOffset, buf: MessageBuffer): Status {
    return this.#now("read_at", buf, offset);
  }

  readAtAll(offset: FileOffset, buf: MessageBuffer): Status {
    return this.#now("read_at_all", buf, offset);
  }

  writeAt(offset: FileOffset, buf: MessageBuffer): Status {
    return this.#now("write_at", buf, offset);
  }

  writeAtAll(offset: FileOffset, buf: MessageBuffer): Status {
    return this.#now("write_at_all", buf, offset);
  }

  ireadAt(offset: FileOffset, buf: MessageBuffer): Request {
    return this.#start("read_at", buf, offset);
  }

  ireadAtAll(offset: FileOffset, buf: MessageBuffer): Request {
    return this.#start("read_at_all", buf, offset);
  }

  iwriteAt(offset: FileOffset, buf: MessageBuffer): Request {
    return this.#start("write_at", buf, offset);
  }

  iwriteAtAll(offset: FileOffset, buf: MessageBuffer): Request {
    return this.#start("write_at_all", buf, offset);
  }

  read(buf: MessageBuffer): Status {
    return this.#now("read", buf, 0);
  }

  readAll(buf: MessageBuffer): Status {
    return this.#now("read_all", buf, 0);
  }

  write(buf: MessageBuffer): Status {
    return this.#now("write", buf, 0);
  }

  writeAll(buf: MessageBuffer): Status {
    return this.#now("write_all", buf, 0);
  }

  iread(buf: MessageBuffer): Request {
    return this.#start("read", buf, 0);
  }

  ireadAll(buf: MessageBuffer): Request {
    return this.#start("read_all", buf, 0);
  }

  iwrite(buf: MessageBuffer): Request {
    return this.#start("write", buf, 0);
  }

  iwriteAll(buf: MessageBuffer): Request {
    return this.#start("write_all", buf, 0);
  }

  readShared(buf: MessageBuffer): Status {
    return this.#now("read_shared", buf, 0);
  }

  writeShared(buf: MessageBuffer): Status {
    return this.#now("write_shared", buf, 0);
  }

  ireadShared(buf: MessageBuffer): Request {
    return this.#start("read_shared", buf, 0);
  }

  iwriteShared(buf: MessageBuffer): Request {
    return this.#start("write_shared", buf, 0);
  }

  readOrdered(buf: MessageBuffer): Status {
    return this.#now("read_ordered", buf, 0);
  }

  writeOrdered(buf: MessageBuffer): Status {
    return this.#now("write_ordered", buf, 0);
  }

  readAtAllBegin(offset: FileOffset, buf: MessageBuffer): void {
    this.#begin("read_at_all", buf, offset);
  }

  readAtAllEnd(): Status {
    return this.#end("read_at_all");
  }

  writeAtAllBegin(offset: FileOffset, buf: MessageBuffer): void {
    this.#begin("write_at_all", buf, offset);
  }

  writeAtAllEnd(): Status {
    return this.#end("write_at_all");
  }

  readAllBegin(buf: MessageBuffer): void {
    this.#begin("read_all", buf, 0);
  }

  readAllEnd(): Status {
    return this.#end("read_all");
  }

  writeAllBegin(buf: MessageBuffer): void {
    this.#begin("write_all", buf, 0);
  }

  writeAllEnd(): Status {
    return this.#end("write_all");
  }

  readOrderedBegin(buf: MessageBuffer): void {
    this.#begin("read_ordered", buf, 0);
  }

  readOrderedEnd(): Status {
    return this.#end("read_ordered");
  }

  writeOrderedBegin(buf: MessageBuffer): void {
    this.#begin("write_ordered", buf, 0);
  }

  writeOrderedEnd(): Status {
    return this.#end("write_ordered");
  }

  /** Refuses a closed file. @internal */
  protected requireOpen(call: string): void {
    if (this.isOpen) return;
    const why = "the file has been closed";
    throw new MpiError({ code: "MPI_ERR_FILE", call, why, remedy: "Open it again" });
  }

  /** Refuses a collective call between the halves of a split one. @internal */
  protected requireNoSplit(call: string): void {
    if (this.#split === undefined) return;
    const why = `${ACCESS_TRAITS[this.#split.access].call}_begin has not been ended`;
    const remedy = "End the split access first";
    throw new MpiError({ code: "MPI_ERR_IO", call, why, remedy });
  }

  /** Ends what goes on: a library must not be closed under it. @internal */
  protected settle(): void {
    for (const request of this.#pending) {
      try {
        request.wait();
      } catch {
        // It is told to whoever waits for the request.
      }
    }
    this.#pending = [];
  }

  #now(access: FileAccess, buf: MessageBuffer, offset: FileOffset): Status {
    const { call } = ACCESS_TRAITS[access];
    const message = this.#message(call, access, buf);
    return this.transport.access(
      access,
      placeOf(call, this.view, offset, message.byteLength),
      message,
    );
  }

  #start(access: FileAccess, buf: MessageBuffer, offset: FileOffset): Request {
    const { startCall: call } = ACCESS_TRAITS[access];
    const message = this.#message(call, access, buf);
    const request = this.transport.start(
      access,
      placeOf(call, this.view, offset, message.byteLength),
      message,
    );
    this.#remember(request);
    return request;
  }

  #begin(access: FileAccess, buf: MessageBuffer, offset: FileOffset): void {
    const call = `${ACCESS_TRAITS[access].call}_begin`;
    const message = this.#message(call, access, buf);
    this.transport.begin(access, placeOf(call, this.view, offset, message.byteLength), message);
    this.#split = { access, message };
  }

  #end(access: FileAccess): Status {
    const call = `${ACCESS_TRAITS[access].call}_end`;
    this.requireOpen(call);
    if (this.#split?.access !== access) {
      const why = `${ACCESS_TRAITS[access].call}_begin has not been called`;
      const remedy = "Begin a split access, and end the same one";
      throw new MpiError({ code: "MPI_ERR_IO", call, why, remedy });
    }
    const { message } = this.#split;
    this.#split = undefined;
    return this.transport.end(access, message);
  }

  #message(call: string, access: FileAccess, buf: MessageBuffer): Message {
    this.requireOpen(call);
    if (ACCESS_TRAITS[access].isCollective) this.requireNoSplit(call);
    this.#requireAllowed(call, access);
    const message = messageOf(call, buf);
    const unit = this.view.etype.size;
    if (message.byteLength % unit === 0) return message;
    const why = `${message.byteLength} bytes are no multiple of the view's type, ${unit} bytes`;
    const remedy = "Read and write whole elements";
    throw new MpiError({ code: "MPI_ERR_TYPE", call, why, remedy });
  }

  #requireAllowed(call: string, access: FileAccess): void {
    const { amode } = this;
    const { isRead, isAtSharedPointer } = ACCESS_TRAITS[access];
    if (isRead) {
      if (!mayRead(amode)) throw refused(call, amode, "MPI_ERR_ACCESS", "the file is only written");
    } else if (!mayWrite(amode)) {
      throw refused(call, amode, "MPI_ERR_READ_ONLY", "the file is only read");
    }
    if ((amode & Mode.SEQUENTIAL) === 0 || isAtSharedPointer) return;
    throw refused(
      call,
      amode,
      "MPI_ERR_UNSUPPORTED_OPERATION",
      "a sequential file has the shared pointer only",
    );
  }

  #remember(request: Request): void {
    this.#pending.push(request);
    if (this.#pending.length < this.#pendingMax) return;
    this.#pending = this.#pending.filter((one) => !hasEnded(one));
    this.#pendingMax = Math.max(PENDING_COUNT_MIN, 2 * this.#pending.length);
  }
}

/** What an access is refused with that the mode of the file does not allow. */
function refused(call: string, amode: number, code: string, why: string): MpiError {
  const remedy = "Open the file with another mode, such as Mode.RDWR";
  return new MpiError({ code, call, why: `${why} (mode ${amode})`, remedy });
}

/** Asks a request that the program may have forgotten. */
function hasEnded(request: Request): boolean {
  try {
    return request.isComplete || request.test() !== undefined;
  } catch {
    return true; // It is told to whoever waits for the request.
  }
}
