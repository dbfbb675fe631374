/**
 * Exchanges business cards, then ends in one of several ways.
 *
 *     bootstrap.mjs [exit0 | throw | finalize | mpi-after | mpi-before | pmix]
 */

import { bootstrap, finalize, isInitialized, Op, Pmix, world } from "node-mpi-bindings";

const [how = "exit0"] = process.argv.slice(2);

function sumOfRanks() {
  const sum = new Int32Array(1);
  world().allreduce(Int32Array.of(world().rank), sum, Op.SUM);
  return sum[0];
}

const facts = {};
if (how === "mpi-before") facts.sum = sumOfRanks();
const job = bootstrap();
const { identity, source, isNodeLeader } = job;
const text = (cards) => cards.map((card) => new TextDecoder().decode(card));
facts.first = text(job.exchange(new TextEncoder().encode("x".repeat(identity.rank))));
facts.second = text(job.exchange(new TextEncoder().encode(`port ${identity.rank}`)));
facts.same = bootstrap() === job;
facts.usesMpi = isInitialized();
if (how === "mpi-after") facts.sum = sumOfRanks();
if (how === "pmix") {
  const pmix = Pmix.init();
  pmix.put("only-mine", Uint8Array.of(identity.rank, 42));
  pmix.commit();
  pmix.fence({ collect: true });
  const next = (identity.rank + 1) % identity.size;
  facts.get = [...pmix.get("only-mine", next)];
  const code = (run) => {
    try {
      return run() === undefined ? "undefined" : "a value";
    } catch (error) {
      return error.code;
    }
  };
  const started = performance.now();
  facts.missing = code(() => pmix.get("never-put", next, { timeoutSeconds: 1 }));
  facts.waitedMs = Math.round(performance.now() - started);
  facts.badRank = code(() => pmix.get("only-mine", identity.size));
  facts.badKey = code(() => pmix.put("k".repeat(600), Uint8Array.of(1)));
  pmix.fence();
  pmix.finalize();
  pmix.finalize();
  facts.afterFinalize = [code(() => pmix.fence()), code(() => Pmix.init())];
}
console.log(JSON.stringify({ source, isNodeLeader, identity, ...facts }));
if (how === "finalize") finalize();
if (how === "throw") throw new Error("after the exchange");
