/**
 * Compiles one N-API addon from its C sources with one compiler call.
 *
 * N-API needs headers only, so no node-gyp, no make and no download take part: a compiler command
 * turns the sources into `<outDir>/<name>.node`. Beside it lies `<name>.json`, the stamp: what the
 * addon was made from.
 *
 * Invariants:
 *
 * 1. `<name>.node` is complete whenever it exists: it is compiled under a temporary name and renamed.
 * 2. A stamp is written after its addon; killed between the two, the next call compiles again.
 * 3. Same sources, headers, command and compiler version: nothing is done.
 *
 * Plain JavaScript without dependencies, because it runs before anything is built.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

/** A compiler that runs longer than this, in milliseconds, is stuck. */
const COMPILE_TIME_MS_MAX = 300_000;
/** Compiler output kept for a message, in bytes. */
const OUTPUT_SIZE_MAX = 1 << 20;

/** Tells apart the temporary files of one process. */
let compilations = 0;

const FLAGS = ["-shared", "-fPIC", "-O2", "-std=gnu11", "-Wall", "-Wextra", "-DNAPI_VERSION=8"];

/**
 * Runs a command to its end.
 *
 * @param {string} command Program, found on the PATH.
 * @param {string[]} args Its arguments.
 * @returns {Promise<{ ok: boolean, missing: boolean, stdout: string, stderr: string }>} `missing`: no
 *   such program. Never rejects.
 */
export function run(command, args) {
  const options = {
    timeout: COMPILE_TIME_MS_MAX,
    killSignal: "SIGKILL",
    maxBuffer: OUTPUT_SIZE_MAX,
  };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      resolve({ ok: error === null, missing: error?.code === "ENOENT", stdout, stderr });
    });
  });
}

/**
 * The folder of the N-API headers, from the npm package `node-api-headers`.
 *
 * @returns {string} An absolute path.
 */
export function nodeApiInclude() {
  return createRequire(import.meta.url)("node-api-headers").include_dir;
}

/** The compiler's own description of itself: a changed compiler makes a new addon. */
async function compilerVersion(compiler) {
  const version = await run(compiler, ["--version"]);
  if (version.missing) throw new Error(`Compiling needs "${compiler}", which is not on the PATH`);
  return version.stdout.split("\n", 1)[0];
}

/** SHA-256 of the sources and of all headers beside them, hexadecimal. */
async function sourcesDigest(sources) {
  const folders = [...new Set(sources.map((source) => dirname(source)))];
  const headers = [];
  for (const folder of folders) {
    const names = await readdir(folder);
    headers.push(...names.filter((name) => name.endsWith(".h")).map((name) => join(folder, name)));
  }
  const hash = createHash("sha256");
  for (const file of [...sources, ...headers].sort()) {
    hash.update(`${basename(file)}\0`).update(await readFile(file));
  }
  return hash.digest("hex");
}

/** The stamp on disk as text, or undefined where it or the addon is missing. */
async function readStamp(outDir, name) {
  try {
    const names = await readdir(outDir);
    if (!names.includes(`${name}.node`)) return undefined;
    return await readFile(join(outDir, `${name}.json`), "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Removes what compilers of dead set-ups left behind. */
async function removeLeftovers(outDir) {
  for (const name of await readdir(outDir)) {
    const pid = /\.(\d+)\.\d+\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(outDir, name), { force: true });
  }
}

/**
 * Compiles an addon, if anything that it is made from has changed.
 *
 * Safe to kill and to run twice at once.
 *
 * @param {object} options
 * @param {string} options.name File name without `.node`.
 * @param {string[]} options.sources C files, absolute; headers beside them count as sources.
 * @param {string[]} [options.include] Folders of headers, besides those of N-API.
 * @param {string[]} [options.flags] Compiler flags, after the usual ones (`-O2 -Wall -fPIC ...`).
 * @param {string[]} [options.libs] Linker flags, such as `-lpmix`; they come last.
 * @param {string} [options.compiler] Compiler command; default `CC` of the environment, else `cc`.
 * @param {string} options.outDir Where the addon goes; made if missing.
 * @param {Record<string, string>} [options.facts] Further facts to record; a change recompiles.
 * @param {(line: string) => void} [options.log] Told what is being done.
 * @param {boolean} [options.force] Compile even if nothing has changed.
 * @returns {Promise<{ name: string, path: string, status: "built" | "upToDate" }>}
 * @throws {Error} If the compiler is missing or fails (its output is in the message); an addon that
 *   existed is left as it was.
 */
export async function compileAddon(options) {
  const { name, sources, outDir, facts = {}, log = () => {}, force = false } = options;
  const compiler = options.compiler ?? process.env.CC ?? "cc";
  const path = join(outDir, `${name}.node`);
  const include = [...(options.include ?? []), nodeApiInclude()].map((folder) => `-I${folder}`);
  const args = [...FLAGS, ...(options.flags ?? []), ...include, ...sources];
  const libs = options.libs ?? [];

  const stamp = {
    name,
    command: [compiler, ...args, ...libs].join(" "),
    compiler: await compilerVersion(compiler),
    arch: process.arch,
    sources: await sourcesDigest(sources),
    ...facts,
  };
  const text = `${JSON.stringify(stamp, null, 2)}\n`;
  if (!force && (await readStamp(outDir, name)) === text) return { name, path, status: "upToDate" };

  await mkdir(outDir, { recursive: true });
  await removeLeftovers(outDir);
  log(`compiling ${name}.node with ${compiler}`);
  compilations += 1;
  const suffix = `${process.pid}.${compilations}.tmp`;
  const temporary = `${path}.${suffix}`;
  const result = await run(compiler, [...args, "-o", temporary, ...libs]);
  if (!result.ok) {
    await rm(temporary, { force: true });
    throw new Error(`Compiling ${name}.node failed:\n${stamp.command}\n${result.stderr.trim()}`);
  }
  await rename(temporary, path);
  const stampPath = join(outDir, `${name}.json`);
  await writeFile(`${stampPath}.${suffix}`, text);
  await rename(`${stampPath}.${suffix}`, stampPath);
  return { name, path, status: "built" };
}
