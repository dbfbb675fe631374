/**
 * jest: transforms only the test files; what they test is the built package, imported by its own names.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

const isNightly = process.env.DAOS_NIGHTLY === "1";
// The gate uses one seed, so that it fails only for what a change did; the nightly run looks elsewhere each time.
// Set here, before workers start, since they inherit the environment.
process.env.SEED ||= isNightly ? String(Date.now() % 2 ** 31) : "1";

/** @type {import("jest").Config} */
export default {
  rootDir: fileURLToPath(new URL(".", import.meta.url)),
  roots: ["<rootDir>/test"],
  testMatch: ["**/*.test.ts"],
  testPathIgnorePatterns: ["/node_modules/", ...(isNightly ? [] : ["/test/nightly/"])],
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      {
        jsc: { parser: { syntax: "typescript" }, target: "es2022" },
        module: { type: "es6" },
        sourceMaps: "inline",
      },
    ],
  },
  // jest does not resolve a package's import of itself; the names lead to what `exports` says.
  moduleNameMapper: {
    "^daos-ts$": "<rootDir>/dist/core/index.js",
    "^daos-ts/(mpi-io|hdf5|arrow|arrow-flight|dfs)$": "<rootDir>/dist/adapters/$1/index.js",
  },
  reporters: ["default", "<rootDir>/test/support/reporter.mjs"],
  maxWorkers: 2,
  testTimeout: isNightly ? 600_000 : 60_000,
};
