/**
 * Completion for bash: one function that follows the words to a command, then offers its words.
 *
 * @module
 */

import type { CompletionNode } from "./tree.js";

/** A script that `source <(daos completion bash)` reads. */
export function bashCompletion(program: string, tree: readonly CompletionNode[]): string {
  const cases = tree.map(({ path, children, options }) => {
    const words = children.map(({ name }) => name).join(" ");
    const flags = options.flatMap(({ long, short }) => (short ? [short, long] : [long])).join(" ");
    return `    "${path.join(" ")}") words="${words}"; flags="${flags}" ;;`;
  });
  const values = new Map<string, string>();
  for (const { options } of tree) {
    for (const { long, takesValue, choices } of options) {
      if (takesValue) values.set(long, choices.join(" "));
    }
  }
  const choices = [...values].filter(([, list]) => list !== "");
  return `# bash completion for ${program}: source <(${program} completion bash)
_${program}_words() {
  words= flags=
  case "$1" in
${cases.join("\n")}
    *) return 1 ;;
  esac
}
_${program}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path= words flags i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -* ]] && continue
    _${program}_words "\${path:+$path }$word" && path="\${path:+$path }$word"
  done
  _${program}_words "$path"
  case "$prev" in
${choices.map(([long, list]) => `    ${long}) COMPREPLY=($(compgen -W "${list}" -- "$cur")); return ;;`).join("\n")}
    ${[...values.keys()].join("|")}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  else
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
complete -o filenames -F _${program} ${program}
`;
}
