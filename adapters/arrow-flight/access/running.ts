/**
 * The reads that go on, so that their callers can cancel them by what they were given to read them.
 *
 * @module
 */

import type { Identity } from "../../../core/index.js";

/** Which reads go on. */
export class Running {
  readonly #cancels = new Map<string, Set<() => void>>();

  #nameOf({ user }: Identity, ticket: Uint8Array): string {
    return `${user} ${Buffer.from(ticket).toString("base64")}`;
  }

  /** Remembers a read until it is disposed of. */
  add(identity: Identity, ticket: Uint8Array, cancel: () => void): Disposable {
    const name = this.#nameOf(identity, ticket);
    const known = this.#cancels.get(name) ?? new Set();
    known.add(cancel);
    this.#cancels.set(name, known);
    const end = () => {
      known.delete(cancel);
      if (known.size === 0) this.#cancels.delete(name);
    };
    return { [Symbol.dispose]: end };
  }

  /** Cancels a caller's own reads of a ticket; returns how many there were. */
  cancel(identity: Identity, ticket: Uint8Array): number {
    const known = this.#cancels.get(this.#nameOf(identity, ticket)) ?? new Set();
    for (const cancel of known) cancel();
    return known.size;
  }
}
