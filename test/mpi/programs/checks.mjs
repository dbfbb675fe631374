/**
 * Checks for rank programs, which have no test framework: they throw plain errors.
 *
 * @module
 */

import { deepStrictEqual } from "node:assert/strict";

/** Throws unless the values are equal, element by element. */
export function equal(actual, expected, what = "value") {
  try {
    deepStrictEqual(actual, expected);
  } catch {
    throw new Error(`${what} is ${show(actual)} instead of ${show(expected)}`);
  }
}

function show(value) {
  const plain = ArrayBuffer.isView(value) && !(value instanceof DataView) ? [...value] : value;
  const text = JSON.stringify(plain, (_, v) => (typeof v === "bigint" ? `${v}n` : v));
  return text === undefined ? String(value) : text.slice(0, 200);
}

/** Throws unless `run` throws an MpiError with this code, whose message gives advice. */
export function fails(code, run) {
  let error;
  try {
    run();
  } catch (caught) {
    error = caught;
  }
  if (!error) throw new Error(`nothing was thrown instead of ${code}`);
  if (error.name !== "MpiError" || error.code !== code) {
    throw new Error(`${error.name} ${error.code} was thrown instead of ${code}: ${error.message}`);
  }
  if (!/ failed: .+\..+\.$/s.test(error.message)) {
    throw new Error(`the message gives no advice: ${error.message}`);
  }
}

/**
 * Runs named cases one after the other.
 *
 * @returns {Promise<{ passed: number, failed: Record<string, string> }>} The failures by name.
 */
export async function runCases(cases, ...args) {
  let passed = 0;
  const failed = {};
  for (const [name, run] of Object.entries(cases)) {
    try {
      await run(...args);
      passed += 1;
    } catch (error) {
      failed[name] = String(error?.stack ?? error).slice(0, 300);
      // At once, because the other ranks may now wait for this one for ever.
      console.error(`failed: ${name}: ${failed[name]}`);
    }
  }
  return { passed, failed };
}
