/**
 * compileAddon(): builds when something has changed, does nothing otherwise, leaves no half file.
 */

import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { compileAddon } from "node-mpi-bindings/compile-addon";
import { runProgram } from "../support/processes.ts";

const SOURCE = `#include <node_api.h>
#include "answer.h"
NAPI_MODULE_INIT() {
  napi_value value;
  napi_create_int32(env, ANSWER, &value);
  napi_set_named_property(env, exports, "answer", value);
  return exports;
}
`;

let folder: string;
const header = (answer: string) =>
  writeFileSync(join(folder, "answer.h"), `#define ANSWER ${answer}\n`);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "compile-addon-"));
  writeFileSync(join(folder, "answer.c"), SOURCE);
  header("42");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const hasCompiler = runProgram("cc", ["--version"]).status === 0;
const options = () => ({
  name: "answer",
  sources: [join(folder, "answer.c")],
  outDir: join(folder, "out"),
});

/** Loads the addon in another process, because one process loads a file only once. */
function answer(): number {
  const script = "console.log(require(process.argv[1]).answer)";
  return Number(
    runProgram(process.execPath, ["-e", script, join(folder, "out/answer.node")]).stdout,
  );
}

describe("compileAddon()", () => {
  const run = hasCompiler ? test : test.skip;

  run("builds once, and again when a header, a flag or the addon changes", async () => {
    const log: string[] = [];
    expect(await compileAddon({ ...options(), log: (line) => log.push(line) })).toMatchObject({
      name: "answer",
      path: join(folder, "out/answer.node"),
      status: "built",
    });
    expect(log).toHaveLength(1);
    expect(answer()).toBe(42);
    expect((await compileAddon(options())).status).toBe("upToDate");

    header("43");
    expect((await compileAddon(options())).status).toBe("built");
    expect(answer()).toBe(43);
    expect((await compileAddon({ ...options(), flags: ["-O1"] })).status).toBe("built");
    expect((await compileAddon({ ...options(), flags: ["-O1"] })).status).toBe("upToDate");
    rmSync(join(folder, "out/answer.node"));
    expect((await compileAddon({ ...options(), flags: ["-O1"] })).status).toBe("built");
    expect((await compileAddon({ ...options(), flags: ["-O1"], force: true })).status).toBe(
      "built",
    );
  });

  run("keeps the old addon, and no half one, when the compiler fails", async () => {
    await compileAddon(options());
    const before = statSync(join(folder, "out/answer.node")).mtimeMs;
    header("(");
    await expect(compileAddon(options())).rejects.toThrow(/answer\.node failed[\s\S]*error:/);
    expect(statSync(join(folder, "out/answer.node")).mtimeMs).toBe(before);
    expect(readdirSync(join(folder, "out")).sort()).toEqual(["answer.json", "answer.node"]);
    header("44");
    expect((await compileAddon(options())).status).toBe("built");
  });

  run("removes what a killed compiler left, and builds twice at once", async () => {
    await compileAddon(options());
    const dead = runProgram(process.execPath, ["-e", "console.log(process.pid)"]).stdout.trim();
    writeFileSync(join(folder, "out", `answer.node.${dead}.1.tmp`), "half");
    header("45");
    await Promise.all([compileAddon(options()), compileAddon(options())]);
    expect(answer()).toBe(45);
    expect(readdirSync(join(folder, "out")).sort()).toEqual(["answer.json", "answer.node"]);
  });

  test("says which compiler is missing", async () => {
    await expect(compileAddon({ ...options(), compiler: "no-such-cc" })).rejects.toThrow(
      /no-such-cc/,
    );
  });

  test("finds its headers in a package, without a download", () => {
    const { include_dir } = createRequire(import.meta.url)("node-api-headers");
    expect(readdirSync(include_dir)).toContain("node_api.h");
  });
});
