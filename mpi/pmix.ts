/**
 * PMIx: who this process is in its job, and a key-value exchange with the others, without MPI.
 *
 *     put(key, bytes) -> commit() -> fence({ collect: true }) -> get(key, rank)
 *
 * Works with or without MPI in the same process, in either order. A process that has started PMIx and
 * exits without ending it takes its whole job down, so it is ended at exit (see lifecycle.ts).
 *
 * Main thread only. All calls block.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { isMainThread } from "node:worker_threads";
import { MpiError } from "./errors.js";
import type { Identity } from "./identity.js";
import { buildFolder, loadAddon } from "./library.js";
import { endRuntime, type Runtime, registerRuntime } from "./lifecycle.js";

/** The functions of the PMIx addon (native/pmix.c). */
interface NativePmix {
  init(): [namespace: string, rank: number];
  finalize(): void;
  get(
    key: string,
    rank: number | undefined,
    timeoutSeconds: number,
  ): ArrayBuffer | string | number | undefined;
  put(key: string, bytes: Uint8Array): void;
  commit(): void;
  fence(collect: boolean, ranks: Int32Array | undefined): void;
  publish(key: string, bytes: Uint8Array, range: number): void;
  lookup(
    key: string,
    range: number,
  ): [value: ArrayBuffer | string | number, namespace: string, rank: number] | undefined;
  unpublish(key: string, range: number): void;
  abort(status: number, message: string): void;
  version(): string;
  hide(hidden: boolean): void;
}

/** Names that the PMIx standard gives to properties of a job or a process. */
const Key = {
  JOB_SIZE: "pmix.job.size",
  LOCAL_PEERS: "pmix.lpeers",
  LOCAL_RANK: "pmix.lrank",
  HOSTNAME: "pmix.hname",
  UNIVERSE_SIZE: "pmix.univ.size",
  NODE_COUNT: "pmix.num.nodes",
  APP_NUMBER: "pmix.appnum",
} as const;

/** Ranges of what is published, in the order of the addon's table (pmix.c). DO NOT REORDER. */
const PUBLISH_RANGES = ["namespace", "session", "global"] as const;

/** Who sees what is published: this job, all jobs of the launcher or allocation, or everybody. */
export type PublishRange = (typeof PUBLISH_RANGES)[number];

/** Something that a process has published. */
export interface Published {
  /** A copy of the bytes. */
  readonly bytes: Uint8Array;
  /** Job of the process that published it. */
  readonly namespace: string;
  /** Its rank there. */
  readonly rank: number;
}

/** What a launcher tells of a job beside its {@link Identity}. */
export interface JobFacts {
  /** Processes that the launcher could start altogether; undefined if it does not say. */
  readonly universeSize: number | undefined;
  /** Nodes of the job; undefined if the launcher does not say. */
  readonly nodeCount: number | undefined;
  /** Which program of the command line this process runs, from 0; undefined if the launcher does not say. */
  readonly appNumber: number | undefined;
}

/** Longest sleep between two lookups, in milliseconds. */
const LOOKUP_INTERVAL_MS_MAX = 50;

/** How long to wait for a property of the job, which the server has or has not, in seconds. */
const PROPERTY_TIMEOUT_SECONDS = 5;
/** How long to wait for a key that another process puts, in seconds. */
const GET_TIMEOUT_SECONDS = 30;

const REMEDIES: Readonly<Record<string, string>> = {
  PMIX_ERR_TIMEOUT: "Make sure that the other process puts and commits the key before the fence",
  PMIX_ERR_UNREACH: "Start with mpirun of Open MPI, or with srun --mpi=pmix",
  PMIX_ERR_DUPLICATE_KEY: "Use another name, or unpublish the old value first",
  PMIX_ERR_NOT_SUPPORTED: "Start with mpirun of Open MPI, or exchange it with put() and get()",
  PMIX_ERR_INIT: "Use Pmix before its finalize()",
};

let current: Pmix | undefined;
let ended = false;

/** This process as a client of its job's PMIx server. */
export class Pmix {
  /** Who this process is. */
  readonly identity: Identity;
  readonly #native: NativePmix;
  readonly #runtime: Runtime;
  /** Range of each name that this process has published. */
  readonly #published = new Map<string, number>();

  private constructor(native: NativePmix) {
    this.#native = native;
    const [namespace, rank] = attempt("PMIx_Init", () => native.init());
    this.#runtime = {
      finalize: () => attempt("PMIx_Finalize", () => native.finalize()),
      isShared: true,
      abort: undefined, // A status that is not 0 makes the launcher end the job.
      who: `rank ${rank}`,
    };
    registerRuntime(this.#runtime);
    this.identity = readIdentity(native, namespace, rank);
  }

