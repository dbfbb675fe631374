/**
 * Intercommunicators of an MPI library.
 *
 * @module
 */

import { NativeCollectives } from "../collectives/native-collectives.js";
import { PersistentCollectives } from "../collectives/persistent-collectives.js";
import type { Communicator } from "../communicator.js";
import { NativeMessages } from "../messages/native-messages.js";
import type { Handle, MpiLibrary } from "../native-mpi.js";
import type { Group } from "./group.js";
import type { Intercommunicator } from "./intercommunicator.js";
import type { MakeCommunicator } from "./native-groups.js";
import { numberedGroup } from "./numbered-group.js";

/** Two groups of a library. */
export class NativeIntercommunicator extends PersistentCollectives implements Intercommunicator {
  readonly remoteSize: number;
  protected override readonly messages: NativeMessages;
  protected override readonly collectives: NativeCollectives;
  readonly #library: MpiLibrary;
  readonly #handle: Handle;
  readonly #make: MakeCommunicator;

  /**
   * @param handle A live intercommunicator of the library.
   * @param make Makes a communicator of a handle.
   */
  constructor(library: MpiLibrary, handle: Handle, make: MakeCommunicator) {
    super(library.native.rank(handle), library.native.size(handle));
    this.remoteSize = library.native.remoteSize(handle);
    this.messages = new NativeMessages(library, handle);
    this.collectives = new NativeCollectives(library, handle);
    this.#library = library;
    this.#handle = handle;
    this.#make = make;
  }

  /** @internal */
  protected override requireLive(call: string): void {
    this.#library.native.commRequireLive(this.#handle, call);
  }

  /** @internal */
  protected override endJob(code: number): void {
    try {
      this.#library.native.abort(this.#handle, code);
    } catch {
      process.exit(code); // It has been freed, or MPI has ended.
    }
  }

  protected override get peers(): number {
    return this.remoteSize;
  }

  get group(): Group {
    return numberedGroup(this.#library, this.#handle, this.size, false);
  }

  get remoteGroup(): Group {
    return numberedGroup(this.#library, this.#handle, this.remoteSize, true);
  }

  merge(high: boolean): Communicator {
    return this.#make(this.#library.native.intercommMerge(this.#handle, high ? 1 : 0));
  }

  dup(): Intercommunicator {
    const { native } = this.#library;
    return new NativeIntercommunicator(this.#library, native.dup(this.#handle), this.#make);
  }

  free(): void {
    this.#library.native.free(this.#handle);
  }

  disconnect(): void {
    this.#library.native.commDisconnect(this.#handle);
  }
}
