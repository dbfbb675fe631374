/**
 * Environment: starting and ending MPI, and the two communicators that are always there.
 *
 * `world()` starts MPI on first use, if a launcher started this process. A process that was started
 * alone gets the solo communicator and needs no MPI; `init()` insists on the library there, too.
 * DAOS_MPI_FAMILY=solo keeps a process out of its launcher's job: for children of a rank.
 *
 * MPI is finalized when the process exits (see lifecycle.ts); `finalize()` does it earlier.
 *
 * @module
 */

import { hostname } from "node:os";
import { isMainThread } from "node:worker_threads";
import type { Communicator } from "./communicator.js";
import { THREAD_LEVELS, type ThreadLevel } from "./constants.js";
import { MpiError } from "./errors.js";
import { launcherOfProcess, loadLibrary, requireWholeJob } from "./library.js";
import {
  endRuntime,
  isFinalized,
  markFinalized,
  type Runtime,
  registerRuntime,
} from "./lifecycle.js";
import { attach, detach, SOLO_BSEND_OVERHEAD } from "./messages/bsend-buffer.js";
import { NativeCommunicator } from "./native-communicator.js";
import { type Handle, type MpiLibrary, Phase } from "./native-mpi.js";
import { Pmix } from "./pmix.js";
import { hasConnected, markConnected } from "./processes/native-processes.js";
import { SoloCommunicator } from "./solo-communicator.js";

/** MPI as this thread uses it. */
interface Started {
  /** Undefined: solo, without a library. */
  readonly library: MpiLibrary | undefined;
  /** Who spawned this job, if anybody did. */
  readonly parent: Handle | undefined;
  readonly world: Communicator;
  readonly self: Communicator;
  readonly threadLevel: ThreadLevel;
  /** Undefined where this thread did not start MPI, and so does not end it. */
  readonly runtime: Runtime | undefined;
}

/** Node reads a clock that counts nanoseconds. */
const SOLO_WTICK = 1e-9;

let started: Started | undefined;

/** How MPI is started. */
export interface InitOptions {
  /** Thread support to ask for; default "multiple", which lets worker threads call MPI. */
  readonly threadLevel?: ThreadLevel;
}

/**
 * Starts MPI, with a library even if this process was started alone. Collective over the job. Does
 * nothing if MPI runs already.
 *
 * @returns The thread support that the library provides.
 * @throws {@link MpiError} `MPI_NOT_BUILT`, `MPI_WRONG_LAUNCHER`, `MPI_FINALIZED`, or what MPI_Init
 *   reports.
 * @mpi MPI_Init, MPI_Init_thread, MPI_Query_thread
 */
export function init(options: InitOptions = {}): ThreadLevel {
  requireNotFinalized("MPI_Init_thread");
  if (isSoloForced()) return start().threadLevel;
  if (!started?.library) started = startNative(options.threadLevel ?? "multiple");
  return started.threadLevel;
}

/**
 * All ranks of the job; of one rank if the process was started alone. Starts MPI on first use.
 *
 * @throws {@link MpiError} As `init`.
 *
 * @example
 * ```ts
 * const comm = world();
 * const sum = new Float64Array(1);
 * comm.allreduce(Float64Array.of(comm.rank), sum, Op.SUM);
 * ```
 */
export function world(): Communicator {
  return start().world;
}

/** This rank alone. Starts MPI on first use. @throws {@link MpiError} As `init`. */
export function self(): Communicator {
  return start().self;
}

/**
 * The library that runs, and the handle of who spawned this job. Starts MPI on first use.
 *
 * @internal
 */
export function runningLibrary(): {
  readonly library: MpiLibrary | undefined;
  readonly parent: Handle | undefined;
} {
  return start();
}

/** Whether MPI is running in this thread, solo included. @mpi MPI_Initialized, MPI_Finalized */
export function isInitialized(): boolean {
  return started !== undefined && !isFinalized();
}

/**
 * Ends MPI now instead of at exit. Collective over the job. Does nothing the second time.
 *
 * Communicators and requests are useless afterwards (`MPI_FINALIZED`), and MPI cannot start again.
 *
 * @mpi MPI_Finalize
 */
export function finalize(): void {
  if (isFinalized()) return;
  markFinalized();
  if (started?.runtime) endRuntime(started.runtime);
}

/** Seconds since a fixed time in the past, the same one for the life of the process. @mpi MPI_Wtime */
export function wtime(): number {
  return start().library?.native.wtime() ?? performance.now() / 1000;
}

/** Seconds between two values of {@link wtime} that differ: the resolution of its clock. @mpi MPI_Wtick */
export function wtick(): number {
  return start().library?.native.wtick() ?? SOLO_WTICK;
}

