/**
 * HDF5-like front end: files of groups, datasets and attributes, atomic and versioned, after h5py.
 *
 * @example
 * ```ts
 * import { Pool } from "daos-ts";
 * import { File, slice } from "daos-ts/hdf5";
 *
 * using pool = Pool.connect("/scratch/run.pool");
 * const container = pool.openContainer("results");
 * await using file = await File.open(container, "results.h5", "a");
 * const u = await file.createDataset("fields/u", { shape: [100, 100], dtype: "float64" });
 * await u.write(1, [slice(40, 60), slice(0, 100, 2)]);
 * await u.attrs.set("unit", "mol/l");
 * const epoch = await file.flush(); // all of it is visible, at this epoch
 * ```
 *
 * @module
 */

export { Attributes } from "./attributes.js";
export { Dataset, type NdArray } from "./dataset.js";
export type { DType, ScalarOf, TypedArrayOf } from "./dtype.js";
export { File, type FileMode, isHdf5 } from "./file.js";
export { type DatasetOptions, Group } from "./group.js";
export type { AttributeValue } from "./object-format.js";
export { type DimensionSelection, type Selection, type Slice, slice } from "./selection.js";
