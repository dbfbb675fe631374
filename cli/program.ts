/**
 * What the programs `daos` and `dmg` share: groups of verbs, errors of the command line, pipes that
 * close early.
 *
 * @module
 */

import { Command, CommanderError } from "commander";
import { DaosError } from "../core/index.js";
import { completionVerb } from "./completion/verb.js";
import { ExitStatus } from "./exit-status.js";
import { hasColours } from "./output/output.js";
import { object, text } from "./output/schema.js";
import { packageVersion } from "./package-root.js";
import { type AnyVerb, addVerb, defineVerb, fail, nameOf } from "./verb.js";

/** Verbs with a noun in front: `daos pool ...`. */
export interface Group {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly verbs: readonly AnyVerb[];
  /** Groups below it: `dmg storage query usage`. */
  readonly groups?: readonly Group[];
}

/** What a program is made of. */
export interface ProgramOptions {
  readonly name: string;
  readonly description: string;
  readonly groups: readonly Group[];
  /** Verbs without a noun. */
  readonly verbs: readonly AnyVerb[];
}

const versionVerb: AnyVerb = defineVerb({
  name: "version",
  summary: "print the version",
  examples: ["daos version"],
  schema: object({ version: text("Version of the package") }),
  run: () => ({ version: packageVersion() }),
  print: ({ version }, output) => output.line(version),
});

/** Makes a program. */
export function makeProgram({ name, description, groups, verbs }: ProgramOptions): Command {
  const program = new Command(name)
    .description(description)
    .version(packageVersion())
    .option("-j, --json", "print answers as JSON")
    .helpCommand(true)
    .showSuggestionAfterError(true);
  for (const group of groups) addGroup(program, group);
  for (const verb of verbs) addVerb(program, verb);
  addVerb(program, versionVerb);
  addVerb(program, completionVerb(program));
  configure(program);
  return program;
}

function addGroup(
  parent: Command,
  { name, aliases = [], summary, verbs, groups = [] }: Group,
): void {
  const command = parent
    .command(name)
    .aliases([...aliases])
    .description(summary);
  for (const verb of verbs) addVerb(command, verb);
  for (const group of groups) addGroup(command, group);
}

/** Errors are thrown, not printed: `run` prints them in the form of all others. */
function configure(command: Command): void {
  command.exitOverride();
  command.configureOutput({
    writeErr: () => undefined,
    getOutHasColors: () => hasColours(process.stdout),
  });
  command.configureHelp({
    styleTitle: (title) => `\u001b[1m${title}\u001b[0m`,
    styleCommandText: (word) => `\u001b[36m${word}\u001b[0m`,
    styleOptionTerm: (word) => `\u001b[33m${word}\u001b[0m`,
    subcommandTerm: (child) => child.name(),
  });
  command.commands.forEach(configure);
}

/** The command that a command line leads to, as far as it can be told. */
function commandOf(program: Command, words: readonly string[]): Command {
  let at = program;
  for (const word of words) {
    if (word.startsWith("-")) continue;
    const next = at.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (next === undefined) break;
    at = next;
  }
  return at;
}

/** Runs a program on the words of this process. */
export async function runProgram(program: Command): Promise<void> {
  // `daos ... | head` ends the program, without an error: nobody reads any more.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(ExitStatus.ok);
    throw error;
  });
  const words = process.argv.slice(2);
  const json = words.includes("--json") || words.includes("-j");
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(error, json);
    // Help and version end by an error too.
    if (error.exitCode === 0) return;
    const command = commandOf(program, words);
    if (error.code === "commander.help") {
      process.stderr.write(command.helpInformation());
      process.exitCode = ExitStatus.usage;
      return;
    }
    const name = nameOf(command);
    const why = error.message.replace(/^error: /, "").replaceAll("\n", " ");
    const text = {
      what: `Reading the command line of "${name}"`,
      why: why.replace(/\.$/, ""),
      remedy: `see "${name} --help"`,
    };
    fail(new DaosError("DER_INVAL", text), json);
  }
}
