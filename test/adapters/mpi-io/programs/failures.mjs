/**
 * Failures of one rank in collective calls: every rank must get an error, none may hang, and nothing
 * may become visible. Usage: failures.mjs <pool>. Each rank prints one line.
 */

import { DaosError, Transaction } from "daos-ts";
import { Datatype, File, Mode, self, world } from "daos-ts/mpi-io";

const [pool] = process.argv.slice(2);
const comm = world();
const last = comm.size - 1;
const RDWR = Mode.CREATE | Mode.RDWR;
const address = (name) => `daos://${pool}/c/${name}`;

function codeOf(action) {
  try {
    action();
    return "none";
  } catch (error) {
    return error.daosCode ?? error.code ?? String(error);
  }
}

/** The file's text as a handle of this rank alone sees it. */
function textOf(name) {
  const file = File.open(self(), address(name), Mode.RDONLY);
  const bytes = Buffer.alloc(file.getSize());
  file.readAt(0, bytes);
  file.close();
  return bytes.toString();
}

/** A communicator as it would be if this node's ranks were one of two nodes'. */
function spanningNodes(inner) {
  return new Proxy(inner, {
    get: (target, name) => {
      if (name === "splitShared") return () => self().dup();
      if (name === "dup") return () => spanningNodes(target.dup());
      const value = target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const result = { rank: comm.rank };
result.missingPool = codeOf(() => File.open(comm, "daos:///no/such/pool/c/a", RDWR));
result.missingFile = codeOf(() => File.open(comm, address("none"), Mode.RDONLY));
result.otherPath = codeOf(() => File.open(comm, address(`name${comm.rank === last}`), RDWR));
result.otherMode = codeOf(() =>
  File.open(comm, address("a"), comm.rank === last ? RDWR : Mode.RDONLY),
);
// Ranks learn of another one's bad hint as of their own.
try {
  File.open(comm, address("a"), RDWR, { daos_commit: comm.rank === last ? "never" : "sync" });
} catch (error) {
  result.badHint = [error.code, error.daosCode];
}
result.nodes = codeOf(() => File.open(spanningNodes(comm), address("a"), RDWR));

const file = File.open(comm, address("a"), RDWR);
file.writeAtAll(comm.rank, Buffer.from("1"));
file.sync();
result.badView = codeOf(() => {
  const overlapping = Datatype.vector(2, 3, 1, Datatype.BYTE);
  file.setView(0, Datatype.BYTE, comm.rank === last ? overlapping : Datatype.BYTE);
});

/** Lets a step of transactions fail on the last rank, as long as something runs. */
function whileFailing(method, run) {
  const sound = Transaction.prototype[method];
  if (comm.rank === last) {
    Transaction.prototype[method] = () => {
      const text = { what: "Writing", why: "the disk is full", remedy: "free space" };
      throw new DaosError("DER_NOSPACE", text);
    };
  }
  run();
  Transaction.prototype[method] = sound;
}

// One rank cannot flush: the commit fails on all ranks, and the file is as it was.
whileFailing("prepare", () => {
  file.writeAtAll(comm.rank, Buffer.from("2"));
  result.failedFlush = codeOf(() => file.sync());
  result.afterFailure = textOf("a");
});

// One rank cannot hand on what it kept back: the same, and no rank waits for it.
whileFailing("write", () => {
  file.writeAt(comm.rank, Buffer.from("2"));
  result.failedRecord = codeOf(() => file.sync());
  result.afterRecord = textOf("a");
  file.writeAt(comm.rank, Buffer.from("2"));
  result.failedView = codeOf(() => file.setView(0, Datatype.BYTE, Datatype.BYTE));
  result.failedLater = codeOf(() => file.sync());
});

// The handle goes on: the same writes, made again, are committed.
file.writeAtAll(comm.rank, Buffer.from("3"));
result.retried = codeOf(() => file.sync());
result.afterRetry = textOf("a");

// A rank with nothing to write takes part all the same.
if (comm.rank !== last) file.writeAt(comm.rank, Buffer.from("4"));
result.idleRank = codeOf(() => file.sync());
result.afterIdle = textOf("a");
file.close();
console.log(JSON.stringify(result));
