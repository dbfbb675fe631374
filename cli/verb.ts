/**
 * A verb of the command line: what it takes, what it answers, an example, and what it does.
 *
 *     parse ─▶ find pool and container ─▶ run ─▶ print: JSON envelope, table or rows
 *                          │                │
 *                          └────────────────┴──▶ failure: what, why, what to do; exit status
 *
 * Each verb is a {@link Verb} in a file of its own group; this module gives all of them the same
 * options, help, errors and output.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { isDfsError } from "daos-ts/dfs";
import { DaosError, isDaosError } from "../core/index.js";
import { ExitStatus, exitStatusOf } from "./exit-status.js";
import { type Address, findAddress, poolRoots } from "./location.js";
import { describeError, envelopeSchema, printEnvelope, printError } from "./output/envelope.js";
import { Output } from "./output/output.js";
import type { Schema, Value } from "./output/schema.js";

/** What a word of the command line is. `pool` and `container` are found before the verb runs. */
export type OperandKind = "pool" | "container" | "address" | "text";

/** A word that a verb takes. */
export interface Operand {
  /** Its name in the help: `pool`. */
  readonly name: string;
  readonly kind: OperandKind;
  /** Whether it may be left out. */
  readonly isOptional?: boolean;
  /** Whether it stands for all that follow. */
  readonly isRepeated?: boolean;
  readonly description: string;
}

/** What a verb is called with. */
export interface Call<Options = Record<never, never>> {
  /** Directory of the pool, if the verb takes one. */
  readonly pool: string;
  /** Label or UUID of the container, if the verb takes one. */
  readonly container: string;
  /** What the address names, if the verb takes one. */
  readonly address: Address;
  /** The other words, in order. */
  readonly words: readonly string[];
  /** Where pools are looked for. */
  readonly roots: readonly string[];
  readonly options: Options;
  readonly output: Output;
  /** Reports a failure beside the response: a part was done, or the answer itself is bad news. */
  readonly report: (error: DaosError) => void;
}

/** A verb. */
export interface Verb<Answer = unknown, Options = never> {
  /** `query`. */
  readonly name: string;
  /** Other names. */
  readonly aliases?: readonly string[];
  /** One line, without a final period. */
  readonly summary: string;
  /** More for its help. */
  readonly description?: string;
  readonly operands?: readonly Operand[];
  readonly options?: readonly Option[];
  /** At least one, with `$` left out. */
  readonly examples: readonly string[];
  /** Of the answer. */
  readonly schema: Schema<Answer>;
  readonly run: (call: Call<Options>) => Answer | Promise<Answer>;
  /** Prints the answer for people and pipes. */
  readonly print: (answer: Answer, output: Output, options: Options) => void;
}

/** Defines a verb; the compiler checks that it answers what its schema says. */
export function defineVerb<S extends Schema, Options = Record<never, never>>(
  verb: Omit<Verb<Value<S>, Options>, "schema"> & { readonly schema: S },
): AnyVerb {
  return verb as unknown as AnyVerb;
}

/** A verb of any answer. */
export type AnyVerb = Verb<unknown, Record<string, unknown>>;

/** The operands of most verbs. */
export const poolOperand: Operand = {
  name: "pool",
  kind: "pool",
  description: "directory, label or UUID of the pool, or daos://<pool>",
};
/** The container of a pool. */
export const containerOperand: Operand = {
  name: "container",
  kind: "container",
  description:
    "label or UUID of the container; or leave it out, and write daos://<pool>/<container>",
};
/** The two that most verbs of a container begin with. */
export const poolAndContainer: readonly Operand[] = [poolOperand, containerOperand];
/** A path in a container. */
export const addressOperand: Operand = {
  name: "address",
  kind: "address",
  description: "daos://<pool>/<container>/<path>, or the same below the pool's directory",
};

/** An option of a verb. */
export function option<T>(
  flags: string,
  description: string,
  parse?: (written: string, previous: T) => T,
): Option {
  const made = new Option(flags, description);
  return parse === undefined ? made : made.argParser(parse);
}

const verbsOfCommands = new WeakMap<Command, AnyVerb>();

/** The verb of a command, for tests and completion. */
export function verbOf(command: Command): AnyVerb | undefined {
  return verbsOfCommands.get(command);
}

function usageOf(operands: readonly Operand[]): string {
  const words = operands.map(({ name, isOptional, isRepeated }) => {
    const word = isRepeated === true ? `${name}...` : name;
    return isOptional === true ? `[${word}]` : `<${word}>`;
  });
  return ["[options]", ...words].join(" ");
}

/** Puts a verb below a group of a program. */
export function addVerb(parent: Command, verb: AnyVerb): Command {
  const { operands = [], options = [], examples } = verb;
  const command = parent
    .command(verb.name)
    .aliases([...(verb.aliases ?? [])])
    .summary(verb.summary)
    .description(verb.description === undefined ? verb.summary : verb.description)
    .usage(usageOf(operands))
    .allowExcessArguments();
  for (const one of options) command.addOption(one);
  command.addOption(new Option("-j, --json", "print the answer as JSON"));
  command.addOption(new Option("-q, --quiet", "show no progress"));
  command.addOption(new Option("--json-schema", "print the JSON schema of the answer, and stop"));
  if (operands.some(({ kind }) => kind !== "text")) {
    const roots = new Option("--pool-root <directory>", "where pools are looked for by name");
    const collect = (root: string, roots: string[] = []) => [...roots, root];
    command.addOption(roots.argParser(collect));
  }
  command.addHelpText("after", helpAfter(operands, examples));
  command.action(() => runVerb(command, verb));
  verbsOfCommands.set(command, verb);
  return command;
}

