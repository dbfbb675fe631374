/**
 * Groups, names, attributes of communicators; what is made of groups. With the check of every argument.
 *
 * @module
 */

import { PersistentCollectives } from "../collectives/persistent-collectives.js";
import type { Communicator } from "../communicator.js";
import { MpiError } from "../errors.js";
import { rankError } from "../messages/point-to-point.js";
import {
  Attributes,
  type Keyval,
  PREDEFINED_ATTRIBUTES,
  type PredefinedAttribute,
} from "./attributes.js";
import type { Group } from "./group.js";
import type { Intercommunicator } from "./intercommunicator.js";

/** Whether two communicators are one, have the same ranks in the same order, in another one, or not. */
export type CommunicatorComparison = "identical" | "congruent" | "similar" | "unequal";

/** Longest name of a communicator, in bytes. */
const NAME_SIZE_MAX = 63;

/** What communicators offer around groups. Methods throw an {@link MpiError} as all others do. */
export interface GroupCalls {
  /** The ranks of the communicator. @mpi MPI_Comm_group */
  readonly group: Group;
  /**
   * A communicator of a part of the ranks. Collective over this communicator.
   *
   * @returns Undefined on ranks that are not in the group.
   * @throws {@link MpiError} `MPI_ERR_GROUP` if the group has others than this communicator's.
   * @mpi MPI_Comm_create
   */
  create(group: Group): Communicator | undefined;
  /**
   * As `create`, collective over the group alone; the tag tells calls at the same time apart.
   *
   * @mpi MPI_Comm_create_group
   */
  createGroup(group: Group, tag?: number): Communicator | undefined;
  /** Compares with another communicator. @mpi MPI_Comm_compare */
  compare(other: Communicator): CommunicatorComparison;
  /** Names the communicator, for people and debuggers; up to 63 bytes. @mpi MPI_Comm_set_name */
  setName(name: string): void;
  /** A value of the library's own, such as the largest tag; undefined if it has none. @mpi MPI_Comm_get_attr */
  getAttribute(name: PredefinedAttribute): number | undefined;
  /** A value that this process has attached; undefined if it has none. */
  getAttribute<T>(key: Keyval<T>): T | undefined;
  /** Attaches a value. @mpi MPI_Comm_set_attr */
  setAttribute<T>(key: Keyval<T>, value: T): void;
  /** Removes a value; false if there was none. @mpi MPI_Comm_delete_attr */
  deleteAttribute<T>(key: Keyval<T>): boolean;
  /**
   * Connects the ranks of this communicator with those of another one. Collective over both.
   *
   * @param localLeader Rank here that speaks for these ranks.
   * @param peer A communicator that both leaders are in; significant at the leaders.
   * @param remoteLeader Rank of the other leader in `peer`.
   * @mpi MPI_Intercomm_create
   */
  createIntercommunicator(
    localLeader: number,
    peer: Communicator,
    remoteLeader: number,
    tag?: number,
  ): Intercommunicator;
}

/** What a library, or the one-rank communicator, does of it. Arguments are sound. */
export interface GroupTransport {
  group(): Group;
  create(ranks: readonly number[]): Communicator | undefined;
  createGroup(ranks: readonly number[], tag: number): Communicator | undefined;
  compare(other: Communicator): CommunicatorComparison;
  setName(name: string): void;
  attribute(index: number): number | undefined;
  intercommunicator(
    localLeader: number,
    peer: Communicator,
    remoteLeader: number,
    tag: number,
  ): Intercommunicator;
}

/** The checks; a communicator without its transports. */
export abstract class GroupOperations extends PersistentCollectives implements GroupCalls {
  readonly #attributes = new Attributes();
  #group: Group | undefined;

  /** What knows of groups. @internal */
  protected abstract readonly groups: GroupTransport;

  get group(): Group {
    this.#group ??= this.groups.group();
    return this.#group;
  }

  create(group: Group): Communicator | undefined {
    return this.groups.create(this.#ranksOf("MPI_Comm_create", group));
  }

  createGroup(group: Group, tag = 0): Communicator | undefined {
    const call = "MPI_Comm_create_group";
    if ((tag | 0) !== tag || tag < 0) {
      throw new MpiError({ code: "MPI_ERR_TAG", call, why: `tag ${tag} is not allowed` });
    }
    const ranks = this.#ranksOf(call, group);
    // Who is not in the group does not take part, and libraries differ in what they say to that.
    return ranks.includes(this.rank) ? this.groups.createGroup(ranks, tag) : undefined;
  }

  compare(other: Communicator): CommunicatorComparison {
    return this.groups.compare(other);
  }

  setName(name: string): void {
    if (Buffer.byteLength(name) > NAME_SIZE_MAX) {
      const why = `the name has more than ${NAME_SIZE_MAX} bytes`;
      throw new MpiError({ code: "MPI_ERR_ARG", call: "MPI_Comm_set_name", why });
    }
    this.groups.setName(name);
  }

  getAttribute(name: PredefinedAttribute): number | undefined;
  getAttribute<T>(key: Keyval<T>): T | undefined;
  getAttribute<T>(key: PredefinedAttribute | Keyval<T>): T | number | undefined {
    if (typeof key !== "string") return this.#attributes.get(key);
    const index = PREDEFINED_ATTRIBUTES.indexOf(key);
    if (index >= 0) return this.groups.attribute(index);
    const why = `no attribute is named ${String(key)}`;
    throw new MpiError({ code: "MPI_ERR_KEYVAL", call: "MPI_Comm_get_attr", why });
  }

  setAttribute<T>(key: Keyval<T>, value: T): void {
    this.#attributes.set(key, value);
  }

  deleteAttribute<T>(key: Keyval<T>): boolean {
    return this.#attributes.delete(key);
  }

  createIntercommunicator(
    localLeader: number,
    peer: Communicator,
    remoteLeader: number,
    tag = 0,
  ): Intercommunicator {
    const call = "MPI_Intercomm_create";
    const isRank = (rank: number, size: number) => (rank | 0) === rank && rank >= 0 && rank < size;
    if (!isRank(localLeader, this.size)) {
      throw rankError(call, "MPI_ERR_RANK", localLeader, this.size);
    }
    if (this.rank === localLeader && !isRank(remoteLeader, peer.size)) {
      throw rankError(call, "MPI_ERR_RANK", remoteLeader, peer.size);
    }
    return this.groups.intercommunicator(localLeader, peer, remoteLeader, tag);
  }

  /** What a copy of the communicator takes along. @internal */
  protected handDown(copy: GroupOperations): void {
    this.#attributes.copyTo(copy.#attributes);
  }

  /** Gives what a copy takes along, as it is now, to one that is made later. @internal */
  protected attributesNow(): (copy: GroupOperations) => void {
    const copied = new Attributes();
    this.#attributes.copyTo(copied);
    return (copy) => copied.moveTo(copy.#attributes);
  }

  /** The communicator is freed. @internal */
  protected dropAttributes(): void {
    this.#attributes.clear();
  }

  #ranksOf(call: string, group: Group): number[] {
    const all = Array.from({ length: group.size }, (_, rank) => rank);
    const ranks = group.translateRanks(all, this.group);
    const stranger = ranks.indexOf(undefined);
    if (stranger >= 0) {
      const why = `rank ${stranger} of the group is not in the communicator`;
      throw new MpiError({
        code: "MPI_ERR_GROUP",
        call,
        why,
        remedy: "Take the intersection with the communicator's own group",
      });
    }
    return ranks as number[];
  }
}
