/**
 * File: a file that several ranks read and write, each through its own view (MPI_File).
 *
 * With an MPI library it is the library's own (ROMIO in MPICH; OMPIO or ROMIO in Open MPI); a communicator of one rank
 * without a library uses node:fs. Opening a file copies the communicator, so that nothing that the program does with it
 * meets what the file's calls exchange.
 *
 * @module
 */

import type { Communicator } from "../communicator.js";
import { Datatype } from "../datatype/datatype.js";
import { currentLibrary, world } from "../environment.js";
import { Errhandler, requireErrhandler, tellErrors } from "../error-handler.js";
import { MpiError } from "../errors.js";
import type { Group } from "../groups/group.js";
import { handleOf } from "../groups/native-groups.js";
import { isFinalized } from "../lifecycle.js";
import { SoloCommunicator } from "../solo-communicator.js";
import { agree } from "./agreement.js";
import { ConvertingFile } from "./converting-file.js";
import { storedViewOf } from "./data-representations.js";
import { FileAccesses } from "./file-accesses.js";
import { checkPath, checkWhence, hintsOf, offsetOf, placeOf, viewOf } from "./file-arguments.js";
import type { FileCalls, FileInfo, FileOffset, View } from "./file-calls.js";
import { refinedError } from "./file-errors.js";
import type { FileTransport, Hints } from "./file-transport.js";
import { checkMode, Mode, Seek } from "./mode.js";
import { NativeFile } from "./native-file.js";
import { borrowCopy, giveBackCopy } from "./private-communicators.js";
import { removeFile, SoloFile } from "./solo-file.js";

const BYTES: View = {
  displacement: 0,
  etype: Datatype.BYTE,
  filetype: Datatype.BYTE,
  datarep: "native",
};

/** What a file is opened by; sound. */
export interface Opening {
  readonly path: string;
  readonly amode: number;
  readonly hints: Hints;
}

/** Opens a file of the library, or of node:fs. Collective. */
export function openTransport(comm: Communicator, opening: Opening): FileTransport {
  const known = handleOf(comm);
  try {
    if (known) return NativeFile.open(known.library, known.handle, opening, BYTES);
    if (comm instanceof SoloCommunicator) return new SoloFile(opening, BYTES);
  } catch (error) {
    throw refinedError(error, opening.path, opening.amode);
  }
  const why = "the communicator is none of this package";
  throw new MpiError({ code: "MPI_ERR_COMM", call: "MPI_File_open", why });
}

/** How another implementation opens files. */
export interface Opener<F> {
  /** What all ranks must have alike, besides the mode: a bit above those of modes. */
  readonly kind?: number;
  /** Opens the file on the copy of the communicator that files use. */
  open(comm: Communicator, opening: Opening): FileTransport;
  /** Makes the object that the program gets. */
  wrap(comm: Communicator, transport: FileTransport): F;
}

/** What a program asks for. */
export interface OpenArguments {
  readonly path: string;
  readonly amode: number;
  readonly info: FileInfo;
}

/** Opens a file by an implementation: checks the arguments, and copies the communicator. Collective. */
export function openFile<F>(comm: Communicator, asked: OpenArguments, opener: Opener<F>): F {
  return told(
    () => comm,
    () => openChecked(comm, asked, opener),
  );
}

function openChecked<F>(
  comm: Communicator,
  { path, amode, info }: OpenArguments,
  opener: Opener<F>,
): F {
  const call = "MPI_File_open";
  if (typeof comm?.dup !== "function" || "remoteSize" in comm) {
    const why = "the communicator is none, or an intercommunicator";
    throw new MpiError({ code: "MPI_ERR_COMM", call, why });
  }
  const own = borrowCopy(comm);
  try {
    const check = () => {
      checkPath(call, path);
      checkMode(amode);
      return hintsOf(call, info);
    };
    const hints = agree(own, call, check, amode | (opener.kind ?? 0));
    return opener.wrap(own, opener.open(own, { path, amode, hints }));
  } catch (error) {
    giveBackCopy(own);
    throw error;
  }
}

/** Deletes a file by an implementation: checks the arguments. */
export function deleteFile(
  path: string,
  info: FileInfo,
  remove: (path: string, hints: Hints) => void,
): void {
  const call = "MPI_File_delete";
  told(world, () => {
    checkPath(call, path);
    remove(path, hintsOf(call, info));
  });
}

/** Deletes a file of the library, or of node:fs. */
export function removeNatively(path: string, hints: Hints): void {
  const library = currentLibrary();
  if (library === undefined) {
    removeFile(path);
    return;
  }
  try {
    library.native.fileDelete(path, hints.flat());
  } catch (error) {
    throw refinedError(error, path);
  }
}

/** What files begin with: the handler of MPI_FILE_NULL. */
let initialErrhandler: Errhandler<FileCalls> = Errhandler.ERRORS_RETURN;

/** Runs a call that has no file yet, and tells its error. */
function told<T>(comm: () => Communicator, run: () => T): T {
  try {
    return run();
  } catch (error) {
    initialErrhandler.handle(error, undefined, (code) => comm().abort(code));
    throw error;
  }
}

