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

export type { AttributeValue } from "./attribute-values.js";
export { Attributes } from "./attributes.js";
export {
  type CompareOptions,
  compareSources,
  type SourceDifference,
} from "./compare/compare-sources.js";
export { walkObjects } from "./compare/source-paths.js";
export { Dataset, type NdArray } from "./dataset.js";
export * from "./datatype/datatype.js";
export * from "./description.js";
export type { DType, ScalarOf, TypedArrayOf } from "./dtype.js";
export { File, type FileMode, isHdf5 } from "./file.js";
export {
  type Filter,
  type FilterContext,
  type FilteredDataset,
  localFilters,
  registerFilter,
} from "./filters/index.js";
export { type DatasetOptions, Group } from "./group.js";
export { type H5FileOptions, openH5File } from "./h5-file/h5-file.js";
export { type WriteH5Options, writeH5 } from "./h5-writer/h5-writer.js";
export type { WriteH5Report, WriteNote } from "./h5-writer/write-report.js";
export { type ImportOptions, importH5 } from "./import/import-h5.js";
export type { ImportNote, ImportReport } from "./import/import-report.js";
export { type DimensionSelection, type Selection, type Slice, slice } from "./selection.js";
export { storeSource } from "./store-source.js";
