/**
 * Calls of h5py's groups. Those of Python's dictionaries (`pop`, `update` ...) are made of ours, as in Python.
 *
 * @module
 */

import { type Dataset, ExternalLink, type Group, type Hdf5Object, SoftLink } from "daos-ts/hdf5";
import { datasetOptions, dtypeOf } from "./creation.ts";
import { type Arguments, type Handler, type Handlers, inexpressible, leaveOut } from "./handler.ts";
import { typeOf } from "./numpy-types.ts";
import {
  type Call,
  Inexpressible,
  kindOf,
  type Recorded,
  type RecordedError,
} from "./recording.ts";
import { ABSENT, DONE, disagreement, type Seen, seenList, seenObject, seenPlain } from "./seen.ts";
import { dataOf, fitTo, isDecoded, plain, textOf } from "./values.ts";
import { classOf, EXPAND_REFS, type World } from "./world.ts";

/** A name of a new object. */
function nameOf(value: Recorded | undefined): string {
  if (value === undefined || value === null) {
    throw new Inexpressible("an object without a name in its file");
  }
  return textOf(value);
}

async function getItem(world: World, group: Group, name: Recorded | undefined) {
  if (kindOf(name, "ref") !== undefined) {
    const reference = await world.reference(name as { [kind: string]: unknown });
    // A null reference leads nowhere.
    return reference && group.get(reference);
  }
  return group.get(plain(name) as string);
}

async function setItem(world: World, group: Group, name: string, obj: Recorded | undefined) {
  if (kindOf(obj, "object") !== undefined) return group.link(name, await world.object(obj));
  const soft = kindOf<string>(obj, "soft");
  if (soft !== undefined) return group.link(name, new SoftLink(soft));
  const external = kindOf<readonly [string, string]>(obj, "external");
  if (external !== undefined) {
    return group.link(name, new ExternalLink(world.linkedName(external[0]), external[1]));
  }
  if (kindOf(obj, "dtype") !== undefined) {
    await group.createDatatype(name, (await dtypeOf(world, obj)) as never);
    return;
  }
  const data = await dataOf(obj, world);
  const given = isDecoded(data)
    ? { dtype: typeOf(data.recorded), data: fitTo(typeOf(data.recorded), data) }
    : { data };
  await group.createDataset(name, given as never);
}

/** Arguments that say how HDF5's library locks files behind links. */
const LINK_OPTIONS = {
  elink_swmr: "elink_*: how HDF5 opens files behind external links",
  elink_locking: "elink_*: how HDF5 opens files behind external links",
};

/** `get` with its default, a class or a link. */
const getWithDefault: Handler = async (world, args, call) => {
  const group = await world.group(call.on);
  const name = textOf(args.name);
  const { getclass, getlink, elink_mode } = leaveOut(args, call, LINK_OPTIONS);
  if (elink_mode !== undefined) throw new Inexpressible(LINK_OPTIONS.elink_locking);
  if (getlink === true) {
    const link = await group.getLink(name);
    if (link === undefined) return defaulted(world, args);
    const classes = { hard: "HardLink", soft: "SoftLink", external: "ExternalLink", user: "" };
    if (getclass === true) return seenPlain({ class: classes[link.kind] });
    return { kind: "link", link };
  }
  const object = await group.get(name);
  if (object === undefined) return defaulted(world, args);
  return getclass === true ? seenPlain({ class: classOf(object) }) : seenObject(object);
};

/** The default that a call gave: ours have none, and answer `undefined`. */
async function defaulted(world: World, args: Arguments): Promise<Seen> {
  const given = args.default;
  if (given === undefined || given === null) return ABSENT;
  if (kindOf(given, "object") !== undefined) return seenObject(await world.object(given));
  return { kind: "done" };
}

async function entriesOf(group: Group): Promise<Seen[]> {
  const entries = await group.entries();
  return entries.map(([name, object]) => seenList([seenPlain(name), seenObject(object)]));
}

