/**
 * A file in a container, as the MPI package's `File` wants one: offsets, pointers, views and commits.
 *
 * A rank's writes go to its own log, in whatever order and alignment they come. What all ranks wrote becomes visible
 * at one epoch, when `sync` or `close` commits it. In atomic mode each write is a commit of its own instead, and each
 * read is of the newest version.
 *
 * @module
 */

import {
  ANY_TAG,
  type Communicator,
  type Datatype,
  DISPLACEMENT_CURRENT,
  type Message,
  Mode,
  MpiError,
  Op,
  PROC_NULL,
  type Request,
  Seek,
  Status,
  type View,
} from "node-mpi-bindings";
import {
  ACCESS_TRAITS,
  type AccessTraits,
  EndedRequest,
  type FileAccess,
  type FileTransport,
  type Hints,
  mayWrite,
  type Opening,
  unitOf,
} from "node-mpi-bindings/transports";
import { attempt, onRoot } from "../../core/index.js";
import { asMpi } from "./errors.js";
import { FileView } from "./file-view.js";
import { checkHints, FileHints, infoOf } from "./hints.js";
import { RECORD_SIZE_MAX } from "./limits.js";
import { contiguousBytes, gather, scatter } from "./memory.js";
import { agreeOnRequest, asksForVersion, type OpenedFile, openCollectively } from "./open-file.js";
import { PatternStream } from "./pattern-stream.js";
import { ReadAhead, type RecordSeries, WriteBehind } from "./record-buffers.js";
import { removeFile } from "./remove-file.js";
import type { SharedPointer } from "./shared-pointer.js";
import { VersionedBytes } from "./versioned-bytes.js";

const ROOT = 0;

/** Refuses hints that mean nothing, on all ranks. Collective. */
function agreeOnHints(comm: Communicator, call: string, hints: Hints): void {
  asMpi(call, () => attempt(comm, () => checkHints(hints)), "MPI_ERR_INFO_VALUE");
}

/** An open file in a container. */
export class DaosFile implements FileTransport {
  readonly #comm: Communicator;
  readonly #opened: OpenedFile;
  readonly #path: string;
  readonly #amode: number;
  readonly #bytes: VersionedBytes;
  readonly #shared: SharedPointer;
  readonly #hints: FileHints;
  readonly #behind = new WriteBehind((series, bytes) => this.#writeSeries(series, bytes));
  readonly #ahead = new ReadAhead((series, buffer) => this.#readSeries(series, buffer));
  #individual = 0;
  #view = FileView.bytes();
  #split: Status | undefined;

  private constructor(comm: Communicator, opened: OpenedFile, { path, amode, hints }: Opening) {
    this.#comm = comm;
    this.#opened = opened;
    this.#shared = opened.shared;
    this.#path = path;
    this.#amode = amode;
    this.#hints = new FileHints(hints);
    const isPinned = asksForVersion(infoOf(hints));
    this.#bytes = new VersionedBytes(comm, opened, { isPinned, isWritten: mayWrite(amode) });
    if ((amode & Mode.APPEND) !== 0) {
      this.#individual = this.#bytes.size;
      this.#shared.set(this.#individual);
    }
  }

  /** Opens a file. Collective. @throws `FileError` on all ranks. */
  static open(comm: Communicator, opening: Opening): DaosFile {
    const { path, amode, hints } = opening;
    const call = "MPI_File_open";
    const request = { path, amode, hints, info: infoOf(hints) };
    const leader = asMpi(call, () => agreeOnRequest(comm, request), "MPI_ERR_INFO_VALUE");
    const open = () => {
      const opened = openCollectively(comm, request, leader);
      try {
        return new DaosFile(comm, opened, opening);
      } catch (error) {
        opened.shared.close();
        opened.view.close();
        opened.pool.close();
        throw error;
      }
    };
    return asMpi(call, open, "MPI_ERR_BAD_FILE");
  }

  /** What this rank reads and has written. */
  get bytes(): VersionedBytes {
    return this.#bytes;
  }