function helpAfter(operands: readonly Operand[], examples: readonly string[]): string {
  const width = Math.max(0, ...operands.map(({ name }) => name.length)) + 2;
  const lines = operands.map(({ name, description }) => `  ${name.padEnd(width)}${description}`);
  const title = examples.length === 1 ? "Example:" : "Examples:";
  return [
    ...(lines.length === 0 ? [] : ["", "Arguments:", ...lines]),
    "",
    title,
    ...examples.map((example) => `  ${example}`),
  ].join("\n");
}

/** An error of the command line itself. */
export function usageError(command: Command, why: string): DaosError {
  const name = nameOf(command);
  const what = `Reading the command line of "${name}"`;
  return new DaosError("DER_INVAL", { what, why, remedy: `see "${name} --help"` });
}

/** The words that lead to a command: "daos pool query". */
export function nameOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  return names.join(" ");
}

async function runVerb(command: Command, verb: AnyVerb): Promise<void> {
  const options = command.optsWithGlobals() as Record<string, unknown>;
  if (options.jsonSchema === true) {
    process.stdout.write(`${JSON.stringify(envelopeSchema(verb.schema), undefined, 2)}\n`);
    return;
  }
  const output = new Output({ json: options.json === true, quiet: options.quiet === true });
  let answer: unknown;
  let failure: DaosError | undefined;
  try {
    const call = bindOperands(command, verb, options);
    const report = (error: DaosError) => {
      failure ??= error;
    };
    answer = await verb.run({ ...call, options, output, report });
  } catch (error) {
    return fail(error, output.json);
  }
  if (output.json) {
    const status = failure && exitStatusOf(failure);
    printEnvelope(answer, failure && describeError(failure, status ?? 0));
  } else {
    verb.print(answer, output, options);
    if (failure !== undefined) printError(describeError(failure, exitStatusOf(failure)));
  }
  if (failure !== undefined) process.exitCode = exitStatusOf(failure);
}

/** Prints a failure and sets the exit status. */
export function fail(error: unknown, json: boolean): void {
  const known = daosFailure(error);
  const status = exitStatusOf(known);
  const described = describeError(known, status);
  if (json) printEnvelope(undefined, described);
  else printError(described);
  if (process.env.DAOS_DEBUG === "1" && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
  process.exitCode = status;
}

/** A failure as a `DaosError`, whoever noticed it; a bug as it is. */
function daosFailure(error: unknown): unknown {
  if (isDfsError(error)) return new DaosError(error.daosCode, error.text, error.facts, error);
  return isDaosError(error) ? error : systemFailure(error);
}

/** The kinds of failures of the file system, which verbs that read and write files meet. */
const SYSTEM_CODES: Readonly<Record<string, "DER_NONEXIST" | "DER_NO_PERM" | "DER_EXIST">> = {
  ENOENT: "DER_NONEXIST",
  ENOTDIR: "DER_NONEXIST",
  EACCES: "DER_NO_PERM",
  EPERM: "DER_NO_PERM",
  EROFS: "DER_NO_PERM",
  EEXIST: "DER_EXIST",
};

/** A failure of a system call as a `DaosError`; others as they are. */
export function systemFailure(error: unknown): unknown {
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  if (typeof code !== "string" || syscall === undefined) return error;
  const what = path === undefined ? `The call ${syscall}` : `The call ${syscall} on ${path}`;
  const why = (error as Error).message;
  if (code === "ENOSPC" || code === "EDQUOT") {
    const remedy = "free space on that file system, then run the same command again";
    return new DaosError("DER_NOSPACE", { what, why, remedy }, { system: code }, error);
  }
  const remedy = "correct the path or its permissions, then run the same command again";
  const known = SYSTEM_CODES[code] ?? "DER_IO";
  return new DaosError(known, { what, why, remedy }, { system: code }, error);
}

/** Takes the words of a command line apart. */
function bindOperands(
  command: Command,
  verb: AnyVerb,
  options: Record<string, unknown>,
): Pick<Call, "pool" | "container" | "address" | "words" | "roots"> {
  const roots = poolRoots((options.poolRoot as string[] | undefined) ?? []);
  const pending = [...command.args];
  const words: string[] = [];
  let address: Address | undefined;
  let container: string | undefined;
  for (const { name, kind, isOptional, isRepeated } of verb.operands ?? []) {
    // The address of the pool may have named the container already.
    if (kind === "container" && address?.container !== undefined) {
      container = address.container;
      continue;
    }
    if (pending.length === 0 && isOptional !== true) {
      throw usageError(command, `<${name}> is missing`);
    }
    const word = isRepeated === true ? undefined : pending.shift();
    if (isRepeated === true) words.push(...pending.splice(0));
    else if (word === undefined) continue;
    else if (kind === "pool") address = findAddress(word, roots);
    else if (kind === "address") address = findAddress(word, roots);
    else if (kind === "container") container = word;
    else words.push(word);
  }
  if (pending.length > 0) throw usageError(command, `there is a word too many: "${pending[0]}"`);
  requireExact(command, verb, address);
  return {
    roots,
    words,
    pool: address?.pool ?? "",
    container: container ?? "",
    address: address ?? { pool: "", container: undefined, path: "" },
  };
}

/** Refuses an address that says more than the verb looks at. */
function requireExact(command: Command, verb: AnyVerb, address: Address | undefined): void {
  const kinds = (verb.operands ?? []).map(({ kind }) => kind);
  if (address === undefined || kinds.includes("address")) {
    if (address === undefined || address.container !== undefined) return;
    throw usageError(command, "the address names no container");
  }
  const known = kinds.includes("container") ? address.path : (address.container ?? "");
  if (known !== "") throw usageError(command, `the address goes on with "${known}"`);
}

export { ExitStatus };
