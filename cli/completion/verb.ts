/**
 * `daos completion <shell>`: prints a script that completes the program's words and options.
 *
 * @module
 */

import type { Command } from "commander";
import { DaosError } from "../../core/index.js";
import { choice, object, text } from "../output/schema.js";
import { type AnyVerb, defineVerb } from "../verb.js";
import { bashCompletion } from "./bash.js";
import { fishCompletion } from "./fish.js";
import { completionTree } from "./tree.js";
import { zshCompletion } from "./zsh.js";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;
type Shell = keyof typeof SHELLS;
const NAMES = Object.keys(SHELLS) as Shell[];

function shellOf(word: string | undefined): Shell {
  const shell = NAMES.find((name) => name === word);
  if (shell !== undefined) return shell;
  const what = `Writing completion for "${word}"`;
  const why = "this shell is not known here";
  throw new DaosError("DER_INVAL", { what, why, remedy: `choose one of ${NAMES.join(", ")}` });
}

/** The verb for one program. */
export function completionVerb(program: Command): AnyVerb {
  const name = program.name();
  return defineVerb({
    name: "completion",
    summary: "print a script that completes commands in bash, zsh or fish",
    operands: [{ name: "shell", kind: "text", description: "bash, zsh or fish" }],
    examples: [
      `source <(${name} completion bash)`,
      `${name} completion zsh > "\${fpath[1]}/_${name}"`,
      `${name} completion fish > ~/.config/fish/completions/${name}.fish`,
    ],
    schema: object({ shell: choice(NAMES, "The shell"), script: text("The script") }),
    run: ({ words }) => {
      const shell = shellOf(words[0]);
      return { shell, script: SHELLS[shell](name, completionTree(program)) };
    },
    print: ({ script }) => process.stdout.write(script),
  });
}
