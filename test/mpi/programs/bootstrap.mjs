/**
 * Exchanges business cards, then ends in one of several ways.
 *
 *     bootstrap.mjs [exit0 | throw | finalize | mpi-after | mpi-before | mpi-ended | pmix]
 */

import { readFileSync } from "node:fs";
import { bootstrap, finalize, isInitialized, Op, Pmix, world } from "node-mpi-bindings";

const [how = "exit0"] = process.argv.slice(2);

function sumOfRanks() {
  const sum = new Int32Array(1);
  world().allreduce(Int32Array.of(world().rank), sum, Op.SUM);
  return sum[0];
}

function failure(run) {
  try {
    return run() === undefined ? "undefined" : "a value";
  } catch (error) {
    return error.code;
  }
}

const facts = {};
if (how === "mpi-before") facts.sum = sumOfRanks();
const job = bootstrap();
const { identity, source, isNodeLeader } = job;
const text = (cards) => cards.map((card) => new TextDecoder().decode(card));
facts.first = text(job.exchange(new TextEncoder().encode("x".repeat(identity.rank))));
facts.second = text(job.exchange(new TextEncoder().encode(`port ${identity.rank}`)));
facts.objects = job
  .exchangeObjects({ rank: identity.rank, ports: [1, 2n] })
  .map(({ rank }) => rank);
facts.badObject = failure(() => job.exchangeObjects(identity.rank === 0 ? () => {} : {}));
facts.same = bootstrap() === job;
facts.usesMpi = isInitialized();
if (how === "mpi-after") facts.sum = sumOfRanks();
if (how === "mpi-ended") {
  facts.sum = sumOfRanks();
  // What of MPI listens to PMIx.
  const listeners = () =>
    readFileSync("/proc/self/maps", "utf8")
      .match(/mca_pmix_\w+/g)
      ?.sort();
  const before = listeners();
  finalize();
  facts.areKept = String(listeners()) === String(before);
  Pmix.init().fence();
}
if (how === "pmix") {
  const pmix = Pmix.init();
  pmix.put("only-mine", Uint8Array.of(identity.rank, 42));
  pmix.commit();
  pmix.fence({ collect: true });
  const next = (identity.rank + 1) % identity.size;
  facts.get = [...pmix.get("only-mine", next)];
  const started = performance.now();
  facts.missing = failure(() => pmix.get("never-put", next, { timeoutSeconds: 1 }));
  facts.waitedMs = Math.round(performance.now() - started);
  facts.badRank = failure(() => pmix.get("only-mine", identity.size));
  facts.badKey = failure(() => pmix.put("k".repeat(600), Uint8Array.of(1)));
  const { rank } = identity;
  facts.unpublished = failure(() => pmix.lookup("service"));
  pmix.fence();
  if (rank === 1) pmix.publish("service", new TextEncoder().encode("host:1234"));
  if (rank === 1) pmix.publish("empty", new Uint8Array(0), { range: "namespace" });
  const found = pmix.lookup("service", { timeoutSeconds: 20 });
  facts.service = [new TextDecoder().decode(found.bytes), found.rank];
  facts.sameJob = found.namespace === identity.namespace;
  facts.empty = pmix.lookup("empty", { range: "namespace", timeoutSeconds: 20 }).bytes.length;
  facts.twice = rank === 1 ? failure(() => pmix.publish("service", new Uint8Array(1))) : "";
  facts.badRange = failure(() => pmix.publish("x", new Uint8Array(1), { range: "moon" }));
  pmix.fence();
  if (rank === 1) pmix.unpublish("service");
  pmix.unpublish("never-published");
  pmix.fence();
  facts.afterwards = failure(() => pmix.lookup("service"));
  facts.pair = failure(() => pmix.fence({ ranks: rank < 2 ? [0, 1] : [2, 3] }));
  facts.badFence = failure(() => pmix.fence({ ranks: [(rank + 1) % 4] }));
  facts.job = pmix.jobFacts();
  pmix.fence();
  pmix.finalize();
  pmix.finalize();
  facts.afterFinalize = [failure(() => pmix.fence()), failure(() => Pmix.init())];
}
console.log(JSON.stringify({ source, isNodeLeader, identity, ...facts }));
if (how === "finalize") finalize();
if (how === "throw") throw new Error("after the exchange");
