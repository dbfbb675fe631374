/**
 * The grid: which cells of the periodic box a rank computes, and where they lie in its memory.
 *
 * Ranks form a Cartesian grid; each owns a block, stored with one layer of ghost cells around it:
 *
 *     g g g g g g        z is the slowest dimension, x the fastest, in memory as in the file
 *     g . . . . g        .  own cells, at 1..local along each dimension
 *     g . . . . g        g  copies of the neighbours' cells, filled by the halo exchange
 *     g g g g g g
 *
 * @module
 */

import { DaosError } from "daos-ts";
import { type CartCommunicator, type Communicator, dimsCreate } from "node-mpi-bindings";

/** Lengths or positions along z, y and x, in cells. */
export type Triple = readonly [z: number, y: number, x: number];

/** One rank's block. */
export class Grid {
  /** The ranks, periodic along each dimension. */
  readonly comm: CartCommunicator;
  /** Lengths of the whole box. */
  readonly shape: Triple;
  /** Lengths of this rank's block, without ghost cells. */
  readonly local: Triple;
  /** Where the block starts in the box. */
  readonly start: Triple;
  /** Distances in memory between neighbours along z, y and x, in cells. */
  readonly strides: Triple;

  /**
   * Divides a box over the ranks of a communicator. Collective.
   *
   * @throws {@link DaosError} `DER_INVAL` if there are more ranks than cells along a dimension.
   */
  constructor(comm: Communicator, shape: Triple) {
    requireCells(shape, comm.size);
    const dims = dimsCreate(comm.size, 3);
    this.comm = comm.createCart(dims, [true, true, true]) as CartCommunicator;
    this.shape = shape;
    const block = (i: 0 | 1 | 2) =>
      blockOf(shape[i], dims[i] as number, this.comm.coords[i] as number);
    const blocks = [block(0), block(1), block(2)] as const;
    this.start = [blocks[0][0], blocks[1][0], blocks[2][0]];
    this.local = [lengthOf(blocks[0]), lengthOf(blocks[1]), lengthOf(blocks[2])];
    const [, ny, nx] = this.local;
    this.strides = [(ny + 2) * (nx + 2), nx + 2, 1];
  }

  /** Number of cells of this rank, without ghost cells. */
  get cellCount(): number {
    return this.local[0] * this.local[1] * this.local[2];
  }

  /** A field with ghost cells, all zero. */
  createField(): Float64Array {
    return new Float64Array((this.local[0] + 2) * this.strides[0]);
  }

  /** Index in memory of an own cell; each coordinate counts from 0 at the block's start. */
  indexOf(z: number, y: number, x: number): number {
    return (z + 1) * this.strides[0] + (y + 1) * this.strides[1] + x + 1;
  }

  /**
   * Calls `visit` for each row of own cells along x.
   *
   * @param visit Gets the row's first index in memory, and the number in the whole box, in row-major
   *   order, of its first cell.
   */
  forEachRow(visit: (index: number, cell: number) => void): void {
    const [nz, ny] = this.local;
    const [z0, y0, x0] = this.start;
    const [, sizeY, sizeX] = this.shape;
    for (let z = 0; z < nz; z += 1) {
      for (let y = 0; y < ny; y += 1) {
        visit(this.indexOf(z, y, 0), ((z0 + z) * sizeY + y0 + y) * sizeX + x0);
      }
    }
  }

  /** Copies the own cells of a field, row by row, into `packed`. */
  pack(field: Float64Array, packed: Float64Array): void {
    const nx = this.local[2];
    let to = 0;
    this.forEachRow((index) => {
      packed.set(field.subarray(index, index + nx), to);
      to += nx;
    });
  }

  /** The reverse of {@link pack}; leaves ghost cells as they are. */
  unpack(packed: Float64Array, field: Float64Array): void {
    const nx = this.local[2];
    let from = 0;
    this.forEachRow((index) => {
      field.set(packed.subarray(from, from + nx), index);
      from += nx;
    });
  }
}

/** The cells `[start, end)` of part `index` of `count`; parts differ by at most one cell. */
export function blockOf(length: number, count: number, index: number): [number, number] {
  return [Math.floor((length * index) / count), Math.floor((length * (index + 1)) / count)];
}

function lengthOf([start, end]: readonly [number, number]): number {
  return end - start;
}

/**
 * Checks that every rank would have cells.
 *
 * @throws {@link DaosError} `DER_INVAL` if there are more ranks than cells along a dimension.
 */
export function requireCells(shape: Triple, ranks: number): void {
  const dims = dimsCreate(ranks, 3);
  if (dims.every((count, i) => count <= (shape[i] as number))) return;
  throw new DaosError("DER_INVAL", {
    what: `Dividing a box of ${shape.join(" x ")} cells over ${dims.join(" x ")} ranks`,
    why: "some ranks would have no cells",
    remedy: "start fewer ranks, or choose a larger box",
  });
}
