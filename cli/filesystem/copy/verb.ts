/**
 * `daos filesystem copy`: a file or a tree into a container, out of it, or from one to another.
 *
 * @module
 */

import path from "node:path";
import { type Container, DaosError, Pool } from "../../../core/index.js";
import {
  findContainer,
  type VersionOptions,
  versionOf,
  versionOptions,
} from "../../container/open.js";
import { type Address, addressOfPath } from "../../location.js";
import type { Output } from "../../output/output.js";
import { Progress } from "../../output/progress.js";
import { integer, list, number, object, text, type Value } from "../../output/schema.js";
import { counted, humanDuration } from "../../output/size.js";
import { type Call, defineVerb, option } from "../../verb.js";
import { Copy, measure } from "./copy.js";
import { PoolTree } from "./pool-tree.js";
import { RealTree } from "./real-tree.js";
import type { SourceTree, TargetTree, WrittenListener } from "./tree.js";

interface CopyVerbOptions extends VersionOptions {
  readonly recursive?: boolean;
  readonly verify?: boolean;
  readonly checksum?: boolean;
}

const schema = object({
  source: text("What was copied"),
  target: text("Where it is now"),
  files: integer("Files that were written"),
  directories: integer("Directories that were made"),
  links: integer("Symbolic links that were made"),
  skipped: integer("Files and links that were there already"),
  bytes: integer("Bytes of the files that were written"),
  verified: integer("Files that were read again, and are what was written"),
  seconds: number("How long it took"),
  warnings: list(text("What was left out"), "The first 1,000"),
  warningCount: integer("How many there are"),
  failures: list(
    object({
      path: text("What could not be copied"),
      code: text("Stable code"),
      why: text("Why not"),
    }),
    "The first 1,000",
  ),
  failureCount: integer("How many there are"),
});
type Answer = Value<typeof schema>;

/** Where a copy begins or ends. */
type Place =
  | { readonly real: string }
  | { readonly address: Address & { readonly container: string } };

function placeOf(written: string, roots: readonly string[]): Place {
  const address = addressOfPath(written, roots);
  if (address === undefined) return { real: path.resolve(written) };
  const { container } = address;
  if (container !== undefined) return { address: { ...address, container } };
  const what = `Copying with "${written}"`;
  const why = "it names a pool and no container of it";
  throw new DaosError("DER_INVAL", { what, why, remedy: "write daos://<pool>/<container>/<path>" });
}

/** Closes what was opened, last first. (Node 20 has no `DisposableStack`.) */
class Opened implements Disposable {
  readonly #resources: Disposable[] = [];

  use<T extends Disposable>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  open(address: Address & { readonly container: string }, mode: "ro" | "rw"): Container {
    const pool = this.use(Pool.connect(address.pool, { mode }));
    return findContainer(pool, address.container);
  }

