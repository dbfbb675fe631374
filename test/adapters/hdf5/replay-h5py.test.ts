/**
 * h5py's own tests as the oracle: the calls that they make are recorded while they run, and replayed with our API.
 *
 * Method: python/recorder runs the tests of an installed h5py and writes down each call of its classes with arguments,
 * result or error, and files that were changed by other means. The replay makes the same calls and compares elements,
 * types, shapes, names, classes and errors. What cannot be expressed, and what differs, is listed with its reason in
 * replay/known-disagreements.ts; nothing else may differ, and nothing may be listed that agrees.
 */

import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { debianH5py, describeH5py, type H5py, pypiH5py } from "../../support/h5py.ts";
import { isNightly } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { FAILING_TESTS, KNOWN_VERSIONS, type KnownVersion } from "./replay/known-disagreements.ts";
import { type Recording, record } from "./replay/recording.ts";
import { replayTest, type Verdict } from "./replay/replay.ts";

const CALLS_MIN = 3_900;
const INEXPRESSIBLE_PART_MAX = 0.06;
const AGREEING_PART_MIN = 0.97;
const TIMEOUT_MS = 300_000;

async function replay(recording: Recording): Promise<Verdict[]> {
  const directory = temporaryDirectory();
  using pool = Pool.create({ path: join(directory, "pool"), durability: "process" });
  const container = pool.createContainer("tests");
  const verdicts: Verdict[] = [];
  for (const one of recording.tests) {
    verdicts.push(...(await replayTest(container, { directory, recording }, one)));
  }
  return verdicts;
}

function knownOf({ h5py }: Recording): KnownVersion {
  const known = KNOWN_VERSIONS[h5py];
  if (known !== undefined) return known;
  throw new Error(`known-disagreements.ts says nothing of h5py ${h5py}`);
}

function ofKind(verdicts: readonly Verdict[], kind: Verdict["kind"]): Verdict[] {
  return verdicts.filter((verdict) => verdict.kind === kind);
}

async function judge(h5py: H5py): Promise<void> {
  const recording = record(h5py);
  const failed = recording.tests.filter(({ outcome }) => outcome === "failed");
  const surprising = failed.filter(({ name }) => !FAILING_TESTS.includes(name));
  expect(surprising.map(({ name, text }) => `${name}: ${text}`)).toEqual([]);

  const verdicts = await replay(recording);
  const known = knownOf(recording);
  const disagreeing = ofKind(verdicts, "disagrees");
  const listed = new Set(known.disagreements.flatMap(({ calls }) => calls));
  const unlisted = disagreeing.filter(({ id }) => !listed.has(id));
  expect(unlisted.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([]);
  // What is listed, and agrees or is not called, is listed no more.
  expect(disagreeing.map(({ id }) => id).sort()).toEqual([...listed].sort());

  const inexpressible = ofKind(verdicts, "inexpressible");
  const reasons = new Set(inexpressible.map(({ reason }) => reason));
  expect([...reasons].sort()).toEqual([...known.inexpressible].sort());

  expect(verdicts.length).toBeGreaterThanOrEqual(CALLS_MIN);
  expect(inexpressible.length / verdicts.length).toBeLessThanOrEqual(INEXPRESSIBLE_PART_MAX);
  const expressed = verdicts.length - inexpressible.length;
  const agreeing = ofKind(verdicts, "agrees").length;
  expect(agreeing / expressed).toBeGreaterThanOrEqual(AGREEING_PART_MIN);
}

describeH5py("the calls of h5py's own tests", () => {
  test("of Debian's version, give what they gave", () => judge(debianH5py as H5py), TIMEOUT_MS);
});

describe("the calls of h5py's own tests", () => {
  const run = isNightly && pypiH5py !== undefined ? test : test.skip;

  run("of PyPI's version, give what they gave", () => judge(pypiH5py as H5py), TIMEOUT_MS);
});