  /** Whether a PMIx server started this process and the addon is built. */
  static isAvailable(): boolean {
    const names = Object.keys(process.env);
    return (
      isMainThread &&
      !ended &&
      process.env.PMIX_NAMESPACE !== undefined &&
      process.env.PMIX_RANK !== undefined &&
      names.some((name) => name.startsWith("PMIX_SERVER_URI")) &&
      existsSync(addonPath())
    );
  }

  /**
   * Joins the job's PMIx server; does nothing if it has been joined.
   *
   * @throws {@link MpiError} `PMIX_NOT_BUILT`, `PMIX_NO_SERVER` if no PMIx launcher started this
   *   process or it has been left by `finalize`, or what PMIx_Init reports.
   */
  static init(): Pmix {
    if (current) return current;
    if (!existsSync(addonPath())) {
      throw new MpiError({
        code: "PMIX_NOT_BUILT",
        call: "PMIx_Init",
        why: "the PMIx addon has not been built",
        remedy: "Install PMIx (Debian: libpmix-dev) and run node-mpi-setup",
      });
    }
    if (!Pmix.isAvailable()) {
      throw new MpiError({
        code: "PMIX_NO_SERVER",
        call: "PMIx_Init",
        why: ended ? "PMIx has been finalized" : "no PMIx launcher started this thread's process",
        remedy:
          "Call it once, on the main thread of a process started by mpirun or srun --mpi=pmix",
      });
    }
    current = new Pmix(loadAddon(addonPath(), "PMIX_NOT_BUILT") as NativePmix);
    return current;
  }

  /**
   * Starts a library that starts PMIx itself, and must not be told that it has been started.
   *
   * @internal
   */
  static hiddenDuring<T>(run: () => T): T {
    if (current === undefined) return run();
    const native = current.#native;
    native.hide(true);
    try {
      return run();
    } finally {
      native.hide(false);
    }
  }

  /** Version of the PMIx library. */
  get version(): string {
    return this.#native.version();
  }

