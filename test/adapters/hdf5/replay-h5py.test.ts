/**
 * h5py's own tests as the oracle: the calls that they make are recorded, and replayed with our API.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { debianH5py, describeH5py, type H5py } from "../../support/h5py.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { record } from "./replay/recording.ts";
import { replayTest, type Verdict } from "./replay/replay.ts";

describeH5py("calls of h5py's tests", () => {
  test("replay", async () => {
    const recording = record(debianH5py as H5py);
    const directory = temporaryDirectory();
    const pool = Pool.create({ path: join(directory, "pool"), durability: "process" });
    const container = pool.createContainer("tests");
    const verdicts: Verdict[] = [];
    for (const one of recording.tests) {
      try {
        verdicts.push(...(await replayTest(container, { directory, recording }, one)));
      } catch (error) {
        console.log(one.name, error);
      }
    }
    pool.close();
    writeFileSync("/tmp/verdicts.json", JSON.stringify(verdicts));
    expect(verdicts.length).toBeGreaterThan(3900);
  }, 120_000);
});
