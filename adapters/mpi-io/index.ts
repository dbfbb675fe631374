/**
 * `daos-ts/mpi-io`: MPI files whose collective writes are atomic, versioned, and free of communication.
 *
 * @module
 */

export {
  type Communicator,
  type Conversion,
  type DataRepresentationFunctions,
  Datatype,
  DISPLACEMENT_CURRENT,
  dimsCreate,
  Errhandler,
  type ErrorFunction,
  type FileCalls,
  type FileInfo,
  type FileOffset,
  type MessageBuffer,
  Mode,
  MpiError,
  Op,
  Request,
  registerDatarep,
  Seek,
  SoloCommunicator,
  Status,
  self,
  type View,
  world,
} from "node-mpi-bindings";
export { FileError } from "./errors.js";
export { File } from "./file.js";
export { FileView, type ViewOptions } from "./file-view.js";
export type { Info } from "./open-file.js";
