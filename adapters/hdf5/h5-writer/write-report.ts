/**
 * What a file was written with, and what of the source it does not hold as it was.
 *
 * @module
 */

/** Notes that are kept; all are counted. */
const NOTES_MAX = 1000;

/** Something that is other in the file than in the source. */
export interface WriteNote {
  /** The object, from the root of the file; an attribute behind `@`. */
  readonly path: string;
  /** Stable code: `DER_NONEXIST` for what leads nowhere. */
  readonly code: string;
  /** What is other, and why. */
  readonly why: string;
}

/** What was written. */
export interface WriteH5Report {
  /** Groups, the root included. */
  readonly groups: number;
  /** Datasets. */
  readonly datasets: number;
  /** Committed datatypes. */
  readonly datatypes: number;
  /** Links of all kinds. */
  readonly links: number;
  /** Attributes of all objects. */
  readonly attributes: number;
  /** Bytes of elements, as they are stored. */
  readonly bytes: number;
  /** Bytes of the file. */
  readonly size: number;
  /** The first 1,000 things that are other than in the source. */
  readonly notes: readonly WriteNote[];
  /** How many there are. */
  readonly noteCount: number;
}

/** Counts while a file is written. */
export class WriteCounts {
  groups = 0;
  datasets = 0;
  datatypes = 0;
  links = 0;
  attributes = 0;
  bytes = 0;
  noteCount = 0;
  readonly notes: WriteNote[] = [];

  note(path: string, code: string, why: string): void {
    this.noteCount++;
    if (this.notes.length < NOTES_MAX) this.notes.push({ path, code, why });
  }
}
