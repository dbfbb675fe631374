/**
 * Conformance of collectives of neighbours: grids of any size, with and without edges.
 *
 * @module
 */

import { Datatype, dimsCreate, PROC_NULL } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

/** Numbers from 0 to count - 1. */
const range = (count) => Array.from({ length: count }, (_, i) => i);

/** The neighbours of this rank in order, PROC_NULL where the grid ends. */
const neighborsOf = (grid) =>
  grid.dims.flatMap((_, dimension) => {
    const { source, dest } = grid.shift(dimension, 1);
    return [source, dest];
  });

/** Runs in lines, rings, and grids that are both; with blocking and nonblocking calls. */
function inGrids(comm, name, run) {
  const plane = dimsCreate(comm.size, 2);
  for (const [dims, periods] of [
    [[comm.size], [false]],
    [[comm.size], [true]],
    [plane, [false, true]],
    [plane, [false, false]],
  ]) {
    const grid = comm.createCart(dims, periods);
    const neighbors = neighborsOf(grid);
    const what = `of [${dims}] ${periods}`;
    run({ grid, neighbors, call: (...args) => grid[name](...args), what: `${name} ${what}` });
    run({
      grid,
      neighbors,
      call: (...args) => grid[`i${name}`](...args).wait(),
      what: `i${name} ${what}`,
    });
    grid.free();
  }
}

/**
 * What a rank says to its neighbour below (side 0) or above (side 1) along a dimension. In rings of one or two
 * ranks both are the same rank, and libraries before MPI 4.1 differ in which part is whose: it says the same.
 */
function word(grid, rank, i, side = i & 1) {
  const dimension = i >> 1;
  const isShortRing = grid.periods[dimension] && grid.dims[dimension] <= 2;
  return 1000 * rank + 10 * dimension + (isShortRing ? 5 : side);
}

/** What arrives from neighbour i: what it said the other way, towards this rank. */
const arrival = (grid, from, i) => (from === PROC_NULL ? -1 : word(grid, from, i, 1 - (i & 1)));

export const neighborCases = {
  "neighborAllgather() collects from neighbours, and leaves edges alone"(comm) {
    inGrids(comm, "neighborAllgather", ({ grid, neighbors, call, what }) => {
      const received = new Int32Array(2 * neighbors.length).fill(-1);
      call(Int32Array.of(grid.rank, grid.rank + 100), received);
      equal(
        [...received],
        neighbors.flatMap((rank) => (rank === PROC_NULL ? [-1, -1] : [rank, rank + 100])),
        what,
      );
    });
  },

  "neighborAllgatherv() puts contributions where displs says"(comm) {
    inGrids(comm, "neighborAllgatherv", ({ grid, neighbors, call, what }) => {
      const received = new Float64Array(3 * neighbors.length).fill(-1);
      const counts = neighbors.map(() => 2);
      const displs = neighbors.map((_, i) => 3 * (neighbors.length - 1 - i));
      call(Float64Array.of(grid.rank, 0.5), received, counts, displs);
      const expected = neighbors.map((rank) =>
        rank === PROC_NULL ? [-1, -1, -1] : [rank, 0.5, -1],
      );
      equal([...received], expected.toReversed().flat(), what);
    });
  },

  "neighborAlltoall() sends each neighbour its own part"(comm) {
    inGrids(comm, "neighborAlltoall", ({ grid, neighbors, call, what }) => {
      const sent = Int32Array.from(range(neighbors.length), (i) => word(grid, grid.rank, i));
      const received = new Int32Array(neighbors.length).fill(-1);
      call(sent, received);
      equal(
        [...received],
        neighbors.map((from, i) => arrival(grid, from, i)),
        what,
      );
    });
  },

  "neighborAlltoallv() sends parts of different lengths"(comm) {
    inGrids(comm, "neighborAlltoallv", ({ grid, neighbors, call, what }) => {
      // Along dimension d, d + 1 elements.
      const counts = neighbors.map((_, i) => (i >> 1) + 1);
      const displs = neighbors.map((_, i) => 3 * i);
      const sent = new Int32Array(3 * neighbors.length);
      for (const i of range(neighbors.length))
        sent.fill(word(grid, grid.rank, i), 3 * i, 3 * i + 3);
      const received = new Int32Array(3 * neighbors.length).fill(-1);
      call(sent, received, counts, counts, displs, displs);
      const expected = neighbors.flatMap((from, i) =>
        range(3).map((k) => (k < counts[i] ? arrival(grid, from, i) : -1)),
      );
      equal([...received], expected, what);
    });
  },

  "neighborAlltoallw() sends parts of different datatypes"(comm) {
    inGrids(comm, "neighborAlltoallw", ({ grid, neighbors, call, what }) => {
      const counts = neighbors.map(() => 1);
      const displs = neighbors.map((_, i) => 12 * i);
      const second = Datatype.hindexed([1], [4], Datatype.INT);
      const datatypes = neighbors.map((_, i) => (i < 2 ? Datatype.INT : second));
      const sent = new Int32Array(3 * neighbors.length);
      for (const i of range(neighbors.length))
        sent.fill(word(grid, grid.rank, i), 3 * i, 3 * i + 3);
      const received = new Int32Array(3 * neighbors.length).fill(-1);
      call(
        { buffer: sent, counts, displs, datatypes },
        { buffer: received, counts, displs, datatypes },
      );
      const expected = neighbors.flatMap((from, i) =>
        range(3).map((k) => (k === (i < 2 ? 0 : 1) ? arrival(grid, from, i) : -1)),
      );
      equal([...received], expected, what);
    });
  },

  "wrong arguments of neighbours' collectives are refused"(comm) {
    const grid = comm.createCart([comm.size], [true]);
    const two = () => new Int32Array(2);
    for (const form of ["", "i"]) {
      const refused = (code, name, ...args) => fails(code, () => grid[form + name](...args));
      refused("MPI_ERR_BUFFER", "neighborAllgather", two(), two());
      refused("MPI_ERR_TYPE", "neighborAllgather", null, two());
      refused("MPI_ERR_COUNT", "neighborAlltoall", new Int32Array(3), two());
      refused("MPI_ERR_BUFFER", "neighborAlltoall", new Int32Array(4), two());
      refused("MPI_ERR_COUNT", "neighborAlltoallv", two(), two(), [1], [1, 1]);
      refused("MPI_ERR_COUNT", "neighborAllgatherv", two(), two(), [1, -1]);
    }
    grid.free();
    fails("MPI_ERR_COMM", () => grid.neighborAllgather(new Int32Array(1), two()));
  },
};
