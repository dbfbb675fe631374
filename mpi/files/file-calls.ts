/**
 * FileCalls: what a file of several ranks offers: the I/O chapter of the MPI standard.
 *
 * Every implementation has this interface: files of an MPI library (ROMIO, OMPIO), files of one rank over node:fs,
 * and files in a container of another package. A program changes between them by the class whose `open` it calls.
 *
 * Offsets count elementary types of the rank's *view*, which is bytes at first. Names follow the standard:
 *
 *     read, write          at the rank's own pointer          ...At        at an offset that is given
 *     ...Shared            at a pointer that all ranks share  ...Ordered   there, one rank after the other
 *     ...All, ...Ordered   collective                         i...         nonblocking: a request
 *     ...Begin, ...End     collective, in two halves
 *
 * @module
 */

import type { Datatype } from "../datatype/datatype.js";
import type { Errhandler } from "../error-handler.js";
import type { MpiError } from "../errors.js";
import type { Group } from "../groups/group.js";
import type { MessageBuffer } from "../messages/message-buffer.js";
import type { Request } from "../messages/request.js";
import type { Status } from "../messages/status.js";

/** An offset or a size; a bigint is taken for those who compute with them. At most 2^53 - 1. */
export type FileOffset = number | bigint;

/** Hints for the library: keys and values, such as `{ cb_nodes: "2" }`. Those that it does not know are ignored. */
export type FileInfo =
  | Iterable<readonly [key: string, value: string]>
  | Readonly<Record<string, string>>;

/** A rank's view of a file. */
export interface View {
  /** Where it starts in the file, in bytes. */
  readonly displacement: number;
  /** Unit of offsets. */
  readonly etype: Datatype;
  /** What is repeated from the displacement on: its data is what the rank sees. */
  readonly filetype: Datatype;
  /** How numbers are stored: "native", "internal", "external32", or as `registerDatarep` was told. */
  readonly datarep: string;
}

/**
 * Reading and writing. Buffers are as in messages: a typed array, `[buffer, datatype]`,
 * `[buffer, count, datatype]`, or a description of elements. They must be whole elementary types.
 *
 * Every method throws an error with the code of its class: `MPI_ERR_FILE` after `close`, `MPI_ERR_ACCESS` if the
 * file is only written, `MPI_ERR_READ_ONLY` if it is only read, `MPI_ERR_UNSUPPORTED_OPERATION` for all but the shared
 * pointer of a sequential file, `MPI_ERR_ARG` for an offset that is none, `MPI_ERR_TYPE`, `MPI_ERR_COUNT`,
 * `MPI_ERR_BUFFER` for a wrong buffer, `MPI_ERR_IO`, `MPI_ERR_NO_SPACE`, `MPI_ERR_QUOTA`. A status counts the bytes that
 * were read or written: fewer than asked for where the file ends.
 */
export interface FileAccessCalls {
  /** Reads at an offset. @mpi MPI_File_read_at */
  readAt(offset: FileOffset, buf: MessageBuffer): Status;
  /** Reads at an offset. Collective. @mpi MPI_File_read_at_all */
  readAtAll(offset: FileOffset, buf: MessageBuffer): Status;
  /** Writes at an offset. @mpi MPI_File_write_at */
  writeAt(offset: FileOffset, buf: MessageBuffer): Status;
  /** Writes at an offset. Collective. @mpi MPI_File_write_at_all */
  writeAtAll(offset: FileOffset, buf: MessageBuffer): Status;
  /** Starts to read; do not touch `buf` before the request completes. @mpi MPI_File_iread_at */
  ireadAt(offset: FileOffset, buf: MessageBuffer): Request;
  /** As `ireadAt`. Collective. @mpi MPI_File_iread_at_all */
  ireadAtAll(offset: FileOffset, buf: MessageBuffer): Request;
  /** Starts to write; do not write to `buf` before the request completes. @mpi MPI_File_iwrite_at */
  iwriteAt(offset: FileOffset, buf: MessageBuffer): Request;
  /** As `iwriteAt`. Collective. @mpi MPI_File_iwrite_at_all */
  iwriteAtAll(offset: FileOffset, buf: MessageBuffer): Request;

