/**
 * Options of `create_dataset`, as ours.
 *
 * @module
 */

import { type DatasetOptions, type DType, Empty } from "daos-ts/hdf5";
import { type Arguments, leaveOut } from "./handler.ts";
import { typeOf } from "./numpy-types.ts";
import { type Call, Inexpressible, kindOf, type Recorded, type RecordedType } from "./recording.ts";
import { dataOf, fitTo, isDecoded, plain } from "./values.ts";
import type { World } from "./world.ts";

/** Arguments that say how HDF5's library keeps elements. */
const LIBRARY_OPTIONS = {
  track_times: "track_times: times of objects",
  rdcc_nbytes: "rdcc_*: HDF5's cache of chunks",
  rdcc_nslots: "rdcc_*: HDF5's cache of chunks",
  rdcc_w0: "rdcc_*: HDF5's cache of chunks",
};

const INEXPRESSIBLE: { readonly [name: string]: string } = {
  external: "external: elements in raw files outside of the HDF5 file",
  efile_prefix: "efile_prefix: where HDF5 looks for raw files",
  virtual_prefix: "virtual_prefix: where HDF5 looks for sources",
  dcpl: "dcpl: a list of properties of HDF5's library",
  dapl: "dapl: a list of properties of HDF5's library",
};

/** The element type that an argument says: NumPy's, or a committed one. */
export async function dtypeOf(
  world: World,
  value: Recorded | undefined,
): Promise<DType | undefined> {
  if (value === undefined || value === null) return undefined;
  const recorded = kindOf<RecordedType>(value, "dtype");
  if (recorded !== undefined) return typeOf(recorded);
  if (kindOf(value, "object") !== undefined) return (await world.object(value)) as never;
  // h5py refuses it; we are to refuse it too.
  return String(kindOf<string>(value, "invalid")) as DType;
}

/** The type itself, if it is a committed one. */
export function typeIn(dtype: unknown): unknown {
  return typeof dtype === "object" && dtype !== null && "stored" in dtype
    ? (dtype as unknown as { type: unknown }).type
    : dtype;
}

/** Python's None is our `null` in a list of limits, and `undefined` as an option. */
function option<T>(value: Recorded | undefined): T | undefined {
  const given = plain(value);
  return given === null ? undefined : (given as T | undefined);
}

function addStorage(options: Record<string, unknown>, args: Arguments): void {
  const chunks = option<unknown>(args.chunks);
  // `chunks=False` only forbids what filters and limits need.
  const needsChunks = ["compression", "shuffle", "fletcher32", "scaleoffset", "maxshape"];
  const isNeeded = needsChunks.some((name) => args[name] !== undefined && args[name] !== null);
  if (chunks !== false || isNeeded) options.chunks = chunks;
  options.maxShape = option(args.maxshape);
  const compression = option<unknown>(args.compression);
  if (compression !== false) options.compression = compression;
  options.compressionOptions = option(args.compression_opts);
  options.shuffle = option(args.shuffle);
  options.fletcher32 = option(args.fletcher32);
  const scaleOffset = option<unknown>(args.scaleoffset);
  if (scaleOffset !== false) options.scaleOffset = scaleOffset;
  options.trackOrder = option(args.track_order);
  options.allowUnknownFilter = option(args.allow_unknown_filter);
  const fillTime = option<string>(args.fill_time);
  if (fillTime !== undefined) options.fillTime = fillTime;
}

const KNOWN = [
  ...["name", "shape", "dtype", "data", "chunks", "maxshape", "compression", "compression_opts"],
  ...["shuffle", "fletcher32", "scaleoffset", "track_order", "allow_unknown_filter", "fillvalue"],
  ...["exact", "other", "fill_time"],
];

function checkKnown(args: Arguments): void {
  for (const name of Object.keys(args)) {
    const reason = INEXPRESSIBLE[name];
    if (reason !== undefined) throw new Inexpressible(reason);
    if (!KNOWN.includes(name)) throw new Inexpressible(`${name}: an option of HDF5's library`);
  }
}

/** The options of a new dataset. Those that h5py leaves to its defaults are left to ours. */
export async function datasetOptions(
  world: World,
  call: Call,
  defaults: { readonly dtype?: DType } = {},
): Promise<DatasetOptions> {
  const args = leaveOut(call.args ?? {}, call, LIBRARY_OPTIONS);
  checkKnown(args);
  const options: Record<string, unknown> = {};
  const dtype = await dtypeOf(world, args.dtype);
  const data = await dataOf(args.data, world);
  if (dtype !== undefined) options.dtype = dtype;
  if (isDecoded(data)) {
    // NumPy's arrays know their type.
    options.dtype ??= typeOf(data.recorded);
    options.data = fitTo(typeIn(options.dtype) as never, data);
  } else if (data !== undefined) {
    options.data = data instanceof Empty && dtype !== undefined ? new Empty(dtype) : data;
  }
  const shape = option(args.shape);
  if (data === undefined && shape !== undefined) options.dtype ??= defaults.dtype;
  if (shape !== undefined) options.shape = shape;
  addStorage(options, args);
  const fill = await dataOf(args.fillvalue, world);
  if (fill !== undefined) options.fillValue = isDecoded(fill) ? elementOf(fill) : fill;
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as DatasetOptions;
}

function elementOf({ data, shape }: { data: unknown; shape: readonly number[] }): unknown {
  return shape.length === 0 ? data : { data, shape };
}
