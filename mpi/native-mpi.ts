/**
 * The functions of an MPI addon (native/mpi-*.c), as TypeScript sees them.
 *
 * Handles are numbers that only this package holds. Of a buffer, `null` is MPI_IN_PLACE and
 * `undefined` is one that is not significant on this rank. Receives leave their status in the array given to
 * `configure`.
 *
 * @module
 */

import type { MpiBuffer } from "./buffers.js";
import type { NativeDatatypes } from "./datatype/native-datatypes.js";
import type { MpiError } from "./errors.js";
import type { InfoPairs } from "./info/info.js";
import type { KnownBuffer } from "./messages/known-buffer.js";

/** A number that stands for an object of the library. */
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

/** Elements of a datatype in a buffer. */
export interface NativeElements {
  readonly buffer: MpiBuffer;
  /** Of the first element, in bytes. */
  readonly offset: number;
  readonly count: number;
  readonly type: Handle;
}

/** Memory as the addon takes it for messages. */
export type NativeBuffer = MpiBuffer | NativeElements;

type OptionalBuffer = NativeBuffer | null | undefined;

/** Keys and values in turn; undefined is MPI_INFO_NULL. */
type OptionalInfo = InfoPairs | undefined;

/** A program to be started: command, arguments, number of processes, info. */
export type NativeProgram = readonly [
  command: string,
  args: readonly string[],
  processes: number,
  info: OptionalInfo,
];

/** An MPI addon. */
export interface NativeMpi {
  configure(errorFactory: ErrorFactory, shared: Float64Array): void;
  init(threadLevel: number): number;
  finalize(): void;
  phase(): number;
  abort(comm: Handle, code: number): void;
  wtime(): number;
  wtick(): number;
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
  commRequireLive(comm: Handle, call: string): void;

  commWorldRanks(comm: Handle, ranks: Int32Array, remote: number): void;
  commCreate(comm: Handle, ranks: Int32Array): Handle | undefined;
  commCreateGroup(comm: Handle, ranks: Int32Array, tag: number): Handle | undefined;
  commCompare(comm: Handle, other: Handle): number;
  commSetName(comm: Handle, name: string): void;
  commAttribute(comm: Handle, index: number): number | undefined;
  cartSub(comm: Handle, remain: Int32Array): Handle;
  intercommCreate(
    local: Handle,
    localLeader: number,
    peer: Handle,
    remoteLeader: number,
    tag: number,
  ): Handle;
  intercommMerge(comm: Handle, high: number): Handle;
  remoteSize(comm: Handle): number;

  datatypeNamed(index: number): Handle;
  datatypeCreate(
    combiner: number,
    integers: Int32Array,
    addresses: Float64Array,
    types: Float64Array,
  ): Handle;
  datatypeMeasures(type: Handle, measures: Float64Array): void;
  datatypeFree(type: Handle): void;

  send(comm: Handle, buf: NativeBuffer, dest: number, tag: number): void;
  /** As `send`, with the buffer of the last one and the arguments in the shared array. */
  sendAgain(): void;
  sendAs(comm: Handle, buf: NativeBuffer, dest: number, tag: number, mode: number): void;
  recv(comm: Handle, buf: NativeBuffer, source: number, tag: number): void;
  /** As `recv`, with the buffer of the last one and the arguments in the shared array. */
  recvAgain(): void;
  sendrecv(
    comm: Handle,
    sendbuf: NativeBuffer,
    dest: number,
    sendtag: number,
    recvbuf: NativeBuffer,
    source: number,
    recvtag: number,
  ): void;
  sendrecvReplace(
    comm: Handle,
    buf: NativeBuffer,
    dest: number,
    sendtag: number,
    source: number,
    recvtag: number,
  ): void;
  isend(comm: Handle, buf: NativeBuffer, dest: number, tag: number): Handle;
  isendAs(comm: Handle, buf: NativeBuffer, dest: number, tag: number, mode: number): Handle;
  sendInit(comm: Handle, buf: NativeBuffer, dest: number, tag: number, mode: number): Handle;
  irecv(comm: Handle, buf: NativeBuffer, source: number, tag: number): Handle;
  recvInit(comm: Handle, buf: NativeBuffer, source: number, tag: number): Handle;
  probe(comm: Handle, source: number, tag: number): void;
  iprobe(comm: Handle, source: number, tag: number): boolean;
  mprobe(comm: Handle, source: number, tag: number): Handle;
  improbe(comm: Handle, source: number, tag: number): Handle | undefined;
  mrecv(message: Handle, buf: NativeBuffer): void;
  imrecv(message: Handle, buf: NativeBuffer): Handle;
  attachBuffer(size: number): void;
  detachBuffer(): number;
  bsendOverhead(): number;
  attachedSize(): number;

