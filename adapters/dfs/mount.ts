/**
 * A container that is mounted: which version its calls read, and how they change it.
 *
 *     balanced    each call reads the newest commit
 *     relaxed     calls share a version for a while, until the mount itself changes something
 *     version     all calls read the version that was mounted; changes are EROFS
 *
 * Changes are serializable transactions in any case: what they read is checked against the newest commit.
 *
 * @module
 */

import type { Container, ContainerView, Epoch } from "../../core/index.js";
import { ChangeGroup } from "./change-group.js";
import type { NamespaceChange } from "./directory.js";
import { DfsError, type FileCall, refusal, withPosixErrors } from "./errors.js";
import { CHANGE_ATTEMPTS_MAX, STALE_MS_DEFAULT } from "./limits.js";
import { rememberDirectories } from "./path-walk.js";

/** What calls see of the commits of others. */
export type Consistency = "balanced" | "relaxed";

/** How a container is mounted. */
export interface MountOptions {
  /** The version to show, read-only; not beside `snapshot`. */
  readonly epoch?: Epoch | undefined;
  /** The snapshot to show, read-only. */
  readonly snapshot?: string | undefined;
  /** `balanced` by default: each call sees the newest commit. */
  readonly consistency?: Consistency | undefined;
  /** How long a relaxed mount may show an old version, in milliseconds; 1000 by default. */
  readonly staleMs?: number | undefined;
}

/** A change of names: what a transaction reads, and its writes. */
export type Change = NamespaceChange;

/** A view that several use: it is closed when the last of them lets go of it. */
class SharedView {
  readonly view: ContainerView;
  #users = 1;

  constructor(view: ContainerView) {
    this.view = view;
    rememberDirectories(view);
  }

  hold(): void {
    this.#users += 1;
  }

  use(): OpenView {
    this.hold();
    return { view: this.view, release: once(() => this.release()) };
  }

  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.view.close();
  }
}

function once(body: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) body();
    isDone = true;
  };
}

/** A view that is used for longer than a call. */
export interface OpenView {
  readonly view: ContainerView;
  /** Lets go of it. Later calls do nothing. */
  readonly release: () => void;
}

/** A view of its own. */
export function ownView(view: ContainerView): OpenView {
  return { view, release: () => view.close() };
}

/** A mounted container. */
export class Mount {
  readonly container: Container;
  readonly consistency: Consistency;
  readonly snapshot: string | undefined;
  readonly #staleMs: number;
  readonly #pinned: SharedView | undefined;
  readonly #closePinned: () => void;
  readonly #group: ChangeGroup;
  /** What a relaxed mount shows until the timer ends. */
  #kept: { readonly shared: SharedView; readonly timer: NodeJS.Timeout } | undefined;
  /** What calls of one turn of the event loop share, as long as nothing is committed. */
  #turn: SharedView | undefined;

  constructor(container: Container, options: MountOptions = {}) {
    const { epoch, snapshot, consistency = "balanced", staleMs = STALE_MS_DEFAULT } = options;
    checkOptions(options);
    this.container = container;
    this.#group = new ChangeGroup(container);
    this.consistency = consistency;
    this.snapshot = snapshot;
    this.#staleMs = staleMs;
    const version = snapshot === undefined ? epoch : { snapshot };
    if (version !== undefined) {
      this.#pinned = new SharedView(withPosixErrors(() => container.view(version)));
    }
    this.#closePinned = once(() => this.#pinned?.release());
  }

  /** The version that is mounted; `undefined` if new commits are seen. */
  get epoch(): Epoch | undefined {
    return this.#pinned?.view.epoch;
  }

  /** Whether nothing can be changed through this mount. */
  get readOnly(): boolean {
    return this.#pinned !== undefined || this.container.readOnly;
  }

