/**
 * The Python environment: where PyPI does not answer, it is left out within its time limit, and nothing fails.
 */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const PYTHON = "/usr/bin/python3";
const module = JSON.stringify(join(root, "cli", "setup", "interop-venv.mjs"));

/** Runs the step in a folder of its own, with pip led to `index`. */
function setUpWith(index: string, options: object) {
  const folder = temporaryDirectory();
  mkdirSync(join(folder, "test", "interop"), { recursive: true });
  writeFileSync(join(folder, "test", "interop", "requirements.txt"), "no-such-package==1.0\n");
  const call = `setUpInteropVenv(${JSON.stringify(folder)}, ${JSON.stringify(options)})`;
  const code = `import { setUpInteropVenv } from ${module}; await ${call};`;
  const env = plainEnvironment({ PIP_INDEX_URL: index, PIP_EXTRA_INDEX_URL: "", PIP_RETRIES: "0" });
  const outcome = runProgram(process.execPath, ["--input-type=module", "-e", code], { env });
  return { ...outcome, made: existsSync(join(folder, ".venv-interop")) };
}

describe("setUpInteropVenv()", () => {
  let silent: Server;

  beforeAll(async () => {
    silent = createServer(); // Accepts connections and never answers.
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    silent.close();
  });

  test("without Python says which suites will be skipped", () => {
    const { status, stderr, made } = setUpWith("http://127.0.0.1:1/", { python: "/nonexistent" });
    expect({ status, made }).toEqual({ status: 0, made: false });
    expect(stderr).toMatch(/NOTICE: .*will be skipped: there is no \/nonexistent/);
  });

  (existsSync(PYTHON) ? test : test.skip)("gives up when PyPI accepts but never answers", () => {
    const { port } = silent.address() as AddressInfo;
    const { status, stderr, made } = setUpWith(`http://127.0.0.1:${port}/`, { answerMsMax: 3000 });
    expect({ status, made }).toEqual({ status: 0, made: false });
    expect(stderr).toMatch(
      /NOTICE: .*will be skipped: (PyPI did not answer within 3 s|.*venv failed)/,
    );
  });

  (existsSync(PYTHON) ? test : test.skip)("goes on when PyPI refuses", () => {
    const { status, stderr, made } = setUpWith("http://127.0.0.1:1/", {});
    expect({ status, made }).toEqual({ status: 0, made: false });
    expect(stderr).toMatch(/NOTICE: .*will be skipped: (pip failed|.*venv failed)/);
  });
});
