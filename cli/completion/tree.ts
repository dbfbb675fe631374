/**
 * What can be completed: the commands of a program with their words and options, without the library.
 *
 * @module
 */

import type { Command } from "commander";

/** A command as a shell sees it. */
export interface CompletionNode {
  /** The words that lead to it: ["pool", "query"]; none for the program. */
  readonly path: readonly string[];
  readonly summary: string;
  /** Names and aliases of the commands below it. */
  readonly children: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly CompletionOption[];
}

/** An option as a shell sees it. */
export interface CompletionOption {
  readonly long: string;
  readonly short: string | undefined;
  readonly description: string;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  /** The values, if they are known. */
  readonly choices: readonly string[];
}

const HELP: CompletionOption = {
  long: "--help",
  short: "-h",
  description: "display help",
  takesValue: false,
  choices: [],
};

function summaryOf(command: Command): string {
  return command.summary() || command.description();
}

/** All commands of a program, itself first; a command with an alias once for each name. */
export function completionTree(command: Command, path: readonly string[] = []): CompletionNode[] {
  const visible = command.commands;
  const children = visible.flatMap((child) =>
    [child.name(), ...child.aliases()].map((name) => ({ name, summary: summaryOf(child) })),
  );
  const options = command.options.map((option) => ({
    long: option.long ?? option.short ?? "",
    short: option.short,
    description: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  }));
  const node = { path, summary: summaryOf(command), children, options: [...options, HELP] };
  const below = visible.flatMap((child) =>
    [child.name(), ...child.aliases()].flatMap((name) => completionTree(child, [...path, name])),
  );
  return [node, ...below];
}
