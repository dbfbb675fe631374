/**
 * Conformance of graphs of ranks, and of collectives of neighbours in them.
 *
 * @module
 */

import { Datatype, Info } from "node-mpi-bindings";
import { equal, fails } from "./checks.mjs";

const range = (count) => Array.from({ length: count }, (_, i) => i);

/** Every rank sends to the one above (around) and to rank 0; each edge once. */
const targetsOf = (rank, size) => [...new Set([(rank + 1) % size, 0])];
const sourcesOf = (rank, size) => range(size).filter((one) => targetsOf(one, size).includes(rank));

/** The graph as each rank knows its own edges, and as rank 0 knows all of them. */
function* graphs(comm) {
  const { rank, size } = comm;
  const destinations = targetsOf(rank, size);
  const sources = sourcesOf(rank, size);
  yield comm.createDistGraphAdjacent({ sources, destinations });
  const all = rank === 0 ? range(size) : [];
  yield comm.createDistGraph({
    sources: all,
    degrees: all.map((one) => targetsOf(one, size).length),
    destinations: all.flatMap((one) => targetsOf(one, size)),
  });
}

const sorted = (list) => [...list].sort((a, b) => a - b);

export const graphCases = {
  "topology tells what ranks are arranged as"(comm) {
    equal(comm.dup().topology, "none");
    const grid = comm.createCart([comm.size], [true]);
    equal(grid.topology, "cartesian");
    const graph = comm.createDistGraphAdjacent({ sources: [comm.rank], destinations: [comm.rank] });
    equal([graph.topology, graph.dup().topology], ["distributed graph", "distributed graph"]);
    for (const made of [grid, graph]) made.free();
    fails("MPI_ERR_COMM", () => grid.topology);
  },

  "distributed graphs know the edges of each rank, however they were told"(comm) {
    for (const graph of graphs(comm)) {
      equal(sorted(graph.neighbors.sources), sourcesOf(graph.rank, graph.size));
      equal(sorted(graph.neighbors.destinations), sorted(targetsOf(graph.rank, graph.size)));
      equal([graph.isWeighted, graph.neighbors.sourceWeights], [false, undefined]);
      graph.free();
    }
  },

  "edges of distributed graphs have weights"(comm) {
    const [up, down] = [(comm.rank + 1) % comm.size, (comm.rank + comm.size - 1) % comm.size];
    const own = comm.createDistGraphAdjacent({
      sources: [down],
      sourceWeights: [10 + down],
      destinations: [up],
      destinationWeights: [10 + comm.rank],
    });
    const told = comm.createDistGraph(
      { sources: [comm.rank], degrees: [1], destinations: [up], weights: [10 + comm.rank] },
      { info: new Info({ hint: "none" }) },
    );
    for (const graph of [own, told, own.dup()]) {
      equal(graph.isWeighted, true);
      equal(graph.neighbors, {
        sources: [down],
        destinations: [up],
        sourceWeights: [10 + down],
        destinationWeights: [10 + comm.rank],
      });
      graph.free();
    }
    const none = comm.createDistGraphAdjacent({
      sources: [],
      sourceWeights: [],
      destinations: [],
      destinationWeights: [],
    });
    equal([none.neighbors.sources, none.neighbors.destinations], [[], []]);
    none.free();
  },

  "ranks without edges take part in collectives of neighbours"(comm) {
    // Rank 0 sends to the last rank only.
    const [first, last] = [comm.rank === 0, comm.rank === comm.size - 1];
    const graph = comm.createDistGraphAdjacent({
      sources: last ? [0] : [],
      destinations: first ? [comm.size - 1] : [],
    });
    const received = new Int32Array(last ? 1 : 0);
    graph.neighborAllgather(Int32Array.of(comm.rank + 7), received);
    equal([...received], last ? [7] : []);
    graph.free();
  },

  "collectives of neighbours follow the edges of a distributed graph"(comm) {
    for (const graph of graphs(comm)) {
      const { sources, destinations } = graph.neighbors;
      for (const form of ["", "i"]) {
        const call = (name, ...args) => graph[form + name](...args)?.wait();
        const all = new Int32Array(2 * sources.length);
        call("neighborAllgather", Int32Array.of(graph.rank, -graph.rank), all);
        equal(
          [...all],
          sources.flatMap((one) => [one, -one]).map((one) => one + 0),
        );
        const parts = new Int32Array(sources.length);
        call(
          "neighborAlltoall",
          Int32Array.from(destinations, (to) => 100 * graph.rank + to),
          parts,
        );
        equal(
          [...parts],
          sources.map((from) => 100 * from + graph.rank),
        );
        const lengths = destinations.map((to) => to + 1);
        const sent = Int32Array.from(destinations.flatMap((to) => Array(to + 1).fill(graph.rank)));
        const counts = sources.map(() => graph.rank + 1);
        const received = new Int32Array((graph.rank + 1) * sources.length);
        call("neighborAlltoallv", sent, received, lengths, counts);
        equal(
          [...received],
          sources.flatMap((from) => Array(graph.rank + 1).fill(from)),
        );
        const gathered = new Int32Array(2 * sources.length).fill(-1);
        const displs = sources.map((_, i) => 2 * i + 1);
        call(
          "neighborAllgatherv",
          Int32Array.of(graph.rank),
          gathered,
          sources.map(() => 1),
          displs,
        );
        equal(
          [...gathered],
          sources.flatMap((from) => [-1, from]),
        );
        const typed = (buffer, list) => ({
          buffer,
          counts: list.map(() => 1),
          displs: list.map((_, i) => 4 * i),
          datatypes: list.map(() => Datatype.INT),
        });
        const words = new Int32Array(sources.length);
        const said = Int32Array.from(destinations, (to) => 100 * graph.rank + to);
        call("neighborAlltoallw", typed(said, destinations), typed(words, sources));
        equal([...words], [...parts]);
      }
      graph.free();
    }
  },

  "a graph is known to all ranks, and its neighbours exchange data"(comm) {
    // A star: rank 0 and each other rank are neighbours.
    const { size } = comm;
    const neighbors = range(size).map((rank) => (rank === 0 ? range(size).slice(1) : [0]));
    const index = neighbors.map((_, rank) => neighbors.slice(0, rank + 1).flat().length);
    const graph = comm.createGraph(index, neighbors.flat());
    equal([graph.topology, graph.index, graph.edges], ["graph", index, neighbors.flat()]);
    for (const rank of range(size)) equal(graph.neighborsOf(rank), neighbors[rank]);
    fails("MPI_ERR_RANK", () => graph.neighborsOf(size));
    const received = new Int32Array(neighbors[graph.rank].length);
    const copy = graph.dup();
    copy.neighborAllgather(Int32Array.of(graph.rank), received);
    equal([...received], neighbors[graph.rank]);
    copy.free();
    graph.free();
    // One node alone: the others are left out.
    const one = comm.createGraph([0], []);
    equal(one === undefined, comm.rank !== 0);
    one?.free();
  },

  "graphs that make no sense are refused"(comm) {
    const { size } = comm;
    const adjacent = (neighbors) => () => comm.createDistGraphAdjacent(neighbors);
    fails("MPI_ERR_RANK", adjacent({ sources: [size], destinations: [] }));
    fails("MPI_ERR_RANK", adjacent({ sources: [], destinations: [-1] }));
    fails("MPI_ERR_RANK", adjacent({ sources: [0.5], destinations: [] }));
    fails("MPI_ERR_RANK", adjacent({ destinations: [] }));
    fails("MPI_ERR_ARG", adjacent(null));
    fails("MPI_ERR_ARG", adjacent({ sources: [0], sourceWeights: [1], destinations: [0] }));
    const weighted = { sources: [0], sourceWeights: [], destinations: [], destinationWeights: [] };
    fails("MPI_ERR_ARG", adjacent(weighted));
    const told = (edges) => () => comm.createDistGraph(edges);
    fails("MPI_ERR_ARG", told({ sources: [0], degrees: [2], destinations: [0] }));
    fails("MPI_ERR_ARG", told({ sources: [0], degrees: [], destinations: [] }));
    fails("MPI_ERR_RANK", told({ sources: [size], degrees: [0], destinations: [] }));
    fails("MPI_ERR_TOPOLOGY", () => comm.createGraph(new Array(size + 1).fill(0), []));
    fails("MPI_ERR_ARG", () => comm.createGraph([1], []));
    fails("MPI_ERR_RANK", () => comm.createGraph([1], [size]));
    fails("MPI_ERR_TOPOLOGY", () => comm.neighborAllgather(new Int32Array(1), new Int32Array(1)));
  },
};
