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

export type {
  AttributeContent,
  AttributeOptions,
  AttributeValue,
  ScalarValue,
} from "./attributes/attribute-values.js";
export { Attributes } from "./attributes/attributes.js";
export { CommittedType } from "./committed-type.js";
export {
  type CompareOptions,
  compareSources,
  type SourceDifference,
} from "./compare/compare-sources.js";
export { walkObjects } from "./compare/source-paths.js";
export type { ChunkInfo } from "./dataset/chunks.js";
export type { DatasetOptions, StorageOptions } from "./dataset/creation.js";
export { type AccessOptions, Dataset, type NestedList, type Writable } from "./dataset/dataset.js";
export { DatasetFacts } from "./dataset/dataset-facts.js";
export { Dimension } from "./dataset/dimensions.js";
export type { CompressionName } from "./dataset/filter-facts.js";
export type { FilterOptions } from "./dataset/filter-options.js";
export { AsBytes, AsFields, AsType } from "./dataset/views.js";
export { VirtualLayout, type VirtualOptions, VirtualSource } from "./dataset/virtual.js";
export * from "./datatype/constructors.js";
export * from "./datatype/datatype.js";
export type {
  DType,
  DTypeName,
  NumberArray,
  NumericName,
  TypedArrayOf,
} from "./datatype/names.js";
export { BOOL, complexPartOf, complexType, isBool } from "./datatype/usual-types.js";
export * from "./description.js";
export { File, type FileMode, type FileOptions, type FoundRegion, isHdf5 } from "./file.js";
export {
  type Filter,
  type FilterContext,
  type FilteredDataset,
  localFilters,
  registerFilter,
} from "./filters/index.js";
export type { CopyGroupOptions } from "./group/copying.js";
export { Group, type GroupOptions, type Hdf5Object } from "./group/group.js";
export {
  ExternalLink,
  HardLink,
  type Link,
  SoftLink,
  UserLink,
} from "./group/link-classes.js";
export type { RequireOptions } from "./group/require.js";
export { type H5FileOptions, openH5File } from "./h5-file/h5-file.js";
export { type WriteH5Options, writeH5 } from "./h5-writer/h5-writer.js";
export type { WriteH5Report, WriteNote } from "./h5-writer/write-report.js";
export { type ImportOptions, importH5 } from "./import/import-h5.js";
export type { ImportNote, ImportReport } from "./import/import-report.js";
export type { ParallelGroup } from "./parallel/rank-changes.js";
export {
  type DimensionSelection,
  ELLIPSIS,
  Mask,
  MultiBlock,
  mask,
  multiBlock,
  Points,
  points,
  type Selection,
  type Slice,
  slice,
} from "./selection/selection.js";
export { storeSource } from "./store-source.js";
export { type DecodeOptions, decodeElements } from "./values/decode.js";
export type {
  Columns,
  Elements,
  ElementsOf,
  NdArray,
  ScalarOf,
  Shaped,
} from "./values/elements.js";
export { Empty } from "./values/infer.js";
export { Reference, RegionReference } from "./values/references.js";
