/**
 * What windows have besides memory: a name, infos, attributes, an error handler.
 *
 * @module
 */

import { MpiError } from "../errors.js";
import { Attributes, type Keyval } from "../groups/attributes.js";
import { Handled } from "../handled.js";
import { Info, infoOf, infoPairs } from "../info/info.js";
import type { Window } from "./window.js";
import type { WindowTransport } from "./window-transport.js";

/** Longest name of a window, in bytes. */
const NAME_SIZE_MAX = 63;

/** A window without its memory. */
export abstract class DescribedWindow extends Handled<Window> {
  readonly #transport: WindowTransport;
  readonly #attributes = new Attributes();
  readonly #abort: (code: number) => void;

  /**
   * @param abort Ends the job.
   * @internal
   */
  constructor(transport: WindowTransport, abort: (code: number) => void) {
    super();
    this.#transport = transport;
    this.#abort = abort;
  }

  /** @internal */
  protected override get handledAs(): "MPI_Win" {
    return "MPI_Win";
  }

  /** @internal */
  protected override requireLive(): void {
    this.#transport.facts();
  }

  /** @internal */
  protected override endJob(code: number): void {
    this.#abort(code);
  }

  /** Name for debugging; at first what the library likes. @mpi MPI_Win_get_name */
  get name(): string {
    return this.#transport.name();
  }

  /** Names the window; up to 63 bytes. @mpi MPI_Win_set_name */
  setName(name: string): void {
    if (typeof name !== "string" || Buffer.byteLength(name) > NAME_SIZE_MAX) {
      const why = `the name is no string of at most ${NAME_SIZE_MAX} bytes`;
      throw new MpiError({ code: "MPI_ERR_ARG", call: "MPI_Win_set_name", why });
    }
    this.#transport.setName(name);
  }

  /** Tells the library of the window's use. Collective. @mpi MPI_Win_set_info */
  setInfo(info: Info): void {
    this.#transport.setInfo(infoPairs("MPI_Win_set_info", info ?? new Info()) ?? []);
  }

  /** What the library knows and makes use of. @mpi MPI_Win_get_info */
  getInfo(): Info {
    return infoOf(this.#transport.getInfo());
  }

  /** A value that this process has attached; undefined if it has none. @mpi MPI_Win_get_attr */
  getAttribute<T>(key: Keyval<T>): T | undefined {
    return this.#attributes.get(key);
  }

  /** Attaches a value. @mpi MPI_Win_set_attr */
  setAttribute<T>(key: Keyval<T>, value: T): void {
    this.#attributes.set(key, value);
  }

  /** Removes a value; false if there was none. @mpi MPI_Win_delete_attr */
  deleteAttribute<T>(key: Keyval<T>): boolean {
    return this.#attributes.delete(key);
  }

  /** The window is freed. @internal */
  protected dropAttributes(): void {
    this.#attributes.clear();
  }
}
