/**
 * Reductions of two buffers of one rank.
 *
 * @module
 */

import { bytesOf } from "../buffers.js";
import type { BasicName } from "../datatype/basic-types.js";
import { currentLibrary } from "../environment.js";
import { MpiError } from "../errors.js";
import {
  type Message,
  type MessageBuffer,
  messageOf,
  packedBytes,
  placeBytes,
  TypedElements,
} from "../messages/message-buffer.js";
import { nativeBuffer } from "../messages/native-messages.js";
import { combineBytes } from "./combine.js";
import { memoryFunction, OP_NAMES, type Op, UserOp } from "./op.js";
import { elementsOf } from "./pieces.js";
import { requireReduction } from "./reduction-types.js";

const CALL = "MPI_Reduce_local";

/**
 * Combines two buffers of this process, element by element: `inout[i] = left[i] ∘ inout[i]`. Not collective.
 * Starts MPI on first use.
 *
 * @param left Left operands. It must not overlap `inout`.
 * @param inout Right operands, then the results; as many elements, of the same type.
 * @param op One of the standard, or a function; what that throws is thrown here, and `inout` then left as it was.
 * @throws {@link MpiError} `MPI_ERR_COUNT` for buffers of unlike lengths, `MPI_ERR_TYPE`, `MPI_ERR_OP`,
 *   `MPI_ERR_BUFFER` if they overlap (found where elements have no gaps); nothing has then changed.
 *
 * @example
 * ```ts
 * const sum = Float64Array.of(10, 20);
 * reduceLocal(Float64Array.of(1, 2), sum, Op.SUM); // sum is [11, 22]
 * ```
 * @mpi MPI_Reduce_local
 */
export function reduceLocal(left: MessageBuffer, inout: MessageBuffer, op: Op): void {
  const [operand, result] = [messageOf(CALL, left), messageOf(CALL, inout)];
  const type = requireReduction(CALL, { send: operand, recv: result, op });
  const count = elementsOf(operand);
  if (count !== elementsOf(result)) {
    const why = `the operands have ${count} and ${elementsOf(result)} elements`;
    throw new MpiError({ code: "MPI_ERR_COUNT", call: CALL, why, remedy: "Pass equal lengths" });
  }
  if (count === 0) return;
  requireApart(operand, result);
  const library = currentLibrary();
  if (op instanceof UserOp) {
    combineByFunction(op, type, operand, result);
  } else if (library) {
    const [from, into] = [nativeBuffer(library, operand), nativeBuffer(library, result)];
    library.native.reduceLocal(from, into, OP_NAMES.indexOf(op));
  } else {
    const packed = packedBytes(result);
    combineBytes(op, type as BasicName, packed, packedBytes(operand)); // Built-in: of named types only.
    if (result instanceof TypedElements) placeBytes(result, packed);
  }
}

/** A function gets copies, as in other reductions; gaps within a derived type's elements are part of them. */
function combineByFunction(
  op: UserOp,
  type: BasicName | undefined,
  left: Message,
  inout: Message,
): void {
  const [from, into] = [spanOf(left), spanOf(inout)];
  const result = Uint8Array.from(into).buffer;
  memoryFunction(op, type)(Uint8Array.from(from).buffer, result);
  if (result.byteLength === into.length) {
    into.set(new Uint8Array(result));
    return;
  }
  const why = "the function took its operand apart";
  const remedy = "Combine the operands where they are";
  throw new MpiError({ code: "MPI_ERR_OP", call: CALL, why, remedy });
}

/** The bytes from the first element's origin to the end of the last one. */
function spanOf(message: Message): Uint8Array {
  if (!(message instanceof TypedElements)) return bytesOf(message);
  const { buffer, datatype, count, offset } = message;
  const { extent, trueLowerBound, trueExtent } = datatype;
  const end = offset + extent * (count - 1) + trueLowerBound + trueExtent;
  return bytesOf(buffer).subarray(offset, end);
}

/** Elements with gaps may lie between each other: only where there are none, ranges tell. */
function requireApart(left: Message, inout: Message): void {
  const hasGaps = [left, inout].some(
    (message) =>
      message instanceof TypedElements && message.datatype.extent !== message.datatype.trueExtent,
  );
  const [from, into] = [spanOf(left), spanOf(inout)];
  if (hasGaps || from.buffer !== into.buffer) return;
  const isBefore = from.byteOffset + from.length <= into.byteOffset;
  const isBehind = into.byteOffset + into.length <= from.byteOffset;
  if (isBefore || isBehind) return;
  const remedy = "Copy one of them first";
  throw new MpiError({ code: "MPI_ERR_BUFFER", call: CALL, why: "the operands overlap", remedy });
}
