/**
 * `daos hdf5 import`, `export`, `ls`, `dump`, `stat` and `diff`, on `.h5` files and on files of containers.
 */

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { debianH5py, describeH5py, type H5py, makeFiles } from "../support/h5py.ts";
import { runProgram } from "../support/processes.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { answerOf, run, runJson, runWell } from "./support/command-line.ts";

const IMPORT = ["hdf5", "import"];
const EXPORT = ["hdf5", "export"];
let directory: string;
let results: string;

beforeAll(() => {
  if (debianH5py === undefined) return;
  directory = temporaryDirectory({ until: "file" });
  makeFiles(debianH5py as H5py, directory, "latest");
});
beforeEach(() => {
  const pool = join(temporaryDirectory(), "run.pool");
  results = `daos://${pool}/results`;
  using made = Pool.create({ path: pool, durability: "process" });
  made.createContainer("results");
});

const file = (name: string): string => join(directory, `${name}.h5`);

describeH5py("daos hdf5", () => {
  test("import copies a file, and diff finds nothing", () => {
    const source = file("type-compound-with-references");
    const imported = answerOf("daos", IMPORT, [source, `${results}/in/`]);
    expect(imported).toMatchObject({ groups: 1, datasets: 2, links: 2, noteCount: 0 });
    expect(imported.target.endsWith("/results/in/type-compound-with-references.h5")).toBe(true);
    const copy = `${results}/in/type-compound-with-references.h5`;
    expect(answerOf("daos", ["hdf5", "diff"], [source, copy])).toMatchObject({
      equal: true,
      differences: [],
    });
    const again = runJson("daos", IMPORT, [source, copy]);
    expect(again).toMatchObject({ error: { code: "DER_EXIST" }, exitStatus: 4 });
    answerOf("daos", IMPORT, [source, copy, "--force"]);
  });

  test("import refuses a target that is no pool, and says what was other in the source", () => {
    const outside = runJson("daos", IMPORT, [file("links-hard"), join(directory, "x")]);
    expect(outside).toMatchObject({ error: { code: "DER_INVAL" }, exitStatus: 2 });
    const { notes } = answerOf("daos", IMPORT, [file("layout-external"), `${results}/`]);
    expect(notes).toEqual([expect.objectContaining({ path: "/x", code: "DER_NOSYS" })]);
  });

  test("export writes a file that holds what was imported, and replaces one only with --force", () => {
    const source = file("type-compound-with-references");
    const stored = `${results}/a.h5`;
    answerOf("daos", IMPORT, [source, stored]);
    const folder = temporaryDirectory();
    const exported = answerOf("daos", EXPORT, [stored, `${folder}/`]);
    const target = join(folder, "a.h5");
    expect(exported).toMatchObject({ target, groups: 1, datasets: 2, links: 2, noteCount: 0 });
    expect(exported.size).toBe(statSync(target).size);
    expect(runProgram("h5diff", [source, target])).toMatchObject({ status: 0, stdout: "" });
    expect(answerOf("daos", ["hdf5", "diff"], [source, target])).toMatchObject({ equal: true });
    const again = runJson("daos", EXPORT, [stored, target]);
    expect(again).toMatchObject({ error: { code: "DER_EXIST" }, exitStatus: 4 });
    answerOf("daos", EXPORT, [stored, target, "--force"]);
    expect(readdirSync(folder)).toEqual(["a.h5"]);
    expect(run("daos", [...EXPORT, stored, target, "--force"]).stdout).toContain("Datasets");
  });

  test("export takes a snapshot, and refuses what makes no sense", () => {
    const pool = results.slice("daos://".length, -"/results".length);
    answerOf("daos", IMPORT, [file("links-hard"), `${results}/a.h5`]);
    answerOf("daos", ["container", "create-snap"], [pool, "results", "--snap", "first"]);
    answerOf("daos", IMPORT, [file("links-utf8"), `${results}/a.h5`, "--force"]);
    const target = join(temporaryDirectory(), "a.h5");
    answerOf("daos", EXPORT, [`${results}/a.h5`, target, "--snap", "first"]);
    const { equal } = answerOf("daos", ["hdf5", "diff"], [file("links-hard"), target]);
    expect(equal).toBe(true);
    const inside = runJson("daos", EXPORT, [`${results}/a.h5`, `${results}/b.h5`]);
    expect(inside).toMatchObject({ error: { code: "DER_INVAL" }, exitStatus: 2 });
    const missing = runJson("daos", EXPORT, [`${results}/none.h5`, target]);
    expect(missing).toMatchObject({ error: { code: "DER_NONEXIST" }, exitStatus: 3 });
    const nowhere = runJson("daos", EXPORT, [`${results}/a.h5`, join(target, "below", "a.h5")]);
    expect(nowhere).toMatchObject({ error: { code: "DER_NONEXIST" }, exitStatus: 3 });
  });

  test("ls lists groups, each object once", () => {
    const { entries } = answerOf("daos", ["hdf5", "ls"], ["-R", file("links-hard")]);
    expect(entries).toMatchObject([
      { path: "/again", kind: "dataset", shape: [3], layout: "contiguous" },
      { path: "/group", kind: "group" },
      { path: "/group/data", kind: "dataset", sameAs: "/again" },
      { path: "/group/self", kind: "group", sameAs: "/group" },
      { path: "/loop", kind: "group" },
      { path: "/loop/back", kind: "group", sameAs: "/" },
    ]);
    const links = answerOf("daos", ["hdf5", "ls"], [file("links-soft-and-external")]);
    expect(links.entries).toMatchObject([
      { path: "/dangling", kind: "soft", target: "nowhere/../at all" },
      { path: "/data", kind: "dataset", shape: [] },
      { path: "/external", kind: "external", target: "other file.h5:/path/größe" },
      { path: "/soft", kind: "soft", target: "/data" },
    ]);
    const below = answerOf("daos", ["hdf5", "ls"], [file("links-hard"), "/group"]);
    expect(below.entries).toMatchObject([{ path: "/group/data" }, { path: "/group/self" }]);
    const missing = runJson("daos", ["hdf5", "ls"], [file("links-hard"), "/group/none"]);
    expect(missing).toMatchObject({ error: { code: "DER_NONEXIST" }, exitStatus: 3 });
  });

  test("dump shows types, storage, attributes and values", () => {
    const { objects } = answerOf("daos", ["hdf5", "dump"], [file("fill-value")]);
    const [root, compound, x] = objects;
    expect(root).toMatchObject({
      path: "/",
      kind: "group",
      links: [{ name: "compound" }, { name: "x" }],
    });
    expect(compound).toMatchObject({
      type: 'H5T_COMPOUND { H5T_STD_I32LE "a"; H5T_IEEE_F32LE "b" }',
      fillValue: { a: 7, b: 1.5 },
      values: [{ a: 7, b: 1.5 }, { a: 7 }, { a: 7 }, { a: 7 }],
    });
    expect(x).toMatchObject({
      space: "SIMPLE { ( 10 ) / ( 10 ) }",
      layout: ["CHUNKED ( 3 )"],
      values: [-5, -5, 1, 1, 1, -5, -5, -5, -5, -5],
      truncated: false,
    });
    const few = answerOf("daos", ["hdf5", "dump"], [file("fill-value"), "/x", "--limit", "2"]);
    expect(few.objects).toMatchObject([
      { path: "/x", values: [-5, -5], elements: 10, truncated: true },
    ]);
    const header = answerOf("daos", ["hdf5", "dump"], ["-H", file("fill-value"), "/x"]);
    expect(header.objects[0].values).toBeUndefined();
  });

  test.each([
    ["type-enum", "/x", ["zero", "größe", "high"]],
    ["type-bool", "/x", ["TRUE", "FALSE", "TRUE"]],
    ["type-little-f2", "/x", [-3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8]],
    ["type-little-g", "/x", [-3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8]],
    [
      "type-big-u8",
      "/x",
      [
        "18446744073709551613",
        "18446744073709551614",
        "18446744073709551615",
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
      ],
    ],
    ["type-references", "/x", ["/group", "/group/data", null]],
    ["type-vlen-of-strings", "/x", [["a", "bc"], []]],
    ["type-string-fixed", "/ascii", ["", "abc", "abcdef"]],
    ["layout-virtual", "/own", [0, 1, 2, 3, 4, 5, 6]],
  ])("dump shows the values of %s", (name, path, values) => {
    const { objects } = answerOf("daos", ["hdf5", "dump"], [file(name), path]);
    expect(objects[0].values).toEqual(values);
  });

  test("dump prints the same numbers as h5dump", () => {
    const ours = runWell("daos", ["hdf5", "dump", file("layout-chunked"), "/x", "--limit", "400"]);
    const numbers = (text: string) => [...text.matchAll(/(?<![\w(])\d+(?=,|\n)/g)].map(Number);
    expect(numbers(ours.slice(ours.indexOf("DATA {")))).toEqual(
      Array.from({ length: 400 }, (_, index) => index),
    );
    if (!existsSync("/usr/bin/h5dump")) return;
    const theirs = runProgram("/usr/bin/h5dump", ["-y", "-d", "/x", file("layout-chunked")]).stdout;
    expect(numbers(theirs.slice(theirs.indexOf("DATA {")))).toEqual(
      numbers(ours.slice(ours.indexOf("DATA {"))),
    );
  });

  test("stat counts", () => {
    expect(
      answerOf("daos", ["hdf5", "stat"], [file("filter-gzip-shuffle-fletcher32")]),
    ).toMatchObject({
      ...{ groups: 1, datasets: 1, elements: 1500, elementSize: 6000 },
      ...{ filters: { 1: 1, 2: 1, 3: 1 }, layouts: { chunked: 1 }, links: { hard: 1 } },
    });
    expect(answerOf("daos", ["hdf5", "stat"], [file("file-user-block")]).userBlock).toBe(1024);
  });

  test("diff lists what differs, and ends with the status of a mismatch", () => {
    const outcome = runJson(
      "daos",
      ["hdf5", "diff"],
      [file("type-little-i4"), file("type-big-i4")],
    );
    expect(outcome).toMatchObject({ error: { code: "DER_MISMATCH" }, exitStatus: 2 });
    expect(outcome.response).toMatchObject({
      equal: false,
      differences: [
        { path: "/@x", property: "type" },
        { path: "/x", property: "type" },
      ],
    });
  });

  test("a version of a file in a container can be asked for", () => {
    const copy = `${results}/a.h5`;
    answerOf("daos", IMPORT, [file("links-hard"), copy]);
    answerOf("daos", ["container", "create-snap"], [results, "--snap", "old"]);
    answerOf("daos", IMPORT, [file("file-empty"), copy, "--force"]);
    expect(answerOf("daos", ["hdf5", "stat"], [copy]).groups).toBe(1);
    expect(answerOf("daos", ["hdf5", "stat"], [copy, "--snap", "old"]).groups).toBe(3);
    const versions = runJson("daos", ["hdf5", "ls"], [file("file-empty"), "--snap", "old"]);
    expect(versions).toMatchObject({ error: { code: "DER_INVAL" }, exitStatus: 2 });
  });

  test("a damaged file is named, and ends with the status of damage", () => {
    const { status, stderr } = run("daos", ["hdf5", "ls", join(directory, "part-1.raw")]);
    expect({ status, stderr }).toMatchObject({
      status: 1 + 1,
      stderr: expect.stringContaining("no HDF5 file"),
    });
  });
});
