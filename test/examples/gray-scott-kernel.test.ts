/**
 * The Gray-Scott kernel, its halo exchange and its initial state, on one rank: known values, conservation, and a
 * model that is obviously right.
 */

import { expect, test } from "@jest/globals";
import { SoloCommunicator } from "node-mpi-bindings";
import { blockOf, Grid, type Triple } from "../../dist/examples/gray-scott/grid.js";
import { HaloExchange } from "../../dist/examples/gray-scott/halo.js";
import { fillInitialState, hashToUnit } from "../../dist/examples/gray-scott/initial-state.js";
import { advance, createFields, type Fields } from "../../dist/examples/gray-scott/kernel.js";
import { PARAMETERS, type Parameters } from "../../dist/examples/gray-scott/parameters.js";

const NO_REACTION: Parameters = { ...PARAMETERS, feed: 0, kill: 0 };

function makeGrid(shape: Triple): Grid {
  return new Grid(new SoloCommunicator(), shape);
}

/** Fills the own cells by their number in the box. */
function fill(grid: Grid, field: Float64Array, numberOf: (cell: number) => number): void {
  const packed = Float64Array.from({ length: grid.cellCount }, (_, cell) => numberOf(cell));
  grid.unpack(packed, field);
}

function cellsOf(grid: Grid, field: Float64Array): Float64Array {
  const packed = new Float64Array(grid.cellCount);
  grid.pack(field, packed);
  return packed;
}

/** One step, and the state after it. */
function step(grid: Grid, parameters: Parameters, from: Fields): Fields {
  const to = createFields(grid);
  new HaloExchange(grid).exchange(from);
  advance(grid, parameters, from, to);
  return to;
}

/** One step on arrays without ghost cells, with neighbours found by remainders. */
function stepOfModel(
  [nz, ny, nx]: Triple,
  { feed, kill, diffusionU, diffusionV, timeStep }: Parameters,
  u: Float64Array,
  v: Float64Array,
): { u: number[]; v: number[] } {
  const at = (z: number, y: number, x: number) =>
    (((z + nz) % nz) * ny + ((y + ny) % ny)) * nx + ((x + nx) % nx);
  const result = { u: [] as number[], v: [] as number[] };
  for (let cell = 0; cell < u.length; cell += 1) {
    const [z, y, x] = [Math.floor(cell / nx / ny), Math.floor(cell / nx) % ny, cell % nx];
    const neighbours = [
      at(z - 1, y, x),
      at(z + 1, y, x),
      at(z, y - 1, x),
      at(z, y + 1, x),
      at(z, y, x - 1),
      at(z, y, x + 1),
    ];
    const lap = (field: Float64Array) =>
      neighbours.reduce((sum, it) => sum + field[it]!, 0) - 6 * field[cell]!;
    const [uc, vc] = [u[cell]!, v[cell]!];
    const reaction = uc * vc ** 2;
    result.u.push(uc + timeStep * (diffusionU * lap(u) - reaction + feed * (1 - uc)));
    result.v.push(vc + timeStep * (diffusionV * lap(v) + reaction - (feed + kill) * vc));
  }
  return result;
}

test("advance() leaves the trivial state as it is", () => {
  const grid = makeGrid([4, 5, 6]);
  const fields = createFields(grid);
  fill(grid, fields.u, () => 1);
  const after = step(grid, PARAMETERS, fields);
  expect(new Set(cellsOf(grid, after.u))).toEqual(new Set([1]));
  expect(new Set(cellsOf(grid, after.v))).toEqual(new Set([0]));
});

test("advance() computes known values around one cell of V", () => {
  const grid = makeGrid([4, 4, 4]);
  const fields = createFields(grid);
  const center = grid.indexOf(1, 2, 1);
  fill(grid, fields.u, () => 1);
  fields.v[center] = 0.5;
  const parameters = { feed: 0.25, kill: 0.25, diffusionU: 0.125, diffusionV: 0.0625, timeStep: 1 };
  const { u, v } = step(grid, parameters, fields);
  expect(u[center]).toBe(1 - 0.25); // u v^2 = 1/4 reacts
  expect(v[center]).toBe(0.5 - 0.0625 * 3 + 0.25 - 0.5 * 0.5);
  for (const distance of grid.strides) {
    expect(v[center + distance]).toBe(0.0625 * 0.5);
    expect(v[center - distance]).toBe(0.0625 * 0.5);
  }
  expect(v[grid.indexOf(2, 3, 1)]).toBe(0); // a diagonal neighbour
});

test("diffusion conserves what it spreads, also across the periodic boundary", () => {
  const grid = makeGrid([3, 4, 5]);
  let fields = createFields(grid);
  fill(grid, fields.u, (cell) => hashToUnit(cell));
  const sum = () => cellsOf(grid, fields.u).reduce((total, value) => total + value, 0);
  const before = sum();
  for (let i = 0; i < 50; i += 1) fields = step(grid, NO_REACTION, fields);
  expect(sum()).toBeCloseTo(before, 10);
  const [low, high] = [Math.min, Math.max].map((of) => of(...cellsOf(grid, fields.u)));
  expect(high! - low!).toBeLessThan(0.01);
});

test.each<Triple[]>([[[4, 4, 4]], [[3, 5, 7]], [[1, 2, 3]]])(
  "advance() and exchange() agree with the model on %j",
  (shape) => {
    const grid = makeGrid(shape);
    const fields = createFields(grid);
    fill(grid, fields.u, (cell) => hashToUnit(cell));
    fill(grid, fields.v, (cell) => hashToUnit(1000 + cell));
    const model = stepOfModel(shape, PARAMETERS, cellsOf(grid, fields.u), cellsOf(grid, fields.v));
    const after = step(grid, PARAMETERS, fields);
    cellsOf(grid, after.u).forEach((value, cell) => {
      expect(value).toBeCloseTo(model.u[cell]!, 14);
    });
    cellsOf(grid, after.v).forEach((value, cell) => {
      expect(value).toBeCloseTo(model.v[cell]!, 14);
    });
  },
);

test("advance() flushes what would decay into denormal numbers", () => {
  const grid = makeGrid([2, 2, 2]);
  const fields = createFields(grid);
  fill(grid, fields.v, () => 1e-300);
  expect(new Set(cellsOf(grid, step(grid, PARAMETERS, fields).v))).toEqual(new Set([0]));
});

test("fillInitialState() drops V into a box of U, the same way each time", () => {
  const grid = makeGrid([24, 24, 24]);
  const [first, second] = [createFields(grid), createFields(grid)];
  fillInitialState(grid, first);
  fillInitialState(grid, second);
  expect(first).toEqual(second);
  const v = cellsOf(grid, first.v);
  const filled = v.filter((value) => value > 0).length / v.length;
  expect(filled).toBeGreaterThan(0.005);
  expect(filled).toBeLessThan(0.2);
  const noisy = v.filter((value) => value > 0);
  expect(new Set(noisy).size).toBeGreaterThan(noisy.length / 2);
});

test("blockOf() covers a length without gaps, in parts that differ by one at most", () => {
  for (const [length, count] of [
    [96, 4],
    [10, 3],
    [7, 7],
  ] as const) {
    const blocks = Array.from({ length: count }, (_, index) => blockOf(length, count, index));
    expect(blocks[0]![0]).toBe(0);
    expect(blocks.at(-1)![1]).toBe(length);
    blocks.slice(1).forEach(([start], index) => {
      expect(start).toBe(blocks[index]![1]);
    });
    const sizes = blocks.map(([start, end]) => end - start);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  }
});
