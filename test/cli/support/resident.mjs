/**
 * Runs the programs' main modules in this process, one command line after the other, for a test file that
 * asks for many: starting Node and loading the package takes longer than what most verbs do.
 *
 *     node resident.mjs <fifo of requests> <fifo of replies>
 *
 * A request is a line of JSON, `{ "module": file, "words": [...] }`, its reply `{ "status", "stdout", "stderr" }`.
 * It ends when nobody writes requests any more.
 *
 * @module
 */

import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [node, , requests, replies] = process.argv;
const input = openSync(requests, "r");
const output = openSync(replies, "w");
const block = Buffer.alloc(65_536);
let received = "";
let count = 0;

/** The next line, or `undefined` at the end. */
function nextLine() {
  for (;;) {
    const end = received.indexOf("\n");
    if (end >= 0) {
      const line = received.slice(0, end);
      received = received.slice(end + 1);
      return line;
    }
    const size = readSync(input, block);
    if (size === 0) return undefined;
    received += block.toString("utf8", 0, size);
  }
}

/** Collects what is written to a stream instead. */
function collect(stream) {
  const chunks = [];
  stream.write = (chunk, encoding, callback) => {
    chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk));
    const done = typeof encoding === "function" ? encoding : callback;
    if (done) process.nextTick(done);
    return true;
  };
  return () => Buffer.concat(chunks).toString();
}

async function run({ module, words }) {
  process.argv = [node, module, ...words];
  process.exitCode = undefined;
  process.stdout.removeAllListeners("error");
  const [stdout, stderr] = [process.stdout, process.stderr].map(collect);
  count += 1;
  // Another address is another evaluation; what it imports is loaded once.
  await import(`${pathToFileURL(module)}?${count}`);
  return { status: Number(process.exitCode ?? 0), stdout: stdout(), stderr: stderr() };
}

for (let line = nextLine(); line !== undefined; line = nextLine()) {
  const reply = Buffer.from(`${JSON.stringify(await run(JSON.parse(line)))}\n`);
  for (let at = 0; at < reply.length; ) at += writeSync(output, reply, at);
}
closeSync(output);
process.exit(0);
