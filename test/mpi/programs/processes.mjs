/**
 * Dynamic processes: spawns, connects by ports and names, and joins by sockets.
 *
 *     processes.mjs            as the ranks of a job; prints what came of each case
 *     processes.mjs child N    as a process that the above has spawned: answers
 *
 * @module
 */

import { once } from "node:events";
import { createConnection, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import {
  closePort,
  Info,
  join,
  lookupName,
  Op,
  openPort,
  PROC_NULL,
  parent,
  publishName,
  ROOT,
  unpublishName,
  world,
} from "node-mpi-bindings";
import { equal, fails, runCases } from "./checks.mjs";

const program = fileURLToPath(import.meta.url);
const command = process.execPath;
const child = (text, processes) => ({ command, args: [program, "child", text], processes });

/** A child takes what its parents say, and says what the merged communicator adds up to. */
function answer(text) {
  const comm = world();
  const parents = parent();
  const word = new Int32Array(1);
  parents.bcast(word, 0);
  const sum = new Int32Array(1);
  parents.reduce(Int32Array.of(word[0] + comm.rank + text.length), null, Op.SUM, 0);
  const whole = parents.merge(true);
  whole.allreduce(Int32Array.of(1), sum, Op.SUM);
  equal([sum[0], whole.size], [comm.size + parents.remoteSize, comm.size + parents.remoteSize]);
  // Strangers have numbers of their own: a group of them is no group of this job.
  equal(whole.group.intersection(comm.group).size, comm.size);
  const half = whole.create(whole.group.difference(comm.group));
  equal(half, undefined);
  whole.free();
  parents.disconnect();
}

/** What all parents do with `count` children that were told texts of these lengths. */
function talk(comm, children, lengths) {
  const root = comm.rank === 0 ? ROOT : PROC_NULL;
  equal([children.remoteSize, children.size], [lengths.length, comm.size]);
  children.bcast(comm.rank === 0 ? Int32Array.of(10) : null, root);
  const sum = new Int32Array(1);
  children.reduce(null, comm.rank === 0 ? sum : null, Op.SUM, root);
  const expected = lengths.reduce((total, length, i) => total + 10 + i + length, 0);
  if (comm.rank === 0) equal(sum[0], expected);
  const whole = children.merge(false);
  const count = new Int32Array(1);
  whole.allreduce(Int32Array.of(1), count, Op.SUM);
  equal([count[0], whole.rank], [comm.size + lengths.length, comm.rank]);
  equal(whole.group.intersection(comm.group).compare(comm.group), "identical");
  const half = whole.create(whole.group.difference(children.remoteGroup));
  equal([half.size, half.rank], [comm.size, comm.rank]);
  half.free();
  whole.free();
  children.disconnect();
  fails("MPI_ERR_COMM", () => children.barrier());
}

const cases = {
  "parent() is undefined in a job that nobody spawned"() {
    equal(parent(), undefined);
  },

  "spawn() starts a program, which talks to all ranks"(comm) {
    talk(comm, comm.spawn(comm.rank === 0 ? child("abc", 2) : null), [3, 3]);
  },

  "spawnMultiple() starts several programs in one world"(comm) {
    const programs = [
      child("a", 1),
      { ...child("abcd", 1), info: new Info({ wdir: process.cwd() }) },
    ];
    talk(comm, comm.spawnMultiple(programs), [1, 4]);
  },

  "a port connects two groups of ranks"(comm) {
    const half = comm.split(comm.rank % 2);
    if (comm.size > 1) connectHalves(comm, half);
    half.free();
  },

  "wrong arguments are refused before anybody waits"(comm) {
    for (const program of [null, {}, { command: "" }, { command, processes: 0 }]) {
      if (comm.rank === 0) fails("MPI_ERR_ARG", () => comm.spawn(program));
    }
    if (comm.rank === 0) {
      fails("MPI_ERR_ARG", () => comm.spawn({ command, processes: 1, args: [5] }));
      fails("MPI_ERR_ARG", () => comm.spawn({ command, processes: 1, args: "no" }));
      fails("MPI_ERR_ARG", () => comm.spawnMultiple([]));
      fails("MPI_ERR_ARG", () => comm.accept(""));
      fails("MPI_ERR_ARG", () => comm.connect(null));
    }
    fails("MPI_ERR_ROOT", () => comm.spawn(child("a", 1), { root: comm.size }));
    fails("MPI_ERR_ROOT", () => comm.connect("port", { root: -1 }));
    fails("MPI_ERR_ARG", () => closePort(""));
    fails("MPI_ERR_ARG", () => publishName("", "port"));
    fails("MPI_ERR_ARG", () => lookupName(5));
    fails("MPI_ERR_ARG", () => join(-1));
    fails("MPI_ERR_ARG", () => join(987654));
    fails("MPI_ERR_COMM", () => comm.disconnect());
  },
};

/** The even ranks accept, the odd ones connect. */
function connectHalves(comm, half) {
  const accepts = comm.rank % 2 === 0;
  const name = new Uint8Array(1024);
  const port = comm.rank === 0 ? openPort() : "";
  name.set(new TextEncoder().encode(port));
  comm.bcast(name, 0);
  const known = new TextDecoder().decode(name).replace(/\0+$/, "");
  const other = accepts ? half.accept(known) : half.connect(known);
  const sum = new Int32Array(1);
  other.allreduce(Int32Array.of(accepts ? 1 : 10), sum, Op.SUM);
  equal(sum[0], other.remoteSize * (accepts ? 10 : 1));
  other.disconnect();
  if (comm.rank === 0) closePort(port);
}

/** Publishing needs a server of names; what came of it. */
function names(comm) {
  const service = `node-mpi-bindings ${process.ppid} test`;
  let outcome = "";
  if (comm.rank === 0) {
    const port = openPort();
    try {
      publishName(service, port);
      equal(lookupName(service), port);
      unpublishName(service, port);
      outcome = "published";
    } catch (error) {
      if (error.name !== "MpiError") throw error;
      outcome = error.code;
    }
    closePort(port);
    try {
      outcome += ` then ${lookupName(`${service} of nobody`)}`;
    } catch (error) {
      outcome += ` then ${error.name} ${error.code}`;
    }
  }
  comm.barrier();
  return outcome;
}

/** Ranks 0 and 1 join through a socket; what came of it. */
async function joined(comm) {
  const port = new Int32Array(1);
  let server;
  let socket;
  if (comm.rank === 0) {
    server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    port[0] = server.address().port;
  }
  comm.bcast(port, 0);
  if (comm.rank === 0) [socket] = await once(server, "connection");
  if (comm.rank === 1) {
    socket = createConnection(port[0], "127.0.0.1");
    await once(socket, "connect");
  }
  let outcome = "";
  if (socket) {
    socket.pause();
    const other = join(socket._handle.fd);
    const got = new Int32Array(1);
    other.sendrecv(Int32Array.of(comm.rank), 0, 0, got, 0, 0);
    outcome = `rank ${comm.rank} got ${got[0]}`;
    other.disconnect();
    socket.destroy();
    server?.close();
  }
  return outcome;
}

/** Whether this build of the library can open a port: MPICH cannot through UCX. The same on all ranks. */
function knowsProcesses() {
  try {
    closePort(openPort());
    return true;
  } catch (error) {
    equal([error.name, error.code], ["MpiError", "MPI_ERR_UNSUPPORTED_OPERATION"]);
    return false;
  }
}

/** What a library that knows no dynamic processes says to those who ask for them. */
const refusals = {
  "spawn() fails with an MpiError, and the job goes on"(comm) {
    let error;
    try {
      comm.spawn(child("a", 1));
    } catch (caught) {
      error = caught;
    }
    equal([error?.name, /^MPI_ERR_/.test(error?.code)], ["MpiError", true]);
    const sum = new Int32Array(1);
    comm.allreduce(Int32Array.of(1), sum, Op.SUM);
    equal(sum[0], comm.size);
  },
};

if (process.argv[2] === "child") {
  answer(process.argv[3]);
} else if (!knowsProcesses()) {
  const wrong = "wrong arguments are refused before anybody waits";
  const { passed, failed } = await runCases({ ...refusals, [wrong]: cases[wrong] }, world());
  console.log(JSON.stringify({ rank: world().rank, passed, failed, names: "unsupported" }));
} else {
  const comm = world();
  const { passed, failed } = await runCases(cases, comm);
  const outcome = { rank: comm.rank, passed, failed, names: names(comm) };
  if (comm.size > 1 && process.argv[2] === "join") outcome.joined = await joined(comm);
  console.log(JSON.stringify(outcome));
}
