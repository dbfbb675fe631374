/**
 * The check of collectives of equal contributions: from arguments to a sound call.
 *
 * @module
 */

import { IN_PLACE, type InPlace } from "../constants.js";
import { MpiError } from "../errors.js";
import { type Message, type MessageBuffer, messageOf } from "../messages/message-buffer.js";
import { rankError } from "../messages/point-to-point.js";
import type { CollectiveBuffer, RegularCall, RegularKind } from "./collective-transport.js";
import { elementsOf, elementsPerPart, requireApart, sizeOfPart } from "./pieces.js";

/** Who calls, and with whom. */
export interface Ranks {
  readonly rank: number;
  readonly size: number;
}

/** How many ranks this one receives from and sends to in neighbourhood collectives. */
export interface Neighborhood {
  readonly sources: number;
  readonly destinations: number;
}

/** @throws {@link MpiError} `MPI_ERR_ROOT`. */
export function requireRoot(call: string, { size }: Ranks, root: number): void {
  if ((root | 0) === root && root >= 0 && root < size) return;
  throw rankError(call, "MPI_ERR_ROOT", root, size);
}

/** A send buffer, or null for IN_PLACE; not the receive buffer. */
export function sendBuffer(
  call: string,
  send: MessageBuffer | InPlace,
  recv: Message,
): Message | null {
  if (send === IN_PLACE) return null;
  const message = messageOf(call, send);
  requireApart(call, message, recv);
  return message;
}

/** The buffers of a collective that collects: the receive buffer counts at root only. */
export function gatherBuffers(
  call: string,
  ranks: Ranks,
  { send, recv, root }: { send: MessageBuffer | InPlace; recv: MessageBuffer | null; root: number },
): [send: Message | null, recv: Message | undefined] {
  requireRoot(call, ranks, root);
  if (ranks.rank !== root) return [messageOf(call, send as MessageBuffer), undefined];
  const into = messageOf(call, recv as MessageBuffer);
  return [sendBuffer(call, send, into), into];
}

/** The buffers of a collective that deals out: the send buffer counts at root only, and IN_PLACE is for recv. */
export function scatterBuffers(
  call: string,
  ranks: Ranks,
  { send, recv, root }: { send: MessageBuffer | null; recv: MessageBuffer | InPlace; root: number },
): [send: Message | undefined, recv: Message | null] {
  requireRoot(call, ranks, root);
  if (ranks.rank !== root) return [undefined, messageOf(call, recv as MessageBuffer)];
  const out = messageOf(call, send as MessageBuffer);
  return [out, sendBuffer(call, recv, out)];
}

function regular(
  kind: RegularKind,
  send: CollectiveBuffer,
  recv: CollectiveBuffer,
  { sendCount = 0, recvCount = 0, root = 0 },
): RegularCall {
  return { shape: "regular", kind, send, recv, sendCount, recvCount, root };
}

const BARRIER = regular("MPI_Barrier", undefined, undefined, {});

/** MPI_Barrier. */
export function barrierCall(): RegularCall {
  return BARRIER;
}

/** MPI_Bcast. */
export function bcastCall(ranks: Ranks, buf: MessageBuffer, root: number): RegularCall {
  const message = messageOf("MPI_Bcast", buf);
  requireRoot("MPI_Bcast", ranks, root);
  return regular("MPI_Bcast", undefined, message, { root });
}

/** MPI_Gather. */
export function gatherCall(
  ranks: Ranks,
  send: MessageBuffer | InPlace,
  recv: MessageBuffer | null,
  root: number,
): RegularCall {
  const call = "MPI_Gather";
  const [out, into] = gatherBuffers(call, ranks, { send, recv, root });
  const sendCount = out ? elementsOf(out) : 0;
  if (!into) return regular(call, out, into, { sendCount, root });
  const parts = ranks.size;
  const size = out ? out.byteLength : sizeOfPart(call, into, parts);
  const recvCount = elementsPerPart(call, into, { size, parts });
  return regular(call, out, into, { sendCount, recvCount, root });
}

/** MPI_Scatter. */
export function scatterCall(
  ranks: Ranks,
  send: MessageBuffer | null,
  recv: MessageBuffer | InPlace,
  root: number,
): RegularCall {
  const call = "MPI_Scatter";
  const [out, into] = scatterBuffers(call, ranks, { send, recv, root });
  const recvCount = into ? elementsOf(into) : 0;
  if (!out) return regular(call, out, into, { recvCount, root });
  const parts = ranks.size;
  const size = into ? into.byteLength : sizeOfPart(call, out, parts);
  const sendCount = elementsPerPart(call, out, { size, parts });
  return regular(call, out, into, { sendCount, recvCount, root });
}

/** MPI_Allgather. */
export function allgatherCall(
  { size: parts }: Ranks,
  send: MessageBuffer | InPlace,
  recv: MessageBuffer,
): RegularCall {
  const call = "MPI_Allgather";
  const into = messageOf(call, recv);
  const out = sendBuffer(call, send, into);
  const size = out ? out.byteLength : sizeOfPart(call, into, parts);
  const recvCount = elementsPerPart(call, into, { size, parts });
  return regular(call, out, into, { sendCount: out ? elementsOf(out) : 0, recvCount });
}

/** MPI_Alltoall. */
export function alltoallCall(
  { size: parts }: Ranks,
  send: MessageBuffer | InPlace,
  recv: MessageBuffer,
): RegularCall {
  const call = "MPI_Alltoall";
  const into = messageOf(call, recv);
  const out = sendBuffer(call, send, into);
  const size = sizeOfPart(call, out ?? into, parts);
  const sendCount = out ? elementsOf(out) / parts : 0;
  return regular(call, out, into, {
    sendCount,
    recvCount: elementsPerPart(call, into, { size, parts }),
  });
}

/** Buffers of a neighbourhood collective, which knows no IN_PLACE. */
export function neighborBuffers(
  call: string,
  send: MessageBuffer,
  recv: MessageBuffer,
): [send: Message, recv: Message] {
  const [out, into] = [messageOf(call, send), messageOf(call, recv)];
  requireApart(call, out, into);
  return [out, into];
}

/** MPI_Neighbor_allgather. */
export function neighborAllgatherCall(
  { sources }: Neighborhood,
  send: MessageBuffer,
  recv: MessageBuffer,
): RegularCall {
  const call = "MPI_Neighbor_allgather";
  const [out, into] = neighborBuffers(call, send, recv);
  const recvCount = elementsPerPart(call, into, { size: out.byteLength, parts: sources });
  return regular(call, out, into, { sendCount: elementsOf(out), recvCount });
}

/** MPI_Neighbor_alltoall. */
export function neighborAlltoallCall(
  { sources, destinations }: Neighborhood,
  send: MessageBuffer,
  recv: MessageBuffer,
): RegularCall {
  const call = "MPI_Neighbor_alltoall";
  const [out, into] = neighborBuffers(call, send, recv);
  // A rank that sends to nobody says by its receive buffer how long contributions are.
  const size =
    destinations > 0 ? sizeOfPart(call, out, destinations) : sizeOfPart(call, into, sources);
  const sendCount = destinations > 0 ? elementsOf(out) / destinations : 0;
  const recvCount = elementsPerPart(call, into, { size, parts: sources });
  return regular(call, out, into, { sendCount, recvCount });
}

/** The error of a communicator without neighbours. */
export function noNeighbors(call: string): MpiError {
  return new MpiError({
    code: "MPI_ERR_TOPOLOGY",
    call,
    why: "the communicator has no topology",
    remedy: "Use a communicator that createCart returned",
  });
}