  /** The version that calls share now; `undefined` if each of them reads the newest. */
  #shared(): SharedView | undefined {
    if (this.#pinned !== undefined || this.consistency === "balanced") return this.#pinned;
    if (this.#kept === undefined) {
      const shared = new SharedView(this.container.view());
      const timer = setTimeout(() => this.forget(), this.#staleMs);
      timer.unref();
      this.#kept = { shared, timer };
    }
    return this.#kept.shared;
  }

  /** The newest version. Pinning it once a turn saves calls that follow each other half of their time. */
  #newest(): SharedView {
    if (this.#turn !== undefined && this.container.isNewest(this.#turn.view)) return this.#turn;
    this.#endTurn();
    const shared = new SharedView(this.container.view());
    this.#turn = shared;
    setImmediate(() => {
      if (this.#turn === shared) this.#endTurn();
    });
    return shared;
  }

  #endTurn(): void {
    const ended = this.#turn;
    this.#turn = undefined;
    ended?.release();
  }

  /** The next call reads the newest version: this mount changed something, or the time is over. */
  readonly forget = (): void => {
    this.#endTurn();
    const kept = this.#kept;
    this.#kept = undefined;
    if (kept === undefined) return;
    clearTimeout(kept.timer);
    kept.shared.release();
  };

  /** Commits what was asked for before: calls see the effects of earlier ones, awaited or not. */
  settle(): void {
    this.#group.flush();
  }

  /** The version that a call sees, for longer than the call: also when the mount is closed. */
  open(): OpenView {
    this.settle();
    return this.#shared()?.use() ?? ownView(this.container.view());
  }

  /** Reads. The view is the mount's: it is not used after the call. */
  read<T>(call: FileCall, body: (view: ContainerView) => T): T {
    this.settle();
    return withPosixErrors(() => {
      const shared = this.#shared() ?? this.#newest();
      shared.hold();
      try {
        return body(shared.view);
      } finally {
        shared.release();
      }
    }, call);
  }

  /** @throws {@link DfsError} `EROFS` if nothing can be changed. */
  requireWritable(call: FileCall): void {
    if (!this.readOnly) return;
    const why =
      this.#pinned === undefined
        ? "the pool was connected read-only"
        : `epoch ${this.epoch} is mounted, and old versions cannot be changed`;
    const remedy = "mount the container without a version, of a pool connected for writing";
    throw refusal(call, { posix: "EROFS", code: "DER_EP_RO", why, remedy });
  }

  /**
   * Makes a change in a serializable transaction: entries and listings that it read are the same at its
   * commit, or it is made again. So a file cannot be lost in a directory that is removed meanwhile.
   */
  change<T>(call: FileCall, body: (state: Change) => T): T {
    return this.commit(call, body).value;
  }

  /**
   * The same, in a commit with other changes that are asked for in this turn of the event loop.
   *
   * @param size Bytes that the body writes; they are kept until the promise is settled.
   */
  async changeTogether<T>(
    call: FileCall,
    body: (state: Change) => T,
    { size = 0 }: { readonly size?: number } = {},
  ): Promise<T> {
    this.requireWritable(call);
    try {
      return await this.#group.submit(body, size);
    } catch (error) {
      return withPosixErrors(() => {
        throw error;
      }, call);
    } finally {
      this.forget();
    }
  }

  /** As {@link change}, at once; also tells the epoch of the commit. */
  commit<T>(call: FileCall, body: (state: Change) => T): { value: T; epoch: Epoch } {
    this.settle();
    return withPosixErrors(() => {
      this.requireWritable(call);
      try {
        // As an object of its own, whose parts can be handed on.
        const parts = ({ view, own }: Change) => body({ view, own });
        return this.container.runTransaction(parts, { attempts: CHANGE_ATTEMPTS_MAX });
      } finally {
        this.forget();
      }
    }, call);
  }

  /** Lets go of the version. */
  close(): void {
    this.settle();
    this.forget();
    this.#closePinned();
  }
}

function checkOptions({ epoch, snapshot, consistency, staleMs = 0 }: MountOptions): void {
  const fail = (why: string, remedy: string) =>
    new DfsError("EINVAL", "DER_INVAL", { what: "Mounting a container", why, remedy });
  if (epoch !== undefined && snapshot !== undefined) {
    throw fail("an epoch and a snapshot were given", "give one of them");
  }
  if (consistency !== undefined && consistency !== "balanced" && consistency !== "relaxed") {
    throw fail(`${consistency} is no consistency`, 'choose "balanced" or "relaxed"');
  }
  if (!(Number.isFinite(staleMs) && staleMs >= 0 && staleMs < 2 ** 31)) {
    throw fail(`${staleMs} ms is no time to show an old version`, "give 0 to 2147483647");
  }
}
