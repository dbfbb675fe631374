/**
 * Files of an MPI library: each method is one call of the addon.
 *
 * Things that libraries do wrong are put right here:
 *
 * 1. ROMIO counts the bytes asked for in collective reads that end behind the file, and OMPIO often none in
 *    nonblocking accesses. What a read can have found is computed from the view and the size of the file.
 * 2. OMPIO 4 never completes a nonblocking read behind the end of a file. Such a read is made by the blocking call.
 * 3. ROMIO within Open MPI 4 crashes in nonblocking collective accesses, and OMPIO's reads meet 2. With Open MPI they
 *    are made by the nonblocking accesses of each rank alone, which have the same outcome.
 * 4. On a full device, nonblocking writes of MPICH 4.0 never complete, or lose data without an error, and those of
 *    OMPIO 4 crash. They are made by the blocking calls of each rank alone, unless the hint `nonblocking_writes` is
 *    "library".
 * 5. OMPIO says of blocking writes that failed that they wrote nothing. That is an error here.
 * 6. OMPIO makes split accesses of nonblocking ones, with all of the above, and does not even collect them. With Open
 *    MPI the blocking call is made at the beginning, as ROMIO does.
 *
 * @module
 */

import { ANY_TAG, PROC_NULL } from "../constants.js";
import type { Datatype } from "../datatype/datatype.js";
import { MpiError } from "../errors.js";
import { type Message, unitOf } from "../messages/message-buffer.js";
import { nativeBuffer } from "../messages/native-messages.js";
import { NativeRequest } from "../messages/native-request.js";
import type { Request } from "../messages/request.js";
import { Status } from "../messages/status.js";
import { type Handle, type MpiLibrary, type NativeMpi, SharedField } from "../native-mpi.js";
import { cannotCancel, EndedRequest } from "./ended-request.js";
import type { View } from "./file-calls.js";
import { refinedAccessError } from "./file-errors.js";
import {
  ACCESS_TRAITS,
  FILE_ACCESSES,
  type FileAccess,
  type FileTransport,
  type Hints,
} from "./file-transport.js";
import { streamSize } from "./view-ranges.js";

/** Hint by which nonblocking writes are left to the library. */
const WRITES_HINT = "nonblocking_writes";
/** Position of the number of bytes in the array of a status. */

/** Hints as the addon takes them. */
function listOf(hints: Hints | undefined): readonly string[] | undefined {
  return hints?.flat();
}

/** A file of Open MPI, MPICH or another library. */
export class NativeFile implements FileTransport {
  readonly #library: MpiLibrary;
  readonly #native: NativeMpi;
  readonly #file: Handle;
  readonly #isOpenMpi: boolean;
  readonly #writesAtOnce: boolean;
  #view: View;
  /** Bytes that the file was seen to have; it may have more. */
  #sizeSeen = 0;
  /** Where the split access that goes on starts in the view, in bytes. */
  #splitStart: number | undefined;
  /** Outcome of the split access that goes on, where it was made at the beginning: see 6. */
  #splitStatus: Status | undefined;

  private constructor(library: MpiLibrary, file: Handle, view: View, hints: Hints) {
    this.#library = library;
    this.#native = library.native;
    this.#file = file;
    this.#view = view;
    this.#isOpenMpi = library.native.family() === "openmpi";
    this.#writesAtOnce = !hints.some(([key, value]) => key === WRITES_HINT && value === "library");
  }

  /** Opens a file. Collective over the communicator. */
  static open(
    library: MpiLibrary,
    comm: Handle,
    { path, amode, hints }: { path: string; amode: number; hints: Hints },
    view: View,
  ): NativeFile {
    const file = library.native.fileOpen(comm, path, amode, listOf(hints));
    return new NativeFile(library, file, view, hints);
  }

  close(): void {
    this.#native.fileClose(this.#file);
  }

  setSize(size: number): void {
    this.#native.fileSetSize(this.#file, size);
    this.#sizeSeen = size;
  }

  preallocate(size: number): void {
    this.#native.filePreallocate(this.#file, size);
  }

  size(): number {
    return this.#native.fileSize(this.#file);
  }

  setInfo(hints: Hints): void {
    this.#native.fileSetInfo(this.#file, listOf(hints) ?? []);
  }

  info(): Hints {
    const list = this.#native.fileInfo(this.#file);
    return list.flatMap((key, i) => (i % 2 === 0 ? [[key, list[i + 1] as string] as const] : []));
  }

  setView(view: View, hints: Hints | undefined): void {
    const { displacement, etype, filetype, datarep } = view;
    const { datatypes } = this.#library;
    const [unit, tile] = [datatypes.handleOf(etype), datatypes.handleOf(filetype)];
    this.#native.fileSetView(this.#file, displacement, unit, tile, datarep, listOf(hints));
    this.#view = view;
  }

