/**
 * Windows through an MPI library: each method is one call of the addon.
 *
 * @module
 */

import { markAsUntransferable } from "node:worker_threads";
import type { MpiBuffer } from "../buffers.js";
import { OP_NAMES } from "../collectives/op.js";
import { MpiError } from "../errors.js";
import type { InfoPairs } from "../info/info.js";
import type { Message } from "../messages/message-buffer.js";
import { nativeBuffer } from "../messages/native-messages.js";
import { NativeRequest } from "../messages/native-request.js";
import type { Request } from "../messages/request.js";
import type { Handle, MpiLibrary, NativeBuffer, NativeMpi } from "../native-mpi.js";
import {
  RMA_KINDS,
  type RmaCall,
  SYNC_KINDS,
  type SyncKind,
  WINDOW_FLAVORS,
  WINDOW_MODELS,
  type WindowFactory,
  type WindowFacts,
  type WindowFlavor,
  type WindowModel,
  type WindowTransport,
} from "./window-transport.js";

/** A one-sided operation with a request. The standard lets nobody cancel one. */
class RmaRequest extends NativeRequest {
  protected override cancelOperation(): never {
    throw new MpiError({
      code: "MPI_ERR_REQUEST",
      call: "MPI_Cancel",
      why: "a one-sided operation cannot be cancelled",
      remedy: "Wait for it",
    });
  }
}

/** Open MPI says so of a window that it would make, when none of its parts can. */
function noComponent(call: string, cause: MpiError): MpiError {
  const { errorClass, errorCode } = cause;
  return new MpiError({
    code: "MPI_ERR_UNSUPPORTED_OPERATION",
    call,
    why: "the library has no component for such a window, with these ranks and threads",
    remedy:
      "With Open MPI 4, let it use its component ucx (see OMPI_MCA_osc and openmpi-mca-params.conf); for dynamic " +
      'windows set OMPI_MCA_osc=^ucx and start with init({ threadLevel: "serialized" }); or use another library',
    errorClass,
    errorCode,
    cause,
  });
}

/** Refuses to move memory away: its owner is the window. */
function refuseTransfer(): never {
  throw new MpiError({
    code: "MPI_ERR_WIN",
    call: "ArrayBuffer.transfer",
    why: "the memory belongs to a window",
    remedy: "Copy it with slice()",
  });
}

/** Keeps memory where it is for as long as other ranks may use it. */
function pin(memory: MpiBuffer): void {
  markAsUntransferable(ArrayBuffer.isView(memory) ? memory.buffer : memory);
}

/** Makes windows of a communicator of a library. */
export class NativeWindows implements WindowFactory {
  readonly #library: MpiLibrary;
  readonly #comm: Handle;

  constructor(library: MpiLibrary, comm: Handle) {
    this.#library = library;
    this.#comm = comm;
  }

  create(memory: MpiBuffer, unit: number, info: InfoPairs | undefined): WindowTransport {
    pin(memory);
    return this.#window("MPI_Win_create", (native) =>
      native.winCreate(this.#comm, memory, unit, info),
    );
  }

  allocate(
    size: number,
    unit: number,
    info: InfoPairs | undefined,
    isShared: boolean,
  ): WindowTransport {
    return this.#window(isShared ? "MPI_Win_allocate_shared" : "MPI_Win_allocate", (native) =>
      native.winAllocate(this.#comm, size, unit, info, isShared ? 1 : 0),
    );
  }

  dynamic(info: InfoPairs | undefined): WindowTransport {
    return this.#window("MPI_Win_create_dynamic", (native) =>
      native.winCreate(this.#comm, undefined, 1, info),
    );
  }

  #window(call: string, make: (native: NativeMpi) => Handle): WindowTransport {
    try {
      return new NativeWindow(this.#library, make(this.#library.native));
    } catch (error) {
      throw error instanceof MpiError && error.code === "MPI_ERR_WIN"
        ? noComponent(call, error)
        : error;
    }
  }
}

class NativeWindow implements WindowTransport {
  readonly #library: MpiLibrary;
  readonly #handle: Handle;
  readonly #memory = new Map<number, ArrayBuffer>();

  constructor(library: MpiLibrary, handle: Handle) {
    this.#library = library;
    this.#handle = handle;
  }

  facts(): WindowFacts {
    const [size, unit, flavor, model] = this.#library.native.winAttributes(this.#handle);
    return {
      size,
      unit,
      flavor: WINDOW_FLAVORS[flavor] as WindowFlavor,
      model: WINDOW_MODELS[model] as WindowModel,
    };
  }

  memory(rank = -1): ArrayBuffer {
    const known = this.#memory.get(rank);
    if (known) return known;
    const memory = this.#library.native.winMemory(this.#handle, rank);
    pin(memory);
    for (const name of ["transfer", "transferToFixedLength"]) {
      Object.defineProperty(memory, name, { value: refuseTransfer });
    }
    this.#memory.set(rank, memory);
    return memory;
  }

  attach(memory: MpiBuffer): number {
    pin(memory);
    return this.#library.native.winAttach(this.#handle, memory);
  }

  detach(memory: MpiBuffer): void {
    this.#library.native.winDetach(this.#handle, memory);
  }

  name(): string {
    return this.#library.native.winName(this.#handle);
  }

  setName(name: string): void {
    this.#library.native.winSetName(this.#handle, name);
  }

  setInfo(pairs: InfoPairs): void {
    this.#library.native.winSetInfo(this.#handle, pairs);
  }

  getInfo(): InfoPairs {
    return this.#library.native.winGetInfo(this.#handle);
  }

  run(call: RmaCall): void {
    this.#rma(call, 0);
  }

  start(call: RmaCall): Request {
    return new RmaRequest(this.#library, this.#rma(call, 1) as Handle, 1);
  }

  sync(kind: SyncKind, rank: number, assertion: number): void {
    this.#library.native.winSync(this.#handle, SYNC_KINDS.indexOf(kind), rank, assertion);
  }

  expose(ranks: readonly number[], assertion: number): void {
    this.#library.native.winExpose(this.#handle, Int32Array.from(ranks), assertion, 0);
  }

  access(ranks: readonly number[], assertion: number): void {
    this.#library.native.winExpose(this.#handle, Int32Array.from(ranks), assertion, 1);
  }

  test(): boolean {
    return this.#library.native.winTest(this.#handle);
  }

  free(): void {
    this.#library.native.winFree(this.#handle);
    this.#memory.clear();
  }

  #rma(call: RmaCall, wantsRequest: number): Handle | undefined {
    const { native, datatypes } = this.#library;
    return native.rma(
      this.#handle,
      RMA_KINDS.indexOf(call.kind),
      wantsRequest,
      this.#buffer(call.origin),
      this.#buffer(call.result),
      this.#buffer(call.compare),
      call.target,
      call.displacement,
      call.count,
      call.datatype && datatypes.handleOf(call.datatype),
      OP_NAMES.indexOf(call.op),
    );
  }

  #buffer(message: Message | undefined): NativeBuffer | undefined {
    return message && nativeBuffer(this.#library, message);
  }
}