  [Symbol.dispose](): void {
    for (const resource of this.#resources.reverse()) resource[Symbol.dispose]();
  }
}

function openSource(place: Place, options: CopyVerbOptions, opened: Opened): SourceTree {
  const at = versionOf(options);
  if ("real" in place) {
    if (at === undefined) return new RealTree(place.real);
    const what = `Copying ${place.real}`;
    const why = "--epc or --snap was given, and real files have no versions";
    throw new DaosError("DER_INVAL", { what, why, remedy: "leave the version out" });
  }
  const container = opened.open(place.address, "ro");
  return opened.use(new PoolTree(container, { root: place.address.path, at }));
}

function openTarget(place: Place, listener: WrittenListener, opened: Opened): TargetTree {
  if ("real" in place) return new RealTree(place.real, listener);
  const container = opened.open(place.address, "rw");
  return opened.use(new PoolTree(container, { root: place.address.path, listener }));
}

/** With a slash at its end, a target is the directory to copy into. */
function completeTarget(target: string, source: string): string {
  if (!target.endsWith("/")) return target;
  return `${target}${path.posix.basename(source.replace(/\/+$/, ""))}`;
}

function refuse(what: string, why: string, remedy: string): never {
  throw new DaosError("DER_INVAL", { what, why, remedy });
}

/** Refuses what cannot be copied at all. */
function requireCopyable(source: SourceTree, target: TargetTree, recursive: boolean): void {
  const entry = source.entry("");
  const what = `Copying ${source.display("")}`;
  if (entry === undefined) {
    const text = { what, why: "there is no such file", remedy: "correct the path" };
    throw new DaosError("DER_NONEXIST", text);
  }
  if (entry.kind === "directory" && !recursive)
    refuse(what, "it is a directory", "add --recursive");
  const there = target.entry("");
  if (entry.kind === "file" && there?.kind === "directory") {
    const why = `${target.display("")} is a directory`;
    refuse(what, why, 'end the target with "/" to copy into it, or name a file');
  }
}

async function run(call: Call<CopyVerbOptions>): Promise<Answer> {
  const { words, roots, options, output, report } = call;
  const [from = "", to = ""] = words;
  const started = performance.now();
  const sourcePlace = placeOf(from, roots);
  const targetPlace = placeOf(completeTarget(to, from), roots);
  if ("real" in sourcePlace && "real" in targetPlace) {
    refuse(`Copying ${from} to ${to}`, "neither of them lies in a pool", "use cp or rsync");
  }
  using opened = new Opened();
  const source = openSource(sourcePlace, options, opened);
  let bar: Progress | undefined;
  const copy = new Copy(source, {
    verifies: options.verify !== false,
    comparesBytes: options.checksum === true,
    advance: (bytes) => bar?.advance(bytes),
  });
  const target = openTarget(targetPlace, copy.written, opened);
  requireCopyable(source, target, options.recursive === true);
  const total = output.showsProgress ? measure(source).bytes : 0;
  using progress = new Progress(output, { title: "copy", total, unit: "bytes" });
  bar = progress;
  const done = await copy.run(target);
  progress.close();
  const seconds = Math.round(performance.now() - started) / 1000;
  const answer = { source: source.display(""), target: target.display(""), ...done, seconds };
  const [first] = done.failures;
  if (first !== undefined) {
    const all = counted(done.failureCount, "entry").replace("entrys", "entries");
    const text = {
      what: `Copying ${answer.source}`,
      why: `${all} could not be copied, first ${first.path}: ${first.why}`,
      remedy: "remove the reasons, then run the same command again: it takes up where it ended",
    };
    report(new DaosError("DER_MISC", text, { failures: done.failureCount }));
  }
  return answer;
}

function print(answer: Answer, output: Output): void {
  for (const warning of answer.warnings) output.warn(warning);
  if (!output.isTerminal) {
    output.facts([
      ["Files", answer.files],
      ["Directories", answer.directories],
      ["Links", answer.links],
      ["Skipped", answer.skipped],
      ["Bytes", answer.bytes],
      ["Verified", answer.verified],
      ["Failures", answer.failureCount],
    ]);
  } else {
    const { files, bytes, seconds, skipped, verified } = answer;
    const rate = output.size(Math.round(bytes / Math.max(seconds, 0.001)));
    const took = humanDuration(seconds * 1000);
    output.line(`Copied ${counted(files, "file")}, ${output.size(bytes)} in ${took} (${rate}/s).`);
    if (skipped > 0) output.line(`${counted(skipped, "file")} there already.`);
    if (verified > 0) output.line(output.colour("green", `Verified ${counted(verified, "file")}.`));
  }
  if (answer.failures.length === 0) return;
  output.table(
    [{ head: "Not copied" }, { head: "Code" }, { head: "Why" }],
    answer.failures.map(({ path: of, code, why }) => [of, code, why]),
  );
}

/** `daos filesystem copy` */
export const filesystemCopy = defineVerb({
  name: "copy",
  aliases: ["cp"],
  summary: "copy a file, or with -r a directory, into a container, out of it, or to another",
  description:
    "Copy a file, or with -r a directory, into a container, out of it, or to another. The target is the new name of the source; with a slash at its end, the directory to copy into. Each file appears as a whole or not at all. Permission bits, times of modification, extended attributes of users, holes and symbolic links go along. Run the same command again after it was killed: what is complete is not copied again.",
  operands: [
    {
      name: "source",
      kind: "text",
      description: "a file or directory, or daos://<pool>/<container>/<path>",
    },
    { name: "target", kind: "text", description: "likewise" },
  ],
  options: [
    option("-r, --recursive", "copy directories with all that is in them"),
    option("--no-verify", "do not read the copies again to compare them with the source"),
    option("--checksum", "compare the bytes of files that are there, not only size and time"),
    ...versionOptions,
    option(
      "--pool-root <directory>",
      "where pools are looked for by name",
      (root: string, known: string[] | undefined) => [...(known ?? []), root],
    ),
  ],
  examples: [
    "daos filesystem copy -r ./inputs daos://run.pool/results/inputs",
    "daos filesystem copy -r daos://run.pool/results/step-10 /tmp/step-10 --snap before-restart",
  ],
  schema,
  run,
  print,
});
