/**
 * Conformance of collectives that move data: scatter, alltoall, datatypes, places, nonblocking forms.
 *
 * @module
 */

import { Datatype, IN_PLACE, Op, Request } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

/** Numbers from 0 to count - 1. */
const range = (count) => Array.from({ length: count }, (_, i) => i);
const total = (counts) => counts.reduce((sum, count) => sum + count, 0);

/** Calls the blocking form, then the nonblocking one. */
function both(comm, name, run) {
  run((...args) => comm[name](...args), name);
  run((...args) => comm[`i${name}`](...args).wait(), `i${name}`);
}

/** Doubles at every second place. */
const EVERY_SECOND = Datatype.resized(Datatype.vector(1, 1, 2, Datatype.DOUBLE), 0, 16);

export const exchangeCases = {
  "scatter() deals out from every root, also in place"(comm) {
    both(comm, "scatter", (scatter, name) => {
      for (const root of range(comm.size)) {
        const isRoot = comm.rank === root;
        const all = Int32Array.from(range(2 * comm.size), (i) => 10 * root + i);
        const mine = new Int32Array(2);
        scatter(isRoot ? all : null, mine, root);
        equal([...mine], [10 * root + 2 * comm.rank, 10 * root + 2 * comm.rank + 1], name);
        mine.fill(-1);
        scatter(isRoot ? all : null, isRoot ? IN_PLACE : mine, root);
        equal(mine[0], isRoot ? -1 : 10 * root + 2 * comm.rank, name);
        equal(all[1], 10 * root + 1, name);
      }
    });
  },

  "scatterv() deals out parts of different lengths and places"(comm) {
    const counts = range(comm.size).map((rank) => rank % 3);
    const displs = range(comm.size).map((rank) => 3 * (comm.size - 1 - rank));
    both(comm, "scatterv", (scatterv, name) => {
      const all = Float64Array.from(range(3 * comm.size), (i) => i + 0.5);
      const mine = new Float64Array(counts[comm.rank]);
      scatterv(comm.rank === 0 ? all : null, mine, counts, 0, displs);
      const start = displs[comm.rank];
      equal([...mine], [...all.subarray(start, start + mine.length)], name);
      scatterv(comm.rank === 0 ? all : null, mine, comm.rank === 0 ? counts : null, 0);
      const packed = total(counts.slice(0, comm.rank));
      equal([...mine], [...all.subarray(packed, packed + mine.length)], name);
    });
  },

  "alltoall() exchanges parts, also in place"(comm) {
    both(comm, "alltoall", (alltoall, name) => {
      const sent = Int32Array.from(range(comm.size), (to) => 10 * comm.rank + to);
      const received = new Int32Array(comm.size).fill(-1);
      const expected = range(comm.size).map((from) => 10 * from + comm.rank);
      alltoall(sent, received);
      equal([...received], expected, name);
      alltoall(IN_PLACE, sent);
      equal([...sent], expected, `${name} in place`);
    });
  },

  "alltoallv() exchanges parts of different lengths and places"(comm) {
    const sendcounts = range(comm.size).map((to) => (comm.rank + to) % 3);
    const recvcounts = sendcounts; // It is symmetrical.
    const displs = range(comm.size).map((rank) => 3 * (comm.size - 1 - rank));
    both(comm, "alltoallv", (alltoallv, name) => {
      const sent = Int32Array.from(
        sendcounts.flatMap((n, to) => Array(n).fill(10 * comm.rank + to)),
      );
      const received = new Int32Array(3 * comm.size).fill(-1);
      alltoallv(sent, received, sendcounts, recvcounts, undefined, displs);
      const expected = new Array(3 * comm.size).fill(-1);
      for (const from of range(comm.size)) {
        expected.fill(10 * from + comm.rank, displs[from], displs[from] + recvcounts[from]);
      }
      equal([...received], expected, name);
    });
  },

  "alltoallv() works in place"(comm) {
    const counts = range(comm.size).map(() => 2);
    const data = Int32Array.from(range(2 * comm.size), (i) => 10 * comm.rank + (i >> 1));
    comm.alltoallv(IN_PLACE, data, null, counts);
    equal(
      [...data],
      range(2 * comm.size).map((i) => 10 * (i >> 1) + comm.rank),
    );
  },

  "alltoallw() exchanges parts of different datatypes"(comm) {
    both(comm, "alltoallw", (alltoallw, name) => {
      const counts = range(comm.size).map(() => 1);
      const displs = range(comm.size).map((rank) => 16 * rank);
      const sent = Float64Array.from(range(2 * comm.size), (i) => 100 * comm.rank + i);
      const received = new Float64Array(2 * comm.size).fill(-1);
      const pair = Datatype.contiguous(2, Datatype.DOUBLE);
      // Two doubles between ranks of which one is even and one odd; else one, the rest untouched.
      const datatypes = range(comm.size).map((r) => ((r + comm.rank) % 2 ? pair : EVERY_SECOND));
      alltoallw(
        { buffer: sent, counts, displs, datatypes },
        { buffer: received, counts, displs, datatypes },
      );
      const expected = range(comm.size).flatMap((from) => {
        const first = 100 * from + 2 * comm.rank;
        return [first, (from + comm.rank) % 2 ? first + 1 : -1];
      });
      equal([...received], expected, name);
    });
  },

  "derived datatypes are gathered, scattered and broadcast"(comm) {
    const { size, rank } = comm;
    const column = Float64Array.of(rank, -1, rank + 0.5, -1);
    const all = new Float64Array(4 * size).fill(-9);
    comm.allgather([column, 2, EVERY_SECOND], [all, EVERY_SECOND]);
    equal(
      [...all],
      range(size).flatMap((r) => [r, -9, r + 0.5, -9]),
    );

    const dense = new Float64Array(2 * size);
    comm.gather([column, EVERY_SECOND], rank === 0 ? dense : null, 0);
    if (rank === 0)
      equal(
        [...dense],
        range(size).flatMap((r) => [r, r + 0.5]),
      );

    const mine = new Float64Array(4).fill(7);
    comm.scatter(rank === 0 ? dense : null, [mine, 2, EVERY_SECOND], 0);
    equal([...mine], [rank, 7, rank + 0.5, 7]);

    const words = rank === 0 ? Float64Array.of(1, 2, 3, 4) : new Float64Array(4).fill(-1);
    comm.bcast({ buffer: words, datatype: EVERY_SECOND, count: 2 }, 0);
    equal([...words], rank === 0 ? [1, 2, 3, 4] : [1, -1, 3, -1]);
  },

  "pieces of derived datatypes are counted in elements"(comm) {
    const counts = range(comm.size).map(() => 1);
    const displs = range(comm.size).map((r) => comm.size - 1 - r);
    const all = new Float64Array(2 * comm.size).fill(-1);
    comm.allgatherv(Float64Array.of(comm.rank), [all, EVERY_SECOND], counts, displs);
    equal(
      [...all],
      range(comm.size).flatMap((i) => [comm.size - 1 - i, -1]),
    );
  },

  "contributions may be empty"(comm) {
    const none = () => new Float64Array(0);
    const zeros = range(comm.size).map(() => 0);
    for (const form of ["", "i"]) {
      const call = (name, ...args) => comm[form + name](...args)?.wait();
      call("bcast", none(), 0);
      call("gather", none(), none(), 0);
      call("scatter", none(), none(), 0);
      call("allgather", none(), none());
      call("allgatherv", none(), none(), zeros);
      call("alltoall", none(), none());
      call("alltoallv", none(), none(), zeros, zeros);
      call("allreduce", none(), none(), Op.SUM);
      call("reduce", none(), none(), Op.SUM, 0);
      call("scan", none(), none(), Op.SUM);
    }
    const empty = Datatype.contiguous(0, Datatype.INT);
    comm.bcast([new Int32Array(1), 3, empty], 0);
  },

  "nonblocking collectives may be waited for in any order"(comm) {
    const { size, rank } = comm;
    const word = rank === 0 ? Int32Array.of(42) : new Int32Array(1);
    const sums = new Float64Array(1);
    const seen = new Int32Array(size);
    const placed = new Int32Array(2 * size).fill(-1);
    const ones = range(size).map(() => 1);
    const requests = [
      comm.ibarrier(),
      comm.ibcast(word, 0),
      comm.iallreduce(Float64Array.of(rank), sums, Op.SUM),
      comm.iallgather(Int32Array.of(rank), seen),
      comm.iallgatherv(
        Int32Array.of(rank),
        placed,
        ones,
        range(size).map((r) => 2 * r),
      ),
    ];
    for (const request of requests.toReversed()) request.wait();
    Request.waitAll(requests);
    equal([word[0], sums[0]], [42, (size * (size - 1)) / 2]);
    equal([...seen], range(size));
    equal(
      [...placed],
      range(size).flatMap((r) => [r, -1]),
    );
  },

  async "nonblocking collectives complete by test, waitAny and promise"(comm) {
    const sum = new Int32Array(1);
    const request = comm.iallreduce(Int32Array.of(2), sum, Op.SUM);
    await request.promise();
    equal([sum[0], request.isComplete], [2 * comm.size, true]);
    const pair = [comm.ibarrier(), comm.ibarrier()];
    while (Request.waitAny(pair) !== undefined);
    equal(Request.testAll(pair)?.length, 2);
  },

  "nonblocking gathers collect at root"(comm) {
    const counts = range(comm.size).map((r) => r + 1);
    const all = comm.rank === 0 ? new Uint8Array(total(counts)) : null;
    const mine = new Uint8Array(comm.rank + 1).fill(comm.rank + 1);
    comm.igatherv(mine, all, all && counts, 0).wait();
    if (all)
      equal(
        [...all],
        counts.flatMap((n) => Array(n).fill(n)),
      );
    const equalParts = comm.rank === 0 ? new Uint8Array(comm.size) : null;
    comm.igather(Uint8Array.of(comm.rank), equalParts, 0).wait();
    if (equalParts) equal([...equalParts], range(comm.size));
  },

  "a nonblocking collective cannot be cancelled"(comm) {
    const request = comm.ibarrier();
    fails("MPI_ERR_REQUEST", () => request.cancel());
    request.wait();
  },

  "wrong arguments of exchanges are refused on this rank"(comm) {
    const { size, rank } = comm;
    const room = new Float64Array(2 * size);
    const ones = range(size).map(() => 1);
    for (const form of ["", "i"]) {
      const refused = (code, name, ...args) => fails(code, () => comm[form + name](...args));
      refused("MPI_ERR_ROOT", "scatter", room, new Float64Array(1), size);
      refused("MPI_ERR_ROOT", "scatterv", room, new Float64Array(1), ones, -1);
      refused("MPI_ERR_BUFFER", "scatter", room, new Float64Array(3), rank);
      refused("MPI_ERR_TYPE", "scatter", null, new Float64Array(1), rank);
      refused("MPI_ERR_TYPE", "scatter", room, new Uint8Array(3), rank);
      refused("MPI_ERR_COUNT", "scatterv", room, new Float64Array(2), ones, rank);
      refused("MPI_ERR_COUNT", "scatterv", room, new Float64Array(1), [...ones, 1], rank);
      refused("MPI_ERR_COUNT", "scatterv", room, new Float64Array(1), null, rank);
      refused("MPI_ERR_BUFFER", "alltoall", room, new Float64Array(size));
      refused("MPI_ERR_BUFFER", "alltoall", room, room);
      if (size > 1) refused("MPI_ERR_COUNT", "alltoall", new Float64Array(size + 1), room);
      const twos = range(size).map(() => 2);
      const long = range(size).map(() => 3);
      refused("MPI_ERR_BUFFER", "alltoallv", room, new Float64Array(2 * size), long, twos);
      refused("MPI_ERR_BUFFER", "alltoallv", new Float64Array(3 * size), room, long, long);
      refused("MPI_ERR_COUNT", "alltoallv", new Float64Array(2 * size), room, ones, twos);
      refused("MPI_ERR_COUNT", "alltoallv", new Float64Array(size), room, [], ones);
      const datatypes = range(size).map(() => Datatype.DOUBLE);
      const displs = range(size).map((r) => 8 * r);
      const sound = { buffer: room, counts: ones, displs, datatypes };
      const other = (change) => ({ ...sound, buffer: new Float64Array(2 * size), ...change });
      refused("MPI_ERR_BUFFER", "alltoallw", sound, sound);
      refused(
        "MPI_ERR_BUFFER",
        "alltoallw",
        sound,
        other({ displs: displs.map((d) => d + 8 * 2 * size) }),
      );
      refused("MPI_ERR_COUNT", "alltoallw", sound, other({ datatypes: [] }));
      refused("MPI_ERR_COUNT", "alltoallw", sound, null);
      refused("MPI_ERR_TYPE", "alltoallw", sound, other({ datatypes: datatypes.map(() => 5) }));
      refused("MPI_ERR_TOPOLOGY", "neighborAllgather", new Uint8Array(1), new Uint8Array(9));
    }
  },

  "a freed communicator refuses collectives"(comm) {
    const copy = comm.dup();
    copy.free();
    fails("MPI_ERR_COMM", () => copy.barrier());
    fails("MPI_ERR_COMM", () => copy.ibarrier());
    fails("MPI_ERR_COMM", () => copy.scan(new Int32Array(1), new Int32Array(1), Op.SUM));
    fails("MPI_ERR_COMM", () =>
      copy.iallgatherv(
        new Int32Array(1),
        new Int32Array(comm.size),
        range(comm.size).map(() => 1),
      ),
    );
  },
};
