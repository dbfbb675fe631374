/**
 * `daos setup`: builds the native parts.
 *
 * @module
 */

import { DaosError } from "../../core/index.js";
import { object, text } from "../output/schema.js";
import { PACKAGE_ROOT } from "../package-root.js";
import { type Call, defineVerb, option } from "../verb.js";

/** What cli/setup/main.mjs exports; it is plain JavaScript, since it runs before anything is built. */
interface SetupModule {
  setUpInstalled(options: { system?: boolean; force?: boolean }): Promise<number>;
}

/** `daos setup` */
export const setupVerb = defineVerb({
  name: "setup",
  summary: "build the native parts (storage, checksums, MPI, PMIx) with this machine's C compiler",
  options: [
    option("--system", "first install the Debian packages they use (as root or with sudo)"),
    option("--force", "build again what is there"),
  ],
  examples: ["npx daos setup", "npx daos setup --system"],
  schema: object({ directory: text("Root of the package whose parts were built") }),
  run: async ({ options, output }: Call<{ system?: boolean; force?: boolean }>) => {
    const url = new URL("cli/setup/main.mjs", PACKAGE_ROOT);
    const { setUpInstalled } = (await import(url.href)) as SetupModule;
    const restore = output.json ? standardOutputToError() : () => undefined;
    let status: number;
    try {
      status = await setUpInstalled(options);
    } finally {
      restore();
    }
    if (status !== 0) {
      const text = {
        what: "Building the native parts",
        why: "a step could not go on; its report stands above",
        remedy: "do what the report says, then run the same command again",
      };
      throw new DaosError("DER_SETUP", text);
    }
    return { directory: PACKAGE_ROOT.pathname };
  },
  // The steps have said what they did.
  print: () => undefined,
});

/** Sends what the steps print to standard error, where it does not mix with the answer. */
function standardOutputToError(): () => void {
  const { write } = process.stdout;
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof write;
  return () => {
    process.stdout.write = write;
  };
}
