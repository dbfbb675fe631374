/**
 * Pieces and runs: where the bytes of an array lie.
 *
 * A *piece* says that a range of a pattern's packed stream lies at a position of a segment. A *run*
 * is what one writer contributed to one array in one commit: its pieces, in program order, so that
 * a later piece covers an earlier one.
 *
 * @module
 */

import type { CommittedExtent } from "../log/segment-reader.js";
import type { PatternRange } from "./pattern.js";

/** Bytes `[from, to)` of a pattern's packed stream, contiguous at `position` of a segment. */
export interface Piece extends PatternRange {
  readonly segment: number;
  /** Where byte `from` lies, in bytes of the segment's data. */
  readonly position: number;
}

/** A piece as a reader meets it. */
export interface Layer {
  readonly piece: Piece;
  /** Bounds of the piece: array offsets `[start, end)`. */
  readonly start: number;
  readonly end: number;
}

/** The pieces of one writer, for one array, in one commit. */
export interface Run {
  /** Commit that the run belongs to. */
  readonly epoch: bigint;
  /** Order within the commit: a higher one covers a lower one. */
  readonly sequence: number;
  /** Bounds of all pieces: array offsets `[start, end)`. */
  readonly start: number;
  readonly end: number;
  /** The segments that the pieces lie in, with what verifies them. */
  readonly extents: readonly CommittedExtent[];
  /** In program order: later ones cover earlier ones. */
  readonly pieces: readonly Piece[];
}

/** Segments are counted from 1: this one says that a piece is a hole. */
export const HOLE_SEGMENT = 0;

/** Whether a piece is a punched range: it covers what is older, reads as zeros and has no bytes. */
export function isHole(piece: Piece): boolean {
  return piece.segment === HOLE_SEGMENT;
}

/** Bytes of a piece. */
export function pieceSize(piece: Piece): number {
  return piece.to - piece.from;
}
