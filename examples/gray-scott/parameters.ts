/**
 * The Gray-Scott model: two chemicals that diffuse, and react as U + 2V -> 3V, V -> P.
 *
 *     du/dt = Du lap(u) - u v^2 + F (1 - u)
 *     dv/dt = Dv lap(v) + u v^2 - (F + k) v
 *
 * U is fed at the rate F, V is removed at the rate F + k. What grows depends on F and k alone: spots,
 * rings, labyrinths, chaos. The values here make a labyrinth.
 *
 * Sources:
 *
 * - J. E. Pearson, "Complex Patterns in a Simple System", Science 261 (1993) 189-192: the equations,
 *   the explicit Euler scheme with a time step of 1 on a periodic grid, Du = 2 Dv, the trivial state
 *   u = 1, v = 0 perturbed in some places with 1 % of noise, and the map of patterns over (F, k).
 * - The 3-D Gray-Scott miniapp of the ADIOS2 tutorial (ornladios/ADIOS2, examples/simulation/gray-scott):
 *   the 7-point stencil, the decomposition, and the use as a checkpoint workload.
 *
 * Pearson's Du is 0.21 in units of cell^2 per step. In three dimensions an explicit step is stable
 * below 1/6 only, so Du is 0.14 here, which makes the patterns a little finer.
 *
 * @module
 */

/** Rates of the model, in units of cells and time steps. */
export interface Parameters {
  /** F: rate at which U is fed, and everything is washed out. */
  readonly feed: number;
  /** k: rate at which V decays, on top of the feed rate. */
  readonly kill: number;
  /** Du: diffusion of U, in cells^2 per unit of time. */
  readonly diffusionU: number;
  /** Dv: diffusion of V, in cells^2 per unit of time. */
  readonly diffusionV: number;
  /** Length of a step, in units of time. */
  readonly timeStep: number;
}

/** A labyrinth. */
export const PARAMETERS: Parameters = {
  feed: 0.03,
  kill: 0.057,
  diffusionU: 0.14,
  diffusionV: 0.07,
  timeStep: 1,
};
