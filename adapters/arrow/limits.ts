/**
 * Limits of the Arrow front end, unit last.
 *
 * @module
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Where buffers, and the messages that hold them, begin: at multiples of this, in bytes. */
export const BUFFER_ALIGNMENT = 64;
/** Largest body that a batch is stored in, in bytes: a batch with more is cut by rows. */
export const STORED_BODY_SIZE_MAX = 64 * MIB;
/** Least rows that a batch is cut into. */
export const STORED_ROWS_MIN = 1024;
/** Largest metadata of a message that is read, in bytes. */
export const METADATA_SIZE_MAX = 16 * MIB;
/** Largest body of a message that is read, in bytes, and largest one once it is decompressed. */
export const BODY_SIZE_MAX = 1024 * MIB;
/** Most levels of nested types. */
export const NESTING_MAX = 64;
/** Most columns of a table. */
export const COLUMNS_MAX = 32_768;
/** Bytes of a text that statistics keep. */
export const STATISTIC_TEXT_SIZE_MAX = 64;
/** Parts of a table whose contents one handle remembers. */
export const PARTS_CACHED_MAX = 4096;
/** Skipped batches after which a scan lets others run. */
export const SKIPPED_BATCHES_MAX = 256;
/** Times that an append looks for its place again, where others append too. */
export const APPEND_ATTEMPTS_MAX = 10_000;
/** Nested conditions of a predicate. */
export const PREDICATE_DEPTH_MAX = 64;
/** Conditions and literals of a predicate. */
export const PREDICATE_SIZE_MAX = 65_536;
/** Rows of a batch that compaction makes. */
export const COMPACTED_ROWS = 64 * KIB;
/** Times that a compaction is tried, where others change the same parts. */
export const COMPACTION_ATTEMPTS_MAX = 8;
/** Bytes that are read of a file at once. */
export const READ_SIZE = MIB;
/** Rows of text that become a batch, and that types are inferred from. */
export const TEXT_BATCH_ROWS = 64 * KIB;
/** Characters of text that become a batch, about. */
export const TEXT_BATCH_SIZE = 32 * MIB;
/** Largest row of a text format, in characters. */
export const TEXT_ROW_SIZE_MAX = 64 * MIB;
/** Rows of a Parquet row group that is written: as many are in memory at once. */
export const ROW_GROUP_ROWS = 128 * KIB;
/** Bytes of a batch that is gathered of an array, about. */
export const ARRAY_BATCH_SIZE = 8 * MIB;
/** Bytes of an array that are mapped at once: larger fragments come as several. */
export const ARRAY_WINDOW_SIZE = 64 * MIB;
