/**
 * Dynamic processes: starting programs, and connecting jobs that were started apart. With the check of every argument.
 *
 * @module
 */

import { roleOf } from "../collectives/regular-checks.js";
import { MpiError } from "../errors.js";
import type { Intercommunicator } from "../groups/intercommunicator.js";
import { type Info, type InfoPairs, infoPairs } from "../info/info.js";
import { WindowOperations } from "../windows/window-operations.js";

/** A program to be started in some processes. */
export interface Program {
  /** Path, or name, of the program; for one of Node, `process.execPath`. */
  readonly command: string;
  /** Its arguments; none by default. */
  readonly args?: readonly string[];
  /** Number of processes. */
  readonly processes: number;
  /** Hints to the launcher, such as `host` and `wdir`. */
  readonly info?: Info;
}

/** How programs are started, and jobs connected. */
export interface RootOptions {
  /** Rank whose arguments count; 0 by default. */
  readonly root?: number;
}

/** How jobs are connected. */
export interface ConnectOptions extends RootOptions {
  /** Hints to the library. */
  readonly info?: Info;
}

/** What communicators offer around processes. Collective. Methods throw an {@link MpiError} as all others do. */
export interface ProcessCalls {
  /**
   * Starts a program (MPI_Comm_spawn). Its processes have a world of their own, and reach this communicator by
   * `parent()`. Arguments count at root only, the others pass the same or null.
   *
   * @returns The processes are the other group.
   * @throws {@link MpiError} `MPI_ERR_ARG`, `MPI_ERR_ROOT`; `MPI_ERR_SPAWN`, or another code by library, if processes
   *   could not be started.
   *
   * @example
   * ```ts
   * const helpers = comm.spawn({ command: process.execPath, args: ["helper.mjs"], processes: 2 });
   * helpers.bcast(Float64Array.of(1), comm.rank === 0 ? ROOT : PROC_NULL);
   * helpers.disconnect();
   * ```
   * @mpi MPI_Comm_spawn
   */
  spawn(program: Program | null, options?: RootOptions): Intercommunicator;
  /**
   * Starts several programs, whose processes share one world (MPI_Comm_spawn_multiple).
   *
   * @mpi MPI_Comm_spawn_multiple
   */
  spawnMultiple(programs: readonly Program[] | null, options?: RootOptions): Intercommunicator;
  /**
   * Waits for another job to connect (MPI_Comm_accept).
   *
   * @param port At root: what `openPort` has returned.
   * @mpi MPI_Comm_accept
   */
  accept(port: string | null, options?: ConnectOptions): Intercommunicator;
  /**
   * Connects with a job that accepts (MPI_Comm_connect).
   *
   * @param port At root: name of the other one's port.
   * @throws {@link MpiError} `MPI_ERR_PORT`, or another code by library, if nobody listens there.
   * @mpi MPI_Comm_connect
   */
  connect(port: string | null, options?: ConnectOptions): Intercommunicator;
  /**
   * As `free`, after all messages have arrived (MPI_Comm_disconnect): processes that are no longer connected may end
   * without waiting for each other.
   *
   * @mpi MPI_Comm_disconnect
   */
  disconnect(): void;
}

/** A program that is sound. */
export interface SoundProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly processes: number;
  readonly info: InfoPairs | undefined;
}

/** What a library, or the one-rank communicator, does of it. Arguments are sound. */
export interface ProcessTransport {
  /** @param isMultiple Whether it is the call for several programs; root knows how many. */
  spawn(programs: readonly SoundProgram[], root: number, isMultiple: boolean): Intercommunicator;
  connect(
    port: string,
    info: InfoPairs | undefined,
    root: number,
    accepts: boolean,
  ): Intercommunicator;
  disconnect(): void;
}

const NOTHING: SoundProgram = { command: "", args: [], processes: 0, info: undefined };

/** The checks; a communicator without its transports. */
export abstract class ProcessOperations extends WindowOperations implements ProcessCalls {
  /** What knows of processes. @internal */
  protected abstract readonly processes: ProcessTransport;

  spawn(program: Program | null, options: RootOptions = {}): Intercommunicator {
    const call = "MPI_Comm_spawn";
    const root = this.#root(call, options);
    const sound = this.rank === root ? soundProgram(call, program) : NOTHING;
    return this.processes.spawn([sound], root, false);
  }

  spawnMultiple(programs: readonly Program[] | null, options: RootOptions = {}): Intercommunicator {
    const call = "MPI_Comm_spawn_multiple";
    const root = this.#root(call, options);
    if (this.rank !== root) return this.processes.spawn([NOTHING], root, true);
    if (!Array.isArray(programs) || programs.length === 0) {
      const why = "there are no programs";
      throw new MpiError({ code: "MPI_ERR_ARG", call, why, remedy: "Pass an array of programs" });
    }
    const sound = programs.map((program) => soundProgram(call, program));
    return this.processes.spawn(sound, root, true);
  }

  accept(port: string | null, options: ConnectOptions = {}): Intercommunicator {
    return this.#connect("MPI_Comm_accept", port, options, true);
  }

  connect(port: string | null, options: ConnectOptions = {}): Intercommunicator {
    return this.#connect("MPI_Comm_connect", port, options, false);
  }

  disconnect(): void {
    this.processes.disconnect();
    this.dropAttributes();
  }

  #connect(
    call: string,
    port: string | null,
    options: ConnectOptions,
    accepts: boolean,
  ): Intercommunicator {
    const root = this.#root(call, options);
    const name = this.rank === root ? requireText(call, "port", port) : "";
    const pairs = infoPairs(call, options.info);
    return this.processes.connect(name, pairs, root, accepts);
  }

  #root(call: string, { root = 0 }: RootOptions): number {
    roleOf(call, this, root);
    return root;
  }
}

function soundProgram(call: string, program: Program | null): SoundProgram {
  if (typeof program !== "object" || program === null) {
    const why = "the program is none";
    const remedy = "Pass { command, args, processes }";
    throw new MpiError({ code: "MPI_ERR_ARG", call, why, remedy });
  }
  const { args = [], processes, info } = program;
  const command = requireText(call, "command", program.command);
  if (!Array.isArray(args)) throw argumentError(call, "args is no array");
  for (const arg of args) {
    if (typeof arg !== "string" || arg.includes("\0")) {
      throw argumentError(call, `${String(arg)} is no argument of a program`);
    }
  }
  if ((processes | 0) !== processes || processes < 1) {
    throw argumentError(call, `${processes} is no number of processes`);
  }
  return { command, args: [...args], processes, info: infoPairs(call, info) };
}

/**
 * A name that libraries can read.
 *
 * @throws {@link MpiError} `MPI_ERR_ARG`.
 * @internal
 */
export function requireText(call: string, name: string, text: unknown): string {
  if (typeof text === "string" && text.length > 0 && !text.includes("\0")) return text;
  throw argumentError(call, `the ${name} is no text`);
}

function argumentError(call: string, why: string): MpiError {
  return new MpiError({ code: "MPI_ERR_ARG", call, why });
}
