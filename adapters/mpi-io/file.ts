/**
 * MPI files in a container: the I/O chapter of the MPI standard over versioned arrays.
 *
 * A rank's writes go to its own log, in whatever order and alignment they come; a collective write
 * exchanges nothing between ranks. What all ranks wrote becomes visible, to all and at one epoch, when
 * `sync` or `close` commits it. Between commits, a rank reads the version that it opened or synced
 * last, with its own writes on top.
 *
 * A path that is no `daos://` address is opened by the MPI library, with the same interface.
 *
 * Calls block, as in the standard. *Collective* calls must be made by all ranks of the communicator;
 * an error on one rank is thrown on all, so that none hangs.
 *
 * @module
 */

import { type Communicator, type FileInfo, File as NativeFile } from "node-mpi-bindings";
import {
  deleteFile,
  type FileTransport,
  openFile,
  openTransport,
  removeNatively,
} from "node-mpi-bindings/transports";
import type { Epoch } from "../../core/index.js";
import { isDaosAddress } from "../dfs/index.js";
import { DaosFile } from "./daos-file.js";
import { asMpi } from "./errors.js";
import { removeFile } from "./remove-file.js";

/** Tells ranks that open an address from those that open a plain path: a bit above those of modes. */
const DAOS_KIND = 2 ** 20;
const NO_EPOCH = 0n;

/**
 * An open file. Open it with {@link File.open}. Its calls are those of `FileCalls`; errors are `MpiError`s with the
 * error classes of the standard, those of the store {@link FileError}s.
 */
export class File extends NativeFile {
  /**
   * Opens a file. Collective; all ranks give the same path and mode.
   *
   * @param comm Ranks that share the file; on one node for an address. It is duplicated.
   * @param path `daos://<pool>/<container>/<path>`, whose missing directories are created with the file; or a path of
   *   the file system, which the MPI library opens.
   * @param amode Constants of {@link Mode}, combined with `|`.
   * @param info Hints; see {@link Info}.
   * @throws `MpiError` on all ranks: `MPI_ERR_NO_SUCH_FILE` (pool, container or file), `MPI_ERR_FILE_EXISTS` with
   *   `Mode.EXCL`, `MPI_ERR_BAD_FILE`, `MPI_ERR_AMODE`, `MPI_ERR_ACCESS`, `MPI_ERR_READ_ONLY`, `MPI_ERR_NOT_SAME` if
   *   ranks differ, `MPI_ERR_UNSUPPORTED_OPERATION` if the communicator spans nodes.
   *
   * @example
   * ```ts
   * const file = File.open(comm, "daos:///scratch/run.pool/fields/u", Mode.CREATE | Mode.RDWR);
   * file.setView(0, Datatype.DOUBLE, Datatype.subarray(sizes, subsizes, starts, "C", Datatype.DOUBLE));
   * file.writeAtAll(0, block);
   * file.close();
   * ```
   */
  static override open(comm: Communicator, path: string, amode: number, info: FileInfo = {}): File {
    const wrap = (own: Communicator, transport: FileTransport) => new File(own, transport, amode);
    const isDaos = typeof path === "string" && isDaosAddress(path);
    const opener = isDaos ? { kind: DAOS_KIND, open: DaosFile.open } : { open: openTransport };
    return openFile(comm, { path, amode, info }, { ...opener, wrap });
  }

  /**
   * Removes a file; versions that were committed before stay readable as long as they are kept.
   *
   * @throws `MpiError` `MPI_ERR_NO_SUCH_FILE`, `MPI_ERR_ACCESS`, `MPI_ERR_BAD_FILE`.
   */
  static override delete(path: string, info: FileInfo = {}): void {
    deleteFile(path, info, (checked, hints) => {
      if (!isDaosAddress(checked)) removeNatively(checked, hints);
      else asMpi("MPI_File_delete", () => removeFile(checked), "MPI_ERR_BAD_FILE");
    });
  }

  /** The epoch that reads see, own writes apart; 0 of a file that is in no container. */
  get epoch(): Epoch {
    return this.storage instanceof DaosFile ? this.storage.bytes.epoch : NO_EPOCH;
  }

  /**
   * Commits what all ranks have written, at one epoch, and shows the newest version from then on.
   * Collective.
   *
   * @returns The epoch that reads see now: of this commit if anything was written.
   * @throws `MpiError` on all ranks, if one of them failed: nothing written since the last
   *   commit is visible then, and it must be written again.
   */
  override sync(): Epoch {
    super.sync();
    return this.epoch;
  }

  /**
   * Commits what all ranks have written and closes the file. Collective. The file is closed also if the
   * commit fails.
   *
   * @returns The epoch of the last version that this handle saw.
   */
  override close(): Epoch {
    super.close();
    return this.epoch;
  }
}
