/**
 * MPI files in a container: the I/O chapter of the MPI standard over versioned arrays.
 *
 * A rank's writes go to its own log, in whatever order and alignment they come; a collective write
 * exchanges nothing between ranks. What all ranks wrote becomes visible, to all and at one epoch, when
 * `sync` or `close` commits it. Between commits, a rank reads the version that it opened or synced
 * last, with its own writes on top.
 *
 * Calls block, as in the standard. *Collective* calls must be made by all ranks of the communicator;
 * an error on one rank is thrown on all, so that none hangs.
 *
 * @module
 */

import { ANY_TAG, type Communicator, type Datatype, PROC_NULL, Status } from "node-mpi-bindings";
import {
  attempt,
  type ContainerView,
  commitCollectively,
  DaosError,
  type Epoch,
  newestEpochOfAll,
  Pool,
  type Transaction,
} from "../../core/index.js";
import { parseLocation, remove } from "../dfs/index.js";
import { FileView, type ViewOptions } from "./file-view.js";
import { checkMode, Mode, mayRead, mayWrite } from "./mode.js";
import { asksForVersion, type Info, type OpenedFile, openCollectively } from "./open-file.js";

/** Memory that is read or written: the whole of a typed array. */
export type FileBuffer = NodeJS.TypedArray | DataView;

