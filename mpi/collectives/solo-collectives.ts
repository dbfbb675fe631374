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
import { PersistentRequest, Request } from "../messages/request.js";
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
export class FinishedRequest extends Request {
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

/** A collective that happens whenever it is started. */
class RepeatedCollective extends PersistentRequest {
  readonly #run: () => void;

  constructor(run: () => void) {
    super();
    this.#run = run;
  }

  protected override startOperation(): void {
    this.#run();
  }

  protected override freeOperation(): void {
    // There is nothing to give back.
  }

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

/** Where the data of the only rank's incoming edges comes from: outgoing edges; undefined: nowhere. */
export type SoloEdges = readonly (number | undefined)[];

/** In a grid the two neighbours along a periodic dimension are this rank: what goes down comes from above. */
export function edgesOfGrid(periods: readonly boolean[]): SoloEdges {
  return periods.flatMap((isPeriodic, i) =>
    isPeriodic ? [2 * i + 1, 2 * i] : [undefined, undefined],
  );
}

/** Collectives of a communicator of one rank. */
export class SoloCollectives implements CollectiveTransport {
  readonly #requireLive: (call: string) => void;
  readonly #edges: SoloEdges;

  /**
   * @param requireLive Throws if the communicator has been freed, or MPI finalized.
   * @param edges Of a topology: how the rank is its own neighbour.
   */
  constructor(requireLive: (call: string) => void, edges: SoloEdges = []) {
    this.#requireLive = requireLive;
    this.#edges = edges;
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

  prepare(call: CollectiveCall): PersistentRequest {
    this.#requireLive(call.kind);
    return new RepeatedCollective(() => this.run(call));
  }

  /** What the neighbours, all of them this rank, exchange. */
  #exchange(sent: readonly Message[], received: readonly Message[], isAlltoall: boolean): void {
    const packed = sent.map(packedBytes);
    for (const [i, target] of received.entries()) {
      const from = this.#edges[i];
      if (from === undefined) continue;
      placeBytes(target, packed[isAlltoall ? from : 0] as Uint8Array);
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
