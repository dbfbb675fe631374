/**
 * Completion for zsh: one function for each command, with descriptions.
 *
 * @module
 */

import type { CompletionNode, CompletionOption } from "./tree.js";

/** A description within single quotes of `_arguments` or `_describe`. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''").replace(/[[\]:]/g, "\\$&");
}

function argument({ long, short, description, takesValue, choices }: CompletionOption): string {
  const value = choices.length > 0 ? `:value:(${choices.join(" ")})` : ":value:_files";
  const spec = `[${quoted(description)}]${takesValue ? value : ""}`;
  if (short === undefined || short === long) return `'${long}${spec}'`;
  return `'(${short} ${long})'{${short},${long}}'${spec}'`;
}

/** A script that goes into a file `_daos` of `$fpath`, or through `source`. */
export function zshCompletion(program: string, tree: readonly CompletionNode[]): string {
  const name = (path: readonly string[]) => ["", program, ...path].join("_").replaceAll("-", "_");
  const functions = tree.map(({ path, children, options }) => {
    const args = options.map(argument).join(" ");
    if (children.length === 0)
      return `${name(path)}() {\n  _arguments -s ${args} '*:path:_files'\n}`;
    const entries = children.map((child) => `'${child.name}:${quoted(child.summary)}'`).join(" ");
    const cases = children.map((child) => `      ${child.name}) ${name([...path, child.name])} ;;`);
    return `${name(path)}() {
  local line state
  _arguments -C ${args} '1:command:->command' '*::arguments:->arguments'
  case $state in
    command)
      local -a commands=(${entries})
      _describe command commands ;;
    arguments)
      case $line[1] in
${cases.join("\n")}
      esac ;;
  esac
}`;
  });
  return `#compdef ${program}
# zsh completion for ${program}: ${program} completion zsh > "\${fpath[1]}/_${program}"
${functions.join("\n")}
if [[ $funcstack[1] == _${program} ]]; then
  _${program} "$@"
else
  compdef _${program} ${program}
fi
`;
}
