/**
 * The durable form of a run, and of the key that finds it.
 *
 * Key: `run` space, u32 container, 16 bytes object id, epoch inverted, u32 sequence inverted: a scan
 * of an object meets its runs newest first.
 *
 * Value, version 1:
 *
 *     run     = u8 version, varint start, varint end, varint extent count, extent[],
 *               varint piece count, piece[]
 *     extent  = varint segment, varint end, u32 tail CRC
 *     piece   = varint level count, svarint start, varint block length, level[],
 *               varint from, varint to, varint extent index, svarint position
 *     level   = varint stride, varint count
 *
 * A piece's start is relative to the end of the piece before it, its position to where that piece
 * ends in the log: irregular writes cost a few bytes each, and a pattern costs the same whatever its
 * counts are.
 *
 * @module
 */

import { isDaosError } from "../errors.js";
import { ByteReader, ByteWriter } from "../index/byte-codec.js";
import { KeyBuilder, KeyReader, KeySpace } from "../index/key-codec.js";
import type { CommittedExtent } from "../log/segment-reader.js";
import { Pattern, type PatternLevel, type PatternShape } from "./pattern.js";
import { type Piece, pieceSize, type Run } from "./piece.js";

const RUN_VERSION = 1;
const SEQUENCE_MAX = 0xffff_ffff;
const OBJECT_ID_OFFSET = 5;

/** Key of a run. */
export function runKey(
  object: { container: number; oid: Uint8Array },
  epoch: bigint,
  sequence: number,
): Uint8Array {
  return new KeyBuilder(KeySpace.run)
    .u32(object.container)
    .raw(object.oid)
    .newest(epoch)
    .u32(SEQUENCE_MAX - sequence)
    .done();
}

/** The common beginning of the keys of an object's runs. */
export function runPrefix(object: { container: number; oid: Uint8Array }): Uint8Array {
  return new KeyBuilder(KeySpace.run).u32(object.container).raw(object.oid).done();
}

/** Object id, epoch and sequence of a run's key. */
export function parseRunKey(key: Uint8Array): { oid: Uint8Array; epoch: bigint; sequence: number } {
  const oid = key.slice(OBJECT_ID_OFFSET, OBJECT_ID_OFFSET + 16);
  const reader = new KeyReader(key.subarray(OBJECT_ID_OFFSET + 15));
  return { oid, epoch: reader.newest(), sequence: SEQUENCE_MAX - reader.u32() };
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
  for (const piece of run.pieces) {
    encodePiece(writer, piece, previous);
    const expected = previous === undefined ? 0 : previous.position + pieceSize(previous);
    writer.varint(extentIndex.get(piece.segment) as number).svarint(piece.position - expected);
    previous = piece;
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
  previous: Piece | undefined,
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
  const extent = extents[reader.varint()];
  const expected = previous === undefined ? 0 : previous.position + pieceSize(previous);
  const position = expected + reader.svarint();
  const inside = extent !== undefined && position >= 0 && position + (to - from) <= extent.end;
  if (!inside || from >= to || to > pattern.size) {
    throw reader.malformed("a piece lies outside its pattern or its segment");
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
  for (let count = reader.varint(); count > 0; count--) {
    pieces.push(decodePiece(reader, extents, pieces.at(-1)));
  }
  reader.end();
  return { start, end, extents, pieces };
}
