/**
 * Conformance of collectives between two groups of ranks.
 *
 * @module
 */

import { IN_PLACE, Op, PROC_NULL, ROOT } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const range = (count) => Array.from({ length: count }, (_, i) => i);

/** Two groups, of which the first has a rank more if their number is odd; nothing with one rank. */
function between(comm, run) {
  if (comm.size === 1) return;
  const lowSize = Math.ceil(comm.size / 2);
  const isLow = comm.rank < lowSize;
  const half = comm.split(isLow ? 0 : 1);
  const inter = half.createIntercommunicator(0, comm, isLow ? lowSize : 0, 9);
  const { rank, size, remoteSize } = inter;
  // The root is rank 0 of the low group.
  const root = isLow ? (rank === 0 ? ROOT : PROC_NULL) : 0;
  run({ inter, isLow, isRoot: root === ROOT, root, rank, size, remoteSize });
  inter.free();
  half.free();
}

/** Blocking, nonblocking and persistent forms in turn. */
function forms(inter, name, ...args) {
  const request = inter[name](...args) ?? inter[`i${name}`](...args);
  request.wait();
}

export const intercommunicatorCases = {
  "bcast(), gather() and scatter() go between a root and the other group"(comm) {
    between(comm, ({ inter, isLow, isRoot, root, rank, remoteSize }) => {
      const word = Int32Array.of(isRoot ? 17 : -1);
      forms(inter, "bcast", isLow && !isRoot ? null : word, root);
      equal(word[0], isRoot || !isLow ? 17 : -1);
      const all = new Int32Array(remoteSize);
      forms(inter, "gather", isLow ? null : Int32Array.of(rank + 5), isRoot ? all : null, root);
      if (isRoot)
        equal(
          [...all],
          range(remoteSize).map((one) => one + 5),
        );
      const part = new Int32Array(1);
      const parts = Int32Array.from(range(remoteSize), (one) => 2 * one);
      forms(inter, "scatter", isRoot ? parts : null, isLow ? null : part, root);
      if (!isLow) equal(part[0], 2 * rank);
    });
  },

  "gatherv(), scatterv() and reduce() go between a root and the other group"(comm) {
    between(comm, ({ inter, isLow, isRoot, root, rank, remoteSize }) => {
      const counts = range(remoteSize).map((one) => one + 1);
      const total = counts.reduce((sum, count) => sum + count);
      const all = new Int32Array(total);
      const own = new Int32Array(rank + 1).fill(rank);
      const expected = counts.flatMap((count, one) => Array(count).fill(one));
      forms(
        inter,
        "gatherv",
        isLow ? null : own,
        isRoot ? all : null,
        isRoot ? counts : null,
        root,
      );
      if (isRoot) equal([...all], expected);
      own.fill(-1);
      forms(
        inter,
        "scatterv",
        isRoot ? all : null,
        isLow ? null : own,
        isRoot ? counts : null,
        root,
      );
      if (!isLow) equal([...own], Array(rank + 1).fill(rank));
      const sum = new Float64Array(1);
      forms(
        inter,
        "reduce",
        isLow ? null : Float64Array.of(rank + 1),
        isRoot ? sum : null,
        Op.SUM,
        root,
      );
      if (isRoot) equal(sum[0], (remoteSize * (remoteSize + 1)) / 2);
    });
  },

  "collectives without a root give each group what the other has"(comm) {
    between(comm, ({ inter, isLow, rank, size, remoteSize }) => {
      inter.barrier();
      inter.ibarrier().wait();
      const name = (isLowGroup, one) => (isLowGroup ? 0 : 100) + one;
      const received = new Int32Array(remoteSize);
      forms(inter, "allgather", Int32Array.of(name(isLow, rank)), received);
      equal(
        [...received],
        range(remoteSize).map((one) => name(!isLow, one)),
      );
      const pieces = range(remoteSize).map((one) => one + 1);
      const many = new Int32Array(pieces.reduce((sum, count) => sum + count));
      forms(inter, "allgatherv", new Int32Array(rank + 1).fill(rank), many, pieces);
      equal(
        [...many],
        pieces.flatMap((count, one) => Array(count).fill(one)),
      );
      const out = Int32Array.from(range(remoteSize), (to) => 10 * rank + to);
      const heard = range(remoteSize).map((from) => 10 * from + rank);
      forms(inter, "alltoall", out, received);
      equal([...received], heard);
      received.fill(-1);
      const ones = range(remoteSize).map(() => 1);
      forms(inter, "alltoallv", out, received, ones, ones);
      equal([...received], heard);
      const sum = new Int32Array(1);
      forms(inter, "allreduce", Int32Array.of(name(isLow, rank)), sum, Op.SUM);
      equal(
        sum[0],
        range(remoteSize).reduce((total, one) => total + name(!isLow, one), 0),
      );
      if (size !== remoteSize) return;
      const part = new Int32Array(1);
      const parts = Int32Array.from(range(size), (one) => name(isLow, one));
      forms(inter, "reduceScatterBlock", parts, part, Op.SUM);
      equal(part[0], size * name(!isLow, rank));
      forms(
        inter,
        "reduceScatter",
        parts,
        part,
        range(size).map(() => 1),
        Op.MAX,
      );
      equal(part[0], name(!isLow, rank));
    });
  },

  "what makes no sense between two groups is refused"(comm) {
    between(comm, ({ inter, remoteSize }) => {
      const one = () => new Int32Array(1);
      for (const root of [remoteSize, -1, -4, 0.5]) {
        fails("MPI_ERR_ROOT", () => inter.bcast(one(), root));
      }
      fails("MPI_ERR_BUFFER", () => inter.allreduce(IN_PLACE, one(), Op.SUM));
      fails("MPI_ERR_BUFFER", () => inter.allgather(IN_PLACE, new Int32Array(remoteSize)));
      fails("MPI_ERR_COMM", () => inter.scan(one(), one(), Op.SUM));
      fails("MPI_ERR_COMM", () => inter.iexscan(one(), one(), Op.SUM));
      fails("MPI_ERR_TOPOLOGY", () => inter.neighborAllgather(one(), one()));
    });
    fails("MPI_ERR_ROOT", () => comm.bcast(new Int32Array(1), ROOT));
    fails("MPI_ERR_ROOT", () => comm.gather(new Int32Array(1), null, PROC_NULL));
  },

  "disconnect() frees a communicator"(comm) {
    const copy = comm.dup();
    copy.disconnect();
    fails("MPI_ERR_COMM", () => copy.barrier());
    fails("MPI_ERR_COMM", () => copy.disconnect());
  },

  "a copy of an intercommunicator lives on without it"(comm) {
    between(comm, ({ inter, isLow, isRoot, root }) => {
      const copy = inter.dup();
      const word = Int32Array.of(isRoot ? 3 : 0);
      copy.bcast(isLow && !isRoot ? null : word, root);
      equal(word[0], isLow && !isRoot ? 0 : 3);
      copy.disconnect();
      fails("MPI_ERR_COMM", () => copy.barrier());
      fails("MPI_ERR_COMM", () => copy.disconnect());
    });
  },
};
