/**
 * Changes that are asked for in one turn of the event loop become one commit: they share a flush, and an
 * index transaction.
 *
 *     writeFile, unlink, mkdir   taken in the order of the calls
 *     end of the turn            one transaction: each sees what those before it did
 *
 * Each fails by itself, as if it had been made alone: a transaction with one that fails is dropped, and the
 * others are made without it.
 *
 * Invariants:
 *
 * 1. The order of the calls is the order of their effects.
 * 2. No promise is settled before the commit that holds its change, and those before it.
 *
 * @module
 */

import type { Container } from "../../core/index.js";
import type { NamespaceChange } from "./directory.js";
import {
  CHANGE_ATTEMPTS_MAX,
  CHANGES_TOGETHER_COUNT_MAX,
  CHANGES_TOGETHER_SIZE_MAX,
} from "./limits.js";

/** A change, and who waits for it. */
interface Member {
  readonly body: (state: NamespaceChange) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** How far a transaction of several came. */
interface Progress {
  readonly values: unknown[];
  /** Whether it was a body that threw, the one behind the values. */
  isBody: boolean;
}

/** Gathers the changes of a mount. */
export class ChangeGroup {
  readonly #container: Container;
  #members: Member[] = [];
  #size = 0;

  constructor(container: Container) {
    this.#container = container;
  }

  /**
   * Takes a change; it is committed at the end of this turn of the event loop, or before.
   *
   * @param body Is called again where others changed what it read.
   * @param size Bytes that it writes. They are kept, not copied, until the promise is settled.
   * @returns What the body returned.
   */
  submit<T>(body: (state: NamespaceChange) => T, size = 0): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#members.length === 0) setImmediate(() => this.flush());
      this.#members.push({ body, resolve: resolve as Member["resolve"], reject });
      this.#size += size;
      const isFull =
        this.#members.length >= CHANGES_TOGETHER_COUNT_MAX ||
        this.#size >= CHANGES_TOGETHER_SIZE_MAX;
      if (isFull) this.flush();
    });
  }

  /** Commits what was gathered. Nothing is thrown: the promises tell. */
  flush(): void {
    const members = this.#members;
    this.#members = [];
    this.#size = 0;
    this.#run(members);
  }

  #run(members: readonly Member[]): void {
    if (members.length === 0) return;
    const progress: Progress = { values: [], isBody: false };
    try {
      // Several that meet others again and again meet them less in parts.
      const options = members.length === 1 ? { attempts: CHANGE_ATTEMPTS_MAX } : {};
      this.#container.runTransaction((scope) => makeAll(members, scope, progress), options);
    } catch (error) {
      if (members.length === 1) members[0]?.reject(error);
      else for (const part of partsOf(members, progress)) this.#run(part);
      return;
    }
    for (const [index, { resolve }] of members.entries()) resolve(progress.values[index]);
  }
}

/** Makes changes one after the other, each on top of those before it. */
function makeAll(
  members: readonly Member[],
  { view, own }: NamespaceChange,
  progress: Progress,
): void {
  progress.values.length = 0;
  progress.isBody = true;
  for (const { body } of members) progress.values.push(body({ view, own }));
  progress.isBody = false;
}

/** What is tried after a failure: those around the one that failed, or two halves if it is not known. */
function partsOf(members: readonly Member[], { values, isBody }: Progress): (readonly Member[])[] {
  const at = values.length;
  if (isBody) return [members.slice(0, at), members.slice(at, at + 1), members.slice(at + 1)];
  const middle = members.length >> 1;
  return [members.slice(0, middle), members.slice(middle)];
}
