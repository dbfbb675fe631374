/**
 * `daos arrow import`, `export`, `head`, `schema`, `stats`, `compact` and `pin`, on files of all formats.
 */

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { tableFromIPC } from "apache-arrow";
import { Pool } from "daos-ts";
import { describeInterop, interopPython } from "../support/interop.ts";
import { root } from "../support/root.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { answerOf, run, runJson, runWell } from "./support/command-line.ts";

const IMPORT = ["arrow", "import"];
const EXPORT = ["arrow", "export"];
const FLIGHTS = join(root, "node_modules/vega-datasets/data/flights-200k.arrow");
const CSV = "step,energy,at\n1,0.5,2026-02-03\n2,,2026-02-04\n3,12.25,2026-02-05\n";
const SCHEMA = "step: int64, energy: float64, at: date32";
const WHERE = JSON.stringify({ op: ">", column: "energy", value: 10 });
let folder: string;
let results: string;

beforeEach(() => {
  folder = temporaryDirectory();
  const pool = join(folder, "run.pool");
  results = `daos://${pool}/results`;
  using made = Pool.create({ path: pool, durability: "process" });
  made.createContainer("results");
});

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function importEnergy(): string {
  const target = `${results}/runs/energy`;
  answerOf("daos", IMPORT, [file("energy.csv", CSV), target]);
  return target;
}

