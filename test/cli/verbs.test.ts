/**
 * The verbs as a whole: which there are, and that each has help with an example, `--json` and a schema.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { plainEnvironment, runProgram } from "../support/processes.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import {
  answerOf,
  helpOfVerbs,
  type Program,
  programFile,
  run,
  runWell,
} from "./support/command-line.ts";

/** What pools and containers share. */
const ADMINISTRATION = [
  ...["get-prop", "set-prop", "list-attr", "get-attr", "set-attr", "del-attr"],
  ...["get-acl", "overwrite-acl", "update-acl", "delete-acl", "set-owner"],
];

const VERBS: Record<Program, readonly string[]> = {
  daos: [
    "pool list",
    "pool query",
    ...ADMINISTRATION.map((verb) => `pool ${verb}`),
    ...ADMINISTRATION.map((verb) => `container ${verb}`),
    "container destroy",
    "container create",
    "container list",
    "container query",
    "container check",
    "container list-commits",
    "container create-snap",
    "container list-snaps",
    "container destroy-snap",
    "container rollback",
    "container diff",
    "object list",
    "object query",
    "filesystem copy",
    "filesystem ls",
    "filesystem cat",
    "filesystem get-attr",
    "filesystem set-attr",
    "filesystem chmod",
    "filesystem check",
    "hdf5 import",
    "hdf5 export",
    "hdf5 ls",
    "hdf5 dump",
    "hdf5 stat",
    "hdf5 diff",
    "arrow serve",
    "arrow import",
    "arrow export",
    "arrow head",
    "arrow schema",
    "arrow stats",
    "arrow compact",
    "arrow pin",
    "health check",
    "setup",
    "version",
    "completion",
  ],
  dmg: [
    "pool create",
    "pool list",
    "pool query",
    "pool set-size",
    "pool aggregate",
    "pool recover",
    "pool destroy",
    "pool upgrade",
    ...ADMINISTRATION.map((verb) => `pool ${verb}`),
    "pool metrics",
    "storage query usage",
    "scrub",
    "version",
    "completion",
  ],
};

describe.each(["daos", "dmg"] as const)("%s", (program) => {
  let helps: ReadonlyMap<string, string>;
  beforeAll(() => {
    helps = helpOfVerbs(program);
  });

  test("has exactly the verbs that are tested", () => {
    expect([...helps.keys()].sort()).toEqual([...VERBS[program]].sort());
  });

  test.each(VERBS[program])("%s has an example, --json and a schema", (verb) => {
    const help = helps.get(verb) ?? "";
    expect(help).toContain("--json ");
    expect(help).toContain("--json-schema ");
    const examples =
      help
        .split(/\nExamples?:\n/)[1]
        ?.trim()
        .split("\n") ?? [];
    expect(examples.length).toBeGreaterThan(0);
    // Each example is of this verb.
    for (const example of examples) expect(example).toContain(String(verb.split(" ").at(-1)));
  });

  test("version answers in both forms", () => {
    const { version } = answerOf(program, ["version"]);
    expect(runWell(program, ["version"], {})).toBe(`${version}\n`);
    expect(runWell(program, ["--version"], {})).toBe(`${version}\n`);
  });

  test("says what to do about an unknown verb, and ends with status 2", () => {
    const { status, stdout, stderr } = run(program, ["pool", "qurey"], {});
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^error: .* failed: unknown command 'qurey'.*query/);
    expect(stderr).toMatch(/\n {2}do: {2}See ".* --help"\.\n {2}code: DER_INVAL\(1003\)\n$/);
  });

  test("prints an envelope for an error of the command line, if JSON is asked for", () => {
    const { status, stdout, stderr } = run(program, ["pool", "query", "--nonsense", "--json"], {});
    expect({ status, stderr }).toEqual({ status: 2, stderr: "" });
    const envelope = JSON.parse(stdout);
    expect(envelope).toMatchObject({ response: null, status: -1003 });
    expect(envelope.error).toMatchObject({ code: "DER_INVAL", number: 1003, exitStatus: 2 });
  });

  test("a noun without a verb prints help on standard error, with status 2", () => {
    const { status, stdout, stderr } = run(program, ["pool"], {});
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("Commands:");
  });
});

describe("daos loads", () => {
  /** Which of the front ends' modules a command line loads, as V8 reports them. */
  function frontEndsOf(...args: readonly string[]): string[] {
    const folder = temporaryDirectory();
    const env = plainEnvironment({ NODE_V8_COVERAGE: folder });
    expect(runProgram(process.execPath, [programFile("daos"), ...args], { env }).status).toBe(0);
    const reports = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    return ["hdf5", "arrow"].filter((name) => reports.join().includes(`/adapters/${name}/`));
  }

  test("no front end for the verbs of pools, and the one that is named", () => {
    expect(frontEndsOf("pool", "--help")).toEqual([]);
    expect(frontEndsOf("--json", "version")).toEqual([]);
    expect(frontEndsOf("arrow", "--help")).toContain("arrow");
    expect(frontEndsOf("h5", "--help")).toContain("hdf5");
  });

  test("all front ends where none is named", () => {
    expect(frontEndsOf("--help")).toEqual(["hdf5", "arrow"]);
  });
});
