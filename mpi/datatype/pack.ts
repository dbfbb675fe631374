/**
 * Packing: data of a datatype to and from consecutive bytes, in this machine's form or in the standard's.
 *
 * `external32` is big-endian, with the sizes of this machine's types and nothing between them.
 *
 * @module
 */

import { bytesOf, type MpiBuffer } from "../buffers.js";
import { MpiError } from "../errors.js";
import type { Datatype } from "./datatype.js";
import { blocksOf } from "./typemap.js";

/** How packed bytes are stored: as this machine has them, or as the standard's external32. */
export type DataRepresentation = "native" | "external32";

/** Which elements of a buffer, and where in the packed bytes. */
export interface PackOptions {
  /** Elements of the datatype; 1 by default. */
  readonly count?: number;
  /** Where the first element's origin lies in the unpacked buffer, in bytes; 0 by default. */
  readonly offset?: number;
  /** Where the packed bytes start; 0 by default. */
  readonly position?: number;
  /** How they are stored; `native` by default. */
  readonly representation?: DataRepresentation;
}

/**
 * Bytes that `count` elements take when packed (MPI_Pack_size, MPI_Pack_external_size).
 *
 * @mpi MPI_Pack_size, MPI_Pack_external_size
 */
export function packSize(type: Datatype, count = 1): number {
  return type.size * count;
}

/**
 * Packs elements (MPI_Pack, MPI_Pack_external).
 *
 * @param from Where the elements lie.
 * @param to Where the packed bytes go.
 * @returns The position behind the packed bytes.
 * @throws {@link MpiError} `MPI_ERR_BUFFER` if elements lie outside of `from`, `MPI_ERR_TRUNCATE` if `to` is too
 *   short; nothing has been packed then.
 * @mpi MPI_Pack, MPI_Pack_external
 */
export function pack(
  type: Datatype,
  from: MpiBuffer,
  to: MpiBuffer,
  options: PackOptions = {},
): number {
  const source = bytesOf(from);
  const target = bytesOf(to);
  const moves = checked("MPI_Pack", type, source, target, options);
  return each(type, moves, (offset, length, packed) => {
    target.set(source.subarray(offset, offset + length), packed);
    return target.subarray(packed, packed + length);
  });
}

/**
 * Unpacks elements (MPI_Unpack, MPI_Unpack_external).
 *
 * @param from The packed bytes.
 * @param to Where the elements go.
 * @returns The position behind the bytes that were unpacked.
 * @throws {@link MpiError} As {@link pack}.
 * @mpi MPI_Unpack, MPI_Unpack_external
 */
export function unpack(
  type: Datatype,
  from: MpiBuffer,
  to: MpiBuffer,
  options: PackOptions = {},
): number {
  const source = bytesOf(from);
  const target = bytesOf(to);
  const moves = checked("MPI_Unpack", type, target, source, options);
  return each(type, moves, (offset, length, packed) => {
    target.set(source.subarray(packed, packed + length), offset);
    return target.subarray(offset, offset + length);
  });
}

type Moves = Required<PackOptions>;

function checked(
  call: string,
  type: Datatype,
  elements: Uint8Array,
  packed: Uint8Array,
  options: PackOptions,
): Moves {
  const { count = 1, offset = 0, position = 0, representation = "native" } = options;
  for (const [name, value] of Object.entries({ count, position })) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new MpiError({ code: "MPI_ERR_COUNT", call, why: `${name} is ${value}` });
  }
  if (representation !== "native" && representation !== "external32") {
    const why = `"${String(representation)}" is no data representation`;
    throw new MpiError({ code: "MPI_ERR_UNSUPPORTED_DATAREP", call, why });
  }
  if (packed.length < position + type.size * count) {
    const why = `${type.size * count} packed bytes do not fit ${packed.length} bytes at ${position}`;
    throw new MpiError({ code: "MPI_ERR_TRUNCATE", call, why });
  }
  requireInside(call, type, { count, offset, size: elements.length });
  return { count, offset, position, representation };
}

/**
 * Refuses elements of which data lies outside of a buffer.
 *
 * @throws {@link MpiError} `MPI_ERR_BUFFER`.
 */
export function requireInside(
  call: string,
  type: Datatype,
  { count, offset, size }: { count: number; offset: number; size: number },
): void {
  if (type.size === 0 || count === 0) return;
  const last = (count - 1) * type.extent;
  const start = offset + type.trueLowerBound + Math.min(0, last);
  const end = offset + type.trueLowerBound + type.trueExtent + Math.max(0, last);
  if (Number.isSafeInteger(offset) && start >= 0 && end <= size) return;
  throw new MpiError({
    code: "MPI_ERR_BUFFER",
    call,
    why: `${count} elements at ${offset} lie at ${start} to ${end}, outside of ${size} bytes`,
    remedy: "Pass a longer buffer, fewer elements, or another offset",
  });
}

function each(
  type: Datatype,
  { count, offset, position, representation }: Moves,
  move: (offset: number, length: number, packed: number) => Uint8Array,
): number {
  let packed = position;
  for (let i = 0; i < count; i += 1) {
    const origin = offset + i * type.extent;
    for (const block of blocksOf(type.typemap)) {
      const moved = move(origin + block.offset, block.length, packed);
      if (representation === "external32") turnAround(moved, block.elementSize);
      packed += block.length;
    }
  }
  return packed;
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Turns the bytes of each element around. */
function turnAround(bytes: Uint8Array, elementSize: number): void {
  if (!IS_LITTLE_ENDIAN || elementSize === 1) return;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (elementSize === 2) buffer.swap16();
  else if (elementSize === 4) buffer.swap32();
  else buffer.swap64();
}
