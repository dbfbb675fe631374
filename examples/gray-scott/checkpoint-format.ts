/**
 * Format of a checkpoint: one file, all of it written at one epoch. Little-endian.
 *
 *     0      8 bytes  magic "GSCOTT01"
 *     8      u32      lengths of the box along z, y, x (3 numbers)
 *     20     u32      checksums of U and of V (2 numbers), see checksum.ts
 *     28     u32      zero
 *     32     f64      step, F, k, Du, Dv, length of a step (6 numbers)
 *     80              zeros
 *     4096   f64      U[z][y][x], row-major
 *     ...    f64      V[z][y][x], row-major
 *
 * @module
 */

import { DaosError } from "daos-ts";
import type { Triple } from "./grid.js";
import type { Parameters } from "./parameters.js";

/** Path of the checkpoint in its container. */
export const CHECKPOINT_PATH = "fields";
/** Size of the header, in bytes. */
export const HEADER_SIZE = 4096;

const MAGIC = "GSCOTT01";
const SHAPE_OFFSET = 8;
const CHECKSUM_OFFSET = 20;
const NUMBERS_OFFSET = 32;

/** Names of the fields, in the order of the file. */
export const FIELD_NAMES = ["u", "v"] as const;
/** Name of a field. */
export type FieldName = (typeof FIELD_NAMES)[number];

/** What a checkpoint says of itself. */
export interface CheckpointHeader {
  /** Number of steps computed. */
  readonly step: number;
  /** Lengths of the box, in cells. */
  readonly shape: Triple;
  readonly parameters: Parameters;
  /** Checksums of U and V. */
  readonly checksums: readonly [u: number, v: number];
}

/** Where a field starts in the file, in bytes. */
export function fieldOffset(field: FieldName, shape: Triple): number {
  return HEADER_SIZE + FIELD_NAMES.indexOf(field) * fieldSize(shape);
}

/** Size of a field, in bytes. */
export function fieldSize([nz, ny, nx]: Triple): number {
  return nz * ny * nx * Float64Array.BYTES_PER_ELEMENT;
}

/** Size of a checkpoint, in bytes. */
export function checkpointSize(shape: Triple): number {
  return HEADER_SIZE + FIELD_NAMES.length * fieldSize(shape);
}

/** Encodes a header, {@link HEADER_SIZE} bytes. */
export function encodeHeader({ step, shape, parameters, checksums }: CheckpointHeader): Uint8Array {
  const bytes = Buffer.alloc(HEADER_SIZE);
  bytes.write(MAGIC, 0, "latin1");
  shape.forEach((length, i) => {
    bytes.writeUInt32LE(length, SHAPE_OFFSET + 4 * i);
  });
  checksums.forEach((checksum, i) => {
    bytes.writeUInt32LE(checksum, CHECKSUM_OFFSET + 4 * i);
  });
  const { feed, kill, diffusionU, diffusionV, timeStep } = parameters;
  [step, feed, kill, diffusionU, diffusionV, timeStep].forEach((number, i) => {
    bytes.writeDoubleLE(number, NUMBERS_OFFSET + 8 * i);
  });
  return bytes;
}

/**
 * Decodes a header.
 *
 * @throws {@link DaosError} `DER_DF_INVAL` if these bytes are no header.
 */
export function decodeHeader(header: Uint8Array): CheckpointHeader {
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  if (bytes.length < HEADER_SIZE || bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) {
    throw new DaosError("DER_DF_INVAL", {
      what: "Reading the header of a checkpoint",
      why: "the file does not begin with that of a Gray-Scott checkpoint",
      remedy: "name a file that this example wrote",
    });
  }
  const integer = (offset: number, i: number) => bytes.readUInt32LE(offset + 4 * i);
  const number = (i: number) => bytes.readDoubleLE(NUMBERS_OFFSET + 8 * i);
  return {
    step: number(0),
    shape: [integer(SHAPE_OFFSET, 0), integer(SHAPE_OFFSET, 1), integer(SHAPE_OFFSET, 2)],
    parameters: {
      feed: number(1),
      kill: number(2),
      diffusionU: number(3),
      diffusionV: number(4),
      timeStep: number(5),
    },
    checksums: [integer(CHECKSUM_OFFSET, 0), integer(CHECKSUM_OFFSET, 1)],
  };
}