  close(): void {
    asMpi("MPI_File_close", () => {
      try {
        this.#committable().finish();
        if ((this.#amode & Mode.DELETE_ON_CLOSE) === 0) return;
        onRoot(this.#comm, ROOT, () => {
          removeFile(this.#path);
          return new Uint8Array();
        });
      } finally {
        this.#shared.close();
        this.#opened.pool.close();
      }
    });
  }

  setSize(size: number): void {
    this.#requireWritable("MPI_File_set_size");
    asMpi("MPI_File_set_size", () => this.#committable().resize(size, "exactly"));
  }

  preallocate(size: number): void {
    this.#requireWritable("MPI_File_preallocate");
    asMpi("MPI_File_preallocate", () => this.#committable().resize(size, "at-least"));
  }

  size(): number {
    return asMpi("MPI_File_get_size", () => this.#settled().size);
  }

  setInfo(hints: Hints): void {
    agreeOnHints(this.#comm, "MPI_File_set_info", hints);
    const commits = hints.findLast(([key]) => key === "daos_commit")?.[1];
    const choice = commits === undefined ? 0 : commits === "sync" ? 1 : 2;
    this.#requireSame("MPI_File_set_info", choice, "the hint daos_commit");
    this.#hints.set(hints);
  }

  info(): Hints {
    return this.#hints.list();
  }

  setView(view: View, hints: Hints | undefined): void {
    if (hints) this.setInfo(hints);
    let { displacement } = view;
    if (displacement === DISPLACEMENT_CURRENT) {
      displacement = this.#view.byteOffset(this.#shared.agreedPosition());
    }
    this.#view = asMpi("MPI_File_set_view", () =>
      attempt(this.#comm, () => {
        this.#settled();
        return new FileView({ ...view, displacement });
      }),
    );
    this.#individual = 0;
    this.#shared.set(0);
  }

  access(access: FileAccess, offset: number, message: Message): Status {
    const { call, isRead, isCollective } = ACCESS_TRAITS[access];
    if (isRead || !isCollective || !this.#hints.commitsEveryWrite) {
      return asMpi(call, () => this.#transfer(access, offset, message));
    }
    return asMpi(call, () => {
      const status = attempt(this.#comm, () => {
        return this.#transfer(access, offset, message);
      });
      this.#committable().commit();
      return status;
    });
  }

  start(access: FileAccess, offset: number, message: Message): Request {
    // A nonblocking call waits for no rank: with `daos_commit` its data is committed by the next call that may.
    const { startCall } = ACCESS_TRAITS[access];
    return new EndedRequest(asMpi(startCall, () => this.#transfer(access, offset, message)));
  }

  begin(access: FileAccess, offset: number, message: Message): void {
    this.#split = this.access(access, offset, message);
  }

  end(): Status {
    return this.#split as Status;
  }

  seek(offset: number, whence: number, isShared: boolean): void {
    const call = isShared ? "MPI_File_seek_shared" : "MPI_File_seek";
    if (isShared) this.#requireSame(call, offset + whence / 4, "offset or whence");
    const current = isShared ? this.#shared.agreedPosition() : this.#individual;
    const end = () => asMpi(call, () => (isShared ? this.#agreedEnd() : this.#end()));
    const from = whence === Seek.END ? end() : whence === Seek.CUR ? current : 0;
    const place = from + offset;
    if (!Number.isSafeInteger(place) || place < 0) {
      const why = `${place} is no place in the view`;
      throw new MpiError({ code: "MPI_ERR_ARG", call, why });
    }
    if (isShared) this.#shared.set(place);
    else this.#individual = place;
  }

  position(isShared: boolean): number {
    return isShared ? this.#shared.position : this.#individual;
  }

  byteOffset(offset: number): number {
    return asMpi("MPI_File_get_byte_offset", () => this.#view.byteOffset(offset));
  }

  typeExtent(datatype: Datatype): number {
    // Representations differ in the order of bytes only.
    return datatype.extent;
  }

  setAtomicity(isAtomic: boolean): void {
    asMpi("MPI_File_set_atomicity", () => this.#committable().setAtomicity(isAtomic));
  }

  atomicity(): boolean {
    return this.#bytes.isAtomic;
  }

  sync(): void {
    asMpi("MPI_File_sync", () => this.#committable().commit());
  }

  #transfer(access: FileAccess, offset: number, message: Message): Status {
    const { isRead, pointer } = ACCESS_TRAITS[access];
    const size = message.byteLength;
    const count = size / this.#view.etype.size;
    const place = this.#placeOf(pointer, offset, count);
    let moved = size;
    const record = this.#recordOf(message);
    if (record !== undefined) {
      if (isRead) moved = this.#readRecord(place, record);
      else this.#writeRecord(place, record);
    } else if (isRead) {
      this.#behind.flush();
      moved = this.#read(place, message);
    } else {
      this.#settled();
      this.#write(place, message);
    }
    if (pointer === "individual") this.#individual = place + count;
    return new Status(PROC_NULL, ANY_TAG, moved, unitOf(message));
  }

  #placeOf(pointer: AccessTraits["pointer"], offset: number, count: number): number {
    if (pointer === "explicit") return offset;
    if (pointer === "shared") return this.#shared.take(count);
    return pointer === "ordered" ? this.#shared.takeOrdered(count) : this.#individual;
  }

  /** The bytes of the file, when nothing is kept back or was fetched ahead. */
  #settled(): VersionedBytes {
    this.#ahead.forget();
    this.#behind.flush();
    return this.#bytes;
  }

  /** The same before a commit, in which all ranks take part: it fails on all of them if the flush did. */
  #committable(): VersionedBytes {
    try {
      return this.#settled();
    } catch {
      return this.#bytes;
    }
  }

  /** The memory of an access that is one of those that are moved together. */
  #recordOf(message: Message): Uint8Array | undefined {
    const size = message.byteLength;
    if (size === 0 || size > RECORD_SIZE_MAX) return undefined;
    return this.#bytes.isAtomic || this.#isTurned ? undefined : contiguousBytes(message);
  }

  #writeRecord(place: number, record: Uint8Array): void {
    const start = this.#view.startOf(place, record.length);
    this.#ahead.forget();
    this.#behind.put(start, record, this.#view.isWhole);
  }

  #readRecord(place: number, record: Uint8Array): number {
    this.#behind.flush();
    const start = this.#view.startOf(place, record.length);
    const isThere = this.#ahead.take(start, record, this.#view.isWhole);
    return isThere ? record.length : this.#read(place, record);
  }

  #writeSeries(series: RecordSeries, bytes: Uint8Array): void {
    try {
      const stream = new PatternStream(this.#view.rangesOf(series));
      this.#bytes.write((write) => stream.next(bytes, write));
    } catch (error) {
      // These records were taken: without them there is no commit.
      this.#bytes.begin().fail(error);
      throw error;
    }
  }

  /** Reads the records of a series that the file has. */
  #readSeries({ start, size, stride, count }: RecordSeries, buffer: Uint8Array): number {
    return this.#bytes.read((state) => {
      const room = this.#view.streamSize(state.size) - start - size;
      const there = Math.max(0, Math.min(count, Math.floor(room / stride) + 1));
      if (there === 0) return 0;
      const stream = new PatternStream(this.#view.rangesOf({ start, size, stride, count: there }));
      stream.next(buffer.subarray(0, there * size), state.read);
      return there;
    });
  }

  #write(place: number, message: Message): void {
    const size = message.byteLength;
    const stream = new PatternStream(this.#view.ranges(place, size));
    if (size === 0) return;
    this.#bytes.write((write) => {
      gather(message, this.#isTurned, (part) => stream.next(part, write));
    });
  }

  #read(place: number, message: Message): number {
    const unit = this.#view.etype.size;
    // A place that leaves the file is an error even where nothing is to be read.
    const wanted = this.#view.ranges(place, message.byteLength);
    return this.#bytes.read((state) => {
      const left = this.#view.streamSize(state.size) - place * unit;
      const size = Math.max(0, Math.min(message.byteLength, left));
      const stream = new PatternStream(wanted);
      scatter(message, size, this.#isTurned, (part) => stream.next(part, state.read));
      return size;
    });
  }

  get #isTurned(): boolean {
    return this.#view.datarep === "external32";
  }

  /** Elementary types in the view before the end of the file. */
  #end(): number {
    return Math.ceil(this.#view.streamSize(this.#settled().size) / this.#view.etype.size);
  }

  #agreedEnd(): number {
    const end = new Float64Array(1);
    const own = attempt(this.#comm, () => this.#end());
    this.#comm.allreduce(Float64Array.of(own), end, Op.MAX);
    return end[0] as number;
  }

  /** Refuses a number that differs between ranks. Collective. */
  #requireSame(call: string, value: number, name: string): void {
    const most = new Float64Array(2);
    this.#comm.allreduce(Float64Array.of(value, -value), most, Op.MAX);
    if (most[0] === -(most[1] as number)) return;
    const why = `ranks differ in ${name}`;
    const remedy = "Give the same on all ranks";
    throw new MpiError({ code: "MPI_ERR_NOT_SAME", call, why, remedy });
  }

  #requireWritable(call: string): void {
    if (mayWrite(this.#amode)) return;
    const why = `"${this.#path}" was opened to be read only`;
    throw new MpiError({ code: "MPI_ERR_READ_ONLY", call, why });
  }
}
