/**
 * What `--json` prints, in the shape of DAOS's own tools, and how failures are told to people.
 *
 *     { "response": ..., "error": null, "status": 0 }
 *     { "response": null, "error": { "code": "DER_NONEXIST", ... }, "status": -1005 }
 *
 * A verb that did a part of its work has both a response and an error.
 *
 * @module
 */

import { type DaosError, isDaosError } from "../../core/index.js";
import { coloured } from "./output.js";
import { integer, object, type Schema, text } from "./schema.js";

/** A failure, for programs. */
export interface EnvelopeError {
  /** Stable code: `DER_NONEXIST`; `UNEXPECTED` for a bug. */
  readonly code: string;
  /** DAOS's number of the code; 0 for a bug. */
  readonly number: number;
  /** What was attempted. */
  readonly what: string;
  /** Why it failed. */
  readonly why: string;
  /** What to do. */
  readonly remedy: string;
  /** The exit status of the program. */
  readonly exitStatus: number;
}

/** The schema of a verb's envelope, around that of its response. */
export function envelopeSchema(response: Schema): Record<string, unknown> {
  const error = object({
    code: text("Stable code, such as DER_NONEXIST"),
    number: integer("DAOS's number of the code"),
    what: text("What was attempted"),
    why: text("Why it failed"),
    remedy: text("What to do about it"),
    exitStatus: integer("Exit status of the program"),
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: {
      response: { anyOf: [response.json, { type: "null" }] },
      error: { anyOf: [error.json, { type: "null" }] },
      status: { type: "integer", maximum: 0, description: "0, or minus the number of the error" },
    },
    required: ["response", "error", "status"],
    additionalProperties: false,
  };
}

/** What is told of a failure. */
export function describeError(error: unknown, exitStatus: number): EnvelopeError {
  if (isDaosError(error)) {
    const { code, errno, text: parts } = error as DaosError;
    const { what, why, remedy } = parts;
    return { code, number: errno, what, why, remedy, exitStatus };
  }
  const why = error instanceof Error ? error.message : String(error);
  const what = "Running this command";
  const remedy = "this is a bug: report it with the command, and what DAOS_DEBUG=1 prints";
  return { code: "UNEXPECTED", number: 0, what, why, remedy, exitStatus };
}

/** Prints the envelope. */
export function printEnvelope(response: unknown, error: EnvelopeError | undefined): void {
  const status = error === undefined ? 0 : error.number === 0 ? -1 : -error.number;
  const envelope = { response: response ?? null, error: error ?? null, status };
  process.stdout.write(`${JSON.stringify(envelope, undefined, 2)}\n`);
}

/** Prints a failure for people: what failed, why, what to do. */
export function printError(error: EnvelopeError): void {
  const { what, why, remedy, code } = error;
  const mark = coloured("red", "error:", process.stderr);
  const advice = remedy.charAt(0).toUpperCase() + remedy.slice(1);
  const number = error.number === 0 ? "" : `(${error.number})`;
  process.stderr.write(`${mark} ${what} failed: ${why}.\n`);
  process.stderr.write(`${coloured("cyan", "  do:", process.stderr)}  ${advice}.\n`);
  process.stderr.write(`${coloured("dim", `  code: ${code}${number}`, process.stderr)}\n`);
}
