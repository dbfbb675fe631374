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
 * Prints a failure and returns the exit status that goes with it.
 *
 * @param {unknown} error Whatever was thrown.
 * @returns {number} Always 1.
 */
export function reportFailure(error) {
  if (error instanceof SetupError) {
    process.stderr.write(`\nset-up: FAILED: ${error.message}\n`);
    for (const line of error.remedy) process.stderr.write(`    ${line}\n`);
  } else {
    const text = error instanceof Error ? error.stack : String(error);
    process.stderr.write(`\nset-up: FAILED, and this is a bug of the set-up itself:\n${text}\n`);
  }
  return 1;
}
