/**
 * `daos-ts/mpi-io`: MPI files whose collective writes are atomic, versioned, and free of communication.
 *
 * @module
 */

export {
  type Communicator,
  Datatype,
  dimsCreate,
  MpiError,
  Op,
  SoloCommunicator,
  Status,
  self,
  world,
} from "node-mpi-bindings";
export { File, type FileBuffer } from "./file.js";
export { FileView, type ViewOptions } from "./file-view.js";
export { Mode } from "./mode.js";
export type { Info } from "./open-file.js";
