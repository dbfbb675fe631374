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
 * A range of the stream is a range of one pattern, however many blocks it has: the file type's own
 * levels, and one level for its repetitions.
 *
 * @module
 */

import { Datatype } from "node-mpi-bindings";
import { DaosError, Pattern, type PatternRange } from "../../core/index.js";

function invalid(why: string, remedy: string): DaosError {
  return new DaosError("DER_INVAL", { what: "Setting a file view", why, remedy });
}

/** What a view is made of; sizes in bytes. */
export interface ViewOptions {
  /** Where the view starts in the file. */
  readonly displacement: number;
  /** Unit of offsets and counts. */
  readonly etype: Datatype;
  /** What is repeated. */
  readonly filetype: Datatype;
}

/** A rank's view of a file. Immutable. */
export class FileView {
  /** Where the view starts in the file, in bytes. */
  readonly displacement: number;
  /** Unit of offsets and counts. */
  readonly etype: Datatype;
  /** What is repeated. */
  readonly filetype: Datatype;
  readonly #offset: number;
  readonly #blockLength: number;
  readonly #levels: readonly { stride: number; count: number }[];

  /**
   * @throws `DaosError` `DER_INVAL` if the file type does not consist of whole elementary types,
   *   or is no regular pattern of increasing offsets.
   */
  constructor({ displacement, etype, filetype }: ViewOptions) {
    if (!Number.isSafeInteger(displacement) || displacement < 0) {
      throw invalid(`the displacement is ${displacement}`, "give a number of bytes, 0 or more");
    }
    if (etype.size === 0 || etype.size !== etype.extent) {
      throw invalid(
        "the elementary type has gaps or no bytes",
        "use a type such as Datatype.DOUBLE",
      );
    }
    const { layout } = filetype;
    if (layout === undefined) {
      const remedy = "use a file type whose blocks have increasing offsets and do not overlap";
      throw invalid("the file type is no regular pattern", remedy);
    }
    if (filetype.size === 0 || filetype.size % etype.size !== 0) {
      const why = `the file type has ${filetype.size} bytes, no multiple of ${etype.size}`;
      throw invalid(why, "build the file type from the elementary type");
    }
    if (displacement + layout.offset < 0) {
      throw invalid("the view begins before the file", "raise the displacement");
    }
    this.displacement = displacement;
    this.etype = etype;
    this.filetype = filetype;
    this.#offset = layout.offset;
    this.#blockLength = layout.blockLength;
    this.#levels = layout.levels;
  }

  /** The whole file as bytes: the view of a file that has just been opened. */
  static bytes(): FileView {
    return new FileView({ displacement: 0, etype: Datatype.BYTE, filetype: Datatype.BYTE });
  }

  /**
   * The file bytes of a range of the stream.
   *
   * @param offset First element, in elementary types.
   * @param size Length in bytes.
   * @throws `DaosError` `DER_INVAL` if it leaves the file, or repetitions of the file type overlap.
   */
  range(offset: number, size: number): PatternRange {
    const start = offset * this.etype.size;
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(start) || start < 0) {
      const text = { what: "Accessing a file", why: `the offset is ${offset}` };
      throw new DaosError("DER_INVAL", { ...text, remedy: "give a whole number, 0 or more" });
    }
    const { size: tileSize, extent } = this.filetype;
    const first = this.displacement + this.#offset;
    if (tileSize === extent && this.#levels.length === 0) {
      return contiguous(first + start, size);
    }
    const firstTile = Math.floor(start / tileSize);
    const tiles = Math.max(1, Math.ceil((start + size) / tileSize) - firstTile);
    const levels = [...this.#levels, { stride: extent, count: tiles }];
    const shape = { start: first + firstTile * extent, blockLength: this.#blockLength, levels };
    const pattern = new Pattern(shape);
    const from = start - firstTile * tileSize;
    return { pattern, from, to: from + size };
  }

  /** Bytes of the stream that lie before a file offset. */
  streamSize(fileSize: number): number {
    const relative = fileSize - this.displacement - this.#offset;
    if (relative <= 0) return 0;
    const { size: tileSize, extent } = this.filetype;
    const tiles = Math.floor(relative / extent);
    const shape = { start: 0, blockLength: this.#blockLength, levels: this.#levels };
    const inTile = new Pattern(shape).packedAtOrAfter(relative - tiles * extent);
    return tiles * tileSize + inTile;
  }
}

function contiguous(start: number, size: number): PatternRange {
  return { pattern: Pattern.contiguous(start, start + Math.max(size, 1)), from: 0, to: size };
}
