/**
 * The roll: which processes the job has and on which nodes, told by PMIx before MPI starts.
 *
 * Each process gives the others its card; the same exchange would carry the addresses of engines.
 *
 * @module
 */

import { bootstrap } from "node-mpi-bindings";

/** Who takes part in a job. */
export interface Roll {
  /** Rank of this process in the job. */
  readonly rank: number;
  /** Where the processes know each other from: "pmix", "environment" or "single". */
  readonly source: string;
  /** Names of the nodes, sorted. */
  readonly nodes: readonly string[];
  /** Process ids, by rank. */
  readonly pids: readonly number[];
}

/** Exchanges cards with all processes of the job. Collective. */
export function callRoll(): Roll {
  const job = bootstrap();
  const { rank, node } = job.identity;
  const cards = job
    .exchange(Buffer.from(`${process.pid} ${node}`))
    .map((card) => Buffer.from(card).toString().split(" ") as [string, string]);
  const nodes = [...new Set(cards.map(([, name]) => name))].sort();
  return { rank, source: job.source, nodes, pids: cards.map(([pid]) => Number(pid)) };
}
