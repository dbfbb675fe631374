/**
 * Infos of communicators: what a library is told of their use.
 *
 * @module
 */

import { GroupOperations } from "../groups/group-operations.js";
import { Info, type InfoPairs, infoOf, infoPairs } from "./info.js";

/** What communicators offer around infos. Methods throw an {@link MpiError} as all others do. */
export interface InfoCalls {
  /** Tells the library of this communicator's use (MPI_Comm_set_info). Collective. @mpi MPI_Comm_set_info */
  setInfo(info: Info): void;
  /**
   * What the library knows and makes use of; others of the keys that were set may be missing.
   *
   * @mpi MPI_Comm_get_info
   */
  getInfo(): Info;
}

/** What a library, or the one-rank communicator, does of it. Arguments are sound. */
export interface InfoTransport {
  setInfo(pairs: InfoPairs): void;
  getInfo(): InfoPairs;
}

/** The checks; a communicator without its transports. */
export abstract class InfoOperations extends GroupOperations implements InfoCalls {
  /** What knows of infos. @internal */
  protected abstract readonly infos: InfoTransport;

  setInfo(info: Info): void {
    this.infos.setInfo(infoPairs("MPI_Comm_set_info", info ?? new Info()) ?? []);
  }

  getInfo(): Info {
    return infoOf(this.infos.getInfo());
  }
}

/** Infos of a communicator of one rank: what it was told. */
export class SoloInfos implements InfoTransport {
  readonly #requireLive: (call: string) => void;
  #pairs: InfoPairs;

  /** @param requireLive Throws if the communicator has been freed, or MPI finalized. */
  constructor(requireLive: (call: string) => void, pairs: InfoPairs = []) {
    this.#requireLive = requireLive;
    this.#pairs = pairs;
  }

  setInfo(pairs: InfoPairs): void {
    this.#requireLive("MPI_Comm_set_info");
    this.#pairs = pairs;
  }

  getInfo(): InfoPairs {
    this.#requireLive("MPI_Comm_get_info");
    return this.#pairs;
  }
}
