/**
 * Processes that aggregate and copy are killed at random moments, while this one writes and others read: every
 * kept version stays whole, live sizes stay exact, and what the dead had leased comes back.
 */

import { setTimeout } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { isNightly, seed } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { Program } from "./support/program.ts";
import { randomFrom } from "./support/random.ts";
import {
  ARRAY_SIZE,
  checkLiveSizes,
  committedSize,
  ScatteredArray,
} from "./support/scattered-array.ts";

/** Each round kills two processes. */
const ROUNDS = isNightly ? 100 : 5;
const LIFE_MS_MAX = 150;

test(
  "a pool whose aggregations are killed keeps its versions and its space",
  async () => {
    const random = randomFrom(seed);
    using pool = Pool.create({ path: temporaryDirectory(), durability: "process" });
    const container = pool.createContainer("c", { retainCommits: 2 });
    const array = new ScatteredArray(container, seed);
    array.writeAll();
    let copies = 0;
    for (let round = 0; round < ROUNDS; round++) {
      // Two at once, so that one steps back or takes over from the one that was killed.
      const aggregators = [0, 1].map(() => new Program("compact", [pool.path]));
      const holder = new Program("hash-view", [pool.path, "1"]);
      const until = setTimeout(LIFE_MS_MAX).then(() => "over");
      for (;;) {
        for (let commit = 0; commit < 10; commit++) array.scatter(4);
        using view = container.view();
        array.check(view);
        // The other programs take longer to start than a round lasts: wait for the first pass.
        if (aggregators.some(({ lines }) => lines.length > 0)) break;
        if (aggregators.some(({ isRunning }) => !isRunning)) break;
        await setTimeout(1);
      }
      await until;
      await setTimeout(random() * LIFE_MS_MAX);
      await Promise.all(aggregators.map((aggregator) => aggregator.kill()));
      expect(aggregators.map(({ errors }) => errors).join("")).toBe("");
      copies += aggregators.reduce((sum, { lines }) => sum + lines.length, 0);
      await holder.printed(1);
      holder.send("again");
      await holder.printed(2);
      expect(holder.lines[1]).toBe(holder.lines[0]);
      await holder.kill();
      checkLiveSizes(pool);
      for (const { epoch } of container.commits().slice(0, 2)) {
        using view = container.view(epoch);
        array.check(view);
      }
      pool.recover();
      // This process has one lease, and nobody else is left.
      expect(pool.query().segments.leased).toBeLessThanOrEqual(1);
    }
    expect(copies).toBeGreaterThanOrEqual(ROUNDS / 2);
    container.aggregate();
    checkLiveSizes(pool);
    expect(pool.scrub().damages).toEqual([]);
    // Two versions of the array, and at most half as much again.
    expect(committedSize(pool)).toBeLessThanOrEqual(3 * ARRAY_SIZE);
    using head = container.view();
    array.check(head);
  },
  isNightly ? 600_000 : 90_000,
);
