/**
 * Conformance of what MPI 4 and MPI 2.2 combine: a send and a receive in one request, a copy of a communicator as a
 * request, two buffers of one rank.
 *
 * @module
 */

import {
  ANY_SOURCE,
  ANY_TAG,
  Datatype,
  dimsCreate,
  Info,
  Keyval,
  Op,
  PROC_NULL,
  Request,
  reduceLocal,
  sameValue,
} from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const LARGE_COUNT = 1 << 18;

const right = (comm) => (comm.rank + 1) % comm.size;
const left = (comm) => (comm.rank + comm.size - 1) % comm.size;

const exchangeRequestCases = {
  async "isendrecv() completes by wait, test and promise, with the status of its receive"(comm) {
    for (const complete of [
      (request) => request.wait(),
      (request) => {
        for (;;) {
          const status = request.test();
          if (status) return status;
        }
      },
      (request) => request.promise(),
      (request) => Request.waitAll([request])[0],
      (request) => Request.waitAny([request]).status,
    ]) {
      const received = new Float64Array(4);
      const sent = Float64Array.of(comm.rank, 0.5);
      const request = comm.isendrecv(sent, right(comm), 3, received, ANY_SOURCE, ANY_TAG);
      const status = await complete(request);
      equal([...received], [left(comm), 0.5, 0, 0]);
      equal([status.source, status.tag, status.count, status.getCount()], [left(comm), 3, 16, 2]);
      equal([request.isComplete, request.test().source], [true, left(comm)]);
      comm.barrier(); // Tags are the same in each round.
    }
  },

  "isendrecv() carries large messages and datatypes, and waits among others"(comm) {
    const sent = new Float64Array(LARGE_COUNT).fill(comm.rank + 1);
    const received = new Float64Array(LARGE_COUNT);
    const everySecond = Datatype.vector(3, 1, 2, Datatype.INT);
    const [from, into] = [Int32Array.of(1, 2, 3, 4, 5, 6), new Int32Array(6)];
    const requests = [
      comm.isendrecv(sent, right(comm), 1, received, left(comm), 1),
      comm.isendrecv([from, everySecond], right(comm), 2, [into, everySecond], left(comm), 2),
      comm.irecv(new Uint8Array(1), PROC_NULL),
    ];
    const first = Request.waitAny(requests);
    equal(first.index >= 0 && first.index < 3, true);
    const statuses = Request.waitAll(requests);
    equal(
      statuses.map(({ source }) => source),
      [left(comm), left(comm), PROC_NULL],
    );
    equal(
      received.every((value) => value === left(comm) + 1),
      true,
    );
    equal([...into], [1, 0, 3, 0, 5, 0]);
  },

  "isendrecvReplace() passes one buffer around"(comm) {
    const data = Int32Array.of(comm.rank, 7);
    const status = comm.isendrecvReplace(data, right(comm), 3, left(comm), 3).wait();
    equal([...data], [left(comm), 7]);
    equal([status.source, status.tag, status.count], [left(comm), 3, 8]);
    const ends = Datatype.vector(2, 1, 2, Datatype.INT);
    const rows = Int32Array.of(comm.rank, 100, comm.rank + 1);
    comm.isendrecvReplace([rows, 1, ends], right(comm), 4, left(comm), 4).wait();
    equal([...rows], [left(comm), 100, left(comm) + 1]);
    const none = comm.isendrecvReplace(data, PROC_NULL, 0, PROC_NULL, 0).wait();
    equal([none.source, data[1]], [PROC_NULL, 7]);
  },

  "isendrecv() with PROC_NULL on one side does the other"(comm) {
    const into = Int32Array.of(77);
    const last = comm.irecv(into, left(comm), 4);
    const own = Int32Array.of(comm.rank);
    const onlySends = comm.isendrecv(own, right(comm), 4, new Int32Array(1), PROC_NULL, 0);
    equal(onlySends.wait().source, PROC_NULL);
    equal([last.wait().source, into[0]], [left(comm), left(comm)]);
    const next = comm.isend(own, right(comm), 5);
    const onlyReceives = comm.isendrecv(own, PROC_NULL, 0, into, left(comm), 5);
    equal([onlyReceives.wait().source, into[0]], [left(comm), left(comm)]);
    next.wait();
  },

  "isendrecv() of too long a message is MPI_ERR_TRUNCATE, and its send completes"(comm) {
    // A message that is longer than what libraries send at once: see the limitations of Open MPI 4.
    const sent = new Uint8Array(LARGE_COUNT);
    const request = comm.isendrecv(sent, right(comm), 5, new Uint8Array(10), left(comm), 5);
    fails("MPI_ERR_TRUNCATE", () => request.wait());
    fails("MPI_ERR_TRUNCATE", () => request.test());
    equal(request.isComplete, true);
    comm.barrier();
  },

  "isendrecv() refuses wrong arguments, and cannot be cancelled"(comm) {
    const one = () => new Uint8Array(1);
    for (const call of [
      (dest, source, sendtag, recvtag) =>
        comm.isendrecv(one(), dest, sendtag, one(), source, recvtag),
      (dest, source, sendtag, recvtag) =>
        comm.isendrecvReplace(one(), dest, sendtag, source, recvtag),
    ]) {
      fails("MPI_ERR_RANK", () => call(comm.size, 0, 0, 0));
      fails("MPI_ERR_RANK", () => call(0, comm.size, 0, 0));
      fails("MPI_ERR_TAG", () => call(0, 0, -5, 0));
      fails("MPI_ERR_TAG", () => call(0, 0, 0, 0.5));
      const request = call(PROC_NULL, PROC_NULL, 0, 0);
      fails("MPI_ERR_REQUEST", () => request.cancel());
      request.wait();
      request.cancel(); // It has completed: there is nothing to cancel.
    }
    fails("MPI_ERR_TYPE", () => comm.isendrecv([1], 0, 0, one(), 0, 0));
    fails("MPI_ERR_TYPE", () => comm.isendrecvReplace("text", 0, 0, 0, 0));
    equal(comm.iprobe(), undefined, "message of a refused call");
    const copy = comm.dup();
    copy.free();
    fails("MPI_ERR_COMM", () => copy.isendrecv(one(), 0, 0, one(), 0, 0));
  },
};

