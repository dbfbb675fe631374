/**
 * The functions of an MPI addon (native/mpi-*.c), as TypeScript sees them.
 *
 * Handles are numbers that only this package holds. Of a buffer, `null` is MPI_IN_PLACE and
 * `undefined` is one that is not significant on this rank. Receives leave source, tag and bytes in
 * the status array given to `configure`.
 *
 * @module
 */

import type { MpiBuffer } from "./buffers.js";
import type { MpiError } from "./errors.js";

/** A number that stands for a communicator or a request. */
export type Handle = number;

/** MPI before MPI_Init, in use, and after MPI_Finalize. */
export const Phase = { BEFORE_INIT: 0, ACTIVE: 1, FINALIZED: 2 } as const;

type ErrorFactory = (
  call: string,
  errorCode: number,
  errorClass: number,
  code: string,
  text: string,
) => MpiError;

type Buffer = MpiBuffer | null | undefined;

/** An MPI addon. */
export interface NativeMpi {
  configure(errorFactory: ErrorFactory, status: Float64Array): void;
  init(threadLevel: number): number;
  finalize(): void;
  phase(): number;
  abort(comm: Handle, code: number): void;
  wtime(): number;
  processorName(): string;
  libraryVersion(): string;
  standardVersion(): number;
  family(): string;

  world(): Handle;
  self(): Handle;
  size(comm: Handle): number;
  rank(comm: Handle): number;
  name(comm: Handle): string;
  dup(comm: Handle): Handle;
  split(comm: Handle, color: number | undefined, key: number): Handle | undefined;
  splitShared(comm: Handle): Handle;
  cartCreate(
    comm: Handle,
    dims: Int32Array,
    periods: Int32Array,
    reorder: number,
  ): Handle | undefined;
  free(comm: Handle): void;

  send(comm: Handle, buf: MpiBuffer, dest: number, tag: number): void;
  recv(comm: Handle, buf: MpiBuffer, source: number, tag: number): void;
  sendrecv(
    comm: Handle,
    sendbuf: MpiBuffer,
    dest: number,
    sendtag: number,
    recvbuf: MpiBuffer,
    source: number,
    recvtag: number,
  ): void;
  isend(comm: Handle, buf: MpiBuffer, dest: number, tag: number): Handle;
  irecv(comm: Handle, buf: MpiBuffer, source: number, tag: number): Handle;
  requestWait(request: Handle): void;
  requestTest(request: Handle): boolean;

  barrier(comm: Handle): void;
  bcast(comm: Handle, buf: MpiBuffer, root: number): void;
  gather(comm: Handle, send: Buffer, recv: Buffer, count: number, root: number): void;
  gatherv(
    comm: Handle,
    send: Buffer,
    recv: Buffer,
    counts: Int32Array | undefined,
    displs: Int32Array | undefined,
    root: number,
  ): void;
  allgather(comm: Handle, send: Buffer, recv: Buffer, count: number): void;
  allgatherv(
    comm: Handle,
    send: Buffer,
    recv: Buffer,
    counts: Int32Array,
    displs: Int32Array,
  ): void;
  reduce(comm: Handle, send: Buffer, recv: Buffer, op: number, root: number): void;
  allreduce(comm: Handle, send: Buffer, recv: Buffer, op: number): void;
}

/** An addon and the array through which its receives report. */
export interface MpiLibrary {
  readonly native: NativeMpi;
  /** Source rank, tag and length in bytes of the last completed receive. */
  readonly status: Float64Array;
}
