/**
 * Several processes on one index: no transaction is lost, also while others open and close it.
 */

import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { readCounter } from "../../dist/core/index/counters.js";
import { IndexStore } from "../../dist/core/index/index-store.js";
import { isNightly } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { Program } from "./support/program.ts";

const ROUNDS = isNightly ? 100 : 10;
const PROCESSES = 3;
const TIMES = 400;

test(
  "transact() of one process is not lost while another one opens the index",
  async () => {
    const counted: bigint[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const path = join(temporaryDirectory(), "index.mdb");
      const index = IndexStore.open(path, { durable: false, create: true });
      const programs = Array.from(
        { length: PROCESSES },
        () => new Program("count", [path, `${TIMES}`]),
      );
      await Promise.all(programs.map((program) => program.ended()));
      expect(programs.map(({ errors }) => errors).join("")).toBe("");
      counted.push(readCounter(index, "epoch"));
      index.close();
    }
    expect(counted).toEqual(counted.map(() => BigInt(PROCESSES * TIMES)));
  },
  isNightly ? 300_000 : 60_000,
);