  access(access: FileAccess, offset: number, message: Message): Status {
    const start = access.endsWith("_all") ? this.#startOf(access, offset) : undefined;
    const buffer = nativeBuffer(this.#library, message);
    moving(() => {
      this.#native.fileAccess(this.#file, FILE_ACCESSES.indexOf(access), offset, buffer);
    });
    const status = this.#status(message, start);
    const { call, isRead } = ACCESS_TRAITS[access];
    if (!isRead && status.count < message.byteLength) {
      throw new MpiError({
        code: "MPI_ERR_IO",
        call,
        why: `${status.count} of ${message.byteLength} bytes were written`,
      });
    }
    return status;
  }

  start(asked: FileAccess, offset: number, message: Message): Request {
    const access = this.#startable(asked);
    const { isRead } = ACCESS_TRAITS[access];
    if (this.#writesAtOnce && !isRead) {
      return new EndedRequest(this.access(access, offset, message));
    }
    const start = this.#startOf(access, offset);
    if (this.#isOpenMpi && isRead) {
      const end = (start ?? Infinity) + message.byteLength;
      if (end > this.#visibleSize(end)) {
        return new EndedRequest(this.access(access, offset, message));
      }
    }
    const buffer = nativeBuffer(this.#library, message);
    const kind = FILE_ACCESSES.indexOf(access);
    const handle = this.#native.fileStart(this.#file, kind, offset, buffer);
    const countOf = (reported: number) => this.#countOf(message, reported, start);
    return new NativeFileRequest(this.#library, handle, unitOf(message), countOf);
  }

  begin(access: FileAccess, offset: number, message: Message): void {
    if (this.#isOpenMpi) {
      this.#splitStatus = this.access(access, offset, message);
      return;
    }
    const start = this.#startOf(access, offset);
    const buffer = nativeBuffer(this.#library, message);
    moving(() => {
      this.#native.fileBegin(this.#file, FILE_ACCESSES.indexOf(access), offset, buffer);
    });
    this.#splitStart = start;
  }

  end(access: FileAccess, message: Message): Status {
    const status = this.#splitStatus;
    if (status) {
      this.#splitStatus = undefined;
      return status;
    }
    const buffer = nativeBuffer(this.#library, message);
    moving(() => this.#native.fileEnd(this.#file, FILE_ACCESSES.indexOf(access), 0, buffer));
    return this.#status(message, this.#splitStart);
  }

  seek(offset: number, whence: number, isShared: boolean): void {
    try {
      this.#native.fileSeek(this.#file, offset, whence, isShared);
    } catch (error) {
      if (!(error instanceof MpiError) || error.code !== "MPI_ERR_OTHER") throw error;
      // OMPIO says of a place before the view that it knows no error for it.
      const { call, errorClass, errorCode } = error;
      const why = `${offset} leads to no place in the view`;
      throw new MpiError({ code: "MPI_ERR_ARG", call, why, errorClass, errorCode });
    }
  }

  position(isShared: boolean): number {
    return this.#native.filePosition(this.#file, isShared);
  }

  byteOffset(offset: number): number {
    return this.#native.fileByteOffset(this.#file, offset);
  }

  typeExtent(datatype: Datatype): number {
    const type = this.#library.datatypes.handleOf(datatype);
    return this.#native.fileTypeExtent(this.#file, type);
  }

  setAtomicity(isAtomic: boolean): void {
    this.#native.fileSetAtomicity(this.#file, isAtomic);
  }

  atomicity(): boolean {
    return this.#native.fileAtomicity(this.#file);
  }

  sync(): void {
    this.#native.fileSync(this.#file);
  }

  /** The access by which another one is started: see 3 and 4. */
  #startable(access: FileAccess): FileAccess {
    const isAlone = this.#isOpenMpi || (this.#writesAtOnce && !ACCESS_TRAITS[access].isRead);
    return isAlone ? (access.replace(/_all$/, "") as FileAccess) : access;
  }

  /** Where a read starts in the view, in bytes; undefined of writes, and at the shared pointer. */
  #startOf(access: FileAccess, offset: number): number | undefined {
    const { isRead, pointer, isAtSharedPointer } = ACCESS_TRAITS[access];
    if (!isRead || isAtSharedPointer) return undefined;
    const place = pointer === "explicit" ? offset : this.position(false);
    return place * this.#view.etype.size;
  }

  /** Bytes of the view that the file has; what is asked for if it has at least so many. */
  #visibleSize(asked: number): number {
    let visible = streamSize(this.#view, this.#sizeSeen);
    if (visible >= asked) return asked;
    this.#sizeSeen = this.size();
    visible = streamSize(this.#view, this.#sizeSeen);
    return Math.min(visible, asked);
  }

  /** Bytes that an access has moved: see 1. */
  #countOf(message: Message, reported: number, start: number | undefined): number {
    const asked = message.byteLength;
    if (reported > 0 && reported < asked) return reported;
    if (start === undefined) return reported === 0 ? asked : reported;
    return Math.max(0, this.#visibleSize(start + asked) - start);
  }

  #status(message: Message, start: number | undefined): Status {
    const reported = this.#library.shared[SharedField.BYTES] as number;
    const count = start === undefined ? reported : this.#countOf(message, reported, start);
    return new Status(PROC_NULL, ANY_TAG, count, unitOf(message));
  }
}

/** Runs an access; its error gets the class of what the system says in its text. */
function moving(run: () => void): void {
  try {
    run();
  } catch (error) {
    throw refinedAccessError(error);
  }
}

/** A nonblocking access of a library. */
class NativeFileRequest extends NativeRequest {
  readonly #unit: number;
  readonly #countOf: (reported: number) => number;

  constructor(
    library: MpiLibrary,
    handle: Handle,
    unit: number,
    countOf: (reported: number) => number,
  ) {
    // MPICH does not make progress on files when it is asked of several requests.
    super(library, handle, unit, false);
    this.#unit = unit;
    this.#countOf = countOf;
  }

  protected override waitForCompletion(): Status {
    return this.#plain(super.waitForCompletion());
  }

  protected override testForCompletion(): Status | undefined {
    const status = super.testForCompletion();
    return status && this.#plain(status);
  }

  protected override cancelOperation(): void {
    throw cannotCancel();
  }

  /** Only the number of bytes of a file's status has a meaning. */
  #plain({ count }: Status): Status {
    return new Status(PROC_NULL, ANY_TAG, this.#countOf(count), this.#unit);
  }
}
