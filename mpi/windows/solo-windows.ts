/**
 * Windows of the only rank: its own memory. Operations happen at once.
 *
 * @module
 */

import { bytesOf, type MpiBuffer } from "../buffers.js";
import { combineBytes } from "../collectives/combine.js";
import { PROC_NULL } from "../constants.js";
import { MpiError } from "../errors.js";
import type { InfoPairs } from "../info/info.js";
import {
  type Message,
  packedBytes,
  placeBytes,
  TypedElements,
  unitOf,
} from "../messages/message-buffer.js";
import { Request } from "../messages/request.js";
import { deadlock } from "../messages/solo-messages.js";
import { emptyStatus, type Status } from "../messages/status.js";
import type {
  RmaCall,
  SyncKind,
  WindowFactory,
  WindowFacts,
  WindowTransport,
} from "./window-transport.js";

/** Where the first attached memory is said to be; a distance that nobody reaches by a wrong displacement. */
const ADDRESS_FIRST = 2 ** 32;

/** Addresses are multiples of it, as those of libraries are. */
const ADDRESS_ALIGNMENT = 4096;

/** An operation that was over when it began. */
class FinishedOperation extends Request {
  protected override testForCompletion(): Status {
    return emptyStatus();
  }

  protected override waitForCompletion(): Status {
    return emptyStatus();
  }

  protected override cancelOperation(): never {
    const why = "a one-sided operation cannot be cancelled";
    throw new MpiError({ code: "MPI_ERR_REQUEST", call: "MPI_Cancel", why });
  }
}

/** Makes windows of a communicator of one rank. */
export class SoloWindows implements WindowFactory {
  readonly #requireLive: (call: string) => void;
  readonly #isFinalized: () => boolean;

  /**
   * @param requireLive Throws if the communicator has been freed, or MPI finalized.
   * @param isFinalized Whether MPI has been finalized.
   */
  constructor(requireLive: (call: string) => void, isFinalized: () => boolean) {
    this.#requireLive = requireLive;
    this.#isFinalized = isFinalized;
  }

