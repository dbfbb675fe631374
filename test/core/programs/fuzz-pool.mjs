/**
 * Damages copies of a pool and uses them, one case for each seed. A program of its own, since damage that is not
 * noticed can end the process.
 *
 *     node fuzz-pool.mjs <pool> <contents.json> <folder to work in> <first seed> <count>
 *
 *     begin 17
 *     end 17 {"damage":"flip 3 bits of scm/index.mdb","codes":["DER_DF_INVAL"],"wrong":[]}
 *
 * @module
 */

import { cpSync, mkdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isDaosError, Pattern, Pool, wholeOf } from "../../../dist/core/index.js";
import { contentsOf, difference, errorsIn } from "./contents.mjs";
import { damagePool } from "./damage.mjs";

/** An object that the pool does not have. */
const OWN = 12345n;
const SIZE = 70_000;
const KEY = Buffer.from("own");

/** One case: a damaged pool, what came of it. */
class Case {
  codes = new Set();
  wrong = [];
  reached = "nothing";

  constructor(path, expected) {
    this.path = path;
    this.expected = expected;
  }

  /** Runs a step; a typed error is one of the outcomes. */
  step(name, run) {
    try {
      return run();
    } catch (error) {
      if (isDaosError(error)) this.codes.add(error.code);
      else this.wrong.push(`${name}: ${error.stack}`);
      return undefined;
    }
  }

  read(pool, when) {
    const found = contentsOf(pool, { tolerant: true, without: [OWN] });
    for (const code of errorsIn(found)) this.codes.add(code);
    return { found, when };
  }

  /** What was there before is there, or cannot be read. */
  compare({ found, when }) {
    const differs = difference(this.expected, found);
    if (differs !== undefined) this.wrong.push(`${when}: ${differs}`);
  }

  /** The same after a commit and an aggregation: every version that is left, the newest and the snapshots. */
  compareLater({ found, when }) {
    for (const [label, before] of Object.entries(this.expected.containers)) {
      const after = found.containers[label];
      if (after?.error !== undefined) continue;
      const where = `${when}: ${label}`;
      const snapshots = difference(before.snapshots, after?.snapshots, where);
      if (snapshots !== undefined) this.wrong.push(snapshots);
      const newest = before.versions[before.commits[0]];
      for (const [epoch, version] of Object.entries(after?.versions ?? {})) {
        const differs = difference(before.versions[epoch] ?? newest, version, `${where}.${epoch}`);
        if (differs !== undefined) this.wrong.push(differs);
      }
    }
  }

  commit(container) {
    const bytes = Buffer.alloc(SIZE, 0x5a);
    const { epoch } = container.update((tx) => {
      tx.write(OWN, wholeOf(Pattern.contiguous(0, SIZE)), bytes, container.incarnation(OWN));
      tx.put({ oid: OWN, dkey: KEY, akey: KEY, value: bytes.subarray(0, 99), condition: "none" });
    });
    const view = container.view(epoch);
    try {
      const isRight =
        bytes.equals(view.readBytes(OWN, 0, SIZE)) &&
        bytes.subarray(0, 99).equals(view.getValue(OWN, KEY, KEY) ?? KEY);
      if (!isRight) this.wrong.push("a commit reads back otherwise");
    } finally {
      view.close();
    }
  }

  scrub(pool) {
    const isDamaged = this.codes.has("DER_CSUM");
    const report = this.step("scrub", () => pool.scrub());
    if (report !== undefined && isDamaged && report.damages.length === 0) {
      this.wrong.push("a scrub did not find what a reader did");
    }
  }

  use(pool) {
    this.reached = "opened";
    const before = this.step("reading", () => this.read(pool, "opened"));
    if (before !== undefined) this.compare(before);
    this.scrub(pool);
    this.step("query", () => pool.query());
    const container = this.step("opening a container", () => pool.openContainer("main"));
    if (container !== undefined) {
      this.step("committing", () => this.commit(container));
      this.step("aggregating", () => container.aggregate());
    }
    this.step("recovering", () => pool.recover());
    const after = this.step("reading again", () => this.read(pool, "aggregated"));
    if (after !== undefined) this.compareLater(after);
  }

  run() {
    for (const mode of ["rw", "ro"]) {
      const pool = this.step("connecting", () => Pool.connect(this.path, { mode }));
      if (pool === undefined) continue;
      if (mode === "rw") this.use(pool);
      else {
        const found = this.step("reading", () => this.read(pool, "reopened"));
        if (found !== undefined) this.compareLater(found);
      }
      this.step("closing", () => pool.close());
    }
  }
}

const [original, contents, folder, first, count] = process.argv.slice(2);
const expected = JSON.parse(readFileSync(contents, "utf8"));
mkdirSync(folder, { recursive: true });
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  writeSync(1, `begin ${seed}\n`);
  const path = join(folder, `${seed}`);
  cpSync(original, path, { recursive: true });
  const damage = damagePool(path, seed);
  const one = new Case(path, expected);
  one.run();
  const { codes, wrong, reached } = one;
  writeSync(1, `end ${seed} ${JSON.stringify({ damage, reached, codes: [...codes], wrong })}\n`);
  rmSync(path, { recursive: true });
}