  requestWait(request: Handle): void;
  requestTest(request: Handle): boolean;
  requestCancel(request: Handle): void;
  requestFree(request: Handle): void;
  requestStart(request: Handle): void;
  requestPollAny(requests: Float64Array): number;

  hasPersistentCollectives(): boolean;
  collective(
    comm: Handle,
    kind: number,
    form: number,
    send: OptionalBuffer,
    recv: OptionalBuffer,
    sendCount: number,
    recvCount: number,
    root: number,
  ): Handle | undefined;
  vectorCollective(
    comm: Handle,
    kind: number,
    form: number,
    send: OptionalBuffer,
    recv: OptionalBuffer,
    sendCounts: Int32Array | number,
    sendDispls: Int32Array | undefined,
    sendTypes: Float64Array | undefined,
    recvCounts: Int32Array | number,
    recvDispls: Int32Array | undefined,
    recvTypes: Float64Array | undefined,
    root: number,
  ): Handle | undefined;
  reduction(
    comm: Handle,
    kind: number,
    form: number,
    send: OptionalBuffer,
    recv: OptionalBuffer,
    count: number | Int32Array,
    op: number,
    root: number,
    combine: ((left: ArrayBuffer, inout: ArrayBuffer, count: number) => void) | undefined,
  ): Handle | undefined;

  reduceLocal(left: NativeBuffer, inout: NativeBuffer, op: number): void;

  fileOpen(comm: Handle, path: string, amode: number, hints: readonly string[] | undefined): Handle;
  fileClose(file: Handle): void;
  fileDelete(path: string, hints: readonly string[] | undefined): void;
  fileSetSize(file: Handle, size: number): void;
  filePreallocate(file: Handle, size: number): void;
  fileSize(file: Handle): number;
  fileSetInfo(file: Handle, hints: readonly string[]): void;
  fileInfo(file: Handle): string[];
  fileSetView(
    file: Handle,
    displacement: number,
    etype: Handle,
    filetype: Handle,
    datarep: string,
    hints: readonly string[] | undefined,
  ): void;
  fileSeek(file: Handle, offset: number, whence: number, isShared: boolean): void;
  filePosition(file: Handle, isShared: boolean): number;
  fileByteOffset(file: Handle, offset: number): number;
  fileTypeExtent(file: Handle, type: Handle): number;
  fileSetAtomicity(file: Handle, isAtomic: boolean): void;
  fileAtomicity(file: Handle): boolean;
  fileSync(file: Handle): void;
  fileAccess(file: Handle, kind: number, offset: number, buf: NativeBuffer): void;
  fileStart(file: Handle, kind: number, offset: number, buf: NativeBuffer): Handle;
  fileBegin(file: Handle, kind: number, offset: number, buf: NativeBuffer): void;
  fileEnd(file: Handle, kind: number, offset: number, buf: NativeBuffer): void;
  infoEnv(): InfoPairs;
  commDupWithInfo(comm: Handle, info: OptionalInfo): Handle;
  commIdup(comm: Handle, info: OptionalInfo): Handle;
  commIdupTakesInfo(): boolean;
  commSetInfo(comm: Handle, info: InfoPairs): void;
  commGetInfo(comm: Handle): InfoPairs;

