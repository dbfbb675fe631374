/**
 * Calls of h5py's attributes.
 *
 * @module
 */

import { type Attributes, Empty } from "daos-ts/hdf5";
import { dtypeOf, typeIn } from "./creation.ts";
import { type Arguments, type Handlers, inexpressible } from "./handler.ts";
import { typeOf } from "./numpy-types.ts";
import { kindOf, type Recorded } from "./recording.ts";
import { ABSENT, DONE, type Seen, seenEmpty, seenList, seenPlain } from "./seen.ts";
import { dataOf, fitTo, isDecoded, plain, textOf } from "./values.ts";
import type { World } from "./world.ts";

async function attributesOf(world: World, on: Recorded | undefined): Promise<Attributes> {
  return (await world.object(kindOf<Recorded>(on, "attrs"))).attrs;
}

/** The elements of an attribute, with type and shape; `undefined` if there is none. */
async function readValue(attributes: Attributes, name: string): Promise<Seen> {
  const content = await attributes.read(name);
  if (content === undefined) {
    // Both ways to ask must say the same.
    const value = await attributes.get(name);
    if (value !== undefined) throw new Error(`attribute ${name} is there and is not`);
    return ABSENT;
  }
  const { data, shape, type, space } = content;
  return space === "null" ? seenEmpty(type) : { kind: "elements", type, data, shape };
}

/** An attribute's value with the type and shape that NumPy gives it. */
async function create(
  world: World,
  attributes: Attributes,
  { name, data, shape, dtype }: Arguments,
): Promise<void> {
  const given = await dataOf(data, world);
  const asked = await dtypeOf(world, dtype);
  const type = asked ?? (isDecoded(given) ? typeOf(given.recorded) : undefined);
  const wanted = shape === null || shape === undefined ? undefined : plain(shape);
  const own = typeof wanted === "number" ? [wanted] : (wanted as readonly number[] | undefined);
  const value = isDecoded(given)
    ? fitTo(typeIn(type) as never, given)
    : given instanceof Empty && type !== undefined
      ? new Empty(typeIn(type) as never)
      : given;
  await attributes.create(textOf(name), value, {
    ...(type === undefined ? {} : { dtype: type }),
    ...(own === undefined ? {} : { shape: own }),
  });
}

/** What Python makes of other calls. */
const DICTIONARY: Handlers = {
  "AttributeManager.get": async (world, { key, default: given }, { on }) => {
    const seen = await readValue(await attributesOf(world, on), textOf(key));
    return seen.kind === "absent" && given !== undefined && given !== null ? DONE : seen;
  },
  "AttributeManager.pop": async (world, { key, default: given }, { on }) => {
    const attributes = await attributesOf(world, on);
    const seen = await readValue(attributes, textOf(key));
    await attributes.delete(textOf(key));
    return seen.kind === "absent" && given !== undefined && given !== null ? DONE : seen;
  },
  "AttributeManager.clear": async (world, _, { on }) => {
    const attributes = await attributesOf(world, on);
    for (const name of await attributes.keys()) await attributes.delete(name);
    return DONE;
  },
};

/** Calls of attributes. */
export const ATTRIBUTE_CALLS: Handlers = {
  ...DICTIONARY,
  "AttributeManager.__getitem__": async (world, { name }, { on }) =>
    readValue(await attributesOf(world, on), textOf(name)),
  "AttributeManager.__setitem__": async (world, { name = null, value = null }, { on }) => {
    await create(world, await attributesOf(world, on), { name, data: value });
    return DONE;
  },
  "AttributeManager.create": async (world, args, { on }) => {
    await create(world, await attributesOf(world, on), args);
    return DONE;
  },
  "AttributeManager.modify": async (world, { name, value }, { on }) => {
    const attributes = await attributesOf(world, on);
    const given = await dataOf(value, world);
    const type = (await attributes.read(textOf(name)))?.type;
    if (type === undefined) {
      await create(world, attributes, { name: name as Recorded, data: value as Recorded });
      return DONE;
    }
    await attributes.modify(textOf(name), isDecoded(given) ? fitTo(type, given) : given);
    return DONE;
  },
  "AttributeManager.__delitem__": async (world, { name }, { on }) => {
    const attributes = await attributesOf(world, on);
    // Ours says by its result whether there was one.
    return (await attributes.delete(textOf(name))) ? DONE : ABSENT;
  },
  "AttributeManager.__len__": async (world, _, { on }) =>
    seenPlain(await (await attributesOf(world, on)).size()),
  "AttributeManager.__iter__": async (world, _, { on }) =>
    seenPlain(await (await attributesOf(world, on)).keys()),
  "AttributeManager.keys": async (world, _, { on }) =>
    seenPlain(await (await attributesOf(world, on)).keys()),
  "AttributeManager.__reversed__": async (world, _, { on }) =>
    seenPlain((await (await attributesOf(world, on)).keys()).reverse()),
  "AttributeManager.__contains__": async (world, { name }, { on }) =>
    seenPlain(await (await attributesOf(world, on)).has(textOf(name))),
  "AttributeManager.values": async (world, _, { on }) => {
    const attributes = await attributesOf(world, on);
    const names = await attributes.keys();
    return seenList(await Promise.all(names.map((name) => readValue(attributes, name))));
  },
  "AttributeManager.items": async (world, _, { on }) => {
    const attributes = await attributesOf(world, on);
    const items: Seen[] = [];
    for (const name of await attributes.keys()) {
      items.push(seenList([seenPlain(name), await readValue(attributes, name)]));
    }
    return seenList(items);
  },
  "AttributeManager.get_id": inexpressible("get_id(): an id of HDF5's library"),
  "AttributeManager.__repr__": inexpressible("repr(): text for Python's console"),
};
