/**
 * The examples of docs/guides/arrow.md, run one after the other as they stand there: JavaScript, the shell, Python.
 */

import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import * as apacheArrow from "apache-arrow";
import * as daos from "daos-ts";
import * as arrow from "daos-ts/arrow";
import { describeInterop, interopPython } from "../../support/interop.ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const page = readFileSync(join(root, "docs/guides/arrow.md"), "utf8");
const FLIGHTS = join(root, "node_modules/vega-datasets/data/flights-200k.arrow");
const CLIENTS = ["duckdb", "polars", "pandas"];

const blocksOf = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}.*\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
    ([, code]) => code as string,
  );

/** A program without `using`, which Node 20 does not know: what it makes is closed behind it. */
function runnable(blocks: readonly string[]): string {
  const text = blocks.join("\n").replace(/^import .*;\n/gm, "");
  return `return (async () => {\n${text.replace(/^using (\w+) = /gm, "const $1 = closing.value = ")}\n})();`;
}

test("the guide's JavaScript runs", async () => {
  const blocks = blocksOf("js");
  assert.equal(blocks.length, 4);
  const folder = temporaryDirectory();
  const opened: { close(): void }[] = [];
  const closing = {
    set value(handle: { close(): void }) {
      opened.unshift(handle);
    },
  };
  const given = { poolPath: join(folder, "pool"), csvPath: join(folder, "energy.csv") };
  const { Field, Float64, Int32, Schema, tableFromArrays } = apacheArrow;
  const classes = { Field, Float64, Int32, Schema, tableFromArrays, Pool: daos.Pool };
  const known = { ...classes, ...arrow, ...given, assert, closing };
  try {
    await new Function(...Object.keys(known), runnable(blocks))(...Object.values(known));
  } finally {
    for (const handle of opened) handle.close();
  }
  expect(opened.length).toBe(6);
}, 30_000);

describeInterop("the guide's clients", () => {
  test("read the flights of vega-datasets as they went in", () => {
    const folder = temporaryDirectory();
    using pool = daos.Pool.create({ path: join(folder, "run.pool"), durability: "process" });
    pool.createContainer("results").close();
    copyFileSync(FLIGHTS, join(folder, "flights-200k.arrow"));
    const [commands = ""] = blocksOf("sh");
    const lines = commands.trim().split("\n");
    expect(lines.length).toBe(7);
    for (const line of lines) {
      const [, ...words] = line.replace("daos://", `daos://${folder}/`).split(" ");
      const args = [join(root, "dist/cli/daos.js"), ...words];
      const { status, stderr } = spawnSync(process.execPath, args, {
        cwd: folder,
        encoding: "utf8",
      });
      expect([line, status, stderr]).toEqual([line, 0, ""]);
    }
    const blocks = blocksOf("python");
    expect(blocks.length).toBe(1 + CLIENTS.length);
    const whole = `assert flights.equals(pa.ipc.open_file("flights-200k.arrow").read_all())\n`;
    const program = `${blocks.join("\n")}\n${whole}print(late, len(flights))\n`;
    const run = spawnSync(interopPython as string, ["-c", program], {
      cwd: folder,
      encoding: "utf8",
    });
    const given = apacheArrow.tableFromIPC(readFileSync(FLIGHTS));
    const late = [...(given.getChild("delay") ?? [])].filter((delay) => delay > 60).length;
    expect([run.stdout, run.stderr]).toEqual([`${late} ${given.numRows}\n`, ""]);
  }, 60_000);
});
