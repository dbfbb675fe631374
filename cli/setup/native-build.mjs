/**
 * Native parts: small N-API addons, one per library, so that a missing library disables only its part.
 *
 *     build/storage.node      fallocate, fdatasync, locks, maps; needs only a C compiler
 *     build/index.node        LMDB, compiled from the sources in the npm package lmdb
 *     build/isal.node         CRC-32C by ISA-L; without it checksums are computed in JavaScript
 *     mpi/build/...           Open MPI, MPICH and PMIx, built by the workspace itself
 *
 * Headers of Node come from the npm package node-api-headers; nothing is downloaded. Runs in a clone and in an
 * installed package alike, never from an install script of npm.
 *
 * @module
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { capture, hasProgram } from "./process.mjs";
import { allDone, notice, SetupError, say } from "./report.mjs";

const STEP = "native parts";
const SOURCES = "core/device/native";
const INDEX_SOURCE = "core/index/native/index.c";
/** LMDB's C sources, in its npm package. */
const LMDB_SOURCES = "dependencies/lmdb/libraries/liblmdb";

/**
 * Builds the addons that are missing or older than their sources.
 *
 * @param {string} root Root of the package.
 * @param {{force?: boolean}} [options] `force` builds all of them.
 * @returns {Promise<void>}
 * @throws {SetupError} If there is no C compiler, or an addon that every pool needs does not compile.
 */
export async function buildNativeParts(root, { force = false } = {}) {
  const compiler = findCompiler();
  // Imported late: in a fresh clone node_modules does not exist when this module is loaded.
  const { compileAddon } = await import("node-mpi-bindings/compile-addon");
  const { buildNative } = await import("node-mpi-bindings/setup");
  const log = (text) => say(STEP, text);
  const common = {
    include: [join(root, SOURCES)],
    compiler,
    outDir: join(root, "build"),
    log,
    force,
  };
  // Side by side: most of the time goes into two of them, index.c with LMDB and the MPI families.
  const [{ skipped }] = await allDone([
    buildNative({ log, force }),
    buildStorage(root, (part) => compileAddon({ ...common, ...part })),
    buildChecksums(root, compiler, (part) => compileAddon({ ...common, ...part })),
  ]);
  for (const { name, why, failed } of skipped) {
    if (failed) notice(STEP, [`${name}.node is not built, though its library is here: ${why}`]);
    else say(STEP, `${name}.node is left out: ${why}`);
  }
  say(STEP, "present");
}

/** Builds the addons that every pool needs. */
async function buildStorage(root, build) {
  try {
    const lmdb = lmdbPackage(root);
    await allDone([
      build({
        name: "storage",
        sources: ["storage.c", "real-files.c"].map((name) => join(root, SOURCES, name)),
        libs: ["-pthread", "-ldl"],
      }),
      build({
        name: "index",
        sources: [join(root, INDEX_SOURCE)],
        // As the package itself compiles them. "isystem": their warnings are not ours.
        flags: [
          "-DMDB_MAXKEYSIZE=0",
          "-DMDB_USE_ROBUST=1",
          "-isystem",
          correctedLmdb(root, join(lmdb.root, LMDB_SOURCES)),
          "-isystem",
          join(lmdb.root, LMDB_SOURCES),
        ],
        libs: ["-pthread"],
        facts: { lmdb: lmdb.version, corrections: String(LMDB_CORRECTIONS.map(({ to }) => to)) },
      }),
    ]);
  } catch (error) {
    const errors = error instanceof AggregateError ? error.errors : [error];
    throw new SetupError(errors.map(({ message }) => message).join("\n"), [
      "Check that the C library's headers are there (Debian: apt-get install gcc libc6-dev),",
      "then run the same command again.",
    ]);
  }
}

/** What is changed in LMDB's source, each found exactly once. */
const LMDB_CORRECTIONS = [
  {
    // Each process that opens an index sets the number of the last transaction to what it read before: a
    // commit of another process in between would be lost. The first process sets it elsewhere, under an
    // exclusive lock.
    from: /\n\tif \(env->me_txns\)\n\t\tenv->me_txns->mti_txnid = meta\.mm_txnid;\n/,
    to: "\n",
  },
  {
    // A reader without a slot meets such pages, reads again, and tells its caller if that does not help.
    from: /\n\t\tfprintf\(stderr, "page %u not found error\\n", pgno\);\n/,
    to: "\n",
  },
  {
    // Pages go where STORE_PAGES of index.c puts them, or are written as before.
    from: /\n\t\t\t\tif \(n == 1\) \{\n\t\t\t\t\twres = pwrite\(/,
    to: `
\t\t\t\tif (STORE_PAGES(env, iov, n, wpos)) {
\t\t\t\t\twres = wsize;
\t\t\t\t} else if (n == 1) {
\t\t\t\t\twres = pwrite(`,
  },
];

/**
 * Writes a corrected copy of LMDB's source.
 *
 * @returns {string} Folder of the corrected file, to be searched before the package's.
 */
function correctedLmdb(root, sources) {
  let text = readFileSync(join(sources, "mdb.c"), "utf8");
  for (const { from, to } of LMDB_CORRECTIONS) {
    const parts = text.split(from);
    if (parts.length !== 2) throw new Error("LMDB's source is not the one that is known");
    text = parts.join(to);
  }
  const folder = join(root, "build", "lmdb");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "mdb.c"), text);
  return folder;
}

/** Where the npm package lmdb lies, and its version. */
function lmdbPackage(root) {
  const require = createRequire(join(root, "package.json"));
  let folder = dirname(require.resolve("lmdb"));
  for (;;) {
    try {
      const { name, version } = require(join(folder, "package.json"));
      if (name === "lmdb") return { root: folder, version };
    } catch {
      // Its entry point lies in a folder of its own.
    }
    folder = dirname(folder);
  }
}

/** ISA-L is an acceleration: without it, or with one that does not link, the work goes on in JavaScript. */
async function buildChecksums(root, compiler, build) {
  if (!hasHeader(compiler, "isa-l/crc.h")) {
    const why = "there is no isa-l/crc.h (apt-get install libisal-dev)";
    return say(STEP, `isal.node is left out, checksums are computed in JavaScript: ${why}`);
  }
  try {
    await build({
      name: "isal",
      sources: [join(root, SOURCES, "isal.c")],
      libs: ["-lisal", "-pthread"],
    });
  } catch (error) {
    notice(STEP, [
      `isal.node is not built, checksums are computed in JavaScript: ${error.message}`,
    ]);
  }
}

function findCompiler() {
  const named = process.env.CC?.split(" ")[0];
  const compiler = [named, "cc", "gcc", "clang"].find(
    (name) => name !== undefined && name !== "" && (name.includes("/") || hasProgram(name)),
  );
  if (compiler !== undefined) return compiler;
  throw new SetupError("There is no C compiler: none of cc, gcc and clang is on the PATH.", [
    "Install one (Debian: apt-get install gcc libc6-dev) or name it in CC, then run the same command again.",
  ]);
}

/** Asks the compiler itself, which knows its include folders better than we do. */
function hasHeader(compiler, header) {
  return (
    capture(compiler, ["-E", "-x", "c", "-"], { input: `#include <${header}>\n` }).status === 0
  );
}
