/**
 * The durable form of a run, and of the key that finds it.
 *
 * Key: `run` space, u32 container, 16 bytes object id, path (array-address.ts), epoch inverted, u32
 * sequence inverted: a scan of an array meets its runs newest first.
 *
 * Value, version 1:
 *
 *     run     = u8 version, varint start, varint end, varint extent count, extent[],
 *               varint piece count, piece[]
 *     extent  = varint segment, varint end, u32 tail CRC
 *     piece   = varint level count, svarint start, varint block length, level[],
 *               varint from, varint to, varint place: 0 a hole, n the extent n - 1;
 *               svarint position, not in a hole
 *     level   = varint stride, varint count
 *
 * A hole is a punched range: it covers what is older, and has no bytes.
 *
 * A piece's start is relative to the end of the piece before it, its position to where that piece
 * ends in the log: irregular writes cost a few bytes each, and a pattern costs the same whatever its
 * counts are.
 *
 * @module
 */

import { isDaosError } from "../errors.js";
import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import { EPOCH_MASK, KeySpace } from "../index/key-codec.js";
import type { CommittedExtent } from "../log/segment-reader.js";
import type { ArrayAddress } from "./array-address.js";
import { OBJECT_PREFIX_SIZE, objectOfKey, objectPrefix } from "./names.js";
import type { ObjectId } from "./object-id.js";
import { Pattern, type PatternLevel, type PatternShape } from "./pattern.js";
import { HOLE_SEGMENT, isHole, type Piece, pieceSize, type Run } from "./piece.js";

const RUN_VERSION = 1;
const SEQUENCE_MAX = 0xffff_ffff;
/** Epoch and sequence at the end of a key. */
const VERSION_SIZE = 12;

/** Key of a run. */
export function runKey(array: ArrayAddress, epoch: bigint, sequence: number): Uint8Array {
  return runKeyUnder(runPrefix(array), epoch, sequence);
}

/** Key of a run of an array that is given as {@link runPrefix}. */
export function runKeyUnder(prefix: Uint8Array, epoch: bigint, sequence: number): Uint8Array {
  const key = new Uint8Array(prefix.length + VERSION_SIZE);
  key.set(prefix);
  const view = new DataView(key.buffer, prefix.length);
  view.setBigUint64(0, epoch ^ EPOCH_MASK);
  view.setUint32(8, SEQUENCE_MAX - sequence);
  return key;
}

/** The common beginning of the keys of an array's runs. */
export function runPrefix({ container, oid, path }: ArrayAddress): Uint8Array {
  const object = objectPrefix({ container, oid }, KeySpace.run);
  const prefix = new Uint8Array(object.length + path.length);
  prefix.set(object);
  prefix.set(path, object.length);
  return prefix;
}

/** The part of a run's key that all runs of its array share. */
export function prefixOfRun(key: Uint8Array): Uint8Array {
  return key.slice(0, key.length - VERSION_SIZE);
}

/** Epoch of a run's key. */
export function epochOfRun(key: Uint8Array): bigint {
  const view = new DataView(key.buffer, key.byteOffset + key.length - VERSION_SIZE, VERSION_SIZE);
  return view.getBigUint64(0) ^ EPOCH_MASK;
}

/** What the key of a run says. */
export interface RunName {
  readonly oid: ObjectId;
  readonly path: Uint8Array;
  readonly epoch: bigint;
  readonly sequence: number;
}

/** Array, epoch and sequence of a run's key. */
export function parseRunKey(key: Uint8Array): RunName {
  const end = key.length - VERSION_SIZE;
  const view = new DataView(key.buffer, key.byteOffset + end, VERSION_SIZE);
  return {
    oid: objectOfKey(key),
    path: key.slice(OBJECT_PREFIX_SIZE, end),
    epoch: epochOfRun(key),
    sequence: SEQUENCE_MAX - view.getUint32(8),
  };
}

