/**
 * Window: memory of a rank that other ranks read and write, without its taking part (one-sided communication).
 *
 *     const window = comm.allocateWindow(8 * 100, { displacementUnit: 8 });
 *     window.fence();
 *     window.put(Float64Array.of(comm.rank), right, comm.rank); // One double, at place `rank`.
 *     window.fence();
 *     const mine = new Float64Array(window.memory); // What the others have put.
 *
 * Operations only begin; they are complete after a call of the window that says so: `fence`, `complete`, `unlock`,
 * `flush`. Until then, do not touch their buffers. The window keeps them, so that they may be forgotten.
 *
 * Other ranks may change the memory at any time: to wait for a value in it, read it with `Atomics.load` and call
 * `sync`, not with a plain loop.
 *
 * @module
 */

import type { MpiBuffer } from "../buffers.js";
import { requireBuffer } from "../buffers.js";
import type { Op } from "../collectives/op.js";
import { PROC_NULL } from "../constants.js";
import { MpiError } from "../errors.js";
import type { Group } from "../groups/group.js";
import type { MessageBuffer } from "../messages/message-buffer.js";
import { rankError } from "../messages/point-to-point.js";
import type { Request } from "../messages/request.js";
import { DescribedWindow } from "./described-window.js";
import { type Assertions, assertionBits, Epochs } from "./epochs.js";
import { requireFixed } from "./fixed-memory.js";
import { PendingBuffers } from "./pending-buffers.js";
import {
  accumulateCall,
  compareAndSwapCall,
  fetchAndOpCall,
  getAccumulateCall,
  getCall,
  putCall,
  requireTargetRank,
  type Target,
  type WindowPlace,
  type WindowShape,
} from "./window-checks.js";
import type {
  RmaCall,
  SyncKind,
  WindowFlavor,
  WindowModel,
  WindowTransport,
} from "./window-transport.js";

/** What the ranks of a window know of each other. */
interface WindowMembers {
  readonly group: Group;
  readonly sizes: ArrayLike<number> | undefined;
  readonly units: ArrayLike<number>;
  /** Ends the job. */
  readonly abort: (code: number) => void;
}

/** Whether one rank alone may hold a lock, or all that ask for it. */
export type LockType = "exclusive" | "shared";

/** Windows that have not been freed: their buffers are in use, also when the program has forgotten them. */
const live = new Set<Window>();

/**
 * Memory that other ranks read and write.
 *
 * Every method throws an {@link MpiError}: `MPI_ERR_WIN` after `free`, `MPI_FINALIZED` after finalize, `MPI_ERR_RANK`
 * for a wrong target, `MPI_ERR_RMA_SYNC` in a wrong epoch, `MPI_ERR_DISP` and `MPI_ERR_RMA_RANGE` for a place outside
 * of the target's window, `MPI_ERR_COUNT`, `MPI_ERR_TYPE`, `MPI_ERR_OP` for elements that do not fit. Nothing has then
 * happened. A target may be PROC_NULL: nothing happens either.
 */
export class Window extends DescribedWindow {
  /** The ranks of the window. @mpi MPI_Win_get_group */
  readonly group: Group;
  /** Bytes of this rank's memory; 0 in a dynamic window. */
  readonly size: number;
  /** Bytes of which displacements into this rank's memory are multiples. */
  readonly displacementUnit: number;
  /** How it was made. */
  readonly flavor: WindowFlavor;
  /** Whether local and remote access see one memory at once. */
  readonly model: WindowModel;

  readonly #transport: WindowTransport;
  readonly #shape: WindowShape;
  readonly #own: MpiBuffer | undefined;
  readonly #epochs = new Epochs();
  readonly #pending = new PendingBuffers();

  /**
   * @param own The program's buffer; undefined if the library has allocated memory.
   * @internal
   */
  constructor(transport: WindowTransport, members: WindowMembers, own?: MpiBuffer) {
    super(transport, members.abort);
    const { group, sizes, units } = members;
    const { size, unit, flavor, model } = transport.facts();
    this.group = group;
    this.size = size;
    this.displacementUnit = unit;
    this.flavor = flavor;
    this.model = model;
    this.#transport = transport;
    this.#shape = { ranks: group.size, sizes, units };
    this.#own = own;
    live.add(this);
  }

  /**
   * This rank's memory (MPI_WIN_BASE): the buffer that the window was made of, or an ArrayBuffer over memory of the
   * library. The latter is detached (its length is 0) as soon as the window is freed, or MPI finalized; it cannot be
   * transferred.
   *
   * @throws {@link MpiError} `MPI_ERR_RMA_FLAVOR` in a dynamic window.
   */
  get memory(): MpiBuffer {
    if (this.flavor !== "dynamic") return this.#own ?? this.#transport.memory();
    throw flavorError("MPI_Win_get_attr", "a dynamic window has no memory of its own");
  }