/** An open file. Open it with {@link File.open}. */
export class File extends FileAccesses implements FileCalls {
  protected readonly comm: Communicator;
  /** What was opened; views that convert lie above it. */
  protected readonly storage: FileTransport;
  private errhandler: Errhandler<FileCalls>;

  /** @internal */
  constructor(comm: Communicator, transport: FileTransport, amode: number) {
    super(transport, amode, BYTES);
    this.comm = comm;
    this.storage = transport;
    this.errhandler = initialErrhandler;
  }

  /**
   * What happens with errors of `open` and `delete`, and of the files that are opened from then on: the handler of
   * MPI_FILE_NULL; `Errhandler.ERRORS_RETURN` at first.
   */
  static getErrhandler(): Errhandler<FileCalls> {
    return initialErrhandler;
  }

  /** Changes it. @throws {@link MpiError} `MPI_ERR_ARG` for what is no handler. */
  static setErrhandler(handler: Errhandler<FileCalls>): void {
    requireErrhandler("MPI_File_set_errhandler", handler);
    initialErrhandler = handler;
  }

  /**
   * Opens a file. Collective; all ranks give the same mode, and paths of the same file.
   *
   * @param comm Ranks that share the file; it is copied.
   * @param path As the library takes it: a path, perhaps with a prefix such as "ufs:".
   * @param amode Constants of {@link Mode}, combined with `|`.
   * @param info Hints; see the library's documentation. `nonblocking_writes: "library"` leaves those to the library;
   *   by default they are complete when they have been started, because libraries hang, crash or lose data if one fails.
   * @throws {@link MpiError} On all ranks: `MPI_ERR_AMODE`, `MPI_ERR_BAD_FILE`, `MPI_ERR_NO_SUCH_FILE`,
   *   `MPI_ERR_FILE_EXISTS`, `MPI_ERR_ACCESS`, `MPI_ERR_READ_ONLY`, `MPI_ERR_NOT_SAME`, `MPI_ERR_INFO_KEY`, ...
   * @mpi MPI_File_open
   *
   * @example
   * ```ts
   * const file = File.open(comm, "/scratch/u.bin", Mode.CREATE | Mode.RDWR);
   * file.setView(0, Datatype.DOUBLE, Datatype.subarray(sizes, subsizes, starts, "C", Datatype.DOUBLE));
   * file.writeAtAll(0, block);
   * file.close();
   * ```
   */
  static open(comm: Communicator, path: string, amode: number, info: FileInfo = {}): File {
    const wrap = (own: Communicator, transport: FileTransport) => new File(own, transport, amode);
    return openFile(comm, { path, amode, info }, { open: openTransport, wrap });
  }

  /**
   * Removes a file that nobody has open.
   *
   * @throws {@link MpiError} `MPI_ERR_NO_SUCH_FILE`, `MPI_ERR_BAD_FILE` for a directory, `MPI_ERR_ACCESS`.
   * @mpi MPI_File_delete
   */
  static delete(path: string, info: FileInfo = {}): void {
    deleteFile(path, info, removeNatively);
  }

  close(): void {
    const call = "MPI_File_close";
    this.requireOpen(call);
    agree(this.comm, call, () => this.requireNoSplit(call));
    this.settle();
    this.isOpen = false;
    try {
      this.transport.close();
    } finally {
      giveBackCopy(this.comm);
    }
  }

  setSize(size: FileOffset): void {
    const bytes = this.agreedSize("MPI_File_set_size", size);
    this.transport.setSize(bytes);
  }

  preallocate(size: FileOffset): void {
    const bytes = this.agreedSize("MPI_File_preallocate", size);
    this.transport.preallocate(bytes);
  }

  getSize(): number {
    this.requireOpen("MPI_File_get_size");
    return this.transport.size();
  }

  getGroup(): Group {
    this.requireOpen("MPI_File_get_group");
    return this.comm.group;
  }

  getAmode(): number {
    this.requireOpen("MPI_File_get_amode");
    return this.amode;
  }

  setInfo(info: FileInfo): void {
    const call = "MPI_File_set_info";
    this.requireOpen(call);
    const hints = agree(this.comm, call, () => hintsOf(call, info));
    this.transport.setInfo(hints);
  }

  getInfo(): Record<string, string> {
    this.requireOpen("MPI_File_get_info");
    return Object.fromEntries(this.transport.info());
  }

  setView(
    displacement: FileOffset,
    etype: Datatype,
    filetype: Datatype,
    datarep = "native",
    info?: FileInfo,
  ): void {
    const call = "MPI_File_set_view";
    this.requireOpen(call);
    const [view, stored, hints] = agree(this.comm, call, () => {
      this.requireNoSplit(call);
      const { amode } = this;
      const checked = viewOf(amode, displacement, etype, filetype, datarep);
      const below = storedViewOf(checked);
      if (below) viewOf(amode, displacement, below.view.etype, below.view.filetype, "native");
      return [checked, below, info === undefined ? undefined : hintsOf(call, info)] as const;
    });
    this.storage.setView(stored?.view ?? view, hints);
    this.transport = stored ? new ConvertingFile(this.storage, view, stored) : this.storage;
    this.view = view;
  }

