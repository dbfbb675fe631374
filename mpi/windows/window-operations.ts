/**
 * Windows of a communicator: how they are made. With the check of every argument.
 *
 * @module
 */

import { type MpiBuffer, requireBuffer } from "../buffers.js";
import { MpiError } from "../errors.js";
import { type Info, infoPairs } from "../info/info.js";
import { InfoOperations } from "../info/info-operations.js";
import { requireFixed } from "./fixed-memory.js";
import { Window } from "./window.js";
import type { WindowFactory, WindowTransport } from "./window-transport.js";

/** Most bytes of a displacement unit. */
const UNIT_MAX = 0x7fffffff;

/** What a window is made with. */
export interface WindowOptions {
  /** Bytes of which displacements into this rank's memory are multiples; by default 1. */
  readonly displacementUnit?: number;
  /** Hints, such as `no_locks` or `accumulate_ordering`. */
  readonly info?: Info;
}

/**
 * Makes windows, memory that other ranks read and write. Collective. Methods throw an {@link MpiError}:
 * `MPI_ERR_SIZE`, `MPI_ERR_DISP`, `MPI_ERR_TYPE`, `MPI_ERR_BASE`, `MPI_ERR_INFO` for wrong arguments, `MPI_ERR_NO_MEM`.
 */
export interface WindowCalls {
  /**
   * A window over a buffer of the program (MPI_Win_create). Ranks may differ in size and unit.
   *
   * The buffer is used in place, and kept until the window is freed. It can then not be transferred any more
   * (`postMessage`, `structuredClone`), neither now nor later. Its unit is, by default, the size of its elements.
   *
   * @param memory A buffer; an empty one exposes nothing.
   * @mpi MPI_Win_create
   */
  createWindow(memory: MpiBuffer, options?: WindowOptions): Window;
  /**
   * A window over memory of the library, which may suit it better (MPI_Win_allocate). It is zero where the library
   * makes it so, and else undefined.
   *
   * @param size In bytes.
   * @mpi MPI_Win_allocate
   */
  allocateWindow(size: number, options?: WindowOptions): Window;
  /**
   * A window over memory that all ranks share, each of which can use all of it in place (MPI_Win_allocate_shared):
   * see {@link Window.sharedMemory}. The ranks must be those of one node: `splitShared`.
   *
   * @param size In bytes, of this rank's part.
   * @throws {@link MpiError} `MPI_ERR_RMA_SHARED`, or another code by library, if the ranks share no memory.
   * @mpi MPI_Win_allocate_shared
   */
  allocateSharedWindow(size: number, options?: WindowOptions): Window;
  /**
   * A window without memory, to which buffers are attached later (MPI_Win_create_dynamic).
   *
   * @throws {@link MpiError} `MPI_ERR_UNSUPPORTED_OPERATION` with Open MPI 4 and several ranks, unless it has a fast
   *   network or a thread level below "multiple": what it has for other cases crashes.
   * @mpi MPI_Win_create_dynamic
   */
  createDynamicWindow(options?: Pick<WindowOptions, "info">): Window;
}

/** The checks; a communicator without its transports. */
export abstract class WindowOperations extends InfoOperations implements WindowCalls {
  /** What makes windows. @internal */
  protected abstract readonly windows: WindowFactory;

  createWindow(memory: MpiBuffer, options: WindowOptions = {}): Window {
    const call = "MPI_Win_create";
    requireBuffer(call, memory);
    requireFixed(call, memory);
    const elementSize = "BYTES_PER_ELEMENT" in memory ? memory.BYTES_PER_ELEMENT : 1;
    const unit = unitOf(call, options, elementSize);
    return this.#window(this.windows.create(memory, unit, infoPairs(call, options.info)), memory);
  }

  allocateWindow(size: number, options: WindowOptions = {}): Window {
    return this.#allocate("MPI_Win_allocate", size, options, false);
  }

  allocateSharedWindow(size: number, options: WindowOptions = {}): Window {
    return this.#allocate("MPI_Win_allocate_shared", size, options, true);
  }

  createDynamicWindow(options: Pick<WindowOptions, "info"> = {}): Window {
    const pairs = infoPairs("MPI_Win_create_dynamic", options.info);
    return new Window(this.windows.dynamic(pairs), {
      group: this.group,
      sizes: undefined,
      units: new Array<number>(this.size).fill(1),
      abort: (code) => this.endJob(code),
    });
  }

  #allocate(call: string, size: number, options: WindowOptions, isShared: boolean): Window {
    if (!Number.isSafeInteger(size) || size < 0) {
      const remedy = "Use a whole number of bytes from 0";
      throw new MpiError({ code: "MPI_ERR_SIZE", call, why: `the size is ${size}`, remedy });
    }
    const unit = unitOf(call, options, 1);
    const pairs = infoPairs(call, options.info);
    return this.#window(this.windows.allocate(size, unit, pairs, isShared));
  }

  /** All ranks learn how large the others' windows are, so that no operation leaves them. */
  #window(transport: WindowTransport, memory?: MpiBuffer): Window {
    const { size, unit } = transport.facts();
    const all = new Float64Array(2 * this.size);
    this.allgather(Float64Array.of(size, unit), all);
    const sizes = all.filter((_, i) => i % 2 === 0);
    const units = all.filter((_, i) => i % 2 === 1);
    const abort = (code: number) => this.endJob(code);
    return new Window(transport, { group: this.group, sizes, units, abort }, memory);
  }
}

function unitOf(call: string, { displacementUnit }: WindowOptions, byDefault: number): number {
  const unit = displacementUnit ?? byDefault;
  if (Number.isInteger(unit) && unit > 0 && unit <= UNIT_MAX) return unit;
  const why = `the displacement unit is ${unit}`;
  const remedy = `Use a whole number of bytes from 1 to ${UNIT_MAX}`;
  throw new MpiError({ code: "MPI_ERR_DISP", call, why, remedy });
}
