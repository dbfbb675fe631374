/**
 * Replays recorded calls with our API, and judges each: what h5py gave, or that both refuse.
 *
 * A call agrees if it gives what h5py gave: elements by value, type and shape, objects by their class, names,
 * numbers; or if both refuse it, ours with a `DaosError` of a code that fits h5py's class of error.
 *
 * @module
 */

import { type Container, isDaosError } from "daos-ts";
import { ATTRIBUTE_CALLS } from "./attribute-calls.ts";
import { DATASET_CALLS } from "./dataset-calls.ts";
import { DIMENSION_CALLS } from "./dimension-calls.ts";
import { FILE_CALLS, OBJECT_CALLS } from "./file-calls.ts";
import { GROUP_CALLS } from "./group-calls.ts";
import type { Handlers } from "./handler.ts";
import {
  type Call,
  Inexpressible,
  kindOf,
  type Recorded,
  type RecordedTest,
  type Recording,
  unpack,
} from "./recording.ts";
import { disagreement, type Seen } from "./seen.ts";
import { VIRTUAL_CALLS } from "./virtual-calls.ts";
import { Missing, World } from "./world.ts";

const HANDLERS: Handlers = {
  ...FILE_CALLS,
  ...OBJECT_CALLS,
  ...GROUP_CALLS,
  ...DATASET_CALLS,
  ...ATTRIBUTE_CALLS,
  ...DIMENSION_CALLS,
  ...VIRTUAL_CALLS,
};

const REFUSALS = ["DER_INVAL", "DER_NONEXIST", "DER_EXIST", "DER_NO_HDL", "DER_NO_PERM"] as const;

/** Codes of ours for h5py's classes of errors; Python's own classes say less than HDF5's errors would. */
const CODES: { readonly [error: string]: readonly string[] } = {
  ValueError: [...REFUSALS, "DER_NOSYS"],
  TypeError: ["DER_INVAL", "DER_NOSYS", "DER_EXIST"],
  IndexError: ["DER_INVAL"],
  KeyError: [...REFUSALS],
  OSError: [...REFUSALS, "DER_DF_INVAL", "DER_DF_INCOMPT", "DER_NOSYS"],
  FileNotFoundError: ["DER_NONEXIST"],
  FileExistsError: ["DER_EXIST"],
  PermissionError: ["DER_NO_PERM"],
  RuntimeError: [...REFUSALS],
  UnicodeEncodeError: ["DER_INVAL"],
  UnicodeDecodeError: ["DER_INVAL"],
  OverflowError: ["DER_INVAL"],
  AttributeError: ["DER_INVAL"],
};
/** Errors where ours answers `undefined`. */
const ABSENCES = ["KeyError", "IndexError", "TypeError", "ValueError", "RuntimeError"];

/** What came of a call. */
export interface Verdict {
  /** Of h5py's test, the number of the call in it, and its name: `test_attrs.TestAccess.test_create 3 Group.ref`. */
  readonly id: string;
  readonly op: string;
  readonly kind: "agrees" | "inexpressible" | "disagrees";
  /** Why it is not expressed, or what differs. */
  readonly reason: string;
}

async function judgeError(call: Call, seen: Seen): Promise<string | undefined> {
  const { class: name, message } = call.error as NonNullable<Call["error"]>;
  if (seen.kind === "absent" && ABSENCES.includes(name)) return undefined;
  return `no error instead of ${name}: ${message}`;
}

function judgeThrown(call: Call, error: unknown): string | undefined {
  if (error instanceof Missing) return error.message;
  if (!isDaosError(error)) return `no DaosError: ${String((error as Error)?.stack ?? error)}`;
  if (call.error === undefined) return `${error.code}: ${error.message}`;
  const { class: name, bases } = call.error;
  const known = [name, ...bases].find((candidate) => Object.hasOwn(CODES, candidate));
  if (known === undefined) return `${error.code} instead of ${name}`;
  return CODES[known]?.includes(error.code) ? undefined : `${error.code} instead of ${name}`;
}

/** Makes a call, and says what differs. @throws Inexpressible */
async function play(world: World, call: Call): Promise<string | undefined> {
  const handler = HANDLERS[call.op];
  if (call.inexpressible !== undefined) throw new Inexpressible(call.inexpressible);
  if (handler === undefined) throw new Inexpressible(`${call.op}: not a call of ours`);
  let seen: Seen;
  try {
    seen = await handler(world, call.args ?? {}, call);
  } catch (error) {
    if (error instanceof Inexpressible) throw error;
    return judgeThrown(call, error);
  }
  if (call.error !== undefined) return judgeError(call, seen);
  return disagreement(seen, call.result ?? null, world);
}

/** The reason why a call has no counterpart that should have made what another one is about. */
function whyNotThere(world: World, { on, args = {}, result }: Call): string | undefined {
  const inner = ["attrs", "dims", "dim", "region"].map((kind) => kindOf<Recorded>(on, kind));
  const objects = [on, ...inner, ...Object.values(args), result];
  return objects.map((object) => world.whyUnmade(object)).find((why) => why !== undefined);
}

async function judge(world: World, call: Call, id: string): Promise<Verdict> {
  const { op } = call;
  world.learn(call.on);
  world.learn(call.args);
  world.learn(call.result);
  try {
    const reason = await play(world, call);
    const why = reason === undefined ? undefined : whyNotThere(world, call);
    if (why !== undefined) throw new Inexpressible(why);
    return { id, op, kind: reason === undefined ? "agrees" : "disagrees", reason: reason ?? "" };
  } catch (error) {
    if (error instanceof Inexpressible) {
      world.leaveUnmade(call, error.message);
      return { id, op, kind: "inexpressible", reason: error.message };
    }
    throw error;
  }
}

/** Replays a test of a recording. @param place `directory`: for files on their way into the container. */
export async function replayTest(
  container: Container,
  { directory, recording }: { directory: string; recording: Recording },
  { name, calls }: RecordedTest,
): Promise<Verdict[]> {
  const world = new World(container, directory, recording.folder);
  const verdicts: Verdict[] = [];
  try {
    for (const step of calls) {
      if ("restore" in step) await world.restore(step.restore, unpack(step.bytes));
      else if ("remove" in step) await world.remove(world.pathOf(step.remove));
      else verdicts.push(await judge(world, step, `${name} ${verdicts.length} ${step.op}`));
    }
  } finally {
    await world.closeAll();
  }
  return verdicts;
}
