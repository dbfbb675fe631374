/**
 * Processes that are killed at random moments: two writers commit, aggregate and recycle, a reader
 * checks every newest version; SIGKILL ends them. What a writer acknowledged must be there, whole, and
 * the pool must go on.
 */

import { setTimeout } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { type Container, isDaosError, Pool } from "daos-ts";
import { isNightly, seed } from "../support/property.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { checkVersion } from "./programs/versions.mjs";
import { Program } from "./support/program.ts";
import { randomFrom } from "./support/random.ts";

const WRITERS = [0, 1];
const ROUNDS = isNightly ? 100 : 6;
/** A writer is killed at most this long after its first commit. */
const LIFE_MS_MAX = 120;

/** Epochs and versions that a writer has acknowledged. */
function acknowledged(lines: readonly string[]): { epoch: bigint; version: number }[] {
  // The last line may be cut off by the kill.
  return lines
    .map((line) => /^(\d+) (\d+)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, epoch, version]) => ({ epoch: BigInt(epoch as string), version: Number(version) }));
}

/** Checks what one writer acknowledged; returns the version that the newest commit shows. */
function checkWriter(container: Container, writer: number, lines: readonly string[]): number {
  for (const { epoch, version } of acknowledged(lines)) {
    try {
      using view = container.view(epoch);
      expect(checkVersion(view, writer)).toBe(version);
    } catch (error) {
      if (!isDaosError(error, "DER_EPOCH_GONE")) throw error;
    }
  }
  using head = container.view();
  const shown = checkVersion(head, writer);
  expect(shown).toBeGreaterThanOrEqual(acknowledged(lines).at(-1)?.version ?? 0);
  return shown;
}

test(
  "a pool whose writers are killed keeps what they acknowledged and goes on",
  async () => {
    const random = randomFrom(seed);
    const path = temporaryDirectory();
    Pool.create({ path, durability: "process" }).createContainer("c", { retainCommits: 4 });
    const versions = WRITERS.map(() => 0);
    let kills = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const writers = WRITERS.map(
        (writer) =>
          new Program("write-versions", [path, `${writer}`, `${(versions[writer] ?? 0) + 1}`]),
      );
      const reader = new Program("read-versions", [path, `${WRITERS.length}`]);
      await Promise.all(
        writers.map(async (writer) => {
          await writer.printed(1);
          await setTimeout(random() * LIFE_MS_MAX);
          await writer.kill();
          kills += 1;
        }),
      );
      expect(writers.map(({ errors }) => errors).join("")).toBe("");
      expect(reader.errors).toBe("");
      expect(reader.isRunning).toBe(true);
      await reader.kill();
      using pool = Pool.connect(path);
      const container = pool.openContainer("c");
      for (const [index, writer] of writers.entries()) {
        versions[index] = checkWriter(container, index, writer.lines);
      }
      if (round % 2 === 0) {
        pool.recover();
        expect(pool.query().segments.leased).toBe(0);
      }
      container.aggregate();
      for (const writer of WRITERS) checkWriter(container, writer, []);
    }
    expect(kills).toBe(ROUNDS * WRITERS.length);
    using pool = Pool.connect(path);
    pool.recover();
    // Two arrays of at most 55 KB in four versions each, and what is kept for recycling.
    expect(pool.query().nvme.used).toBeLessThan(64 << 20);
  },
  isNightly ? 600_000 : 60_000,
);
