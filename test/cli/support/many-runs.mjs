/**
 * Runs a program's main module many times in this process: its argument is the module, standard input a
 * JSON array of command lines. Prints a JSON array of what each wrote to standard output.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [node, , module] = process.argv;
const print = process.stdout.write.bind(process.stdout);
process.stdout.setMaxListeners(0);

const printed = [];
for (const [at, words] of JSON.parse(readFileSync(0, "utf8")).entries()) {
  let text = "";
  process.stdout.write = (chunk) => {
    text += chunk;
    return true;
  };
  process.argv = [node, module, ...words];
  // Another address is another evaluation; what it imports is loaded once.
  await import(`${pathToFileURL(module)}?${at}`);
  if (process.exitCode) throw new Error(`${words.join(" ")}: status ${process.exitCode}`);
  printed.push(text);
}
process.stdout.write = print;
print(JSON.stringify(printed));
