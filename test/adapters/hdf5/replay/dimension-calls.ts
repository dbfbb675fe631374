/**
 * Calls of h5py's dimensions and scales.
 *
 * @module
 */

import type { Dataset, Dimension } from "daos-ts/hdf5";
import { type Handlers, inexpressible } from "./handler.ts";
import { kindOf, type Recorded } from "./recording.ts";
import { ABSENT, DONE, type Seen, seenList, seenObject, seenPlain } from "./seen.ts";
import { plain, textOf } from "./values.ts";
import type { World } from "./world.ts";

interface Place {
  readonly dim: Recorded;
  readonly index: number;
}

async function dimensionOf(world: World, on: Recorded | undefined): Promise<Dimension> {
  const { dim, index } = on as unknown as Place;
  const { dims } = await world.dataset(dim);
  return dims[index < 0 ? index + dims.length : index] as Dimension;
}

async function dimsOf(world: World, on: Recorded | undefined): Promise<readonly Dimension[]> {
  return (await world.dataset(kindOf<Recorded>(on, "dims"))).dims;
}

function scaleOf(dataset: Dataset): Seen {
  return seenObject(dataset);
}

/** Calls of dimensions and scales. */
export const DIMENSION_CALLS: Handlers = {
  "DimensionManager.__getitem__": async (world, { index }, { on }) => {
    const dims = await dimsOf(world, on);
    return dims.at(plain(index) as number) === undefined ? ABSENT : DONE;
  },
  "DimensionManager.__len__": async (world, _, { on }) =>
    seenPlain((await dimsOf(world, on)).length),
  "DimensionManager.__iter__": async (world, _, { on }) =>
    seenList((await dimsOf(world, on)).map(() => DONE)),
  "DimensionManager.create_scale": inexpressible("create_scale(): given up by h5py"),
  "DimensionManager.__repr__": inexpressible("repr(): text for Python's console"),
  "DimensionProxy.label": async (world, _, { on }) =>
    seenPlain(await (await dimensionOf(world, on)).label()),
  "DimensionProxy.label=": async (world, { val }, { on }) => {
    await (await dimensionOf(world, on)).setLabel(textOf(val));
    return DONE;
  },
  "DimensionProxy.__len__": async (world, _, { on }) =>
    seenPlain(await (await dimensionOf(world, on)).size()),
  "DimensionProxy.__getitem__": async (world, { item }, { on }) => {
    const dimension = await dimensionOf(world, on);
    return seenObject((await dimension.get(plain(item) as number | string)) as never);
  },
  "DimensionProxy.attach_scale": async (world, { dset }, { on }) => {
    await (await dimensionOf(world, on)).attachScale(await world.dataset(dset));
    return DONE;
  },
  "DimensionProxy.detach_scale": async (world, { dset }, { on }) => {
    await (await dimensionOf(world, on)).detachScale(await world.dataset(dset));
    return DONE;
  },
  "DimensionProxy.keys": async (world, _, { on }) =>
    seenPlain(await (await dimensionOf(world, on)).keys()),
  "DimensionProxy.__iter__": async (world, _, { on }) =>
    seenPlain(await (await dimensionOf(world, on)).keys()),
  "DimensionProxy.values": async (world, _, { on }) =>
    seenList((await (await dimensionOf(world, on)).scales()).map(scaleOf)),
  "DimensionProxy.items": async (world, _, { on }) => {
    const dimension = await dimensionOf(world, on);
    const [names, scales] = [await dimension.keys(), await dimension.scales()];
    return seenList(
      names.map((name, index) => seenList([seenPlain(name), scaleOf(scales[index] as Dataset)])),
    );
  },
  "DimensionProxy.__eq__": inexpressible("equality of Python's objects for dimensions"),
  "DimensionProxy.__repr__": inexpressible("repr(): text for Python's console"),
};
