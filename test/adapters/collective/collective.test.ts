/**
 * Collective transactions: all ranks write, one commit publishes all of it, whatever fails.
 *
 * @module
 */

import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { Pattern, Pool, type RankGroup, wholeOf } from "daos-ts";
import { SoloCommunicator } from "daos-ts/mpi-io";
import { available, FAMILIES, type Family, runRanks } from "../../support/mpirun.ts";
import { isNightly } from "../../support/property.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const program = path.join(
  path.dirname(fileURLToPath(import.meta.url)),
  "programs",
  "collective.mjs",
);
/** Both libraries run the same code here: the gate sees less of the second. */
const rankCounts = (family: Family) => (family === "mpich" && !isNightly ? [2] : [1, 2, 4]);
const kills = (family: Family): ["before" | "after", number][] =>
  family === "mpich" && !isNightly
    ? [["after", 1]]
    : [
        ["before", 1],
        ["before", 0],
        ["after", 1],
      ];
const KEY = Buffer.from("k");
const code = (expected: string) => expect.objectContaining({ name: "DaosError", code: expected });

let pool = "";
beforeEach(() => {
  pool = `${temporaryDirectory({ medium: "memory" })}/pool`;
  using handle = Pool.create({ path: pool, durability: "process" });
  handle.createContainer("c", { retainCommits: 100 });
  handle.createContainer("d");
});

/** Ranks and the versions that the newest commit shows: bytes and values. */
async function shown(): Promise<{ versions: number[]; commits: number }> {
  using handle = Pool.connect(pool);
  handle.recover();
  // A launcher may end before the kernel is through with the ranks that it has killed: their locks go last.
  for (let i = 0; i < 50 && handle.query().segments.leased > 0; i++) {
    await setTimeout(100);
    handle.recover();
  }
  expect(handle.query().segments.leased).toBe(0);
  const container = handle.openContainer("c");
  using view = container.view();
  const bytes = view.readBytes(1n, 0, view.arraySize(1n));
  const values = view.listValues(2n, { akey: KEY }).map(({ value }) => Number(Buffer.from(value)));
  return { versions: [...new Set([...bytes, ...values])], commits: container.commits().length };
}

for (const family of FAMILIES) {
  const suite = available(family) ? describe : describe.skip;

  suite(`CollectiveTransaction under ${family}`, () => {
    const run = (ranks: number, ...args: string[]) =>
      runRanks({ family, ranks, program, args: [pool, ...args], timeoutMs: 25_000 });

    test.each(rankCounts(family))(
      "E1: %i ranks publish all that they wrote at one epoch",
      async (ranks) => {
        const { status, lines, stderr } = await run(ranks, "commit");
        expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
        expect(lines).toHaveLength(ranks);
        const [first] = lines as { epoch: string; id: string }[];
        for (const line of lines) {
          const same = { epoch: first?.epoch, id: first?.id, found: true };
          expect(line).toMatchObject({ ...same, bytes: ranks * 1000, shown: [20] });
        }
        using handle = Pool.connect(pool);
        const commits = handle.openContainer("c").commits();
        expect(commits).toHaveLength(20);
        expect(commits.every(({ contributors }) => contributors === ranks)).toBe(true);
      },
    );

    test("E1: ranks publish so many ranges that one message does not name them", async () => {
      const { status, lines } = await run(2, "scattered");
      expect(status).toBe(0);
      expect(lines).toMatchObject(lines.map(() => ({ scattered: [3000, 3000] })));
      expect(lines).toHaveLength(2);
    });

    test("E1: an aborted rank, or one that cannot flush, ends the commit on all", async () => {
      const { status, lines } = await run(4, "failures", "2");
      expect(lines).toHaveLength(4);
      for (const line of lines) {
        expect(line).toMatchObject({
          aborted: "DER_CANCELED",
          again: "DER_NO_HDL",
          afterAbort: [1],
          failed: "DER_NOSPACE",
          afterFailure: [1],
          mismatch: "DER_MISMATCH",
          nodes: "DER_NOSYS",
          empty: true,
          last: [4],
        });
      }
      expect(status).toBe(0);
    });

    test.each(kills(family))(
      "E1: a rank killed %s it contributes leaves all or nothing, and hangs nobody",
      async (when, victim) => {
        const { status, lines, timedOut } = await run(4, when, String(victim));
        expect(timedOut).toBe(false);
        expect(status).not.toBe(0);
        const [{ id }] = lines as [{ id: string }];
        const { versions, commits } = await shown();
        using handle = Pool.connect(pool);
        // The id tells afterwards what became of it.
        const epoch = handle.openContainer("c").epochOf(Buffer.from(id, "hex"));
        expect({ versions, commits }).toEqual(
          epoch === undefined ? { versions: [1], commits: 1 } : { versions: [2], commits: 2 },
        );
        if (when === "before") expect(epoch).toBeUndefined();
      },
    );
  });
}

