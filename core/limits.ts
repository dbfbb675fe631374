/**
 * Every limit of the store, unit last. Relations between limits are asserted at the end.
 *
 * @module
 */

import { assert } from "./errors.js";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Version of the on-disk format; see docs/internals/disk-format.md. */
export const FORMAT_VERSION = 1;

/** Bytes covered by one checksum of a segment. */
export const CHECKSUM_BLOCK_SIZE = 32 * KIB;
/** Least that a write shares its checksums with another core for, in bytes. */
export const CHECKSUM_SHARED_SIZE_MIN = 512 * KIB;
/** Largest segment file, header and checksum table included, in bytes. */
export const SEGMENT_SIZE_MAX = 256 * MIB;
/** Where the data of a segment file starts, in bytes; before it lie the header and the checksums. */
export const SEGMENT_DATA_OFFSET = 64 * KIB;
/** Most data bytes in one segment. */
export const SEGMENT_DATA_SIZE_MAX = SEGMENT_SIZE_MAX - SEGMENT_DATA_OFFSET;
/** First step in which a segment file is allocated, in bytes; each next one doubles. */
export const SEGMENT_GROWTH_SIZE_MIN = 1 * MIB;
/** Largest step in which a segment file is allocated, in bytes. */
export const SEGMENT_GROWTH_SIZE_MAX = 64 * MIB;
/** Free segments kept for recycling, per pool; more are deleted. */
export const FREE_SEGMENTS_MAX = 16;
/** Segment maps that one process keeps open. */
export const SEGMENT_READERS_MAX = 256;

/** Bytes that are kept whole begin at a multiple of this in their segment: what Arrow asks of buffers. */
export const WHOLE_ALIGNMENT = 64;
/** Appends smaller than this are gathered in the staging buffer, in bytes. */
export const STAGED_APPEND_SIZE_MAX = 64 * KIB;
/** Staging buffer of a writer, in bytes. */
export const STAGING_SIZE = 4 * MIB;

/** Longest dkey or akey, in bytes. */
export const KEY_SIZE_MAX = 64 * KIB;
/** Largest record of an array under a key, in bytes. */
export const RECORD_SIZE_MAX = 1024 * MIB;
/** Largest single value, in bytes: one buffer holds it, and a copy of it beside it. */
export const VALUE_SIZE_MAX = 1024 * MIB;
/** Largest single value that lies in the index, in bytes; the bytes of larger ones go to the log. */
export const VALUE_INDEX_SIZE_MAX = 4 * KIB;
/** Values after which an iterator takes no more from the index at once, in bytes. */
export const LIST_BATCH_SIZE = 4 * MIB;
/** Longest pool or container label, in bytes. */
export const LABEL_SIZE_MAX = 127;
/** Longest name of a user attribute, in bytes. */
export const ATTRIBUTE_NAME_SIZE_MAX = 511;
/** Largest user attribute, in bytes. */
export const ATTRIBUTE_SIZE_MAX = 1 * MIB;
/** User attributes of one pool or container. */
export const ATTRIBUTES_MAX = 4096;
/** Largest access control list, in bytes of its text. */
export const ACL_SIZE_MAX = 64 * KIB;
/** Longest name of a user or group, in bytes. */
export const PRINCIPAL_SIZE_MAX = 255;
/** Numbers that one registry of metrics holds. */
export const METRIC_SLOTS_MAX = 4096;
/** Handles that can be counted at once, per pool and per container. */
export const HANDLE_SLOTS_MAX = 1 << 20;
/** Times that a handle looks for a slot of its own. */
export const HANDLE_SLOT_ATTEMPTS_MAX = 64;
/** Object ids that a handle draws at first; each next time four times as many. */
export const OID_RANGE_COUNT_MIN = 64;
/** Object ids that a handle draws at once, at most. */
export const OID_RANGE_COUNT_MAX = 4096;
/** Object ids that a caller can ask for at once. */
export const OID_REQUEST_COUNT_MAX = 2 ** 32;
/** Longest path below a container, in bytes. */
export const PATH_SIZE_MAX = 4096;
/** One past the last byte of an array. */
export const OFFSET_MAX = Number.MAX_SAFE_INTEGER;
/** Most nesting levels of a regular pattern. */
export const PATTERN_LEVELS_MAX = 32;
/** Fragments of so many bytes are verified and copied in one pass; smaller ones are copied in batches. */
export const READ_WHOLE_SIZE_MIN = CHECKSUM_BLOCK_SIZE;
/** Blocks of a query that are resolved at once. */
export const RESOLVE_BATCH_COUNT = 4096;
/** Sums that are tried to prove that two patterns share no offset. */
export const PATTERN_OVERLAP_STEPS_MAX = 256;
/** Entries of a solid map that are looked at to prove that a layer lies open. */
export const OPEN_LAYER_ENTRIES_MAX = 256;
/** Newest layers of an array that are walked one by one before they are put into its index. */
export const LAYERS_RECENT_MAX = 256;
/** Layers of an array that are read at first and not put into its index. */
export const LAYERS_UNINDEXED_MAX = 8;
/** Objects whose punches a view remembers. */
export const OBJECT_STATES_CACHED_MAX = 4096;
/** Arrays whose readers a view remembers. */
export const ARRAY_READERS_CACHED_MAX = 1024;
/** Layers that an array counts for, however few it has, among those that a process remembers. */
export const ARRAY_CACHED_COST = 256;
/** Layers of arrays that a process remembers from one epoch to the next. */
export const LAYERS_CACHED_MAX = 1 << 20;

