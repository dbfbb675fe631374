/**
 * What an import did, and what of the source it could not carry over.
 *
 * @module
 */

import type { Epoch } from "../../../core/index.js";

/** Notes that are kept; all are counted. */
const NOTES_MAX = 1000;

/** Something that is other in the copy than in the source. */
export interface ImportNote {
  /** The object, from the root of the file; an attribute behind `@`. */
  readonly path: string;
  /** Stable code: `DER_NOSYS` for what is not supported. */
  readonly code: string;
  /** What is other, and why. */
  readonly why: string;
}

/** What was copied. */
export interface ImportReport {
  /** The version at which all of it appeared. */
  readonly epoch: Epoch;
  /** The root included. */
  readonly groups: number;
  /** How many. */
  readonly datasets: number;
  /** Committed ones. */
  readonly datatypes: number;
  /** Of all kinds. */
  readonly links: number;
  /** Of all objects. */
  readonly attributes: number;
  /** Bytes of elements, as they are stored. */
  readonly bytes: number;
  /** The first 1,000 things that are other than in the source. */
  readonly notes: readonly ImportNote[];
  /** How many there are. */
  readonly noteCount: number;
}

/** Counts while an import goes on. */
export class ImportCounts {
  groups = 0;
  datasets = 0;
  datatypes = 0;
  links = 0;
  attributes = 0;
  bytes = 0;
  noteCount = 0;
  readonly notes: ImportNote[] = [];

  note(path: string, code: string, why: string): void {
    this.noteCount++;
    if (this.notes.length < NOTES_MAX) this.notes.push({ path, code, why });
  }

  report(epoch: Epoch): ImportReport {
    const { groups, datasets, datatypes, links, attributes, bytes, notes, noteCount } = this;
    return { epoch, groups, datasets, datatypes, links, attributes, bytes, notes, noteCount };
  }
}
