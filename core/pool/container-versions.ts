/**
 * The versions of a container: views of them, names for them, what differs between them, news of them, and
 * which of them aggregation takes.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { AGGREGATION_STEP_MS_DEFAULT, VIEW_RETRIES_MAX } from "../limits.js";
import {
  type AggregationOptions,
  type AggregationReport,
  summedAggregation,
} from "../vos/aggregation.js";
import type { CommitRecord } from "../vos/containers.js";
import type { ContainerChange, DiffOptions } from "../vos/diff.js";
import { EPOCH_HEAD, type Epoch } from "../vos/epoch.js";
import type { Moment } from "../vos/epoch-at-time.js";
import { getProperty, POOL_SCOPE } from "../vos/metadata.js";
import type { Pin } from "../vos/pins.js";
import { checkRetention, type Retention } from "../vos/retention.js";
import type { RolledBack } from "../vos/rollback.js";
import { epochGone, noSuchSnapshot, type SnapshotRecord } from "../vos/snapshots.js";
import {
  BackgroundAggregation,
  type BackgroundOptions,
  emptyPass,
} from "./background-aggregation.js";
import { ContainerHandle } from "./container-handle.js";
import { ObjectTable } from "./object-table.js";
import { openView } from "./unpinned-view.js";
import type { ContainerView } from "./view.js";
import {
  type CommitSource,
  CommitWatch,
  checkEpoch,
  type WaitOptions,
  type WatchOptions,
  waitForCommit,
} from "./watch.js";

/** The version that a snapshot names. */
export interface NamedVersion {
  /** Name of the snapshot. */
  readonly snapshot: string;
}

/** The version that was the newest at a time. */
export interface TimedVersion {
  /** A Date, or nanoseconds since 1970-01-01 UTC. */
  readonly time: Moment;
}

/** A version of a container. */
export type Version = Epoch | NamedVersion | TimedVersion;

/** An open container, as the versions that it has. */
export abstract class ContainerVersions extends ContainerHandle {
  /**
   * Everything as of one epoch. The epoch stays readable until the view is closed.
   *
   * @param at An epoch, a named snapshot, or a time: the newest commit at or before it. The newest commit
   *   by default.
   * @throws {@link DaosError} `DER_EPOCH_GONE` if the epoch was aggregated, `DER_NONEXIST` if there is
   *   no snapshot of that name, `DER_INVAL` for a time in the future.
   */
  view(at?: Version): ContainerView {
    return openView(this.target, this.id, this.pinVersion(at));
  }

  /** Whether a view shows the newest commit, as one that is made now would. @internal */
  isNewest(view: ContainerView): boolean {
    if (!this.isOpen) this.requireOpen(`Viewing container "${this.label}"`);
    return view.isHeld && view.epoch === this.target.lastCommit(this.id);
  }

  /** Pins the version that a view, or a transaction, reads. @internal */
  protected pinVersion(at: Version | undefined): Pin {
    if (!this.isOpen) this.requireOpen(`Viewing container "${this.label}"`);
    if (typeof at === "bigint") return this.#pinned(at);
    // Between looking the epoch up and pinning it, aggregation may pass it: look again.
    for (let attempt = 0; ; attempt++) {
      const wanted = this.epochOfVersion(at);
      try {
        return this.#pinned(wanted);
      } catch (error) {
        if (attempt >= VIEW_RETRIES_MAX || this.epochOfVersion(at) === wanted) throw error;
      }
    }
  }

