/**
 * `DoAction` and `ListActions`: snapshots, and the end of reads that go on.
 *
 * @module
 */

import type { Container, Pool, SnapshotRecord } from "../../../core/index.js";
import type { Running } from "../access/running.js";
import { parseObject } from "../datasets/request.js";
import { badRequest, notServed } from "../errors.js";
import { CancelStatus, codecs } from "../protocol/messages.js";
import type { CallContext, StreamHandler } from "./call.js";

/** Something that a client can have done. */
export interface FlightAction {
  readonly description: string;
  /** Returns the bodies of the results. */
  readonly run: (body: Uint8Array, context: CallContext) => Promise<Uint8Array[]> | Uint8Array[];
}

const WHAT = "Reading an action";

function textOf(object: Record<string, unknown>, key: string): string {
  const value = object[key];
  if (typeof value === "string" && value !== "") return value;
  throw badRequest(WHAT, `"${key}" is missing`, `give "${key}" as text`);
}

function epochOf(object: Record<string, unknown>): bigint | undefined {
  const { epoch } = object;
  if (epoch === undefined) return undefined;
  if (typeof epoch === "string" && /^([0-9]{1,20}|0x[0-9a-f]{1,16})$/i.test(epoch)) {
    return BigInt(epoch);
  }
  throw badRequest(WHAT, '"epoch" is no epoch', "give it as text: decimal, or 0x and hexadecimal");
}

function jsonOf({ name, epoch }: SnapshotRecord): Buffer {
  return Buffer.from(JSON.stringify({ name, epoch: `0x${epoch.toString(16)}` }));
}

function within<T>(
  pool: Pool,
  object: Record<string, unknown>,
  mode: "ro" | "rw",
  body: (container: Container) => T,
): T {
  const container = pool.openContainer(textOf(object, "container"), { mode });
  try {
    return body(container);
  } finally {
    container.close();
  }
}

/** The actions on snapshots. */
export const snapshotActions: Readonly<Record<string, FlightAction>> = {
  "create-snapshot": {
    description:
      'Names a version: {"container": "results", "name": "before-restart", "epoch": "0x..."?}',
    run: (body, { pool }) => {
      const object = parseObject(body, WHAT);
      const name = textOf(object, "name");
      const epoch = epochOf(object);
      return within(pool, object, "rw", (container) => [
        jsonOf(container.createSnapshot(name, epoch)),
      ]);
    },
  },
  "list-snapshots": {
    description: 'Lists the named versions, one a result: {"container": "results"}',
    run: (body, { pool }) => {
      const object = parseObject(body, WHAT);
      return within(pool, object, "ro", (container) => container.listSnapshots().map(jsonOf));
    },
  },
  "destroy-snapshot": {
    description: 'Takes a name from a version: {"container": "results", "name": "before-restart"}',
    run: (body, { pool }) => {
      const object = parseObject(body, WHAT);
      const name = textOf(object, "name");
      within(pool, object, "rw", (container) => container.destroySnapshot(name));
      return [];
    },
  },
};

/** The action that ends reads, as Flight defines it. */
export function cancelAction(running: Running): FlightAction {
  return {
    description: "Ends the reads of a FlightInfo: CancelFlightInfoRequest",
    run: (body, { identity }) => {
      const { info } = codecs.cancelRequest.decode(body);
      if (!info) throw badRequest(WHAT, "there is no FlightInfo", "send the one to cancel");
      const tickets = info.endpoint.map(({ ticket }) => ticket?.ticket ?? new Uint8Array(0));
      const counts = tickets.map((ticket) => running.cancel(identity, ticket));
      const found = counts.some((count) => count > 0);
      const status = found ? CancelStatus.cancelled : CancelStatus.notCancellable;
      return [codecs.cancelResult.encode({ status })];
    },
  };
}

/** `DoAction`. */
export function doAction(actions: ReadonlyMap<string, FlightAction>): StreamHandler {
  return async (bytes, context, out) => {
    const { type, body } = codecs.action.decode(bytes);
    const action = actions.get(type);
    if (action === undefined) {
      const why = `there is no action "${type.slice(0, 80)}"`;
      throw notServed(WHAT, why, "choose one of ListActions");
    }
    for (const result of await action.run(body, context)) {
      await out.send(codecs.result.encode({ body: result }));
    }
  };
}

/** `ListActions`. */
export function listActions(actions: ReadonlyMap<string, FlightAction>): StreamHandler {
  return async (_request, _context, out) => {
    for (const [type, { description }] of actions) {
      await out.send(codecs.actionType.encode({ type, description }));
    }
  };
}