  /** Reads at the rank's pointer, and moves it behind. @mpi MPI_File_read */
  read(buf: MessageBuffer): Status;
  /** As `read`. Collective. @mpi MPI_File_read_all */
  readAll(buf: MessageBuffer): Status;
  /** Writes at the rank's pointer, and moves it behind. @mpi MPI_File_write */
  write(buf: MessageBuffer): Status;
  /** As `write`. Collective. @mpi MPI_File_write_all */
  writeAll(buf: MessageBuffer): Status;
  /** Starts to read at the rank's pointer, which moves at once. @mpi MPI_File_iread */
  iread(buf: MessageBuffer): Request;
  /** As `iread`. Collective. @mpi MPI_File_iread_all */
  ireadAll(buf: MessageBuffer): Request;
  /** Starts to write at the rank's pointer, which moves at once. @mpi MPI_File_iwrite */
  iwrite(buf: MessageBuffer): Request;
  /** As `iwrite`. Collective. @mpi MPI_File_iwrite_all */
  iwriteAll(buf: MessageBuffer): Request;

  /** Reads at the shared pointer, and moves it behind; in no particular order of ranks. @mpi MPI_File_read_shared */
  readShared(buf: MessageBuffer): Status;
  /** Writes at the shared pointer, and moves it behind; in no particular order. @mpi MPI_File_write_shared */
  writeShared(buf: MessageBuffer): Status;
  /** Starts to read at the shared pointer. @mpi MPI_File_iread_shared */
  ireadShared(buf: MessageBuffer): Request;
  /** Starts to write at the shared pointer. @mpi MPI_File_iwrite_shared */
  iwriteShared(buf: MessageBuffer): Request;
  /** Reads at the shared pointer, in the order of the ranks. Collective. @mpi MPI_File_read_ordered */
  readOrdered(buf: MessageBuffer): Status;
  /** Writes at the shared pointer, in the order of the ranks. Collective. @mpi MPI_File_write_ordered */
  writeOrdered(buf: MessageBuffer): Status;
}

/**
 * Collective accesses in two halves. At most one of a file goes on at a time, and no other collective access
 * meanwhile: `MPI_ERR_IO`. The buffer is untouched by the program between the halves; the second half returns what the
 * blocking call would.
 */
export interface SplitAccessCalls {
  /** Begins to read at an offset. Collective. @mpi MPI_File_read_at_all_begin */
  readAtAllBegin(offset: FileOffset, buf: MessageBuffer): void;
  /** Ends it. Collective. @mpi MPI_File_read_at_all_end */
  readAtAllEnd(): Status;
  /** Begins to write at an offset. Collective. @mpi MPI_File_write_at_all_begin */
  writeAtAllBegin(offset: FileOffset, buf: MessageBuffer): void;
  /** Ends it. Collective. @mpi MPI_File_write_at_all_end */
  writeAtAllEnd(): Status;
  /** Begins to read at the rank's pointer. Collective. @mpi MPI_File_read_all_begin */
  readAllBegin(buf: MessageBuffer): void;
  /** Ends it. Collective. @mpi MPI_File_read_all_end */
  readAllEnd(): Status;
  /** Begins to write at the rank's pointer. Collective. @mpi MPI_File_write_all_begin */
  writeAllBegin(buf: MessageBuffer): void;
  /** Ends it. Collective. @mpi MPI_File_write_all_end */
  writeAllEnd(): Status;
  /** Begins to read at the shared pointer. Collective. @mpi MPI_File_read_ordered_begin */
  readOrderedBegin(buf: MessageBuffer): void;
  /** Ends it. Collective. @mpi MPI_File_read_ordered_end */
  readOrderedEnd(): Status;
  /** Begins to write at the shared pointer. Collective. @mpi MPI_File_write_ordered_begin */
  writeOrderedBegin(buf: MessageBuffer): void;
  /** Ends it. Collective. @mpi MPI_File_write_ordered_end */
  writeOrderedEnd(): Status;
}

/**
 * An open file.
 *
 * Calls block the thread unless their name starts with `i`. Errors of a rank's own arguments are thrown on that rank
 * only by accesses, and on all ranks by the other collective calls.
 */
