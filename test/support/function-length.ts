/**
 * Finds functions that do not fit a screen.
 *
 * TypeScript and JavaScript are parsed; C is read by its layout, which clang-format guarantees: a function begins at
 * the last line that starts in column 0 (continuations are indented) and ends at a lone `}` there.
 *
 * @module
 */

import type TypeScript from "typescript";

/** A file and its text. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Returns "file:line: n lines" for every function longer than `linesMax`. The callbacks of `describe` are chapters
 * of a test file, not functions, and do not count.
 *
 * @param ts The compiler, handed in because it is loaded as CommonJS.
 */
export function longFunctionsOfTypeScript(
  ts: typeof TypeScript,
  file: SourceFile,
  linesMax: number,
): string[] {
  const source = ts.createSourceFile(file.name, file.text, ts.ScriptTarget.Latest, true);
  const long: string[] = [];
  const visit = (node: TypeScript.Node): void => {
    if (ts.isFunctionLike(node) && !isChapter(ts, node)) {
      const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
      const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
      const count = last - first + 1;
      if (count > linesMax) long.push(`${file.name}:${first + 1}: ${count} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return long;
}

function isChapter(ts: typeof TypeScript, node: TypeScript.Node): boolean {
  const call = node.parent;
  return ts.isCallExpression(call) && /^describe/.test(call.expression.getText());
}

/** The same for C. */
export function longFunctionsOfC(file: SourceFile, linesMax: number): string[] {
  const long: string[] = [];
  let start = 0;
  file.text.split("\n").forEach((line, index) => {
    if (/^[A-Za-z_].*[^:;]$/.test(line)) start = index;
    if (line !== "}") return;
    const count = index - start + 1;
    if (count > linesMax) long.push(`${file.name}:${start + 1}: ${count} lines`);
  });
  return long;
}
