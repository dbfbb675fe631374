/**
 * The package as a user gets it: packed, installed into an empty folder, set up, imported and type-checked there.
 *
 * Nothing here may reach back into the repository: the folder lies outside it, and the installed package finds its
 * parts in its own node_modules. npm runs with its default policy, which blocks install scripts.
 */

import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { plainEnvironment, runProgram, runSuccessfully } from "../support/processes.ts";
import { isNightly } from "../support/property.ts";
import { readmeExample } from "../support/readme-example.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const INSTALL_MS_MAX = 240_000;
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const specifiers = Object.keys(manifest.exports)
  .filter((path) => !path.endsWith(".json"))
  .map((path) => manifest.name + path.slice(1));
const readme = join(root, "README.md");
const example = existsSync(readme) ? readmeExample(readFileSync(readme, "utf8")) : undefined;

let folder: string;
let installed: string;

beforeAll(() => {
  folder = temporaryDirectory({ medium: "disk", until: "file" });
  installed = join(folder, "node_modules", manifest.name);
  const env = plainEnvironment();
  runSuccessfully("npm", ["pack", "--pack-destination", folder], {
    cwd: root,
    env,
    timeoutMs: INSTALL_MS_MAX,
  });
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) as string;
  writeFileSync(join(folder, "package.json"), '{ "name": "user", "private": true }\n');
  runSuccessfully("npm", ["install", "--prefer-offline", `./${tarball}`], {
    cwd: folder,
    env,
    timeoutMs: INSTALL_MS_MAX,
  });
}, INSTALL_MS_MAX);

/** Runs JavaScript as a module in the user's folder. */
function runModule(name: string, code: string) {
  writeFileSync(join(folder, name), code);
  return runProgram(process.execPath, [name], { cwd: folder, env: plainEnvironment() });
}

/** The example as JavaScript: Node 20 does not run TypeScript. */
function exampleModule(): string {
  const { language, code } = example ?? { language: "js", code: "throw new Error('no example')" };
  if (language === "js") return code;
  const ts = createRequire(import.meta.url)("typescript");
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}

// The order of these tests matters: the package is first used without its native parts, then with them.
describe("before `daos setup`", () => {
  test("node-mpi-bindings is bundled, as real files, with the sources of its addons", () => {
    const bundled = join(installed, "node_modules", "node-mpi-bindings");
    expect(lstatSync(bundled).isDirectory()).toBe(true);
    expect(existsSync(join(bundled, "dist", "index.js"))).toBe(true);
    expect(existsSync(join(bundled, "setup"))).toBe(true);
    expect(readdirSync(join(bundled, "native")).some((name) => name.endsWith(".c"))).toBe(true);
    expect(existsSync(join(folder, "node_modules", "node-mpi-bindings"))).toBe(false);
  });

  test("nothing that npm would build by itself, and nothing built, is in the package", () => {
    const files = readdirSync(installed, { recursive: true }).map(String);
    const unwanted = /binding\.gyp$|\.node$|\.tsbuildinfo$|\.test\.|(^|\/)\.daos-setup$/;
    expect(files.filter((name) => unwanted.test(name))).toEqual([]);
    const own = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
    expect(Object.keys(own.scripts)).not.toContain("install");
    expect(Object.keys(own.scripts)).not.toContain("postinstall");
  });

  test.each(specifiers)("%s can be imported", (specifier) => {
    const code = `console.log(Object.keys(await import(${JSON.stringify(specifier)})).length > 0);\n`;
    const outcome = runModule("import.mjs", code);
    expect(outcome.stderr).toBe("");
    expect(outcome.stdout).toBe("true\n");
  });

  test("using the storage says to run `npx daos setup`", () => {
    expect(example).toBeDefined();
    const outcome = runModule("example.mjs", exampleModule());
    expect(outcome.status).not.toBe(0);
    expect(outcome.stderr).toMatch(/npx daos setup/);
  });

  test("importing the Arrow front end, and the command line, do not load gRPC", () => {
    const grpc = join(folder, "node_modules", "@grpc");
    renameSync(grpc, `${grpc}-away`);
    try {
      const arrow = runModule("no-grpc.mjs", `await import("${manifest.name}/arrow");\n`);
      expect(arrow.status).toBe(0);
      const daos = join(installed, "dist", "cli", "daos.js");
      expect(runProgram(process.execPath, [daos, "version"], { cwd: folder }).status).toBe(0);
      const flight = runModule("no-grpc.mjs", `await import("${manifest.name}/arrow-flight");\n`);
      expect(flight.stderr).toMatch(/@grpc\/grpc-js/);
    } finally {
      renameSync(`${grpc}-away`, grpc);
    }
  });

  test("importing the MPI-IO front end does not load apache-arrow", () => {
    const arrow = join(folder, "node_modules", "apache-arrow");
    renameSync(arrow, `${arrow}-away`);
    try {
      const mpiIo = runModule("no-arrow.mjs", `await import("${manifest.name}/mpi-io");\n`);
      expect(mpiIo.stderr).toBe("");
      // The control: the front end that does need it must notice, or this test would prove nothing.
      const needsArrow = runModule("no-arrow.mjs", `await import("${manifest.name}/arrow");\n`);
      expect(needsArrow.stderr).toMatch(/apache-arrow/);
    } finally {
      renameSync(`${arrow}-away`, arrow);
    }
  });
});