const copy: Handler = async (world, args, { on }) => {
  const group = await world.group(on);
  const { source, dest } = args;
  const from = kindOf(source, "object") === undefined ? textOf(source) : await world.object(source);
  const isGroup = kindOf(dest, "object") !== undefined;
  const target = isGroup ? await world.group(dest) : textOf(dest);
  if (args.expand_refs === true) {
    throw new Inexpressible(EXPAND_REFS);
  }
  await group.copy(from, target, {
    ...(args.name === undefined || args.name === null ? {} : { name: textOf(args.name) }),
    shallow: args.shallow === true,
    expandSoft: args.expand_soft === true,
    expandExternal: args.expand_external === true,
    withoutAttrs: args.without_attrs === true,
  });
  return DONE;
};

interface Visited {
  readonly args: readonly Recorded[];
  readonly result?: Recorded;
  readonly error?: RecordedError;
}

/** What a program's function is to be given, and gives. */
class Visitor {
  readonly #calls: readonly Visited[];
  readonly #world: World;
  #at = 0;
  difference: string | undefined;

  constructor(world: World, call: Call) {
    this.#world = world;
    this.#calls = kindOf<readonly Visited[]>(call.args?.func, "callback") ?? [];
  }

  async visit(name: string, value?: Seen): Promise<unknown> {
    const call = this.#calls[this.#at++];
    if (call === undefined) {
      this.difference ??= `${name} was visited too`;
      return undefined;
    }
    const [wanted, object] = call.args;
    if (wanted !== name) this.difference ??= `${name} was visited instead of ${String(wanted)}`;
    if (value !== undefined && object !== undefined) {
      this.difference ??= await disagreement(value, object, this.#world);
    }
    if (call.error !== undefined) throw new Inexpressible("an error of the program's own function");
    return call.result === null ? undefined : call;
  }

  /** What the visit as a whole gave. */
  end(result: unknown): Seen {
    const left = this.#calls.length - this.#at;
    const difference = this.difference ?? (left > 0 ? `${left} fewer were visited` : undefined);
    if (difference !== undefined) return seenPlain(difference);
    // The program's own result comes back as it is.
    const last = this.#calls.at(-1);
    return result === undefined ? ABSENT : result === last ? DONE : seenPlain("another result");
  }
}

const VISITS: Handlers = {
  "Group.visit": async (world, _, call) => {
    const visitor = new Visitor(world, call);
    const group = await world.group(call.on);
    return visitor.end(await group.visit((name) => visitor.visit(name)));
  },
  "Group.visititems": async (world, _, call) => {
    const visitor = new Visitor(world, call);
    const group = await world.group(call.on);
    const visit = (name: string, object: Hdf5Object) => visitor.visit(name, seenObject(object));
    return visitor.end(await group.visitItems(visit));
  },
  "Group.visit_links": async (world, _, call) => {
    const visitor = new Visitor(world, call);
    const group = await world.group(call.on);
    return visitor.end(await group.visitLinks((name) => visitor.visit(name)));
  },
  "Group.visititems_links": async (world, _, call) => {
    const visitor = new Visitor(world, call);
    const group = await world.group(call.on);
    return visitor.end(
      await group.visitItemsLinks((name, link) => visitor.visit(name, { kind: "link", link })),
    );
  },
};

/** What Python makes of other calls. */
const DICTIONARY: Handlers = {
  "Group.pop": async (world, args, { on }) => {
    const group = await world.group(on);
    const name = textOf(args.key);
    const object = await group.get(name);
    if (object === undefined) return defaulted(world, args);
    await group.delete(name);
    return seenObject(object);
  },
  "Group.popitem": async (world, _, { on }) => {
    const group = await world.group(on);
    const [first] = await group.entries();
    if (first === undefined) return ABSENT;
    await group.delete(first[0]);
    return seenList([seenPlain(first[0]), seenObject(first[1])]);
  },
  "Group.clear": async (world, _, { on }) => {
    const group = await world.group(on);
    for (const name of await group.keys()) await group.delete(name);
    return DONE;
  },
  "Group.setdefault": async (world, { key, default: given }, { on }) => {
    const group = await world.group(on);
    const name = textOf(key);
    const known = await group.get(name);
    if (known !== undefined) return seenObject(known);
    await setItem(world, group, name, given);
    return DONE;
  },
  "Group.update": async (world, { other, ...named }, { on }) => {
    const group = await world.group(on);
    const pairs = kindOf<readonly (readonly Recorded[])[]>(other, "dict") ?? pairsOf(other);
    for (const [name, value] of [...pairs, ...Object.entries(named)]) {
      await setItem(world, group, textOf(name), value);
    }
    return DONE;
  },
};

function pairsOf(other: Recorded | undefined): readonly (readonly Recorded[])[] {
  if (other === undefined) return [];
  if (!Array.isArray(other)) throw new Inexpressible("a mapping of Python's");
  return other.map((pair) => kindOf<readonly Recorded[]>(pair, "tuple") ?? []);
}

const CREATION: Handlers = {
  "Group.create_group": async (world, args, call) => {
    const left = { track_times: "track_times: times of objects" };
    const { name, track_order } = leaveOut(args, call, left);
    const group = await world.group(call.on);
    const options = track_order === true ? { trackOrder: true } : {};
    return seenObject(await group.createGroup(nameOf(name), options));
  },
  "Group.require_group": async (world, { name }, { on }) =>
    seenObject(await (await world.group(on)).requireGroup(nameOf(name))),
  "Group.create_dataset": async (world, { name }, call) => {
    const group = await world.group(call.on);
    // What h5py takes if nothing is said.
    const options = await datasetOptions(world, call, { dtype: "float32" });
    return seenObject((await group.createDataset(nameOf(name), options)) as Dataset);
  },
  "Group.require_dataset": async (world, { name, exact }, call) => {
    const group = await world.group(call.on);
    const options = { ...(await datasetOptions(world, call)), exact: exact === true };
    return seenObject(await group.requireDataset(nameOf(name), options));
  },
  "Group.create_dataset_like": async (world, { name, other }, call) => {
    const group = await world.group(call.on);
    const options = await datasetOptions(world, call);
    const like = await world.dataset(other);
    return seenObject(await group.createDatasetLike(nameOf(name), like, options));
  },
};

/** Calls of groups. */
export const GROUP_CALLS: Handlers = {
  ...CREATION,
  ...VISITS,
  ...DICTIONARY,
  "Group.__getitem__": async (world, { name }, { on }) =>
    seenObject(await getItem(world, await world.group(on), name)),
  "Group.get": getWithDefault,
  "Group.__setitem__": async (world, { name, obj }, { on }) => {
    await setItem(world, await world.group(on), nameOf(name), obj);
    return DONE;
  },
  "Group.__delitem__": async (world, { name }, { on }) => {
    await (await world.group(on)).delete(textOf(name));
    return DONE;
  },
  "Group.__len__": async (world, _, { on }) => seenPlain(await (await world.group(on)).size()),
  "Group.__iter__": async (world, _, { on }) => seenPlain(await (await world.group(on)).keys()),
  "Group.keys": async (world, _, { on }) => seenPlain(await (await world.group(on)).keys()),
  "Group.__reversed__": async (world, _, { on }) =>
    seenPlain((await (await world.group(on)).keys()).reverse()),
  "Group.values": async (world, _, { on }) =>
    seenList((await (await world.group(on)).values()).map(seenObject)),
  "Group.items": async (world, _, { on }) => seenList(await entriesOf(await world.group(on))),
  "Group.__contains__": async (world, { name }, { on }) => {
    const group = await world.group(on);
    if (kindOf(name, "ref") === undefined) return seenPlain(await group.has(textOf(name)));
    return seenPlain((await getItem(world, group, name)) !== undefined);
  },
  "Group.copy": copy,
  "Group.move": async (world, { source, dest }, { on }) => {
    await (await world.group(on)).move(textOf(source), textOf(dest));
    return DONE;
  },
  "Group.__repr__": inexpressible("repr(): text for Python's console"),
};