  /** Bytes of a rank's memory; undefined in a dynamic window. */
  sizeOf(rank: number): number | undefined {
    this.#requireRank("MPI_Win_shared_query", rank);
    return this.#shape.sizes?.[rank];
  }

  /** Bytes of which displacements into a rank's memory are multiples. */
  displacementUnitOf(rank: number): number {
    this.#requireRank("MPI_Win_shared_query", rank);
    return this.#shape.units[rank] as number;
  }

  /**
   * The memory of a rank of a shared window, in place (MPI_Win_shared_query). It is detached when the window is freed. @mpi MPI_Win_shared_query
   *
   * @throws {@link MpiError} `MPI_ERR_RMA_FLAVOR` if the window's memory is not shared.
   */
  sharedMemory(rank: number): ArrayBuffer {
    const call = "MPI_Win_shared_query";
    this.#requireRank(call, rank);
    if (this.flavor !== "shared") throw flavorError(call, "the window's memory is not shared");
    return this.#transport.memory(rank);
  }

  /**
   * Attaches a buffer to a dynamic window (MPI_Win_attach). The window keeps it until it is detached or the window
   * freed; it cannot be transferred any more. @mpi MPI_Win_attach
   *
   * @returns Its address, which other ranks use as a displacement: tell it to them in a message.
   */
  attach(memory: MpiBuffer): number {
    const call = "MPI_Win_attach";
    this.#requireDynamic(call);
    requireBuffer(call, memory);
    requireFixed(call, memory);
    return this.#transport.attach(memory);
  }

  /** Detaches a buffer. Other ranks must have ended their access to it. @mpi MPI_Win_detach */
  detach(memory: MpiBuffer): void {
    this.#requireDynamic("MPI_Win_detach");
    requireBuffer("MPI_Win_detach", memory);
    this.#transport.detach(memory);
  }

  /**
   * Writes into a rank's memory. @mpi MPI_Put
   *
   * @param at Where: a displacement, or more about the target's elements; by default its start.
   */
  put(origin: MessageBuffer, target: number, at: WindowPlace = 0): void {
    this.#run(putCall(origin, this.#target(target, at)), origin);
  }

  /** Reads from a rank's memory into a buffer, which is filled when the operation is complete. @mpi MPI_Get */
  get(result: MessageBuffer, target: number, at: WindowPlace = 0): void {
    this.#run(getCall(result, this.#target(target, at)), result);
  }

  /**
   * Combines a buffer with a rank's memory, each element at once: `target = target ∘ origin`. @mpi MPI_Accumulate
   *
   * @param op An operation of the standard; REPLACE writes. Functions are refused.
   */
  accumulate(origin: MessageBuffer, target: number, op: Op, at: WindowPlace = 0): void {
    this.#run(accumulateCall(origin, this.#target(target, at), op), origin);
  }

