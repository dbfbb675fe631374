/**
 * The check of reductions: from arguments to a sound call.
 *
 * @module
 */

import type { InPlace } from "../constants.js";
import { MpiError } from "../errors.js";
import { type Message, type MessageBuffer, messageOf } from "../messages/message-buffer.js";
import type { ReductionCall, ReductionKind } from "./collective-transport.js";
import { type Op, UserOp } from "./op.js";
import {
  elementsOf,
  type NumberList,
  requireCounts,
  requireElements,
  sizeOfPart,
} from "./pieces.js";
import { type Operands, requireReduction } from "./reduction-types.js";
import { gatherBuffers, type Ranks, requireOwnGroup, sendBuffer } from "./regular-checks.js";

function operands(
  call: string,
  ranks: Ranks,
  send: MessageBuffer | InPlace,
  recv: MessageBuffer,
  op: Op,
): Operands & { readonly recv: Message } {
  requireOwnGroup(call, ranks, send);
  const into = messageOf(call, recv);
  return { send: sendBuffer(call, send, into), recv: into, op };
}

/** A reduction of whole buffers. */
function wholeReduction(kind: ReductionKind, buffers: Operands, root: number): ReductionCall {
  const type = requireReduction(kind, buffers);
  const { send, recv, op } = buffers;
  const operand = send ?? recv;
  const count = operand ? elementsOf(operand) : 0; // Who only looks on in an intercommunicator has none.
  if (send && recv) requireElements(kind, recv, count);
  return { shape: "reduction", kind, send, recv, op, count, root, type };
}

/** MPI_Reduce. */
export function reduceCall(
  ranks: Ranks,
  send: MessageBuffer | InPlace,
  recv: MessageBuffer | null,
  op: Op,
  root: number,
): ReductionCall {
  const [out, into] = gatherBuffers("MPI_Reduce", ranks, { send, recv, root });
  return wholeReduction("MPI_Reduce", { send: out, recv: into, op }, root);
}

function notBetweenGroups(call: string): MpiError {
  return new MpiError({
    code: "MPI_ERR_COMM",
    call,
    why: "the ranks of two groups have no common order",
    remedy: "Use merge(), which makes one communicator of both groups",
  });
}

/** MPI_Allreduce, MPI_Scan and MPI_Exscan. */
export function allRanksCall(
  ranks: Ranks,
  kind: "MPI_Allreduce" | "MPI_Scan" | "MPI_Exscan",
  send: MessageBuffer | InPlace,
  recv: MessageBuffer,
  op: Op,
): ReductionCall {
  if (ranks.remoteSize !== undefined && kind !== "MPI_Allreduce") throw notBetweenGroups(kind);
  return wholeReduction(kind, operands(kind, ranks, send, recv, op), 0);
}

/** MPI_Reduce_scatter. */
export function reduceScatterCall(
  ranks: Ranks,
  send: MessageBuffer | InPlace,
  recv: MessageBuffer,
  counts: NumberList,
  op: Op,
): ReductionCall {
  const kind = "MPI_Reduce_scatter";
  const { rank, size } = ranks;
  const buffers = operands(kind, ranks, send, recv, op);
  const type = requireReduction(kind, buffers);
  const parts = requireCounts(kind, size, counts);
  const total = parts.reduce((sum, count) => sum + count, 0);
  requireElements(kind, buffers.send ?? buffers.recv, total);
  if (buffers.send) requireElements(kind, buffers.recv, parts[rank] as number);
  const count = parts[rank] as number;
  return { shape: "reduction", kind, ...buffers, count, counts: parts, root: 0, type };
}

/** MPI_Reduce_scatter_block. */
export function reduceScatterBlockCall(
  ranks: Ranks,
  send: MessageBuffer | InPlace,
  recv: MessageBuffer,
  op: Op,
): ReductionCall {
  const kind = "MPI_Reduce_scatter_block";
  const { size } = ranks;
  const buffers = operands(kind, ranks, send, recv, op);
  const type = requireReduction(kind, buffers);
  const source = buffers.send ?? buffers.recv;
  sizeOfPart(kind, source, size); // Equal parts, or it throws.
  const count = elementsOf(source) / size;
  if (buffers.send) requireElements(kind, buffers.recv, count);
  return { shape: "reduction", kind, ...buffers, count, root: 0, type };
}

/**
 * Refuses functions: the library would call them at a time of its own.
 *
 * @throws {@link MpiError} `MPI_ERR_OP`.
 */
export function nonblocking(call: ReductionCall): ReductionCall {
  const name = call.kind
    .replace("MPI_", "MPI_I")
    .replace(/(?<=^MPI_I)./, (first) => first.toLowerCase());
  return withoutFunction(call, name);
}

/** As {@link nonblocking}, of a call that is prepared. @throws {@link MpiError} `MPI_ERR_OP`. */
export function persistent(call: ReductionCall): ReductionCall {
  return withoutFunction(call, `${call.kind}_init`);
}

function withoutFunction(call: ReductionCall, name: string): ReductionCall {
  if (!(call.op instanceof UserOp)) return call;
  throw new MpiError({
    code: "MPI_ERR_OP",
    call: name,
    why: "a function cannot be called while a nonblocking reduction goes on",
    remedy: "Use the blocking call, or one of the operations of Op",
  });
}
