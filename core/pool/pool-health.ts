/**
 * The health of containers: what a scrub finds is kept as their status. An embedded pool has one copy of
 * everything, so that all damage is beyond repair.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { getProperty, putProperty } from "../vos/metadata.js";
import type { ScrubReport } from "../vos/scrub.js";
import type { Target } from "../vos/target.js";

/**
 * Refuses a container that a scrub found damaged.
 *
 * @throws {@link DaosError} `DER_RF`.
 */
export function requireHealthy(target: Target, id: number, what: string): void {
  if (getProperty(target.metadata.reader, id, "status") !== "unclean") return;
  const why = "a scrub found damage that nothing can repair";
  const remedy = 'open it with force, save what can be read, or set its status to "healthy"';
  throw new DaosError("DER_RF", { what, why, remedy });
}

function markUnclean(target: Target, label: string): void {
  const { metadata } = target;
  metadata.transact(`Marking container "${label}" as unclean`, (tx) => {
    // Destroyed or renamed meanwhile: the next pass looks again.
    const id = target.findContainer(label)?.id;
    if (id === undefined || getProperty(tx, id, "status") === "unclean") return;
    putProperty(tx, id, "status", "unclean");
  });
}

/** The steps of a scrub; containers in which they found damage are `unclean` before the step is told of. */
export function* markingUnclean(
  target: Target,
  steps: Generator<ScrubReport, void, undefined>,
): Generator<ScrubReport, void, undefined> {
  const marked = new Set<string>();
  for (const step of steps) {
    for (const { container } of step.damages) {
      if (marked.has(container)) continue;
      marked.add(container);
      markUnclean(target, container);
    }
    yield step;
  }
}

/**
 * Refuses what is no size of a step of a scrub.
 *
 * @throws {@link DaosError} `DER_INVAL`.
 */
export function checkStepSize(what: string, stepSize: number): void {
  if (stepSize >= 1) return;
  const text = { what, why: `stepSize is ${stepSize}`, remedy: "give a number of bytes" };
  throw new DaosError("DER_INVAL", text, { stepSize });
}
