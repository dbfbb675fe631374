/**
 * What the thread with libhdf5 is asked, and answers.
 *
 * @module
 */

/** A box of elements of a dataset. */
export interface ReadRequest {
  readonly number: number;
  /** Path of the dataset in the file. */
  readonly path: string;
  readonly start: readonly number[];
  readonly shape: readonly number[];
  /** Bytes of the elements. */
  readonly size: number;
}

/** Its elements, numbers little-endian; or why there are none. */
export type ReadAnswer =
  | { readonly number: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly number: number; readonly why: string };
