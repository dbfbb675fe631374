/**
 * Connections between jobs: who started this one, ports, and the names under which they are found.
 *
 * A server opens a port, publishes its name and accepts; a client looks the name up and connects:
 *
 *     const port = openPort();                     const port = lookupName("weather");
 *     publishName("weather", port);                const server = world().connect(port);
 *     const client = world().accept(port);
 *
 * Names need a server of names that both jobs know: that of the launcher within one job of `mpirun`, `ompi-server` of
 * Open MPI, `hydra_nameserver` of MPICH.
 *
 * @module
 */

import { runningLibrary } from "../environment.js";
import { MpiError } from "../errors.js";
import type { Intercommunicator } from "../groups/intercommunicator.js";
import { NativeIntercommunicator } from "../groups/native-intercommunicator.js";
import { infoCreateEnv } from "../info/environment-info.js";
import { type Info, infoOf, infoPairs } from "../info/info.js";
import { NativeCommunicator } from "../native-communicator.js";
import type { Handle, MpiLibrary } from "../native-mpi.js";
import { markConnected, NAME_CALLS, supported } from "./native-processes.js";
import { requireText } from "./process-operations.js";
import { needsLauncher } from "./solo-processes.js";

/** Longest port name, in bytes. */
const PORT_SIZE_MAX = 1023;

let knownParent: Intercommunicator | undefined;

/**
 * The intercommunicator with the ranks that spawned this job; undefined if it was not spawned.
 *
 * @mpi MPI_Comm_get_parent
 */
export function parent(): Intercommunicator | undefined {
  const { library, parent: handle } = runningLibrary();
  if (library === undefined || handle === undefined) return undefined;
  knownParent ??= intercommunicator(library, handle);
  return knownParent;
}

/** What is known of how this process was started (MPI_INFO_ENV), such as `command` and `wdir`. */
export function infoEnv(): Info {
  const { library } = runningLibrary();
  return library ? infoOf(library.native.infoEnv()) : infoCreateEnv();
}

/**
 * Opens a port, to which other jobs can connect.
 *
 * @returns Its name, which clients have to be told.
 * @throws {@link MpiError} `MPI_ERR_UNSUPPORTED_OPERATION` without a library; what the library reports.
 * @mpi MPI_Open_port
 */
export function openPort(info?: Info): string {
  const library = native("MPI_Open_port");
  const pairs = infoPairs("MPI_Open_port", info);
  return supported(() => library.portOpen(pairs));
}

/** Closes a port. @throws {@link MpiError} As {@link openPort}. @mpi MPI_Close_port */
export function closePort(port: string): void {
  const call = "MPI_Close_port";
  native(call).portClose(requirePort(call, port));
}

/**
 * Publishes a port under the name of a service.
 *
 * @throws {@link MpiError} `MPI_ERR_SERVICE`, or another code by library, if there is no server of names, or the
 *   service is known already.
 * @mpi MPI_Publish_name
 */
export function publishName(service: string, port: string, info?: Info): void {
  nameCall("publish", service, port, info);
}

/**
 * Takes a name back. @throws {@link MpiError} `MPI_ERR_SERVICE`, or another code by library.
 *
 * @mpi MPI_Unpublish_name
 */
export function unpublishName(service: string, port: string, info?: Info): void {
  nameCall("unpublish", service, port, info);
}

/**
 * The port that was published under the name of a service.
 *
 * @throws {@link MpiError} `MPI_ERR_NAME`, or another code by library, if there is none.
 * @mpi MPI_Lookup_name
 */
export function lookupName(service: string, info?: Info): string {
  return nameCall("lookup", service, undefined, info);
}

/**
 * Connects this process with another one through a socket that both have open (MPI_Comm_join). Both call it.
 *
 * @param socket File descriptor of a connected stream socket. Nothing may be under way on it.
 * @throws {@link MpiError} `MPI_ERR_ARG` for what is no open descriptor; what the library reports.
 * @mpi MPI_Comm_join
 */
export function join(socket: number): Intercommunicator {
  const call = "MPI_Comm_join";
  const { library } = runningLibrary();
  if (library === undefined) throw needsLauncher(call);
  if ((socket | 0) !== socket || socket < 0) {
    const why = `${socket} is no file descriptor`;
    throw new MpiError({ code: "MPI_ERR_ARG", call, why });
  }
  const handle = supported(() => library.native.commJoin(socket));
  if (handle !== undefined) {
    markConnected();
    return intercommunicator(library, handle);
  }
  const why = "the library could not connect the two processes";
  const remedy = "Use openPort, accept and connect";
  throw new MpiError({ code: "MPI_ERR_UNSUPPORTED_OPERATION", call, why, remedy });
}

function intercommunicator(library: MpiLibrary, handle: Handle): Intercommunicator {
  const make = (made: Handle) => new NativeCommunicator(library, made);
  return new NativeIntercommunicator(library, handle, make);
}

function native(call: string): MpiLibrary["native"] {
  const { library } = runningLibrary();
  if (library) return library.native;
  throw needsLauncher(call);
}

function nameCall(
  kind: (typeof NAME_CALLS)[number],
  service: string,
  port: string | undefined,
  info: Info | undefined,
): string {
  const call = `MPI_${kind[0]?.toUpperCase()}${kind.slice(1)}_name`;
  const library = native(call);
  const name = requireText(call, "service", service);
  const known = port === undefined && kind === "lookup" ? "" : requirePort(call, port as string);
  const pairs = infoPairs(call, info);
  return supported(() => library.nameCall(NAME_CALLS.indexOf(kind), name, known, pairs));
}

function requirePort(call: string, port: string): string {
  const name = requireText(call, "port", port);
  if (Buffer.byteLength(name) <= PORT_SIZE_MAX) return name;
  const why = `the port has more than ${PORT_SIZE_MAX} bytes`;
  throw new MpiError({ code: "MPI_ERR_PORT", call, why, remedy: "Use what openPort has returned" });
}
