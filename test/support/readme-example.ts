/**
 * The example of the README, taken out of it so that a test can run it.
 *
 *     <!-- example -->
 *     ```ts
 *     import { Pool } from "daos-ts";
 *     ```
 *
 * The mark stands on a line of its own, and the code block follows it.
 *
 * @module
 */

/** A code block of a Markdown file. */
export interface Example {
  /** "ts" or "js". */
  readonly language: "ts" | "js";
  /** The block's lines, each ended by a newline. */
  readonly code: string;
}

const MARK = /^<!--\s*example\s*-->$/;
const FENCE = /^```(ts|typescript|js|javascript|mjs)\b/;

/**
 * Returns the first marked example; without any mark, the first code block in TypeScript or JavaScript.
 *
 * @param markdown Text of the file.
 * @returns The example, or undefined if there is none.
 */
export function readmeExample(markdown: string): Example | undefined {
  const lines = markdown.split(/\r?\n/);
  const mark = lines.findIndex((line) => MARK.test(line.trim()));
  const start = lines.findIndex((line, index) => index > mark && FENCE.test(line));
  if (start < 0) return undefined;
  const length = lines.slice(start + 1).findIndex((line) => line.startsWith("```"));
  if (length < 0) return undefined;
  const language = FENCE.exec(lines[start] as string)?.[1]?.startsWith("t") ? "ts" : "js";
  const code = lines.slice(start + 1, start + 1 + length);
  return { language, code: `${code.join("\n")}\n` };
}
