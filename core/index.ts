/**
 * daos-ts: a transactional, versioned object store, and the core of its MPI-IO, HDF5-like and Arrow
 * front ends.
 *
 * @example
 * ```ts
 * import { ObjectType, Pattern, Pool, wholeOf } from "daos-ts";
 *
 * using pool = Pool.create({ path: "/tmp/example.pool" });
 * const container = pool.createContainer("results");
 * const oid = container.allocateOid(ObjectType.arrayByte);
 * const bytes = Buffer.from("hello");
 * const range = wholeOf(Pattern.contiguous(0, bytes.length));
 * const { epoch } = container.update((tx) => tx.write(oid, range, bytes, 0n));
 * using view = container.view(epoch);
 * Buffer.from(view.readBytes(oid, 0, 5)).toString(); // "hello"
 * ```
 *
 * @module
 */

export {
  type Acl,
  type AclEntry,
  formatAcl,
  formatAclEntry,
  parseAcl,
} from "./access/acl-format.js";
export { currentIdentity, type Identity, type KnownIdentity } from "./access/identity.js";
export { crc32c } from "./device/crc32c.js";
export type { Device, DeviceFile, DeviceSpace, LockKind, OpenMode } from "./device/device.js";
export { NodeDevice } from "./device/node-device.js";
export {
  type DataRange,
  dataRanges,
  listXattrs,
  removeXattr,
  setTimes,
  setXattr,
} from "./device/real-files.js";
export { SharedCounter } from "./device/shared-counter.js";
export {
  DaosError,
  type DaosErrorCode,
  ERROR_NUMBERS,
  type ErrorFacts,
  type ErrorText,
  isDaosError,
} from "./errors.js";
export { ByteReader, ByteWriter } from "./index/byte-codec.js";
export { OFFSET_MAX, PATTERN_LEVELS_MAX } from "./limits.js";
export type { RecoveryReport } from "./log/segment-store.js";
export type { WriterRecord } from "./log/writer-record.js";
export type {
  AggregationEvent,
  CommitEvent,
  FailureEvent,
  RecoverEvent,
} from "./metrics/events.js";
export { processMetrics } from "./metrics/process-metrics.js";
export { formatPrometheus, PROMETHEUS_CONTENT_TYPE } from "./metrics/prometheus.js";
export {
  Counter,
  Histogram,
  type HistogramFamily,
  type HistogramSample,
  type MetricFacts,
  type MetricFamily,
  type MetricLabels,
  type MetricOptions,
  MetricRegistry,
  type MetricSample,
  type NumberFamily,
} from "./metrics/registry.js";
export * from "./object/index.js";
export { Administered } from "./pool/administered.js";
export { BackgroundAggregation, type BackgroundOptions } from "./pool/background-aggregation.js";
export { commitCollectively, newestEpochOfAll } from "./pool/collective-commit.js";
export { CollectiveTransaction } from "./pool/collective-transaction.js";
export { Container, type OidSpan } from "./pool/container.js";
export { ContainerHandle } from "./pool/container-handle.js";
export type { ContainerInfo } from "./pool/container-info.js";
export { ContainerTransaction, type TransactionScope } from "./pool/container-transaction.js";
export {
  ContainerVersions,
  type NamedVersion,
  type TimedVersion,
  type Version,
} from "./pool/container-versions.js";
export {
  ObjectTable,
  type TableEntry,
  type TableOptions,
  type TablePart,
} from "./pool/object-table.js";
export {
  type AdministeredCreateOptions,
  type ContainerCreateOptions,
  type ContainerListing,
  type ContainerOpenOptions,
  isPoolDirectory,
  Pool,
  type PoolConnectOptions,
  type PoolCreateOptions,
  type PoolDestroyOptions,
  type PoolInfo,
} from "./pool/pool.js";
export { isBeingDestroyed, type PoolDestroyed } from "./pool/pool-destruction.js";
export type { PoolSize } from "./pool/pool-size.js";
export type { PoolUpgraded, PoolUpgradeOptions } from "./pool/pool-upgrade.js";
export { PROPERTIES_ACTING, type Properties, type PropertyValue } from "./pool/properties.js";
export {
  agree,
  attempt,
  type NodeRanks,
  onRoot,
  type RankGroup,
  requireOneNode,
} from "./pool/rank-group.js";
export type { FoundRecords } from "./pool/record-arrays.js";
export type { RunOptions, TransactionResult } from "./pool/run-transaction.js";
export type { Durability } from "./pool/superblock-format.js";
export { ContainerView } from "./pool/view.js";
export {
  CommitWatch,
  type WaitOptions,
  type WatchedCommit,
  type WatchOptions,
} from "./pool/watch.js";
export type { AggregationOptions, AggregationReport } from "./vos/aggregation.js";
export type { Anchor } from "./vos/anchor.js";
export type { MappedFragment } from "./vos/array-reader.js";
export type { Committed } from "./vos/commit.js";
export type { CommitRecord } from "./vos/containers.js";
export type { KeyCondition, ValueChange } from "./vos/contribution-format.js";
export type { OffsetRange } from "./vos/damage.js";
export type {
  AkeyChange,
  BytesChange,
  ChangeKind,
  ContainerChange,
  DiffOptions,
  DkeyChange,
  ObjectChange,
  RecordsChange,
} from "./vos/diff.js";
export { type Epoch, epochOfTime, timeOfEpoch } from "./vos/epoch.js";
export type { Moment } from "./vos/epoch-at-time.js";
export type { IndexDamage } from "./vos/index-scrub.js";
export type { DkeyEntry, KeyList, ListOptions } from "./vos/key-view.js";
export { integerKey, integerOfKey } from "./vos/names.js";
export {
  type ClassHints,
  chooseObjectClass,
  formatObjectClass,
  ObjectClass,
  parseObjectClass,
} from "./vos/object-class.js";
export {
  formatOid,
  makeObjectId,
  type ObjectId,
  ObjectType,
  objectClassOf,
} from "./vos/object-id.js";
export {
  Pattern,
  type PatternLevel,
  type PatternRange,
  type PatternShape,
  wholeOf,
} from "./vos/pattern.js";
export type {
  AkeyFetch,
  AkeyFetched,
  AkeyUpdate,
  Bytes,
  ExactRange,
  RecordRange,
} from "./vos/records.js";
export type { Retention } from "./vos/retention.js";
export type { RolledBack } from "./vos/rollback.js";
export type { Damage, ScrubReport } from "./vos/scrub.js";
export type { SnapshotRecord } from "./vos/snapshots.js";
export { Transaction } from "./vos/transaction.js";
export type { SegmentCounts, TargetUsage, TierLimits, TierUsage } from "./vos/usage.js";
export type { ValueListOptions } from "./vos/value-list.js";