  /**
   * Stages bytes for the other processes; they are copied.
   *
   * @param key At most 511 bytes.
   */
  put(key: string, bytes: Uint8Array): void {
    const copy = Uint8Array.from(bytes); // A Buffer or a view of another realm becomes plain.
    attempt("PMIx_Put", () => this.#native.put(key, copy));
  }

  /** Publishes what has been put since the last commit. */
  commit(): void {
    attempt("PMIx_Commit", () => this.#native.commit());
  }

  /**
   * Waits until all processes of the job have come here. Collective.
   *
   * @param options `collect`: also fetch what all have committed, so that `get` asks nobody. `ranks`: wait for these
   *   processes only, which make the same call.
   * @throws {@link MpiError} `MPI_ERR_RANK` for ranks that the job does not have, or without this one.
   */
  fence(options: { readonly collect?: boolean; readonly ranks?: readonly number[] } = {}): void {
    const { collect = false, ranks } = options;
    if (ranks !== undefined) {
      for (const rank of ranks) this.#requireRank("PMIx_Fence", rank);
      if (!ranks.includes(this.identity.rank) || new Set(ranks).size < ranks.length) {
        const why = `the ranks are ${ranks.join(", ")}, not this one (${this.identity.rank}) and others once each`;
        throw new MpiError({ code: "MPI_ERR_RANK", call: "PMIx_Fence", why });
      }
    }
    const list = ranks && Int32Array.from(ranks);
    attempt("PMIx_Fence", () => this.#native.fence(collect, list));
  }

  /**
   * Publishes bytes under a name that other jobs can look up, too, until this process ends or takes them back.
   *
   * @param key At most 511 bytes; not in use yet.
   * @param options `range`: who sees it; default "session".
   * @throws {@link MpiError} `PMIX_ERR_DUPLICATE_KEY`, `PMIX_ERR_NOT_SUPPORTED` by some launchers.
   */
  publish(key: string, bytes: Uint8Array, options: { readonly range?: PublishRange } = {}): void {
    const range = rangeIndex("PMIx_Publish", options.range);
    if (this.#published.has(key)) {
      const why = `"${key}" has been published by this process`;
      throw new MpiError({ code: "PMIX_ERR_DUPLICATE_KEY", call: "PMIx_Publish", why });
    }
    // PMIx has no empty values: one byte of padding goes along.
    const padded = new Uint8Array(bytes.byteLength + 1);
    padded.set(bytes);
    attempt("PMIx_Publish", () => this.#native.publish(key, padded, range));
    this.#published.set(key, range);
  }

  /**
   * Looks up what a process has published.
   *
   * @param options `range`: as it was published; default "session". `timeoutSeconds`: how long to wait for it; default
   *   0, not at all.
   * @returns Undefined if there is nothing of this name.
   */
  lookup(
    key: string,
    options: { readonly range?: PublishRange; readonly timeoutSeconds?: number } = {},
  ): Published | undefined {
    const range = rangeIndex("PMIx_Lookup", options.range);
    const end = performance.now() + 1000 * (options.timeoutSeconds ?? 0);
    for (let sleepMs = 1; ; sleepMs = Math.min(2 * sleepMs, LOOKUP_INTERVAL_MS_MAX)) {
      const found = attempt("PMIx_Lookup", () => this.#native.lookup(key, range));
      if (found !== undefined) {
        const [value, namespace, rank] = found;
        return { bytes: bytesOfValue(value).slice(0, -1), namespace, rank };
      }
      if (performance.now() >= end) return undefined;
      sleep(sleepMs);
    }
  }

  /** Takes back what this process has published under a name; does nothing if it has not. */
  unpublish(key: string): void {
    const range = this.#published.get(key);
    if (range === undefined) return;
    attempt("PMIx_Unpublish", () => this.#native.unpublish(key, range));
    this.#published.delete(key);
  }

  /** What the launcher tells of the job. */
  jobFacts(): JobFacts {
    const ask = (key: string, rank?: number) => {
      const value = attempt("PMIx_Get", () =>
        this.#native.get(key, rank, PROPERTY_TIMEOUT_SECONDS),
      );
      return typeof value === "number" ? value : undefined;
    };
    return {
      universeSize: ask(Key.UNIVERSE_SIZE),
      nodeCount: ask(Key.NODE_COUNT),
      appNumber: ask(Key.APP_NUMBER, this.identity.rank),
    };
  }

  /**
   * Reads what a process has committed under a key.
   *
   * @param options `timeoutSeconds`: how long to wait for it, in whole seconds; default 30.
   * @returns A copy; undefined if the process is there and has no such key.
   * @throws {@link MpiError} `PMIX_ERR_TIMEOUT`.
   */
  get(
    key: string,
    rank: number,
    options: { readonly timeoutSeconds?: number } = {},
  ): Uint8Array | undefined {
    this.#requireRank("PMIx_Get", rank);
    const timeoutSeconds = Math.ceil(options.timeoutSeconds ?? GET_TIMEOUT_SECONDS);
    const value = attempt("PMIx_Get", () => this.#native.get(key, rank, timeoutSeconds));
    return value === undefined ? undefined : bytesOfValue(value);
  }

  /** Ends all processes of the job with this status. */
  abort(status: number, message = "aborted"): never {
    attempt("PMIx_Abort", () => this.#native.abort(status, message));
    process.exit(status);
  }

  /** Leaves the server now instead of at exit. Collective. Does nothing the second time. */
  finalize(): void {
    if (current !== this) return;
    current = undefined;
    ended = true;
    endRuntime(this.#runtime);
  }

  #requireRank(call: string, rank: number): void {
    const { size } = this.identity;
    if (Number.isInteger(rank) && rank >= 0 && rank < size) return;
    const why = `rank ${rank} is not in a job of ${size}`;
    throw new MpiError({ code: "MPI_ERR_RANK", call, why });
  }
}

function bytesOfValue(value: ArrayBuffer | string | number): Uint8Array {
  if (typeof value === "object") return new Uint8Array(value);
  return new TextEncoder().encode(String(value));
}

function rangeIndex(call: string, range: PublishRange = "session"): number {
  const index = PUBLISH_RANGES.indexOf(range);
  if (index >= 0) return index;
  const why = `"${String(range)}" is no range`;
  const remedy = `Use one of ${PUBLISH_RANGES.join(", ")}`;
  throw new MpiError({ code: "MPI_ERR_ARG", call, why, remedy });
}

/** Blocks the thread, as calls of PMIx do. */
function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function addonPath(): string {
  return `${buildFolder()}/pmix.node`;
}

/** Runs a native call; its failure becomes an MpiError. */
function attempt<T>(call: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const { code = "PMIX_ERROR", message } = cause as { code?: string; message: string };
    const remedy = REMEDIES[code];
    const details = { code, call, why: message, cause };
    throw new MpiError(remedy === undefined ? details : { ...details, remedy });
  }
}

function readIdentity(native: NativePmix, namespace: string, rank: number): Identity {
  const ask = (key: string, of?: number) =>
    attempt("PMIx_Get", () => native.get(key, of, PROPERTY_TIMEOUT_SECONDS));
  const size = Number(ask(Key.JOB_SIZE) ?? 1);
  const peers = String(ask(Key.LOCAL_PEERS) ?? rank);
  const localPeers = peers
    .split(",")
    .map(Number)
    .sort((a, b) => a - b);
  const localRank = Number(ask(Key.LOCAL_RANK, rank) ?? localPeers.indexOf(rank));
  const node = String(ask(Key.HOSTNAME, rank) ?? hostname());
  return { namespace, rank, size, localRank, localSize: localPeers.length, localPeers, node };
}
