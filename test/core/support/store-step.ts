/**
 * The steps that a store and its model are taken through.
 *
 * @module
 */

import type { KeyCondition, PatternRange } from "daos-ts";

/** What a step may refer to: indices are taken modulo what there is. */
export type Step =
  | { type: "begin"; handle: number }
  | { type: "write"; tx: number; array: number; range: PatternRange }
  | {
      type: "put";
      tx: number;
      object: number;
      key: number;
      akey: number;
      size: number;
      punch: boolean;
      condition: KeyCondition;
    }
  | { type: "punch"; tx: number; array: number }
  | { type: "punchRange"; tx: number; array: number; range: PatternRange }
  | { type: "punchDkey"; tx: number; object: number; key: number; condition: "none" | "update" }
  | {
      type: "records";
      tx: number;
      object: number;
      key: number;
      start: number;
      count: number;
      punch: boolean;
      condition: KeyCondition;
    }
  | { type: "commit"; tx: number }
  | { type: "abort"; tx: number }
  | { type: "collective" }
  | { type: "update"; handle: number; array: number; range: PatternRange; key: number }
  | { type: "view"; handle: number; epoch: number }
  | { type: "closeView"; view: number }
  | { type: "readOwn"; tx: number; array: number }
  | { type: "snapshot"; handle: number; name: number; epoch: number }
  | { type: "destroySnapshot"; handle: number; name: number }
  | { type: "viewSnapshot"; handle: number; name: number }
  | { type: "rollback"; handle: number; epoch: number }
  | { type: "aggregate"; handle: number }
  | { type: "reopen"; handle: number };
