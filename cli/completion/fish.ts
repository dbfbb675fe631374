/**
 * Completion for fish: one line for each command and option, with descriptions.
 *
 * @module
 */

import type { CompletionNode } from "./tree.js";

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** A script that `daos completion fish | source` reads. */
export function fishCompletion(program: string, tree: readonly CompletionNode[]): string {
  const lines = tree.flatMap(({ path, children, options }) => {
    const condition = quoted(`__${program}_at ${path.join(" ")}`.trim());
    const words = children.map(
      ({ name, summary }) =>
        `complete -c ${program} -f -n ${condition} -a ${name} -d ${quoted(summary)}`,
    );
    const flags = options.map(({ long, short, description, takesValue, choices }) => {
      const shortFlag = short === undefined || short === long ? "" : ` -s ${short.slice(1)}`;
      const name = long.startsWith("--") ? `-l ${long.slice(2)}` : `-s ${long.slice(1)}`;
      const values = choices.length > 0 ? ` -f -a ${quoted(choices.join(" "))}` : "";
      const value = takesValue ? ` -r${values}` : "";
      return `complete -c ${program} -n ${condition} ${name}${shortFlag}${value} -d ${quoted(description)}`;
    });
    return [...words, ...flags];
  });
  const known = tree.map(({ path }) => path.join(" ")).filter((path) => path !== "");
  return `# fish completion for ${program}: ${program} completion fish | source
function __${program}_at
  set -l known ${known.map(quoted).join(" ")}
  set -l path
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    set -l next (string join ' ' $path $word)
    contains -- $next $known; and set path $path $word
  end
  test "$path" = "$argv"
end
${lines.join("\n")}
`;
}
