/**
 * Calls of h5py's datasets and of their views.
 *
 * @module
 */

import type { Dataset, Datatype, RegionReference, Selection } from "daos-ts/hdf5";
import { dtypeOf } from "./creation.ts";
import { type Arguments, type Handler, type Handlers, inexpressible } from "./handler.ts";
import { Inexpressible, type Recorded } from "./recording.ts";
import { ABSENT, DONE, differenceOf, type Seen, seenEmpty, seenList, seenPlain } from "./seen.ts";
import { indexingOf, selectionOf } from "./selections.ts";
import { dataOf, decodeArray, fitTo, innerShape, isDecoded, plain } from "./values.ts";
import type { View, World } from "./world.ts";

/** The type of a member, or of a compound with some members only. */
function typeOfFields(type: Datatype, fields: readonly string[]): Datatype | undefined {
  if (fields.length !== 1 || type.class !== "compound") return undefined;
  return type.members.find(({ name }) => name === fields[0])?.type;
}

async function indexing(world: World, dataset: Dataset, args: Recorded) {
  return indexingOf(args, world, async (reference: RegionReference) => {
    const found = await world.fileNamed(world.current).region(reference);
    if (found?.dataset.ref.object !== dataset.ref.object) {
      throw new Inexpressible("a region of another dataset");
    }
    return found.selection;
  });
}

/** What `dataset[...]` gives. */
async function getItem(world: World, dataset: Dataset, args: Recorded): Promise<Seen> {
  const { fields, selection } = await indexing(world, dataset, args);
  if (dataset.isNull) {
    await dataset.read(selection, fields.length > 0 ? { fields } : {});
    return seenEmpty(dataset.type);
  }
  const [only] = fields;
  if (fields.length === 1 && only !== undefined) {
    const read = await dataset.fields(only).read(selection);
    return { kind: "elements", type: typeOfFields(dataset.type, fields), ...read };
  }
  if (fields.length > 1) {
    return { kind: "elements", ...(await dataset.read(selection, { fields })) };
  }
  return { kind: "elements", type: dataset.type, ...(await dataset.read(selection)) };
}

async function setItem(
  world: World,
  dataset: Dataset,
  { args = null, val }: Arguments,
): Promise<void> {
  const { fields, selection } = await indexing(world, dataset, args);
  const data = await dataOf(val, world);
  const type = typeOfFields(dataset.type, fields) ?? dataset.type;
  const fitted = type.class === "vlen" ? sequencesOf(data) : data;
  const given = isDecoded(fitted) ? fitTo(type, fitted) : fitted;
  // Columns of several members go without their common shape.
  const isColumns = fields.length > 0 && isDecoded(data) && data.recorded.kind === "compound";
  const value = isColumns ? data.data : given;
  await dataset.write(value as never, selection, fields.length > 0 ? { fields } : {});
}

/** Numbers for elements that are sequences: the last dimension of an array, as in h5py; or lists in a list. */
function sequencesOf(data: unknown): unknown {
  if (Array.isArray(data)) {
    const isDeep = data.some((item) => typeof item === "object");
    return isDeep ? data : { data: [data], shape: [] };
  }
  if (!isDecoded(data)) return data;
  if (data.recorded.kind === "compound") return { data: [data.data], shape: [] };
  const [first] = data.data as readonly unknown[];
  if (data.recorded.kind === "O" && typeof first === "object") return data;
  const { shape } = data;
  const last = shape.at(-1) ?? 1;
  const all = data.data as Float64Array; // or a list of texts
  const outer = shape.slice(0, -1);
  const count = outer.reduce((product, extent) => product * extent, 1);
  const rows = Array.from({ length: count }, (_, row) => all.slice(row * last, (row + 1) * last));
  return { data: rows, shape: outer };
}

function filterOf(name: keyof Dataset): Handler {
  return async (world, _, { on }) => {
    const value = (await world.dataset(on))[name] as unknown;
    return seenPlain(value ?? null);
  };
}