describe("daos arrow", () => {
  test("import takes types from the values, and the name from the file", () => {
    const source = file("energy.csv", CSV);
    const imported = answerOf("daos", IMPORT, [source, `${results}/runs/`]);
    expect(imported).toMatchObject({ source, rows: 3, schema: SCHEMA, size: CSV.length });
    expect(imported.target).toBe(`${results}/runs/energy`);
    const again = runJson("daos", IMPORT, [source, imported.target]);
    expect(again).toMatchObject({ error: { code: "DER_EXIST" }, exitStatus: 4 });
    const narrow = ["--schema", "step: int8, energy: float32", "--force"];
    const replaced = answerOf("daos", IMPORT, [source, imported.target, ...narrow]);
    expect(replaced.schema).toBe("step: int8, energy: float32");
    const appended = answerOf("daos", IMPORT, [
      ...[file("more.jsonl", '{"step": 4, "energy": null}\n'), imported.target, "--append"],
      ...["--schema", "step: int8, energy: float32"],
    ]);
    expect(appended.rows).toBe(1);
    expect(answerOf("daos", ["arrow", "head"], [imported.target])).toMatchObject({
      numRows: 4,
      columns: ["step", "energy"],
      rows: [
        [1, 0.5],
        [2, null],
        [3, 12.25],
        [4, null],
      ],
    });
  });

  test.each([
    ["a value that does not fit", "t.csv", "a\n1\nx\n", ["--schema", "a: int8"], "DER_INVAL", 2],
    ["a format that nobody knows", "t.dat", "a", [], "DER_INVAL", 2],
    ["options that exclude each other", "t.csv", "a\n1\n", ["--append", "--force"], "DER_INVAL", 2],
    ["a schema that is none", "t.csv", "a\n1\n", ["--schema", "a"], "DER_INVAL", 2],
    ["a compression that is none", "t.csv", "a\n1\n", ["--compression", "x"], "DER_INVAL", 2],
    ["a schema for a file with its own", "t.arrow", "a", ["--schema", "a: int8"], "DER_INVAL", 2],
  ] as const)(
    "import refuses %s, and leaves nothing",
    (_, name, text, options, code, exitStatus) => {
      const outcome = runJson("daos", IMPORT, [file(name, text), `${results}/t`, ...options]);
      expect(outcome).toMatchObject({ error: { code }, exitStatus });
      const listed = runJson("daos", ["arrow", "schema"], [`${results}/t`]);
      expect(listed).toMatchObject({ error: { code: "DER_NONEXIST" }, exitStatus: 3 });
    },
  );

  test("import and export say what is missing or in the way", () => {
    const missing = runJson("daos", IMPORT, [join(folder, "no.csv"), `${results}/t`]);
    expect(missing).toMatchObject({ error: { code: "DER_NONEXIST" }, exitStatus: 3 });
    const outside = runJson("daos", IMPORT, [file("t.csv", CSV), join(folder, "x")]);
    expect(outside).toMatchObject({ error: { code: "DER_INVAL" }, exitStatus: 2 });
    const table = importEnergy();
    const within = runJson("daos", EXPORT, [table, `${results}/t.csv`]);
    expect(within).toMatchObject({ error: { code: "DER_INVAL" }, exitStatus: 2 });
    const there = runJson("daos", EXPORT, [table, file("there.csv", "")]);
    expect(there).toMatchObject({ error: { code: "DER_EXIST" }, exitStatus: 4 });
    const nowhere = runJson("daos", EXPORT, [table, join(folder, "no", "t.csv")]);
    expect(nowhere).toMatchObject({ error: { code: "DER_NONEXIST" }, exitStatus: 3 });
    const none = runJson("daos", EXPORT, [`${results}/none`, join(folder, "t.csv")]);
    expect(none).toMatchObject({ error: { code: "DER_NONEXIST" }, exitStatus: 3 });
    const column = runJson("daos", EXPORT, [table, join(folder, "t.csv"), "--columns", "x"]);
    expect(column).toMatchObject({ error: { code: "DER_INVAL" }, exitStatus: 2 });
    const where = run("daos", [...EXPORT, table, join(folder, "t.csv"), "--where", "energy > 1"]);
    expect(where.status).toBe(2);
    expect(readdirSync(folder).sort()).toEqual(
      ["energy.csv", "run.pool", "t.csv", "there.csv"].sort(),
    );
  });

  test.each(["arrow", "arrows", "parquet", "csv", "jsonl"])(
    "what %s is exported to goes in again as it was",
    (format) => {
      const table = importEnergy();
      const target = join(folder, `out.${format}`);
      const exported = answerOf("daos", EXPORT, [table, target]);
      expect(exported).toMatchObject({ target, format, rows: 3, size: statSync(target).size });
      const imported = answerOf("daos", IMPORT, [target, `${results}/again`]);
      expect(imported.schema).toBe(SCHEMA);
      const [before, after] = [table, `${results}/again`].map(
        (name) => answerOf("daos", ["arrow", "head"], [name]).rows,
      );
      expect(after).toEqual(before);
    },
  );

  test("export writes some columns and rows of a version", () => {
    const table = importEnergy();
    const [pool] = results.slice("daos://".length).split("/results");
    answerOf("daos", ["container", "create-snap"], [pool as string, "results", "--snap", "before"]);
    answerOf("daos", IMPORT, [file("energy.csv", CSV), table, "--append"]);
    const options = ["--columns", "energy,step", "--where", WHERE];
    const target = join(folder, "hot.csv");
    answerOf("daos", EXPORT, [table, target, ...options]);
    expect(readFileSync(target, "utf8")).toBe("energy,step\r\n12.25,3\r\n12.25,3\r\n");
    answerOf("daos", EXPORT, [table, target, ...options, "--snap", "before", "--force"]);
    expect(readFileSync(target, "utf8")).toBe("energy,step\r\n12.25,3\r\n");
    const limited = answerOf("daos", EXPORT, [
      table,
      `${folder}/`,
      "--format",
      "csv",
      "-n",
      "2",
      "-f",
    ]);
    expect(limited).toMatchObject({ target: join(folder, "energy.csv"), rows: 2 });
  });

  test("head, schema and stats print rows for pipes", () => {
    const table = importEnergy();
    const head = runWell("daos", ["arrow", "head", table, "-n", "2"]);
    expect(head).toBe("1\t0.5\t2026-02-03\n2\t\t2026-02-04\n");
    expect(runWell("daos", ["arrow", "schema", table])).toBe(
      "step\tint64\tallowed\nenergy\tfloat64\tallowed\nat\tdate32\tallowed\n",
    );
    expect(answerOf("daos", ["arrow", "schema"], [table]).text).toBe(SCHEMA);
    expect(runWell("daos", ["arrow", "stats", table])).toBe(
      [
        ...["Rows\t3", "Deleted\t0", "Parts\t1", "Batches\t1"],
        ...[
          "step\tint64\t0\t1\t3",
          "energy\tfloat64\t1\t0.5\t12.25",
          "at\tdate32\t0\t20487\t20489",
          "",
        ],
      ].join("\n"),
    );
    expect(answerOf("daos", ["arrow", "stats"], [table])).toMatchObject({ numRows: 3, parts: 1 });
  });

  test("compact makes one part of many, and nothing of one", () => {
    const table = importEnergy();
    answerOf("daos", IMPORT, [file("more.csv", CSV), table, "--append"]);
    const compacted = answerOf("daos", ["arrow", "compact"], [table]);
    expect(compacted).toMatchObject({ table, replacedParts: 2, newParts: 1, rows: 6 });
    const stats = answerOf("daos", ["arrow", "stats"], [table]);
    expect(stats).toMatchObject({ epoch: compacted.epoch, numRows: 6, parts: 1, batches: 1 });
    const again = runWell("daos", ["arrow", "compact", table, "--compression", "zstd"]);
    expect(again).toBe(`Epoch\t${compacted.epoch}\nReplaced\t0\nNew\t0\nRows\t0\nRemoved\t0\n`);
    const missing = runJson("daos", ["arrow", "compact"], [`${results}/none`]);
    expect(missing).toMatchObject({ error: { code: "DER_NONEXIST" }, exitStatus: 3 });
    const codec = runJson("daos", ["arrow", "compact"], [table, "--compression", "x"]);
    expect(codec).toMatchObject({ error: { code: "DER_INVAL" }, exitStatus: 2 });
  });

  test("head shows numbers that JSON has not as text", () => {
    const lines = '{"n": 9223372036854775807, "x": 0.5, "l": [1, null]}\n';
    answerOf("daos", IMPORT, [file("t.jsonl", lines), `${results}/t`]);
    expect(answerOf("daos", ["arrow", "head"], [`${results}/t`]).rows).toEqual([
      ["9223372036854775807", 0.5, [1, null]],
    ]);
  });

  test("pin writes the flights of vega-datasets as they went in", () => {
    const table = `${results}/flights-200k`;
    expect(answerOf("daos", IMPORT, [FLIGHTS, `${results}/`]).target).toBe(table);
    const pinned = answerOf("daos", ["arrow", "pin"], [table, `${folder}/`]);
    expect(pinned).toMatchObject({ target: join(folder, "flights-200k.arrow"), format: "arrow" });
    const [ours, theirs] = [pinned.target, FLIGHTS].map((name) => tableFromIPC(readFileSync(name)));
    expect(ours?.numRows).toBe(theirs?.numRows);
    const there = runJson("daos", ["arrow", "pin"], [table, `${folder}/`]);
    expect(there).toMatchObject({ error: { code: "DER_EXIST" }, exitStatus: 4 });
  });
});

