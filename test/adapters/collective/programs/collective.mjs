/**
 * Collective transactions under mpirun. Usage: collective.mjs <pool> <case> [<victim rank>].
 * Each rank prints JSON lines.
 */

import { writeSync } from "node:fs";
import { DaosError, Pattern, Pool, Transaction, wholeOf } from "daos-ts";
import { world } from "daos-ts/mpi-io";

const [path, what, victim = "-1"] = process.argv.slice(2);
const comm = world();
const { rank, size } = comm;
const isVictim = rank === Number(victim);
const pool = Pool.connect(path);
const container = pool.openContainer("c");
const KEY = Buffer.from("k");
const print = (line) => writeSync(1, `${JSON.stringify({ rank, ...line })}\n`);

function begin(version) {
  const transaction = container.beginCollective(comm);
  const range = wholeOf(Pattern.contiguous(rank * 1000, (rank + 1) * 1000));
  transaction.own.write(1n, range, new Uint8Array(1000).fill(version), container.incarnation(1n));
  const value = Buffer.from(`${version}`);
  const dkey = Buffer.from(`rank ${rank}`);
  transaction.own.put({ oid: 2n, dkey, akey: KEY, value, condition: "none" });
  return transaction;
}

/**
 * Commits so many ranges that what a rank has to say of them takes more than one message.
 *
 * Returns how many bytes of each rank are shown.
 */
function writeScattered() {
  const transaction = container.beginCollective(comm);
  const incarnation = container.incarnation(3n);
  for (let i = 0; i < 2000; i++) {
    const start = 50_000 * rank + 7 * i + ((i * i) % 5);
    const range = wholeOf(Pattern.contiguous(start, start + 1 + (i % 2)));
    transaction.own.write(3n, range, new Uint8Array(1 + (i % 2)).fill(rank + 1), incarnation);
  }
  transaction.commit();
  const view = container.view();
  const bytes = view.readBytes(3n, 0, view.arraySize(3n));
  view.close();
  return Array.from({ length: size }, (_, other) => {
    const part = bytes.subarray(50_000 * other, 50_000 * (other + 1));
    return part.filter((byte) => byte === other + 1).length;
  });
}

/** What the newest version shows: the versions of all ranks. */
function shown() {
  const view = container.view();
  const bytes = view.readBytes(1n, 0, size * 1000);
  const values = view.listValues(2n, { akey: KEY }).map(({ value }) => Number(Buffer.from(value)));
  view.close();
  return [...new Set([...bytes, ...values])];
}

function codeOf(action) {
  try {
    action();
    return "none";
  } catch (error) {
    return error.code ?? String(error);
  }
}

if (what === "commit") {
  for (let version = 1; version <= 20; version++) {
    const transaction = begin(version);
    const { epoch, bytes } = transaction.commit();
    const id = Buffer.from(transaction.transactionId).toString("hex");
    const found = container.epochOf(transaction.transactionId) === epoch;
    if (version === 20) print({ epoch: String(epoch), bytes, id, found, shown: shown() });
  }
} else if (what === "scattered") {
  print({ scattered: writeScattered() });
} else if (what === "failures") {
  begin(1).commit();
  comm.barrier();
  const aborted = begin(2);
  if (isVictim) aborted.abort();
  const result = { aborted: codeOf(() => aborted.commit()), again: codeOf(() => aborted.commit()) };
  comm.barrier();
  result.afterAbort = shown();
  const failing = begin(3);
  const { prepare } = Transaction.prototype;
  if (isVictim) {
    Transaction.prototype.prepare = () => {
      throw new DaosError("DER_NOSPACE", { what: "Flushing", why: "it is full", remedy: "free" });
    };
  }
  result.failed = codeOf(() => failing.commit());
  Transaction.prototype.prepare = prepare;
  comm.barrier();
  result.afterFailure = shown();
  const other = pool.openContainer(isVictim && size > 1 ? "d" : "c");
  result.mismatch = codeOf(() => other.beginCollective(comm));
  const spanning = new Proxy(comm, {
    get: (target, name) => {
      if (name === "splitShared") return () => ({ size: size - 1, free: () => {} });
      const value = target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  result.nodes = codeOf(() => container.beginCollective(spanning));
  const empty = container.beginCollective(comm);
  result.empty = empty.commit().epoch === container.commits()[0].epoch;
  begin(4).commit();
  comm.barrier();
  result.last = shown();
  print(result);
} else {
  begin(1).commit();
  const transaction = begin(2);
  const id = Buffer.from(transaction.transactionId).toString("hex");
  print({ id });
  comm.barrier();
  // "before": the victim dies before it contributes; "after": as soon as it has.
  if (isVictim && what === "before") process.kill(process.pid, "SIGKILL");
  if (isVictim) {
    const { gather } = comm;
    comm.gather = (...args) => {
      gather.apply(comm, args);
      process.kill(process.pid, "SIGKILL");
    };
  }
  transaction.commit();
  print({ committed: true });
}
pool.close();
