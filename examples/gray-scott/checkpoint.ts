/**
 * Checkpoints through MPI-IO: both fields and the step in one file, committed at one epoch.
 *
 *     header    rank 0, a view of bytes
 *     U, V      all ranks, each through a subarray view of its block: no data travels between ranks
 *     sync      one collective commit: the whole checkpoint becomes visible, or nothing of it
 *
 * Each checkpoint overwrites the one before; the container keeps the last few as versions. A restart
 * may divide the box over another number of ranks.
 *
 * @module
 */

import { DaosError } from "daos-ts";
import { Datatype, File, Mode, Op } from "daos-ts/mpi-io";
import type { Communicator } from "node-mpi-bindings";
import {
  type CheckpointHeader,
  checkpointSize,
  decodeHeader,
  encodeHeader,
  type FieldName,
  fieldOffset,
  HEADER_SIZE,
} from "./checkpoint-format.js";
import { checksumOfBlock } from "./checksum.js";
import type { Grid, Triple } from "./grid.js";
import type { Fields } from "./kernel.js";
import type { Parameters } from "./parameters.js";

/** A checkpoint that was committed. */
export interface WrittenCheckpoint {
  readonly step: number;
  /** The epoch at which it is visible. */
  readonly epoch: bigint;
  /** Size, in bytes, over all ranks. */
  readonly bytes: number;
  /** From the first write to the end of the commit, on the slowest rank. */
  readonly seconds: number;
}

/** Writes and reads the checkpoints of one rank's block. */
export class Checkpointer {
  readonly #grid: Grid;
  readonly #parameters: Parameters;
  readonly #file: File;
  readonly #packed: Fields;

  /**
   * Opens the file, and creates it if there is none. Collective.
   *
   * @param address Of the file, `daos://...`.
   * @throws {@link DaosError} as `File.open`.
   */
  constructor(grid: Grid, parameters: Parameters, address: string) {
    this.#grid = grid;
    this.#parameters = parameters;
    this.#file = File.open(grid.comm, address, Mode.CREATE | Mode.RDWR);
    const packed = () => new Float64Array(grid.cellCount);
    this.#packed = { u: packed(), v: packed() };
  }

  /** Writes and commits a checkpoint. Collective. */
  write(step: number, fields: Fields): WrittenCheckpoint {
    const { comm, shape } = this.#grid;
    const header = this.#prepare(step, fields);
    comm.barrier();
    const started = performance.now();
    writeHeader(this.#file, comm, header);
    writeBlock(this.#file, this.#grid, "u", this.#packed.u);
    writeBlock(this.#file, this.#grid, "v", this.#packed.v);
    const epoch = this.#file.sync();
    const slowest = Float64Array.of((performance.now() - started) / 1000);
    comm.allreduce(slowest.slice(), slowest, Op.MAX);
    return { step, epoch, bytes: checkpointSize(shape), seconds: slowest[0] as number };
  }

  /**
   * Writes a checkpoint up to the middle of V, and returns without a commit: what a rank has done that
   * dies in the middle. Collective like {@link write}, up to there.
   *
   * @returns Bytes that this rank has written.
   */
  writePart(step: number, fields: Fields): number {
    const header = this.#prepare(step, fields);
    const { u, v } = this.#packed;
    this.#grid.comm.barrier();
    writeHeader(this.#file, this.#grid.comm, header);
    writeBlock(this.#file, this.#grid, "u", u);
    const half = v.subarray(0, Math.ceil(v.length / 2));
    writeBlock(this.#file, this.#grid, "v", half);
    return u.byteLength + half.byteLength;
  }

  /**
   * Reads the newest checkpoint into the fields, whatever number of ranks wrote it. Collective.
   *
   * @returns Its step.
   * @throws {@link DaosError} `DER_NONEXIST` if there is no checkpoint, `DER_MISMATCH` if it has
   *   another shape, `DER_DF_INVAL` if it is not whole.
   */
  restore(fields: Fields): number {
    const header = readHeader(this.#file);
    if (header === undefined) throw nothingToRestore();
    requireShape(header, this.#grid.shape);
    readBlock(this.#file, this.#grid, "u", this.#packed.u);
    readBlock(this.#file, this.#grid, "v", this.#packed.v);
    const [u, v] = this.#checksums();
    if (u !== header.checksums[0] || v !== header.checksums[1]) throw notWhole(header);
    this.#grid.unpack(this.#packed.u, fields.u);
    this.#grid.unpack(this.#packed.v, fields.v);
    return header.step;
  }

  /** Closes the file. Collective. */
  close(): void {
    this.#file.close();
  }

  #prepare(step: number, fields: Fields): CheckpointHeader {
    this.#grid.pack(fields.u, this.#packed.u);
    this.#grid.pack(fields.v, this.#packed.v);
    const { shape } = this.#grid;
    return { step, shape, parameters: this.#parameters, checksums: this.#checksums() };
  }

  /** Checksums of the whole fields, from the ranks' packed blocks. Collective. */
  #checksums(): [u: number, v: number] {
    const own = [this.#packed.u, this.#packed.v].map((it) => checksumOfBlock(this.#grid, it));
    const whole = new Uint32Array(2);
    this.#grid.comm.allreduce(Uint32Array.from(own), whole, Op.SUM);
    return [whole[0] as number, whole[1] as number];
  }
}

/** Writes the header, on rank 0. Collective. */
function writeHeader(file: File, comm: Communicator, header: CheckpointHeader): void {
  file.setView(0, Datatype.BYTE, Datatype.BYTE);
  if (comm.rank === 0) file.writeAt(0, encodeHeader(header));
}

/** Reads the header; undefined if the file is empty. Collective. */
function readHeader(file: File): CheckpointHeader | undefined {
  if (file.getSize() === 0) return undefined;
  const bytes = new Uint8Array(HEADER_SIZE);
  file.setView(0, Datatype.BYTE, Datatype.BYTE);
  file.readAtAll(0, bytes);
  return decodeHeader(bytes);
}

function writeBlock(file: File, grid: Grid, field: FieldName, packed: Float64Array): void {
  viewBlock(file, grid, field);
  file.writeAtAll(0, packed);
}

function readBlock(file: File, grid: Grid, field: FieldName, packed: Float64Array): void {
  viewBlock(file, grid, field);
  file.readAtAll(0, packed);
}

/** Shows a rank its block of one field. Collective. */
function viewBlock(file: File, { shape, local, start }: Grid, field: FieldName): void {
  const block = Datatype.subarray(shape, local, start, "C", Datatype.DOUBLE);
  file.setView(fieldOffset(field, shape), Datatype.DOUBLE, block);
}

function nothingToRestore(): DaosError {
  return new DaosError("DER_NONEXIST", {
    what: "Restarting the simulation",
    why: "no checkpoint was ever committed",
    remedy: "start it from the beginning, without --restart",
  });
}

function requireShape(header: CheckpointHeader, shape: Triple): void {
  if (header.shape.every((length, i) => length === shape[i])) return;
  throw new DaosError("DER_MISMATCH", {
    what: `Restarting a box of ${shape.join(" x ")} cells`,
    why: `the checkpoint has ${header.shape.join(" x ")} cells`,
    remedy: "give the same --size as before",
  });
}

function notWhole({ step }: CheckpointHeader): DaosError {
  return new DaosError("DER_DF_INVAL", {
    what: `Reading the checkpoint of step ${step}`,
    why: "its fields do not have the checksums that its header names",
    remedy: "restart from an earlier epoch, and report this: commits are meant to be atomic",
  });
}
