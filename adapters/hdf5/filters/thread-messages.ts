/**
 * What goes to a thread of filters, and comes back.
 *
 * @module
 */

import type { DaosErrorCode, ErrorFacts, ErrorText } from "../../../core/errors.js";
import type { Pipeline } from "./filter.js";

/** A chunk to be filtered; its memory goes to the thread. */
export interface FilterRequest {
  readonly number: number;
  readonly isEncoding: boolean;
  readonly pipeline: Pipeline;
  readonly bytes: Uint8Array;
  /** Filters that were left out, of a chunk that is decoded. */
  readonly filterMask: number;
}

/** The chunk, whose memory comes back; or why there is none. */
export type FilterAnswer =
  | { readonly number: number; readonly bytes: Uint8Array; readonly filterMask: number }
  | {
      readonly number: number;
      readonly code: DaosErrorCode;
      readonly text: ErrorText;
      readonly facts: ErrorFacts;
    };
