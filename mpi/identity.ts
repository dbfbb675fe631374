/**
 * Identity: who a process is among the processes of its job.
 *
 * @module
 */

/** A process's place in its job. */
export interface Identity {
  /** Name of the job, equal on all its ranks; "" where the launcher gives it none. */
  readonly namespace: string;
  /** From 0 to size - 1. */
  readonly rank: number;
  /** Number of processes in the job. */
  readonly size: number;
  /** Rank among the processes of the job on this node, from 0. */
  readonly localRank: number;
  /** Number of processes of the job on this node. */
  readonly localSize: number;
  /** Ranks of the job on this node, ascending, this one included. */
  readonly localPeers: readonly number[];
  /** Name of the node. */
  readonly node: string;
}