const FACTS: Handlers = {
  "Dataset.dtype": async (world, _, { on }) => {
    const { type } = await world.dataset(on);
    return { kind: "type", type };
  },
  "Dataset.shape": async (world, _, { on }) => {
    const { isNull, shape } = await world.dataset(on);
    return seenPlain(isNull ? null : shape);
  },
  "Dataset.maxshape": async (world, _, { on }) => {
    const { isNull, maxShape } = await world.dataset(on);
    return seenPlain(isNull ? null : maxShape);
  },
  "Dataset.ndim": async (world, _, { on }) => seenPlain((await world.dataset(on)).ndim),
  "Dataset.size": async (world, _, { on }) => {
    const { isNull, size } = await world.dataset(on);
    // h5py has no number of elements where there is no place for any.
    return seenPlain(isNull ? null : size);
  },
  "Dataset.nbytes": async (world, _, { on }) => seenPlain((await world.dataset(on)).nbytes),
  "Dataset.chunks": filterOf("chunks"),
  "Dataset.compression": async (world, _, { on, result }) => {
    const { compression } = await world.dataset(on);
    // h5py has no name for a filter that it does not know; ours is its number.
    const isUnknown = typeof compression === "number" && result === "unknown";
    return seenPlain(isUnknown ? "unknown" : (compression ?? null));
  },
  "Dataset.compression_opts": filterOf("compressionOptions"),
  "Dataset.shuffle": filterOf("shuffle"),
  "Dataset.fletcher32": filterOf("fletcher32"),
  "Dataset.scaleoffset": filterOf("scaleOffset"),
  "Dataset.is_virtual": filterOf("isVirtual"),
  "Dataset.filter_ids": async (world, _, { on }) =>
    seenPlain((await world.dataset(on)).filters.map(({ id }) => id)),
  "Dataset.filter_names": async (world, _, { on }) =>
    seenPlain((await world.dataset(on)).filters.map(({ name }) => name)),
  "Dataset.is_scale": async (world, _, { on }) =>
    seenPlain(await (await world.dataset(on)).isScale()),
  "Dataset.fillvalue": async (world, _, { on }) => {
    const dataset = await world.dataset(on);
    const value = dataset.fillValue();
    if (value === undefined) return ABSENT;
    const { type } = dataset;
    return { kind: "elements", type, data: value, shape: innerShape(type) };
  },
  "Dataset.external": inexpressible("external: elements in raw files outside of the HDF5 file"),
  "Dataset.virtual_sources": inexpressible("virtual_sources(): selections of HDF5's library"),
  "Dataset.__repr__": inexpressible("repr(): text for Python's console"),
  "Dataset.__len__": async (world, _, { on }) => lengthOf(await world.dataset(on)),
  "Dataset.len": async (world, _, { on }) => lengthOf(await world.dataset(on)),
};

/** Ours have no length: it is the first extent, `undefined` of a single element. */
function lengthOf({ shape }: Dataset): Seen {
  const [first] = shape;
  return first === undefined ? ABSENT : seenPlain(first);
}

const VIEWS: Handlers = {
  "Dataset.astype": async (world, { dtype }, { on }) => {
    const dataset = await world.dataset(on);
    const type = (await dtypeOf(world, dtype)) as Datatype;
    return { kind: "view", view: new Converted(dataset, type) };
  },
  "Dataset.asstr": async (world, args, { on }) => {
    const dataset = await world.dataset(on);
    const { class: kind } = dataset.type;
    // Text is read as strings without being asked: what is no text must be refused.
    if (kind !== "string" && kind !== "vlenString") await dataset.asBytes().read();
    return { kind: "view", view: new Texts(dataset, args) };
  },
  "Dataset.fields": async (world, { names }, { on }) => {
    const dataset = await world.dataset(on);
    const chosen = plain(names as Recorded) as string | string[];
    dataset.fields(chosen as string);
    return { kind: "view", view: new Fields(dataset, chosen) };
  },
};

/** A view of a dataset. */
interface DatasetView extends View {
  readonly dataset: Dataset;
  read(selection: Selection | undefined): Promise<Seen>;
}

class Converted implements DatasetView {
  readonly kind = "astype";
  readonly dataset: Dataset;
  readonly #type: Datatype;

  constructor(dataset: Dataset, type: Datatype) {
    this.dataset = dataset;
    this.#type = type;
  }

