/**
 * Conformance of communicators and grids: every case takes a communicator of any size.
 *
 * @module
 */

import { dimsCreate, PROC_NULL } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

/** Passes a number one step along a grid's dimension. */
function shiftAlong(cart, dimension, value) {
  const { source, dest } = cart.shift(dimension, 1);
  const received = Int32Array.of(-1);
  cart.sendrecv(Int32Array.of(value), dest, 0, received, source, 0);
  return { received: received[0], source };
}

export const communicatorCases = {
  "rank and size number the processes"(comm) {
    const seen = new Int32Array(comm.size);
    comm.allgather(Int32Array.of(comm.rank), seen);
    equal(
      [...seen],
      Array.from({ length: comm.size }, (_, rank) => rank),
    );
  },

  "dup() keeps ranks and separates messages"(comm) {
    const copy = comm.dup();
    equal([copy.rank, copy.size], [comm.rank, comm.size]);
    const [a, b] = [new Int32Array(1), new Int32Array(1)];
    const onCopy = copy.irecv(a, comm.rank, 0);
    const onOriginal = comm.irecv(b, comm.rank, 0);
    comm.isend(Int32Array.of(1), comm.rank, 0).wait();
    copy.isend(Int32Array.of(2), comm.rank, 0).wait();
    onCopy.wait();
    onOriginal.wait();
    equal([a[0], b[0]], [2, 1]);
    copy.free();
    fails("MPI_ERR_COMM", () => copy.barrier());
    fails("MPI_ERR_COMM", () => copy.free());
    fails("MPI_ERR_COMM", () => copy.isend(a, 0));
  },

  "split() groups by color and orders by key"(comm) {
    const part = comm.split(comm.rank % 2, -comm.rank);
    const members = Array.from({ length: comm.size }, (_, rank) => rank)
      .filter((rank) => rank % 2 === comm.rank % 2)
      .reverse();
    equal([part.size, part.rank], [members.length, members.indexOf(comm.rank)]);
    part.free();
  },

  "split() leaves out ranks without a color"(comm) {
    const part = comm.split(comm.rank === 0 ? 0 : undefined);
    equal(part?.size, comm.rank === 0 ? 1 : undefined);
    part?.free();
    fails("MPI_ERR_ARG", () => comm.split(-1));
    fails("MPI_ERR_ARG", () => comm.split(0.5));
    fails("MPI_ERR_ARG", () => comm.split(0, 2 ** 40));
  },

  "splitShared() holds the ranks of this node"(comm) {
    const node = comm.splitShared();
    equal([node.size, node.rank], [comm.size, comm.rank]);
    node.free();
  },

  "createCart() arranges the ranks row-major"(comm) {
    const dims = dimsCreate(comm.size, 2);
    const cart = comm.createCart(dims, [false, true]);
    equal([...cart.dims], dims);
    equal([...cart.periods], [false, true]);
    equal([...cart.coords], [Math.floor(cart.rank / dims[1]), cart.rank % dims[1]]);
    for (let rank = 0; rank < cart.size; rank += 1) equal(cart.rankOf(cart.coordsOf(rank)), rank);
    equal(cart.rankOf([cart.coords[0], cart.coords[1] + dims[1]]), cart.rank, "wrapped rank");
    fails("MPI_ERR_ARG", () => cart.rankOf([dims[0], 0]));
    fails("MPI_ERR_ARG", () => cart.rankOf([0]));
    fails("MPI_ERR_RANK", () => cart.coordsOf(cart.size));
    fails("MPI_ERR_DIMS", () => cart.shift(2, 1));
    cart.free();
    fails("MPI_ERR_COMM", () => cart.barrier());
  },

  "shift() finds neighbours, and nobody beyond an edge"(comm) {
    const cart = comm.createCart([comm.size, 1], [false, true]);
    const edge = shiftAlong(cart, 0, cart.rank);
    equal(edge.source, cart.rank === 0 ? PROC_NULL : cart.rank - 1);
    equal(edge.received, cart.rank === 0 ? -1 : cart.rank - 1);
    equal(shiftAlong(cart, 1, 5 + cart.rank).received, 5 + cart.rank, "itself, around the ring");
    const copy = cart.dup();
    equal(copy.shift(0, -1), { source: cart.shift(0, 1).dest, dest: cart.shift(0, 1).source });
    copy.free();
    cart.free();
  },

  "createCart() leaves out ranks that it has no place for"(comm) {
    const cart = comm.createCart([1], [true]);
    equal(cart?.size, comm.rank === 0 ? 1 : undefined);
    cart?.free();
    fails("MPI_ERR_DIMS", () => comm.createCart([comm.size + 1], [true]));
    fails("MPI_ERR_DIMS", () => comm.createCart([1, 0], [true, true]));
    fails("MPI_ERR_DIMS", () => comm.createCart([1], [true, true]));
  },
};
