/**
 * Calls that our API answers otherwise than h5py, each with its reason: `replay-h5py.test.ts` fails for a call that
 * is not listed, and for one that is listed and agrees. What is not listed and cannot be expressed fails too.
 *
 * @module
 */

/** Calls that differ for one reason. */
export interface KnownDisagreement {
  readonly reason: string;
  /** Of h5py's test, the number of the call in it, and its name. */
  readonly calls: readonly string[];
}

/** What is known of the tests of a version of h5py. */
export interface KnownVersion {
  readonly disagreements: readonly KnownDisagreement[];
  /** Why calls have no counterpart. */
  readonly inexpressible: readonly string[];
}

/** In the tests of all versions. */
const COMMON: readonly KnownDisagreement[] = [
  {
    reason:
      "The test takes away h5py's list of legacy gzip levels, private to it. Without that, h5py too takes 1 for a level, which may not be given twice.",
    calls: [
      "test_dataset.TestCreateCompressionNumber.test_compression_number 1 Group.create_dataset",
      "test_dataset.TestCreateCompressionNumber.test_compression_number 2 Dataset.compression",
      "test_dataset.TestCreateCompressionNumber.test_compression_number 3 Dataset.compression_opts",
      "test_dataset.TestCreateCompressionNumber.test_compression_number_invalid 3 Group.create_dataset",
    ],
  },
  {
    reason:
      "Strings that are no ASCII are refused for text marked as ASCII; ours takes them. Many files hold UTF-8 in such text; it is read as strings, which must be writable again.",
    calls: ["test_dataset.TestStrings.test_unicode_write_error 2 Dataset.__setitem__"],
  },
  {
    reason:
      "Mode w replaces any file; ours only HDF5 files. A container also holds other files, which a mistyped path must not remove.",
    calls: [
      "test_file.TestPathlibSupport.test_pathlib_accepted_file 1 File.__init__",
      "test_file.TestPathlibSupport.test_pathlib_accepted_file 2 File.__exit__",
      "test_file.TestPathlibSupport.test_pathlib_name_match 1 File.__init__",
      "test_file.TestPathlibSupport.test_pathlib_name_match 2 File.filename",
      "test_file.TestPathlibSupport.test_pathlib_name_match 3 File.__exit__",
      "test_file.TestPathlibSupport.test_pathlib_name_match 4 File.__init__",
      "test_file.TestPathlibSupport.test_pathlib_name_match 5 File.filename",
      "test_file.TestPathlibSupport.test_pathlib_name_match 6 File.__exit__",
    ],
  },
];

const CLOSED =
  "Of a closed file, h5py says that it has no member; ours refuses, as all calls of a closed file.";

/** In the tests of Debian's version. */
const DEBIAN: readonly KnownDisagreement[] = [
  {
    reason: CLOSED,
    calls: [
      "test_group.TestContains.test_exc 3 Group.__contains__",
      "test_group.TestContains.test_exc 4 Group.__contains__",
    ],
  },
  {
    reason:
      "In a context of astype(), the dataset itself was read as another type, which h5py has given up since.",
    calls: ["test_dataset.TestAstype.test_astype_ctx 4 Dataset.__getitem__"],
  },
];

/** In the tests of PyPI's version. */
const PYPI: readonly KnownDisagreement[] = [
  {
    reason: CLOSED,
    calls: [
      "test_group.TestContains.test_closed 6 Group.__contains__",
      "test_group.TestContains.test_closed 7 Group.__contains__",
    ],
  },
  {
    reason:
      "Elements that were never written, of a dataset that is never filled: HDF5 does not say what they show. Ours shows the fill value.",
    calls: [
      "test_dataset.TestFillTime.test_fill_time_never 2 Dataset.__getitem__",
      "test_dataset.TestFillTime.test_fill_time_never 3 Dataset.__getitem__",
      "test_dataset.TestFillTime.test_resize_chunk_fill_time_never 2 Dataset.__getitem__",
      "test_dataset.TestFillTime.test_resize_chunk_fill_time_never 4 Dataset.__getitem__",
    ],
  },
  {
    reason: "HDF5 cuts off text that does not fit; ours refuses it, and loses nothing in silence.",
    calls: [
      "test_npystrings.test_fixed_to_variable_width_too_short 3 Dataset.__setitem__",
      "test_npystrings.test_fixed_to_variable_width_too_short 4 Dataset.__getitem__",
      "test_npystrings.test_variable_to_fixed_width 8 AsTypeView.__getitem__",
      "test_npystrings.test_variable_to_fixed_width 9 AsTypeView.__getitem__",
    ],
  },
  {
    reason: "Numbers as text are refused when the view is made; ours when it is read.",
    calls: ["test_npystrings.test_astype_nonstring 2 Dataset.astype"],
  },
];

/** Why calls of all versions have no counterpart. */
const COMMON_REASONS: readonly string[] = [
  "SWMR: readers open versions here",
  "a file that is an object of Python's",
  "a region without the only element",
  "an error of the program's own function",
  "an object of HDF5's library",
  "an object of Python's",
  "an object that has no name in its file",
  "an object without a name in its file",
  "an unlimited selection in slices",
  "backing_store: an option of HDF5's library",
  "driver: where HDF5 keeps the bytes of a file",
  "efile_prefix: where HDF5 looks for raw files",
  "equality of Python's objects for dimensions",
  "expand_refs: copies of what references lead to",
  "external: elements in raw files outside of the HDF5 file",
  "file: our objects do not lead back to their file",
  "fs_*: how HDF5 uses free space of a file",
  "get_id(): an id of HDF5's library",
  "libver: versions of HDF5's file format",
  "locking: readers and writers need no locks here",
  "other encodings than UTF-8: the program decodes what asBytes() gives",
  "page_buf_size: HDF5's buffer of pages",
  "repr(): text for Python's console",
  "shape and memory order of the program's own array",
  "text of NumPy's own type, in 32-bit units, which HDF5 has not",
  "track_times: times of objects",
  "two ways at once to say what a source is",
  "userblock_size: bytes in front of an .h5 file",
  "virtual_prefix: where HDF5 looks for sources",
];

/** Of Debian's version only. */
const DEBIAN_REASONS: readonly string[] = ["astype() as a context, which h5py has given up"];

/** Of PyPI's version only. */
const PYPI_REASONS: readonly string[] = [
  "a conversion by NumPy",
  "a datatype that is in no file",
  "a name that is no text",
  "copy=False: arrays of NumPy's that share memory",
  "elink_*: how HDF5 opens files behind external links",
  "meta_block_size: how HDF5 uses free space of a file",
  "the type that NumPy gives a view",
  "virtual_sources(): selections of HDF5's library",
];

/** By versions of h5py. */
export const KNOWN_VERSIONS: { readonly [version: string]: KnownVersion } = {
  "3.7.0": {
    disagreements: [...COMMON, ...DEBIAN],
    inexpressible: [...COMMON_REASONS, ...DEBIAN_REASONS],
  },
  "3.16.0": {
    disagreements: [...COMMON, ...PYPI],
    inexpressible: [...COMMON_REASONS, ...PYPI_REASONS],
  },
};

/** Tests of h5py's that fail when they are recorded: the recorder keeps objects alive, and root may write all files. */
export const FAILING_TESTS: readonly string[] = [
  "test_file.TestFileOpen.test_append",
  "test_file.TestFileOpen.test_append_permissions",
  "test_file2.TestDealloc.test_autoclose",
  "test_vds.test_lowlevel_vds.test_virtual_prefix",
];
