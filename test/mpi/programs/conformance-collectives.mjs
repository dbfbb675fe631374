/**
 * Conformance of collectives: every case takes a communicator of any size.
 *
 * @module
 */

import { IN_PLACE, Op } from "node-mpi-bindings";
import { equal } from "./checks.mjs";

/** Numbers from 0 to count - 1. */
const range = (count) => Array.from({ length: count }, (_, i) => i);

const REFERENCE = {
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  sum: (a, b) => a + b,
  prod: (a, b) => a * b,
  land: (a, b) => (a && b ? 1 : 0),
  lor: (a, b) => (a || b ? 1 : 0),
  lxor: (a, b) => (Boolean(a) !== Boolean(b) ? 1 : 0),
  band: (a, b) => a & b,
  bor: (a, b) => a | b,
  bxor: (a, b) => a ^ b,
};

export const collectiveCases = {
  "barrier() returns"(comm) {
    comm.barrier();
    comm.barrier();
  },

  "bcast() copies from every root"(comm) {
    for (const root of range(comm.size)) {
      const buffer = new Float64Array(100).fill(comm.rank === root ? root + 0.5 : -1);
      comm.bcast(buffer, root);
      equal(
        buffer.every((value) => value === root + 0.5),
        true,
      );
    }
  },

  "gather() collects in rank order at every root"(comm) {
    for (const root of range(comm.size)) {
      const received = comm.rank === root ? new Int32Array(2 * comm.size) : null;
      comm.gather(Int32Array.of(comm.rank, 100), received, root);
      if (received)
        equal(
          [...received],
          range(comm.size).flatMap((r) => [r, 100]),
        );
    }
  },

  "gather() takes root's contribution in place"(comm) {
    const received = new Int32Array(comm.size).fill(-1);
    received[0] = 0;
    comm.gather(comm.rank === 0 ? IN_PLACE : Int32Array.of(comm.rank), received, 0);
    if (comm.rank === 0) equal([...received], range(comm.size));
  },

  "gather() leaves what follows the contributions alone"(comm) {
    const received = new Uint8Array(comm.size + 2).fill(9);
    comm.gather(Uint8Array.of(comm.rank), received, 0);
    if (comm.rank === 0) equal([...received], [...range(comm.size), 9, 9]);
  },

  "gatherv() collects different lengths"(comm) {
    const counts = range(comm.size).map((rank) => rank + 1);
    const total = (comm.size * (comm.size + 1)) / 2;
    const received = comm.rank === 0 ? new Float64Array(total) : null;
    comm.gatherv(new Float64Array(comm.rank + 1).fill(comm.rank), received, counts, 0);
    if (received)
      equal(
        [...received],
        counts.flatMap((count, rank) => new Array(count).fill(rank)),
      );
  },

  "gatherv() puts pieces where displs says, and takes empty ones"(comm) {
    const last = comm.size - 1;
    const counts = range(comm.size).map((rank) => (rank === last ? 0 : 1));
    const displs = range(comm.size).map((rank) => 2 * (last - rank));
    const received = new Int32Array(2 * comm.size).fill(-1);
    const sent = Int32Array.from(new Array(counts[comm.rank]).fill(comm.rank));
    comm.gatherv(sent, comm.rank === 0 ? received : null, counts, 0, displs);
    if (comm.rank !== 0) return;
    const expected = new Array(2 * comm.size).fill(-1);
    for (const rank of range(last)) expected[displs[rank]] = rank;
    equal([...received], expected);
  },

  "allgather() gives all contributions to all"(comm) {
    const received = new BigInt64Array(comm.size);
    comm.allgather(BigInt64Array.of(BigInt(comm.rank)), received);
    equal([...received], range(comm.size).map(BigInt));
    const inPlace = new Int32Array(comm.size);
    inPlace[comm.rank] = comm.rank * 3;
    comm.allgather(IN_PLACE, inPlace);
    equal(
      [...inPlace],
      range(comm.size).map((rank) => rank * 3),
    );
  },

  "allgatherv() gives pieces of different lengths to all"(comm) {
    const counts = Int32Array.from(range(comm.size), (rank) => comm.size - rank);
    const received = new Uint8Array((comm.size * (comm.size + 1)) / 2);
    comm.allgatherv(new Uint8Array(comm.size - comm.rank).fill(comm.rank), received, counts);
    equal(
      [...received],
      [...counts].flatMap((count, rank) => new Array(count).fill(rank)),
    );
    const displs = range(comm.size).map((rank) => 2 * rank + 1);
    const spread = new Int16Array(2 * comm.size);
    const ones = new Array(comm.size).fill(1);
    comm.allgatherv(Int16Array.of(comm.rank + 1), spread, ones, displs);
    equal(
      [...spread],
      range(comm.size).flatMap((rank) => [0, rank + 1]),
    );
  },

  "reduce() combines at every root, also in place"(comm) {
    const sum = (comm.size * (comm.size + 1)) / 2;
    for (const root of range(comm.size)) {
      const received = new Float64Array(2);
      const sent = Float64Array.of(comm.rank + 1, 1);
      comm.reduce(sent, comm.rank === root ? received : null, Op.SUM, root);
      if (comm.rank === root) equal([...received], [sum, comm.size]);
      if (comm.rank === root) comm.reduce(IN_PLACE, sent, Op.SUM, root);
      else comm.reduce(sent, null, Op.SUM, root);
      if (comm.rank === root) equal([...sent], [sum, comm.size]);
    }
  },

  "allreduce() knows every operation on integers"(comm) {
    const operands = (rank) => [rank + 1, 6, rank % 2, 3];
    for (const op of Object.keys(REFERENCE)) {
      const expected = range(comm.size)
        .map(operands)
        .reduce((a, b) => a.map((value, i) => REFERENCE[op](value, b[i])));
      const received = new Int32Array(4);
      comm.allreduce(Int32Array.from(operands(comm.rank)), received, op);
      const truth = op.startsWith("l");
      const actual = truth ? [...received].map((value) => (value ? 1 : 0)) : [...received];
      const wanted = truth ? expected.map((value) => (value ? 1 : 0)) : expected;
      equal(actual, wanted, op);
    }
  },

  "allreduce() adds every element type"(comm) {
    const types = [Int8Array, Uint8Array, Int16Array, Uint16Array, Uint32Array];
    for (const Type of [...types, Float32Array, Float64Array]) {
      const received = new Type(1);
      comm.allreduce(Type.of(3), received, Op.SUM);
      equal(received[0], 3 * comm.size, Type.name);
    }
    for (const Type of [BigInt64Array, BigUint64Array]) {
      const received = new Type(1);
      comm.allreduce(Type.of(2n ** 40n), received, Op.SUM);
      equal(received[0], 2n ** 40n * BigInt(comm.size), Type.name);
    }
    const bits = new DataView(new ArrayBuffer(1));
    comm.allreduce(Uint8Array.of(1 << comm.rank).buffer, bits.buffer, Op.BOR);
    equal(bits.getUint8(0), (1 << comm.size) - 1, "ArrayBuffer");
  },

  "allreduce() works in place"(comm) {
    const data = Float64Array.of(comm.rank, 1 - comm.rank);
    comm.allreduce(IN_PLACE, data, Op.MAX);
    equal([...data], [comm.size - 1, 1]);
  },
};
