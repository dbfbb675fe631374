/**
 * Collectives through an MPI library: each call is one of the addon.
 *
 * @module
 */

import { nativeBuffer } from "../messages/native-messages.js";
import { NativePersistentRequest, NativeRequest } from "../messages/native-request.js";
import { PersistentRequest, type Request } from "../messages/request.js";
import type { Status } from "../messages/status.js";
import type { Handle, MpiLibrary, NativeBuffer, NativeMpi } from "../native-mpi.js";
import {
  type CallSide,
  type CollectiveBuffer,
  type CollectiveCall,
  type CollectiveTransport,
  cannotCancel,
  REDUCTION_KINDS,
  REGULAR_KINDS,
  type ReductionCall,
  type RegularCall,
  VECTOR_KINDS,
  type VectorCall,
} from "./collective-transport.js";
import { memoryFunction, OP_NAMES, UserOp } from "./op.js";

const REGULAR_INDEX = indexOf(REGULAR_KINDS);
const VECTOR_INDEX = indexOf(VECTOR_KINDS);
const REDUCTION_INDEX = indexOf(REDUCTION_KINDS);
const OP_INDEX = indexOf(OP_NAMES);
/** Numbers of functions in place of an operation's (mpi-reduce.c). */
const USER_OPERATION = -1;
const COMMUTATIVE_USER_OPERATION = -2;

/** Position of each name. */
function indexOf<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, i) => [name, i])) as Record<Name, number>;
}

/** A nonblocking collective. The standard lets nobody cancel one. */
class CollectiveRequest extends NativeRequest {
  protected override cancelOperation(): never {
    throw cannotCancel();
  }
}

/** A persistent collective. */
class PersistentCollective extends NativePersistentRequest {
  protected override cancelOperation(): never {
    throw cannotCancel();
  }
}

/** A persistent collective that starts a nonblocking one each time, with the same arguments. */
class RepeatedCollective extends PersistentRequest {
  readonly #begin: () => Request;
  #current: Request | undefined;

  /** @param begin Starts the nonblocking collective. */
  constructor(begin: () => Request) {
    super();
    this.#begin = begin;
  }

  protected override startOperation(): void {
    this.#current = this.#begin();
  }

  protected override freeOperation(): void {
    this.#current = undefined;
  }

  protected override waitForCompletion(): Status {
    return (this.#current as Request).wait();
  }

  protected override testForCompletion(): Status | undefined {
    return this.#current?.test();
  }

  protected override cancelOperation(): never {
    throw cannotCancel();
  }
}

/** Forms of a call, as the addon numbers them (mpi-collective.h). DO NOT REORDER. */
const Form = { BLOCKING: 0, NONBLOCKING: 1, PERSISTENT: 2 } as const;

/** Collectives of a communicator of a library. */
export class NativeCollectives implements CollectiveTransport {
  readonly #library: MpiLibrary;
  readonly #native: NativeMpi;
  readonly #comm: Handle;

  constructor(library: MpiLibrary, comm: Handle) {
    this.#library = library;
    this.#native = library.native;
    this.#comm = comm;
  }

  run(call: CollectiveCall): void {
    this.#call(call, Form.BLOCKING);
  }

  start(call: CollectiveCall): Request {
    const handle = this.#call(call, Form.NONBLOCKING) as Handle;
    return new CollectiveRequest(this.#library, handle, 1);
  }

  prepare(call: CollectiveCall): PersistentRequest {
    if (!this.#native.hasPersistentCollectives()) {
      this.#native.size(this.#comm); // Freed communicators are refused now, not when it is started.
      return new RepeatedCollective(() => this.start(call));
    }
    const handle = this.#call(call, Form.PERSISTENT) as Handle;
    return new PersistentCollective(this.#library, handle, 1);
  }

  #call(call: CollectiveCall, form: number): Handle | undefined {
    if (call.shape === "reduction") return this.#reduction(call, form);
    if (call.shape === "regular") return this.#regular(call, form);
    return this.#vector(call, form);
  }

  #regular(call: RegularCall, form: number): Handle | undefined {
    return this.#native.collective(
      this.#comm,
      REGULAR_INDEX[call.kind],
      form,
      this.#buffer(call.send),
      this.#buffer(call.recv),
      call.sendCount,
      call.recvCount,
      call.root,
    );
  }

  #vector(call: VectorCall, form: number): Handle | undefined {
    const { sent, received } = call;
    return this.#native.vectorCollective(
      this.#comm,
      VECTOR_INDEX[call.kind],
      form,
      this.#buffer(call.send),
      this.#buffer(call.recv),
      sent.pieces?.counts ?? sent.count,
      sent.pieces?.displs,
      this.#types(sent),
      received.pieces?.counts ?? received.count,
      received.pieces?.displs,
      this.#types(received),
      call.root,
    );
  }

  #reduction(call: ReductionCall, form: number): Handle | undefined {
    const { op } = call;
    const isFunction = op instanceof UserOp;
    return this.#native.reduction(
      this.#comm,
      REDUCTION_INDEX[call.kind],
      form,
      this.#buffer(call.send),
      this.#buffer(call.recv),
      call.counts ?? call.count,
      isFunction ? userOperation(op) : OP_INDEX[op],
      call.root,
      isFunction ? memoryFunction(op, call.type) : undefined,
    );
  }

  #buffer(buffer: CollectiveBuffer): NativeBuffer | null | undefined {
    return buffer ? nativeBuffer(this.#library, buffer) : buffer;
  }

  #types({ datatypes }: CallSide): Float64Array | undefined {
    if (datatypes === undefined) return undefined;
    return Float64Array.from(datatypes, (type) => this.#library.datatypes.handleOf(type));
  }
}

function userOperation(op: UserOp): number {
  return op.isCommutative ? COMMUTATIVE_USER_OPERATION : USER_OPERATION;
}
