/**
 * Inspection: reads one version of the checkpoint in a single process, and judges whether it is whole.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type Epoch, isDaosError } from "daos-ts";
import { Datatype, File, Mode, SoloCommunicator } from "daos-ts/mpi-io";
import {
  type CheckpointHeader,
  checkpointSize,
  decodeHeader,
  FIELD_NAMES,
  fieldOffset,
  fieldSize,
  HEADER_SIZE,
} from "./checkpoint-format.js";
import { checksumOfCells } from "./checksum.js";

/** One version of a checkpoint file, in memory. */
export interface Version {
  readonly epoch: Epoch;
  readonly header: CheckpointHeader;
  /** The whole file. */
  readonly bytes: Uint8Array;
}

/** What is remembered of a version. */
export interface Finding {
  readonly epoch: Epoch;
  readonly step: number;
  /** SHA-256 of the whole file. */
  readonly digest: string;
}

/**
 * Reads a version.
 *
 * @param address Of the checkpoint file.
 * @param epoch The newest version by default.
 * @returns Undefined if nothing had been written yet at that epoch.
 * @throws {@link DaosError} `DER_EPOCH_GONE` if the version is not kept any more, `DER_DF_INVAL` if the
 *   file does not begin with a header.
 */
export function readVersion(address: string, epoch?: Epoch): Version | undefined {
  const info = epoch === undefined ? {} : { daos_epoch: String(epoch) };
  let file: File;
  try {
    file = File.open(new SoloCommunicator(), address, Mode.RDONLY, info);
  } catch (error) {
    if (isDaosError(error, "DER_NONEXIST")) return undefined;
    throw error;
  }
  try {
    if (file.getSize() === 0) return undefined;
    const bytes = new Uint8Array(file.getSize());
    file.setView(0, Datatype.BYTE, Datatype.BYTE);
    file.readAtAll(0, bytes);
    return { epoch: file.epoch, header: decodeHeader(bytes.subarray(0, HEADER_SIZE)), bytes };
  } finally {
    file.close();
  }
}

/** Why a version is not a whole checkpoint; undefined if it is one. */
export function defectOf({ header, bytes }: Version): string | undefined {
  const { shape, step, checksums } = header;
  const size = checkpointSize(shape);
  if (bytes.length !== size) return `it has ${bytes.length} bytes instead of ${size}`;
  for (const [i, name] of FIELD_NAMES.entries()) {
    const offset = bytes.byteOffset + fieldOffset(name, shape);
    const values = new Float64Array(bytes.buffer, offset, fieldSize(shape) / 8);
    if (checksumOfCells(values, 0) === checksums[i]) continue;
    return `field ${name} is not the one of step ${step}`;
  }
  return undefined;
}

/** A version's finding. */
export function findingOf({ epoch, header, bytes }: Version): Finding {
  const digest = createHash("sha256").update(bytes).digest("hex");
  return { epoch, step: header.step, digest };
}