/** Name of the processor, in most cases that of the node. @mpi MPI_Get_processor_name */
export function processorName(): string {
  return start().library?.native.processorName() ?? hostname();
}

/**
 * What the library says of itself, in one or several lines; "solo" without a library.
 *
 * @mpi MPI_Get_library_version
 */
export function libraryVersion(): string {
  return start().library?.native.libraryVersion().trim() ?? "solo";
}

/** A version of the MPI standard. */
export interface StandardVersion {
  /** As 3 in MPI 3.1. */
  readonly major: number;
  /** As 1 in MPI 3.1. */
  readonly minor: number;
}

/** Version of the MPI standard that the library implements. @mpi MPI_Get_version */
export function standardVersion(): StandardVersion {
  const version = start().library?.native.standardVersion() ?? 301;
  return { major: Math.floor(version / 100), minor: version % 100 };
}

/**
 * Gives buffered sends (`bsend`) their memory, until {@link detachBuffer}.
 *
 * @param size In bytes: for each message under way, its data and {@link bsendOverhead}.
 * @throws {@link MpiError} `MPI_ERR_BUFFER` if there is a buffer already, `MPI_ERR_ARG` for no size.
 * @mpi MPI_Buffer_attach
 */
export function attachBuffer(size: number): void {
  if (!Number.isInteger(size) || size < 0 || size > 0x7fffffff) {
    const why = `the size is ${size}`;
    throw new MpiError({ code: "MPI_ERR_ARG", call: "MPI_Buffer_attach", why });
  }
  const { library } = start();
  if (library) library.native.attachBuffer(size);
  else attach(size);
}

/**
 * Takes the memory of buffered sends back, when their messages have left it; its size, 0 if there is none.
 *
 * @mpi MPI_Buffer_detach
 */
export function detachBuffer(): number {
  const { library } = start();
  return library ? library.native.detachBuffer() : detach();
}

/** Bytes of the attached buffer that a message takes beside its data (MPI_BSEND_OVERHEAD). */
export function bsendOverhead(): number {
  return start().library?.native.bsendOverhead() ?? SOLO_BSEND_OVERHEAD;
}

/** The library that this process uses; undefined without one. Starts MPI on first use. @internal */
export function currentLibrary(): MpiLibrary | undefined {
  return start().library;
}

function start(): Started {
  requireNotFinalized("MPI_Init_thread");
  started ??= isSoloForced() || !launcherOfProcess() ? solo() : startNative("multiple");
  return started;
}

function isSoloForced(): boolean {
  return process.env.DAOS_MPI_FAMILY === "solo";
}

function requireNotFinalized(call: string): void {
  if (!isFinalized()) return;
  throw new MpiError({ code: "MPI_FINALIZED", call, why: "MPI has been finalized" });
}

function solo(): Started {
  return {
    library: undefined,
    parent: undefined,
    world: new SoloCommunicator("MPI_COMM_WORLD", true),
    self: new SoloCommunicator("MPI_COMM_SELF", true),
    threadLevel: "multiple",
    runtime: undefined,
  };
}

function startNative(threadLevel: ThreadLevel): Started {
  const library = loadLibrary();
  const { native } = library;
  const isOwner = native.phase() === Phase.BEFORE_INIT;
  if (isOwner && !isMainThread) {
    const why = "a worker thread cannot start MPI";
    const remedy = "Call init() on the main thread before the worker uses MPI";
    throw new MpiError({ code: "MPI_NOT_ACTIVE", call: "MPI_Init_thread", why, remedy });
  }
  // Open MPI 5 starts PMIx only if nobody has, and knows its rank only if it did: see pmix.c.
  const provided = Pmix.hiddenDuring(() => native.init(THREAD_LEVELS.indexOf(threadLevel)));
  const world = new NativeCommunicator(library, native.world());
  const self = new NativeCommunicator(library, native.self());
  const parent = native.commParent();
  if (parent !== undefined) markConnected();
  const runtime: Runtime = {
    finalize: () => {
      markFinalized();
      native.finalize();
    },
    get abort() {
      // Also processes that were spawned or connected wait for this one in MPI_Finalize.
      const isAlone = world.size === 1 && !hasConnected();
      return isAlone ? undefined : (status: number) => world.abort(status);
    },
    isShared: false,
    who: `rank ${world.rank} of ${world.size}`,
  };
  if (isOwner) registerRuntime(runtime);
  requireWholeJob(launcherOfProcess(), world.size);
  return {
    library,
    parent,
    world,
    self,
    threadLevel: THREAD_LEVELS[provided] ?? "single",
    runtime: isOwner ? runtime : undefined,
  };
}
