/**
 * The check of collectives of contributions that differ: from arguments to a sound call.
 *
 * @module
 */

import { bytesOf, type MpiBuffer, requireBuffer } from "../buffers.js";
import { IN_PLACE, type InPlace } from "../constants.js";
import { Datatype } from "../datatype/datatype.js";
import { requireInside } from "../datatype/pack.js";
import { MpiError } from "../errors.js";
import { type Message, type MessageBuffer, messageOf, unitOf } from "../messages/message-buffer.js";
import type { CallSide, VectorCall } from "./collective-transport.js";
import {
  countError,
  elementsOf,
  type NumberList,
  type Pieces,
  requireApart,
  requirePieces,
  requireSize,
} from "./pieces.js";
import {
  gatherBuffers,
  type Neighborhood,
  neighborBuffers,
  peersOf,
  type Ranks,
  requireOwnGroup,
  scatterBuffers,
  sendBuffer,
} from "./regular-checks.js";

/** Pieces of a buffer, each of its own datatype: one per rank, or per neighbour. */
export interface TypedPieces {
  /** The memory. */
  readonly buffer: MpiBuffer;
  /** Elements of each piece. */
  readonly counts: NumberList;
  /** Where each piece starts, in bytes from the start of the buffer. */
  readonly displs: NumberList;
  /** Datatype of each piece. */
  readonly datatypes: readonly Datatype[];
}

const NOTHING: CallSide = { count: 0 };

function whole(message: Message | null | undefined): CallSide {
  return message ? { count: elementsOf(message) } : NOTHING;
}

/** The pieces of a message. */
function piecesOf(
  call: string,
  message: Message,
  ranks: number,
  { counts, displs }: { counts: NumberList | null; displs: NumberList | undefined },
): Pieces {
  return requirePieces(call, { room: elementsOf(message), ranks }, counts, displs);
}

/** This rank's own contribution must have the length that the counts say. */
function requireOwn(call: string, own: Message, all: Message, pieces: Pieces, rank: number): void {
  requireSize(call, own, (pieces.counts[rank] as number) * unitOf(all));
}

/** MPI_Gatherv. */
export function gathervCall(
  ranks: Ranks,
  send: MessageBuffer | InPlace,
  recv: MessageBuffer | null,
  counts: NumberList | null,
  root: number,
  displs: NumberList | undefined,
): VectorCall {
  const kind = "MPI_Gatherv";
  const [out, into] = gatherBuffers(kind, ranks, { send, recv, root });
  const pieces = into && piecesOf(kind, into, peersOf(ranks), { counts, displs });
  if (out && into && pieces) requireOwn(kind, out, into, pieces, ranks.rank);
  const received = pieces ? { count: 0, pieces } : NOTHING;
  return { shape: "vector", kind, send: out, recv: into, root, sent: whole(out), received };
}

/** MPI_Scatterv. */
export function scattervCall(
  ranks: Ranks,
  send: MessageBuffer | null,
  recv: MessageBuffer | InPlace,
  counts: NumberList | null,
  root: number,
  displs: NumberList | undefined,
): VectorCall {
  const kind = "MPI_Scatterv";
  const [out, into] = scatterBuffers(kind, ranks, { send, recv, root });
  const pieces = out && piecesOf(kind, out, peersOf(ranks), { counts, displs });
  if (out && into && pieces) requireOwn(kind, into, out, pieces, ranks.rank);
  const sent = pieces ? { count: 0, pieces } : NOTHING;
  return { shape: "vector", kind, send: out, recv: into, root, sent, received: whole(into) };
}

/** MPI_Allgatherv. */
export function allgathervCall(
  ranks: Ranks,
  send: MessageBuffer | InPlace,
  recv: MessageBuffer,
  counts: NumberList,
  displs: NumberList | undefined,
): VectorCall {
  const kind = "MPI_Allgatherv";
  requireOwnGroup(kind, ranks, send);
  const into = messageOf(kind, recv);
  const out = sendBuffer(kind, send, into);
  const pieces = piecesOf(kind, into, peersOf(ranks), { counts, displs });
  const isOwn = ranks.remoteSize === undefined;
  if (out && isOwn) requireOwn(kind, out, into, pieces, ranks.rank);
  const received = { count: 0, pieces };
  return { shape: "vector", kind, send: out, recv: into, root: 0, sent: whole(out), received };
}

/** The four lists of an alltoallv. */
export interface AlltoallLists {
  readonly sendcounts: NumberList | null;
  readonly recvcounts: NumberList;
  readonly senddispls: NumberList | undefined;
  readonly recvdispls: NumberList | undefined;
}

/** What a rank sends to itself has the length that it receives from itself. */
function requireSameOwn(
  call: string,
  { rank, remoteSize }: Ranks,
  [sent, sentUnit]: readonly [Pieces, number],
  [received, receivedUnit]: readonly [Pieces, number],
): void {
  if (remoteSize !== undefined) return;
  const own = (sent.counts[rank] as number) * sentUnit;
  if (own === (received.counts[rank] as number) * receivedUnit) return;
  throw countError(call, `rank ${rank} sends itself ${own} bytes and receives another length`);
}

