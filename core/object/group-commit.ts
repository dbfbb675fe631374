/**
 * Group commit: updates without a transaction that are asked for in one turn of the event loop become one
 * commit, so that they share one flush and one index transaction.
 *
 *     put, put, update   each taken at once, in a transaction of its own
 *     end of the turn    one commit: a contribution each, in the order of the calls
 *
 * Each is atomic by itself, as if it had been committed alone: a condition that does not hold fails its own
 * promise only. Plain puts that follow each other share a transaction, since nothing can fail one of them
 * alone.
 *
 * @module
 */

import { closedError, isDaosError } from "../errors.js";
import type { CommitRequest, Committed } from "../vos/commit.js";
import type { Epoch } from "../vos/epoch.js";
import type { Transaction } from "../vos/transaction.js";

/** What a group commit needs of its container. */
export interface GroupSource {
  begin(): Transaction;
  commit(request: Pick<CommitRequest, "contributions" | "failed">): Committed;
}

interface Waiting {
  resolve(epoch: Epoch): void;
  reject(error: unknown): void;
}

/** One contribution, and those that wait for it. */
interface Member {
  readonly transaction: Transaction;
  readonly waiting: Waiting[];
  readonly isPlain: boolean;
}

/** Gathers the updates of one container handle. */
export class GroupCommit {
  readonly #source: GroupSource;
  #members: Member[] = [];

  constructor(source: GroupSource) {
    this.#source = source;
  }

  /**
   * Takes an update; it is committed at the end of this turn of the event loop.
   *
   * @param body Writes to the transaction, at once: buffers can be reused when the call returns.
   * @param options.isPlain The body puts values without conditions, and does nothing else.
   * @returns Resolves to the epoch of the commit.
   */
  submit(
    body: (own: Transaction) => void,
    { isPlain = false }: { isPlain?: boolean } = {},
  ): Promise<Epoch> {
    const last = this.#members.at(-1);
    const joins = isPlain && last?.isPlain === true && last.transaction.isOpen;
    const transaction = joins ? last.transaction : this.#source.begin();
    try {
      body(transaction);
    } catch (error) {
      if (!joins) transaction.abort();
      throw error;
    }
    return new Promise((resolve, reject) => {
      const waiting = { resolve, reject };
      if (joins) {
        last.waiting.push(waiting);
        return;
      }
      if (this.#members.length === 0) setImmediate(() => this.flush());
      this.#members.push({ transaction, waiting: [waiting], isPlain });
    });
  }

  /** Commits what was gathered. Nothing is thrown: the promises tell. */
  flush(): void {
    let members = this.#members;
    this.#members = [];
    while (members.length > 0) members = this.#commit(members);
  }

  /** Commits members; returns those that are to be tried again, without one that failed. */
  #commit(members: Member[]): Member[] {
    const errors = new Map<number, unknown>();
    const ready: Member[] = [];
    try {
      const contributions = members.flatMap((member) => {
        try {
          if (!member.transaction.isOpen) throw closedError("Committing an update");
          const contribution = member.transaction.contribution();
          ready.push(member);
          return [contribution];
        } catch (error) {
          fail(member, error);
          return [];
        }
      });
      if (ready.length === 0) return [];
      const failed = (index: number, error: unknown) => errors.set(index, error);
      const { epoch } = this.#source.commit({ contributions, failed });
      for (const [index, member] of ready.entries()) {
        if (errors.has(index)) fail(member, errors.get(index));
        else succeed(member, epoch);
      }
      return [];
    } catch (error) {
      if (errors.size === ready.length) {
        for (const [index, member] of ready.entries()) fail(member, errors.get(index));
        return [];
      }
      const [culprit] = [...errors].find(([, found]) => found === error) ?? [];
      // Nothing was published: also what was left out before is to be looked at again.
      if (culprit === undefined || !isDaosError(error)) {
        for (const member of ready) fail(member, error);
        return [];
      }
      fail(ready[culprit] as Member, error);
      return ready.filter((_, index) => index !== culprit);
    }
  }
}

function fail({ transaction, waiting }: Member, error: unknown): void {
  transaction.abort();
  for (const { reject } of waiting) reject(error);
}

function succeed({ transaction, waiting }: Member, epoch: Epoch): void {
  transaction.settle();
  for (const { resolve } of waiting) resolve(epoch);
}