/** Address space reserved for the index, in bytes; the file grows as it is used. */
export const INDEX_MAP_SIZE = 128 * 1024 * MIB;
/** Largest index file that is read whole and checked when it is opened, in bytes. */
export const INDEX_CHECK_SIZE_MAX = 256 * MIB;
/** Times that a user who may only read reads again what writers have overtaken. */
export const UNGUARDED_READS_MAX = 64;
/** Processes and workers that can read the index at once. */
export const INDEX_READERS_MAX = 4096;
/**
 * Space that a tier keeps back, at most, in bytes: DAOS's five regions of 8 MiB. Ordinary writes leave
 * it alone, removals leave half of it, aggregation and recovery may use all.
 */
export const RESERVE_SIZE_MAX = 5 * 8 * MIB;
/** Of the segments' tier, one part in this many is kept back, up to the above. */
export const NVME_RESERVE_SHARE = 16;
/** Least space that the segments' tier keeps back, in bytes: one segment of the smallest pool. */
export const NVME_RESERVE_SIZE_MIN = 256 * KIB;
/** Of the index's tree, and at most of its limit, one page in this many is kept back, up to the above. */
export const INDEX_RESERVE_SHARE = 8;
/** Pages that one step of aggregation changes at most, if its entries lie far apart. */
export const INDEX_STEP_PAGES_MAX = 512;
/** Least space that the index keeps back, in bytes: the pages that a few removals change. */
export const INDEX_RESERVE_SIZE_MIN = 256 * KIB;
/** First step in which the index file is allocated ahead of its use, in bytes. */
export const INDEX_GROWTH_SIZE_MIN = 128 * KIB;
/** Largest step in which the index file is allocated ahead of its use, in bytes. */
export const INDEX_GROWTH_SIZE_MAX = 8 * MIB;
/** Smallest limit of the tier of the index, in bytes. */
export const SCM_SIZE_MIN = 2 * MIB;
/** What of the limit of the index's tier is for its other files (pins, reader table), in bytes. */
export const SCM_FIXED_SIZE = 384 * KIB;
/** Smallest limit of the tier of the segments, in bytes. */
export const NVME_SIZE_MIN = 2 * MIB;
/** Of a pool's limit that is one number, the index's tier gets one part in this many. */
export const SCM_SIZE_SHARE = 8;
/** A limited tier is divided into at least so many segments, so that space comes back in small parts. */
export const LIMITED_SEGMENTS_MIN = 16;
/** Data of a segment is never limited to less than this, in bytes. */
export const SEGMENT_LIMITED_SIZE_MIN = 128 * KIB;
/** Part of what is left of a tier that one growth step of a segment takes, so that others get some. */
export const NVME_GROWTH_SHARE = 8;
/** Space is given to segments in multiples of this, in bytes: a block of a file system. */
export const SPACE_UNIT_SIZE = 4 * KIB;

