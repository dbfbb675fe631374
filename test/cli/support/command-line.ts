/**
 * Runs the built programs as users do: by their main modules and a command line, judged by what they print and
 * their status. Where nothing of the process matters, one process runs them all.
 *
 * @module
 */

import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { type Outcome, plainEnvironment, runProgram } from "../../support/processes.ts";
import { root } from "../../support/root.ts";
import { runResident } from "./resident.ts";

/** The two programs. */
export type Program = "daos" | "dmg";

/** What `--json` prints. */
export interface Envelope {
  // biome-ignore lint/suspicious/noExplicitAny: each verb answers another shape, which its schema checks.
  readonly response: any;
  readonly error: null | {
    readonly code: string;
    readonly number: number;
    readonly what: string;
    readonly why: string;
    readonly remedy: string;
    readonly exitStatus: number;
  };
  readonly status: number;
}

/** Path of a built program. */
export function programFile(program: Program): string {
  return join(root, "dist", "cli", `${program}.js`);
}

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
}

/** Runs a program: in a process of its own, if the options say anything of it. */
export function run(program: Program, args: readonly string[], options?: RunOptions): Outcome {
  if (options === undefined) return runResident(programFile(program), args);
  const { env = {}, ...rest } = options;
  const all = [programFile(program), ...args];
  return runProgram(process.execPath, all, { env: plainEnvironment(env), ...rest });
}

/** The same; throws unless it ends with status 0. Returns what it printed. */
export function runWell(program: Program, args: readonly string[], options?: RunOptions): string {
  const { status, stdout, stderr } = run(program, args, options);
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(" ")}: status ${status}\n${stdout}\n${stderr}`);
}

/** The help of each verb by its words, found by walking the commands that the help of their nouns names. */
export function helpOfVerbs(
  program: Program,
  path: readonly string[] = [],
): ReadonlyMap<string, string> {
  const help = runWell(program, [...path, "--help"]);
  const [, list] = help.split("\nCommands:\n");
  if (list === undefined) return new Map([[path.join(" "), help]]);
  const names = list.split("\n").map((line) => /^ {2}(\S+)/.exec(line)?.[1]);
  const below = names.filter((name): name is string => name !== undefined && name !== "help");
  return new Map(below.flatMap((name) => [...helpOfVerbs(program, [...path, name])]));
}

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
const validators = new Map<string, ReturnType<Ajv2020["compile"]>>();
function validatorOf(program: Program, verb: readonly string[]) {
  const name = [program, ...verb].join(" ");
  let validator = validators.get(name);
  if (validator === undefined) {
    const schema = JSON.parse(runWell(program, [...verb, "--json-schema"]));
    // One that allows anything would find nothing.
    const [response] = schema.properties.response.anyOf;
    if (response.type !== "object" || response.additionalProperties !== false) {
      throw new Error(`the schema of ${name} is open`);
    }
    validator = ajv.compile(schema);
    validators.set(name, validator);
  }
  return validator;
}

/**
 * Runs a verb with `--json` and checks its answer against the verb's own schema.
 *
 * @param verb The words that lead to it: ["pool", "query"].
 * @returns The envelope, and the exit status.
 */
export function runJson(
  program: Program,
  verb: readonly string[],
  args: readonly string[] = [],
  options?: RunOptions,
): Envelope & { readonly exitStatus: number | undefined } {
  const { status, stdout, stderr } = run(program, [...verb, ...args, "--json"], options);
  let envelope: Envelope;
  try {
    envelope = JSON.parse(stdout);
  } catch {
    throw new Error(`${program} ${verb.join(" ")} printed no JSON: ${stdout}\n${stderr}`);
  }
  const validator = validatorOf(program, verb);
  if (!validator(envelope)) {
    const text = ajv.errorsText(validator.errors);
    throw new Error(`${program} ${verb.join(" ")} answers against its schema: ${text}\n${stdout}`);
  }
  if (stderr !== "") throw new Error(`${program} ${verb.join(" ")} --json: ${stderr}`);
  return { ...envelope, exitStatus: status };
}

/** The response of a verb that must do well. */
export function answerOf(...args: Parameters<typeof runJson>): Envelope["response"] {
  const { response, error, exitStatus } = runJson(...args);
  if (exitStatus === 0 && error === null) return response;
  throw new Error(`status ${exitStatus}: ${JSON.stringify(error)}`);
}
