/**
 * MPI and PMIx for Node.js.
 *
 * ```ts
 * import { Op, world } from "node-mpi-bindings";
 *
 * const comm = world(); // all ranks under mpirun; one rank, without MPI, otherwise
 * const sum = new Float64Array(1);
 * comm.allreduce(Float64Array.of(comm.rank), sum, Op.SUM);
 * ```
 *
 * Names and semantics are those of the MPI standard. Calls take typed arrays and use their memory in
 * place. Failures are {@link MpiError}s.
 *
 * @module
 */

export { bootstrap, type Job } from "./bootstrap.js";
export type { MpiBuffer, MpiTypedArray } from "./buffers.js";
export { dimsCreate } from "./cart-topology.js";
export type { CollectiveCalls, NeighborCalls } from "./collectives/collective-calls.js";
export { type BuiltInOp, type Combine, Op, UserOp } from "./collectives/op.js";
export type {
  PersistentCollectiveCalls,
  PersistentNeighborCalls,
} from "./collectives/persistent-collectives.js";
export type { NumberList } from "./collectives/pieces.js";
export { reduceLocal } from "./collectives/reduce-local.js";
export type { TypedPieces } from "./collectives/vector-checks.js";
export type { CartCommunicator, CartShift, Communicator } from "./communicator.js";
export { CommunicatorRequest } from "./communicator-request.js";
export {
  ANY_SOURCE,
  ANY_TAG,
  IN_PLACE,
  type InPlace,
  PROC_NULL,
  ROOT,
  THREAD_LEVELS,
  type ThreadLevel,
} from "./constants.js";
export type { ArrayOrder } from "./datatype/arguments.js";
export type { BasicName } from "./datatype/basic-types.js";
export { CONTENT_CODES, type Combiner, type Contents } from "./datatype/contents.js";
export { DISTRIBUTE_DFLT_DARG, Distribution } from "./datatype/darray.js";
export { Datatype } from "./datatype/datatype.js";
export { type Layout, type LayoutLevel, repeatLayout, spanOf } from "./datatype/layout.js";
export {
  type DataRepresentation,
  type PackOptions,
  pack,
  packSize,
  unpack,
} from "./datatype/pack.js";
export { blocksOf, type Typemap, type TypemapBlock } from "./datatype/typemap.js";
export {
  attachBuffer,
  bsendOverhead,
  detachBuffer,
  finalize,
  type InitOptions,
  init,
  isInitialized,
  libraryVersion,
  processorName,
  type StandardVersion,
  self,
  standardVersion,
  world,
  wtick,
  wtime,
} from "./environment.js";
export { Errhandler, type ErrorFunction } from "./error-handler.js";
export { MpiError, type MpiErrorDetails } from "./errors.js";
export {
  type Conversion,
  type DataRepresentationFunctions,
  registerDatarep,
} from "./files/data-representations.js";
export { File } from "./files/file.js";
export type {
  FileAccessCalls,
  FileCalls,
  FileInfo,
  FileOffset,
  SplitAccessCalls,
  View,
} from "./files/file-calls.js";
export { DISPLACEMENT_CURRENT, Mode, Seek } from "./files/mode.js";
export {
  type AttributeCopy,
  Keyval,
  type KeyvalOptions,
  type PredefinedAttribute,
  sameValue,
} from "./groups/attributes.js";
export { Group, type GroupComparison, type RankRange } from "./groups/group.js";
export type { CommunicatorComparison, GroupCalls } from "./groups/group-operations.js";
export type { Intercommunicator } from "./groups/intercommunicator.js";
export type { ErrhandlerCalls } from "./handled.js";
export type { Identity } from "./identity.js";
export { infoCreateEnv } from "./info/environment-info.js";
export { Info, type InfoEntries } from "./info/info.js";
export type { InfoCalls } from "./info/info-operations.js";
export type {
  BufferSpec,
  Message,
  MessageBuffer,
  TypedElements,
} from "./messages/message-buffer.js";
export { MatchedMessage, type PointToPointCalls } from "./messages/point-to-point.js";
export { type Completed, PersistentRequest, Request } from "./messages/request.js";
export { Status } from "./messages/status.js";
export { Objects, type Reducer } from "./objects/object-collectives.js";
export { ObjectMessages } from "./objects/object-messages.js";
export { MatchedObject, ObjectRequest } from "./objects/object-request.js";
export { type JobFacts, Pmix, type Published, type PublishRange } from "./pmix.js";
export {
  closePort,
  infoEnv,
  join,
  lookupName,
  openPort,
  parent,
  publishName,
  unpublishName,
} from "./processes/connections.js";
export type {
  ConnectOptions,
  ProcessCalls,
  Program,
  RootOptions,
} from "./processes/process-operations.js";
export { SoloCommunicator } from "./solo-communicator.js";
export type {
  DistGraphCommunicator,
  GraphCommunicator,
  TopologyCalls,
} from "./topology/graph-communicators.js";
export type {
  GraphEdges,
  GraphOptions,
  Neighbors,
  Topology,
} from "./topology/graph-topology.js";
export type { Assertions } from "./windows/epochs.js";
export { type LockType, Window } from "./windows/window.js";
export type { WindowElements, WindowPlace } from "./windows/window-checks.js";
export type { WindowCalls, WindowOptions } from "./windows/window-operations.js";
export type { WindowFlavor, WindowModel } from "./windows/window-transport.js";
