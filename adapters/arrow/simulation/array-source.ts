/**
 * Where the elements of a simulation's array come from: a file of bytes, or a dataset of an HDF5-like file.
 *
 * @module
 */

import type { Data, DataType } from "apache-arrow";
import {
  type Container,
  type ContainerView,
  DaosError,
  type ObjectId,
  Pattern,
  type Version,
  wholeOf,
} from "../../../core/index.js";
import { lookup, notFound } from "../../dfs/index.js";
import { Dataset, type Elements, File, slice } from "../../hdf5/index.js";
import { invalid, unsupported } from "../errors.js";
import { type NumericType, type NumericTypeName, numericType } from "../numeric-types.js";
import { type Box, countOf } from "./boxes.js";
import { arrowTypeOf, columnOf } from "./element-columns.js";

/** Which array is read. */
export type ArrayName =
  | {
      /** Path of a file of elements, row-major, little-endian. */
      readonly path: string;
      /** Extent of the array along each dimension, slowest first. */
      readonly shape: readonly number[];
      /** Type of the elements. */
      readonly type: NumericTypeName;
      /** Where the first element lies, in bytes from the start of the file; 0 by default. */
      readonly offset?: number;
    }
  | {
      /** Path of an HDF5-like file. */
      readonly path: string;
      /** Path of a dataset in it. */
      readonly dataset: string;
    };

/** An open array at one version. */
export interface ArraySource {
  readonly view: ContainerView;
  readonly oid: ObjectId;
  readonly shape: readonly number[];
  /** Of an element. */
  readonly arrowType: DataType;
  /** Bytes of an element, about. */
  readonly itemSize: number;
  /** Elements that lie in the object's array as Arrow has them, from an offset in bytes on. */
  readonly linear: { readonly type: NumericType; readonly offset: number } | undefined;
  /** The boxes that are stored apart; `undefined` if none are. */
  boxes(): Promise<Box[] | undefined>;
  /** The elements of a box that are one run in row-major order. */
  read(box: Box): Promise<Data>;
  close(): Promise<void>;
}

function checkShape(path: string, shape: readonly number[]): void {
  const isShape = shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0);
  if (isShape && Number.isSafeInteger(countOf(shape))) return;
  const why = `[${shape.join(", ")}] is not a shape`;
  throw invalid(`Reading "${path}"`, why, "give whole numbers of elements for each dimension");
}

/** The number of an element in row-major order. */
export function numberOf(coordinates: readonly number[], shape: readonly number[]): number {
  return coordinates.reduce((number, at, index) => number * (shape[index] as number) + at, 0);
}

function openBytes(
  view: ContainerView,
  { path, shape, type: name, offset = 0 }: Extract<ArrayName, { shape: readonly number[] }>,
): ArraySource {
  checkShape(path, shape);
  const type = numericType(name);
  const inode = lookup({ view }, path);
  if (inode === undefined) throw notFound(path, "Reading");
  const what = `Reading "${path}"`;
  if (inode.kind !== "file") throw invalid(what, `it is a ${inode.kind}`, "name a file");
  const [needed, size] = [offset + countOf(shape) * type.size, view.arraySize(inode.oid)];
  if (!Number.isSafeInteger(offset) || offset < 0 || needed > size) {
    const why = `shape [${shape.join(", ")}] from byte ${offset} on ends at byte ${needed}, the file at ${size}`;
    throw invalid(what, why, "correct shape, type or offset, or read another version");
  }
  const { oid } = inode;
  return {
    ...{ view, oid, shape, arrowType: type.arrow, itemSize: type.size, linear: { type, offset } },
    boxes: async () => undefined,
    read: async ({ origin, shape: extents }) => {
      const start = offset + numberOf(origin, shape) * type.size;
      const bytes = Buffer.allocUnsafeSlow(countOf(extents) * type.size);
      if (bytes.length > 0) {
        view.readArray(oid, wholeOf(Pattern.contiguous(start, start + bytes.length)), bytes);
      }
      return type.column(bytes);
    },
    close: async () => view.close(),
  };
}

const AS_IS = [
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "float32",
  "float64",
];

function datasetSource(view: ContainerView, file: File, dataset: Dataset): ArraySource {
  const { type, shape, stored } = dataset;
  const arrowType = arrowTypeOf(type);
  if (arrowType === undefined) {
    const why = `its elements are of class ${type.class}, for which Arrow has no type`;
    throw unsupported(`Reading dataset "${dataset.name}"`, why, "read it with daos-ts/hdf5");
  }
  const name = AS_IS.find((known) => known === (dataset.dtype as unknown)) as NumericTypeName;
  const isLinear = stored.header.storage === "linear" && name !== undefined;
  return {
    ...{ view, oid: stored.oid, shape, arrowType, itemSize: stored.itemSize },
    linear: isLinear ? { type: numericType(name), offset: 0 } : undefined,
    boxes: async () => {
      const chunks = stored.header.storage === "chunks" ? await dataset.chunkInfos() : undefined;
      return chunks?.map(({ start }) => ({
        origin: start,
        shape: start.map((at, dimension) => {
          const extent = (dataset.chunks as readonly number[])[dimension] as number;
          return Math.min(extent, (shape[dimension] as number) - at);
        }),
      }));
    },
    read: async ({ origin, shape: extents }) => {
      const selection = origin.map((at, dimension) => {
        return slice(at, at + (extents[dimension] as number));
      });
      const { data } = await dataset.read(selection);
      return columnOf(type, data as Elements, countOf(extents));
    },
    close: async () => {
      await file.close();
      view.close();
    },
  };
}

async function openDataset(
  container: Container,
  view: ContainerView,
  { path, dataset: name }: Extract<ArrayName, { dataset: string }>,
): Promise<ArraySource> {
  const file = await File.open(container, path, "r", { epoch: view.epoch });
  try {
    const dataset = await file.get(name);
    const what = `Reading dataset "${name}" of "${path}"`;
    if (dataset === undefined) {
      const remedy = "correct its path, or read another version";
      throw new DaosError("DER_NONEXIST", { what, why: "there is none", remedy }, { path, name });
    }
    if (!(dataset instanceof Dataset) || dataset.isNull) {
      throw invalid(what, "it is no dataset with elements", "name one");
    }
    return datasetSource(view, file, dataset);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Opens an array at a version. Whoever opened it closes it.
 *
 * @throws `DaosError` `DER_NONEXIST`, `DER_INVAL`, `DER_NOSYS`, `DER_EPOCH_GONE`. Nothing stays open then.
 */
export async function openArray(
  container: Container,
  name: ArrayName,
  version: Version | undefined,
): Promise<ArraySource> {
  const view = container.view(version);
  try {
    if ("dataset" in name) return await openDataset(container, view, name);
    return openBytes(view, name);
  } catch (error) {
    view.close();
    throw error;
  }
}
