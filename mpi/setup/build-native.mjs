#!/usr/bin/env node
/**
 * Builds the native parts: one MPI addon per MPI library found, and the PMIx addon.
 *
 *     mpicc.openmpi -> build/mpi-openmpi.node      DAOS_MPICC -> build/mpi-custom.node
 *     mpicc.mpich   -> build/mpi-mpich.node        cc, libpmix -> build/pmix.node
 *
 * Debian keeps several MPI libraries side by side under suffixed names, and points the plain names at
 * one of them; the suffixed ones are used, so that what is built does not depend on that choice. The
 * plain `mpicc` counts only where there is no suffixed one.
 *
 * A library that is missing disables its own addon and nothing else.
 *
 * @module
 */

import { readdirSync, realpathSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileAddon, run } from "./compile-addon.mjs";

const NATIVE = fileURLToPath(new URL("../native/", import.meta.url));
const OUT_DIR =
  process.env.DAOS_MPI_BUILD_DIR ?? fileURLToPath(new URL("../build/", import.meta.url));

const MPI_SOURCES = readdirSync(NATIVE)
  .filter((name) => name.endsWith(".c") && name !== "pmix.c")
  .sort()
  .map((name) => join(NATIVE, name));

const INSTALL = {
  "mpi-openmpi": "apt-get install libopenmpi-dev openmpi-bin",
  "mpi-mpich": "apt-get install libmpich-dev mpich",
  pmix: "apt-get install libpmix-dev",
};

/** Asks a wrapper's own mpi.h which library it belongs to. */
const PROBE = `#include <mpi.h>
#if defined(OPEN_MPI)
family=openmpi version=OMPI_MAJOR_VERSION.OMPI_MINOR_VERSION.OMPI_RELEASE_VERSION
#elif defined(MPICH_VERSION)
family=mpich version=MPICH_VERSION
#elif defined(I_MPI_VERSION)
family=mpich version=I_MPI_VERSION
#else
family=unknown version=MPI_VERSION
#endif
`;

/**
 * Which MPI library a compiler wrapper belongs to.
 *
 * @param {string} compiler Wrapper command, such as `mpicc.mpich`.
 * @returns {Promise<{ family: string, version: string } | { why: string }>}
 */
async function probe(compiler) {
  const folder = await mkdtemp(join(tmpdir(), "node-mpi-"));
  try {
    await writeFile(join(folder, "probe.c"), PROBE);
    const result = await run(compiler, ["-E", "-P", join(folder, "probe.c")]);
    if (result.missing) return { why: `${compiler} is not installed` };
    const found = /family=(\w+)\s+version=(.*)/.exec(result.stdout);
    if (!result.ok || !found) return { why: `${compiler} finds no usable mpi.h` };
    return { family: found[1], version: found[2].replace(/["\s]/g, "") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The MPI addons to try, in order: each has a name, a compiler, and what is known of it. */
async function mpiTargets() {
  const wrappers = { "mpi-openmpi": "mpicc.openmpi", "mpi-mpich": "mpicc.mpich" };
  const named = async ([name, compiler]) => ({ name, compiler, found: await probe(compiler) });
  const targets = await Promise.all(Object.entries(wrappers).map(named));
  if (targets.every(({ found }) => "why" in found)) {
    const found = await probe("mpicc");
    const plain = targets.find(({ name }) => name === `mpi-${found.family}`);
    if (plain) Object.assign(plain, { compiler: "mpicc", found });
  }
  const custom = process.env.DAOS_MPICC;
  if (custom) targets.push({ name: "mpi-custom", compiler: custom, found: await probe(custom) });
  return targets;
}

/** Compiler and linker flags of libpmix, or why there are none. */
async function pmixFlags() {
  const config = await run("pkg-config", ["--cflags", "--libs", "pmix"]);
  const words = config.stdout.trim().split(/\s+/).filter(Boolean);
  const isFlag = (word) => word.startsWith("-I") || word.startsWith("-D");
  if (config.ok) {
    return { flags: words.filter(isFlag), libs: words.filter((word) => !isFlag(word)) };
  }
  const machine = (await run("cc", ["-dumpmachine"])).stdout.trim();
  const folders = [`/usr/lib/${machine}/pmix2`, `/usr/lib/${machine}/pmix`, "/usr", "/usr/local"];
  for (const folder of folders) {
    const header = await run("test", ["-f", join(folder, "include", "pmix.h")]);
    if (header.ok) return { flags: [`-I${folder}/include`], libs: [`-L${folder}/lib`, "-lpmix"] };
  }
  return { why: "libpmix and its headers are not installed" };
}

/** Compiles one addon and files the outcome. */
async function attempt(report, options) {
  try {
    const { status } = await compileAddon(options);
    report[status].push(options.name);
  } catch (error) {
    report.skipped.push({ name: options.name, why: error.message, failed: true });
  }
}

function skip(report, name, why) {
  const remedy = INSTALL[name];
  report.skipped.push({ name, why: remedy ? `${why} (${remedy})` : why, failed: false });
}

/** Compiles an addon for each MPI library. */
async function buildMpi(report, common) {
  const attempts = (await mpiTargets()).map(async ({ name, compiler, found }) => {
    if ("why" in found) skip(report, name, found.why);
    else await attempt(report, { name, sources: MPI_SOURCES, compiler, facts: found, ...common });
  });
  await Promise.all(attempts);
}

async function buildPmix(report, common) {
  const pmix = await pmixFlags();
  if ("why" in pmix) return skip(report, "pmix", pmix.why);
  await attempt(report, { name: "pmix", sources: [join(NATIVE, "pmix.c")], ...pmix, ...common });
}

/**
 * Builds every addon whose library is here; does nothing where nothing has changed.
 *
 * Safe to kill at any moment, and to run twice at once.
 *
 * @param {object} [options]
 * @param {string} [options.outDir] Where the addons go; default `build/` of this package (the loader
 *   looks there, or where `DAOS_MPI_BUILD_DIR` says).
 * @param {(line: string) => void} [options.log] Told what is being done; default: nothing is said.
 * @param {boolean} [options.force] Compile even what has not changed.
 * @returns {Promise<{ built: string[], upToDate: string[],
 *   skipped: { name: string, why: string, failed: boolean }[] }>} Names without `.node`; `failed`: the
 *   library is here, and its compiler failed.
 */
export async function buildNative({ outDir = OUT_DIR, log = () => {}, force = false } = {}) {
  const report = { built: [], upToDate: [], skipped: [] };
  const common = { outDir, log, force };
  // Side by side: each is one compiler, which uses one core.
  await Promise.all([buildMpi(report, common), buildPmix(report, common)]);
  return report;
}

/** Command line: says what was done; status 1 if a compiler failed. */
async function main() {
  const force = process.argv.includes("--force");
  const report = await buildNative({ log: (line) => console.log(line), force });
  for (const name of report.built) console.log(`built ${name}.node`);
  for (const name of report.upToDate) console.log(`${name}.node is up to date`);
  for (const { name, why } of report.skipped) console.log(`skipped ${name}.node: ${why}`);
  if (report.skipped.some(({ failed }) => failed)) process.exitCode = 1;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main();
}