/** Index entries that aggregation removes in one transaction. */
export const AGGREGATION_STEP_COUNT = 512;
/** Versions of keys that aggregation looks at in one transaction. */
export const AGGREGATION_SCAN_COUNT = 4096;
/** Bytes of runs after which a transaction of aggregation removes no more. */
export const AGGREGATION_STEP_SIZE = 1 * MIB;
/** Time after which a step of aggregation ends by default, in milliseconds. */
export const AGGREGATION_STEP_MS_DEFAULT = 10;
/** Pause between two passes of aggregation in the background by default, in milliseconds. */
export const AGGREGATION_INTERVAL_MS_DEFAULT = 1000;
/** Longest such pause: the longest that a timer can wait, in milliseconds. */
export const AGGREGATION_INTERVAL_MS_MAX = 2 ** 31 - 1;
/** Share of the time that aggregation in the background takes by default. */
export const AGGREGATION_SHARE_DEFAULT = 0.1;
/** Blocks that aggregation compares before it leaves a run as it is. */
export const AGGREGATION_BLOCKS_MAX = 1 << 20;
/** Visible parts of one piece above which aggregation leaves its run as it is. */
export const AGGREGATION_PARTS_MAX = 4096;
/** Times that an array is looked at again after it was changed, until nothing is left to do. */
export const AGGREGATION_ROUNDS_MAX = 8;
/** Pieces of a merged run, each counted once and once more for each level of its pattern. */
export const MERGED_RUN_WEIGHT_MAX = 1024;
/** Largest encoding of a merged run, in bytes. */
export const MERGED_RUN_SIZE_MAX = 64 * KIB;
/** Aligned array range that is copied as a whole when it is fragmented, in bytes. */
export const COMPACTION_WINDOW_SIZE = 1 * MIB;
/** Fragments of such a range that are left alone. */
export const COMPACTION_FRAGMENTS_MAX = 16;
/** Data that aggregation copies before it commits, in bytes. */
export const COMPACTION_STEP_SIZE = 8 * MIB;
/** Data that is copied with one read and one append, in bytes. */
export const COMPACTION_COPY_SIZE = 1 * MIB;
/** Dead data below which a segment is left as it is, in bytes. */
export const COMPACTION_DEAD_SIZE_MIN = 1 * MIB;
/** Bytes that one step of a scrub reads by default. */
export const SCRUB_STEP_SIZE_DEFAULT = 16 * MIB;
/** Runs that a scrub takes from the index at once. */
export const SCRUB_BATCH_COUNT = 256;
/** Bytes of runs after which a scrub takes no more from the index. */
export const SCRUB_BATCH_SIZE = 1 * MIB;
/** Segments that a scrub keeps open within a step. */
export const SCRUB_FILES_MAX = 64;
/** Ranges of a piece within one damaged block that are reported one by one. */
export const SCRUB_BLOCK_RANGES_MAX = 1024;
/** Damaged ranges that the report of a whole scrub holds. */
export const SCRUB_DAMAGES_MAX = 65_536;
/** Epochs that readers can pin at once, per pool. */
export const PIN_SLOTS_MAX = 4096;
/** Commits kept by default. */
export const RETAIN_COMMITS_DEFAULT = 2;
/** Most commits that a container may retain. */
export const RETAIN_COMMITS_MAX = 1_000_000;
/** Longest time for which a container may retain its versions, in seconds: 100 years. */
export const RETAIN_SECONDS_MAX = 100 * 366 * 86_400;
/** Commits that a watch takes from the index at once. */
export const WATCH_BATCH_COUNT = 256;
/** Least time between two looks of a watch at the index, in milliseconds. */
export const WATCH_LOOK_MS_MIN = 2;
/** First pause of a watch that hears of nothing, where the system tells of changes, in milliseconds. */
export const WATCH_IDLE_MS_MIN = 1000;
/** Longest such pause, in milliseconds. */
export const WATCH_IDLE_MS_MAX = 8000;
/** First pause where the system tells of nothing, in milliseconds; each fruitless one doubles it. */
export const WATCH_POLL_MS_MIN = 5;
/** Longest such pause, in milliseconds. */
export const WATCH_POLL_MS_MAX = 1000;
/** Changed keys that a comparison of two versions holds in memory; with more, it looks at all keys. */
export const DIFF_KEYS_MAX = 1 << 17;
/** Keys that it lists at once. */
export const DIFF_LIST_COUNT = 256;
/** Least part of an array that it looks at at once, in bytes. */
export const DIFF_PART_SIZE_MIN = 64 * KIB;
/** Fragments of a larger part above which it takes a smaller one. */
export const DIFF_FRAGMENTS_MAX = 4096;
/** Bytes of an array that it compares at once. */
export const DIFF_COMPARE_SIZE = 1 * MIB;
/** Named snapshots of one container. */
export const SNAPSHOTS_MAX = 4096;
/** Longest name of a snapshot, in bytes. */
export const SNAPSHOT_NAME_SIZE_MAX = 127;
/** Largest mark of an object of a snapshot, in bytes. */
export const OBJECT_MARK_SIZE_MAX = 32;
/** Marks that one call changes, at most: they are one transaction. */
export const OBJECT_MARKS_MAX = 65_536;
/** Objects that one call lists or looks at for a filtered list, at most. */
export const OBJECT_TABLE_SCAN_COUNT_MAX = 65_536;
/** Keys, or ranges of records, that an iterator takes from the index at once. */
export const LIST_BATCH_COUNT = 1024;
/** Cells of a chunk of an array by default, in bytes: what DAOS gives a file. */
export const ARRAY_CHUNK_SIZE_DEFAULT = 1 * MIB;
/** Parts that a list of keys is split into. */
export const LIST_PARTS_MAX = 65_536;
/** Times that opening a view looks up an epoch again that aggregation passed meanwhile. */
export const VIEW_RETRIES_MAX = 8;
/** Reads that a transaction remembers one by one; beyond, by object, and then by container. */
export const READS_MAX = 16_384;
/** Keys that commits changed since a transaction began, which its commit looks through at most. */
export const READ_CHANGES_MAX = 65_536;
/** Times that a transaction is tried by default before its conflict is reported. */
export const TRANSACTION_ATTEMPTS_DEFAULT = 16;
/** Most times that a transaction may be tried. */
export const TRANSACTION_ATTEMPTS_MAX = 1_000_000;
/** Longest pause before a transaction is tried for the second time, in milliseconds; it doubles. */
export const TRANSACTION_BACKOFF_MS_MIN = 0.25;
/** Longest pause before a transaction is tried again, in milliseconds. */
export const TRANSACTION_BACKOFF_MS_MAX = 64;
/** Times that a read is resolved again because segments moved under it. */
export const RESOLVE_RETRIES_MAX = 8;

