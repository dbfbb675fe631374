/**
 * Halo exchange: fills the ghost cells of both fields with the neighbours' outermost cells.
 *
 *     lower neighbour          this rank          upper neighbour
 *     . . . . U │ g        g │ L . . . U │ g        g │ L . . . .
 *             └─────────────▶         └─────────────▶               and L the other way
 *
 * The stencil has no diagonal arms, so faces are enough, and all six travel at once. A face of both
 * fields is one message. Values are copied and never combined: results do not depend on the number of
 * ranks.
 *
 * @module
 */

import { Request } from "node-mpi-bindings";
import type { Grid } from "./grid.js";
import type { Fields } from "./kernel.js";

/** A layer of cells, as two nested loops over memory. */
interface Layer {
  readonly outerCount: number;
  readonly outerStride: number;
  readonly innerCount: number;
  readonly innerStride: number;
}

/** One face of the block. */
interface Face {
  readonly layer: Layer;
  /** Index of the first own cell at this face. */
  readonly edge: number;
  /** Index of the first ghost cell beyond this face. */
  readonly ghost: number;
  /** The rank beyond this face. */
  readonly neighbour: number;
  /** Own cells of both fields, on their way out. */
  readonly outgoing: Float64Array;
  /** The neighbour's cells, on their way in; `outgoing` of the opposite face on an axis of one rank. */
  incoming: Float64Array;
  /** Tags, so that the two faces between the same two ranks are not confused. */
  readonly sendTag: number;
  readonly receiveTag: number;
}

/** Exchanges ghost cells; owns the buffers of the messages. */
export class HaloExchange {
  readonly #grid: Grid;
  readonly #faces: readonly Face[];

  constructor(grid: Grid) {
    this.#grid = grid;
    this.#faces = ([0, 1, 2] as const).flatMap((axis) => makeFaces(grid, axis));
  }

  /** Fills the ghost cells of both fields. Collective. */
  exchange({ u, v }: Fields): void {
    const { comm } = this.#grid;
    const receives: Request[] = [];
    for (const face of this.#faces) {
      if (face.neighbour === comm.rank) continue;
      receives.push(comm.irecv(face.incoming, face.neighbour, face.receiveTag));
    }
    const sends: Request[] = [];
    for (const face of this.#faces) {
      gatherLayer(u, face.layer, face.edge, face.outgoing, 0);
      gatherLayer(v, face.layer, face.edge, face.outgoing, face.outgoing.length / 2);
      if (face.neighbour === comm.rank) continue;
      sends.push(comm.isend(face.outgoing, face.neighbour, face.sendTag));
    }
    Request.waitAll(receives);
    for (const face of this.#faces) {
      scatterLayer(face.incoming, 0, u, face.layer, face.ghost);
      scatterLayer(face.incoming, face.incoming.length / 2, v, face.layer, face.ghost);
    }
    Request.waitAll(sends);
  }
}

function makeFaces(grid: Grid, axis: 0 | 1 | 2): [Face, Face] {
  const [outer, inner] = axis === 0 ? ([1, 2] as const) : ([0, axis === 1 ? 2 : 1] as const);
  const { local, strides } = grid;
  const layer: Layer = {
    outerCount: local[outer],
    outerStride: strides[outer],
    innerCount: local[inner],
    innerStride: strides[inner],
  };
  const neighbours = grid.comm.shift(axis, 1);
  const first = grid.indexOf(0, 0, 0);
  const last = first + (local[axis] - 1) * strides[axis];
  const buffer = () => new Float64Array(2 * layer.outerCount * layer.innerCount);
  const [downwards, upwards] = [2 * axis, 2 * axis + 1];
  const lower: Face = {
    layer,
    edge: first,
    ghost: first - strides[axis],
    neighbour: neighbours.source,
    outgoing: buffer(),
    incoming: buffer(),
    sendTag: downwards,
    receiveTag: upwards,
  };
  const upper: Face = {
    layer,
    edge: last,
    ghost: last + strides[axis],
    neighbour: neighbours.dest,
    outgoing: buffer(),
    incoming: buffer(),
    sendTag: upwards,
    receiveTag: downwards,
  };
  if (grid.comm.dims[axis] === 1) {
    // The rank is its own neighbour: no message is needed.
    lower.incoming = upper.outgoing;
    upper.incoming = lower.outgoing;
  }
  return [lower, upper];
}

function gatherLayer(
  field: Float64Array,
  layer: Layer,
  first: number,
  buffer: Float64Array,
  at: number,
): void {
  const { outerCount, outerStride, innerCount, innerStride } = layer;
  let to = at;
  for (let outer = 0; outer < outerCount; outer += 1) {
    let from = first + outer * outerStride;
    for (let inner = 0; inner < innerCount; inner += 1) {
      buffer[to] = field[from] as number;
      to += 1;
      from += innerStride;
    }
  }
}

function scatterLayer(
  buffer: Float64Array,
  at: number,
  field: Float64Array,
  layer: Layer,
  first: number,
): void {
  const { outerCount, outerStride, innerCount, innerStride } = layer;
  let from = at;
  for (let outer = 0; outer < outerCount; outer += 1) {
    let to = first + outer * outerStride;
    for (let inner = 0; inner < innerCount; inner += 1) {
      field[to] = buffer[from] as number;
      from += 1;
      to += innerStride;
    }
  }
}
