/**
 * The verbs as a whole: which there are, and that each has help with an example, `--json` and a schema.
 */

import { describe, expect, test } from "@jest/globals";
import { type Program, run, runWell } from "./support/command-line.ts";

const VERBS: Record<Program, readonly string[]> = {
  daos: [
    "pool list",
    "pool query",
    "container create",
    "container list",
    "container query",
    "container check",
    "container list-commits",
    "container create-snap",
    "container list-snaps",
    "container destroy-snap",
    "object list",
    "object query",
    "filesystem copy",
    "filesystem ls",
    "filesystem cat",
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
    "storage query usage",
    "scrub",
    "version",
    "completion",
  ],
};

/** The commands below one, as its help names them. */
function commandsOf(program: Program, path: readonly string[]): string[] {
  const help = runWell(program, [...path, "--help"]);
  const [, list] = help.split("\nCommands:\n");
  if (list === undefined) return [];
  const names = list.split("\n").map((line) => /^ {2}(\S+)/.exec(line)?.[1]);
  return names.filter((name): name is string => name !== undefined && name !== "help");
}

function verbsBelow(program: Program, path: readonly string[] = []): string[] {
  const commands = commandsOf(program, path);
  if (commands.length === 0) return [path.join(" ")];
  return commands.flatMap((name) => verbsBelow(program, [...path, name]));
}

describe.each(["daos", "dmg"] as const)("%s", (program) => {
  test("has exactly the verbs that are tested", () => {
    expect(verbsBelow(program).sort()).toEqual([...VERBS[program]].sort());
  });

  test.each(VERBS[program])("%s has an example, --json and a schema", (verb) => {
    const words = verb.split(" ");
    const help = runWell(program, [...words, "--help"]);
    expect(help).toMatch(/\nExamples?:\n {2}\S/);
    expect(help).toContain("--json ");
    // Each example is of this program and verb.
    const examples =
      help
        .split(/\nExamples?:\n/)[1]
        ?.trim()
        .split("\n") ?? [];
    for (const example of examples) expect(example).toContain(`${verb.split(" ").at(-1)}`);
    const schema = JSON.parse(runWell(program, [...words, "--json-schema"]));
    expect(schema.required).toEqual(["response", "error", "status"]);
    const [response] = schema.properties.response.anyOf;
    expect(response).toMatchObject({ type: "object", additionalProperties: false });
  });

  test("says what to do about an unknown verb, and ends with status 2", () => {
    const { status, stdout, stderr } = run(program, ["pool", "qurey"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^error: .* failed: unknown command 'qurey'.*query/);
    expect(stderr).toMatch(/\n {2}do: {2}See ".* --help"\.\n {2}code: DER_INVAL\(1003\)\n$/);
  });

  test("prints an envelope for an error of the command line, if JSON is asked for", () => {
    const { status, stdout, stderr } = run(program, ["pool", "query", "--nonsense", "--json"]);
    expect({ status, stderr }).toEqual({ status: 2, stderr: "" });
    const envelope = JSON.parse(stdout);
    expect(envelope).toMatchObject({ response: null, status: -1003 });
    expect(envelope.error).toMatchObject({ code: "DER_INVAL", number: 1003, exitStatus: 2 });
  });

  test("a noun without a verb prints help on standard error, with status 2", () => {
    const { status, stdout, stderr } = run(program, ["pool"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("Commands:");
  });
});
