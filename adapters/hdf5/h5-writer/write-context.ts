/**
 * What all parts of a file under way share.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import { DaosError } from "../../../core/index.js";
import type { TargetFile } from "../../local/target-file.js";
import type { ElementWriter } from "./elements.js";
import type { GlobalHeapWriter } from "./global-heap.js";
import type { ObjectTable } from "./object-table.js";
import type { WriteCounts } from "./write-report.js";

/** What all parts of a file under way share. */
export interface WriteContext {
  readonly target: TargetFile;
  readonly heap: GlobalHeapWriter;
  readonly objects: ObjectTable;
  readonly elements: ElementWriter;
  readonly counts: WriteCounts;
  /** Memory that boxes and chunks are read into, again and again. */
  readonly memory: Uint8Array;
  /** Says that bytes of elements were copied, and lets timers and signals run. */
  advance(bytes: number): Promise<void>;
}

/** Throws if the work is to end. */
export function checkSignal(signal: AbortSignal | undefined, path: string): void {
  if (signal === undefined || !signal.aborted) return;
  const text = {
    what: `Writing ${path}`,
    why: "it was aborted",
    remedy: "write it again; nothing was left behind",
  };
  throw new DaosError("DER_CANCELED", text, { path }, signal.reason);
}

/** Lets timers and signals run. */
export const breathe = (): Promise<void> => setImmediate();
