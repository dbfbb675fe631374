/**
 * A small clone to set up: the real set-up, with fakes for npm, the workspace's compiler and tsc.
 *
 * The fakes log what they do, and can be told to fail, or to hang, so that a test can kill the set-up in the middle of any step.
 * System packages are left out (DAOS_SETUP_NO_SYSTEM); they have tests with a fake machine.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plainEnvironment } from "./processes.ts";
import { root } from "./root.ts";
import { temporaryDirectory } from "./temporary.ts";

/** The steps that can be made to hang or to fail. */
export type Step = "npm" | "native" | "tsc";

const HANG_MS_MAX = 60_000;

/** Logs the step, and hangs or fails in its middle if a file named after it says so. */
const FAKE_STEP = `
import { appendFileSync, existsSync } from "node:fs";
export async function step(root, name) {
  appendFileSync(root + "/log", name + "\\n");
  if (existsSync(root + "/fail-" + name)) throw new Error(name + " has failed");
  if (existsSync(root + "/hang-" + name)) {
    appendFileSync(root + "/log", name + " hangs\\n");
    await new Promise((resolve) => setTimeout(resolve, ${HANG_MS_MAX}));
  }
}
`;

/** Makes what the set-up looks for in node_modules; the middle of the installation is before the last part. */
const FAKE_NPM = `
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { step } from "../fake-step.mjs";
const root = process.cwd();
rmSync("node_modules", { recursive: true, force: true });
mkdirSync("node_modules/typescript-7/bin", { recursive: true });
await step(root, "npm");
mkdirSync("node_modules/node-mpi-bindings", { recursive: true });
mkdirSync("node_modules/lmdb/dependencies/lmdb/libraries/liblmdb", { recursive: true });
writeFileSync("node_modules/lmdb/package.json", JSON.stringify({ name: "lmdb", version: "1.2.3" }));
writeFileSync("node_modules/lmdb/index.js", "");
// The statements that the set-up corrects.
writeFileSync(
  "node_modules/lmdb/dependencies/lmdb/libraries/liblmdb/mdb.c",
  "\\n\\tif (env->me_txns)\\n\\t\\tenv->me_txns->mti_txnid = meta.mm_txnid;\\n" +
    '\\n\\t\\tfprintf(stderr, "page %u not found error\\\\n", pgno);\\n' +
    "\\n\\t\\t\\t\\tif (n == 1) {\\n\\t\\t\\t\\t\\twres = pwrite(",
);
writeFileSync("node_modules/node-mpi-bindings/package.json", JSON.stringify({
  type: "module",
  exports: { "./compile-addon": "./fake.mjs", "./setup": "./fake.mjs" },
}));
writeFileSync("node_modules/node-mpi-bindings/fake.mjs", \`
  import { existsSync, writeFileSync } from "node:fs";
  import { step } from "../../fake-step.mjs";
  export async function buildNative() { return { skipped: [] }; }
  export async function compileAddon({ name, outDir }) {
    const output = outDir + "/" + name + ".node";
    if (existsSync(output)) return;
    await step(process.cwd(), "native");
    writeFileSync(output, "");
  }
\`);
writeFileSync("node_modules/typescript-7/bin/tsc", \`
  const { mkdirSync, writeFileSync } = require("node:fs");
  mkdirSync("dist", { recursive: true });
  import(process.cwd() + "/fake-step.mjs")
    .then(({ step }) => step(process.cwd(), "tsc"))
    .then(() => writeFileSync("dist/built", ""));
\`);
`;

/** A clone in a temporary directory. */
export class SetupClone {
  readonly path: string;

  constructor() {
    this.path = temporaryDirectory();
    chmodSync(this.path, 0o755); // One test runs it as another user.
    for (const name of ["cli/setup", "package.json", "package-lock.json", "mpi/package.json"]) {
      cpSync(join(root, name), join(this.path, name), { recursive: true });
    }
    mkdirSync(join(this.path, "core"));
    writeFileSync(join(this.path, "core", "index.ts"), "export {};\n");
    mkdirSync(join(this.path, "fake"));
    writeFileSync(join(this.path, "fake-step.mjs"), FAKE_STEP);
    writeFileSync(join(this.path, "fake", "package.json"), '{ "type": "module" }\n');
    // npm-cli.js is the name by which the set-up knows npm.
    writeFileSync(join(this.path, "fake", "npm-cli.js"), FAKE_NPM);
  }

  /** Makes a step hang from now on. */
  hang(step: Step): void {
    writeFileSync(join(this.path, `hang-${step}`), "");
  }

  /** Makes a step fail from now on. */
  fail(step: Step): void {
    writeFileSync(join(this.path, `fail-${step}`), "");
  }

  /** What the fakes did so far, in order. */
  log(): string[] {
    const file = join(this.path, "log");
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  }

  /** Starts the set-up in a process group of its own. */
  start(extra: NodeJS.ProcessEnv = {}): ChildProcess {
    const main = join(this.path, "cli", "setup", "main.mjs");
    return spawn(process.execPath, [main, "start"], {
      cwd: this.path,
      env: this.environment(extra),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Environment that leads to the fakes. */
  environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const npm = join(this.path, "fake", "npm-cli.js");
    return plainEnvironment({ DAOS_SETUP_NO_SYSTEM: "1", npm_execpath: npm, ...extra });
  }

  /** Runs the set-up to its end. */
  async run(extra: NodeJS.ProcessEnv = {}): Promise<{ status: number | null; output: string }> {
    const child = this.start(extra);
    let output = "";
    child.stdout?.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      output += chunk;
    });
    const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return { status, output };
  }
}
