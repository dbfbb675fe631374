/**
 * The worked examples of docs/internals/disk-format.md.
 *
 * @module
 */

import fs from "node:fs";
import { expect, test } from "@jest/globals";
import { Pattern } from "../../dist/core/vos/pattern.js";
import { encodeRun } from "../../dist/core/vos/run-format.js";
import { longRecord } from "../../dist/core/vos/versions.js";

/** The bytes of an example of the documentation: the lines between two texts. */
function exampleBytes(from: string, to: string): string {
  const page = fs.readFileSync(
    new URL("../../docs/internals/disk-format.md", import.meta.url),
    "utf8",
  );
  const start = page.indexOf(from);
  const example = page.slice(start, page.indexOf(to, start));
  const lines = [...example.matchAll(/^ {4,6}((?:[0-9a-f]{2} )+)/gm)].map(([, hex]) => hex);
  return lines.join("").replaceAll(" ", "");
}

test("the run in the documentation is what encodeRun() writes", () => {
  const levels = [{ stride: 4000, count: 1000 }];
  const pattern = new Pattern({ start: 1000, blockLength: 1000, levels });
  const encoded = encodeRun({
    start: 1000,
    end: pattern.end,
    extents: [{ segment: 5, end: 1_000_000, tailCrc: 0x12345678 }],
    pieces: [{ pattern, from: 0, to: pattern.size, segment: 5, position: 0 }],
  });
  const bytes = exampleBytes("**Example.** Rank 1", "**Example.** A value");
  expect(Buffer.from(encoded).toString("hex")).toBe(bytes);
});

test("the version of a long value in the documentation is what longRecord() writes", () => {
  const bytes = exampleBytes("**Example.** A value", "keeps these examples true");
  expect(Buffer.from(longRecord(70_000)).toString("hex")).toBe(bytes);
});
