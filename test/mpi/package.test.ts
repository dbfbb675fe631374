/**
 * The package from outside: its README example runs, and its public names are what they are on purpose.
 */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as mpi from "node-mpi-bindings";
import { available, FAMILIES, runRanks } from "../support/mpirun.ts";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { readmeExample } from "../support/readme-example.ts";
import { root } from "../support/root.ts";

describe("the example of the README", () => {
  // Inside the package's own folders, so that its name resolves.
  const program = join(root, "test/mpi", `example-${process.pid}.mjs`);

  beforeAll(() => {
    const example = readmeExample(readFileSync(join(root, "mpi/README.md"), "utf8"));
    writeFileSync(program, example?.code ?? "throw new Error('no example')");
  });
  afterAll(() => rmSync(program, { force: true }));

  test("runs without MPI", () => {
    const { stdout } = runProgram(process.execPath, [program], { env: plainEnvironment() });
    expect(JSON.parse(stdout)).toEqual({ rank: 0, fromLeft: 0, sum: 0 });
  });

  describe.each(FAMILIES)("under %s", (family) => {
    const run = available(family) ? test : test.skip;

    run("runs in 4 ranks", async () => {
      const { lines, status } = await runRanks({ family, ranks: 4, program });
      expect(status).toBe(0);
      expect(lines).toHaveLength(4);
      for (const rank of [0, 1, 2, 3]) {
        expect(lines).toContainEqual({ rank, fromLeft: (rank + 3) % 4, sum: 6 });
      }
    });
  });
});

test("the public names are these", () => {
  expect(Object.keys(mpi).sort()).toEqual([
    "ANY_SOURCE",
    "ANY_TAG",
    "CONTENT_CODES",
    "CommunicatorRequest",
    "DISPLACEMENT_CURRENT",
    "DISTRIBUTE_DFLT_DARG",
    "Datatype",
    "Distribution",
    "Errhandler",
    "File",
    "Group",
    "IN_PLACE",
    "Info",
    "Keyval",
    "MatchedMessage",
    "MatchedObject",
    "Mode",
    "MpiError",
    "ObjectMessages",
    "ObjectRequest",
    "Objects",
    "Op",
    "PROC_NULL",
    "PersistentRequest",
    "Pmix",
    "ROOT",
    "Request",
    "Seek",
    "SoloCommunicator",
    "Status",
    "THREAD_LEVELS",
    "UserOp",
    "Window",
    "attachBuffer",
    "blocksOf",
    "bootstrap",
    "bsendOverhead",
    "closePort",
    "detachBuffer",
    "dimsCreate",
    "finalize",
    "infoCreateEnv",
    "infoEnv",
    "init",
    "isInitialized",
    "join",
    "libraryVersion",
    "lookupName",
    "openPort",
    "pack",
    "packSize",
    "parent",
    "processorName",
    "publishName",
    "reduceLocal",
    "registerDatarep",
    "repeatLayout",
    "sameValue",
    "self",
    "spanOf",
    "standardVersion",
    "unpack",
    "unpublishName",
    "world",
    "wtick",
    "wtime",
  ]);
});