const communicatorRequestCases = {
  async "idup() makes a communicator that separates messages, with attributes as they were"(comm) {
    const deleted = [];
    const options = { copy: (value) => value + 1, delete: (value) => deleted.push(value) };
    const key = new Keyval(options);
    const shared = new Keyval({ copy: sameValue });
    comm.setAttribute(key, 1);
    comm.setAttribute(shared, "before");
    const request = comm.idup();
    comm.setAttribute(shared, "after");
    await request.promise();
    const copy = request.communicator;
    equal([copy.rank, copy.size, comm.compare(copy)], [comm.rank, comm.size, "congruent"]);
    equal([copy.getAttribute(key), copy.getAttribute(shared)], [2, "before"]);
    equal(request.communicator === copy, true);
    const [a, b] = [new Int32Array(1), new Int32Array(1)];
    const requests = [copy.irecv(a, comm.rank, 0), comm.irecv(b, comm.rank, 0)];
    comm.isend(Int32Array.of(1), comm.rank, 0).wait();
    copy.isend(Int32Array.of(2), comm.rank, 0).wait();
    Request.waitAll(requests);
    equal([a[0], b[0]], [2, 1]);
    copy.free();
    comm.deleteAttribute(key);
    comm.deleteAttribute(shared);
    equal(deleted, [2, 1], "deleted");
    fails("MPI_ERR_COMM", () => copy.barrier());
    fails("MPI_ERR_COMM", () => copy.idup());
  },

  "idup() keeps a grid, takes an info, and many go on at once"(comm) {
    const cart = comm.createCart(dimsCreate(comm.size, 2), [true, false]);
    const requests = [
      cart.idup(),
      cart.idup(new Info({ mpi_assert_no_any_tag: "true" })),
      comm.idup(new Info({ mpi_assert_no_any_tag: "true" })),
    ];
    Request.waitAll(requests);
    const [grid, hinted, plain] = requests.map(({ communicator }) => communicator);
    equal([grid.dims, grid.coords], [cart.dims, cart.coords]);
    equal([hinted.periods, hinted.topology, plain.topology], [[true, false], "cartesian", "none"]);
    const sums = [grid, hinted, plain].map((one) => {
      const sum = new Int32Array(1);
      one.allreduce(Int32Array.of(one.rank + 1), sum, Op.SUM);
      const hint = one.getInfo().get("mpi_assert_no_any_tag");
      if (one !== grid && hint !== undefined) equal(hint, "true");
      one.free();
      return sum[0];
    });
    equal(sums, Array(3).fill((comm.size * (comm.size + 1)) / 2));
    cart.free();
  },

  "idup() gives no communicator before it completes, and cannot be cancelled"(comm) {
    fails("MPI_ERR_INFO", () => comm.idup({}));
    const request = comm.idup();
    fails("MPI_ERR_REQUEST", () => request.communicator);
    fails("MPI_ERR_REQUEST", () => request.cancel());
    request.wait();
    request.communicator.free();
  },
};

