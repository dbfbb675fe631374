/**
 * Status: what a completed receive says about its message.
 *
 * @module
 */

import { ANY_TAG, PROC_NULL } from "../constants.js";
import type { Datatype } from "../datatype/datatype.js";
import { blocksOf } from "../datatype/typemap.js";

/** Where a message came from, and how long it was. */
export class Status {
  /** Rank that sent it in the communicator; PROC_NULL if there was no sender, and after a send. */
  readonly source: number;
  /** Its tag; ANY_TAG after a receive from PROC_NULL, and after a send. */
  readonly tag: number;
  /** Its length, in bytes. */
  readonly count: number;
  /** Whether the operation was cancelled before it took effect. @mpi MPI_Test_cancelled */
  readonly isCancelled: boolean;
  readonly #elementSize: number;

  /**
   * @param source Rank of the sender.
   * @param tag Tag of the message.
   * @param count Length, in bytes.
   * @param elementSize Size of an element of the receive buffer, in bytes.
   * @param isCancelled Whether the operation was cancelled.
   */
  constructor(
    source: number,
    tag: number,
    count: number,
    elementSize: number,
    isCancelled = false,
  ) {
    this.source = source;
    this.tag = tag;
    this.count = count;
    this.isCancelled = isCancelled;
    this.#elementSize = elementSize;
  }

  /**
   * The message's length in elements of the receive buffer, or of a datatype (MPI_Get_count).
   *
   * @returns Undefined if the message is not a whole number of elements (MPI_UNDEFINED).
   * @mpi MPI_Get_count
   */
  getCount(datatype?: Datatype): number | undefined {
    const size = datatype?.size ?? this.#elementSize;
    if (size === 0) return this.count === 0 ? 0 : undefined;
    const count = this.count / size;
    return Number.isInteger(count) ? count : undefined;
  }

  /**
   * The message's length in the basic elements that a datatype is made of (MPI_Get_elements).
   *
   * @returns Undefined if the message ends within one.
   * @mpi MPI_Get_elements, MPI_Get_elements_x
   */
  getElements(datatype: Datatype): number | undefined {
    if (datatype.size === 0) return this.count === 0 ? 0 : undefined;
    const whole = Math.floor(this.count / datatype.size);
    const perType = elementsIn(datatype, datatype.size) as number;
    const rest = elementsIn(datatype, this.count - whole * datatype.size);
    return rest === undefined ? undefined : whole * perType + rest;
  }
}

/** Basic elements in the first `size` bytes of a datatype's data. */
function elementsIn(datatype: Datatype, size: number): number | undefined {
  let count = 0;
  for (const { length, elementSize } of blocksOf(datatype.typemap, { to: size })) {
    count += length / elementSize;
  }
  return Number.isInteger(count) ? count : undefined;
}

/**
 * The status of a send, which says nothing.
 *
 * @internal
 */
export function emptyStatus(isCancelled = false): Status {
  return new Status(PROC_NULL, ANY_TAG, 0, 1, isCancelled);
}
