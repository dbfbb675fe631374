/**
 * Calls of h5py's virtual layouts and sources.
 *
 * @module
 */

import { type DType, type Selection, VirtualLayout, VirtualSource } from "daos-ts/hdf5";
import { dtypeOf } from "./creation.ts";
import { type Arguments, type Handlers, inexpressible } from "./handler.ts";
import { Inexpressible, kindOf, type Recorded } from "./recording.ts";
import { DONE, seenObject, seenPlain } from "./seen.ts";
import { selectionOf } from "./selections.ts";
import { dataOf, isDecoded, plain, textOf } from "./values.ts";
import type { View, World } from "./world.ts";

/** A source: its file, which may become ".", the path of the dataset, extents and selection. */
interface SourceView extends View {
  readonly kind: "source";
  readonly file: string;
  readonly dataset: string;
  readonly shape: readonly number[];
  readonly selection?: Selection;
}

function sourceIn(file: string, { dataset, shape, selection }: SourceView): VirtualSource {
  return new VirtualSource(file, dataset, shape, selection);
}

/** A layout, and what was said of it: names of files are decided when the target is known. */
interface LayoutView extends View {
  readonly kind: "layout";
  readonly options: ConstructorParameters<typeof VirtualLayout>[0];
  readonly assigned: { readonly selection: Selection; readonly source: SourceView }[];
}

function extents(value: Recorded | undefined): number[] | undefined {
  const given = plain(value);
  if (given === undefined || given === null) return undefined;
  return Array.isArray(given) ? (given as number[]) : [given as number];
}

async function sourceOf(world: World, args: Arguments): Promise<SourceView> {
  const { path_or_dataset: place, name, shape } = args;
  if (kindOf(place, "object") !== undefined) {
    const dataset = await world.dataset(place);
    if (Object.keys(args).length > 1) {
      throw new Inexpressible("two ways at once to say what a source is");
    }
    const file = `/${world.fileOf(place).filename}`;
    return { kind: "source", file, dataset: dataset.name, shape: dataset.shape };
  }
  if (name === undefined || shape === undefined) {
    throw new Inexpressible("arguments that TypeScript refuses");
  }
  const file = world.linkedName(textOf(place));
  return { kind: "source", file, dataset: textOf(name), shape: extents(shape) as number[] };
}

/** Whether a selection has no end: HDF5 takes its largest number for that. */
function isUnlimited(key: Recorded | undefined): boolean {
  return JSON.stringify(key ?? null).includes('{"int":');
}

/** Calls of virtual layouts and sources. */
export const VIRTUAL_CALLS: Handlers = {
  "VirtualSource.__init__": async (world, args) => {
    const view = await sourceOf(world, args);
    sourceIn(view.file, view);
    return { kind: "view", view };
  },
  "VirtualSource.shape": async (world, _, { on }) => {
    const source = world.view<SourceView>(on);
    return seenPlain(sourceIn(source.file, source).selectedShape);
  },
  "VirtualSource.__getitem__": async (world, { key }, { on }) => {
    if (isUnlimited(key)) throw new Inexpressible("an unlimited selection in slices");
    const source = world.view<SourceView>(on);
    const selection = selectionOf(key);
    sourceIn(source.file, source).select(selection);
    return { kind: "view", view: { ...source, selection } as SourceView };
  },
  "VirtualLayout.__init__": async (world, { shape, dtype, maxshape }) => {
    const type = ((await dtypeOf(world, dtype)) ?? "float32") as DType;
    const limits = extents(maxshape);
    const options = {
      ...{ shape: extents(shape) as number[], dtype: type },
      ...(limits === undefined ? {} : { maxShape: limits }),
    };
    const view: LayoutView = { kind: "layout", options, assigned: [] };
    return { kind: "view", view };
  },
  "VirtualLayout.__setitem__": async (world, { key, source }, { on }) => {
    if (isUnlimited(key)) {
      world.dropView(on);
      throw new Inexpressible("an unlimited selection in slices");
    }
    const layout = world.view<LayoutView>(on);
    const selection = selectionOf(key);
    const given = world.view<SourceView>(source);
    new VirtualLayout(layout.options).set(selection, sourceIn(given.file, given));
    layout.assigned.push({ selection, source: given });
    return DONE;
  },
  "Group.create_virtual_dataset": async (world, { name, layout, fillvalue }, { on }) => {
    const group = await world.group(on);
    const { options, assigned } = world.view<LayoutView>(layout);
    const made = new VirtualLayout(options);
    const own = `/${world.fileOf(on).filename}`;
    for (const { selection, source } of assigned) {
      // As h5py does: sources in the same file go by the name ".".
      made.set(selection, sourceIn(source.file === own ? "." : source.file, source));
    }
    const fill = await dataOf(fillvalue, world);
    const value = isDecoded(fill) ? fill.data : fill;
    const given = value === undefined ? {} : { fillValue: value };
    return seenObject(await group.createVirtualDataset(textOf(name), made, given));
  },
  "Group.build_virtual_dataset": inexpressible("a context of Python's"),
};