/** What a writer contributes of a run; epoch and sequence are drawn by the commit. */
export type RunBody = Omit<Run, "epoch" | "sequence">;

function encodePiece(writer: ByteWriter, piece: Piece, previous: Piece | undefined): void {
  const { pattern } = piece;
  writer.varint(pattern.levels.length);
  writer.svarint(pattern.start - (previous?.pattern.end ?? 0)).varint(pattern.blockLength);
  for (const { stride, count } of pattern.levels) writer.varint(stride).varint(count);
  writer.varint(piece.from).varint(piece.to);
}

/** Encodes a run. */
export function encodeRun(run: RunBody): Uint8Array {
  const writer = new ByteWriter(64 + run.pieces.length * 16);
  writer.u8(RUN_VERSION).varint(run.start).varint(run.end).varint(run.extents.length);
  for (const { segment, end, tailCrc } of run.extents) {
    writer.varint(segment).varint(end).u32(tailCrc);
  }
  const extentIndex = new Map(run.extents.map(({ segment }, index) => [segment, index]));
  writer.varint(run.pieces.length);
  let previous: Piece | undefined;
  let expected = 0;
  for (const piece of run.pieces) {
    encodePiece(writer, piece, previous);
    previous = piece;
    if (isHole(piece)) {
      writer.varint(0);
      continue;
    }
    writer.varint((extentIndex.get(piece.segment) as number) + 1);
    writer.svarint(piece.position - expected);
    expected = piece.position + pieceSize(piece);
  }
  return writer.finish();
}

function decodePattern(reader: ByteReader, shape: PatternShape): Pattern {
  try {
    return new Pattern(shape);
  } catch (error) {
    if (!isDaosError(error, "DER_INVAL")) throw error;
    throw reader.malformed(error.text.why);
  }
}

function decodePiece(
  reader: ByteReader,
  extents: readonly CommittedExtent[],
  { previous, expected }: { previous: Piece | undefined; expected: number },
): Piece {
  const levelCount = reader.varint();
  const start = (previous?.pattern.end ?? 0) + reader.svarint();
  const blockLength = reader.varint();
  const levels: PatternLevel[] = [];
  for (let level = 0; level < levelCount; level++) {
    levels.push({ stride: reader.varint(), count: reader.varint() });
  }
  const pattern = decodePattern(reader, { start, blockLength, levels });
  const from = reader.varint();
  const to = reader.varint();
  const place = reader.varint();
  if (from >= to || to > pattern.size) throw reader.malformed("a piece lies outside its pattern");
  if (place === 0) return { pattern, from, to, segment: HOLE_SEGMENT, position: 0 };
  const extent = extents[place - 1];
  const position = expected + reader.svarint();
  if (extent === undefined || position < 0 || position + (to - from) > extent.end) {
    throw reader.malformed("a piece lies outside its segment");
  }
  return { pattern, from, to, segment: extent.segment, position };
}

/**
 * Decodes a run.
 *
 * @throws {@link DaosError} `DER_DF_INVAL` if the bytes do not follow the grammar.
 */
export function decodeRun(value: Uint8Array): RunBody {
  const reader = new ByteReader(value, "a run");
  if (reader.u8() !== RUN_VERSION) throw reader.malformed("its version is unknown");
  const start = reader.varint();
  const end = reader.varint();
  const extents: CommittedExtent[] = [];
  for (let count = reader.varint(); count > 0; count--) {
    extents.push({ segment: reader.varint(), end: reader.varint(), tailCrc: reader.u32() });
  }
  const pieces: Piece[] = [];
  let expected = 0;
  for (let count = reader.varint(); count > 0; count--) {
    const piece = decodePiece(reader, extents, { previous: pieces.at(-1), expected });
    pieces.push(piece);
    if (!isHole(piece)) expected = piece.position + pieceSize(piece);
  }
  reader.end();
  return { start, end, extents, pieces };
}