const localCases = {
  "reduceLocal() combines by every kind of operation"() {
    const combined = (left, inout, op) => {
      reduceLocal(left, inout, op);
      return [...(Array.isArray(inout) ? inout[0] : inout)];
    };
    equal(combined(Float64Array.of(1, 2), Float64Array.of(10, 20), Op.SUM), [11, 22]);
    equal(combined(Int32Array.of(7, -3), Int32Array.of(2, 5), Op.MAX), [7, 5]);
    equal(combined(Uint8Array.of(200), Uint8Array.of(100), Op.SUM), [44]);
    equal(combined(BigInt64Array.of(3n), BigInt64Array.of(-4n), Op.PROD), [-12n]);
    equal(combined(Int16Array.of(0, 2), Int16Array.of(5, 0), Op.LOR), [1, 1]);
    const pairs = [Int32Array.of(5, 9, 4, 1), Datatype.TWO_INT];
    equal(combined(pairs, [Int32Array.of(5, 2, 8, 0), Datatype.TWO_INT], Op.MINLOC), [5, 2, 4, 1]);
    const difference = Op.create((inout, left) => {
      for (const [i, value] of left.entries()) inout[i] = value - inout[i];
    });
    equal(combined(Float32Array.of(10, 1), Float32Array.of(3, 2), difference), [7, -1]);
    equal(combined(new Float64Array(0), new Float64Array(0), Op.SUM), []);
    const parts = [Float64Array.of(1, 2, 3, 4), Float64Array.of(10, 20, 30, 40)];
    const middle = (array) => ({
      buffer: array,
      datatype: Datatype.DOUBLE,
      count: 2,
      offset: 8,
    });
    reduceLocal(middle(parts[0]), middle(parts[1]), Op.SUM);
    equal([...parts[1]], [10, 22, 33, 40]);
  },

  "reduceLocal() gives functions the bytes of derived elements, and their errors to the caller"() {
    const pair = Datatype.contiguous(2, Datatype.INT);
    const sums = Op.create((inout, left) => {
      const [to, from] = [inout, left].map(({ buffer }) => new Int32Array(buffer));
      for (const [i, value] of from.entries()) to[i] += value;
    });
    const inout = Int32Array.of(1, 2, 3, 4);
    reduceLocal([Int32Array.of(10, 20, 30, 40), pair], [inout, pair], sums);
    equal([...inout], [11, 22, 33, 44]);
    const failing = Op.create(() => {
      throw new RangeError("of the program");
    });
    let thrown;
    try {
      reduceLocal(Int32Array.of(1), inout.subarray(0, 1), failing);
    } catch (error) {
      thrown = error;
    }
    equal([thrown?.name, inout[0]], ["RangeError", 11]);
  },

  "reduceLocal() refuses unlike operands and operations that are not defined"() {
    fails("MPI_ERR_COUNT", () => reduceLocal(new Int32Array(1), new Int32Array(2), Op.SUM));
    fails("MPI_ERR_TYPE", () => reduceLocal(new Int32Array(1), new Float32Array(1), Op.SUM));
    fails("MPI_ERR_OP", () => reduceLocal(new Float64Array(1), new Float64Array(1), Op.BAND));
    fails("MPI_ERR_OP", () => reduceLocal(new Int32Array(1), new Int32Array(1), Op.REPLACE));
    fails("MPI_ERR_OP", () => reduceLocal(new Int32Array(1), new Int32Array(1), "average"));
    fails("MPI_ERR_TYPE", () => reduceLocal([1], new Int32Array(1), Op.SUM));
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    fails("MPI_ERR_BUFFER", () => reduceLocal(bytes, bytes, Op.SUM));
    fails("MPI_ERR_BUFFER", () => reduceLocal(bytes.subarray(0, 4), bytes.subarray(3, 7), Op.SUM));
    equal([...bytes], [1, 2, 3, 4, 5, 6, 7, 8]);
    reduceLocal(bytes.subarray(0, 4), bytes.subarray(4), Op.SUM); // They only touch.
    equal([...bytes], [1, 2, 3, 4, 6, 8, 10, 12]);
  },
};

export const combinedCases = {
  ...exchangeRequestCases,
  ...communicatorRequestCases,
  ...localCases,
};
