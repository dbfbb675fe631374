/**
 * Conformance of errors: wrong calls throw an MpiError, and the communicator goes on working.
 *
 * @module
 */

import { ANY_SOURCE, IN_PLACE, Op, Request } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const one = () => new Float64Array(1);
/** Open MPI 4 cuts a rank's short message to itself without a word, if the receive was there first. */
const tooLong = () => new Float64Array(1000);

export const errorCases = {
  "ranks out of range are refused"(comm) {
    for (const rank of [comm.size, -3, 0.5, NaN, 2 ** 32, undefined, "0"]) {
      fails("MPI_ERR_RANK", () => comm.send(one(), rank));
      fails("MPI_ERR_RANK", () => comm.isend(one(), rank));
      if (rank === undefined) continue; // The default source.
      fails("MPI_ERR_RANK", () => comm.recv(one(), rank));
      fails("MPI_ERR_RANK", () => comm.irecv(one(), rank));
      fails("MPI_ERR_RANK", () => comm.sendrecv(one(), rank, 0, one(), 0, 0));
    }
    fails("MPI_ERR_RANK", () => comm.send(one(), ANY_SOURCE));
  },

  "roots out of range are refused"(comm) {
    for (const root of [comm.size, -1, -2, 1.5]) {
      fails("MPI_ERR_ROOT", () => comm.bcast(one(), root));
      fails("MPI_ERR_ROOT", () => comm.gather(one(), one(), root));
      fails("MPI_ERR_ROOT", () => comm.reduce(one(), one(), Op.SUM, root));
    }
  },

  "tags out of range are refused"(comm) {
    for (const tag of [-1, -2, 1.5, 2 ** 31]) {
      fails("MPI_ERR_TAG", () => comm.send(one(), comm.rank, tag));
      if (tag !== -1) fails("MPI_ERR_TAG", () => comm.recv(one(), comm.rank, tag));
    }
  },

  "values that are no buffer are refused"(comm) {
    for (const value of [null, undefined, 5, "text", {}, [1, 2], new Map()]) {
      fails("MPI_ERR_TYPE", () => comm.send(value, comm.rank));
      fails("MPI_ERR_TYPE", () => comm.recv(value));
      fails("MPI_ERR_TYPE", () => comm.bcast(value, 0));
      fails("MPI_ERR_TYPE", () => comm.allreduce(one(), value, Op.SUM));
      fails("MPI_ERR_TYPE", () => comm.allgather(value, one()));
    }
  },

  "short receive buffers are refused"(comm) {
    const short = new Float64Array(2 * comm.size - 1);
    fails("MPI_ERR_BUFFER", () => comm.allgather(new Float64Array(2), short));
    fails("MPI_ERR_BUFFER", () => comm.gather(new Float64Array(2), short, comm.rank));
    fails("MPI_ERR_BUFFER", () => comm.allreduce(new Float64Array(2), one(), Op.SUM));
    fails("MPI_ERR_BUFFER", () => comm.reduce(new Float64Array(2), one(), Op.SUM, comm.rank));
    const counts = new Array(comm.size).fill(2);
    fails("MPI_ERR_BUFFER", () => comm.allgatherv(new Float64Array(2), short, counts));
    fails("MPI_ERR_BUFFER", () => comm.gatherv(new Float64Array(2), short, counts, comm.rank));
  },

  "counts that make no sense are refused"(comm) {
    const into = new Float64Array(4 * comm.size);
    const ones = new Array(comm.size).fill(1);
    fails("MPI_ERR_COUNT", () => comm.allgatherv(one(), into, [...ones, 1]));
    fails("MPI_ERR_COUNT", () => comm.allgatherv(one(), into, ones, [...ones, 1]));
    fails("MPI_ERR_COUNT", () => comm.allgatherv(one(), into, ones.with(0, -1)));
    fails("MPI_ERR_COUNT", () => comm.allgatherv(one(), into, ones, ones.with(0, 0.5)));
    fails("MPI_ERR_COUNT", () => comm.allgatherv(new Float64Array(2), into, ones));
    fails("MPI_ERR_TYPE", () => comm.allgather(new Uint8Array(3), into));
  },

  "operations that the elements do not have are refused"(comm) {
    fails("MPI_ERR_OP", () => comm.allreduce(one(), one(), Op.BAND));
    fails("MPI_ERR_OP", () => comm.allreduce(one(), one(), Op.LOR));
    fails("MPI_ERR_OP", () => comm.allreduce(new ArrayBuffer(1), new ArrayBuffer(1), Op.SUM));
    fails("MPI_ERR_OP", () => comm.allreduce(one(), one(), "average"));
    fails("MPI_ERR_TYPE", () => comm.allreduce(one(), new Int32Array(2), Op.SUM));
  },

  "a send buffer that is the receive buffer is refused"(comm) {
    const both = new Float64Array(comm.size);
    fails("MPI_ERR_BUFFER", () => comm.allreduce(both, both, Op.SUM));
    fails("MPI_ERR_BUFFER", () => comm.allgather(both, both));
    if (comm.size > 1) {
      const other = (comm.rank + 1) % comm.size;
      fails("MPI_ERR_TYPE", () => comm.gather(IN_PLACE, both, other));
    }
  },

  "a message longer than its buffer is MPI_ERR_TRUNCATE"(comm) {
    const send = comm.isend(tooLong(), comm.rank, 1);
    fails("MPI_ERR_TRUNCATE", () => comm.recv(one(), comm.rank, 1));
    send.wait();

    const receive = comm.irecv(one(), comm.rank, 2);
    const second = comm.isend(tooLong(), comm.rank, 2);
    fails("MPI_ERR_TRUNCATE", () => receive.wait());
    fails("MPI_ERR_TRUNCATE", () => receive.wait()); // Told again, not asked again.
    fails("MPI_ERR_TRUNCATE", () => receive.test());
    second.wait();
  },

  async "promise() rejects, and waitAll() completes the others"(comm) {
    const [short, long] = [comm.irecv(one(), comm.rank, 3), comm.irecv(one(), comm.rank, 4)];
    const sends = [comm.isend(tooLong(), comm.rank, 3), comm.isend(one(), comm.rank, 4)];
    fails("MPI_ERR_TRUNCATE", () => Request.waitAll([short, long]));
    equal(long.test()?.tag, 4);
    Request.waitAll(sends);
    const receive = comm.irecv(one(), comm.rank, 5);
    const send = comm.isend(tooLong(), comm.rank, 5);
    const code = await receive.promise().then(
      () => "nothing",
      (error) => error.code,
    );
    equal(code, "MPI_ERR_TRUNCATE");
    send.wait();
  },

  "the communicator works after all that"(comm) {
    const sum = new Int32Array(1);
    comm.allreduce(Int32Array.of(1), sum, Op.SUM);
    equal(sum[0], comm.size);
  },
};
