/**
 * Types of compile-addon.mjs; its docstrings are there.
 *
 * @module
 */

/** What to compile; see compile-addon.mjs. */
export interface AddonOptions {
  name: string;
  sources: string[];
  include?: string[];
  flags?: string[];
  libs?: string[];
  compiler?: string;
  outDir: string;
  facts?: Record<string, string>;
  log?: (line: string) => void;
  force?: boolean;
}

/** Where an addon is, and whether this call made it. */
export interface AddonOutcome {
  name: string;
  path: string;
  status: "built" | "upToDate";
}

export function compileAddon(options: AddonOptions): Promise<AddonOutcome>;
export function nodeApiInclude(): string;
export function run(
  command: string,
  args: string[],
): Promise<{ ok: boolean; missing: boolean; stdout: string; stderr: string }>;
