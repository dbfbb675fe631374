/**
 * Handles of the pool for those who call: each user has one of their own, so that the pool's access control decides.
 *
 * Handles are shared by the calls of one user, and made anew after a while, so that changed rights on the pool count;
 * rights on a container count from call to call.
 *
 * @module
 */

import { type Container, type Identity, isDaosError, Pool } from "../../../core/index.js";
import { USERS_CONNECTED_MAX } from "../limits.js";

/** Why a container is not told: no right, destroyed meanwhile, somebody else's alone, damaged. */
const UNREADABLE: ReadonlySet<string> = new Set([
  "DER_NO_PERM",
  "DER_NONEXIST",
  "DER_BUSY",
  "DER_RF",
]);
/** How long a handle is used for new calls, in milliseconds. */
const HANDLE_MS_MAX = 15_000;

/** Who may look whether a pool is there. */
const ADMINISTRATOR: Identity = { user: "flight", groups: [], isAdministrator: true };

interface Held {
  readonly pool: Pool;
  readonly until: number;
  uses: number;
  isRetired: boolean;
}

/** A pool that a call uses until it is disposed of. */
export interface PoolLease extends Disposable {
  readonly pool: Pool;
}

/** Whoever may write gets a handle to write with. */
function connect(path: string, identity: Identity): Pool {
  try {
    return Pool.connect(path, { identity, mode: "rw" });
  } catch (error) {
    if (!isDaosError(error, "DER_NO_PERM")) throw error;
    return Pool.connect(path, { identity, mode: "ro" });
  }
}

/** Keeps handles of one pool. */
export class PoolHandles {
  readonly #path: string;
  readonly #held = new Map<string, Held>();

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Makes sure that there is a pool at all.
   *
   * @throws `DaosError` `DER_NONEXIST`; as `Pool.connect`.
   */
  check(): void {
    Pool.connect(this.#path, { mode: "ro", identity: ADMINISTRATOR }).close();
  }

  #retire(name: string, held: Held): void {
    this.#held.delete(name);
    held.isRetired = true;
    if (held.uses === 0) held.pool.close();
  }

  /**
   * A handle for a user.
   *
   * @throws `DaosError` `DER_NO_PERM` if the pool lets the user do nothing; as `Pool.connect`.
   */
  lease(identity: Identity): PoolLease {
    const name = JSON.stringify(identity);
    const now = performance.now();
    let held = this.#held.get(name);
    if (held !== undefined && held.until < now) {
      this.#retire(name, held);
      held = undefined;
    }
    if (held === undefined) {
      const [oldest] = this.#held;
      if (oldest !== undefined && this.#held.size >= USERS_CONNECTED_MAX) this.#retire(...oldest);
      const pool = connect(this.#path, identity);
      held = { pool, until: now + HANDLE_MS_MAX, uses: 0, isRetired: false };
      this.#held.set(name, held);
    }
    const used = held;
    used.uses += 1;
    let isOver = false;
    const end = () => {
      if (isOver) return;
      isOver = true;
      used.uses -= 1;
      if (used.isRetired && used.uses === 0) used.pool.close();
    };
    return { pool: used.pool, [Symbol.dispose]: end };
  }

  /** Closes all handles, those in use when they are no longer. */
  close(): void {
    for (const [name, held] of [...this.#held]) this.#retire(name, held);
  }
}

/** The containers of a pool that a user may read, opened one after the other. */
export function* readableContainers(pool: Pool): Generator<Container> {
  for (const label of pool.listContainers()) {
    let container: Container;
    try {
      container = pool.openContainer(label);
    } catch (error) {
      if (isDaosError(error) && UNREADABLE.has(error.code)) continue;
      throw error;
    }
    try {
      yield container;
    } finally {
      container.close();
    }
  }
}