  /**
   * As `accumulate`, and puts what was there before into `result`, each element at once. @mpi MPI_Get_accumulate
   *
   * @param origin Null for NO_OP, which reads only.
   */
  getAccumulate(
    origin: MessageBuffer | null,
    result: MessageBuffer,
    target: number,
    op: Op,
    at: WindowPlace = 0,
  ): void {
    const call = getAccumulateCall(origin, result, this.#target(target, at), op);
    this.#run(call, origin, result);
  }

  /** As `getAccumulate`, of one element of a named type; may be faster. @mpi MPI_Fetch_and_op */
  fetchAndOp(
    origin: MessageBuffer | null,
    result: MessageBuffer,
    target: number,
    op: Op,
    displacement = 0,
  ): void {
    const place = this.#target(target, displacement);
    this.#run(fetchAndOpCall(origin, result, place, op), origin, result);
  }

  /**
   * Replaces one element by `origin` if it equals `compare`, and puts what was there before into `result`. Of integers
   * and bytes. @mpi MPI_Compare_and_swap
   */
  compareAndSwap(
    origin: MessageBuffer,
    compare: MessageBuffer,
    result: MessageBuffer,
    target: number,
    displacement = 0,
  ): void {
    const place = this.#target(target, displacement);
    this.#run(compareAndSwapCall(origin, compare, result, place), origin, compare, result);
  }

  /** As `put`, under a lock; the request completes when `origin` may be used again. @mpi MPI_Rput */
  rput(origin: MessageBuffer, target: number, at: WindowPlace = 0): Request {
    return this.#start(putCall(origin, this.#target(target, at)));
  }

  /** As `get`, under a lock; the request completes when `result` is filled. @mpi MPI_Rget */
  rget(result: MessageBuffer, target: number, at: WindowPlace = 0): Request {
    return this.#start(getCall(result, this.#target(target, at)));
  }

  /** As `accumulate`, under a lock; the request completes when `origin` may be used again. @mpi MPI_Raccumulate */
  raccumulate(origin: MessageBuffer, target: number, op: Op, at: WindowPlace = 0): Request {
    return this.#start(accumulateCall(origin, this.#target(target, at), op));
  }

  /** As `getAccumulate`, under a lock; the request completes when `result` is filled. @mpi MPI_Rget_accumulate */
  rgetAccumulate(
    origin: MessageBuffer | null,
    result: MessageBuffer,
    target: number,
    op: Op,
    at: WindowPlace = 0,
  ): Request {
    return this.#start(getAccumulateCall(origin, result, this.#target(target, at), op));
  }

  /** Ends an epoch of all ranks, whose operations are complete then, and begins the next one. Collective. @mpi MPI_Win_fence */
  fence(assertions: Assertions = {}): void {
    const known = ["noStore", "noPut", "noPrecede", "noSucceed"] as const;
    const bits = assertionBits("MPI_Win_fence", assertions, known);
    this.#epochs.requireFence();
    this.#transport.sync("fence", 0, bits);
    this.#epochs.fenced(assertions.noSucceed !== true);
    this.#pending.drop();
  }

  /** Lets ranks of a group access this rank's memory, until `wait`. @mpi MPI_Win_post */
  post(group: Group, assertions: Assertions = {}): void {
    const bits = assertionBits("MPI_Win_post", assertions, ["noCheck", "noStore", "noPut"]);
    const ranks = this.#ranksOf("MPI_Win_post", group);
    this.#epochs.requirePost();
    this.#transport.expose(ranks, bits);
    this.#epochs.post();
  }

  /** Begins access to ranks of a group, which call `post`, until `complete`. @mpi MPI_Win_start */
  start(group: Group, assertions: Assertions = {}): void {
    const bits = assertionBits("MPI_Win_start", assertions, ["noCheck"]);
    const ranks = this.#ranksOf("MPI_Win_start", group);
    this.#epochs.requireStart();
    this.#transport.access(ranks, bits);
    this.#epochs.start(ranks);
  }

  /** Ends the access that `start` began; its operations are complete here, and at the targets after their `wait`. @mpi MPI_Win_complete */
  complete(): void {
    this.#epochs.requireComplete();
    this.#sync("complete");
    for (const rank of this.#epochs.started) this.#pending.drop(rank);
    this.#epochs.complete();
  }

  /** Waits until all ranks of `post`'s group have called `complete`. @mpi MPI_Win_wait */
  wait(): void {
    this.#epochs.requireWait("MPI_Win_wait");
    this.#sync("wait");
    this.#epochs.wait();
  }

  /** Whether all ranks of `post`'s group have called `complete`; true counts as `wait`. @mpi MPI_Win_test */
  test(): boolean {
    this.#epochs.requireWait("MPI_Win_test");
    const isOver = this.#transport.test();
    if (isOver) this.#epochs.wait();
    return isOver;
  }

  /** Begins access to a rank, alone or together with others, until `unlock`. The rank takes no part in it. @mpi MPI_Win_lock */
  lock(target: number, type: LockType = "exclusive", assertions: Assertions = {}): void {
    const call = "MPI_Win_lock";
    const bits = assertionBits(call, assertions, ["noCheck"]);
    if (type !== "exclusive" && type !== "shared") {
      const why = `"${String(type)}" is no lock`;
      throw new MpiError({
        code: "MPI_ERR_LOCKTYPE",
        call,
        why,
        remedy: "Use exclusive or shared",
      });
    }
    this.#requireRank(call, target);
    this.#epochs.requireNewLock(call, target);
    this.#sync(type === "shared" ? "lockShared" : "lockExclusive", target, bits);
    this.#epochs.lock(target);
  }

  /** Ends access to a rank; its operations are complete here and there. @mpi MPI_Win_unlock */
  unlock(target: number): void {
    this.#requireRank("MPI_Win_unlock", target);
    this.#epochs.requireUnlock("MPI_Win_unlock", target);
    this.#sync("unlock", target);
    this.#epochs.unlock(target);
    this.#pending.drop(target);
  }

  /** Begins access to all ranks, together with others, until `unlockAll`. Not collective. @mpi MPI_Win_lock_all */
  lockAll(assertions: Assertions = {}): void {
    const bits = assertionBits("MPI_Win_lock_all", assertions, ["noCheck"]);
    this.#epochs.requireNewLock("MPI_Win_lock_all");
    this.#sync("lockAll", 0, bits);
    this.#epochs.lock();
  }

  /** Ends access to all ranks; its operations are complete here and there. @mpi MPI_Win_unlock_all */
  unlockAll(): void {
    this.#epochs.requireUnlock("MPI_Win_unlock_all");
    this.#sync("unlockAll");
    this.#epochs.unlock();
    this.#pending.drop();
  }

  /** Completes operations on a rank, here and there, under its lock. @mpi MPI_Win_flush */
  flush(target: number): void {
    this.#flush("flush", target);
  }

  /** Completes operations on all ranks, here and there, under locks. @mpi MPI_Win_flush_all */
  flushAll(): void {
    this.#flush("flushAll");
  }

  /** Completes operations on a rank here: their buffers may be used again, under its lock. @mpi MPI_Win_flush_local */
  flushLocal(target: number): void {
    this.#flush("flushLocal", target);
  }

  /** Completes operations on all ranks here: their buffers may be used again, under locks. @mpi MPI_Win_flush_local_all */
  flushLocalAll(): void {
    this.#flush("flushLocalAll");
  }

  /** Makes this rank's own stores, and those of others in its memory, visible to each other, under a lock. @mpi MPI_Win_sync */
  sync(): void {
    this.#epochs.requireLock("MPI_Win_sync");
    this.#sync("sync");
  }

  /**
   * Gives the window back. Collective. ArrayBuffers over its memory are detached then. @mpi MPI_Win_free
   *
   * @throws {@link MpiError} `MPI_ERR_RMA_SYNC` in an epoch that has to be ended first; the window lives on.
   */
  free(): void {
    if (live.has(this)) this.#epochs.requireIdle("MPI_Win_free");
    this.#transport.free();
    live.delete(this);
    this.#pending.drop();
    this.dropAttributes();
  }

  #run(call: RmaCall, ...buffers: (MessageBuffer | null)[]): void {
    this.#requireEpoch(call);
    this.#transport.run(call);
    if (call.target !== PROC_NULL) this.#pending.keep(call.target, buffers);
  }

  #start(call: RmaCall): Request {
    this.#requireEpoch(call);
    if (call.target !== PROC_NULL) this.#epochs.requireLock(call.kind, call.target);
    return this.#transport.start(call);
  }

