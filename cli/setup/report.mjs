/**
 * What the set-up says: one line per step, and one way to stop.
 *
 *     set-up: npm packages: present
 *     set-up: native parts: building storage.node
 *
 * A step that cannot go on throws a {@link SetupError}, which carries what was attempted, why it failed and what
 * to do about it. Anything else that escapes is a bug of the set-up and is shown with its stack.
 *
 * @module
 */

/** A failure that the reader of the terminal can do something about. */
export class SetupError extends Error {
  /**
   * @param {string} message What was attempted and why it failed.
   * @param {string[]} remedy Lines that say what to do, printed as they are.
   */
  constructor(message, remedy) {
    super(message);
    this.name = "SetupError";
    this.remedy = remedy;
  }
}

/**
 * Prints one line about a step.
 *
 * @param {string} step The noun of the step, such as "npm packages".
 * @param {string} text What was found or is being done.
 */
export function say(step, text) {
  process.stdout.write(`set-up: ${step}: ${text}\n`);
}

/**
 * Prints something that works less well than it could, on standard error so that it survives a redirect.
 *
 * @param {string} step The noun of the step.
 * @param {string[]} lines The notice.
 */
export function notice(step, lines) {
  process.stderr.write(`set-up: ${step}: NOTICE: ${lines.join("\n    ")}\n`);
}

/**
 * Waits for steps that run side by side, each to its end: none is cut off in its middle because another failed.
 *
 * @template Result
 * @param {Promise<Result>[]} steps The steps, started.
 * @returns {Promise<Result[]>} What they returned.
 * @throws What the step threw that failed; an AggregateError of it all if several did.
 */
export async function allDone(steps) {
  const outcomes = await Promise.allSettled(steps);
  const errors = outcomes.flatMap(({ status, reason }) => (status === "rejected" ? [reason] : []));
  if (errors.length > 1) throw new AggregateError(errors, "Several steps of the set-up failed.");
  if (errors.length === 1) throw errors[0];
  return outcomes.map(({ value }) => value);
}

/**
 * Prints a failure, or each of an AggregateError, and returns the exit status that goes with it.
 *
 * @param {unknown} error Whatever was thrown.
 * @returns {number} Always 1.
 */
export function reportFailure(error) {
  if (error instanceof AggregateError) {
    for (const part of error.errors) reportFailure(part);
    return 1;
  }
  if (error instanceof SetupError) {
    process.stderr.write(`\nset-up: FAILED: ${error.message}\n`);
    for (const line of error.remedy) process.stderr.write(`    ${line}\n`);
  } else {
    const text = error instanceof Error ? error.stack : String(error);
    process.stderr.write(`\nset-up: FAILED, and this is a bug of the set-up itself:\n${text}\n`);
  }
  return 1;
}
