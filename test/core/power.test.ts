/**
 * Power cuts at any write that a real process makes, those of LMDB included: a shim records what processes
 * do to the files of a pool (native/journal.c), and the journal is replayed into what a power cut at a
 * record of it could have left (support/crash-images.ts).
 *
 * Oracle of an image: every acknowledged commit, snapshot and object id is there; of what was in flight,
 * each commit wholly or not at all; all that can be read agrees with the model; a scrub finds nothing; the
 * pool takes writes, aggregates and recovers. `power` pools must survive every image. The canaries are
 * pools whose syncs count for nothing, all or those of one kind, and must be noticed.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Durability } from "daos-ts";
import { isNightly, seed } from "../support/property.ts";
import { type Lifetime, temporaryDirectory } from "../support/temporary.ts";
import { DiskModel, type ImageOptions } from "./support/crash-images.ts";
import { ImageExaminer } from "./support/image-examiner.ts";
import { compileShim, type JournalRecord } from "./support/journal.ts";
import { randomFrom } from "./support/random.ts";
import { RecordedScenario } from "./support/recorded-scenario.ts";

/** LMDB's lock file does not survive a reboot. */
const LOCK_FILES = /-lock$/;
const SCENARIOS = isNightly ? 12 : 1;
const IMAGES = isNightly ? 500 : 80;
const CANARY_IMAGES_MAX = 150;
const STEPS = 90;
const SURVIVAL_MS_MAX = isNightly ? 1_800_000 : 60_000;

let shim: string;
let examiner: ImageExaminer;
/** One process on a `power` pool, for the tests that look at a scenario and change nothing. */
let shared: Recorded;

beforeAll(async () => {
  shim = compileShim(temporaryDirectory({ until: "file" }));
  examiner = new ImageExaminer();
  shared = await run({ seed, processes: 1, until: "file" });
});

afterAll(() => examiner.close());

interface Given {
  readonly seed: number;
  readonly processes: number;
  readonly durability?: Durability;
  readonly until?: Lifetime;
}

interface Recorded {
  readonly directory: string;
  readonly scenario: RecordedScenario;
}

/** Runs a scenario on the pool `p` of a directory. */
async function run({ until = "test", ...given }: Given): Promise<Recorded> {
  const directory = join(temporaryDirectory({ until }), "d");
  mkdirSync(directory);
  const common = { shim, directory, durability: "power", steps: STEPS } as const;
  return { directory, scenario: await RecordedScenario.run({ ...common, ...given }) };
}

/** Ways to choose an image: all that is not durable lost, or nothing, or each part by chance. */
function imageOptions(random: () => number): ImageOptions {
  const torn = random() < 0.4;
  const without = LOCK_FILES;
  const way = random();
  if (way < 0.1) return { random: () => 0, torn, without };
  if (way < 0.15) return { random: () => 1 - 2 ** -32, torn, without };
  // Often nearly all or nearly nothing survives: uniform chances alone lose a part of everything.
  const power = way < 0.4 ? 4 : way < 0.65 ? 0.25 : 1;
  return { random: () => random() ** power, torn, without };
}

interface Losses {
  readonly images: number;
  /** A line for each image that is not what it must be. */
  readonly lines: string[];
}

interface CutOptions {
  readonly seed: number;
  readonly images: number;
  readonly lossesMax: number;
  /** Syncs that are worth nothing, for the canaries. */
  readonly isIgnored?: (record: JournalRecord) => boolean;
}

/** Cuts the power at random records of a scenario, until there are enough images or losses. */
async function cutPower(scenario: RecordedScenario, options: CutOptions): Promise<Losses> {
  const { images, lossesMax, isIgnored = () => false } = options;
  const random = randomFrom(options.seed);
  const disk = new DiskModel();
  const target = join(temporaryDirectory(), "image");
  const found: { images: number; lines: string[] } = { images: 0, lines: [] };
  const share = images / scenario.count(isOfPool);
  for (const [index, record] of scenario.records.entries()) {
    disk.begin(record);
    const count = isOfPool(record) ? Math.floor(share + random()) : 0;
    for (let copy = 0; copy < count && found.lines.length < lossesMax; copy++) {
      disk.writeImage("p", target, imageOptions(random));
      const faults = scenario.faults(index, await examiner.examine(target));
      found.images += 1;
      if (faults.length > 0) {
        const where = `seed ${options.seed}, record ${index} (${record.kind} ${record.name})`;
        found.lines.push(`${where}: ${faults.slice(0, 4).join("; ")}`);
      }
      rmSync(target, { recursive: true });
    }
    if (!isIgnored(record)) disk.complete(record);
  }
  return found;
}

