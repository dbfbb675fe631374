/**
 * Group: an ordered set of processes, in plain TypeScript.
 *
 * A process is known by its rank in the job (MPI_COMM_WORLD), so that groups of different communicators can be
 * compared and combined without a library. Immutable; there is nothing to free.
 *
 * @module
 */

import { MpiError } from "../errors.js";

/** Whether two groups have the same processes: in the same order, in another one, or not. */
export type GroupComparison = "identical" | "similar" | "unequal";

/** Ranks from, to (inclusive) and by a stride. */
export type RankRange = readonly [first: number, last: number, stride: number];

/** An ordered set of processes. */
export class Group {
  /** The group of nobody (MPI_GROUP_EMPTY). */
  static readonly EMPTY = new Group([], -1);

  /** The processes, by their ranks in the job. */
  readonly processes: readonly number[];
  // `private`, not `#`: TypeScript 6.0 miscompiles a class whose static fields and #methods both name the class.
  private readonly self: number;

  /**
   * @param processes Ranks in the job, each once.
   * @param self This process's rank in the job.
   * @internal
   */
  constructor(processes: readonly number[], self: number) {
    this.processes = processes;
    this.self = self;
  }

  /** Number of processes. @mpi MPI_Group_size */
  get size(): number {
    return this.processes.length;
  }

  /** This process's rank in the group; undefined if it is none of it. @mpi MPI_Group_rank */
  get rank(): number | undefined {
    const rank = this.processes.indexOf(this.self);
    return rank < 0 ? undefined : rank;
  }

  /** All of this group, then what only the other one has. @mpi MPI_Group_union */
  union(other: Group): Group {
    const own = new Set(this.processes);
    return this.of([...this.processes, ...other.processes.filter((one) => !own.has(one))]);
  }

  /** What both have, in the order of this one. @mpi MPI_Group_intersection */
  intersection(other: Group): Group {
    const others = new Set(other.processes);
    return this.of(this.processes.filter((one) => others.has(one)));
  }

  /** What only this one has. @mpi MPI_Group_difference */
  difference(other: Group): Group {
    const others = new Set(other.processes);
    return this.of(this.processes.filter((one) => !others.has(one)));
  }

  /**
   * Some processes, in the order given.
   *
   * @throws {@link MpiError} `MPI_ERR_RANK` for a rank that the group does not have, or one given twice; so do
   *   the calls below.
   * @mpi MPI_Group_incl
   */
  incl(ranks: readonly number[]): Group {
    this.requireRanks("MPI_Group_incl", ranks);
    return this.of(ranks.map((rank) => this.processes[rank] as number));
  }

  /** All but some processes. @mpi MPI_Group_excl */
  excl(ranks: readonly number[]): Group {
    this.requireRanks("MPI_Group_excl", ranks);
    const left = new Set(ranks);
    return this.of(this.processes.filter((_, rank) => !left.has(rank)));
  }

  /** As `incl`, of ranges. @mpi MPI_Group_range_incl */
  rangeIncl(ranges: readonly RankRange[]): Group {
    return this.incl(ranges.flatMap(ranksOf));
  }

  /** As `excl`, of ranges. @mpi MPI_Group_range_excl */
  rangeExcl(ranges: readonly RankRange[]): Group {
    return this.excl(ranges.flatMap(ranksOf));
  }

  /**
   * The ranks that processes have in another group; undefined for one that it does not have.
   *
   * @mpi MPI_Group_translate_ranks
   */
  translateRanks(ranks: readonly number[], other: Group): (number | undefined)[] {
    this.requireRanks("MPI_Group_translate_ranks", ranks, true);
    return ranks.map((rank) => {
      const found = other.processes.indexOf(this.processes[rank] as number);
      return found < 0 ? undefined : found;
    });
  }

  /** Whether another group has the same processes. @mpi MPI_Group_compare */
  compare(other: Group): GroupComparison {
    if (this.size !== other.size) return "unequal";
    if (this.processes.every((one, rank) => other.processes[rank] === one)) return "identical";
    return this.difference(other).size === 0 ? "similar" : "unequal";
  }

  private of(processes: readonly number[]): Group {
    return new Group(processes, this.self);
  }

  private requireRanks(call: string, ranks: readonly number[], mayRepeat = false): void {
    const wrong = ranks.find((rank) => !Number.isInteger(rank) || rank < 0 || rank >= this.size);
    const why =
      wrong !== undefined
        ? `rank ${wrong} is not in a group of ${this.size}`
        : !mayRepeat && new Set(ranks).size < ranks.length
          ? "a rank is given twice"
          : undefined;
    if (why !== undefined) throw new MpiError({ code: "MPI_ERR_RANK", call, why });
  }
}

function ranksOf([first, last, stride]: RankRange): number[] {
  const steps = Math.floor((last - first) / stride);
  if (!Number.isInteger(stride) || stride === 0 || !Number.isFinite(steps)) {
    const why = `[${first}, ${last}, ${stride}] is no range of ranks`;
    throw new MpiError({ code: "MPI_ERR_ARG", call: "MPI_Group_range_incl", why });
  }
  return Array.from({ length: Math.max(0, steps + 1) }, (_, i) => first + i * stride);
}