  getView(): View {
    this.requireOpen("MPI_File_get_view");
    return this.view;
  }

  seek(offset: FileOffset, whence: number = Seek.SET): void {
    const call = "MPI_File_seek";
    this.requireOpen(call);
    this.requireNotSequential(call);
    checkWhence(call, whence);
    const least = whence === Seek.SET ? 0 : Number.MIN_SAFE_INTEGER;
    this.transport.seek(offsetOf(call, offset, least), whence, false);
  }

  seekShared(offset: FileOffset, whence: number = Seek.SET): void {
    const call = "MPI_File_seek_shared";
    this.requireOpen(call);
    const least = whence === Seek.SET ? 0 : Number.MIN_SAFE_INTEGER;
    const place = agree(this.comm, call, () => {
      this.requireNoSplit(call);
      checkWhence(call, whence);
      return offsetOf(call, offset, least);
    });
    this.transport.seek(place, whence, true);
  }

  getPosition(): number {
    this.requireOpen("MPI_File_get_position");
    this.requireNotSequential("MPI_File_get_position");
    return this.transport.position(false);
  }

  getPositionShared(): number {
    this.requireOpen("MPI_File_get_position_shared");
    return this.transport.position(true);
  }

  getByteOffset(offset: FileOffset): number {
    const call = "MPI_File_get_byte_offset";
    this.requireOpen(call);
    return this.transport.byteOffset(placeOf(call, this.view, offset, 1));
  }

  getTypeExtent(datatype: Datatype): number {
    const call = "MPI_File_get_type_extent";
    this.requireOpen(call);
    if (datatype instanceof Datatype) return this.transport.typeExtent(datatype);
    throw new MpiError({ code: "MPI_ERR_TYPE", call, why: "the datatype is none" });
  }

  setAtomicity(isAtomic: boolean): void {
    const call = "MPI_File_set_atomicity";
    this.requireOpen(call);
    agree(this.comm, call, () => this.requireNoSplit(call), isAtomic ? 1 : 0);
    this.transport.setAtomicity(Boolean(isAtomic));
  }

  getAtomicity(): boolean {
    this.requireOpen("MPI_File_get_atomicity");
    return this.transport.atomicity();
  }

  sync(): void {
    this.requireOpen("MPI_File_sync");
    this.transport.sync();
  }

  setErrhandler(handler: Errhandler<FileCalls>): void {
    const call = "MPI_File_set_errhandler";
    this.requireOpen(call);
    requireErrhandler(call, handler);
    this.errhandler = handler;
  }

  getErrhandler(): Errhandler<FileCalls> {
    this.requireOpen("MPI_File_get_errhandler");
    return this.errhandler;
  }

  callErrhandler(error: MpiError): void {
    this.requireOpen("MPI_File_call_errhandler");
    this.tell(error);
  }

  /** Does with an error what the handler says. @internal */
  tell(error: unknown): void {
    this.errhandler.handle(error, this, (code) => this.comm.abort(code));
  }

  protected override requireOpen(call: string): void {
    super.requireOpen(call);
    if (!isFinalized()) return;
    throw new MpiError({ code: "MPI_FINALIZED", call, why: "MPI has been finalized" });
  }

  /** A size that all ranks give. Collective. */
  private agreedSize(call: string, size: FileOffset): number {
    this.requireOpen(call);
    // Large sizes are compared by their low bits.
    const value = Number.isSafeInteger(Number(size)) ? Number(size) % 2 ** 30 : 0;
    return agree(
      this.comm,
      call,
      () => {
        this.requireNoSplit(call);
        this.requireNotSequential(call);
        return offsetOf(call, size);
      },
      value,
    );
  }

  private requireNotSequential(call: string): void {
    if ((this.amode & Mode.SEQUENTIAL) === 0) return;
    throw new MpiError({
      code: "MPI_ERR_UNSUPPORTED_OPERATION",
      call,
      why: "a sequential file has the shared pointer only",
      remedy: "Open the file without Mode.SEQUENTIAL",
    });
  }
}

const FILE_CALLS: readonly (keyof FileCalls)[] = [
  "close",
  "setSize",
  "preallocate",
  "getSize",
  "getGroup",
  "getAmode",
  "setInfo",
  "getInfo",
  "setView",
  "getView",
  "seek",
  "seekShared",
  "getPosition",
  "getPositionShared",
  "getByteOffset",
  "getTypeExtent",
  "setAtomicity",
  "getAtomicity",
  "sync",
];
const ACCESS_CALLS = Object.getOwnPropertyNames(FileAccesses.prototype).filter((name) =>
  /^i?(read|write)/.test(name),
);

tellErrors(
  File.prototype,
  [...FILE_CALLS, ...(ACCESS_CALLS as (keyof FileCalls)[])],
  (file, error) => file.tell(error),
);
