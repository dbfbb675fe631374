/**
 * What the verbs of administration work on: a pool, or a container of one.
 *
 * @module
 */

import { type Administered, Pool } from "../../core/index.js";
import { openContainer } from "../container/open.js";
import { type Call, type Operand, poolAndContainer, poolOperand } from "../verb.js";

/** The two things that have properties, attributes and access control lists. */
export type Noun = "pool" | "container";

/** The words with which a verb begins. */
export function operandsOf(noun: Noun): readonly Operand[] {
  return noun === "pool" ? [poolOperand] : poolAndContainer;
}

/** An example of a verb. */
export function exampleOf(program: string, noun: Noun, verb: string, rest = ""): string {
  const named = noun === "pool" ? "/scratch/run.pool" : "daos://run.pool/results";
  return `${program} ${noun} ${verb} ${named} ${rest}`.trim();
}

/**
 * Opens what a call names, for `work`. A container that a scrub found damaged is opened as well: nothing of
 * its data is read.
 */
export function withHolder<T>(
  noun: Noun,
  call: Pick<Call<unknown>, "pool" | "container">,
  mode: "ro" | "rw",
  work: (holder: Administered) => T,
): T {
  if (noun === "pool") {
    using pool = Pool.connect(call.pool, { mode });
    return work(pool);
  }
  using opened = openContainer(call.pool, call.container, mode, true);
  return work(opened.container);
}
