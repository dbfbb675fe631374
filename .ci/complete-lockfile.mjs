/**
 * Completes package-lock.json: an entry for every optional package that another platform would install.
 *
 *     node .ci/complete-lockfile.mjs [--check]
 *
 * Packages with prebuilt binaries name one optional package per platform. npm leaves out those that a registry
 * mirror does not carry, and `npm ci` then refuses the lock file as out of step, on every machine. This adds what
 * is missing, from the exact versions that the parent package names. The entries carry no integrity, which npm
 * fills in where it can; they are never fetched on a platform that they are not for.
 *
 * Run it after every change of a dependency. `--check` only tells, with status 1 if something is missing.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FILE = fileURLToPath(new URL("../package-lock.json", import.meta.url));
const SYSTEMS = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const PROCESSORS = [
  "arm64",
  "arm",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "x64",
  "wasm32",
];
const EXACT_VERSION = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/**
 * Returns the entries that a lock file lacks.
 *
 * @param {{packages: Record<string, any>}} lock A parsed package-lock.json, version 2 or 3.
 * @returns {Map<string, object>} From path to entry.
 */
export function missingEntries(lock) {
  const missing = new Map();
  for (const [path, parent] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      if (isLocked(lock, path, name)) continue;
      if (!EXACT_VERSION.test(version)) {
        throw new Error(
          `${path} wants ${name}@${version}: only exact versions can be completed without a registry`,
        );
      }
      missing.set(`node_modules/${name}`, entryFor(name, version, parent));
    }
  }
  return missing;
}

/** A package is found in the parent's own node_modules or in one further up. */
function isLocked(lock, parentPath, name) {
  const parts = parentPath.split("/node_modules/");
  const folders = parts.map(
    (_, index) => `${parts.slice(0, index + 1).join("/node_modules/")}/node_modules/${name}`,
  );
  return [`node_modules/${name}`, ...folders].some((path) => path in lock.packages);
}

/** The platform stands in the name, as in @scope/core-linux-x64-musl. */
function entryFor(name, version, parent) {
  const words = name.replace(/^.*\//, "").split(/[-.]/);
  const os = words.filter((word) => SYSTEMS.includes(word));
  const cpu = words.filter((word) => PROCESSORS.includes(word));
  const libc = words.includes("musl") || words.includes("musleabihf") ? ["musl"] : glibc(words, os);
  return {
    version,
    ...(cpu.length > 0 && { cpu }),
    ...(parent.dev && { dev: true }),
    ...(libc.length > 0 && { libc }),
    optional: true,
    ...(os.length > 0 && { os }),
  };
}

function glibc(words, os) {
  return os.includes("linux") && words.some((word) => word.startsWith("gnu")) ? ["glibc"] : [];
}

function main(isCheck) {
  const lock = JSON.parse(readFileSync(FILE, "utf8"));
  const missing = missingEntries(lock);
  for (const path of missing.keys()) process.stdout.write(`missing: ${path}\n`);
  if (isCheck || missing.size === 0) return missing.size === 0 ? 0 : 1;
  const entries = [...Object.entries(lock.packages), ...missing];
  entries.sort(([a], [b]) => a.localeCompare(b, "en"));
  lock.packages = Object.fromEntries(entries);
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.exitCode = main(process.argv[2] === "--check");
