/**
 * `daos filesystem check`: finds names and files of a container that no call makes, and repairs them.
 *
 * @module
 */

import { checkFileSystem, type FileSystemFault } from "daos-ts/dfs";
import { DaosError, formatOid } from "../../core/index.js";
import { openContainer } from "../container/open.js";
import type { Output } from "../output/output.js";
import { epoch, integer, list, object, text, type Value } from "../output/schema.js";
import { counted } from "../output/size.js";
import { type Call, defineVerb, option, poolAndContainer } from "../verb.js";

/** Faults that an answer holds. */
const FAULTS_MAX = 65_536;

const checkSchema = object({
  container: text("Label"),
  epoch: epoch("The version that was checked"),
  files: integer("Files that names lead to"),
  directories: integer("Directories, without the root"),
  links: integer("Symbolic links"),
  otherObjects: integer("Objects that are no files: left alone"),
  faultCount: integer("How many faults there are"),
  repaired: integer("How many of them were repaired"),
  faults: list(
    object({
      kind: text(
        "bad-inode, bad-name, wrong-object, second-name, directory-loop or orphan, which has no name",
      ),
      path: text("Where; of an orphan, where a repair puts it"),
      object: text("Object id; empty if it is not known"),
    }),
    "What is wrong, the first 65,536",
  ),
});
type Answer = Value<typeof checkSchema>;

function describe(fault: FileSystemFault): Answer["faults"][number] {
  const { kind, path } = fault;
  return { kind, path, object: "oid" in fault ? formatOid(fault.oid) : "" };
}

async function check({ pool, container, options, report }: Call<{ repair?: boolean }>) {
  const repair = options.repair === true;
  using opened = openContainer(pool, container, repair ? "rw" : "ro");
  const found = await checkFileSystem(opened.container, { repair });
  const { faults, repairEpoch: _, ...rest } = found;
  const left = faults.length - found.repaired;
  if (left > 0) {
    const what = `Checking the files of container "${container}"`;
    const why = `there ${left === 1 ? "is" : "are"} ${counted(left, "fault")}`;
    const remedy = repair ? "check again" : "repair with --repair";
    report(new DaosError("DER_DF_INVAL", { what, why, remedy }, { faultCount: left }));
  }
  return {
    container: opened.container.label,
    ...rest,
    epoch: String(found.epoch),
    faultCount: faults.length,
    faults: faults.slice(0, FAULTS_MAX).map(describe),
  };
}

function print(answer: Answer, output: Output): void {
  if (output.isTerminal) {
    const { files, directories, links, faultCount, repaired } = answer;
    const below = counted(directories, "directory").replace("directorys", "directories");
    const seen = `${counted(files, "file")}, ${below}`;
    const wrong =
      faultCount === 0
        ? output.colour("green", "nothing is wrong")
        : output.colour("red", `${counted(faultCount, "fault")}, ${repaired} repaired`);
    output.line(`Checked ${seen} and ${counted(links, "link")}: ${wrong}.`);
    if (faultCount === 0) return;
  }
  output.table(
    [{ head: "Fault" }, { head: "Object" }, { head: "Path" }],
    answer.faults.map(({ kind, object: oid, path }) => [kind, oid, path]),
  );
}

/** `daos filesystem check` */
export const filesystemCheck = defineVerb({
  name: "check",
  summary: "find files without names and names without files, and repair them",
  description:
    "Checks that each name of a container leads to a file of its own, and each file has a name. " +
    "A repair removes names that lead nowhere, and puts files without a name into /lost+found.",
  operands: poolAndContainer,
  options: [option("--repair", "repair what is wrong")],
  examples: [
    "daos filesystem check daos://run.pool/results",
    "daos filesystem check run.pool results --repair",
  ],
  schema: checkSchema,
  run: check,
  print,
});
