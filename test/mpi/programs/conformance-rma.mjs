/**
 * Conformance of one-sided operations, and of the epochs that order them.
 *
 * @module
 */

import { Datatype, Group, libraryVersion, Op, PROC_NULL, Request } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const range = (count) => Array.from({ length: count }, (_, i) => i);

/** A window of `count` elements of a typed array's class per rank, filled by `fill(i)`. */
function windowOf(comm, View, count, fill) {
  const memory = new View(count);
  if (fill) memory.set(range(count).map(fill));
  const window = comm.createWindow(memory);
  window.fence();
  return { window, memory };
}

/** Open MPI 4 has no safe dynamic windows for several ranks with threads, and then says so on all of them. */
function hasDynamicWindows(comm) {
  if (comm.size === 1 || !libraryVersion().startsWith("Open MPI v4")) return true;
  try {
    comm.createDynamicWindow().free();
    return true;
  } catch (error) {
    equal([error.name, error.code], ["MpiError", "MPI_ERR_UNSUPPORTED_OPERATION"]);
    return false;
  }
}

const upOf = (comm) => (comm.rank + 1) % comm.size;
const downOf = (comm) => (comm.rank + comm.size - 1) % comm.size;

export const rmaCases = {
  "put() and get() between fences reach the ranks above and below"(comm) {
    const { window, memory } = windowOf(comm, Float64Array, 4, (i) => 10 * comm.rank + i);
    const got = new Float64Array(2);
    window.get(got, upOf(comm), 2);
    window.fence();
    equal([...got], [10 * upOf(comm) + 2, 10 * upOf(comm) + 3]);
    window.put(Float64Array.of(-comm.rank - 1), upOf(comm), 1);
    window.put(Float64Array.of(0.5), PROC_NULL, 99);
    window.fence({ noSucceed: true });
    equal([...memory], [10 * comm.rank, -downOf(comm) - 1, 10 * comm.rank + 2, 10 * comm.rank + 3]);
    window.free();
  },

  "both sides of an operation have datatypes"(comm) {
    // Columns of a 3 x 4 matrix: the second one of the rank above gets this rank's diagonal.
    const { window, memory } = windowOf(comm, Int32Array, 12);
    const column = Datatype.vector(3, 1, 4, Datatype.INT32);
    const diagonal = Datatype.vector(3, 1, 5, Datatype.INT32);
    const own = Int32Array.from(range(12), (i) => 100 * comm.rank + i);
    window.put([own, 1, diagonal], upOf(comm), { displacement: 1, datatype: column });
    window.fence();
    const expected = new Int32Array(12);
    for (const i of range(3)) expected[4 * i + 1] = 100 * downOf(comm) + 5 * i;
    equal([...memory], [...expected]);
    const got = new Int32Array(3);
    window.get(got, comm.rank, { displacement: 1, datatype: column, count: 1 });
    window.fence();
    equal(
      [...got],
      range(3).map((i) => 100 * downOf(comm) + 5 * i),
    );
    window.accumulate(Int32Array.of(1, 2, 3), upOf(comm), Op.SUM, {
      displacement: 1,
      datatype: column,
    });
    window.fence();
    equal(
      range(3).map((i) => memory[4 * i + 1]),
      range(3).map((i) => 100 * downOf(comm) + 6 * i + 1),
    );
    // INT is a type of its own to a library, with the same elements.
    const ints = Datatype.contiguous(2, Datatype.INT);
    window.accumulate(Int32Array.of(7, 8), comm.rank, Op.REPLACE, { datatype: ints });
    window.fence();
    equal([memory[0], memory[1]], [7, 8]);
    window.free();
  },

  "accumulate() combines the contributions of all ranks"(comm) {
    const { window, memory } = windowOf(comm, Float64Array, 3, () => 1);
    for (const rank of range(comm.size)) {
      window.accumulate(Float64Array.of(comm.rank + 1, 0.5), rank, Op.SUM, 1);
    }
    window.fence();
    const total = (comm.size * (comm.size + 1)) / 2;
    equal([...memory], [1, 1 + total, 1 + 0.5 * comm.size]);
    window.accumulate(Float64Array.of(comm.rank), 0, Op.MAX, 0);
    window.fence();
    if (comm.rank === 0) equal(memory[0], Math.max(1, comm.size - 1));
    window.free();
  },

  "all operations of the standard combine as a plain model does"(comm) {
    const integer = {
      max: Math.max,
      min: Math.min,
      sum: (a, b) => (a + b) | 0,
      prod: (a, b) => Math.imul(a, b),
      land: (a, b) => Number(Boolean(a && b)),
      band: (a, b) => a & b,
      lor: (a, b) => Number(Boolean(a || b)),
      bor: (a, b) => a | b,
      lxor: (a, b) => Number(Boolean(a) !== Boolean(b)),
      bxor: (a, b) => a ^ b,
      replace: (_, b) => b,
    };
    const values = [0, 1, -1, 7, 0x7fffffff, -0x80000000, 12345];
    const { window, memory } = windowOf(comm, Int32Array, values.length);
    const origin = Int32Array.from(values.toReversed());
    for (const [op, model] of Object.entries(integer)) {
      memory.set(values);
      window.fence();
      window.accumulate(origin, upOf(comm), op);
      window.fence();
      equal(
        [...memory],
        values.map((value, i) => model(value, origin[i])),
        op,
      );
    }
    window.free();
    const long = windowOf(comm, BigInt64Array, 2, () => 3n);
    long.window.accumulate(BigInt64Array.of(5n, -1n), comm.rank, Op.PROD);
    long.window.fence();
    equal([...long.memory], [15n, -3n]);
    long.window.free();
  },

  "accumulate() knows pairs and complex numbers"(comm) {
    const pair = (value, place) => {
      const bytes = new ArrayBuffer(16);
      new DataView(bytes).setFloat64(0, value, true);
      new DataView(bytes).setInt32(8, place, true);
      return bytes;
    };
    const memory = pair(5, 5);
    const window = comm.createWindow(memory);
    window.fence();
    const type = Datatype.named("DOUBLE_INT");
    window.accumulate([pair(5, comm.rank), type], upOf(comm), Op.MINLOC, { datatype: type });
    window.fence();
    const view = new DataView(memory);
    equal([view.getFloat64(0, true), view.getInt32(8, true)], [5, Math.min(5, downOf(comm))]);
    window.free();
    const complex = Datatype.named("C_DOUBLE_COMPLEX");
    const { window: second, memory: numbers } = windowOf(comm, Float64Array, 2, (i) => i + 1);
    second.accumulate([Float64Array.of(0, 1), complex], comm.rank, Op.PROD, { datatype: complex });
    second.fence();
    equal([...numbers], [-2, 1]); // (1 + 2i) i
    second.free();
  },

  "getAccumulate() and fetchAndOp() return what was there before"(comm) {
    const { window, memory } = windowOf(comm, Int32Array, 3, (i) => i + 1);
    const before = new Int32Array(2);
    window.getAccumulate(Int32Array.of(10, 20), before, upOf(comm), Op.SUM, 1);
    window.fence();
    equal(
      [[...before], [...memory]],
      [
        [2, 3],
        [1, 12, 23],
      ],
    );
    window.getAccumulate(null, before, upOf(comm), Op.NO_OP, 1);
    window.fence();
    equal(
      [[...before], [...memory]],
      [
        [12, 23],
        [1, 12, 23],
      ],
    );
    const one = new Int32Array(1);
    window.fetchAndOp(Int32Array.of(4), one, upOf(comm), Op.REPLACE, 2);
    window.fence();
    equal([one[0], memory[2]], [23, 4]);
    window.fetchAndOp(null, one, upOf(comm), Op.NO_OP, 2);
    window.fence();
    equal([one[0], memory[2]], [4, 4]);
    window.free();
  },

  "fetchAndOp() under locks gives each rank tickets of its own"(comm) {
    const { window, memory } = windowOf(comm, Int32Array, 1);
    const tickets = [];
    const ticket = new Int32Array(1);
    window.lockAll();
    for (const _ of range(20)) {
      window.fetchAndOp(Int32Array.of(1), ticket, 0, Op.SUM);
      window.flush(0);
      tickets.push(ticket[0]);
    }
    window.unlockAll();
    const all = new Int32Array(20 * comm.size);
    comm.allgather(Int32Array.from(tickets), all);
    equal(
      [...all].sort((a, b) => a - b),
      range(20 * comm.size),
    );
    if (comm.rank === 0) equal(memory[0], 20 * comm.size);
    window.free();
  },

  "compareAndSwap() changes an element for the first rank only"(comm) {
    const { window, memory } = windowOf(comm, BigUint64Array, 2);
    const found = new BigUint64Array(1);
    window.lock(0, "shared");
    window.compareAndSwap(
      BigUint64Array.of(BigInt(comm.rank + 1)),
      BigUint64Array.of(0n),
      found,
      0,
      1,
    );
    window.unlock(0);
    const all = new BigUint64Array(comm.size);
    comm.allgather(found, all);
    equal([...all].filter((one) => one === 0n).length, 1);
    const winner = BigInt([...all].indexOf(0n) + 1);
    equal(
      [...all].every((one) => one === 0n || one === winner),
      true,
    );
    if (comm.rank === 0) equal([...memory], [0n, winner]);
    window.free();
  },

  "locks keep updates of several operations apart"(comm) {
    const { window, memory } = windowOf(comm, Float64Array, 1);
    const value = new Float64Array(1);
    for (const _ of range(10)) {
      window.lock(0);
      window.get(value, 0);
      window.flush(0);
      window.put(Float64Array.of(value[0] + 1), 0);
      window.unlock(0);
    }
    comm.barrier();
    window.lock(comm.rank, "shared");
    window.sync();
    if (comm.rank === 0) equal(memory[0], 10 * comm.size);
    window.unlock(comm.rank);
    window.free();
  },

  "flush, and its local forms, complete operations under lockAll()"(comm) {
    const { window, memory } = windowOf(comm, Int32Array, 2, () => comm.rank);
    const got = new Int32Array(1);
    window.lockAll();
    window.get(got, upOf(comm));
    window.flushLocal(upOf(comm));
    equal(got[0], upOf(comm));
    const origin = Int32Array.of(7);
    window.put(origin, upOf(comm), 1);
    window.flushLocalAll();
    origin[0] = -1;
    window.flushAll();
    comm.barrier();
    window.sync();
    equal(memory[1], 7);
    window.unlockAll();
    window.free();
  },

  "rput(), rget(), raccumulate() and rgetAccumulate() complete by requests"(comm) {
    const { window, memory } = windowOf(comm, Float64Array, 3);
    window.lockAll();
    const put = window.rput(Float64Array.of(comm.rank + 1), upOf(comm));
    equal(put.wait().count, 0);
    const sum = window.raccumulate(Float64Array.of(2), upOf(comm), Op.SUM, 1);
    fails("MPI_ERR_REQUEST", () => window.rput(Float64Array.of(0), upOf(comm), 2).cancel());
    sum.wait();
    window.flushAll();
    const [got, before] = [new Float64Array(2), new Float64Array(1)];
    const requests = [
      window.rget(got, upOf(comm)),
      window.rgetAccumulate(Float64Array.of(5), before, upOf(comm), Op.SUM, 2),
    ];
    Request.waitAll(requests);
    equal([[...got], before[0]], [[comm.rank + 1, 2], 0]);
    equal(window.rput(Float64Array.of(1), PROC_NULL).wait().count, 0);
    window.unlockAll();
    comm.barrier();
    window.lock(comm.rank);
    equal([...memory], [downOf(comm) + 1, 2, 5]);
    window.unlock(comm.rank);
    window.free();
  },

  async "requests of one-sided operations are promises, too"(comm) {
    const { window } = windowOf(comm, Int32Array, 1, () => comm.rank);
    window.lockAll();
    const got = new Int32Array(1);
    await window.rget(got, upOf(comm)).promise();
    equal(got[0], upOf(comm));
    window.unlockAll();
    window.free();
  },

  "post(), start(), complete() and wait() order access of groups"(comm) {
    const { window, memory } = windowOf(comm, Int32Array, 2);
    window.fence({ noSucceed: true });
    const [origins, targets] = [comm.group.incl([downOf(comm)]), comm.group.incl([upOf(comm)])];
    for (const round of range(3)) {
      window.post(origins);
      window.start(targets);
      window.put(Int32Array.of(10 * round + comm.rank), upOf(comm), round % 2);
      window.complete();
      if (round === 1) {
        while (!window.test());
      } else window.wait();
      equal(memory[round % 2], 10 * round + downOf(comm));
    }
    window.post(Group.EMPTY);
    window.start(Group.EMPTY);
    window.complete();
    window.wait();
    window.free();
  },

  "buffers that a program forgets live until their operations are complete"(comm) {
    const { window, memory } = windowOf(comm, Float64Array, 1000);
    for (const i of range(1000)) {
      window.put(Float64Array.of(i + comm.rank), upOf(comm), i);
      if (i % 500 === 0) range(50).map(() => new Float64Array(10_000).fill(-1));
    }
    window.fence();
    equal(
      range(1000).every((i) => memory[i] === i + downOf(comm)),
      true,
    );
    window.free();
  },

  "dynamic windows give access to what is attached to them"(comm) {
    if (!hasDynamicWindows(comm)) return;
    const window = comm.createDynamicWindow();
    equal([window.flavor, window.size, window.sizeOf(0)], ["dynamic", 0, undefined]);
    fails("MPI_ERR_RMA_FLAVOR", () => window.memory);
    const [first, second] = [new Float64Array(4).fill(comm.rank), new Int32Array(1000).fill(3)];
    const own = BigInt64Array.of(BigInt(window.attach(first)), BigInt(window.attach(second)));
    const all = new BigInt64Array(2 * comm.size);
    comm.allgather(own, all);
    const [firstUp, secondUp] = [2, 3].map((_, i) => Number(all[2 * upOf(comm) + i]));
    const got = new Float64Array(1);
    window.lockAll();
    window.get(got, upOf(comm), firstUp + 8);
    window.flush(upOf(comm));
    equal(got[0], upOf(comm));
    window.put(Int32Array.of(9), upOf(comm), secondUp + 4 * 999);
    window.unlockAll();
    comm.barrier();
    window.fence();
    equal([second[999], second[998]], [9, 3]);
    window.fence();
    window.detach(first);
    window.detach(second);
    window.free();
    const other = comm.allocateWindow(8);
    fails("MPI_ERR_RMA_FLAVOR", () => other.attach(first));
    fails("MPI_ERR_RMA_FLAVOR", () => other.detach(first));
    other.free();
  },

  "targets, places, elements and operations that make no sense are refused"(comm) {
    const { window } = windowOf(comm, Float64Array, 4);
    const one = () => new Float64Array(1);
    for (const rank of [comm.size, -1, -3, 0.5, NaN, "0", undefined]) {
      fails("MPI_ERR_RANK", () => window.put(one(), rank));
      fails("MPI_ERR_RANK", () => window.accumulate(one(), rank, Op.SUM));
    }
    for (const place of [-1, 0.5, NaN, "0", null, Infinity]) {
      fails("MPI_ERR_DISP", () => window.put(one(), 0, place));
      fails("MPI_ERR_DISP", () => window.fetchAndOp(one(), one(), 0, Op.SUM, place));
    }
    fails("MPI_ERR_RMA_RANGE", () => window.put(one(), 0, 4));
    fails("MPI_ERR_RMA_RANGE", () => window.get(new Float64Array(2), 0, 3));
    fails("MPI_ERR_RMA_RANGE", () => window.get(one(), 0, 2 ** 50));
    const wide = Datatype.vector(2, 1, 4, Datatype.DOUBLE);
    fails("MPI_ERR_RMA_RANGE", () => window.put(new Float64Array(2), 0, { datatype: wide }));
    const below = Datatype.hindexed([1], [-8], Datatype.DOUBLE);
    fails("MPI_ERR_RMA_RANGE", () => window.put(one(), 0, { datatype: below }));
    fails("MPI_ERR_COUNT", () => window.put(one(), 0, { count: 2 }));
    fails("MPI_ERR_COUNT", () => window.put(one(), 0, { datatype: wide }));
    fails("MPI_ERR_COUNT", () => window.put(one(), 0, { count: -1 }));
    fails("MPI_ERR_TYPE", () => window.put(one(), 0, { datatype: "double" }));
    fails("MPI_ERR_TYPE", () => window.put("text", 0));
    fails("MPI_ERR_OP", () => window.accumulate(one(), 0, "average"));
    fails("MPI_ERR_OP", () => window.accumulate(one(), 0, Op.BAND));
    fails("MPI_ERR_OP", () => window.accumulate(one(), 0, Op.NO_OP));
    fails("MPI_ERR_OP", () =>
      window.accumulate(
        one(),
        0,
        Op.create(() => {}),
      ),
    );
    const mixed = Datatype.struct([1, 1], [0, 8], [Datatype.INT64, Datatype.DOUBLE]);
    fails("MPI_ERR_TYPE", () => window.accumulate([new ArrayBuffer(16), mixed], 0, Op.SUM));
    fails("MPI_ERR_TYPE", () => window.accumulate(one(), 0, Op.SUM, { datatype: Datatype.INT64 }));
    fails("MPI_ERR_TYPE", () => window.getAccumulate(new Float32Array(1), one(), 0, Op.SUM));
    fails("MPI_ERR_COUNT", () => window.getAccumulate(new Float64Array(2), one(), 0, Op.SUM));
    fails("MPI_ERR_COUNT", () => window.fetchAndOp(one(), new Float64Array(2), 0, Op.SUM));
    fails("MPI_ERR_TYPE", () => window.compareAndSwap(one(), one(), one(), 0));
    fails("MPI_ERR_ASSERT", () => window.fence({ noCheck: true }));
    fails("MPI_ERR_ASSERT", () => window.lock(0, "shared", { perhaps: true }));
    fails("MPI_ERR_LOCKTYPE", () => window.lock(0, "loose"));
    fails("MPI_ERR_RANK", () => window.lock(comm.size));
    fails("MPI_ERR_RANK", () => window.lock(PROC_NULL));
    if (comm.size > 1) {
      const half = comm.split(comm.rank === 0 ? 0 : 1);
      const small = half.allocateWindow(8);
      fails("MPI_ERR_GROUP", () => small.post(comm.group));
      small.free();
      half.free();
    }
    window.fence();
    window.free();
  },

  "operations outside of an epoch, and epochs that do not fit, are refused"(comm) {
    const window = comm.allocateWindow(8);
    const one = () => new Uint8Array(1);
    const sync = (call) => fails("MPI_ERR_RMA_SYNC", call);
    sync(() => window.put(one(), 0));
    sync(() => window.complete());
    sync(() => window.wait());
    sync(() => window.test());
    sync(() => window.unlock(0));
    sync(() => window.unlockAll());
    sync(() => window.flush(0));
    sync(() => window.flushAll());
    sync(() => window.flushLocal(0));
    sync(() => window.sync());
    window.lock(comm.rank, "shared");
    sync(() => window.lock(comm.rank));
    sync(() => window.lockAll());
    sync(() => window.fence());
    sync(() => window.start(comm.group));
    sync(() => window.free());
    if (comm.size > 1) sync(() => window.get(one(), upOf(comm)));
    window.get(one(), comm.rank);
    window.unlock(comm.rank);
    window.lockAll();
    sync(() => window.lock(0));
    sync(() => window.unlock(0));
    window.unlockAll();
    window.fence();
    sync(() => window.rput(one(), 0)); // Requests need a lock.
    window.put(one(), comm.rank);
    sync(() => window.lock(0));
    sync(() => window.free());
    window.fence({ noSucceed: true });
    sync(() => window.put(one(), 0));
    window.post(Group.EMPTY);
    sync(() => window.post(Group.EMPTY));
    sync(() => window.free());
    window.wait();
    window.free();
  },

  "memory of windows is untouched by operations that were refused"(comm) {
    const { window, memory } = windowOf(comm, Int32Array, 2, () => 5);
    fails("MPI_ERR_RMA_RANGE", () => window.put(Int32Array.of(1, 2, 3), comm.rank));
    fails("MPI_ERR_RMA_RANGE", () => window.put(Int32Array.of(1), comm.rank, 2));
    window.fence();
    equal([...memory], [5, 5]);
    window.free();
  },
};