  #pinned(epoch: Epoch): Pin {
    return this.target.pin(this.id, epoch);
  }

  /** The epoch of a version; of the newest commit if there is none. @internal */
  protected epochOfVersion(at: Version | undefined): Epoch {
    if (at === undefined) return this.target.lastCommit(this.id);
    if (typeof at === "bigint") return at;
    if ("time" in at) return this.epochAt(at.time);
    const found = this.target.findSnapshot(this.id, at.snapshot);
    if (found !== undefined) return found.epoch;
    const what = `Opening snapshot ${JSON.stringify(at.snapshot)} of container "${this.label}"`;
    throw noSuchSnapshot(what, at.snapshot);
  }

  /**
   * The newest commit at or before a moment of wall-clock time, by the clock of the node that committed;
   * 0 before the first one.
   *
   * @param time A Date, which counts whole milliseconds, or nanoseconds since 1970-01-01 UTC.
   * @throws {@link DaosError} `DER_EPOCH_GONE` if what was seen then was aggregated, `DER_INVAL` for a time
   *   in the future: what it shows is not decided yet.
   */
  epochAt(time: Moment): Epoch {
    return this.target.epochAt(this.id, time);
  }

  /** What of its history the container keeps readable. */
  get retention(): Retention {
    return this.target.retention(this.id);
  }

  /**
   * Changes what of its history the container keeps readable, for all processes. What aggregation took
   * before does not come back.
   *
   * @param change What is left out stays as it is.
   * @throws {@link DaosError} `DER_INVAL`, or `DER_NO_PERM` on a read-only handle.
   *
   * @example
   * ```ts
   * container.setRetention({ seconds: 3600 }); // everything of the last hour
   * ```
   */
  setRetention(change: Partial<Retention>): void {
    const what = `Changing the retention of container "${this.label}"`;
    this.requireWritable(what);
    checkRetention(what, { ...this.retention, ...change });
    this.target.setRetention(this.id, change);
  }

  /** Commits from the oldest retained one on, newest first. Snapshots of older ones are not among them. */
  commits(): CommitRecord[] {
    return this.target.listCommits(this.id, { epoch: EPOCH_HEAD });
  }

  /**
   * What differs between two versions, in either direction: objects, dkeys and akeys that were added, removed
   * or changed, and ranges of arrays that were written or punched in between.
   *
   * Streams, in the order of object ids and keys; something comes before what it holds. Both versions stay
   * readable until the generator ends: run it to its end, or leave its loop. Cost follows the changes if both
   * versions are retained; from a snapshot older than those, or with very many changes, all keys are
   * looked at. An akey that changed from a value to an array, or its record size, is told of without ranges.
   *
   * @param options `compare: true` reads values and bytes, and tells of real differences only.
   * @throws {@link DaosError} `DER_EPOCH_GONE`, `DER_NONEXIST`, `DER_INVAL` as {@link view}; `DER_CSUM` if
   *   compared bytes are damaged.
   *
   * @example
   * ```ts
   * for (const change of container.diff({ snapshot: "before" }, container.epochAt(new Date()))) {
   *   if (change.level === "bytes") console.log(change.oid, change.start, change.end);
   * }
   * ```
   */
  diff(
    from: Version,
    to: Version,
    { compare = false }: DiffOptions = {},
  ): Generator<ContainerChange, void, undefined> {
    const versions = { from: this.epochOfVersion(from), to: this.epochOfVersion(to) };
    for (const epoch of [versions.from, versions.to]) {
      checkEpoch(`Comparing versions of container "${this.label}"`, epoch);
    }
    return this.target.diff(this.id, { ...versions, compare });
  }

  /**
   * Shows an earlier version again, by a new commit: all of it, or nothing, whoever is killed when. History
   * stays: the versions in between, and snapshots of them, can be read as before.
   *
   * No data is copied. It is one index transaction, whose size follows what was changed since `to` (about
   * 15 us for each key), and other commits wait for it. Back to a snapshot that is older than the retained
   * commits, all keys of the container are looked at. An object that was removed since is a new incarnation:
   * who had opened it before must open it again.
   *
   * @returns The new commit; the newest one, if nothing has changed since `to`.
   * @throws {@link DaosError} `DER_EPOCH_GONE`, `DER_NONEXIST`, `DER_INVAL` as {@link view}; `DER_NO_PERM` on
   *   a read-only handle, `DER_NOSPACE` if the index is full. Nothing is changed then.
   *
   * @example
   * ```ts
   * container.createSnapshot("before");
   * const { epoch } = container.rollback({ snapshot: "before" });
   * ```
   */
  rollback(to: Version): RolledBack {
    this.requireWritable(`Rolling back container "${this.label}"`);
    const epoch = this.epochOfVersion(to);
    checkEpoch(`Rolling back container "${this.label}"`, epoch);
    return this.target.rollBack(this.id, epoch);
  }

  get #commits(): CommitSource {
    const { bell } = this.target;
    return { bell, next: (options) => this.target.nextCommits(this.id, options) };
  }

  /**
   * The commits of the container, by whatever process, as they come: in order, each once.
   *
   * Without a server: listeners hear of writes to the index from the operating system. A commit pays
   * nothing for them, and one whose news is lost is found within a second or a few.
   *
   * @param options `from`: the epoch after which commits are wanted (that of the last one known); the
   *   newest commit now by default. `signal` ends the loop.
   * @returns An endless async iterator. It ends when it is left, aborted, or the pool is closed, and
   *   throws `DER_NONEXIST` when the container is destroyed. A commit that comes after a gap, because
   *   aggregation was faster than the watch, says so by `skipped`.
   * @throws {@link DaosError} `DER_EPOCH_GONE` if commits after `from` were aggregated already.
   *
   * @example
   * ```ts
   * for await (const { epoch } of container.watch({ signal })) {
   *   using view = container.view(epoch);
   * }
   * ```
   */
  watch({ from, signal }: WatchOptions = {}): CommitWatch {
    const source = this.#commits;
    if (from !== undefined) {
      const what = `Watching container "${this.label}" from epoch ${from}`;
      checkEpoch(what, from);
      const { skipped, horizon } = this.target.nextCommits(this.id, { after: from, limit: 1 });
      if (skipped) throw epochGone(what, from, horizon);
    }
    return new CommitWatch(source, from ?? this.target.lastCommit(this.id), signal);
  }

  /**
   * Waits for a commit at or after an epoch: a consumer that needs what a producer will publish.
   *
   * @param epoch That of the last commit known, plus one, to wait for the next.
   * @param options `signal` and `timeoutMs` end the wait.
   * @returns The oldest such commit that can still be read.
   * @throws {@link DaosError} `DER_TIMEDOUT`, `DER_NO_HDL` if the pool is closed, `DER_NONEXIST` if the
   *   container is destroyed, `DER_INVAL`; the signal's reason if it is aborted.
   */
  async waitFor(epoch: Epoch, options: WaitOptions = {}): Promise<CommitRecord> {
    return await waitForCommit(this.#commits, epoch, options);
  }

  /**
   * Names an epoch: it stays readable, whatever is aggregated, until the snapshot is destroyed.
   *
   * @param name 1 to 127 letters, digits and the characters `. _ : -`; unique in the container.
   * @param epoch The newest commit by default; else one that can be read now. One of the future is
   *   taken as the newest.
   * @throws {@link DaosError} `DER_EXIST`, `DER_EPOCH_GONE` if the epoch was aggregated, `DER_INVAL` for
   *   a bad name, `DER_NOSPACE` if the container has as many as it may have, `DER_NO_PERM` on a
   *   read-only handle. Nothing is changed then.
   *
   * @example
   * ```ts
   * container.createSnapshot("before-restart");
   * using view = container.view({ snapshot: "before-restart" });
   * ```
   */
  createSnapshot(name: string, epoch?: Epoch): SnapshotRecord {
    this.requireWritable(`Creating snapshot "${name}" of container "${this.label}"`);
    const options = epoch === undefined ? { name } : { name, epoch };
    return this.target.createSnapshot(this.id, options);
  }

  /** The named snapshots, oldest epoch first. */
  listSnapshots(): SnapshotRecord[] {
    return this.target.listSnapshots(this.id);
  }

  /**
   * Destroys a snapshot, with the marks of its objects. Open views of it stay; the next aggregation frees
   * what nothing else sees.
   *
   * @throws {@link DaosError} `DER_NONEXIST`, or `DER_NO_PERM` on a read-only handle.
   */
  destroySnapshot(name: string): void {
    this.requireWritable(`Destroying snapshot "${name}" of container "${this.label}"`);
    this.target.destroySnapshot(this.id, name);
  }

  /**
   * Opens the object table of a snapshot: the objects that it shows, with marks that stay as long as the
   * snapshot does. For programs that work through all objects and may be killed on the way.
   *
   * @param at The name of the snapshot, or its epoch.
   * @throws {@link DaosError} `DER_NONEXIST` if there is no such snapshot, `DER_INVAL` if several snapshots
   *   show that epoch.
   *
   * @example
   * ```ts
   * using table = container.openObjectTable({ snapshot: "before" });
   * for (const { oid } of table.entries({ only: "unmarked" })) table.mark(oid, new Uint8Array());
   * ```
   */
  openObjectTable(at: NamedVersion | { readonly epoch: Epoch }): ObjectTable {
    const what = `Opening an object table of container "${this.label}"`;
    this.requireOpen(what);
    const named = (record: SnapshotRecord) =>
      "epoch" in at ? record.epoch === at.epoch : record.name === at.snapshot;
    const [snapshot, ...others] = this.listSnapshots().filter(named);
    if (snapshot === undefined) {
      throw noSuchSnapshot(what, "epoch" in at ? `epoch ${at.epoch}` : at.snapshot);
    }
    if (others.length > 0) {
      const why = `${others.length + 1} snapshots show epoch ${snapshot.epoch}`;
      throw new DaosError("DER_INVAL", { what, why, remedy: "name one of them" });
    }
    return new ObjectTable({
      place: { container: this.id, snapshot },
      view: this.view(snapshot.epoch),
      marks: () => this.target.marks,
      requireOpen: (doing) => this.requireOpen(doing),
      requireWritable: (doing) => this.requireWritable(doing),
    });
  }

  /**
   * Removes versions that no reader can see, merges what is left, and frees space: the whole pass at once.
   * Data is copied out of segments that are mostly dead (a third or more), and where an array lies
   * scattered in small parts.
   *
   * @param options `compact: false` changes the index only and copies nothing.
   * @returns What was done; nothing if another aggregation of the container is running.
   * @throws {@link DaosError} `DER_NO_PERM` on a read-only handle, `DER_NOSPACE` or `DER_IO` if the index
   *   cannot be written. What was done by then stays done; every version that is kept reads as before.
   */
  aggregate(options: { compact?: boolean } = {}): AggregationReport {
    return summedAggregation(this.aggregateSteps({ ...options, stepMs: Infinity }));
  }

  /**
   * The same in short steps, safe beside writers, readers and other aggregations: between steps nothing
   * of the index is held. End the generator, or let it end, before the next pass.
   *
   * @param options `stepMs`: milliseconds after which a step ends, at the next transaction; 10 by default.
   * @returns What each step has done.
   * @throws {@link DaosError} as {@link aggregate} does, `DER_INVAL` for a bad time, `DER_NO_HDL` if the pool
   *   was closed.
   *
   * @example
   * ```ts
   * for (const { bytes } of container.aggregateSteps({ stepMs: 5 })) {
   *   freed += bytes;
   *   await setImmediate();
   * }
   * ```
   */
  aggregateSteps(options: AggregationOptions = {}): Generator<AggregationReport, void, undefined> {
    const what = `Aggregating container "${this.label}"`;
    this.requireWritable(what);
    const { stepMs = AGGREGATION_STEP_MS_DEFAULT, compact = true } = options;
    if (!(stepMs >= 0)) {
      const text = { what, why: `stepMs is ${stepMs}`, remedy: "give a number of milliseconds" };
      throw new DaosError("DER_INVAL", text, { stepMs });
    }
    return this.target.aggregate(this.id, { stepMs, compact, isBackground: false });
  }

  /**
   * Aggregates in the background, in short steps on a timer that does not keep the process alive, for at
   * most a share of the time. While nothing is committed there is next to nothing to do; while the pool's
   * property `reclaim` is `disabled`, passes do nothing.
   *
   * @returns A handle; {@link BackgroundAggregation.stop} it, or close the pool.
   * @throws {@link DaosError} `DER_INVAL` for a bad option, `DER_NO_PERM` on a read-only handle.
   *
   * @example
   * ```ts
   * using aggregation = container.startAggregation({ share: 0.05 });
   * ```
   */
  startAggregation(options: BackgroundOptions = {}): BackgroundAggregation {
    this.requireWritable(`Aggregating container "${this.label}"`);
    const { stepMs = AGGREGATION_STEP_MS_DEFAULT, compact = true, ...timing } = options;
    const beginPass = () => {
      // Asked at each pass: an administrator may change it meanwhile.
      const reclaim = getProperty(this.target.metadata.reader, POOL_SCOPE, "reclaim");
      if (reclaim === "disabled") return emptyPass();
      return this.target.aggregate(this.id, { stepMs, compact, isBackground: true });
    };
    return new BackgroundAggregation(beginPass, timing);
  }
}
