/**
 * An HDF5-like file in a container, after h5py.
 *
 * A file is a directory of the namespace whose object has a header; its groups are directories in it,
 * its datasets files (see docs/internals/hdf5-mapping.md). What a program changes gathers in a
 * transaction; `flush` publishes all of it at one epoch, or nothing. Readers see whole versions: one
 * may read a file while another process writes it, without locks.
 *
 * @module
 */

import { type Container, DaosError, type Epoch, isDaosError } from "../../core/index.js";
import { create, type Inode, lookup, notFound, remove, splitPath } from "../dfs/index.js";
import { Dataset } from "./dataset/dataset.js";
import { Group, type Hdf5Object } from "./group/group.js";
import { applyPieces } from "./parallel/apply-pieces.js";
import type { ParallelGroup } from "./parallel/rank-changes.js";
import type { Selection } from "./selection/selection.js";
import { fromSpaceSelection } from "./selection/space-selection.js";
import { Session } from "./session.js";
import { NO_ORDER } from "./storage/object-format.js";
import { readHeader, readUserBlock, writeHeader, writeUserBlock } from "./storage/objects.js";
import type { Reference, RegionReference } from "./values/references.js";

/** How a file is opened, as in h5py. */
export type FileMode = keyof typeof MODES;

const MODES = {
  /** Reads a file that exists. */
  r: { canWrite: false, mayExist: true, mayCreate: false, replaces: false },
  /** Reads and writes a file that exists. */
  "r+": { canWrite: true, mayExist: true, mayCreate: false, replaces: false },
  /** Creates a file, or replaces it at the first flush. */
  w: { canWrite: true, mayExist: true, mayCreate: true, replaces: true },
  /** Creates a file that must not exist. */
  "w-": { canWrite: true, mayExist: false, mayCreate: true, replaces: false },
  /** The same. */
  x: { canWrite: true, mayExist: false, mayCreate: true, replaces: false },
  /** Reads and writes a file, and creates it if there is none. */
  a: { canWrite: true, mayExist: true, mayCreate: true, replaces: false },
} as const;

/** Elements that a reference to a region leads to. */
export interface FoundRegion {
  /** The dataset. */
  readonly dataset: Dataset;
  /** Elements of it. */
  readonly selection: Selection;
}

/** How a file is opened or created. */
export interface FileOptions {
  /** The version to read, with mode `"r"`; the newest by default. */
  readonly epoch?: Epoch;
  /**
   * The ranks that open the file together: a communicator of node-mpi-bindings. Opening, closing, flushing and all
   * that changes names, attributes or extents is collective: all ranks call it alike. Elements are read and
   * written by each rank for itself.
   */
  readonly comm?: ParallelGroup;
  /** Whether a new file lists names and attributes of its root in the order in which they were made. */
  readonly trackOrder?: boolean;
}

/** An open file; itself the root group. */
export class File extends Group {
  /** How the file was opened. */
  readonly mode: FileMode;

  private constructor(session: Session, mode: FileMode) {
    super(session, { name: "/", oid: session.root });
    this.mode = mode;
  }

