/**
 * The check of collectives of equal contributions: from arguments to a sound call.
 *
 * @module
 */

import { IN_PLACE, type InPlace, PROC_NULL, ROOT } from "../constants.js";
import { MpiError } from "../errors.js";
import { type Message, type MessageBuffer, messageOf } from "../messages/message-buffer.js";
import { rankError } from "../messages/point-to-point.js";
import type { CollectiveBuffer, RegularCall, RegularKind } from "./collective-transport.js";
import { elementsOf, elementsPerPart, requireApart, sizeOfPart } from "./pieces.js";

/** Who calls, and with whom. */
export interface Ranks {
  readonly rank: number;
  readonly size: number;
  /** Of an intercommunicator: ranks of the other group, with whom data is exchanged. */
  readonly remoteSize?: number;
}

/** Ranks that data comes from and goes to. */
export function peersOf({ size, remoteSize }: Ranks): number {
  return remoteSize ?? size;
}

/** How many ranks this one receives from and sends to in neighbourhood collectives. */
export interface Neighborhood {
  readonly sources: number;
  readonly destinations: number;
}

/** A rank's part in a collective with a root: it is the root, one of the others, both, or neither. */
export interface Role {
  readonly isRoot: boolean;
  readonly isPeer: boolean;
}

/**
 * In an intercommunicator the root calls itself ROOT, its own group says PROC_NULL, and the other one its rank.
 *
 * @throws {@link MpiError} `MPI_ERR_ROOT`.
 */
export function roleOf(call: string, ranks: Ranks, root: number): Role {
  const { rank, size, remoteSize } = ranks;
  const isInter = remoteSize !== undefined;
  if (isInter && root === ROOT) return { isRoot: true, isPeer: false };
  if (isInter && root === PROC_NULL) return { isRoot: false, isPeer: false };
  if ((root | 0) === root && root >= 0 && root < peersOf(ranks)) {
    return { isRoot: !isInter && rank === root, isPeer: true };
  }
  throw rankError(call, "MPI_ERR_ROOT", root, remoteSize ?? size);
}

/**
 * Refuses IN_PLACE between two groups, where nobody has both a part and the result.
 *
 * @throws {@link MpiError} `MPI_ERR_BUFFER`.
 */
export function requireOwnGroup(call: string, { remoteSize }: Ranks, ...buffers: unknown[]): void {
  if (remoteSize === undefined || !buffers.includes(IN_PLACE)) return;
  throw new MpiError({
    code: "MPI_ERR_BUFFER",
    call,
    why: "an intercommunicator knows no IN_PLACE",
    remedy: "Pass a send buffer and a receive buffer",
  });
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
): [send: CollectiveBuffer, recv: Message | undefined] {
  const { isRoot, isPeer } = roleOf(call, ranks, root);
  if (!isRoot) return [isPeer ? messageOf(call, send as MessageBuffer) : undefined, undefined];
  if (!isPeer) return [undefined, messageOf(call, recv as MessageBuffer)];
  const into = messageOf(call, recv as MessageBuffer);
  return [sendBuffer(call, send, into), into];
}

/** The buffers of a collective that deals out: the send buffer counts at root only, and IN_PLACE is for recv. */
export function scatterBuffers(
  call: string,
  ranks: Ranks,
  { send, recv, root }: { send: MessageBuffer | null; recv: MessageBuffer | InPlace; root: number },
): [send: Message | undefined, recv: CollectiveBuffer] {
  const { isRoot, isPeer } = roleOf(call, ranks, root);
  if (!isRoot) return [undefined, isPeer ? messageOf(call, recv as MessageBuffer) : undefined];
  if (!isPeer) return [messageOf(call, send as MessageBuffer), undefined];
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
export function bcastCall(ranks: Ranks, buf: MessageBuffer | null, root: number): RegularCall {
  const call = "MPI_Bcast";
  const { isRoot, isPeer } = roleOf(call, ranks, root);
  const message = isRoot || isPeer ? messageOf(call, buf as MessageBuffer) : undefined;
  return regular(call, undefined, message, { root });
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
  const parts = peersOf(ranks);
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
  const parts = peersOf(ranks);
  const size = into ? into.byteLength : sizeOfPart(call, out, parts);
  const sendCount = elementsPerPart(call, out, { size, parts });
  return regular(call, out, into, { sendCount, recvCount, root });
}

/** MPI_Allgather. */
export function allgatherCall(
  ranks: Ranks,
  send: MessageBuffer | InPlace,
  recv: MessageBuffer,
): RegularCall {
  const call = "MPI_Allgather";
  requireOwnGroup(call, ranks, send);
  const parts = peersOf(ranks);
  const into = messageOf(call, recv);
  const out = sendBuffer(call, send, into);
  // Two groups may contribute different lengths.
  const isOwn = out && ranks.remoteSize === undefined;
  const size = isOwn ? out.byteLength : sizeOfPart(call, into, parts);
  const recvCount = elementsPerPart(call, into, { size, parts });
  return regular(call, out, into, { sendCount: out ? elementsOf(out) : 0, recvCount });
}

/** MPI_Alltoall. */
export function alltoallCall(
  ranks: Ranks,
  send: MessageBuffer | InPlace,
  recv: MessageBuffer,
): RegularCall {
  const call = "MPI_Alltoall";
  requireOwnGroup(call, ranks, send);
  const parts = peersOf(ranks);
  const into = messageOf(call, recv);
  const out = sendBuffer(call, send, into);
  const sent = sizeOfPart(call, out ?? into, parts);
  const size = ranks.remoteSize === undefined ? sent : sizeOfPart(call, into, parts);
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
    remedy: "Use a communicator that createCart, createGraph or createDistGraph returned",
  });
}