  create(memory: MpiBuffer, unit: number, info: InfoPairs | undefined): WindowTransport {
    this.#requireLive("MPI_Win_create");
    const size = memory.byteLength;
    const facts = { size, unit, flavor: "create", model: "unified" } as const;
    return new SoloWindow(facts, bytesOf(memory), info, this.#isFinalized);
  }

  allocate(
    size: number,
    unit: number,
    info: InfoPairs | undefined,
    isShared: boolean,
  ): WindowTransport {
    const call = isShared ? "MPI_Win_allocate_shared" : "MPI_Win_allocate";
    this.#requireLive(call);
    const flavor = isShared ? "shared" : "allocate";
    const facts = { size, unit, flavor, model: "unified" } as const;
    return new SoloWindow(facts, new Uint8Array(allocated(call, size)), info, this.#isFinalized);
  }

  dynamic(info: InfoPairs | undefined): WindowTransport {
    this.#requireLive("MPI_Win_create_dynamic");
    const facts = { size: 0, unit: 1, flavor: "dynamic", model: "unified" } as const;
    return new SoloWindow(facts, undefined, info, this.#isFinalized);
  }
}

function allocated(call: string, size: number): ArrayBuffer {
  try {
    return new ArrayBuffer(size);
  } catch (cause) {
    const why = `there is no memory for ${size} bytes`;
    throw new MpiError({ code: "MPI_ERR_NO_MEM", call, why, remedy: "Ask for less", cause });
  }
}

/** What of a dynamic window is attached. */
interface Attached {
  readonly address: number;
  readonly memory: MpiBuffer;
}

class SoloWindow implements WindowTransport {
  readonly #facts: WindowFacts;
  readonly #bytes: Uint8Array | undefined;
  readonly #isFinalized: () => boolean;
  readonly #attached: Attached[] = [];
  #nextAddress = ADDRESS_FIRST;
  #pairs: InfoPairs;
  #name = "";
  #isFreed = false;
  #isExposed = false;
  #isAccessed = false;

  constructor(
    facts: WindowFacts,
    bytes: Uint8Array | undefined,
    pairs: InfoPairs | undefined,
    isFinalized: () => boolean,
  ) {
    this.#facts = facts;
    this.#bytes = bytes;
    this.#pairs = pairs ?? [];
    this.#isFinalized = isFinalized;
  }

  facts(): WindowFacts {
    this.#requireLive("MPI_Win_get_attr");
    return this.#facts;
  }

  memory(): ArrayBuffer {
    this.#requireLive("MPI_Win_shared_query");
    return (this.#bytes as Uint8Array).buffer as ArrayBuffer;
  }

  attach(memory: MpiBuffer): number {
    this.#requireLive("MPI_Win_attach");
    const bytes = bytesOf(memory);
    const overlaps = this.#attached.some((one) => overlap(bytes, bytesOf(one.memory)));
    if (overlaps) {
      const why = "the memory, or a part of it, is attached already";
      throw new MpiError({ code: "MPI_ERR_RMA_ATTACH", call: "MPI_Win_attach", why });
    }
    const address = this.#nextAddress;
    const pages = Math.ceil(memory.byteLength / ADDRESS_ALIGNMENT) + 1;
    this.#nextAddress += pages * ADDRESS_ALIGNMENT;
    this.#attached.push({ address, memory });
    return address;
  }

  detach(memory: MpiBuffer): void {
    this.#requireLive("MPI_Win_detach");
    const place = this.#attached.findIndex((one) => one.memory === memory);
    if (place >= 0) this.#attached.splice(place, 1);
  }

  name(): string {
    this.#requireLive("MPI_Win_get_name");
    return this.#name;
  }

  setName(name: string): void {
    this.#requireLive("MPI_Win_set_name");
    this.#name = name;
  }

  setInfo(pairs: InfoPairs): void {
    this.#requireLive("MPI_Win_set_info");
    this.#pairs = pairs;
  }

  getInfo(): InfoPairs {
    this.#requireLive("MPI_Win_get_info");
    return this.#pairs;
  }

  run(call: RmaCall): void {
    this.#requireLive(call.kind);
    if (call.target === PROC_NULL) return;
    const { origin, result, compare } = call;
    const target = this.#elements(call);
    if (target === undefined) return;
    const incoming = origin && packedBytes(origin).slice();
    const before = packedBytes(target).slice();
    if (result) placeBytes(result, before);
    if (incoming === undefined) return;
    if (compare && !isSame(before, packedBytes(compare))) return;
    if (call.basicType) combineBytes(call.op, call.basicType, before, incoming);
    placeBytes(target, call.basicType ? before : incoming);
  }

  start(call: RmaCall): Request {
    this.run(call);
    return new FinishedOperation();
  }

  sync(kind: SyncKind): void {
    this.#requireLive(`MPI_Win_${kind}`);
    if (kind === "complete" && this.#isAccessed) {
      if (!this.#isExposed) throw deadlock("MPI_Win_complete");
      this.#isAccessed = false;
      this.#isExposed = false;
    }
    if (kind === "wait" && this.#isExposed) throw deadlock("MPI_Win_wait");
  }

  expose(ranks: readonly number[]): void {
    this.#requireLive("MPI_Win_post");
    this.#isExposed = ranks.length > 0;
  }

  access(ranks: readonly number[]): void {
    this.#requireLive("MPI_Win_start");
    this.#isAccessed = ranks.length > 0;
  }

  test(): boolean {
    this.#requireLive("MPI_Win_test");
    return !this.#isExposed;
  }

  free(): void {
    this.#requireLive("MPI_Win_free");
    this.#isFreed = true;
    const isOwn = this.#facts.flavor === "allocate" || this.#facts.flavor === "shared";
    if (isOwn && this.#bytes)
      structuredClone(undefined, { transfer: [this.#bytes.buffer as ArrayBuffer] });
  }

  /** The target's elements as a message; undefined if there are none. */
  #elements({ kind, displacement, count, datatype, origin, result }: RmaCall): Message | undefined {
    const unit = unitOf((origin ?? result) as Message);
    const size = datatype ? datatype.trueLowerBound + datatype.trueExtent : unit;
    const extent = datatype?.extent ?? unit;
    if (count === 0 || size === 0) return undefined;
    const from = displacement * this.#facts.unit;
    const [memory, offset] =
      this.#bytes === undefined
        ? this.#attachedAt(kind, from, size + Math.max(0, (count - 1) * extent))
        : [this.#bytes, from];
    if (datatype) return new TypedElements(kind, { buffer: memory, datatype, count, offset });
    return memory.subarray(offset, offset + count * unit);
  }

  #attachedAt(call: string, address: number, size: number): [Uint8Array, number] {
    for (const { address: start, memory } of this.#attached) {
      if (address >= start && address + size <= start + memory.byteLength) {
        return [bytesOf(memory), address - start];
      }
    }
    const why = `no memory of ${size} bytes is attached at address ${address}`;
    throw new MpiError({ code: "MPI_ERR_RMA_RANGE", call, why, remedy: "Call attach() first" });
  }

  #requireLive(call: string): void {
    if (this.#isFinalized()) {
      throw new MpiError({ code: "MPI_FINALIZED", call, why: "MPI has been finalized" });
    }
    if (!this.#isFreed) return;
    throw new MpiError({ code: "MPI_ERR_WIN", call, why: "the window has been freed or is none" });
  }
}

function overlap(a: Uint8Array, b: Uint8Array): boolean {
  const isApart =
    a.buffer !== b.buffer ||
    a.byteOffset + a.length <= b.byteOffset ||
    b.byteOffset + b.length <= a.byteOffset;
  return !isApart;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
