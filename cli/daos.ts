#!/usr/bin/env node
/**
 * `daos`: the command line.
 *
 * Each verb is a few lines here and its work elsewhere, so that this file stays a table of contents.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { Command } from "commander";

/** Root of the package, seen from dist/cli. */
const PACKAGE_ROOT = new URL("../../", import.meta.url);

/** What cli/setup/main.mjs exports; it is plain JavaScript, since it runs before anything is built. */
interface SetupModule {
  setUpInstalled(options: { system?: boolean; force?: boolean }): Promise<number>;
}

function packageVersion(): string {
  const text = readFileSync(new URL("package.json", PACKAGE_ROOT), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

async function setup(options: { system?: boolean; force?: boolean }): Promise<void> {
  const url = new URL("cli/setup/main.mjs", PACKAGE_ROOT);
  const { setUpInstalled } = (await import(url.href)) as SetupModule;
  process.exitCode = await setUpInstalled(options);
}

const program = new Command("daos")
  .description("A transactional, versioned object store for HPC")
  .version(packageVersion());

program
  .command("setup")
  .description(
    "build the native parts (storage, checksums, MPI, PMIx) with this machine's C compiler",
  )
  .option("--system", "first install the Debian packages they use (as root or with sudo)")
  .option("--force", "build again what is there")
  .action(setup);

program
  .command("version")
  .description("print the version")
  .action(() => {
    process.stdout.write(`${packageVersion()}\n`);
  });

await program.parseAsync();