/** MPI_Alltoallv. */
export function alltoallvCall(
  ranks: Ranks,
  send: MessageBuffer | InPlace,
  recv: MessageBuffer,
  lists: AlltoallLists,
): VectorCall {
  const kind = "MPI_Alltoallv";
  requireOwnGroup(kind, ranks, send);
  const size = peersOf(ranks);
  const into = messageOf(kind, recv);
  const out = sendBuffer(kind, send, into);
  const { sendcounts, recvcounts, senddispls, recvdispls } = lists;
  const incoming = piecesOf(kind, into, size, { counts: recvcounts, displs: recvdispls });
  const received = { count: 0, pieces: incoming };
  if (!out) {
    return { shape: "vector", kind, send: out, recv: into, root: 0, sent: NOTHING, received };
  }
  const pieces = piecesOf(kind, out, size, { counts: sendcounts, displs: senddispls });
  requireSameOwn(kind, ranks, [pieces, unitOf(out)], [incoming, unitOf(into)]);
  const sent = { count: 0, pieces };
  return { shape: "vector", kind, send: out, recv: into, root: 0, sent, received };
}

/** MPI_Neighbor_allgatherv. */
export function neighborAllgathervCall(
  { sources }: Neighborhood,
  send: MessageBuffer,
  recv: MessageBuffer,
  counts: NumberList,
  displs: NumberList | undefined,
): VectorCall {
  const kind = "MPI_Neighbor_allgatherv";
  const [out, into] = neighborBuffers(kind, send, recv);
  const received = { count: 0, pieces: piecesOf(kind, into, sources, { counts, displs }) };
  return { shape: "vector", kind, send: out, recv: into, root: 0, sent: whole(out), received };
}

/** MPI_Neighbor_alltoallv. */
export function neighborAlltoallvCall(
  { sources, destinations }: Neighborhood,
  send: MessageBuffer,
  recv: MessageBuffer,
  lists: AlltoallLists,
): VectorCall {
  const kind = "MPI_Neighbor_alltoallv";
  const [out, into] = neighborBuffers(kind, send, recv);
  const { sendcounts: counts, senddispls: displs, recvcounts, recvdispls } = lists;
  const outgoing = piecesOf(kind, out, destinations, { counts, displs });
  const incoming = piecesOf(kind, into, sources, { counts: recvcounts, displs: recvdispls });
  const sent = { count: 0, pieces: outgoing };
  const received = { count: 0, pieces: incoming };
  return { shape: "vector", kind, send: out, recv: into, root: 0, sent, received };
}

/** The side of an alltoallw: every piece inside of the buffer. */
function typedSide(call: string, given: TypedPieces, ranks: number): [Message, CallSide] {
  const isObject = typeof given === "object" && given !== null;
  if (!isObject || !Array.isArray(given.datatypes) || given.datatypes.length !== ranks) {
    throw countError(call, `there are no datatypes of ${ranks} pieces`);
  }
  const { buffer, counts, displs, datatypes } = given;
  requireBuffer(call, buffer);
  const pieces = requirePieces(call, { room: Infinity, ranks }, counts, displs);
  for (const [i, datatype] of datatypes.entries()) {
    if (!(datatype instanceof Datatype)) {
      const why = `the datatype of piece ${i} is none`;
      throw new MpiError({ code: "MPI_ERR_TYPE", call, why, remedy: "Pass a Datatype" });
    }
    const [count, offset] = [pieces.counts[i] as number, pieces.displs[i] as number];
    requireInside(call, datatype, { count, offset, size: buffer.byteLength });
  }
  return [bytesOf(buffer), { count: 0, pieces, datatypes }];
}

/** MPI_Alltoallw. */
export function alltoallwCall(
  ranks: Ranks,
  send: TypedPieces | InPlace,
  recv: TypedPieces,
): VectorCall {
  const kind = "MPI_Alltoallw";
  requireOwnGroup(kind, ranks, send);
  const size = peersOf(ranks);
  const [into, received] = typedSide(kind, recv, size);
  const base = { shape: "vector", kind, recv: into, received, root: 0 } as const;
  if (send === IN_PLACE) return { ...base, send: null, sent: NOTHING };
  const [out, sent] = typedSide(kind, send, size);
  requireApart(kind, out, into);
  return { ...base, send: out, sent };
}

/** MPI_Neighbor_alltoallw. */
export function neighborAlltoallwCall(
  { sources, destinations }: Neighborhood,
  send: TypedPieces,
  recv: TypedPieces,
): VectorCall {
  const kind = "MPI_Neighbor_alltoallw";
  const [out, sent] = typedSide(kind, send, destinations);
  const [into, received] = typedSide(kind, recv, sources);
  requireApart(kind, out, into);
  return { shape: "vector", kind, send: out, recv: into, root: 0, sent, received };
}
