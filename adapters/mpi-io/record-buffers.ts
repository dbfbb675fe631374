/**
 * Records that a program reads or writes one call each, at one distance: moved together.
 *
 *     calls     [rec]   [rec]   [rec]   [rec]   ...
 *     place     0       d       2d      3d
 *     moved     one access to { start 0, size, stride d, count 4, ... }
 *
 * Each access to the store costs as much as copying several small records. What a rank has written is kept back
 * until something else happens to the file; what it reads next is fetched ahead, in steps that grow.
 *
 * @module
 */

import { RECORD_BUFFER_SIZE, RECORDS_AHEAD_MIN } from "./limits.js";

/** Records of a view; places and distances are bytes of its stream. */
export interface RecordSeries {
  /** Place of the first record. */
  readonly start: number;
  /** Size of a record, in bytes. */
  readonly size: number;
  /** From the start of one to that of the next; counts if there are several. */
  readonly stride: number;
  readonly count: number;
}

/** From this size on, some processors copy slowly what is not aligned alike; see `copy_bytes` of storage.c. */
const COPY_PIECE_SIZE = 2048;

function copyRecord(target: Uint8Array, at: number, source: Uint8Array, from: number, to: number) {
  for (let start = from; start < to; start += COPY_PIECE_SIZE) {
    const end = Math.min(start + COPY_PIECE_SIZE, to);
    target.set(source.subarray(start, end), at + start - from);
  }
}

/** Records that were written and not handed on. */
export class WriteBehind {
  readonly #write: (series: RecordSeries, bytes: Uint8Array) => void;
  #buffer: Uint8Array | undefined;
  #start = 0;
  #size = 0;
  #stride = 0;
  #count = 0;

  /** @param write Hands records on. */
  constructor(write: (series: RecordSeries, bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /**
   * Takes a record, which is at most as large as the buffer.
   *
   * @param isAnywhere Whether records of a series may lie apart.
   * @throws What handing on others threw.
   */
  put(place: number, record: Uint8Array, isAnywhere: boolean): void {
    const size = record.length;
    if (!this.#goesOn(place, size, isAnywhere)) {
      this.flush();
      this.#start = place;
      this.#size = size;
    } else if (this.#count === 1) this.#stride = place - this.#start;
    this.#buffer ??= new Uint8Array(RECORD_BUFFER_SIZE);
    copyRecord(this.#buffer, this.#count * size, record, 0, size);
    this.#count += 1;
    if ((this.#count + 1) * size > RECORD_BUFFER_SIZE) this.flush();
  }

  #goesOn(place: number, size: number, isAnywhere: boolean): boolean {
    if (this.#count === 0 || size !== this.#size) return false;
    const distance = place - this.#start;
    if (this.#count > 1) return distance === this.#stride * this.#count;
    return isAnywhere ? distance >= size : distance === size;
  }

  /** Hands on what was taken; it is not kept, also if that fails. */
  flush(): void {
    const [start, size, stride, count] = [this.#start, this.#size, this.#stride, this.#count];
    if (count === 0) return;
    this.#count = 0;
    const bytes = (this.#buffer as Uint8Array).subarray(0, size * count);
    this.#write({ start, size, stride, count }, bytes);
  }
}

/** Records that will be read if the program goes on as it does. */
export class ReadAhead {
  readonly #read: (series: RecordSeries, buffer: Uint8Array) => number;
  #buffer: Uint8Array | undefined;
  #size = 0;
  #stride = 0;
  /** Where the last record was read, and how many before it lay at one distance. */
  #last = Number.NaN;
  #streak = 0;
  /** Records in the buffer, and how many of them were taken. */
  #held = 0;
  #taken = 0;

  /** @param read Reads the records of a series that the file has, from the first on; returns how many. */
  constructor(read: (series: RecordSeries, buffer: Uint8Array) => number) {
    this.#read = read;
  }

  /**
   * Fills `record` from what was fetched, and fetches more if a series goes on.
   *
   * @param isAnywhere Whether records of a series may lie apart.
   * @returns Whether it was there; if not, the caller reads it.
   */
  take(place: number, record: Uint8Array, isAnywhere: boolean): boolean {
    const size = record.length;
    const distance = place - this.#last;
    const goesOn = size === this.#size && distance === this.#stride;
    if (goesOn) this.#streak += 1;
    else {
      this.forget();
      this.#size = size;
      this.#stride = isAnywhere && distance >= size ? distance : size;
    }
    this.#last = place;
    if (!goesOn || (this.#taken === this.#held && !this.#fetch(place))) return false;
    const at = this.#taken * size;
    copyRecord(record, 0, this.#buffer as Uint8Array, at, at + size);
    this.#taken += 1;
    return true;
  }

  #fetch(start: number): boolean {
    const size = this.#size;
    const room = Math.floor(RECORD_BUFFER_SIZE / size);
    // As many as were read so far: one that reads few is not charged for many.
    const count = Math.min(room, this.#streak + 1);
    this.#taken = 0;
    this.#held = 0;
    if (count < RECORDS_AHEAD_MIN) return false;
    this.#buffer ??= new Uint8Array(RECORD_BUFFER_SIZE);
    this.#held = this.#read({ start, size, stride: this.#stride, count }, this.#buffer);
    return this.#held > 0;
  }

  /** Drops what was fetched: the file has changed. */
  forget(): void {
    this.#held = 0;
    this.#taken = 0;
    this.#streak = 0;
    this.#last = Number.NaN;
  }
}
