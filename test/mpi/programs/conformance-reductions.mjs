/**
 * Conformance of reductions: scans, scattered results, pairs, datatypes, functions as operations.
 *
 * @module
 */

import { Datatype, IN_PLACE, Op } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

/** Numbers from 0 to count - 1. */
const range = (count) => Array.from({ length: count }, (_, i) => i);
const sumTo = (count) => (count * (count + 1)) / 2;

function both(comm, name, run) {
  run((...args) => comm[name](...args), name);
  run((...args) => comm[`i${name}`](...args).wait(), `i${name}`);
}

/** x -> a x + b, as [a, b]: composing them is associative and not commutative. */
const compose = Op.create((inout, left) => {
  for (let i = 0; i < inout.length; i += 2) {
    const [a, b] = [left[i], left[i + 1]];
    // First the left one, then the right one.
    const [c, d] = [inout[i], inout[i + 1]];
    inout[i] = a * c;
    inout[i + 1] = b * c + d;
  }
});
const AFFINE = Datatype.contiguous(2, Datatype.DOUBLE);
const affine = (rank) => [rank + 2, rank - 1];

/** The composition of the functions of ranks. */
const composed = (ranks) => ranks.map(affine).reduce(([a, b], [c, d]) => [a * c, b * c + d]);

/** The same for bytes of a derived type, whose elements are never divided. */
const composeBytes = Op.create((inout, left) => {
  const numbers = (bytes) => new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  compose.combine(numbers(inout), numbers(left));
});

