/**
 * Dynamic processes through an MPI library.
 *
 * @module
 */

import { MpiError } from "../errors.js";
import type { Intercommunicator } from "../groups/intercommunicator.js";
import type { InfoPairs } from "../info/info.js";
import type { Handle, MpiLibrary } from "../native-mpi.js";
import type { ProcessTransport, SoundProgram } from "./process-operations.js";

/** Calls around names, in the order of the addon's table (mpi-process.c). DO NOT REORDER. */
export const NAME_CALLS = ["publish", "unpublish", "lookup"] as const;

/** Whether this process was ever connected with others than those of its job, which wait for it in MPI_Finalize. */
let isConnected = false;

/** Whether the end of this process may keep processes of other jobs waiting. */
export function hasConnected(): boolean {
  return isConnected;
}

/** Records that this process belongs together with others than those of its job. */
export function markConnected(): void {
  isConnected = true;
}

/**
 * Runs a call around processes, which not every build of a library supports.
 *
 * @throws {@link MpiError} `MPI_ERR_UNSUPPORTED_OPERATION` where the library says so in words only; else its error.
 */
export function supported<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof MpiError) || !/not (currently )?supported/.test(error.message))
      throw error;
    const { call, errorClass, errorCode } = error;
    throw new MpiError({
      code: "MPI_ERR_UNSUPPORTED_OPERATION",
      call,
      why: "this build of the library knows no dynamic processes (MPICH: not through UCX)",
      remedy: "Use Open MPI, or MPICH with another device, such as ch4:ofi",
      errorClass,
      errorCode,
      cause: error,
    });
  }
}

/** Processes of a communicator of a library. */
export class NativeProcesses implements ProcessTransport {
  readonly #library: MpiLibrary;
  readonly #handle: Handle;
  readonly #make: (handle: Handle) => Intercommunicator;

  /** @param make Makes an intercommunicator of a handle: given, so that this module need not know the class. */
  constructor(library: MpiLibrary, handle: Handle, make: (handle: Handle) => Intercommunicator) {
    this.#library = library;
    this.#handle = handle;
    this.#make = make;
  }

  spawn(programs: readonly SoundProgram[], root: number, isMultiple: boolean): Intercommunicator {
    const list = programs.map(
      ({ command, args, processes, info }) => [command, args, processes, info] as const,
    );
    // With the hint "soft" fewer processes may be there: the size of the other group tells. Else that is an error.
    const { native } = this.#library;
    const handle = supported(() => native.commSpawn(this.#handle, list, root, isMultiple ? 1 : 0));
    markConnected();
    return this.#make(handle);
  }

  connect(
    port: string,
    info: InfoPairs | undefined,
    root: number,
    accepts: boolean,
  ): Intercommunicator {
    const { native } = this.#library;
    const handle = supported(() =>
      native.commConnect(this.#handle, port, info, root, accepts ? 1 : 0),
    );
    markConnected();
    return this.#make(handle);
  }

  disconnect(): void {
    this.#library.native.commDisconnect(this.#handle);
  }
}
