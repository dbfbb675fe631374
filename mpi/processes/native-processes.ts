/**
 * Dynamic processes through an MPI library.
 *
 * @module
 */

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
    const handle = this.#library.native.commSpawn(this.#handle, list, root, isMultiple ? 1 : 0);
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
    const handle = native.commConnect(this.#handle, port, info, root, accepts ? 1 : 0);
    markConnected();
    return this.#make(handle);
  }

  disconnect(): void {
    this.#library.native.commDisconnect(this.#handle);
  }
}