assert(SEGMENT_DATA_OFFSET % CHECKSUM_BLOCK_SIZE === 0, "segment data starts on a checksum block");
assert(
  4 * KIB + (SEGMENT_DATA_SIZE_MAX / CHECKSUM_BLOCK_SIZE) * 4 <= SEGMENT_DATA_OFFSET,
  "header and checksum table fit before the data",
);
assert(
  SEGMENT_DATA_OFFSET % WHOLE_ALIGNMENT === 0,
  "what is aligned in a segment is so in its map",
);
assert(SEGMENT_DATA_SIZE_MAX % SPACE_UNIT_SIZE === 0, "a full segment is whole units of space");
assert(SEGMENT_LIMITED_SIZE_MIN >= CHECKSUM_BLOCK_SIZE, "a leased segment has room for a block");
assert(SCM_SIZE_MIN > SCM_FIXED_SIZE + 2 * INDEX_RESERVE_SIZE_MIN, "the least index has room");
assert(
  SEGMENT_LIMITED_SIZE_MIN + SEGMENT_DATA_OFFSET <= NVME_RESERVE_SIZE_MIN,
  "the reserve of the smallest pool holds a segment",
);
assert(STAGED_APPEND_SIZE_MAX <= STAGING_SIZE, "a staged append fits the staging buffer");
assert(VALUE_SIZE_MAX < 2 ** 32, "one buffer holds a single value");
assert(
  COMPACTION_WINDOW_SIZE <= COMPACTION_STEP_SIZE,
  "a range that is copied as a whole fits a transaction",
);
