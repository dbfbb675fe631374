/**
 * Constants with the same values for every MPI library; the addon translates them.
 *
 * @module
 */

/** Source of a receive: a message from any rank. */
export const ANY_SOURCE = -1;

/** Tag of a receive: a message with any tag. */
export const ANY_TAG = -1;

/** A rank that does not exist: sending to it or receiving from it does nothing, at once. */
export const PROC_NULL = -2;

/** Root of a collective of an intercommunicator, as the root itself names it; its group names PROC_NULL. */
export const ROOT = -3;

/** In place of a send buffer of a collective: the data is already in the receive buffer. */
export const IN_PLACE: unique symbol = Symbol.for("node-mpi-bindings.IN_PLACE");

/** In place of a send buffer: see {@link IN_PLACE}. */
export type InPlace = typeof IN_PLACE;

/** How many threads may call MPI, weakest first; the index is what the addon understands. */
export const THREAD_LEVELS = ["single", "funneled", "serialized", "multiple"] as const;

/** Thread support of MPI, as in `MPI_THREAD_MULTIPLE`. */
export type ThreadLevel = (typeof THREAD_LEVELS)[number];

/** Modes of a send, in the order of the addon's table (mpi-p2p.c). DO NOT REORDER. */
export const SEND_MODES = ["standard", "synchronous", "buffered", "ready"] as const;

/** When a send is complete, and what it needs: as MPI_Send, MPI_Ssend, MPI_Bsend, MPI_Rsend. */
export type SendMode = (typeof SEND_MODES)[number];
