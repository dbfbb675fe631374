/**
 * The kernel: one explicit Euler step of the Gray-Scott equations (see parameters.ts) with a 7-point
 * stencil, on one rank's block.
 *
 * The hot loop: it allocates nothing, reads typed arrays by plain indices, and treats each cell alike.
 *
 * Invariant: a cell's new value is the same sequence of operations on the same seven numbers wherever
 * the block's boundary lies, and nothing is summed over cells. So the fields are equal bit for bit for
 * any number of ranks.
 *
 * @module
 */

import type { Grid } from "./grid.js";
import type { Parameters } from "./parameters.js";

/** The two chemicals, with ghost cells, laid out as the grid says. */
export interface Fields {
  u: Float64Array;
  v: Float64Array;
}

/**
 * V below this is none: no pattern can grow from so little, and far from any reaction V would decay
 * into denormal numbers, with which many processors compute slowly.
 */
const CONCENTRATION_MIN = 1e-40;

/** Both fields, all zero. */
export function createFields(grid: Grid): Fields {
  return { u: grid.createField(), v: grid.createField() };
}

/**
 * Computes one step.
 *
 * @param grid The block.
 * @param parameters Rates of the model.
 * @param from The state before, its ghost cells filled.
 * @param to Receives the state after; ghost cells are left as they are. Not the same arrays.
 */
export function advance(grid: Grid, parameters: Parameters, from: Fields, to: Fields): void {
  const [nz, ny, nx] = grid.local;
  const [sz, sy] = grid.strides;
  const { u, v } = from;
  const { u: nextU, v: nextV } = to;
  const { feed, diffusionU, diffusionV, timeStep } = parameters;
  const removal = feed + parameters.kill;

  for (let z = 1; z <= nz; z += 1) {
    for (let y = 1; y <= ny; y += 1) {
      const first = z * sz + y * sy + 1;
      const end = first + nx;
      for (let i = first; i < end; i += 1) {
        const uc = u[i]!;
        const vc = v[i]!;
        const lapU =
          u[i - sz]! + u[i + sz]! + (u[i - sy]! + u[i + sy]!) + (u[i - 1]! + u[i + 1]!) - 6 * uc;
        const lapV =
          v[i - sz]! + v[i + sz]! + (v[i - sy]! + v[i + sy]!) + (v[i - 1]! + v[i + 1]!) - 6 * vc;
        const reaction = uc * vc * vc;
        const newV = vc + timeStep * (diffusionV * lapV + reaction - removal * vc);
        nextU[i] = uc + timeStep * (diffusionU * lapU - reaction + feed * (1 - uc));
        nextV[i] = newV < CONCENTRATION_MIN ? 0 : newV;
      }
    }
  }
}