describeInterop("pyarrow", () => {
  test("maps what pin writes without a copy, and reads what export writes", () => {
    const flights = `${results}/flights-200k`;
    answerOf("daos", IMPORT, [FLIGHTS, flights]);
    // Twice, so that batches of several parts follow one another.
    answerOf("daos", IMPORT, [FLIGHTS, flights, "--append"]);
    answerOf("daos", ["arrow", "pin"], [flights, join(folder, "flights.arrow")]);
    const energy = importEnergy();
    for (const format of ["parquet", "arrows", "csv"]) {
      answerOf("daos", EXPORT, [energy, join(folder, `out.${format}`)]);
    }
    const code = [
      "import sys, json, pyarrow as pa, pyarrow.ipc as ipc, pyarrow.parquet as pq, pyarrow.csv as csv",
      "folder, flights = sys.argv[1:]",
      "mapped = ipc.open_file(pa.memory_map(folder + '/flights.arrow')).read_all()",
      "allocated = pa.total_allocated_bytes()",
      "mapped.validate(full=True)",
      "once = ipc.open_file(flights).read_all()",
      "both = pa.concat_tables([once, once])",
      "rows = [pq.read_table(folder + '/out.parquet'), ipc.open_stream(folder + '/out.arrows').read_all(), csv.read_csv(folder + '/out.csv')]",
      "print(json.dumps([mapped.equals(both), allocated < 100000, [str(t.to_pylist()[2]) for t in rows]]))",
    ].join("\n");
    const { stdout, stderr } = spawnSync(interopPython as string, ["-c", code, folder, FLIGHTS], {
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    const row = "{'step': 3, 'energy': 12.25, 'at': datetime.date(2026, 2, 5)}";
    expect(JSON.parse(stdout)).toEqual([true, true, [row, row, row]]);
  });
});
