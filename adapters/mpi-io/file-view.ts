/**
 * A file view: the bytes of a file that a rank sees, as a stream without gaps.
 *
 * The file type is repeated from the displacement on; its data bytes are the stream, counted in
 * elementary types:
 *
 *     displacement ─┐
 *                   ▼
 *     file          ....[xx..xx..][xx..xx..][xx..xx..
 *     stream             01  23    45  67    89  ..
 *
 * A range of the stream is a range of one pattern, however many blocks it has, if the file type is a regular
 * one: the type's own levels, and one level for its repetitions. Of any other it is the ranges of several
 * patterns, found one by one.
 *
 * @module
 */

import { Datatype, Mode, type View } from "node-mpi-bindings";
import { viewOf } from "node-mpi-bindings/transports";
import {
  DaosError,
  OFFSET_MAX,
  PATTERN_LEVELS_MAX,
  Pattern,
  type PatternRange,
  wholeOf,
} from "../../core/index.js";
import type { RecordSeries } from "./record-buffers.js";
import { dataBefore, patternsOf } from "./stream-map.js";

/** What a view is made of; sizes in bytes. */
export interface ViewOptions {
  /** Where the view starts in the file. */
  readonly displacement: number;
  /** Unit of offsets and counts. */
  readonly etype: Datatype;
  /** What is repeated. */
  readonly filetype: Datatype;
  /** How numbers are stored: "native", by default, "internal" or "external32". */
  readonly datarep?: string;
}

/** A rank's view of a file. Immutable. */
export class FileView implements View {
  /** Where the view starts in the file, in bytes. */
  readonly displacement: number;
  /** Unit of offsets and counts. */
  readonly etype: Datatype;
  /** What is repeated. */
  readonly filetype: Datatype;
  /** How numbers are stored. */
  readonly datarep: string;
  readonly #isWhole: boolean;

  /**
   * @throws `MpiError` `MPI_ERR_TYPE` if the file type does not consist of whole elementary types, or its
   *   offsets go back or overlap; `MPI_ERR_ARG` for the displacement; `MPI_ERR_UNSUPPORTED_DATAREP`.
   */
  constructor({ displacement, etype, filetype, datarep = "native" }: ViewOptions) {
    viewOf(Mode.RDWR, displacement, etype, filetype, datarep);
    this.displacement = displacement;
    this.etype = etype;
    this.filetype = filetype;
    this.datarep = datarep;
    const { size, extent, layout } = filetype;
    this.#isWhole = size === extent && layout?.levels.length === 0;
  }

  /** The whole file as bytes: the view of a file that has just been opened. */
  static bytes(): FileView {
    return new FileView({ displacement: 0, etype: Datatype.BYTE, filetype: Datatype.BYTE });
  }

  /**
   * The file bytes of a range of the stream, in its order, as they are asked for.
   *
   * @param offset First element, in elementary types.
   * @param size Length in bytes.
   * @throws `DaosError` `DER_INVAL` if it leaves the file; before the first range.
   */
  ranges(offset: number, size: number): Iterable<PatternRange> {
    const start = this.startOf(offset, size);
    return size === 0 ? [] : this.#rangesAt(start, size);
  }

  #rangesAt(start: number, size: number): Iterable<PatternRange> {
    const regular = this.#regular(start, size);
    return regular === undefined ? this.#tiles(start, start + size) : [regular];
  }

  /** Whether the view is all bytes of the file, from the displacement on. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /**
   * The file bytes of records, in order.
   *
   * @param series Records that lie apart only if the view is whole.
   */
  rangesOf({ start, size, stride, count }: RecordSeries): Iterable<PatternRange> {
    if (count > 1 && stride > size) {
      const first = this.displacement + (this.filetype.layout?.offset ?? 0);
      const shape = { start: first + start, blockLength: size, levels: [{ stride, count }] };
      return [wholeOf(new Pattern(shape))];
    }
    return this.#rangesAt(start, size * count);
  }

  /** The byte of the file at an offset, in elementary types. */
  byteOffset(offset: number): number {
    for (const { pattern, from } of this.ranges(offset, 1)) return pattern.offsetOf(from);
    return this.displacement;
  }

  /** Bytes of the stream that lie before a file offset. */
  streamSize(fileSize: number): number {
    const { size, extent, trueLowerBound, typemap } = this.filetype;
    const relative = fileSize - this.displacement;
    if (relative <= trueLowerBound) return 0;
    const tiles = Math.floor((relative - trueLowerBound) / extent);
    return tiles * size + dataBefore(typemap, relative - tiles * extent);
  }

  /**
   * The first byte, in the stream, of a range of it.
   *
   * @param offset First element, in elementary types.
   * @param size Length in bytes.
   * @throws `DaosError` `DER_INVAL` if it leaves the file.
   */
  startOf(offset: number, size: number): number {
    const unit = this.etype.size;
    const { size: tileSize, extent, trueLowerBound } = this.filetype;
    const start = offset * unit;
    const tiles = Math.floor((start + size) / tileSize);
    const end = this.displacement + trueLowerBound + (tiles + 1) * extent;
    const isSound = Number.isSafeInteger(offset) && offset >= 0 && end <= OFFSET_MAX;
    if (isSound) return start;
    const what = `Accessing ${size} bytes at offset ${offset} of a file`;
    const why = `elements of ${unit} bytes end beyond byte ${OFFSET_MAX} there`;
    const text = { what, why, remedy: "give a smaller offset, 0 or more" };
    throw new DaosError("DER_INVAL", text, { offset, size, mpi: "MPI_ERR_ARG" });
  }

  #regular(start: number, size: number): PatternRange | undefined {
    const { size: tileSize, extent, layout } = this.filetype;
    if (layout === undefined || layout.levels.length >= PATTERN_LEVELS_MAX) return undefined;
    const first = this.displacement + layout.offset;
    if (this.#isWhole) {
      const pattern = Pattern.contiguous(first + start, first + start + size);
      return { pattern, from: 0, to: size };
    }
    const firstTile = Math.floor(start / tileSize);
    const tiles = Math.ceil((start + size) / tileSize) - firstTile;
    const levels = [...layout.levels, { stride: extent, count: tiles }];
    const shape = { start: first + firstTile * extent, blockLength: layout.blockLength, levels };
    const from = start - firstTile * tileSize;
    return { pattern: new Pattern(shape), from, to: from + size };
  }

  *#tiles(from: number, to: number): Generator<PatternRange, void> {
    const { size, extent, typemap } = this.filetype;
    for (let tile = Math.floor(from / size); tile * size < to; tile += 1) {
      const start = tile * size;
      const origin = this.displacement + tile * extent;
      yield* patternsOf(typemap, origin, Math.max(0, from - start), Math.min(size, to - start));
    }
  }
}
