/**
 * What this process counts, of all pools that it has open. docs/guides/metrics.md has the table.
 *
 * @module
 */

import { MetricRegistry } from "./registry.js";

/** The metrics of this process. Add your own to have them in the same text. */
export const processMetrics: MetricRegistry = new MetricRegistry();

/** From 5 us to 10 s: a commit to memory takes tens of microseconds, to a disk milliseconds. */
const SECONDS = [
  5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 10,
];

const counter = (name: string, help: string, labels = {}) =>
  processMetrics.counter({ name: `daos_${name}`, help, labels });
const FAILURES = "Commits that failed, by reason; nothing of them is visible.";
const LOADS = "Looks into the cache of array layers: hit, extended by newer commits, or miss.";

/** The counters and histograms that the store itself adds to. */
export const metrics = {
  views: counter("views_total", "Views and transactions that pinned a version."),
  reads: counter("reads_total", "Reads of byte arrays."),
  readBytes: counter("read_bytes_total", "Bytes asked for by reads of byte arrays."),
  fetches: counter("fetches_total", "Akeys fetched, and single values read."),
  writtenBytes: counter("written_bytes_total", "Bytes of arrays and long values appended to logs."),
  commits: counter("commits_total", "Transactions that were committed."),
  committedBytes: counter("committed_bytes_total", "Bytes of logs that commits published."),
  restarts: counter("commit_failures_total", FAILURES, { reason: "restart" }),
  refused: counter("commit_failures_total", FAILURES, { reason: "condition" }),
  failures: counter("commit_failures_total", FAILURES, { reason: "other" }),
  cacheHits: counter("array_cache_loads_total", LOADS, { result: "hit" }),
  cacheExtensions: counter("array_cache_loads_total", LOADS, { result: "extended" }),
  cacheMisses: counter("array_cache_loads_total", LOADS, { result: "miss" }),
  segmentOpens: counter("segment_opens_total", "Segments opened for reading."),
  aggregationSteps: counter("aggregation_steps_total", "Steps of aggregation."),
  aggregatedRuns: counter("aggregation_runs_total", "Runs that aggregation removed."),
  aggregatedValues: counter(
    "aggregation_values_total",
    "Versions of keys that aggregation removed.",
  ),
  aggregatedBytes: counter("aggregation_freed_bytes_total", "Bytes that aggregation freed."),
  copiedBytes: counter("aggregation_copied_bytes_total", "Bytes that aggregation moved."),
  recoveries: counter("recoveries_total", "Times that what dead writers left was looked for."),
  checksumErrors: counter("checksum_errors_total", "Blocks of segments found damaged by reads."),
  noSpace: counter("no_space_total", "Writes that were refused for want of space."),
  commitSeconds: processMetrics.histogram(
    { name: "daos_commit_duration_seconds", help: "Time of commits, without flushes." },
    SECONDS,
  ),
  flushSeconds: processMetrics.histogram(
    { name: "daos_flush_duration_seconds", help: "Time of flushes of a log before a commit." },
    SECONDS,
  ),
} as const;
