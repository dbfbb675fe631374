/**
 * Tidiness of the source itself: sizes that fit a reader's screen, headers, and nothing that names one machine.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { longFunctionsOfC, longFunctionsOfTypeScript } from "./support/function-length.ts";
import { root } from "./support/root.ts";
import { sourceFiles } from "./support/source-files.ts";

const FILE_LINES_MAX = 500;
const FUNCTION_LINES_MAX = 70;
const NATIVE_COLUMNS_MAX = 120;
/** A longer file says why in its header. */
const LENGTH_REASON = /longer than 500 lines/i;
/** Folders whose files are modules; the files of jest suites need a header, but no `@module`. */
const MODULE_FOLDERS = /^(core|adapters|mpi|cli|bench|examples|test\/support)\//;
/** Home and work folders of particular machines; written apart, so that this file does not match itself. */
const MACHINE_PATH = new RegExp(
  `(^|[\\s"'\`(=:])/(${["work", "root", "home/\\w+"].join("|")})/`,
  "m",
);

const files = sourceFiles(root).map((name) => ({
  name,
  text: readFileSync(join(root, name), "utf8"),
}));
const scripts = files.filter(({ name }) => /\.(ts|mjs|js)$/.test(name));
const native = files.filter(({ name }) => /\.(c|h)$/.test(name));

describe("the source", () => {
  test("is found at all", () => {
    expect(scripts.length).toBeGreaterThan(10);
    expect(native.length).toBeGreaterThan(1);
  });

  test("has no file over 500 lines without a reason in its header", () => {
    const long = [...scripts, ...native].filter(
      ({ text }) => lineCount(text) > FILE_LINES_MAX && !LENGTH_REASON.test(text.slice(0, 2000)),
    );
    expect(long.map(({ name, text }) => `${name}: ${lineCount(text)}`)).toEqual([]);
  });

  test("has no function over 70 lines", () => {
    const ts = createRequire(import.meta.url)("typescript");
    const long = [
      ...scripts.flatMap((file) => longFunctionsOfTypeScript(ts, file, FUNCTION_LINES_MAX)),
      ...native.flatMap((file) => longFunctionsOfC(file, FUNCTION_LINES_MAX)),
    ];
    expect(long).toEqual([]);
  });

  test("names no folder of a particular machine", () => {
    expect(files.filter(({ text }) => MACHINE_PATH.test(text)).map(({ name }) => name)).toEqual([]);
  });

  test("has no native line over 120 columns", () => {
    const long = native.flatMap(({ name, text }) =>
      text
        .split("\n")
        .flatMap((line, index) =>
          line.length > NATIVE_COLUMNS_MAX ? [`${name}:${index + 1}`] : [],
        ),
    );
    expect(long).toEqual([]);
  });

  test("opens every module with a header that ends in @module", () => {
    const without = scripts.filter(
      ({ name, text }) =>
        MODULE_FOLDERS.test(name) && !/^(#!.*\n)?\/\*\*[\s\S]*?@module[\s\S]*?\*\//.test(text),
    );
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  test("opens every test file with a comment", () => {
    const without = scripts.filter(
      ({ name, text }) => name.startsWith("test/") && !/^(\/\*\*|\/\/)/.test(text),
    );
    expect(without.map(({ name }) => name)).toEqual([]);
  });
});

function lineCount(text: string): number {
  return text.split("\n").length - 1;
}