  async read(selection: Selection | undefined): Promise<Seen> {
    const read = await this.dataset.asType(this.#type).read(selection);
    return { kind: "elements", type: this.#type, ...read };
  }
}

class Fields implements DatasetView {
  readonly kind = "fields";
  readonly dataset: Dataset;
  readonly #names: string | string[];

  constructor(dataset: Dataset, names: string | string[]) {
    this.dataset = dataset;
    this.#names = names;
  }

  async read(selection: Selection | undefined): Promise<Seen> {
    const names = this.#names;
    const read = await this.dataset.fields(names as string).read(selection);
    const type = typeof names === "string" ? typeOfFields(this.dataset.type, [names]) : undefined;
    return { kind: "elements", type, ...read };
  }
}

class Texts implements DatasetView {
  readonly kind = "asstr";
  readonly dataset: Dataset;

  constructor(dataset: Dataset, { encoding, errors }: Arguments) {
    if (encoding !== undefined || (errors !== undefined && errors !== "strict")) {
      throw new Inexpressible(
        "other encodings than UTF-8: the program decodes what asBytes() gives",
      );
    }
    this.dataset = dataset;
  }

  async read(selection: Selection | undefined): Promise<Seen> {
    return { kind: "elements", ...(await this.dataset.read(selection)) };
  }
}

const COPIES = "copy=False: arrays of NumPy's that share memory";

const readView: Handler = async (world, args, { on }) =>
  world.view<DatasetView>(on).read(selectionOf(args.args ?? args.idx));

const lengthOfView: Handler = async (world, _, { on }) =>
  lengthOf(world.view<DatasetView>(on).dataset);

const arrayOfView: Handler = async (world, args, { on }) => {
  if (args.dtype !== undefined && args.dtype !== null) {
    throw new Inexpressible("a conversion by NumPy");
  }
  if (args.copy === false) throw new Inexpressible(COPIES);
  return world.view<DatasetView>(on).read(undefined);
};

function viewCalls(name: string): Handlers {
  return {
    [`${name}.__getitem__`]: readView,
    [`${name}.__len__`]: lengthOfView,
    [`${name}.__array__`]: arrayOfView,
    [`${name}.__exit__`]: inexpressible("astype() as a context, which h5py has given up"),
    [`${name}.dtype`]: inexpressible("the type that NumPy gives a view"),
    [`${name}.ndim`]: async (world, _, { on }) =>
      seenPlain(world.view<DatasetView>(on).dataset.ndim),
    [`${name}.shape`]: async (world, _, { on }) =>
      seenPlain(world.view<DatasetView>(on).dataset.shape),
    [`${name}.size`]: async (world, _, { on }) =>
      seenPlain(world.view<DatasetView>(on).dataset.size),
  };
}

const VIEW_CLASSES = [
  ...["AstypeWrapper", "AsStrWrapper", "FieldsWrapper"],
  ...["AbstractView", "AsTypeView", "AsStrView", "FieldsView"],
];

/** A selection of chunks by slices, as Python's. */
function seenSlices(selection: Selection): Seen {
  const parts = selection as readonly { start: number; stop: number; step: number }[];
  return seenList(parts.map(({ start, stop, step }) => seenPlain({ slice: [start, stop, step] })));
}

const WHOLE: Handlers = {
  "Dataset.__array__": async (world, { dtype, copy }, { on }) => {
    const dataset = await world.dataset(on);
    if (copy === false) throw new Inexpressible(COPIES);
    if (dtype !== undefined && dtype !== null) throw new Inexpressible("a conversion by NumPy");
    return { kind: "elements", type: dataset.type, ...(await dataset.read()) };
  },
  "Dataset.__iter__": async (world, _, { on }) => {
    const dataset = await world.dataset(on);
    const rows: Seen[] = [];
    // Ours are iterated by index: a single element has none.
    if (dataset.ndim === 0) await dataset.read([0]);
    for (let index = 0; index < (dataset.shape[0] ?? 0); index++) {
      rows.push({ kind: "elements", type: dataset.type, ...(await dataset.read([index])) });
    }
    return seenList(rows);
  },
  "Dataset.read_direct": async (world, { source_sel }, { on, picked, error }) => {
    const dataset = await world.dataset(on);
    const { data } = await dataset.read(selectionOf(source_sel));
    if (/C-contiguous|broadcast/.test(error?.message ?? "")) {
      throw new Inexpressible("shape and memory order of the program's own array");
    }
    if (picked === undefined) return DONE;
    const wanted = await decodeArray(picked, world);
    const difference = differenceOf(data, wanted.data);
    return difference === undefined ? DONE : seenPlain(difference);
  },
  "Dataset.write_direct": async (world, { dest_sel }, { on, picked, error }) => {
    const dataset = await world.dataset(on);
    if (picked === undefined || /C-contiguous/.test(error?.message ?? "")) {
      throw new Inexpressible("shape and memory order of the program's own array");
    }
    const given = fitTo(dataset.type, await decodeArray(picked, world));
    await dataset.write(given as never, selectionOf(dest_sel));
    return DONE;
  },
  "Dataset.resize": async (world, { size, axis }, { on }) => {
    const dataset = await world.dataset(on);
    await dataset.resize(plain(size as Recorded) as number, plain(axis) as number | undefined);
    return DONE;
  },
  "Dataset.iter_chunks": async (world, { sel }, { on }) => {
    const dataset = await world.dataset(on);
    const chunks = [...dataset.iterChunks(selectionOf(sel))];
    return seenList(chunks.map(seenSlices));
  },
  "Dataset.refresh": async (world, _, { on }) => {
    (await world.dataset(on)).refresh();
    return DONE;
  },
  // Elements of ours are flushed with their file.
  "Dataset.flush": async (world, _, { on }) => {
    await world.dataset(on);
    await world.fileOf(on).flush();
    return DONE;
  },
  "Dataset.make_scale": async (world, { name }, { on }) => {
    await (await world.dataset(on)).makeScale(plain(name ?? "") as string);
    return DONE;
  },
};

/** Calls of datasets. */
export const DATASET_CALLS: Handlers = {
  ...FACTS,
  ...VIEWS,
  ...WHOLE,
  ...Object.assign({}, ...VIEW_CLASSES.map(viewCalls)),
  "Dataset.__getitem__": async (world, { args, new_dtype }, { on }) => {
    if (new_dtype !== undefined) throw new Inexpressible("new_dtype: private to h5py");
    return getItem(world, await world.dataset(on), args as Recorded);
  },
  "Dataset.__setitem__": async (world, args, { on }) => {
    await setItem(world, await world.dataset(on), args);
    return DONE;
  },
};
