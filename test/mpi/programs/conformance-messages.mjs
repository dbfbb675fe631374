/**
 * Conformance of point-to-point messages: every case takes a communicator of any size.
 *
 * @module
 */

import { ANY_SOURCE, ANY_TAG, PROC_NULL, Request } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const LARGE_SIZE = 4 << 20;

/** Passes a buffer around the ring of ranks; each receives from its left neighbour. */
function passAround(comm, sent, received, tag = 0) {
  const right = (comm.rank + 1) % comm.size;
  const left = (comm.rank + comm.size - 1) % comm.size;
  const request = comm.irecv(received, left, tag);
  comm.send(sent, right, tag);
  return { status: request.wait(), left };
}

const ELEMENTS = [
  [Int8Array, -5],
  [Uint8Array, 250],
  [Uint8ClampedArray, 250],
  [Int16Array, -30000],
  [Uint16Array, 60000],
  [Int32Array, -2000000000],
  [Uint32Array, 4000000000],
  [Float32Array, 0.5],
  [Float64Array, Math.PI],
  [BigInt64Array, -(2n ** 62n)],
  [BigUint64Array, 2n ** 63n],
];

export const messageCases = {
  "send() and recv() carry every element type"(comm) {
    for (const [Type, value] of ELEMENTS) {
      const received = new Type(3);
      const { status, left } = passAround(comm, Type.of(value, value, value), received);
      equal([...received], [value, value, value], Type.name);
      equal(status.source, left, "source");
      equal(status.count, received.byteLength, "bytes");
      equal(status.getCount(), 3, "count");
    }
  },

  "send() and recv() carry Buffer, DataView and ArrayBuffer as bytes"(comm) {
    const bytes = [1, 2, 3, 4];
    for (const make of [Buffer.from, (b) => new DataView(Uint8Array.from(b).buffer)]) {
      const received = new ArrayBuffer(4);
      passAround(comm, make(bytes), received);
      equal([...new Uint8Array(received)], bytes);
    }
    const view = new DataView(new ArrayBuffer(4));
    passAround(comm, Uint8Array.from(bytes).buffer, view);
    equal(view.getUint32(0), 0x01020304);
  },

  "send() and recv() touch only the part that a view shows"(comm) {
    const source = Float64Array.of(0, 1, 2, 3);
    const target = new Float64Array(4);
    passAround(comm, source.subarray(1, 3), target.subarray(2, 4));
    equal([...target], [0, 0, 1, 2]);
    const bytes = new Uint8Array(8);
    passAround(comm, new DataView(source.buffer, 8, 8), bytes);
    equal(new Float64Array(bytes.buffer)[0], 1);
  },

  "buffers count as they are at the call, and must have their memory"(comm) {
    const [right, left] = [(comm.rank + 1) % comm.size, (comm.rank + comm.size - 1) % comm.size];
    // One of the two does not wait for the other: a rank may be its own neighbour.
    const pass = (sent, received, tag) => {
      const receiving = comm.irecv(received, left, tag);
      comm.send(sent, right, tag);
      const { count } = receiving.wait();
      const sending = comm.isend(sent, right, tag);
      const { source, tag: seen, count: again } = comm.recv(received, left, tag);
      sending.wait();
      equal([source, seen, again], [left, tag, count]);
      return count;
    };
    const [sent, received] = [new Int32Array(2), new Int32Array(2)];
    equal(pass(sent.fill(comm.rank), received, 4), 8);
    equal([...received], [left, left]);
    // Memory that has gone away.
    const { buffer } = sent;
    const view = new DataView(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    for (const gone of [sent, buffer, view]) {
      fails("MPI_ERR_BUFFER", () => comm.send(gone, right, 8));
      fails("MPI_ERR_BUFFER", () => comm.recv(gone, left, 8));
      fails("MPI_ERR_BUFFER", () => comm.bcast(gone, 0));
    }
    // Memory that grows and shrinks under its array.
    const resized = new ArrayBuffer(8, { maxByteLength: 64 });
    const [whole, into] = [new Uint8Array(resized), new Uint8Array(64)];
    for (const size of [8, 64, 3]) {
      resized.resize(size);
      equal(pass(whole.fill(size), into, 9), size);
      equal(pass(whole, into, 10), size);
      equal([into[0], into[size - 1]], [size, size]);
    }
  },

  "calls with the same buffer, others and failed ones between them, move the right bytes"(comm) {
    const [right, left] = [(comm.rank + 1) % comm.size, (comm.rank + comm.size - 1) % comm.size];
    const other = comm.dup();
    const [first, second] = [Int32Array.of(1, 2), Float64Array.of(3)];
    const [taken, bytes] = [new Int32Array(2), new Uint8Array(8)];
    const move = (by, sent, received, tag) => {
      // A send to oneself may wait for its receive.
      const sending = by.isend(sent, right, tag);
      const status = by.recv(received, left, tag);
      sending.wait();
      equal([status.source, status.tag, status.count], [left, tag, sent.byteLength]);
      equal(status.getCount(), sent.byteLength / received.BYTES_PER_ELEMENT);
      if (comm.size === 1) return;
      // Even ranks first: a send may wait for its receive.
      if (comm.rank % 2 === 0) by.send(sent, right, tag + 1);
      equal(by.recv(received, left, tag + 1).tag, tag + 1);
      if (comm.rank % 2 === 1) by.send(sent, right, tag + 1);
    };
    for (let round = 0; round < 6; round += 1) {
      first[0] = 100 * comm.rank + round;
      const by = round % 3 === 2 ? other : comm;
      move(by, first, taken, round);
      equal([...taken], [100 * left + round, 2]);
      if (round % 2 === 1) {
        move(comm, second, bytes, 20);
        equal(new Float64Array(bytes.buffer)[0], 3);
      }
      fails("MPI_ERR_RANK", () => comm.send(second, comm.size, 0));
      fails("MPI_ERR_TAG", () => comm.recv(bytes, left, -7));
      equal(comm.recv(taken, PROC_NULL, 3).count, 0);
    }
    other.send(first, PROC_NULL, 0);
    other.recv(taken, PROC_NULL, 0);
    other.free();
    fails("MPI_ERR_COMM", () => other.send(first, right, 0));
    fails("MPI_ERR_COMM", () => other.recv(taken, left, 0));
  },

  "recv() reports source, tag and length of a shorter message"(comm) {
    const received = new Float64Array(10);
    const { status, left } = passAround(comm, Float64Array.of(1, 2), received, 42);
    equal([status.source, status.tag, status.count, status.getCount()], [left, 42, 16, 2]);
  },

  "getCount() is undefined for a broken element"(comm) {
    const received = new Float64Array(2);
    const { status } = passAround(comm, new Uint8Array(12), received);
    equal([status.count, status.getCount()], [12, undefined]);
  },

  "recv() takes any source and any tag by default"(comm) {
    const received = new Int32Array(1);
    const request = comm.irecv(received);
    comm.send(Int32Array.of(comm.rank), (comm.rank + 1) % comm.size, 7);
    const status = request.wait();
    equal([received[0], status.tag], [status.source, 7]);
    const again = comm.irecv(received, ANY_SOURCE, ANY_TAG);
    comm.send(Int32Array.of(comm.rank), (comm.rank + 1) % comm.size, 0);
    equal(again.wait().tag, 0);
  },

  "messages of one tag arrive in order, and tags are told apart"(comm) {
    const [first, second, other] = [new Int32Array(1), new Int32Array(1), new Int32Array(1)];
    const left = (comm.rank + comm.size - 1) % comm.size;
    const right = (comm.rank + 1) % comm.size;
    const requests = [
      comm.irecv(other, left, 2),
      comm.irecv(first, left, 1),
      comm.irecv(second, left, 1),
    ];
    comm.send(Int32Array.of(10), right, 1);
    comm.send(Int32Array.of(11), right, 1);
    comm.send(Int32Array.of(20), right, 2);
    Request.waitAll(requests);
    equal([first[0], second[0], other[0]], [10, 11, 20]);
  },

  "sendrecv() exchanges without deadlock, also large messages"(comm) {
    const right = (comm.rank + 1) % comm.size;
    const left = (comm.rank + comm.size - 1) % comm.size;
    const sent = new Uint8Array(LARGE_SIZE).fill(comm.rank + 1);
    const received = new Uint8Array(LARGE_SIZE);
    const status = comm.sendrecv(sent, right, 3, received, left, 3);
    equal([status.source, status.count], [left, LARGE_SIZE]);
    equal(
      received.every((byte) => byte === left + 1),
      true,
    );
  },

  "empty messages arrive"(comm) {
    const { status, left } = passAround(comm, new Float64Array(0), new Float64Array(0), 5);
    equal([status.source, status.tag, status.count, status.getCount()], [left, 5, 0, 0]);
  },

  "PROC_NULL sends to nobody and receives nothing"(comm) {
    const untouched = Int32Array.of(77);
    comm.send(untouched, PROC_NULL);
    const status = comm.recv(untouched, PROC_NULL);
    equal([status.source, status.tag, status.count], [PROC_NULL, ANY_TAG, 0]);
    const both = comm.sendrecv(untouched, PROC_NULL, 0, untouched.slice(), PROC_NULL, 0);
    equal(both.source, PROC_NULL);
    comm.isend(untouched, PROC_NULL).wait();
    equal(comm.irecv(untouched, PROC_NULL).wait().source, PROC_NULL);
    equal(untouched[0], 77);
  },

  "isend() and irecv() complete by wait, and keep their status"(comm) {
    const right = (comm.rank + 1) % comm.size;
    const received = new Int32Array(2);
    const receive = comm.irecv(received);
    const send = comm.isend(Int32Array.of(comm.rank, 9), right, 1);
    const status = receive.wait();
    equal(send.wait().source, PROC_NULL, "source of a send");
    equal(received[1], 9);
    equal(receive.wait() === status, true, "the same status");
    equal(receive.test() === status, true, "the same status");
  },

  "test() is undefined until the message comes"(comm) {
    const received = new Int32Array(1);
    const request = comm.irecv(received, comm.rank, 8);
    equal(request.test(), undefined);
    const send = comm.isend(Int32Array.of(5), comm.rank, 8);
    let status = request.test();
    while (status === undefined) status = request.test();
    send.wait();
    equal([received[0], status.source], [5, comm.rank]);
  },

  async "promise() leaves the event loop free"(comm) {
    const received = new Int32Array(1);
    const request = comm.irecv(received, comm.rank, 9);
    // The message is sent from the third turn of a timer, which comes only if the loop goes round.
    let turns = 0;
    const later = new Promise((resolve) => {
      const timer = setInterval(() => {
        turns += 1;
        if (turns < 3) return;
        clearInterval(timer);
        resolve(comm.isend(Int32Array.of(6), comm.rank, 9));
      }, 1);
    });
    const status = await request.promise();
    (await later).wait();
    equal([received[0], status.tag, turns], [6, 9, 3]);
  },

  "Request.waitAll() returns the statuses in order"(comm) {
    const buffers = Array.from({ length: 10 }, () => new Int32Array(1));
    const requests = buffers.map((buffer, tag) => comm.irecv(buffer, comm.rank, tag));
    const sends = buffers.map((_, i) => comm.isend(Int32Array.of(9 - i), comm.rank, 9 - i));
    const statuses = Request.waitAll(requests);
    Request.waitAll(sends);
    equal(
      statuses.map(({ tag }) => tag),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    equal(
      buffers.map((buffer) => buffer[0]),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
  },
};
