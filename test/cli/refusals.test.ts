/**
 * What each verb refuses: the code, the exit status, and an error that says what failed, why and what to do.
 *
 * A verb without a row fails the test.
 */

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { helpOfVerbs, type Program, run, runJson } from "./support/command-line.ts";

/** Stand in rows for places that only exist while the test runs. */
const PLACES = ["POOL", "NO_POOL", "PLAIN", "NOTHING", "OUT"] as const;
type Place = (typeof PLACES)[number];

/** A wrong command line: its words behind the verb, and the code of the error. */
type Row = readonly [code: keyof typeof STATUSES, ...words: string[]];

const STATUSES = { DER_INVAL: 2, DER_NONEXIST: 3, DER_EXIST: 4 } as const;

const missing: Row = ["DER_NONEXIST", "NO_POOL"];
const noContainer: Row = ["DER_NONEXIST", "POOL", "none"];
const noFile: Row = ["DER_NONEXIST", "daos://POOL/c/none"];
const notHdf5: Row = ["DER_INVAL", "PLAIN"];
const wordless: Row = ["DER_INVAL", "--nonsense"];
const shell: Row = ["DER_INVAL", "tcsh"];

function administration(noun: string, ...words: string[]): Record<string, readonly Row[]> {
  const absent: Row = ["DER_NONEXIST", "NO_POOL", ...words.slice(1)];
  const list = [...words, "--acl-file", "PLAIN"];
  return {
    [`${noun} get-prop`]: [absent, ["DER_INVAL", ...words, "nonsense"]],
    [`${noun} set-prop`]: [["DER_INVAL", ...words, "nonsense:1"]],
    [`${noun} list-attr`]: [absent],
    [`${noun} get-attr`]: [["DER_NONEXIST", ...words, "nonsense"]],
    [`${noun} set-attr`]: [["DER_INVAL", ...words, "nonsense"]],
    [`${noun} del-attr`]: [["DER_NONEXIST", ...words, "nonsense"]],
    [`${noun} get-acl`]: [absent],
    [`${noun} overwrite-acl`]: [["DER_INVAL", ...list]],
    [`${noun} update-acl`]: [["DER_INVAL", ...words, "--entry", "nonsense"]],
    [`${noun} delete-acl`]: [["DER_NONEXIST", ...words, "--principal", "u:nobody@"]],
    [`${noun} set-owner`]: [["DER_INVAL", ...words], absent],
  };
}

