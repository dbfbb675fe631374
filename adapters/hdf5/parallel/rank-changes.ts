/**
 * The changes of the ranks of a communicator: metadata are changed by all ranks alike, elements by each rank for
 * itself, and one commit publishes all of it.
 *
 *     rank 0      metadata and its elements ──▶ one transaction ───┐
 *     rank 1..n   its elements ──▶ one transaction ────────────────┴─▶ one commit
 *                 metadata ──▶ another one, which only its own reads see, and which is dropped
 *
 * @module
 */

import {
  type CollectiveTransaction,
  type Container,
  type ContainerView,
  type Epoch,
  newestEpochOfAll,
  type ObjectId,
  onRoot,
  type RankGroup,
  type Transaction,
} from "../../../core/index.js";
import type { Changes, StoredType } from "../changes.js";

const ROOT = 0;
const OID_SIZE = 16;

/** What a file needs of a communicator: that of node-mpi-bindings has it. */
export interface ParallelGroup extends RankGroup {
  /** Sends to each rank a part of its own, and receives one from each. */
  alltoall(send: Float64Array, recv: Float64Array): void;
  /** The same of parts of different lengths. */
  alltoallv(
    send: Uint8Array,
    recv: Uint8Array,
    sendcounts: ArrayLike<number>,
    recvcounts: ArrayLike<number>,
  ): void;
}

/** The changes of one rank. */
export class RankChanges implements Changes {
  readonly leads: boolean;
  readonly #container: Container;
  readonly #group: ParallelGroup;
  readonly #canWrite: boolean;
  #view: ContainerView | undefined;
  #collective: CollectiveTransaction | undefined;
  /** Metadata of a rank that does not commit them. */
  #shadow: Transaction | undefined;

  /** Reads the same version on all ranks. Collective. */
  constructor(
    group: ParallelGroup,
    container: Container,
    { epoch, canWrite }: { epoch: Epoch | undefined; canWrite: boolean },
  ) {
    this.leads = group.rank === ROOT;
    this.#group = group;
    this.#container = container;
    this.#canWrite = canWrite;
    this.#view = container.view(epoch ?? newestEpochOfAll(group, container));
    this.#begin();
  }

  #begin(): void {
    if (this.#canWrite) this.#collective = this.#container.beginCollective(this.#group);
  }

  get view(): ContainerView | undefined {
    return this.#view;
  }

  get metadata(): Transaction | undefined {
    return this.leads ? this.data : this.#shadow;
  }

  get data(): Transaction | undefined {
    const own = this.#collective?.own;
    return own?.isOpen === true ? own : undefined;
  }

  changeMetadata(): Transaction {
    if (this.leads) return this.changeData();
    this.#shadow ??= this.#container.begin();
    return this.#shadow;
  }

  changeData(): Transaction {
    return (this.#collective as CollectiveTransaction).own;
  }

  allocateOid(type: StoredType): ObjectId {
    const drawn = onRoot(this.#group, ROOT, () => {
      const digits = this.#container.allocateOid(type).toString(16);
      return Buffer.from(digits.padStart(2 * OID_SIZE, "0"), "hex");
    });
    return BigInt(`0x${Buffer.from(drawn).toString("hex")}`);
  }

  /** Collective: ranks whose changes were dropped call it too, and then it fails on all of them. */
  commit(): Epoch {
    const view = this.#view as ContainerView;
    const collective = this.#collective;
    if (collective === undefined) return view.epoch;
    this.#shadow?.abort();
    this.#shadow = undefined;
    try {
      const { epoch } = collective.commit();
      this.#view = this.#container.view(epoch);
      view.close();
      return epoch;
    } finally {
      this.#begin();
    }
  }

  /** Local: the others learn of it at the next commit. */
  abort(): void {
    this.#shadow?.abort();
    this.#shadow = undefined;
    this.#collective?.abort();
  }

  close(): void {
    this.abort();
    this.#view?.close();
    this.#view = undefined;
  }
}