  /**
   * Opens a file. A file that is created, and the directories that lead to it, exist for others after
   * the first flush.
   *
   * @param path Path in the container.
   * @param mode As in h5py; `"r"` by default.
   * @throws `DaosError` `DER_NONEXIST`; `DER_EXIST` with mode `"x"`; `DER_INVAL` if the path leads
   *   to something that is no HDF5 file, or for another mode; `DER_EP_RO` for an epoch with a mode that
   *   writes; `DER_EPOCH_GONE`; `DER_NO_PERM` if the pool is connected read-only;
   *   `DER_DF_INCOMPT` if another format version wrote it.
   *
   * @example
   * ```ts
   * await using file = await File.open(container, "results.h5", "a");
   * const u = await file.createDataset("fields/u", { shape: [4, 4], dtype: "float64" });
   * await u.write(1, [slice(1, 3), null]);
   * const epoch = await file.flush();
   * ```
   */
  static async open(
    container: Container,
    path: string,
    mode: FileMode = "r",
    options: FileOptions = {},
  ): Promise<File> {
    const { epoch } = options;
    const name = splitPath(path).join("/");
    const { canWrite } = checkMode(container, name, { mode, epoch });
    const session = new Session({ container, path: name, canWrite, epoch, group: options.comm });
    session.takePieces = (pieces) => applyPieces(session, pieces);
    try {
      session.root = openRoot(session, mode, options).oid;
      return new File(session, mode);
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** Path of the file in the container. */
  get filename(): string {
    return this.session.path;
  }

  /**
   * The version that is read; own changes come on top.
   *
   * @throws `DaosError` `DER_NO_HDL`.
   */
  get epoch(): Epoch {
    return this.session.state("Asking for the epoch").view.epoch;
  }

  /**
   * Commits all changes at one epoch; from then on, the newest version is read.
   *
   * @returns The epoch of the commit; of the version that is read, if nothing was changed.
   * @throws `DaosError` `DER_EXIST` or `DER_NONEXIST` if another process changed the same names
   *   meanwhile, `DER_TX_RESTART`, `DER_NOSPACE`, `DER_IO`: nothing was committed, and the changes since
   *   the last flush are dropped.
   */
  async flush(): Promise<Epoch> {
    return this.session.flush();
  }

  /** Bytes in front of the file that are not HDF5's: of a file that was imported. */
  get userBlock(): Uint8Array {
    return readUserBlock(this.session);
  }

  /**
   * What a reference leads to, or `undefined` if that was removed.
   *
   * @throws `DaosError` `DER_NO_HDL`.
   */
  async dereference(reference: Reference): Promise<Hdf5Object | undefined> {
    return this.get(reference);
  }

  /**
   * The elements that a reference to a region leads to, or `undefined` if the dataset was removed.
   *
   * @example
   * ```ts
   * const found = await file.region(reference);
   * if (found !== undefined) await found.dataset.read(found.selection);
   * ```
   */
  async region(reference: RegionReference): Promise<FoundRegion | undefined> {
    const dataset = await this.get(reference);
    if (!(dataset instanceof Dataset)) return undefined;
    return { dataset, selection: fromSpaceSelection(reference.selection, dataset.shape) };
  }

  /** Sets the bytes in front of the file that are not HDF5's. @internal */
  setUserBlock(bytes: Uint8Array): void {
    writeUserBlock(this.session, bytes);
  }

  /** Drops the changes since the last flush and closes the file. Later calls do nothing. */
  async abort(): Promise<void> {
    this.session.close();
  }

  /**
   * Flushes and closes the file. Later calls do nothing.
   *
   * @throws `DaosError` as {@link flush}; the file is closed all the same.
   */
  async close(): Promise<void> {
    if (this.session.isClosed) return;
    try {
      await this.session.flush();
    } finally {
      this.session.close();
    }
  }

  /** Closes the file at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function checkMode(
  container: Container,
  path: string,
  { mode, epoch }: { mode: FileMode; epoch: Epoch | undefined },
) {
  const what = `Opening HDF5 file "${path}" with mode "${mode}"`;
  if (!Object.hasOwn(MODES, mode)) {
    const remedy = `choose one of ${Object.keys(MODES).join(", ")}`;
    throw new DaosError("DER_INVAL", { what, why: "that is no mode", remedy }, { path });
  }
  const { canWrite } = MODES[mode];
  if (canWrite && epoch !== undefined) {
    const text = { what, why: "old versions cannot be written", remedy: 'use mode "r"' };
    throw new DaosError("DER_EP_RO", text, { path, epoch });
  }
  if (canWrite && container.readOnly) {
    const remedy = 'connect with mode "rw", or use mode "r"';
    throw new DaosError("DER_NO_PERM", { what, why: "the pool was connected read-only", remedy });
  }
  return { canWrite };
}

/** Finds the root group, or makes it. */
function openRoot(session: Session, mode: FileMode, { trackOrder = false }: FileOptions): Inode {
  const { path } = session;
  const { mayExist, mayCreate, replaces } = MODES[mode];
  const known = lookup(session.state("Opening"), path);
  if (known !== undefined && !mayExist) {
    const remedy = 'use mode "a" or "r+", or another path';
    const text = { what: `Creating HDF5 file "${path}"`, why: "it exists already", remedy };
    throw new DaosError("DER_EXIST", text, { path });
  }
  if (known !== undefined) requireHdf5(session, known);
  if (known !== undefined && !replaces) return known;
  if (!mayCreate) throw notFound(path, "Opening HDF5 file");
  const state = session.change(`Creating HDF5 file "${path}"`);
  if (known !== undefined) remove(state, path, { recursive: true });
  const root = create(session, state, { path, kind: "directory" });
  const order = trackOrder ? { isTracked: true, isIndexed: true } : NO_ORDER;
  const facts = { linkOrder: order, attributeOrder: order, comment: undefined };
  writeHeader(session, root.oid, { kind: "file", ...facts });
  return root;
}

function requireHdf5(session: Session, { kind, oid }: Inode): void {
  const { path } = session;
  if (kind === "directory" && readHeader(session, oid, path)?.kind === "file") return;
  const remedy = "correct the path, or create the file elsewhere";
  const text = { what: `Opening HDF5 file "${path}"`, why: `it is a ${kind}, not one`, remedy };
  throw new DaosError("DER_INVAL", text, { path });
}

/** Whether a path of a container leads to an HDF5 file. */
export async function isHdf5(
  container: Container,
  path: string,
  options: { epoch?: Epoch } = {},
): Promise<boolean> {
  try {
    const file = await File.open(container, path, "r", options);
    await file.close();
    return true;
  } catch (error) {
    if (isDaosError(error, "DER_NONEXIST") || isDaosError(error, "DER_INVAL")) return false;
    throw error;
  }
}
