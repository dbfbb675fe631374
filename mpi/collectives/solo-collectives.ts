/**
 * Collectives of the only rank: copies of its own contributions.
 *
 * @module
 */

import {
  type Message,
  packedBytes,
  placeBytes,
  TypedElements,
} from "../messages/message-buffer.js";
import { Request } from "../messages/request.js";
import { emptyStatus, type Status } from "../messages/status.js";
import {
  type CallSide,
  type CollectiveCall,
  type CollectiveTransport,
  cannotCancel,
  type RegularCall,
  type VectorCall,
} from "./collective-transport.js";
import { elementsOf, partOf } from "./pieces.js";

/** An operation that was over when it began. */
class FinishedRequest extends Request {
  protected override testForCompletion(): Status {
    return emptyStatus();
  }

  protected override waitForCompletion(): Status {
    return emptyStatus();
  }

  protected override cancelOperation(): never {
    throw cannotCancel();
  }
}

/** Collectives of a communicator of one rank. */
export class SoloCollectives implements CollectiveTransport {
  readonly #requireLive: (call: string) => void;
  readonly #periods: readonly boolean[];

  /**
   * @param requireLive Throws if the communicator has been freed, or MPI finalized.
   * @param periods Of a grid: whether the rank is its own neighbour along each dimension.
   */
  constructor(requireLive: (call: string) => void, periods: readonly boolean[] = []) {
    this.#requireLive = requireLive;
    this.#periods = periods;
  }

  run(call: CollectiveCall): void {
    this.#requireLive(call.kind);
    const { send, recv, kind } = call;
    if (!send || !recv || kind === "MPI_Exscan") return;
    if (call.shape === "reduction") {
      placeBytes(recv, packedBytes(partOf(send, 0, call.count)));
    } else if (kind.startsWith("MPI_Neighbor")) {
      this.#exchange(sentParts(call, send), receivedParts(call, recv), kind.includes("alltoall"));
    } else {
      const [sent, received] = [sentParts(call, send)[0], receivedParts(call, recv)[0]];
      if (sent && received) placeBytes(received, packedBytes(sent));
    }
  }

  start(call: CollectiveCall): Request {
    this.run(call);
    return new FinishedRequest();
  }

  /** What the neighbours along periodic dimensions, all of them this rank, exchange. */
  #exchange(sent: readonly Message[], received: readonly Message[], isAlltoall: boolean): void {
    const packed = sent.map(packedBytes);
    for (const [i, target] of received.entries()) {
      if (!this.#periods[i >> 1]) continue;
      placeBytes(target, packed[isAlltoall ? i ^ 1 : 0] as Uint8Array);
    }
  }
}

function sentParts(call: RegularCall | VectorCall, send: Message): Message[] {
  return call.shape === "vector" ? pieces(call.sent, send) : equalParts(send, call.sendCount);
}

function receivedParts(call: RegularCall | VectorCall, recv: Message): Message[] {
  return call.shape === "vector" ? pieces(call.received, recv) : equalParts(recv, call.recvCount);
}

/** As many parts as there are; one if it is empty. */
function equalParts(message: Message, count: number): Message[] {
  const parts = count === 0 ? 1 : Math.floor(elementsOf(message) / count);
  return Array.from({ length: parts }, (_, i) => partOf(message, i * count, count));
}

function pieces({ count, pieces, datatypes }: CallSide, message: Message): Message[] {
  if (pieces === undefined) return [partOf(message, 0, count)];
  return Array.from(pieces.counts, (length, i) => {
    const at = pieces.displs[i] as number;
    const datatype = datatypes?.[i];
    if (datatype === undefined) return partOf(message, at, length);
    const buffer = message as Uint8Array;
    return new TypedElements("MPI_Alltoallw", { buffer, datatype, count: length, offset: at });
  });
}