export const reductionCases = {
  "scan() combines up to this rank, also in place"(comm) {
    both(comm, "scan", (scan, name) => {
      const received = new Int32Array(2);
      scan(Int32Array.of(comm.rank + 1, 1), received, Op.SUM);
      equal([...received], [sumTo(comm.rank + 1), comm.rank + 1], name);
      const data = Float64Array.of(comm.rank + 1);
      scan(IN_PLACE, data, Op.PROD);
      equal(
        data[0],
        range(comm.rank + 1).reduce((product, i) => product * (i + 1), 1),
        name,
      );
    });
  },

  "exscan() combines before this rank"(comm) {
    both(comm, "exscan", (exscan, name) => {
      const received = new Float64Array(1);
      exscan(Float64Array.of(comm.rank + 1), received, Op.SUM);
      if (comm.rank > 0) equal(received[0], sumTo(comm.rank), name);
      const data = Int32Array.of(comm.rank);
      exscan(IN_PLACE, data, Op.MAX);
      if (comm.rank > 0) equal(data[0], comm.rank - 1, name);
    });
  },

  "reduceScatter() deals out parts of different lengths"(comm) {
    const counts = range(comm.size).map((r) => r + 1);
    both(comm, "reduceScatter", (reduceScatter, name) => {
      const sent = Float64Array.from(range(sumTo(comm.size)), (i) => i + comm.rank);
      const expected = range(comm.rank + 1).map(
        (i) => comm.size * (sumTo(comm.rank) + i) + sumTo(comm.size - 1),
      );
      const received = new Float64Array(comm.rank + 1);
      reduceScatter(sent, received, counts, Op.SUM);
      equal([...received], expected, name);
      reduceScatter(IN_PLACE, sent, counts, Op.SUM);
      equal([...sent.subarray(0, comm.rank + 1)], expected, `${name} in place`);
    });
  },

  "reduceScatterBlock() deals out equal parts"(comm) {
    both(comm, "reduceScatterBlock", (reduceScatterBlock, name) => {
      const sent = Int32Array.from(range(2 * comm.size), (i) => i);
      const expected = [2 * comm.rank * comm.size, (2 * comm.rank + 1) * comm.size];
      const received = new Int32Array(2);
      reduceScatterBlock(sent, received, Op.SUM);
      equal([...received], expected, name);
      reduceScatterBlock(IN_PLACE, sent, Op.SUM);
      equal([...sent.subarray(0, 2)], expected, `${name} in place`);
    });
  },

  "nonblocking reductions combine, also in place"(comm) {
    const sum = sumTo(comm.size);
    const received = new Float64Array(1);
    comm
      .ireduce(Float64Array.of(comm.rank + 1), comm.rank === 0 ? received : null, Op.SUM, 0)
      .wait();
    if (comm.rank === 0) equal(received[0], sum);
    const data = Float64Array.of(comm.rank + 1);
    comm.iallreduce(IN_PLACE, data, Op.SUM).wait();
    equal(data[0], sum);
  },

  "MINLOC and MAXLOC find values and places"(comm) {
    const pair = (value, place) => {
      const bytes = new DataView(new ArrayBuffer(16));
      bytes.setFloat64(0, value, true);
      bytes.setInt32(8, place, true);
      return bytes;
    };
    const found = new DataView(new ArrayBuffer(16));
    comm.allreduce(
      [pair(comm.rank * 1.5, comm.rank), Datatype.DOUBLE_INT],
      [found, Datatype.DOUBLE_INT],
      Op.MAXLOC,
    );
    equal(
      [found.getFloat64(0, true), found.getInt32(8, true)],
      [1.5 * (comm.size - 1), comm.size - 1],
    );
    const two = new Int32Array(2);
    comm.allreduce(
      [Int32Array.of(7, comm.rank), Datatype.TWO_INT],
      [two, Datatype.TWO_INT],
      Op.MINLOC,
    );
    equal([...two], [7, 0], "the smallest place of equal values");
  },

  "named datatypes are combined"(comm) {
    const product = new Float64Array(2);
    // i to the power of size.
    comm.allreduce(
      [Float64Array.of(0, 1), Datatype.C_DOUBLE_COMPLEX],
      [product, Datatype.C_DOUBLE_COMPLEX],
      Op.PROD,
    );
    const powers = { 0: [1, 0], 1: [0, 1], 2: [-1, 0], 3: [0, -1] };
    equal(
      [...product].map((x) => x + 0),
      powers[comm.size % 4],
    );
    const sum = new Float64Array(1);
    comm.allreduce([Float64Array.of(1), 1, Datatype.DOUBLE], sum, Op.SUM);
    equal(sum[0], comm.size);
    const truth = new Uint8Array(1);
    comm.allreduce([Uint8Array.of(1), Datatype.C_BOOL], [truth, Datatype.C_BOOL], Op.LAND);
    equal(truth[0], 1);
  },

  "functions combine elements in every reduction"(comm) {
    const absMax = Op.create(
      (inout, left) => {
        for (const [i, value] of left.entries()) {
          inout[i] = Math.max(Math.abs(value), Math.abs(inout[i]));
        }
      },
      { commute: true },
    );
    const largest = (count) => Math.max(1, count - 1);
    const mine = () => Float64Array.of(-comm.rank, 1);
    const received = new Float64Array(2);
    comm.allreduce(mine(), received, absMax);
    if (comm.size > 1) equal([...received], [comm.size - 1, 1]);
    else equal([...received], [-0, 1]);
    const root = comm.size - 1;
    comm.reduce(mine(), comm.rank === root ? received : null, absMax, root);
    if (comm.rank === root && comm.size > 1) equal(received[0], comm.size - 1);
    const block = Float64Array.from(range(comm.size), () => -comm.rank - 1);
    const part = new Float64Array(1);
    comm.reduceScatterBlock(block, part, absMax);
    equal(Math.abs(part[0]), comm.size);
    comm.reduceScatter(
      block,
      part,
      range(comm.size).map(() => 1),
      absMax,
    );
    equal(Math.abs(part[0]), comm.size);
    comm.scan(mine(), received, absMax);
    equal(Math.max(Math.abs(received[0]), 1), largest(comm.rank + 1));
    comm.exscan(mine(), received, absMax);
    if (comm.rank > 1) equal(received[0], comm.rank - 1);
  },

  "functions that do not commute combine in the order of ranks"(comm) {
    const all = composed(range(comm.size));
    const upToMe = composed(range(comm.rank + 1));
    const received = new Float64Array(2);
    const typed = [received, AFFINE];
    const mine = [Float64Array.from(affine(comm.rank)), AFFINE];
    comm.allreduce(mine, typed, composeBytes);
    equal([...received], all, "allreduce");
    for (const root of range(comm.size)) {
      comm.reduce(mine, comm.rank === root ? typed : null, composeBytes, root);
      if (comm.rank === root) equal([...received], all, "reduce");
    }
    comm.scan(mine, typed, composeBytes);
    equal([...received], upToMe, "scan");
    comm.exscan(mine, typed, composeBytes);
    if (comm.rank > 0) equal([...received], composed(range(comm.rank)), "exscan");
    const inPlace = Float64Array.from(affine(comm.rank));
    comm.allreduce(IN_PLACE, [inPlace, AFFINE], composeBytes);
    equal([...inPlace], all, "allreduce in place");
  },

  "functions get typed arrays of the elements' type"(comm) {
    for (const Type of [Int8Array, Uint16Array, Int32Array, Float32Array, BigInt64Array]) {
      const one = Type === BigInt64Array ? 1n : 1;
      const seen = new Set();
      const add = Op.create((inout, left) => {
        seen.add(inout.constructor === Type && left.constructor === Type);
        for (const [i, value] of left.entries()) inout[i] += value;
      });
      const received = new Type(3);
      comm.allreduce(Type.of(one, one, one), received, add);
      equal(Number(received[2]), comm.size, Type.name);
      equal(seen.has(false), false, Type.name);
    }
  },

  "functions combine large buffers"(comm) {
    const add = Op.create(
      (inout, left) => {
        for (let i = 0; i < left.length; i += 1) inout[i] += left[i];
      },
      { commute: true },
    );
    const received = new Float64Array(100_000);
    comm.allreduce(new Float64Array(100_000).fill(comm.rank + 1), received, add);
    equal(
      received.every((value) => value === sumTo(comm.size)),
      true,
    );
  },

  "what a function throws comes out of its rank's reduction, and nobody hangs"(comm) {
    let calls = 0;
    const broken = Op.create(() => {
      calls += 1;
      throw new RangeError("not today");
    });
    let thrown;
    try {
      comm.allreduce(Float64Array.of(1), new Float64Array(1), broken);
    } catch (error) {
      thrown = error;
    }
    equal([thrown?.message, calls], calls > 0 ? ["not today", 1] : [undefined, 0]);
    const wasCalled = new Int32Array(1);
    comm.allreduce(Int32Array.of(calls), wasCalled, Op.SUM);
    equal(wasCalled[0] > 0, comm.size > 1, "somebody called it");
  },

  "asynchronous functions and reductions within functions are refused"(comm) {
    const nested = Op.create(() => comm.allreduce(new Int32Array(1), new Int32Array(1), Op.SUM));
    for (const op of [Op.create(async () => {}), nested]) {
      let calls = 0;
      try {
        comm.allreduce(Int32Array.of(1), new Int32Array(1), op);
      } catch (error) {
        calls += 1;
        equal(error.code, "MPI_ERR_OP");
      }
      const failed = new Int32Array(1);
      comm.allreduce(Int32Array.of(calls), failed, Op.SUM);
      equal(failed[0] > 0, comm.size > 1);
    }
  },

  "functions are refused where they cannot be called"(comm) {
    const add = Op.create(() => {});
    const one = () => new Float64Array(1);
    fails("MPI_ERR_OP", () => comm.iallreduce(one(), one(), add));
    fails("MPI_ERR_OP", () => comm.ireduce(one(), one(), add, comm.rank));
    fails("MPI_ERR_OP", () => Op.create("sum"));
    const overlapping = Datatype.resized(Datatype.contiguous(2, Datatype.DOUBLE), 0, 8);
    const elements = () => [new Float64Array(4), 2, overlapping];
    fails("MPI_ERR_TYPE", () => comm.allreduce(elements(), elements(), add));
  },

  "wrong arguments of reductions are refused on this rank"(comm) {
    const one = () => new Float64Array(1);
    const ones = range(comm.size).map(() => 1);
    for (const form of ["", "i"]) {
      const refused = (code, name, ...args) => fails(code, () => comm[form + name](...args));
      for (const op of [Op.MINLOC, Op.REPLACE, Op.NO_OP, Op.BAND, "average", undefined, null]) {
        refused("MPI_ERR_OP", "allreduce", one(), one(), op);
        refused("MPI_ERR_OP", "scan", one(), one(), op);
      }
      refused("MPI_ERR_OP", "allreduce", [one(), AFFINE], [one(), AFFINE], Op.SUM);
      refused(
        "MPI_ERR_OP",
        "scan",
        [new Float64Array(2), AFFINE],
        [new Float64Array(2), AFFINE],
        Op.SUM,
      );
      refused("MPI_ERR_TYPE", "exscan", one(), new Int32Array(2), Op.SUM);
      refused("MPI_ERR_BUFFER", "scan", new Float64Array(2), one(), Op.SUM);
      refused(
        "MPI_ERR_BUFFER",
        "reduceScatter",
        new Float64Array(comm.size - 1),
        one(),
        ones,
        Op.SUM,
      );
      refused(
        "MPI_ERR_BUFFER",
        "reduceScatter",
        new Float64Array(comm.size),
        new Float64Array(0),
        ones,
        Op.SUM,
      );
      refused(
        "MPI_ERR_COUNT",
        "reduceScatter",
        new Float64Array(comm.size),
        one(),
        [...ones, 1],
        Op.SUM,
      );
      refused(
        "MPI_ERR_BUFFER",
        "reduceScatterBlock",
        new Float64Array(2 * comm.size),
        one(),
        Op.SUM,
      );
      if (comm.size > 1)
        refused(
          "MPI_ERR_COUNT",
          "reduceScatterBlock",
          new Float64Array(comm.size + 1),
          one(),
          Op.SUM,
        );
    }
  },
};
