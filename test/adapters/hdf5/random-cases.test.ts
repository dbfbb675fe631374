/**
 * Property: what is done to a random dataset gives what h5py gives.
 *
 * Method: a small dataset of a random type, shape, layout and fill value is made here and in h5py, and read, written,
 * converted and resized by random selections, some of them wrong, with values of random types and shapes that fit, are
 * spread, or do not fit. Each operation gives the same elements in the same shape, or both refuse it; in the end, all
 * elements are the same. One process of Python answers all cases.
 */

import { expect, test } from "@jest/globals";
import { File } from "daos-ts/hdf5";
import fc from "fast-check";
import { debianH5py, describeH5py, type H5py, startPython } from "../../support/h5py.ts";
import { fcOptions } from "../../support/property.ts";
import { temporaryContainer } from "../temporary-container.ts";
import { cases } from "./random-cases/cases.ts";
import { comparable, expectedOf, type Outcome, playCase } from "./random-cases/play.ts";

const CASES = 300;
const TIMEOUT_MS = 600_000;

describeH5py("a random dataset", () => {
  test(
    "reads, writes, converts and resizes as h5py does",
    async () => {
      const { container } = temporaryContainer();
      const file = await File.open(container, "cases.h5", "w");
      const python = startPython(debianH5py as H5py, "random_cases.py");
      let next = 0;
      try {
        await fc.assert(
          fc.asyncProperty(cases, async (one) => {
            const name = `d${next++}`;
            const { question, outcomes } = await playCase(file, name, one);
            const answers = JSON.parse(await python.ask(JSON.stringify(question))) as Outcome[];
            const ours = outcomes.map((outcome, at) => comparable(outcome, answers[at] ?? {}));
            const theirs = outcomes.map((outcome, at) => expectedOf(outcome, answers[at] ?? {}));
            expect(ours).toEqual(theirs);
            expect(answers.length).toBe(outcomes.length);
            if (await file.has(name)) await file.delete(name);
          }),
          fcOptions(CASES),
        );
      } finally {
        await python.end();
        await file.abort();
      }
    },
    TIMEOUT_MS,
  );
});
