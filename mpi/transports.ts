/**
 * MPI files over storage of another kind: what a package needs that answers the calls of `File` itself.
 *
 * A transport moves bytes by places in a file ({@link FileTransport}); pointers, views, status counts, split and
 * nonblocking forms and the checks of arguments are then those of every file. {@link openFile} asks an
 * {@link Opener} for it. `daos-ts/mpi-io` is made this way.
 *
 * Programs that only use MPI need nothing of this.
 *
 * @module
 */

export { bytesOf, elementSizeOf } from "./buffers.js";
export { layoutOf } from "./datatype/typemap-layout.js";
export { MpiError } from "./errors.js";
export { EndedRequest } from "./files/ended-request.js";
export {
  deleteFile,
  type Opener,
  type Opening,
  openFile,
  openTransport,
  removeNatively,
} from "./files/file.js";
export { viewOf } from "./files/file-arguments.js";
export {
  ACCESS_TRAITS,
  type AccessTraits,
  type FileAccess,
  type FileTransport,
  type Hints,
} from "./files/file-transport.js";
export { mayRead, mayWrite } from "./files/mode.js";
export { TypedElements, unitOf } from "./messages/message-buffer.js";