function bytesOf(buffer: FileBuffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** An open file. Open it with {@link File.open}. */
export class File {
  readonly #comm: Communicator;
  readonly #opened: OpenedFile;
  readonly #amode: number;
  readonly #name: string;
  readonly #isPinned: boolean;
  readonly #commitsEveryWrite: boolean;
  #state: ContainerView;
  #transaction: Transaction | undefined;
  #view = FileView.bytes();
  #open = true;

  private constructor(
    comm: Communicator,
    opened: OpenedFile,
    { path, amode, info }: { path: string; amode: number; info: Info },
  ) {
    this.#comm = comm;
    this.#opened = opened;
    this.#state = opened.view;
    this.#amode = amode;
    this.#name = path;
    this.#isPinned = asksForVersion(info);
    this.#commitsEveryWrite = info.daos_commit === "every-collective";
  }

  /**
   * Opens a file. Collective; all ranks give the same path and mode.
   *
   * @param comm Ranks that share the file; on one node. It is duplicated.
   * @param path `daos://<pool>/<container>/<path>`; missing directories are created with the file.
   * @param amode Constants of {@link Mode}, combined with `|`.
   * @param info Hints; see {@link Info}.
   * @throws `DaosError` `DER_NONEXIST` (pool, container or file), `DER_EXIST` with `Mode.EXCL`,
   *   `DER_INVAL`, `DER_NO_PERM`, `DER_EPOCH_GONE`, `DER_MISMATCH` if ranks differ, `DER_NOSYS` if the
   *   communicator spans nodes.
   *
   * @example
   * ```ts
   * const file = File.open(comm, "daos:///scratch/run.pool/fields/u", Mode.CREATE | Mode.RDWR);
   * file.setView(0, Datatype.DOUBLE, Datatype.subarray(sizes, subsizes, starts, "C", Datatype.DOUBLE));
   * file.writeAtAll(0, block);
   * file.close();
   * ```
   */
  static open(comm: Communicator, path: string, amode: number, info: Info = {}): File {
    const own = comm.dup();
    try {
      const request = { path, amode, info };
      attempt(own, () => checkMode(amode, path));
      return new File(own, openCollectively(own, request), request);
    } catch (error) {
      own.free();
      throw error;
    }
  }

  /**
   * Removes a file; versions that were committed before stay readable as long as they are kept.
   *
   * @throws `DaosError` `DER_NONEXIST`, `DER_NO_PERM`.
   */
  static delete(path: string): void {
    const location = parseLocation(path);
    using pool = Pool.connect(location.pool);
    const container = pool.openContainer(location.container);
    container.runTransaction((state) => remove(state, location.path));
  }

  /** The mode that the file was opened with. */
  getAmode(): number {
    return this.#amode;
  }

  /** The epoch that reads see, own writes apart. */
  get epoch(): Epoch {
    return this.#state.epoch;
  }

  /**
   * Sets this rank's view. Collective.
   *
   * @param displacement Where the view starts, in bytes.
   * @param etype Unit of offsets.
   * @param filetype What is repeated from the displacement on; made of `etype`.
   * @param datarep Only "native".
   * @throws `DaosError` `DER_INVAL`, on all ranks; the view is then as before.
   */
  setView(displacement: number, etype: Datatype, filetype: Datatype, datarep = "native"): void {
    this.#requireOpen("Setting a view");
    this.#view = attempt(this.#comm, () => {
      if (datarep === "native") return new FileView({ displacement, etype, filetype });
      const why = `the data representation is "${datarep}"`;
      const text = { what: "Setting a file view", why, remedy: 'use "native"' };
      throw new DaosError("DER_INVAL", text, { mpi: "MPI_ERR_UNSUPPORTED_DATAREP" });
    });
  }

  /** This rank's view. */
  getView(): ViewOptions {
    const { displacement, etype, filetype } = this.#view;
    return { displacement, etype, filetype };
  }

  /**
   * Size of the file in bytes: as of the version that this rank reads, own writes included.
   */
  getSize(): number {
    this.#requireOpen("Asking the size");
    return this.#state.arraySize(this.#opened.oid, this.#transaction);
  }

  /**
   * Writes a buffer at an offset of the view.
   *
   * @param offset In elementary types of the view, from its start.
   * @param buffer All of it is written; it may be reused when the call returns.
   * @param count Bytes of the buffer to write; all by default.
   * @returns Its `count` is the number of bytes written.
   * @throws `DaosError` `DER_INVAL`, `DER_NO_PERM` if the file is only read, `DER_NOSPACE`,
   *   `DER_IO`. Nothing of a failed write becomes visible.
   */
  writeAt(offset: number, buffer: FileBuffer, count = buffer.byteLength): Status {
    const bytes = this.#part(buffer, count, "Writing");
    this.#requireAccess(mayWrite(this.#amode), "Writing", "Mode.RDWR or Mode.WRONLY");
    const range = this.#view.range(offset, count);
    if (count > 0) {
      this.#transaction ??= this.#opened.container.begin();
      this.#transaction.write(this.#opened.oid, range, bytes, this.#opened.incarnation);
    }
    return this.#status(count);
  }

  /**
   * As {@link writeAt}, on all ranks. Collective, but exchanges no data: with the hint
   * `daos_commit: "every-collective"` it also commits, otherwise it does not wait for other ranks.
   */
  writeAtAll(offset: number, buffer: FileBuffer, count = buffer.byteLength): Status {
    if (!this.#commitsEveryWrite) return this.writeAt(offset, buffer, count);
    const status = attempt(this.#comm, () => this.writeAt(offset, buffer, count));
    this.#commit();
    return status;
  }

  /**
   * Reads into a buffer from an offset of the view.
   *
   * @param offset In elementary types of the view, from its start.
   * @param buffer Filled from its start; bytes within the file that were never written become 0.
   * @param count Bytes to read; the buffer's length by default.
   * @returns Its `count` is the number of bytes read: fewer at the end of the file, where the rest of
   *   the buffer is left as it is.
   * @throws `DaosError` `DER_INVAL`, `DER_NO_PERM` if the file is only written, `DER_CSUM` if
   *   stored data is damaged.
   */
  readAt(offset: number, buffer: FileBuffer, count = buffer.byteLength): Status {
    const bytes = this.#part(buffer, count, "Reading");
    this.#requireAccess(mayRead(this.#amode), "Reading", "Mode.RDWR or Mode.RDONLY");
    const left = this.#view.streamSize(this.getSize()) - offset * this.#view.etype.size;
    const size = Math.max(0, Math.min(count, left));
    const range = this.#view.range(offset, size);
    if (size > 0) {
      this.#state.readArray(this.#opened.oid, range, bytes.subarray(0, size), this.#transaction);
    }
    return this.#status(size);
  }

  /** As {@link readAt}, on all ranks. Collective, but exchanges nothing. */
  readAtAll(offset: number, buffer: FileBuffer, count = buffer.byteLength): Status {
    return this.readAt(offset, buffer, count);
  }

  /**
   * Commits what all ranks have written, at one epoch, and shows the newest version from then on.
   * Collective.
   *
   * @returns The epoch that reads see now: of this commit if anything was written.
   * @throws `DaosError` on all ranks, if one of them failed: nothing written since the last
   *   commit is visible then, and it must be written again.
   */
  sync(): Epoch {
    this.#requireOpen("Syncing");
    return this.#commit();
  }

  #commit(): Epoch {
    const { container, leader } = this.#opened;
    if (!mayWrite(this.#amode)) return this.#refresh();
    const transaction = this.#transaction ?? container.begin();
    this.#transaction = undefined;
    const id = container.newTransactionId();
    this.#show(commitCollectively(this.#comm, container, transaction, id).epoch);
    if (this.#comm.rank === leader) this.#aggregate();
    return this.epoch;
  }

  /** Shows the newest version, unless the file was opened at a fixed one. Collective. */
  #refresh(): Epoch {
    if (!this.#isPinned) this.#show(newestEpochOfAll(this.#comm, this.#opened.container));
    return this.epoch;
  }

  /** Moves this rank's reads to another version. Collective. */
  #show(epoch: Epoch): void {
    const old = this.#state;
    this.#state = attempt(this.#comm, () => this.#opened.container.view(epoch));
    old.close();
  }

  #aggregate(): void {
    try {
      // Between checkpoints, time is the simulation's: data is copied when somebody asks for it.
      this.#opened.container.aggregate({ compact: false });
    } catch (error) {
      // The commit stands; space that was not freed now is freed by a later pass.
      process.emitWarning(error as Error);
    }
  }

  /**
   * Commits what all ranks have written and closes the file. Collective. The file is closed also if the
   * commit fails.
   *
   * @returns The epoch of the last version that this handle saw.
   */
  close(): Epoch {
    this.#requireOpen("Closing");
    this.#open = false;
    try {
      const epoch = this.#commit();
      if ((this.#amode & Mode.DELETE_ON_CLOSE) !== 0 && this.#comm.rank === 0) {
        File.delete(this.#name);
      }
      return epoch;
    } finally {
      this.#state.close();
      this.#opened.pool.close();
      this.#comm.free();
    }
  }

  #status(size: number): Status {
    return new Status(PROC_NULL, ANY_TAG, size, this.#view.etype.size);
  }

  #part(buffer: FileBuffer, count: number, action: string): Uint8Array {
    this.#requireOpen(action);
    const what = `${action} ${count} bytes of "${this.#name}"`;
    const facts = { count, bufferSize: buffer.byteLength };
    if (!Number.isInteger(count) || count < 0 || count > buffer.byteLength) {
      const why = `the buffer has ${buffer.byteLength} bytes`;
      const remedy = "pass a larger buffer, or a smaller count";
      throw new DaosError("DER_INVAL", { what, why, remedy }, { ...facts, mpi: "MPI_ERR_COUNT" });
    }
    const unit = this.#view.etype.size;
    if (count % unit !== 0) {
      const why = `that is no multiple of the view's elementary type, ${unit} bytes`;
      const remedy = "transfer whole elements";
      throw new DaosError("DER_INVAL", { what, why, remedy }, { ...facts, mpi: "MPI_ERR_TYPE" });
    }
    return bytesOf(buffer).subarray(0, count);
  }

  #requireAccess(allowed: boolean, action: string, modes: string): void {
    if (allowed) return;
    const what = `${action} "${this.#name}"`;
    const why = `it was opened with mode ${this.#amode}`;
    const text = { what, why, remedy: `open it with ${modes}` };
    throw new DaosError("DER_NO_PERM", text, { mpi: "MPI_ERR_ACCESS" });
  }

  #requireOpen(action: string): void {
    if (this.#open) return;
    const text = { what: `${action} "${this.#name}"`, why: "the file was closed" };
    throw new DaosError(
      "DER_NO_HDL",
      { ...text, remedy: "open it again" },
      { mpi: "MPI_ERR_FILE" },
    );
  }
}