describe("after `daos setup`", () => {
  beforeAll(() => {
    runSuccessfully("npx", ["daos", "setup"], {
      cwd: folder,
      env: plainEnvironment(),
      timeoutMs: INSTALL_MS_MAX,
    });
  }, INSTALL_MS_MAX);

  test("the storage addon lies in the package's own build folder", () => {
    expect(existsSync(join(installed, "build", "storage.node"))).toBe(true);
  });

  test("`daos version` prints the version", () => {
    const outcome = runSuccessfully("npx", ["daos", "version"], {
      cwd: folder,
      env: plainEnvironment(),
    });
    expect(outcome.stdout).toBe(`${manifest.version}\n`);
  });

  test("the README's example runs", () => {
    expect(example).toBeDefined();
    const outcome = runModule("example.mjs", exampleModule());
    expect(outcome.stderr).toBe("");
    expect(outcome.status).toBe(0);
  });
});

describe("types", () => {
  // The newest compiler takes a fifth of the time of the one before it.
  const compilers = isNightly ? ["typescript-7", "typescript"] : ["typescript-7"];
  const resolutions = [["node16", "node16"], ...(isNightly ? [["bundler", "esnext"]] : [])];
  const cases = compilers.flatMap((compiler) => resolutions.map((names) => [compiler, ...names]));

  test.each(cases as [string, string, string][])(
    "resolve with %s under moduleResolution %s",
    (compiler, moduleResolution, module) => {
      const imports = specifiers.map((name, index) => `import * as m${index} from "${name}";\n`);
      const uses = specifiers.map((_, index) => `m${index}`).join(", ");
      writeFileSync(join(folder, "types.mts"), `${imports.join("")}console.log(${uses});\n`);
      writeFileSync(join(folder, "example.mts"), example?.code ?? "");
      const tsc = join(root, "node_modules", compiler, "bin", "tsc");
      const options = [
        "--ignoreConfig",
        "--noEmit",
        "--strict",
        "--target",
        "es2023",
        "--module",
        module,
      ];
      const types = ["--lib", "es2023,esnext.disposable,dom", "--types", "node"];
      const roots = [
        "--typeRoots",
        join(root, "node_modules", "@types"),
        "--skipLibCheck",
        "false",
      ];
      const args = [tsc, ...options, "--moduleResolution", moduleResolution, ...types, ...roots];
      const outcome = runProgram(process.execPath, [...args, "types.mts", "example.mts"], {
        cwd: folder,
      });
      expect(outcome.stdout).toBe("");
      expect(outcome.status).toBe(0);
    },
  );
});
