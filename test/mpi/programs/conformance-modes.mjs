/**
 * Conformance of send modes, persistent requests, probes, cancellation, and requests among others.
 *
 * @module
 */

import {
  ANY_SOURCE,
  ANY_TAG,
  attachBuffer,
  bsendOverhead,
  detachBuffer,
  PersistentRequest,
  PROC_NULL,
  Request,
} from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const right = ({ rank, size }) => (rank + 1) % size;
const left = ({ rank, size }) => (rank + size - 1) % size;

function withBuffer(size, body) {
  attachBuffer(size);
  try {
    body();
  } finally {
    equal(detachBuffer(), size, "size of the detached buffer");
  }
}

export const modeCases = {
  "ssend() and issend() complete when the receive has begun"(comm) {
    const [sent, received] = [Int32Array.of(comm.rank), new Int32Array(2)];
    const receive = comm.irecv(received.subarray(0, 1), left(comm), 1);
    comm.barrier();
    comm.ssend(sent, right(comm), 1);
    receive.wait();
    const send = comm.issend(sent, right(comm), 2);
    comm.barrier();
    equal(send.test(), undefined, "status of a send that nobody receives");
    comm.barrier();
    comm.recv(received.subarray(1), left(comm), 2);
    send.wait();
    equal([...received], [left(comm), left(comm)]);
  },

  "rsend() and irsend() reach a receive that has been started"(comm) {
    const received = new Float64Array(2);
    const receives = [1, 2].map((tag) =>
      comm.irecv(received.subarray(tag - 1, tag), left(comm), tag),
    );
    comm.barrier();
    comm.rsend(Float64Array.of(0.5), right(comm), 1);
    comm.irsend(Float64Array.of(1.5), right(comm), 2).wait();
    Request.waitAll(receives);
    equal([...received], [0.5, 1.5]);
  },

  "bsend() and ibsend() return at once, within the attached buffer"(comm) {
    const data = new Uint8Array(1000).fill(comm.rank + 1);
    const size = 4 * (data.length + bsendOverhead());
    withBuffer(size, () => {
      comm.bsend(data, right(comm), 5);
      comm.ibsend(data, right(comm), 5).wait();
      const received = new Uint8Array(1000);
      for (let i = 0; i < 2; i++) comm.recv(received, left(comm), 5);
      equal(received[999], left(comm) + 1);
    });
    equal(detachBuffer(), 0, "size of no buffer");
  },

  "bsend() without space is MPI_ERR_BUFFER, as is a second buffer"(comm) {
    fails("MPI_ERR_BUFFER", () => comm.bsend(new Uint8Array(64), comm.rank));
    fails("MPI_ERR_BUFFER", () => comm.ibsend(new Uint8Array(100_000), comm.rank));
    withBuffer(64 + bsendOverhead(), () => {
      fails("MPI_ERR_BUFFER", () => attachBuffer(10));
      fails("MPI_ERR_BUFFER", () => comm.bsend(new Uint8Array(100_000), comm.rank));
    });
    fails("MPI_ERR_ARG", () => attachBuffer(-1));
  },

  "sendrecvReplace() passes one buffer around"(comm) {
    const data = Int32Array.of(comm.rank, 7);
    const status = comm.sendrecvReplace(data, right(comm), 3, left(comm), 3);
    equal([...data], [left(comm), 7]);
    equal([status.source, status.tag, status.count], [left(comm), 3, 8]);
  },

  "persistent requests start again and again, with the same buffer"(comm) {
    const [sent, received] = [new Int32Array(1), new Int32Array(1)];
    const send = comm.sendInit(sent, right(comm), 4);
    const receive = comm.recvInit(received, left(comm), 4);
    equal([send.isComplete, receive.wait().source], [true, PROC_NULL], "before the first start");
    for (let round = 0; round < 5; round++) {
      sent[0] = comm.rank * 10 + round;
      PersistentRequest.startAll([receive, send]);
      const [status] = Request.waitAll([receive, send]);
      equal([received[0], status.source, status.count], [left(comm) * 10 + round, left(comm), 4]);
    }
    send.free();
    receive.free();
    fails("MPI_ERR_REQUEST", () => send.start());
    fails("MPI_ERR_REQUEST", () => receive.free());
  },

  "persistent sends come in all modes"(comm) {
    const received = new Int32Array(3);
    const receives = [1, 2, 3].map((tag) =>
      comm.irecv(received.subarray(tag - 1, tag), left(comm), tag),
    );
    comm.barrier();
    withBuffer(1000 + bsendOverhead(), () => {
      const sends = [
        comm.ssendInit(Int32Array.of(1), right(comm), 1),
        comm.bsendInit(Int32Array.of(2), right(comm), 2),
        comm.rsendInit(Int32Array.of(3), right(comm), 3),
      ];
      for (const send of sends) send.start();
      Request.waitAll([...sends, ...receives]);
      for (const send of sends) send.free();
    });
    equal([...received], [1, 2, 3]);
  },

  "a persistent request cannot be started while it goes on"(comm) {
    const receive = comm.recvInit(new Int32Array(1), left(comm), 6);
    receive.start();
    fails("MPI_ERR_REQUEST", () => receive.start());
    fails("MPI_ERR_REQUEST", () => receive.free());
    comm.send(Int32Array.of(1), right(comm), 6);
    receive.wait();
    receive.free();
  },

  "probe() and iprobe() tell what a receive would get, and leave it"(comm) {
    equal(comm.iprobe(ANY_SOURCE, 77), undefined, "probe of nothing");
    const send = comm.isend(new Float64Array(3), right(comm), 8);
    const seen = comm.probe(left(comm), ANY_TAG);
    equal([seen.source, seen.tag, seen.count], [left(comm), 8, 24]);
    equal(comm.iprobe(left(comm), 8).count, 24, "bytes seen again");
    const received = new Float64Array(3);
    equal(comm.recv(received, seen.source, seen.tag).getCount(), 3);
    send.wait();
    equal(comm.probe(PROC_NULL).source, PROC_NULL, "probe of nobody");
  },

  "mprobe() takes a message for one receive"(comm) {
    const sends = [1, 2].map((value) => comm.isend(Int32Array.of(value), right(comm), 9));
    const first = comm.mprobe(left(comm), 9);
    const second = comm.improbe(left(comm), 9) ?? comm.mprobe(left(comm), 9);
    equal([first.status.count, second.status.tag], [4, 9]);
    equal(comm.improbe(left(comm), 9), undefined, "a third one");
    const received = new Int32Array(2);
    second.irecv(received.subarray(1)).wait();
    equal(first.recv(received.subarray(0, 1)).source, left(comm));
    equal([...received], [1, 2]);
    fails("MPI_ERR_REQUEST", () => first.recv(received));
    Request.waitAll(sends);
  },

  "cancel() gives up a receive that nothing has met"(comm) {
    const receive = comm.irecv(new Int32Array(1), left(comm), 10);
    receive.cancel();
    const status = receive.wait();
    equal([status.isCancelled, status.count], [true, 0]);
    receive.cancel();
    comm.barrier();
    const [sent, received] = [Int32Array.of(5), new Int32Array(1)];
    const again = comm.irecv(received, left(comm), 10);
    comm.send(sent, right(comm), 10);
    equal([again.wait().isCancelled, received[0]], [false, 5]);
  },

  "waitAny(), waitSome() and testSome() return each operation once"(comm) {
    const received = new Int32Array(4);
    const receives = [0, 1, 2, 3].map((i) =>
      comm.irecv(received.subarray(i, i + 1), left(comm), 20 + i),
    );
    equal(Request.testAny(receives), undefined, "before anything was sent");
    equal(Request.testAll(receives), undefined, "all, before anything was sent");
    comm.barrier();
    comm.send(Int32Array.of(2), right(comm), 22);
    const first = Request.waitAny(receives);
    equal([first.index, first.status.tag], [2, 22]);
    comm.barrier();
    for (const i of [0, 1, 3]) comm.send(Int32Array.of(i), right(comm), 20 + i);
    const seen = new Set([first.index]);
    while (seen.size < 4) {
      for (const { index, status } of Request.waitSome(receives)) {
        equal([seen.has(index), status.tag], [false, 20 + index]);
        seen.add(index);
      }
    }
    equal([...received], [0, 1, 2, 3]);
    equal([Request.waitAny(receives), Request.testSome(receives)], [undefined, []], "none left");
    equal(Request.testAll(receives).length, 4, "statuses of all");
  },

  async "promise() ends its wait when its signal does, and the operation goes on"(comm) {
    const received = new Int32Array(1);
    const receive = comm.irecv(received, left(comm), 30);
    const controller = new AbortController();
    const waiting = receive.promise({ signal: controller.signal });
    setImmediate(() => controller.abort(new Error("enough")));
    equal(await waiting.catch(({ message }) => message), "enough");
    comm.barrier();
    comm.send(Int32Array.of(9), right(comm), 30);
    await receive.promise();
    equal(received[0], 9);
  },

  "wrong arguments are refused by every call"(comm) {
    const buf = new Int32Array(1);
    const far = comm.size;
    for (const call of ["ssend", "bsend", "rsend", "issend", "ibsend", "irsend", "sendInit"]) {
      fails("MPI_ERR_RANK", () => comm[call](buf, far));
      fails("MPI_ERR_TAG", () => comm[call](buf, 0, -5));
      fails("MPI_ERR_TYPE", () => comm[call]({}, 0));
    }
    for (const call of ["probe", "iprobe", "mprobe", "improbe"]) {
      fails("MPI_ERR_RANK", () => comm[call](far));
      fails("MPI_ERR_TAG", () => comm[call](0, 0.5));
    }
    fails("MPI_ERR_RANK", () => comm.recvInit(buf, far));
    fails("MPI_ERR_RANK", () => comm.sendrecvReplace(buf, far, 0, 0, 0));
  },
};
