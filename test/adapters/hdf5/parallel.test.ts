/**
 * Files that all ranks of a job open together: collective metadata, elements of each rank, one commit.
 */

import path from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { Dataset, File, type NumberArray } from "daos-ts/hdf5";
import { SoloCommunicator } from "daos-ts/mpi-io";
import { available, FAMILIES, type Family, runRanks } from "../../support/mpirun.ts";
import { isNightly } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const program = path.join(path.dirname(fileURLToPath(import.meta.url)), "programs", "parallel.mjs");
/** Both libraries run the same code here: the gate sees less of the second. */
const rankCounts = (family: Family) => {
  if (isNightly) return [1, 2, 4];
  return family === "mpich" ? [2] : [4];
};

const CASES = ["contiguous", "chunked", "compressed", "text", "metadata", "failure", "reader"];

/** Makes a pool with a container for each case. */
function makePool(): string {
  const pool = `${temporaryDirectory({ medium: "memory", until: "file" })}/pool`;
  using handle = Pool.create({ path: pool, durability: "process" });
  for (const name of CASES) handle.createContainer(name, { retainCommits: 100 });
  return pool;
}

async function numbersOf(file: File, name: string): Promise<unknown[]> {
  const dataset = await file.get(name);
  if (!(dataset instanceof Dataset)) throw new Error(`${name} is no dataset`);
  return [...((await dataset.read()).data as NumberArray)];
}

/** A job that ran all cases. */
class Job {
  readonly ranks: number;
  readonly pool: string;
  readonly #lines: readonly { readonly what: string }[];

  private constructor(ranks: number, pool: string, lines: readonly { readonly what: string }[]) {
    this.ranks = ranks;
    this.pool = pool;
    this.#lines = lines;
  }

  static async run(family: Family, ranks: number): Promise<Job> {
    const pool = makePool();
    const outcome = await runRanks({ family, ranks, program, args: [pool], timeoutMs: 60_000 });
    const { status, stderr, lines } = outcome;
    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
    expect(lines).toHaveLength(ranks * CASES.length);
    return new Job(ranks, pool, lines as { what: string }[]);
  }

  /** What the ranks said of a case. */
  said<T>(what: string): T[] {
    return this.#lines.filter((line) => line.what === what) as unknown as T[];
  }

  /** What another process sees of a case when the job has ended. */
  async afterwards<T>(what: string, look: (file: File) => Promise<T>): Promise<T> {
    using handle = Pool.connect(this.pool, { mode: "ro" });
    await using file = await File.open(handle.openContainer(what), "a.h5");
    return await look(file);
  }
}

async function checkElements(job: Job, what: string): Promise<void> {
  const shown = job.said<{ epoch: string; seesOwn: boolean; seesOther: boolean }>(what);
  const [first] = shown;
  for (const line of shown) {
    expect(line).toMatchObject({ epoch: first?.epoch, seesOwn: true, seesOther: true });
  }
  const all = Array.from({ length: 600 }, (_, index) => index);
  expect(await job.afterwards(what, (file) => numbersOf(file, "g/d"))).toEqual(all);
  const attribute = job.afterwards(what, async (file) =>
    ((await file.get("g/d")) as Dataset).attrs.get("ranks"),
  );
  expect(await attribute).toBe(job.ranks);
  using handle = Pool.connect(job.pool, { mode: "ro" });
  expect(handle.openContainer(what).commits()).toHaveLength(1);
}

function checkText(job: Job): void {
  // With one rank, nobody writes.
  const text = Array.from({ length: 8 }, (_, index) => (job.ranks > 1 ? `of ${index}` : ""));
  for (const line of job.said<{ text: string[] }>("text")) expect(line.text).toEqual(text);
}

function checkFailure(job: Job): void {
  const { ranks } = job;
  for (const line of job.said<{ rank: number; codes: string[]; data: number[] }>("failure")) {
    // Who failed learns it at once, the others at the flush.
    const failed = line.rank === ranks - 1;
    expect(line.codes).toEqual(failed ? ["DER_CANCELED", "DER_CANCELED"] : ["DER_CANCELED"]);
    expect(line.data).toEqual(Array.from({ length: ranks }, (_, other) => 3 + other));
  }
}

async function checkMetadata(job: Job): Promise<void> {
  const e = Array.from({ length: 4 }, (_, index) => (index < job.ranks ? index : 0));
  for (const line of job.said<{ names: string[]; data: number[]; e: number[] }>("metadata")) {
    expect(line.names).toEqual(["d", "again", "x"]);
    expect(line.data).toEqual([99, 2, 10, 0]);
    expect(line.e).toEqual(e);
  }
  const again = job.afterwards("metadata", (file) => numbersOf(file, "again"));
  expect(await again).toEqual([99, 2, 10, 0]);
  const referred = job.afterwards("metadata", async (file) => {
    const refs = (await file.attrs.get("refs")) as never[];
    return (await file.dereference(refs[0] as never)) instanceof Dataset;
  });
  expect(await referred).toBe(true);
}

function checkReaders(job: Job): void {
  const of = (value: number) => new Array<number>(job.ranks).fill(value);
  for (const { seen, kept } of job.said<{ seen: number[][]; kept: number[] }>("reader")) {
    expect(seen).toEqual([of(1), of(2), of(3)]);
    expect(kept).toEqual(of(0));
  }
}

for (const family of FAMILIES) {
  const suite = available(family) ? describe : describe.skip;

  suite.each(rankCounts(family))(`%i ranks under ${family}`, (ranks) => {
    let job: Job;

    beforeAll(async () => {
      job = await Job.run(family, ranks);
    }, 90_000);

    test.each(["contiguous", "chunked", "compressed"])(
      "write parts of a %s dataset, whose borders no chunk has, in one commit",
      (what) => checkElements(job, what),
    );
    test("write text, of which a rank has none", () => checkText(job));
    test("fail together when one of them failed, and go on", () => checkFailure(job));
    test("change metadata alike", () => checkMetadata(job));
    test("show each commit to readers, and an older version to those who opened it", () =>
      checkReaders(job));
  });
}

test("one process may give a communicator too", async () => {
  using handle = Pool.connect(makePool());
  const container = handle.openContainer("chunked");
  await using file = await File.open(container, "a.h5", "w", { comm: new SoloCommunicator() });
  const options = { shape: [5], dtype: "int8", chunks: [2], compression: "gzip" } as const;
  const dataset = await file.createDataset("d", options);
  await dataset.write([1, 2, 3, 0, 5]);
  await file.flush();
  expect([...(await dataset.read()).data]).toEqual([1, 2, 3, 0, 5]);
});
