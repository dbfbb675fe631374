/**
 * Bootstrap: what every process of a job starts from: who it is, who leads its node, and how it tells
 * the others its address.
 *
 * From PMIx where it is there, without MPI; else from the launcher's environment; else this process is
 * alone.
 *
 * @module
 */

import { hostname } from "node:os";
import type { Communicator } from "./communicator.js";
import { world } from "./environment.js";
import { MpiError } from "./errors.js";
import type { Identity } from "./identity.js";
import type { Launcher } from "./launcher.js";
import { launcherOfProcess } from "./library.js";
import { bytesOfObject, objectOfBytes } from "./objects/object-codec.js";
import { Pmix } from "./pmix.js";

/** Longest business card, in bytes. */
const CARD_SIZE_MAX = 1 << 20;

/** The job that a process belongs to. */
export interface Job {
  /** Where the identity comes from. */
  readonly source: "pmix" | "environment" | "single";
  /** Who this process is. */
  readonly identity: Identity;
  /** Whether this process has the lowest rank of its node, and does the node's background work. */
  readonly isNodeLeader: boolean;
  /**
   * Gives every process the cards of all. Collective: same number of calls on every rank.
   *
   * Without PMIx it uses MPI, which it starts if need be.
   *
   * @param card What the others need to know of this process, at most 1 MiB; copied.
   * @returns The cards by rank, this one included; the caller owns them.
   * @throws {@link MpiError} `MPI_ERR_COUNT` for a longer card; what PMIx or MPI reports.
   */
  exchange(card: Uint8Array): Uint8Array[];
  /**
   * As `exchange`, of values that `structuredClone` copies.
   *
   * @throws {@link MpiError} `MPI_ERR_TYPE` for another value: all ranks take part first, and those whose value is sound
   *   throw it, too.
   */
  exchangeObjects<T>(card: T): T[];
}

let job: Job | undefined;

/**
 * Finds out about this process's job; the same answer every time.
 *
 * Collective in a job without PMIx that spans several nodes; local otherwise.
 *
 * @throws {@link MpiError} What PMIx or MPI reports.
 *
 * @example
 * ```ts
 * const job = bootstrap();
 * const addresses = job.exchange(new TextEncoder().encode(`port ${port}`));
 * if (job.isNodeLeader) startBackgroundWork();
 * ```
 */
export function bootstrap(): Job {
  job ??= findJob();
  return job;
}

function findJob(): Job {
  if (process.env.DAOS_MPI_FAMILY === "solo") return singleJob();
  const launcher = launcherOfProcess();
  // Variables of an outer PMIx job are inherited by ranks of an inner mpiexec.
  const pmix = launcher?.family === "mpich" ? undefined : joinPmix();
  if (pmix) return pmixJob(pmix);
  return launcher ? environmentJob(launcher) : singleJob();
}

/** PMIx, unless it is not there or its server does not answer. */
function joinPmix(): Pmix | undefined {
  if (!Pmix.isAvailable()) return undefined;
  try {
    return Pmix.init();
  } catch (error) {
    if (error instanceof MpiError && error.call === "PMIx_Init") return undefined;
    throw error;
  }
}

function makeJob(
  source: Job["source"],
  identity: Identity,
  exchange: (card: Uint8Array) => Uint8Array[],
): Job {
  const exchangeObjects = <T>(card: T): T[] => {
    const call = "Exchanging cards";
    let own: Uint8Array = new Uint8Array(0);
    let failure: unknown;
    try {
      own = bytesOfObject(call, card);
      requireShort(own);
    } catch (error) {
      failure = error;
      own = new Uint8Array(0);
    }
    const cards = exchange(own);
    if (failure) throw failure;
    return cards.map((bytes) => objectOfBytes(call, bytes) as T);
  };
  return {
    source,
    identity,
    isNodeLeader: identity.localRank === 0,
    exchangeObjects,
    exchange(card) {
      requireShort(card);
      return exchange(card);
    },
  };
}

function requireShort(card: Uint8Array): void {
  if (card.byteLength <= CARD_SIZE_MAX) return;
  throw new MpiError({
    code: "MPI_ERR_COUNT",
    call: "Exchanging cards",
    why: `a card of ${card.byteLength} bytes is longer than ${CARD_SIZE_MAX}`,
    remedy: "Exchange an address under which the rest can be read",
  });
}

function pmixJob(pmix: Pmix): Job {
  let exchanges = 0;
  return makeJob("pmix", pmix.identity, (card) => {
    const key = `node-mpi.card.${exchanges}`;
    exchanges += 1;
    // PMIx has no empty values: one byte of padding goes along.
    const padded = new Uint8Array(card.byteLength + 1);
    padded.set(card);
    pmix.put(key, padded);
    pmix.commit();
    pmix.fence({ collect: true });
    return Array.from({ length: pmix.identity.size }, (_, rank) => {
      const found = pmix.get(key, rank);
      if (found) return found.slice(0, -1);
      const why = `rank ${rank} left the exchange without a card`;
      throw new MpiError({ code: "PMIX_ERR_NOT_FOUND", call: "PMIx_Get", why });
    });
  });
}

function singleJob(): Job {
  const identity: Identity = {
    namespace: "",
    rank: 0,
    size: 1,
    localRank: 0,
    localSize: 1,
    localPeers: [0],
    node: hostname(),
  };
  return makeJob("single", identity, (card) => [Uint8Array.from(card)]);
}

function environmentJob(launcher: Launcher): Job {
  const { rank } = launcher;
  const size = launcher.size ?? world().size;
  const localPeers =
    launcher.localSize === size
      ? Array.from({ length: size }, (_, peer) => peer)
      : ranksOfNode(world());
  const identity: Identity = {
    namespace: process.env.PMIX_NAMESPACE ?? process.env.SLURM_JOB_ID ?? "",
    rank,
    size,
    localRank: localPeers.indexOf(rank),
    localSize: localPeers.length,
    localPeers,
    node: hostname(),
  };
  return makeJob("environment", identity, (card) => exchangeOverMpi(world(), card));
}

/** Ranks in `comm` of the processes that share memory with this one, ascending. */
function ranksOfNode(comm: Communicator): number[] {
  const node = comm.splitShared();
  const ranks = new Int32Array(node.size);
  node.allgather(Int32Array.of(comm.rank), ranks);
  node.free();
  return [...ranks].sort((a, b) => a - b);
}

function exchangeOverMpi(comm: Communicator, card: Uint8Array): Uint8Array[] {
  const sizes = new Int32Array(comm.size);
  comm.allgather(Int32Array.of(card.byteLength), sizes);
  const all = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  comm.allgatherv(card, all, sizes);
  let start = 0;
  return Array.from(sizes, (size) => {
    start += size;
    return all.slice(start - size, start);
  });
}
