/**
 * Conformance of messages of derived datatypes: sent from and received into what the types describe.
 *
 * @module
 */

import { Datatype, DISTRIBUTE_DFLT_DARG, Distribution, pack, Request } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const { INT32, DOUBLE, INT16, BYTE } = Datatype;
const right = ({ rank, size }) => (rank + 1) % size;
const left = ({ rank, size }) => (rank + size - 1) % size;

/** One type of every constructor, and nests of them. */
const TYPES = {
  contiguous: Datatype.contiguous(3, INT32),
  vector: Datatype.vector(3, 2, 4, INT32),
  hvector: Datatype.hvector(3, 1, 12, INT32),
  indexed: Datatype.indexed([2, 0, 1], [5, 3, 1], INT32),
  hindexed: Datatype.hindexed([1, 2], [8, 16], DOUBLE),
  indexedBlock: Datatype.indexedBlock(2, [6, 0, 3], INT16),
  hindexedBlock: Datatype.hindexedBlock(1, [4, 0], INT32),
  struct: Datatype.struct([1, 2, 3], [0, 8, 24], [INT32, DOUBLE, INT16]),
  subarray: Datatype.subarray([4, 6], [2, 3], [1, 2], "C", INT32),
  fortran: Datatype.subarray([4, 6], [2, 3], [1, 2], "FORTRAN", INT16),
  darray: Datatype.darray(
    4,
    2,
    [5, 7],
    [Distribution.BLOCK, Distribution.CYCLIC],
    [DISTRIBUTE_DFLT_DARG, 2],
    [2, 2],
    "C",
    INT32,
  ),
  resized: Datatype.resized(Datatype.vector(2, 1, 2, INT32), 0, 24),
  dup: Datatype.vector(2, 1, 3, INT32).dup(),
  renamed: INT32.withName("cell"),
  nested: Datatype.vector(2, 1, 2, Datatype.struct([1, 1], [0, 4], [INT16, INT32])),
  pair: Datatype.DOUBLE_INT,
  empty: Datatype.contiguous(0, INT32),
};

function memoryFor(type, count, fill) {
  const size = type.trueLowerBound + type.trueExtent + (count - 1) * type.extent;
  return new Uint8Array(Math.max(size, 0)).map((_, i) => (fill === undefined ? i * 11 + 3 : fill));
}

function dataOf(type, count, memory) {
  const packed = new Uint8Array(type.size * count);
  pack(type, memory, packed, { count });
  return [...packed];
}

export const datatypeCases = {
  "types of every constructor carry their data from one memory to another"(comm) {
    for (const [name, type] of Object.entries(TYPES)) {
      const [sent, received] = [memoryFor(type, 2), memoryFor(type, 2, 0xee)];
      const before = received.slice();
      const receive = comm.irecv([received, 2, type], left(comm), 1);
      comm.send({ buffer: sent, datatype: type, count: 2 }, right(comm), 1);
      const status = receive.wait();
      equal([name, status.count, status.getCount()], [name, type.size * 2, type.size ? 2 : 0]);
      equal(dataOf(type, 2, received), dataOf(type, 2, sent), `data of ${name}`);
      // What the type does not describe stays as it was.
      const mask = memoryFor(type, 2, 1);
      const places = placesOf(type);
      for (const origin of [0, type.extent]) {
        for (const at of places) mask[origin + at] = 0;
      }
      const holes = [...mask.keys()].filter((i) => mask[i] === 1);
      equal(
        holes.map((i) => received[i]),
        holes.map((i) => before[i]),
        `gaps of ${name}`,
      );
    }
  },

  "a type on one side meets plain elements on the other"(comm) {
    const column = Datatype.vector(4, 1, 4, INT32);
    const matrix = Int32Array.from({ length: 16 }, (_, i) => comm.rank * 100 + i);
    const received = new Int32Array(4);
    const request = comm.irecv(received, left(comm), 2);
    comm.send({ buffer: matrix, datatype: column, count: 1, offset: 4 }, right(comm), 2);
    equal(
      [...[request.wait().count], ...received],
      [16, ...[1, 5, 9, 13].map((i) => left(comm) * 100 + i)],
    );
  },

  "as many elements as fit are sent by default"(comm) {
    const column = Datatype.resized(Datatype.vector(3, 1, 4, INT32), 0, 4);
    const received = new Int32Array(12);
    const request = comm.irecv(received, left(comm), 3);
    comm.send([Int32Array.from({ length: 12 }, (_, i) => i), column], right(comm), 3);
    equal(request.wait().getCount(column), 4);
    equal([...received], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
  },

  "a message that ends within a type is counted in elements"(comm) {
    const type = Datatype.struct([1, 2], [0, 8], [INT32, DOUBLE]);
    const received = new Uint8Array(48);
    const request = comm.irecv([received, 2, type], left(comm), 4);
    comm.send([new Uint8Array(48), 1, type], right(comm), 4);
    const whole = request.wait();
    equal([whole.getCount(type), whole.getElements(type)], [1, 3]);
    const again = comm.irecv([received, 2, BYTE], left(comm), 4);
    comm.send(new Uint8Array(2), right(comm), 4);
    equal([again.wait().getCount(INT32)], [undefined]);
  },

  "persistent and nonblocking messages take types, too"(comm) {
    const type = Datatype.indexed([1, 1], [3, 0], DOUBLE);
    const [sent, received] = [new Float64Array(4), new Float64Array(4)];
    const requests = [
      comm.recvInit([received, type], left(comm), 5),
      comm.sendInit([sent, type], right(comm), 5),
    ];
    for (const round of [1, 2]) {
      sent.set([round, 0, 0, -round]);
      for (const request of requests) request.start();
      Request.waitAll(requests);
      equal([...received], [round, 0, 0, -round]);
    }
    for (const request of requests) request.free();
  },

  "types that are forgotten are given back while messages go on"(comm) {
    for (let i = 0; i < 3000; i++) {
      const type = Datatype.vector(2, 1, 2 + (i % 7), INT32);
      const [sent, received] = [new Int32Array(16).fill(i), new Int32Array(16)];
      const request = comm.irecv([received, 1, type], left(comm), 6);
      comm.send([sent, 1, type], right(comm), 6);
      request.wait();
      if (received[0] !== i) equal(received[0], i);
    }
  },

  "elements outside of their buffer are refused"(comm) {
    const type = Datatype.vector(4, 1, 4, INT32);
    const short = new Int32Array(12);
    fails("MPI_ERR_BUFFER", () => comm.send([short, 1, type], comm.rank));
    fails("MPI_ERR_BUFFER", () =>
      comm.irecv({ buffer: short, datatype: INT32, count: 1, offset: -4 }),
    );
    const before = Datatype.hindexed([1], [-4], INT32);
    fails("MPI_ERR_BUFFER", () => comm.send([short, 1, before], comm.rank));
    fails("MPI_ERR_COUNT", () => comm.send([short, 0.5, INT32], comm.rank));
    fails("MPI_ERR_TYPE", () => comm.send([short, 1, "INT32"], comm.rank));
    fails("MPI_ERR_TYPE", () => comm.send([{}, 1, INT32], comm.rank));
  },
};

/** Offsets of the data bytes of one element. */
function placesOf(type) {
  const memory = new Uint8Array(type.trueLowerBound + type.trueExtent);
  const marks = [];
  const packed = new Uint8Array(type.size);
  for (let i = 0; i < memory.length; i++) {
    memory.fill(0);
    memory[i] = 1;
    pack(type, memory, packed);
    if (packed.includes(1)) marks.push(i);
  }
  return marks;
}
