/**
 * Types of build-native.mjs; its docstrings are there.
 *
 * @module
 */

/** What was done with each addon, by its name without `.node`. */
export interface BuildReport {
  built: string[];
  upToDate: string[];
  skipped: { name: string; why: string; failed: boolean }[];
}

export function buildNative(options?: {
  outDir?: string;
  log?: (line: string) => void;
  force?: boolean;
}): Promise<BuildReport>;
