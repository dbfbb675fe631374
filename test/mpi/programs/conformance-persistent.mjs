/**
 * Conformance of persistent collectives: each of them, started several times.
 *
 * @module
 */

import { Datatype, IN_PLACE, Op, PersistentRequest } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const range = (count) => Array.from({ length: count }, (_, i) => i);
const ROUNDS = 3;

/** Starts a request in several rounds, with other data in each. */
function rounds(request, fill, check) {
  for (const round of range(ROUNDS)) {
    fill(round);
    request.start();
    request.wait();
    check(round);
  }
  request.free();
  fails("MPI_ERR_REQUEST", () => request.start());
}

export const persistentCases = {
  "barrierInit(), bcastInit(), gatherInit() and scatterInit() are started many times"(comm) {
    const { rank, size } = comm;
    const root = size - 1;
    rounds(
      comm.barrierInit(),
      () => {},
      () => {},
    );
    const word = new Int32Array(2);
    rounds(
      comm.bcastInit(word, root),
      (round) => word.fill(rank === root ? round : -1),
      (round) => equal([...word], [round, round]),
    );
    const [own, all] = [new Int32Array(1), new Int32Array(size)];
    rounds(
      comm.gatherInit(own, rank === root ? all : null, root),
      (round) => own.fill(10 * round + rank),
      (round) => {
        if (rank === root)
          equal(
            [...all],
            range(size).map((one) => 10 * round + one),
          );
      },
    );
    rounds(
      comm.scatterInit(rank === root ? all : null, own, root),
      (round) => all.set(range(size).map((one) => 100 * round + one)),
      (round) => equal(own[0], 100 * round + rank),
    );
  },

  "collectives of contributions that differ are started many times"(comm) {
    const { rank, size } = comm;
    const counts = range(size).map((one) => one + 1);
    const total = counts.reduce((sum, count) => sum + count);
    const [own, all] = [new Int32Array(rank + 1), new Int32Array(total)];
    const expected = (round) => counts.flatMap((count, one) => Array(count).fill(10 * round + one));
    const fill = (round) => own.fill(10 * round + rank);
    rounds(comm.gathervInit(own, all, counts, 0), fill, (round) => {
      if (rank === 0) equal([...all], expected(round));
    });
    rounds(comm.allgathervInit(own, all, counts), fill, (round) =>
      equal([...all], expected(round)),
    );
    rounds(
      comm.scattervInit(all, own, counts, 0),
      (round) => all.set(expected(round)),
      (round) => equal([...own], Array(rank + 1).fill(10 * round + rank)),
    );
    const [out, into] = [new Int32Array(size), new Int32Array(size)];
    const ones = counts.map(() => 1);
    const say = (round) => out.set(range(size).map((to) => 100 * round + 10 * rank + to));
    const heard = (round) =>
      equal(
        [...into],
        range(size).map((from) => 100 * round + 10 * from + rank),
      );
    rounds(comm.alltoallInit(out, into), say, heard);
    rounds(comm.alltoallvInit(out, into, ones, ones), say, heard);
    const side = (buffer) => ({
      buffer,
      counts: ones,
      displs: range(size).map((one) => 4 * one),
      datatypes: ones.map(() => Datatype.INT),
    });
    rounds(comm.alltoallwInit(side(out), side(into)), say, heard);
    rounds(
      comm.allgatherInit(out.subarray(0, 1), into),
      (round) => out.fill(round + rank),
      (round) =>
        equal(
          [...into],
          range(size).map((one) => round + one),
        ),
    );
  },

  "reductions are started many times"(comm) {
    const { rank, size } = comm;
    const [own, sum] = [new Float64Array(1), new Float64Array(1)];
    const fill = (round) => own.fill(round + rank);
    const upTo = (count, round) => range(count).reduce((total, one) => total + round + one, 0);
    rounds(comm.allreduceInit(own, sum, Op.SUM), fill, (round) => equal(sum[0], upTo(size, round)));
    rounds(comm.reduceInit(own, rank === 0 ? sum : null, Op.SUM, 0), fill, (round) => {
      if (rank === 0) equal(sum[0], upTo(size, round));
    });
    rounds(comm.scanInit(own, sum, Op.SUM), fill, (round) => equal(sum[0], upTo(rank + 1, round)));
    rounds(comm.exscanInit(own, sum, Op.SUM), fill, (round) => {
      if (rank > 0) equal(sum[0], upTo(rank, round));
    });
    const parts = new Float64Array(size);
    const fillParts = (round) => parts.set(range(size).map((one) => round + rank + one));
    const part = (round) => equal(sum[0], upTo(size, round) + size * rank);
    rounds(comm.reduceScatterBlockInit(parts, sum, Op.SUM), fillParts, part);
    const ones = range(size).map(() => 1);
    rounds(comm.reduceScatterInit(parts, sum, ones, Op.SUM), fillParts, part);
    rounds(
      comm.allreduceInit(IN_PLACE, sum, Op.MAX),
      () => sum.fill(rank),
      () => equal(sum[0], size - 1),
    );
  },

  "collectives of neighbours are started many times"(comm) {
    const [up, down] = [(comm.rank + 1) % comm.size, (comm.rank + comm.size - 1) % comm.size];
    const graph = comm.createDistGraphAdjacent({ sources: [down], destinations: [up] });
    const [own, got] = [new Int32Array(1), new Int32Array(1)];
    const fill = (round) => own.fill(10 * round + comm.rank);
    const check = (round) => equal(got[0], 10 * round + down);
    const side = (buffer) => ({ buffer, counts: [1], displs: [0], datatypes: [Datatype.INT] });
    rounds(graph.neighborAllgatherInit(own, got), fill, check);
    rounds(graph.neighborAllgathervInit(own, got, [1]), fill, check);
    rounds(graph.neighborAlltoallInit(own, got), fill, check);
    rounds(graph.neighborAlltoallvInit(own, got, [1], [1]), fill, check);
    rounds(graph.neighborAlltoallwInit(side(own), side(got)), fill, check);
    graph.free();
  },

  "several persistent collectives are started and waited for together"(comm) {
    const sums = range(3).map(() => new Int32Array(1));
    const requests = sums.map((sum, i) => comm.allreduceInit(Int32Array.of(i), sum, Op.SUM));
    PersistentRequest.startAll(requests);
    PersistentRequest.waitAll(requests);
    equal(
      sums.map(([sum]) => sum),
      [0, comm.size, 2 * comm.size],
    );
    fails("MPI_ERR_REQUEST", () => {
      requests[0].start();
      try {
        requests[0].start();
      } finally {
        requests[0].wait();
      }
    });
    for (const request of requests) request.free();
  },

  "wrong arguments of persistent collectives are refused"(comm) {
    const one = () => new Float64Array(1);
    fails("MPI_ERR_ROOT", () => comm.bcastInit(one(), comm.size));
    fails("MPI_ERR_TYPE", () => comm.bcastInit(null, 0));
    fails("MPI_ERR_OP", () =>
      comm.allreduceInit(
        one(),
        one(),
        Op.create(() => {}),
      ),
    );
    fails("MPI_ERR_OP", () => comm.scanInit(one(), one(), Op.BAND));
    fails("MPI_ERR_TOPOLOGY", () => comm.neighborAllgatherInit(one(), one()));
    const copy = comm.dup();
    copy.free();
    fails("MPI_ERR_COMM", () => copy.barrierInit());
  },
};