  #requireEpoch({ kind, target }: RmaCall): void {
    if (!live.has(this)) this.#transport.facts();
    if (target === PROC_NULL) return;
    try {
      this.#epochs.requireAccess(kind, target);
    } catch (error) {
      this.#transport.facts(); // That MPI has ended is the better reason.
      throw error;
    }
  }

  #sync(kind: SyncKind, rank = 0, assertion = 0): void {
    this.#transport.sync(kind, rank, assertion);
  }

  #flush(kind: "flush" | "flushAll" | "flushLocal" | "flushLocalAll", target?: number): void {
    const call = kind.startsWith("flushLocal") ? "MPI_Win_flush_local" : "MPI_Win_flush";
    if (target !== undefined || !kind.endsWith("All")) this.#requireRank(call, target as number);
    this.#epochs.requireLock(call, target);
    this.#sync(kind, target);
    this.#pending.drop(target);
  }

  #target(rank: number, at: WindowPlace): Target {
    return { shape: this.#shape, rank, at };
  }

  #requireRank(call: string, rank: number): void {
    if (!live.has(this)) this.#transport.facts(); // A freed window says so first.
    if (rank === PROC_NULL) throw rankError(call, "MPI_ERR_RANK", rank, this.#shape.ranks);
    requireTargetRank(call, rank, this.#shape.ranks);
  }

  #requireDynamic(call: string): void {
    if (!live.has(this)) this.#transport.facts();
    if (this.flavor === "dynamic") return;
    throw flavorError(call, "the window is not dynamic");
  }

  #ranksOf(call: string, group: Group): number[] {
    const all = Array.from({ length: group.size }, (_, rank) => rank);
    const ranks = group.translateRanks(all, this.group);
    if (!ranks.includes(undefined)) return ranks as number[];
    const why = "the group has ranks that are not of the window";
    throw new MpiError({ code: "MPI_ERR_GROUP", call, why });
  }
}

function flavorError(call: string, why: string): MpiError {
  const remedy =
    "Make the window by the call that fits: createWindow, allocateWindow, allocateSharedWindow, createDynamicWindow";
  return new MpiError({ code: "MPI_ERR_RMA_FLAVOR", call, why, remedy });
}