  topoTest(comm: Handle): number;
  graphCreate(
    comm: Handle,
    index: Int32Array,
    edges: Int32Array,
    reorder: number,
  ): Handle | undefined;
  distGraphCreate(
    comm: Handle,
    sources: Int32Array,
    degrees: Int32Array,
    destinations: Int32Array,
    weights: Int32Array | undefined,
    info: OptionalInfo,
    reorder: number,
  ): Handle;
  distGraphCreateAdjacent(
    comm: Handle,
    sources: Int32Array,
    sourceWeights: Int32Array | undefined,
    destinations: Int32Array,
    destinationWeights: Int32Array | undefined,
    info: OptionalInfo,
    reorder: number,
  ): Handle;
  distGraphCounts(comm: Handle, counts: Int32Array): void;
  distGraphNeighbors(
    comm: Handle,
    sources: Int32Array,
    sourceWeights: Int32Array,
    destinations: Int32Array,
    destinationWeights: Int32Array,
  ): void;

  commSpawn(
    comm: Handle,
    programs: readonly NativeProgram[],
    root: number,
    isMultiple: number,
  ): Handle;
  commParent(): Handle | undefined;
  portOpen(info: OptionalInfo): string;
  portClose(port: string): void;
  commConnect(
    comm: Handle,
    port: string,
    info: OptionalInfo,
    root: number,
    accepts: number,
  ): Handle;
  commDisconnect(comm: Handle): void;
  commJoin(socket: number): Handle | undefined;
  nameCall(kind: number, service: string, port: string, info: OptionalInfo): string;

  winCreate(comm: Handle, memory: MpiBuffer | undefined, unit: number, info: OptionalInfo): Handle;
  winAllocate(
    comm: Handle,
    size: number,
    unit: number,
    info: OptionalInfo,
    isShared: number,
  ): Handle;
  winMemory(window: Handle, rank: number): ArrayBuffer;
  winFree(window: Handle): void;
  winAttach(window: Handle, memory: MpiBuffer): number;
  winDetach(window: Handle, memory: MpiBuffer): void;
  winAttributes(
    window: Handle,
  ): readonly [size: number, unit: number, flavor: number, model: number];
  winName(window: Handle): string;
  winSetName(window: Handle, name: string): void;
  winSetInfo(window: Handle, info: InfoPairs): void;
  winGetInfo(window: Handle): InfoPairs;
  rma(
    window: Handle,
    kind: number,
    wantsRequest: number,
    origin: OptionalBuffer,
    result: OptionalBuffer,
    compare: OptionalBuffer,
    target: number,
    displacement: number,
    count: number | undefined,
    type: Handle | undefined,
    op: number,
  ): Handle | undefined;
  winSync(window: Handle, kind: number, rank: number, assertion: number): void;
  winExpose(window: Handle, ranks: Int32Array, assertion: number, starts: number): void;
  winTest(window: Handle): boolean;
}

/**
 * Fields of the array that is shared with an addon: the status of what completed last, then the arguments of
 * `sendAgain` and `recvAgain`. In the order of mpi-addon.h.
 */
export const SharedField = {
  SOURCE: 0,
  TAG_RECEIVED: 1,
  BYTES: 2,
  CANCELLED: 3,
  COMM: 4,
  RANK: 5,
  TAG: 6,
  COUNT: 7,
} as const;

/** An addon and what is shared with it. */
export interface MpiLibrary {
  readonly native: NativeMpi;
  /** See {@link SharedField}. */
  readonly shared: Float64Array;
  /** Buffer of the last blocking send. */
  readonly sent: KnownBuffer;
  /** Buffer of the last blocking receive. */
  readonly received: KnownBuffer;
  /** The library's datatypes. */
  readonly datatypes: NativeDatatypes;
}