/** Whether a record changes a file of the pool, and not a log. */
function isOfPool({ name }: JournalRecord): boolean {
  return name.startsWith("p/");
}

/** Files below a directory, with their bytes. */
function filesOf(directory: string): Record<string, Buffer> {
  const names = readdirSync(directory, { recursive: true }) as string[];
  const files = names
    .filter((name) => !LOCK_FILES.test(name) && statSync(join(directory, name)).isFile())
    .map((name) => [name, readFileSync(join(directory, name))] as const);
  return Object.fromEntries(files);
}

describe("a power cut at any write of a process", () => {
  test.each([
    ["one process with two handles", 1],
    ["two processes at once", 2],
  ])(
    "keeps what was acknowledged: %s",
    async (_name, processes) => {
      for (let number = 0; number < SCENARIOS; number++) {
        const own = seed + 1000 * number + processes;
        const { scenario } = await run({ seed: own, processes });
        const options = { seed: own, images: IMAGES, lossesMax: 9 };
        const { images, lines } = await cutPower(scenario, options);
        expect(lines).toEqual([]);
        expect(images).toBeGreaterThan(IMAGES / 2);
      }
    },
    SURVIVAL_MS_MAX,
  );

  test("keeps a pool that has just been created", async () => {
    const { scenario } = await run({ seed, processes: 0 });
    const { lines } = await cutPower(scenario, { seed, images: IMAGES, lossesMax: 9 });
    expect(lines).toEqual([]);
  });

  test("is tried on a scenario that recycles, recorded without a gap", () => {
    const { directory, scenario } = shared;
    const disk = new DiskModel();
    for (const record of scenario.records) {
      disk.begin(record);
      disk.complete(record);
    }
    const target = join(temporaryDirectory(), "image");
    disk.writeImage("p", target, { random: () => 0.999, torn: false, without: LOCK_FILES });
    const [replayed, real] = [filesOf(target), filesOf(join(directory, "p"))];
    expect(Object.keys(replayed)).toEqual(Object.keys(real));
    for (const [name, bytes] of Object.entries(real)) {
      expect([name, replayed[name]?.equals(bytes)]).toEqual([name, true]);
    }
    const counts = {
      recycled: scenario.count(({ kind, name }) => kind === "rename" && name.endsWith(".seg")),
      indexWrites: scenario.count(
        (record) => record.kind === "write" && record.name.endsWith("index.mdb"),
      ),
    };
    expect(counts.recycled).toBeGreaterThan(0);
    expect(counts.indexWrites).toBeGreaterThan(100);
  });
});

describe("this suite notices", () => {
  const off: [string, (record: JournalRecord) => boolean][] = [
    ["all syncs", () => true],
    ["syncs of the index", ({ name }) => name.endsWith("index.mdb")],
    ["syncs of segments", ({ name }) => /\.(seg|tmp)$/.test(name)],
    ["syncs of names of segments", ({ name }) => name === "p/nvme"],
  ];
  test.each(off)("that %s are worth nothing (canary)", async (_name, isIgnored) => {
    const options = { seed, images: CANARY_IMAGES_MAX, lossesMax: 2, isIgnored };
    const { lines } = await cutPower(shared.scenario, options);
    expect(lines.length).toBe(2);
  });

  test("that a `process` pool does not survive power cuts (canary)", async () => {
    const { scenario } = await run({ seed, processes: 1, durability: "process" });
    const options = { seed, images: CANARY_IMAGES_MAX, lossesMax: 2 };
    const { lines } = await cutPower(scenario, options);
    expect(lines.length).toBe(2);
  });
});
