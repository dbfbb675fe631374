/**
 * The harness itself: the closing line's counts, the README's example, the lock file and the tidiness helpers.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { missingEntries } from "../../.ci/complete-lockfile.mjs";
import { longFunctionsOfC, longFunctionsOfTypeScript } from "../support/function-length.ts";
import { available, FAMILIES, runRanks } from "../support/mpirun.ts";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { readmeExample } from "../support/readme-example.ts";
import { countingLine } from "../support/reporter.mjs";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const COUNTS = {
  numPassedTests: 12,
  numFailedTests: 0,
  numPendingTests: 3,
  numTodoTests: 1,
  numRuntimeErrorTestSuites: 0,
  wasInterrupted: false,
};

describe("countingLine()", () => {
  test("counts pending and todo tests as skipped", () => {
    expect(countingLine(COUNTS)).toBe("12 passed, 0 failed, 4 skipped");
  });

  test("counts a suite that failed to run as a failure", () => {
    expect(countingLine({ ...COUNTS, numRuntimeErrorTestSuites: 2 })).toBe(
      "12 passed, 2 failed, 4 skipped",
    );
  });
});

describe(".ci/run", () => {
  test.each([
    [
      "prints jest's counts last",
      "echo '2 passed, 0 failed, 1 skipped' >$DAOS_TEST_SUMMARY",
      0,
      "2 passed, 0 failed, 1 skipped",
    ],
    [
      "has npm test's status",
      "echo '1 passed, 1 failed, 0 skipped' >$DAOS_TEST_SUMMARY; exit 1",
      1,
      "1 passed, 1 failed, 0 skipped",
    ],
    ["counts a set-up that failed as one failure", "exit 3", 3, "0 passed, 1 failed, 0 skipped"],
    ["never passes without counts", "exit 0", 1, "0 passed, 1 failed, 0 skipped"],
  ])("%s", (_, script, expectedStatus, lastLine) => {
    const programs = temporaryDirectory();
    writeFileSync(join(programs, "npm"), `#!/bin/sh\necho some output\n${script}\n`, {
      mode: 0o755,
    });
    const env = plainEnvironment({ PATH: `${programs}:${process.env.PATH}` });
    const { status, stdout } = runProgram(join(root, ".ci", "run"), [], { env });
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(lastLine);
    expect(status).toBe(expectedStatus);
  });
});

describe.each(FAMILIES)("runRanks() under %s", (family) => {
  const run = available(family) ? test : test.skip;

  run.each([
    ["a rank that hangs timed out", "setInterval(() => {}, 1000);", true],
    // The launcher stops, as if it were hung, and the rank ends.
    [
      "a launcher that hangs alone is no rank that does",
      "process.kill(process.ppid, 'SIGSTOP');",
      false,
    ],
  ])("%s", async (_, code, timedOut) => {
    const program = join(temporaryDirectory(), "rank.mjs");
    writeFileSync(program, code);
    const outcome = await runRanks({ family, ranks: 1, program, timeoutMs: 1500 });
    expect(outcome).toMatchObject({ timedOut, status: undefined, signal: "SIGKILL" });
  });
});

describe("readmeExample()", () => {
  const block = (language: string, code: string) => `\`\`\`${language}\n${code}\n\`\`\`\n`;

  test("takes the block after the mark, not an earlier one", () => {
    const text = `# Title\n${block("ts", "first")}\n<!-- example -->\n\n${block("ts", "second")}`;
    expect(readmeExample(text)).toEqual({ language: "ts", code: "second\n" });
  });

  test("without a mark takes the first block in TypeScript or JavaScript", () => {
    const text = `${block("sh", "npm start")}\n${block("js", "one();\ntwo();")}`;
    expect(readmeExample(text)).toEqual({ language: "js", code: "one();\ntwo();\n" });
  });

  test("finds nothing in a file without one", () => {
    expect(readmeExample(`# Title\n${block("sh", "npm start")}`)).toBeUndefined();
  });
});

describe("package-lock.json", () => {
  test("locks the optional packages of every platform, or npm ci refuses it", () => {
    const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
    expect([...missingEntries(lock).keys()]).toEqual([]);
    expect(Object.values(lock.packages).length).toBeGreaterThan(100);
  });

  test("a missing platform is found, with its system and processor", () => {
    const lock = {
      packages: { "node_modules/a": { optionalDependencies: { "@a/linux-x64-musl": "1.2.3" } } },
    };
    expect([...missingEntries(lock)]).toEqual([
      [
        "node_modules/@a/linux-x64-musl",
        { version: "1.2.3", cpu: ["x64"], libc: ["musl"], optional: true, os: ["linux"] },
      ],
    ]);
  });
});

describe("function lengths", () => {
  test("are found in TypeScript, but for the chapters of a test file", () => {
    const ts = createRequire(import.meta.url)("typescript");
    const body = "  x();\n".repeat(5);
    const text = `function a() {\n${body}}\ndescribe("b", () => {\n${body}});\n`;
    expect(longFunctionsOfTypeScript(ts, { name: "a.ts", text }, 6)).toEqual(["a.ts:1: 7 lines"]);
    expect(longFunctionsOfTypeScript(ts, { name: "a.ts", text }, 7)).toEqual([]);
  });

  test("are found in C, with wrapped heads and labels", () => {
    const text = `static int\nf(int a,\n  int b) {\n  x();\nfail:\n  return 1;\n}\nstruct s {\n  int a;\n};\n`;
    expect(longFunctionsOfC({ name: "a.c", text }, 5)).toEqual(["a.c:2: 6 lines"]);
  });
});
