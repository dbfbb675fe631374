/**
 * Epochs: which operations a window allows at a time, by the rules of the standard.
 *
 *     fence ............ fence            all ranks, all targets
 *     start(group) ..... complete         this rank to a group;    post(group) ... wait on the other side
 *     lock(rank) ....... unlock(rank)     this rank to one;        lockAll() ... unlockAll()   to all
 *
 * Libraries differ in what they notice, some wait for ever. So the rules are checked here, where an error changes
 * nothing.
 *
 * State machine only: no communication.
 *
 * @module
 */

import { MpiError } from "../errors.js";

/** Promises to the library, which may then do less. */
export interface Assertions {
  /** `lock`, `start`, `post`: no other rank holds a lock that conflicts; matching posts have been made. */
  readonly noCheck?: boolean;
  /** `fence`, `post`: this rank has not stored into its memory since the last synchronization. */
  readonly noStore?: boolean;
  /** `fence`, `post`: no rank will put or accumulate into this rank's memory. */
  readonly noPut?: boolean;
  /** `fence`: there are no operations that it has to complete. All ranks must say the same. */
  readonly noPrecede?: boolean;
  /** `fence`: no operations follow. All ranks must say the same. */
  readonly noSucceed?: boolean;
}

/** Bits in the order of the addon's table (mpi-rma.c). DO NOT REORDER. */
const ASSERTIONS = ["noCheck", "noStore", "noPut", "noPrecede", "noSucceed"] as const;

/**
 * Assertions as a number.
 *
 * @throws {@link MpiError} `MPI_ERR_ASSERT` for what the call does not know.
 */
export function assertionBits(
  call: string,
  assertions: Assertions,
  known: readonly (keyof Assertions)[],
): number {
  let bits = 0;
  for (const [name, value] of Object.entries(assertions ?? {})) {
    const place = ASSERTIONS.indexOf(name as keyof Assertions);
    if (place < 0 || !known.includes(name as keyof Assertions)) {
      const why = `"${name}" is no assertion of this call`;
      const remedy = `Use ${known.join(", ")}, or none`;
      throw new MpiError({ code: "MPI_ERR_ASSERT", call, why, remedy });
    }
    if (value) bits |= 1 << place;
  }
  return bits;
}

/** The epochs of this rank on one window. */
export class Epochs {
  #fence: "closed" | "open" | "used" = "closed";
  #started: ReadonlySet<number> | undefined;
  #isPosted = false;
  #isLockedAll = false;
  readonly #locks = new Set<number>();

  /** Targets of the access epoch that `start` opened. */
  get started(): ReadonlySet<number> {
    return this.#started ?? new Set();
  }

  /** An operation is about to begin. */
  requireAccess(call: string, target: number): void {
    if (this.#isLockedAll || this.#locks.has(target) || this.#started?.has(target)) return;
    const isLocking = this.#locks.size > 0 || this.#started !== undefined;
    if (this.#fence === "closed" || isLocking) {
      throw syncError(
        call,
        `no epoch of this rank allows access to rank ${target}`,
        "Call fence(), start(), lock() or lockAll() first",
      );
    }
    this.#fence = "used";
  }

  /** Operations with requests, and flushes, need a lock. */
  requireLock(call: string, target?: number): void {
    const isLocked = target === undefined ? this.#locks.size > 0 : this.#locks.has(target);
    if (this.#isLockedAll || isLocked) return;
    const what = target === undefined ? "no lock" : `no lock of rank ${target}`;
    throw syncError(call, `this rank holds ${what}`, "Call lock() or lockAll() first");
  }

  requireFence(): void {
    this.#requireNoLocks("MPI_Win_fence");
    this.#requireNotStarted("MPI_Win_fence");
    if (this.#isPosted) {
      throw syncError("MPI_Win_fence", "this rank has called post()", "Call wait() first");
    }
  }

  /** @param follows Whether operations may follow. */
  fenced(follows: boolean): void {
    this.#fence = follows ? "open" : "closed";
  }

  requireStart(): void {
    this.#requireNoLocks("MPI_Win_start");
    this.#requireNotStarted("MPI_Win_start");
    this.#requireUnusedFence("MPI_Win_start");
  }

  start(targets: readonly number[]): void {
    this.#started = new Set(targets);
    this.#fence = "closed";
  }

  requireComplete(): void {
    if (this.#started !== undefined) return;
    throw syncError("MPI_Win_complete", "start() has not been called", "Call start() first");
  }

  complete(): void {
    this.#started = undefined;
  }

  requirePost(): void {
    if (this.#isPosted) {
      throw syncError("MPI_Win_post", "post() has been called already", "Call wait() first");
    }
    this.#requireUnusedFence("MPI_Win_post");
  }

  post(): void {
    this.#isPosted = true;
    this.#fence = "closed";
  }

  requireWait(call: string): void {
    if (this.#isPosted) return;
    throw syncError(call, "post() has not been called", "Call post() first");
  }

  wait(): void {
    this.#isPosted = false;
  }

  requireNewLock(call: string, target?: number): void {
    const isHeld = target === undefined ? this.#locks.size > 0 : this.#locks.has(target);
    if (this.#isLockedAll || isHeld) {
      const what = target === undefined || this.#isLockedAll ? "a lock" : `the lock of ${target}`;
      throw syncError(call, `this rank holds ${what} already`, "Unlock first");
    }
    this.#requireNotStarted(call);
    this.#requireUnusedFence(call);
  }

  lock(target?: number): void {
    this.#fence = "closed";
    if (target === undefined) this.#isLockedAll = true;
    else this.#locks.add(target);
  }

  requireUnlock(call: string, target?: number): void {
    const isHeld = target === undefined ? this.#isLockedAll : this.#locks.has(target);
    if (isHeld) return;
    const what = target === undefined ? "lockAll()" : `lock(${target})`;
    throw syncError(call, `${what} has not been called`, "Unlock once what was locked");
  }

  unlock(target?: number): void {
    if (target === undefined) this.#isLockedAll = false;
    else this.#locks.delete(target);
  }

  /** A window with an open epoch cannot be freed. */
  requireIdle(call: string): void {
    this.#requireNoLocks(call);
    this.#requireNotStarted(call);
    this.#requireUnusedFence(call);
    if (this.#isPosted) throw syncError(call, "this rank has called post()", "Call wait() first");
  }

  #requireNoLocks(call: string): void {
    if (!this.#isLockedAll && this.#locks.size === 0) return;
    throw syncError(call, "this rank holds a lock", "Call unlock() or unlockAll() first");
  }

  #requireNotStarted(call: string): void {
    if (this.#started === undefined) return;
    throw syncError(call, "this rank has called start()", "Call complete() first");
  }

  #requireUnusedFence(call: string): void {
    if (this.#fence !== "used") return;
    const why = "operations of an epoch between fences are not complete";
    throw syncError(call, why, "Call fence() first");
  }
}

function syncError(call: string, why: string, remedy: string): MpiError {
  return new MpiError({ code: "MPI_ERR_RMA_SYNC", call, why, remedy });
}
