/**
 * The narrow hole that a library, or the one-rank communicator, fills for windows. Arguments are sound.
 *
 * @module
 */

import type { MpiBuffer } from "../buffers.js";
import type { BuiltInOp } from "../collectives/op.js";
import type { BasicName } from "../datatype/basic-types.js";
import type { Datatype } from "../datatype/datatype.js";
import type { InfoPairs } from "../info/info.js";
import type { Message } from "../messages/message-buffer.js";
import type { Request } from "../messages/request.js";

/** Operations, in the order of the addon's table (mpi-rma.c). DO NOT REORDER. */
export const RMA_KINDS = [
  "MPI_Put",
  "MPI_Get",
  "MPI_Accumulate",
  "MPI_Get_accumulate",
  "MPI_Fetch_and_op",
  "MPI_Compare_and_swap",
] as const;

/** Name of an operation. */
export type RmaKind = (typeof RMA_KINDS)[number];

/** Calls that order operations, in the order of the addon's table (mpi-rma.c). DO NOT REORDER. */
export const SYNC_KINDS = [
  "fence",
  "lockShared",
  "lockExclusive",
  "unlock",
  "lockAll",
  "unlockAll",
  "flush",
  "flushAll",
  "flushLocal",
  "flushLocalAll",
  "sync",
  "complete",
  "wait",
] as const;

/** Name of such a call. */
export type SyncKind = (typeof SYNC_KINDS)[number];

/** How windows are made, in the order of the addon's table (mpi-window.c). DO NOT REORDER. */
export const WINDOW_FLAVORS = ["create", "allocate", "dynamic", "shared"] as const;

/** How a window was made: MPI_WIN_FLAVOR_ALLOCATE is "allocate". */
export type WindowFlavor = (typeof WINDOW_FLAVORS)[number];

/** Memory models, in the order of the addon's table (mpi-window.c). DO NOT REORDER. */
export const WINDOW_MODELS = ["separate", "unified"] as const;

/** Whether local and remote access see one memory at once (MPI_WIN_UNIFIED), or after synchronization only. */
export type WindowModel = (typeof WINDOW_MODELS)[number];

/** What a library says of a window. */
export interface WindowFacts {
  /** In bytes. */
  readonly size: number;
  /** In bytes. */
  readonly unit: number;
  readonly flavor: WindowFlavor;
  readonly model: WindowModel;
}

/** A checked operation. */
export interface RmaCall {
  readonly kind: RmaKind;
  /** What is sent; undefined where nothing is. */
  readonly origin: Message | undefined;
  /** What the target's elements are put into; undefined where they are not fetched. */
  readonly result: Message | undefined;
  readonly compare: Message | undefined;
  readonly target: number;
  /** In units of the target's window. */
  readonly displacement: number;
  /** Elements at the target. */
  readonly count: number;
  /** Of the target's elements; undefined: as the origin's, or the result's. */
  readonly datatype: Datatype | undefined;
  readonly op: BuiltInOp;
  /** What derived types are made of; for operations that compute. */
  readonly basicType: BasicName | undefined;
}

/** One window. */
export interface WindowTransport {
  facts(): WindowFacts;
  /** Memory of this rank, or the shared memory of another; detached when the window is freed. */
  memory(rank?: number): ArrayBuffer;
  attach(memory: MpiBuffer): number;
  detach(memory: MpiBuffer): void;
  name(): string;
  setName(name: string): void;
  setInfo(pairs: InfoPairs): void;
  getInfo(): InfoPairs;
  run(call: RmaCall): void;
  start(call: RmaCall): Request;
  sync(kind: SyncKind, rank: number, assertion: number): void;
  expose(ranks: readonly number[], assertion: number): void;
  access(ranks: readonly number[], assertion: number): void;
  test(): boolean;
  free(): void;
}

/** What makes windows of a communicator. Collective. */
export interface WindowFactory {
  create(memory: MpiBuffer, unit: number, info: InfoPairs | undefined): WindowTransport;
  allocate(
    size: number,
    unit: number,
    info: InfoPairs | undefined,
    isShared: boolean,
  ): WindowTransport;
  dynamic(info: InfoPairs | undefined): WindowTransport;
}
