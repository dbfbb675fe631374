/**
 * The cases of the suite `mpi-io`: who writes which bytes, how they are read back, and what is to be reached.
 *
 * @module
 */

import { Datatype } from "daos-ts/mpi-io";

/** What is timed, each from open to close. */
export type Phase = "write" | "read" | "read again" | "read other" | "read other, aggregated";

/** Calls that may be compared: `each` is one per record, independent or collective. */
export type Calls = "each" | "each, collective" | "one";

/** What should be reached at four ranks; null or absent where nothing is set. */
export interface Target {
  /** Against the best of the libraries. */
  readonly native?: number;
  /** Against a file per process. */
  readonly limit?: number;
}

/** A case. */
export interface Case {
  readonly name: string;
  readonly calls: Calls;
  readonly shape: "segmented" | "strided" | "blocks";
  /** Bytes of a record; of `blocks`, numbers along one side of the cube. */
  readonly unit: number;
  /** Bytes of all ranks together; of `blocks`, the cube's. */
  readonly total: number;
  /** Axes that are split first, the slowest is 0; of `blocks` only. */
  readonly axes?: readonly number[];
  /** Whether the bytes are on the device when a write returns. */
  readonly isDurable?: boolean;
  readonly phases: Readonly<Partial<Record<Phase, Target>>>;
}

const MIB = 2 ** 20;
const LARGE = 512 * MIB;
const SMALL = 64 * MIB;
const HARD = 47_008;

/** All cases, by their names. */
export const CASES: readonly Case[] = [
  {
    name: "easy",
    calls: "each",
    shape: "segmented",
    unit: MIB,
    total: LARGE,
    phases: {
      write: { native: 2, limit: 0.9 },
      read: { native: 0.75 },
      "read again": { native: 0.95 },
    },
  },
  {
    name: "hard",
    calls: "each",
    shape: "strided",
    unit: HARD,
    total: LARGE,
    phases: {
      write: { native: 4, limit: 0.7 },
      read: { native: 1 },
      "read other": { native: 0.8 },
    },
  },
  {
    name: "hard, one call",
    calls: "one",
    shape: "strided",
    unit: HARD,
    total: LARGE,
    phases: { write: { native: 3, limit: 0.9 }, read: { native: 1.2 } },
  },
  {
    name: "4 KiB",
    calls: "each",
    shape: "strided",
    unit: 4096,
    total: SMALL,
    phases: {
      write: { native: 2.5 },
      read: { native: 1 },
      "read other": { native: 0.5 },
      "read other, aggregated": { native: 0.9 },
    },
  },
  {
    name: "4 KiB, one call",
    calls: "one",
    shape: "strided",
    unit: 4096,
    total: SMALL,
    phases: { write: { native: 3, limit: 0.9 }, read: { native: 1.2 } },
  },
  {
    name: "1 KiB, collective",
    calls: "each, collective",
    shape: "strided",
    unit: 1024,
    total: SMALL,
    phases: {
      write: { native: 8 },
      read: { native: 8 },
      "read other": { native: 0.5 },
      "read other, aggregated": { native: 0.9 },
    },
  },
  {
    name: "1 KiB, one call",
    calls: "one",
    shape: "strided",
    unit: 1024,
    total: SMALL,
    phases: { write: { native: 3, limit: 0.9 }, read: { native: 1.5 } },
  },
  {
    name: "256^3, one call",
    calls: "one",
    shape: "blocks",
    unit: 256,
    total: 256 ** 3 * 8,
    axes: [0, 1],
    phases: { write: { native: 2.5, limit: 0.8 }, read: { native: 1 } },
  },
  {
    name: "400^3, one call",
    calls: "one",
    shape: "blocks",
    unit: 400,
    total: 400 ** 3 * 8,
    axes: [2, 1],
    phases: {
      write: { native: 4, limit: 0.9 },
      read: { native: 2 },
      "read other": { native: 0.5 },
    },
  },
  {
    name: "hard, durable",
    calls: "each",
    shape: "strided",
    unit: HARD,
    total: LARGE,
    isDurable: true,
    phases: { write: { native: 2, limit: 1.1 } },
  },
  {
    name: "400^3, one call, durable",
    calls: "one",
    shape: "blocks",
    unit: 400,
    total: 400 ** 3 * 8,
    axes: [2, 1],
    isDurable: true,
    phases: { write: { native: 1.5, limit: 1.1 } },
  },
];

/** What a rank moves: records at places of the file, or all at once through a view. */
export interface Access {
  /** Bytes of this rank. */
  readonly size: number;
  /** Bytes of a call. */
  readonly record: number;
  /** Place of a record in the file, in bytes; the place in the view if there is one. */
  readonly placeOf: (index: number) => number;
  readonly view?: { readonly displacement: number; readonly filetype: Datatype };
}

/** The part of a cube that a rank has: the axes are halved in turn. */
function blockOf(side: number, axes: readonly number[], rank: number, ranks: number) {
  const counts = [side, side, side];
  const starts = [0, 0, 0];
  for (let left = ranks, at = 0, bit = rank; left > 1; left /= 2, at += 1, bit >>= 1) {
    const axis = axes[at % axes.length] as number;
    counts[axis] = (counts[axis] as number) / 2;
    if ((bit & 1) === 1) starts[axis] = (starts[axis] as number) + (counts[axis] as number);
  }
  return { counts, starts };
}

/** A rank's bytes of a case. `ranks` is a power of two. */
export function accessOf(of: Case, total: number, rank: number, ranks: number): Access {
  const { shape, unit, calls } = of;
  if (shape === "blocks") {
    const side = Math.round((total / 8) ** (1 / 3));
    const { counts, starts } = blockOf(side, of.axes as readonly number[], rank, ranks);
    const cube = [side, side, side];
    const filetype = Datatype.subarray(cube, counts, starts, "C", Datatype.DOUBLE);
    const size = counts.reduce((product, count) => product * count, 8);
    return { size, record: size, placeOf: () => 0, view: { displacement: 0, filetype } };
  }
  const count = Math.ceil(total / unit / ranks);
  const size = count * unit;
  if (shape === "segmented") return { size, record: unit, placeOf: (i) => rank * size + i * unit };
  if (calls !== "one") {
    return { size, record: unit, placeOf: (i) => (i * ranks + rank) * unit };
  }
  const filetype = Datatype.vector(count, unit, unit * ranks, Datatype.BYTE);
  const view = { displacement: rank * unit, filetype };
  return { size, record: size, placeOf: () => 0, view };
}

/** Another decomposition of the same file: as many contiguous parts as there are ranks. */
export function slabOf(size: number, rank: number): Access {
  // A call moves a part, as a restart reads its own; 64 MiB at most, so that all peers can.
  const record = Math.min(size, 64 * MIB);
  const start = rank * size;
  return { size, record, placeOf: (i) => start + i * record };
}
