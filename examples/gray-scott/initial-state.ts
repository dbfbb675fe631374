/**
 * The initial state: u = 1, v = 0, with drops of V in it.
 *
 * Pearson's start, in three dimensions: the trivial state, perturbed in some places, with one per cent
 * of noise to break the symmetry. Drops and noise are functions of the cell's place in the whole box
 * alone, so that they are the same for any number of ranks.
 *
 * @module
 */

import type { Grid } from "./grid.js";
import type { Fields } from "./kernel.js";

const DROP_COUNT = 40;
/** Radii of drops, as parts of the box's shortest side. */
const RADIUS_MIN = 0.03;
const RADIUS_MAX = 0.07;
const DROP_U = 0.5;
const DROP_V = 0.25;
const NOISE = 0.01;

/** A ball of V; lengths are parts of the box. */
interface Drop {
  readonly center: readonly [z: number, y: number, x: number];
  readonly radius: number;
}

/** A number in [0, 1) that depends on `key` alone (the finalizer of MurmurHash3). */
export function hashToUnit(key: number): number {
  let h = Math.imul(key ^ 0x9e3779b9, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x27d4eb2f);
  return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32;
}

function makeDrops(): Drop[] {
  return Array.from({ length: DROP_COUNT }, (_, i) => {
    const random = (n: number) => hashToUnit(4 * i + n);
    const radius = RADIUS_MIN + (RADIUS_MAX - RADIUS_MIN) * random(3);
    return { center: [random(0), random(1), random(2)], radius };
  });
}

/** Distance on a circle of this length. */
function periodicDistance(a: number, b: number, length: number): number {
  const distance = Math.abs(a - b);
  return Math.min(distance, length - distance);
}

/** Fills both fields of a block; ghost cells stay as they are. */
export function fillInitialState(grid: Grid, { u, v }: Fields): void {
  grid.forEachRow((index) => {
    u.fill(1, index, index + grid.local[2]);
    v.fill(0, index, index + grid.local[2]);
  });
  for (const drop of makeDrops()) addDrop(grid, { u, v }, drop);
}

function addDrop(grid: Grid, { u, v }: Fields, { center, radius }: Drop): void {
  const { shape, start } = grid;
  const [sizeZ, sizeY, sizeX] = shape;
  const reach = (radius * Math.min(...shape)) ** 2;
  grid.forEachRow((index, cell) => {
    const row = Math.floor(cell / sizeX);
    const dz = periodicDistance(Math.floor(row / sizeY) + 0.5, center[0] * sizeZ, sizeZ);
    const dy = periodicDistance((row % sizeY) + 0.5, center[1] * sizeY, sizeY);
    if (dz * dz + dy * dy >= reach) return;
    for (let x = 0; x < grid.local[2]; x += 1) {
      const dx = periodicDistance(start[2] + x + 0.5, center[2] * sizeX, sizeX);
      if (dz * dz + dy * dy + dx * dx >= reach) continue;
      const noise = NOISE * (2 * hashToUnit(cell + x) - 1);
      u[index + x] = DROP_U * (1 + noise);
      v[index + x] = DROP_V * (1 + noise);
    }
  });
}
