/**
 * Dynamic processes without a library: there are none.
 *
 * @module
 */

import { MpiError } from "../errors.js";
import type { Intercommunicator } from "../groups/intercommunicator.js";
import type { InfoPairs } from "../info/info.js";
import type { ProcessTransport, SoundProgram } from "./process-operations.js";

/** The error of what needs a launcher. */
export function needsLauncher(call: string, code = "MPI_ERR_UNSUPPORTED_OPERATION"): MpiError {
  return new MpiError({
    code,
    call,
    why: "the program runs without an MPI library, alone",
    remedy: "Start it with a launcher (mpirun.openmpi, mpiexec.mpich), or call init() first",
  });
}

/** Processes of a communicator of one rank. */
export class SoloProcesses implements ProcessTransport {
  readonly #requireLive: (call: string) => void;
  readonly #free: () => void;

  /**
   * @param requireLive Throws if the communicator has been freed, or MPI finalized.
   * @param free Frees the communicator.
   */
  constructor(requireLive: (call: string) => void, free: () => void) {
    this.#requireLive = requireLive;
    this.#free = free;
  }

  spawn(_programs: readonly SoundProgram[], _root: number, isMultiple: boolean): Intercommunicator {
    const call = isMultiple ? "MPI_Comm_spawn_multiple" : "MPI_Comm_spawn";
    this.#requireLive(call);
    throw needsLauncher(call);
  }

  connect(
    _port: string,
    _info: InfoPairs | undefined,
    _root: number,
    accepts: boolean,
  ): Intercommunicator {
    const call = accepts ? "MPI_Comm_accept" : "MPI_Comm_connect";
    this.#requireLive(call);
    throw needsLauncher(call);
  }

  disconnect(): void {
    this.#requireLive("MPI_Comm_disconnect");
    this.#free();
  }
}