export interface FileCalls extends FileAccessCalls, SplitAccessCalls {
  /** Closes the file, when what this rank has started on it has completed. Collective. @mpi MPI_File_close */
  close(): void;
  /** Cuts or extends the file, in bytes; the pointers stay. Collective. @mpi MPI_File_set_size */
  setSize(size: FileOffset): void;
  /** Makes sure that so many bytes can be written, and extends the file to them. Collective. @mpi MPI_File_preallocate */
  preallocate(size: FileOffset): void;
  /** Size of the file, in bytes. @mpi MPI_File_get_size */
  getSize(): number;
  /** The ranks that opened the file. @mpi MPI_File_get_group */
  getGroup(): Group;
  /** The mode that the file was opened with. @mpi MPI_File_get_amode */
  getAmode(): number;
  /** Gives new hints. Collective. @mpi MPI_File_set_info */
  setInfo(info: FileInfo): void;
  /** The hints that are in use, those of the library's own included. @mpi MPI_File_get_info */
  getInfo(): Record<string, string>;

  /**
   * Sets this rank's view; both pointers go to its start. Collective; ranks give the same datarep and etypes of one
   * extent.
   *
   * @param displacement Where it starts, in bytes; `DISPLACEMENT_CURRENT` in a sequential file, and only there.
   * @param etype Unit of offsets.
   * @param filetype What is repeated; made of `etype`, with offsets that increase and do not overlap.
   * @param datarep How numbers are stored; default "native".
   * @throws `MPI_ERR_ARG` for the displacement, `MPI_ERR_TYPE` for the types, `MPI_ERR_UNSUPPORTED_DATAREP`,
   *   `MPI_ERR_CONVERSION` of functions that were registered; on all ranks. The view is then as before.
   * @mpi MPI_File_set_view
   */
  setView(
    displacement: FileOffset,
    etype: Datatype,
    filetype: Datatype,
    datarep?: string,
    info?: FileInfo,
  ): void;
  /** This rank's view. @mpi MPI_File_get_view */
  getView(): View;

  /**
   * Moves the rank's pointer.
   *
   * @param offset In elementary types; negative with `Seek.CUR` and `Seek.END`.
   * @param whence A constant of {@link Seek}; default `Seek.SET`.
   * @throws `MPI_ERR_ARG` for a place before the view.
   * @mpi MPI_File_seek
   */
  seek(offset: FileOffset, whence?: number): void;
  /** Moves the shared pointer; all ranks give the same arguments. Collective. @mpi MPI_File_seek_shared */
  seekShared(offset: FileOffset, whence?: number): void;
  /** Where the rank's pointer is, in elementary types. @mpi MPI_File_get_position */
  getPosition(): number;
  /** Where the shared pointer is, in elementary types. @mpi MPI_File_get_position_shared */
  getPositionShared(): number;
  /** The byte of the file at an offset of the view. @mpi MPI_File_get_byte_offset */
  getByteOffset(offset: FileOffset): number;
  /** Extent of a type in the file's data representation, in bytes. @mpi MPI_File_get_type_extent */
  getTypeExtent(datatype: Datatype): number;

  /** Whether what a call writes is seen by all ranks when it returns. Collective. @mpi MPI_File_set_atomicity */
  setAtomicity(isAtomic: boolean): void;
  /** Whether it is. @mpi MPI_File_get_atomicity */
  getAtomicity(): boolean;
  /** Brings all that was written to the storage, and shows it to other ranks. Collective. @mpi MPI_File_sync */
  sync(): void;

  /**
   * Says what happens with errors of this file's calls, before they are thrown; at first, what `File.getErrhandler`
   * says. Errors of nonblocking accesses are told by their requests only.
   *
   * @throws `MPI_ERR_ARG` for what is no handler.
   * @mpi MPI_File_set_errhandler
   */
  setErrhandler(handler: Errhandler<FileCalls>): void;
  /** What happens with errors. @mpi MPI_File_get_errhandler */
  getErrhandler(): Errhandler<FileCalls>;
  /** Does with an error what would be done with one of this file's calls; throws nothing by itself. @mpi MPI_File_call_errhandler */
  callErrhandler(error: MpiError): void;
}