const ROWS: Record<Program, Record<string, readonly Row[]>> = {
  daos: {
    ...administration("pool", "POOL"),
    ...administration("container", "POOL", "c"),
    "pool list": [["DER_NONEXIST", "NOTHING"]],
    "pool query": [missing, ["DER_NONEXIST", "PLAIN"]],
    "container destroy": [noContainer],
    "container create": [
      ["DER_EXIST", "POOL", "c"],
      ["DER_INVAL", "POOL", "a/b"],
    ],
    "container list": [missing],
    "container query": [noContainer],
    "container check": [noContainer],
    "container list-commits": [noContainer],
    "container create-snap": [["DER_INVAL", "POOL", "c", "--snap", "a b"]],
    "container list-snaps": [noContainer],
    "container destroy-snap": [["DER_NONEXIST", "POOL", "c", "--snap", "none"]],
    "container rollback": [
      ["DER_NONEXIST", "POOL", "c", "--snap", "none"],
      ["DER_INVAL", "POOL", "c"],
    ],
    "container diff": [["DER_INVAL", "POOL", "c", "--from", "18446744073709551616"]],
    "object list": [noContainer],
    "object query": [
      ["DER_NONEXIST", "POOL", "c", "1.2"],
      ["DER_INVAL", "POOL", "c", "xyz"],
    ],
    "filesystem copy": [["DER_NONEXIST", "NOTHING", "daos://POOL/c/x"]],
    "filesystem ls": [noFile],
    "filesystem cat": [noFile],
    "filesystem get-attr": [noFile],
    "filesystem set-attr": [[...noFile, "a:b"]],
    "filesystem chmod": [
      ["DER_NONEXIST", "640", "daos://POOL/c/none"],
      ["DER_INVAL", "9z", "daos://POOL/c"],
    ],
    "filesystem check": [noContainer],
    "hdf5 import": [[...notHdf5, "daos://POOL/c/x"]],
    "hdf5 export": [[...noFile, "OUT"]],
    "hdf5 ls": [notHdf5],
    "hdf5 dump": [notHdf5],
    "hdf5 stat": [notHdf5],
    "hdf5 diff": [[...notHdf5, "PLAIN"]],
    "arrow serve": [missing],
    "arrow import": [["DER_INVAL", "PLAIN", "daos://POOL/c/x"]],
    "arrow export": [[...noFile, "OUT"]],
    "arrow head": [noFile, ["DER_INVAL", "daos://POOL/c/none", "--where", "{"]],
    "arrow schema": [noFile],
    "arrow stats": [noFile],
    "arrow pin": [[...noFile, "OUT"]],
    "arrow compact": [noFile],
    "health check": [missing],
    setup: [wordless],
    version: [wordless],
    completion: [shell],
  },
  dmg: {
    ...administration("pool", "POOL"),
    "pool create": [["DER_EXIST", "POOL"]],
    "pool list": [["DER_NONEXIST", "NOTHING"]],
    "pool query": [missing],
    "pool set-size": [["DER_INVAL", "POOL", "--size", "-3"]],
    "pool aggregate": [noContainer],
    "pool recover": [missing],
    "pool destroy": [missing],
    "pool upgrade": [missing],
    "pool metrics": [missing],
    "storage query usage": [missing],
    scrub: [missing],
    version: [wordless],
    completion: [shell],
  },
};

describe.each(["daos", "dmg"] as const)("%s", (program) => {
  let places: Record<Place, string>;
  let pool: Pool;
  beforeAll(() => {
    const folder = temporaryDirectory({ until: "file" });
    places = {
      POOL: join(folder, "run.pool"),
      NO_POOL: join(folder, "no.pool"),
      PLAIN: join(folder, "plain.txt"),
      NOTHING: join(folder, "nothing"),
      OUT: join(folder, "out.arrow"),
    };
    pool = Pool.create({ path: places.POOL, durability: "process" });
    pool.createContainer("c").close();
    writeFileSync(places.PLAIN, "text");
  });
  afterAll(() => pool.close());

  test("has a row for each verb", () => {
    expect(Object.keys(ROWS[program]).sort()).toEqual([...helpOfVerbs(program).keys()].sort());
  });

  const cases = Object.entries(ROWS[program]).flatMap(([verb, rows]) =>
    rows.map((row) => [verb, row[0], row.slice(1).join(" "), row] as const),
  );

  test.each(cases)("%s: %s of %s", (verb, code, _, [, ...words]) => {
    const args = words.map((word) =>
      word.replace(/\b(POOL|NO_POOL|PLAIN|NOTHING|OUT)\b/, (place) => places[place as Place]),
    );
    const { response, error, exitStatus } = runJson(program, verb.split(" "), args);
    expect({ response, code: error?.code, exitStatus }).toEqual({
      ...{ response: null, code, exitStatus: STATUSES[code] },
    });
    const { status, stdout, stderr } = run(program, [...verb.split(" "), ...args]);
    expect({ status, stdout }).toEqual({ status: STATUSES[code], stdout: "" });
    // What failed, why, and what to do: sentences, with no trace of the program.
    expect(stderr).toMatch(
      /^error: [A-Z].* failed: .*\.\n {2}do: {2}[A-Z].*\.\n {2}code: DER_\w+\(\d+\)\n$/s,
    );
    expect(stderr).not.toMatch(/undefined|\[object|\n {4}at /);
    // It harmed nothing.
    expect(existsSync(places.OUT)).toBe(false);
    expect(pool.listContainers()).toEqual(["c"]);
  });
});
