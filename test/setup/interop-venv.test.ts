/**
 * The Python environment: where PyPI does not answer, it is left out within its time limit, and nothing fails.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { plainEnvironment } from "../support/processes.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const SETUP_MS_MAX = 60_000;
const PYTHON = "/usr/bin/python3";
const module = JSON.stringify(join(root, "cli", "setup", "interop-venv.mjs"));

/** Runs the step in a folder of its own, with pip led to `index`; beside others, since each mostly waits. */
async function setUpWith(index: string, options: object) {
  const folder = temporaryDirectory({ until: "file" });
  mkdirSync(join(folder, "test", "interop"), { recursive: true });
  writeFileSync(join(folder, "test", "interop", "requirements.txt"), "no-such-package==1.0\n");
  const call = `setUpInteropVenv(${JSON.stringify(folder)}, ${JSON.stringify(options)})`;
  const code = `import { setUpInteropVenv } from ${module}; await ${call};`;
  const env = plainEnvironment({ PIP_INDEX_URL: index, PIP_EXTRA_INDEX_URL: "", PIP_RETRIES: "0" });
  const args = ["--input-type=module", "-e", code];
  const child = spawn(process.execPath, args, {
    env,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: SETUP_MS_MAX,
    killSignal: "SIGKILL",
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [status] = await once(child, "close");
  return { status, stderr, made: existsSync(join(folder, ".venv-interop")) };
}

describe("setUpInteropVenv()", () => {
  let silent: Server;
  let unanswered: ReturnType<typeof setUpWith>;
  let refused: ReturnType<typeof setUpWith>;

  beforeAll(async () => {
    silent = createServer(); // Accepts connections and never answers.
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    if (!existsSync(PYTHON)) return;
    const { port } = silent.address() as AddressInfo;
    unanswered = setUpWith(`http://127.0.0.1:${port}/`, { answerMsMax: 3000 });
    refused = setUpWith("http://127.0.0.1:1/", {});
  });
  afterAll(() => {
    silent.close();
  });

  test("without Python says which suites will be skipped", async () => {
    const { status, stderr, made } = await setUpWith("http://127.0.0.1:1/", {
      python: "/nonexistent",
    });
    expect({ status, made }).toEqual({ status: 0, made: false });
    expect(stderr).toMatch(/NOTICE: .*will be skipped: there is no \/nonexistent/);
  });

  (existsSync(PYTHON) ? test : test.skip)(
    "gives up when PyPI accepts but never answers",
    async () => {
      const { status, stderr, made } = await unanswered;
      expect({ status, made }).toEqual({ status: 0, made: false });
      expect(stderr).toMatch(
        /NOTICE: .*will be skipped: (PyPI did not answer within 3 s|.*venv failed)/,
      );
    },
  );

  (existsSync(PYTHON) ? test : test.skip)("goes on when PyPI refuses", async () => {
    const { status, stderr, made } = await refused;
    expect({ status, made }).toEqual({ status: 0, made: false });
    expect(stderr).toMatch(/NOTICE: .*will be skipped: (pip failed|.*venv failed)/);
  });
});