/** A group of two of which this is one rank, and the other one answers nothing. */
function lost(rank: number): RankGroup {
  return {
    rank,
    size: 2,
    bcast: () => {
      throw new Error("the other rank is gone");
    },
    gather: (_send, recv) => recv?.fill(0),
    gatherv: () => {},
    allgather: () => {},
    splitShared: () => ({ size: 2, free: () => {} }),
  };
}

/** One rank whose communicator fails from some call of `bcast` on. */
function failing(after: number): RankGroup {
  const solo = new SoloCommunicator();
  let calls = 0;
  return new Proxy<RankGroup>(solo, {
    get: (target, name) => {
      if (name === "bcast" && ++calls > after) return lost(0).bcast;
      const value = target[name as keyof RankGroup] as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const write = wholeOf(Pattern.contiguous(0, 4));

describe("CollectiveTransaction", () => {
  test("E1: needs no MPI with one rank, and reads its own writes", () => {
    using handle = Pool.connect(pool);
    const container = handle.openContainer("c");
    const transaction = container.beginCollective(new SoloCommunicator());
    transaction.own.write(1n, write, Buffer.from("abcd"), 0n);
    const bytes = Buffer.alloc(4);
    using before = container.view();
    before.readArray(1n, write, bytes, transaction.own);
    expect(bytes.toString()).toBe("abcd");
    const { epoch } = transaction.commit();
    expect(container.epochOf(transaction.transactionId)).toBe(epoch);
    expect(() => transaction.commit()).toThrow(code("DER_NO_HDL"));
    using reader = Pool.connect(pool, { mode: "ro" });
    const readOnly = reader.openContainer("c");
    expect(() => readOnly.beginCollective(new SoloCommunicator())).toThrow(code("DER_NO_PERM"));
  });

  test("E1: the root knows that it committed, although it cannot tell the others", () => {
    using handle = Pool.connect(pool);
    const container = handle.openContainer("c");
    // One call begins, one more tells of the outcome.
    const transaction = container.beginCollective(failing(1));
    transaction.own.write(1n, write, Buffer.from("abcd"), 0n);
    const { epoch, bytes } = transaction.commit();
    expect([epoch, bytes]).toEqual([container.commits()[0]?.epoch, 4]);
    // The log goes on elsewhere: nothing is written over what was committed.
    container.update((tx) =>
      tx.write(1n, wholeOf(Pattern.contiguous(4, 8)), Buffer.from("efgh"), 0n),
    );
    using view = container.view();
    expect(Buffer.from(view.readBytes(1n, 0, 8)).toString()).toBe("abcdefgh");
    expect(handle.scrub().damages).toEqual([]);
  });

  test("E1: another rank does not know, and says with which id to ask", () => {
    using handle = Pool.connect(pool);
    const container = handle.openContainer("c");
    const group = lost(1);
    let calls = 0;
    const id = container.newTransactionId();
    const answer = Buffer.concat([Uint8Array.of(0), id, Buffer.from(container.uuid)]);
    // The root is heard of when the transaction begins, and never again.
    group.bcast = (buf) => {
      calls += 1;
      if (calls > 1) throw new Error("the other rank is gone");
      buf[0] = answer.length;
      new Uint8Array(buf.buffer).set(answer, 8);
    };
    const transaction = container.beginCollective(group);
    transaction.own.write(1n, write, Buffer.from("abcd"), 0n);
    const facts = { transactionId: Buffer.from(id).toString("hex") };
    const uncertain = expect.objectContaining({ code: "DER_TX_UNCERTAIN", facts });
    expect(() => transaction.commit()).toThrow(uncertain as unknown as Error);
    expect(container.epochOf(id)).toBeUndefined();
    expect(handle.query().segments.leased).toBe(0);
  });
});
