/**
 * Conformance of objects: JavaScript values as messages and in collectives.
 *
 * @module
 */

import { ANY_SOURCE, ANY_TAG, ObjectRequest, Request } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const right = ({ rank, size }) => (rank + 1) % size;
const left = ({ rank, size }) => (rank + size - 1) % size;
const everything = (rank) => ({
  rank,
  text: "ä€😀",
  nested: [1, [2, { three: 3n }], undefined, null],
  map: new Map([["key", new Set([1, 2])]]),
  when: new Date(rank),
  numbers: new Float64Array([0.5, -0, Infinity]),
  bytes: Buffer.from("bytes"),
  empty: {},
});

export const objectCases = {
  "values of all kinds go around"(comm) {
    const { objects } = comm;
    const sending = objects.isend(everything(comm.rank), right(comm), 3);
    const got = objects.recv(left(comm), 3);
    equal(got, { ...everything(left(comm)), bytes: got.bytes });
    equal(Buffer.from(got.bytes).toString(), "bytes");
    sending.wait();
    for (const value of [undefined, null, 0, "", false, NaN, -1n, [], {}]) {
      equal(objects.sendrecv(value, right(comm), 1, left(comm), 1), value);
    }
    equal(comm.objects === objects, true, "the same object each time");
  },

  "a value of several megabytes arrives whole"(comm) {
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ i, name: `row ${i}`, x: [i, i / 2] }));
    const got = comm.objects.sendrecv(rows, right(comm), 0, left(comm), 0);
    equal([got.length, got[19_999]], [20_000, rows[19_999]]);
    const big = new Uint8Array(3_000_000).fill(comm.rank);
    equal(comm.objects.sendrecv(big, right(comm), 0, left(comm), 0)[2_999_999], left(comm));
  },

  "mprobe() and improbe() tell where a value comes from"(comm) {
    const { objects } = comm;
    equal(objects.improbe(ANY_SOURCE, 60), undefined);
    const sending = objects.issend({ from: comm.rank }, right(comm), 61);
    const found = objects.mprobe(ANY_SOURCE, ANY_TAG);
    equal([found.status.source, found.status.tag], [left(comm), 61]);
    equal(found.recv(), { from: left(comm) });
    fails("MPI_ERR_REQUEST", () => found.recv());
    sending.wait();
  },

  async "irecv() receives values of any size, by wait, test and promise"(comm) {
    const { objects } = comm;
    const requests = [1, 2, 3].map((tag) => objects.irecv(left(comm), tag));
    equal(requests[0].test(), undefined, "before anything was sent");
    fails("MPI_ERR_REQUEST", () => requests[0].value);
    comm.barrier();
    const sends = [1, 2, 3].map((tag) => {
      return objects.isend({ tag, text: "x".repeat(10 ** tag) }, right(comm), tag);
    });
    equal((await requests[1].promise()).tag, 2);
    equal(requests[1].value.text.length, 100);
    Request.waitAll([requests[0], requests[2]]);
    equal([requests[0].value.tag, requests[2].value.text.length], [1, 1000]);
    equal([requests[0] instanceof ObjectRequest, requests[0].wait().source], [true, left(comm)]);
    Request.waitAll(sends);
    const given = objects.irecv(left(comm), 9);
    given.cancel();
    equal(given.wait().isCancelled, true);
    fails("MPI_ERR_REQUEST", () => given.value);
  },

  "bcast() and scatter() hand out values"(comm) {
    const root = comm.size - 1;
    const value = comm.rank === root ? everything(7).map : "ignored";
    equal(comm.objects.bcast(value, root), everything(7).map);
    equal(comm.objects.bcast(undefined, 0), undefined);
    const all = Array.from({ length: comm.size }, (_, i) => ({ i, text: "x".repeat(i) }));
    const own = comm.objects.scatter(comm.rank === root ? all : undefined, root);
    equal(own, all[comm.rank]);
  },

  "gather(), allgather() and alltoall() collect values in rank order"(comm) {
    const ranks = Array.from({ length: comm.size }, (_, i) => i);
    const value = (rank) => ({ rank, list: new Array(rank).fill("x") });
    const at = comm.objects.gather(value(comm.rank), comm.size - 1);
    equal(at, comm.rank === comm.size - 1 ? ranks.map(value) : undefined);
    equal(comm.objects.allgather(value(comm.rank)), ranks.map(value));
    const sent = ranks.map((to) => `${comm.rank} to ${to}`);
    equal(
      comm.objects.alltoall(sent),
      ranks.map((from) => `${from} to ${comm.rank}`),
    );
  },

  "reductions call a function in the order of the ranks"(comm) {
    const { objects, rank, size } = comm;
    const join = (a, b) => ({ text: a.text + b.text });
    const value = { text: String(rank) };
    const upTo = (end) => Array.from({ length: end }, (_, i) => i).join("");
    equal(objects.reduce(value, join, size - 1)?.text, rank === size - 1 ? upTo(size) : undefined);
    equal(objects.allreduce(value, join), { text: upTo(size) });
    equal(objects.scan(value, join), { text: upTo(rank + 1) });
    equal(objects.exscan(value, join), rank === 0 ? undefined : { text: upTo(rank) });
  },

  "values that cannot be cloned are refused, and no rank waits"(comm) {
    const { objects, rank, size } = comm;
    const bad = () => {};
    const onlyLast = (value) => (rank === size - 1 ? bad : value);
    fails("MPI_ERR_TYPE", () => objects.send(bad, rank));
    fails("MPI_ERR_TYPE", () => objects.isend({ bad }, rank));
    fails("MPI_ERR_TYPE", () => objects.sendrecv(Symbol("s"), rank, 0, rank, 0));
    fails("MPI_ERR_TYPE", () => objects.bcast(onlyLast(1), size - 1));
    fails("MPI_ERR_TYPE", () => objects.allgather(onlyLast(1)));
    fails("MPI_ERR_TYPE", () => objects.allreduce(onlyLast(1), (a, b) => a + b));
    fails("MPI_ERR_TYPE", () => objects.scan(onlyLast(1), (a, b) => a + b));
    fails("MPI_ERR_TYPE", () => objects.scatter(new Array(size).fill(bad), 0));
    fails(rank === 0 ? "MPI_ERR_COUNT" : "MPI_ERR_TYPE", () => objects.scatter([], 0).x);
    if (rank === size - 1) fails("MPI_ERR_TYPE", () => objects.gather(bad, size - 1));
    else objects.gather(1, size - 1);
    equal(objects.allgather(rank)[size - 1], size - 1, "afterwards");
  },

  "a function that throws fails on rank 0, and no rank waits"(comm) {
    const { objects, rank, size } = comm;
    if (size === 1) return;
    const wrong = () => {
      throw new RangeError("never");
    };
    for (const call of ["allreduce", "scan"]) {
      let error;
      try {
        objects[call](rank, wrong);
      } catch (caught) {
        error = caught;
      }
      equal(
        [error.name, error.code],
        rank === 0 ? ["RangeError", undefined] : ["MpiError", "MPI_ERR_TYPE"],
      );
    }
    equal(
      objects.allreduce(1, (a, b) => a + b),
      size,
    );
  },

  "a message of a buffer is no object, and wrong arguments are refused"(comm) {
    const { objects } = comm;
    const sending = comm.isend(Uint8Array.of(1, 2, 3), right(comm), 5);
    fails("MPI_ERR_TYPE", () => objects.recv(left(comm), 5));
    sending.wait();
    const empty = comm.isend(new Uint8Array(0), right(comm), 5);
    fails("MPI_ERR_TYPE", () => objects.recv(left(comm), 5));
    empty.wait();
    fails("MPI_ERR_RANK", () => objects.send(1, comm.size));
    fails("MPI_ERR_RANK", () => objects.irecv(comm.size));
    fails("MPI_ERR_TAG", () => objects.send(1, 0, -3));
    fails("MPI_ERR_RANK", () => objects.sendrecv(1, comm.rank, 0, comm.size, 0));
    fails("MPI_ERR_ROOT", () => objects.bcast(1, comm.size));
    fails("MPI_ERR_ROOT", () => objects.gather(1, -1));
  },
};
