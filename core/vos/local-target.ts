/**
 * The embedded target: this process reads the index and the segments itself, and writes to its own log.
 *
 * @module
 */

import path from "node:path";
import type { Device } from "../device/device.js";
import { closedError, isDaosError } from "../errors.js";
import { readCounter } from "../index/counters.js";
import type { IndexStore, IndexTransaction } from "../index/index-store.js";
import { LogWriter } from "../log/log-writer.js";
import { SegmentCache } from "../log/segment-reader.js";
import { listSegments, type SegmentRecord } from "../log/segment-record.js";
import { type RecoveryReport, SegmentStore } from "../log/segment-store.js";
import { addWriter, removeWriter } from "../log/writer-record.js";
import { events } from "../metrics/events.js";
import { metrics } from "../metrics/process-metrics.js";
import {
  Aggregation,
  type AggregationReport,
  type AggregationSource,
  emptyMemory,
  type PassOptions,
} from "./aggregation.js";
import { type ArrayAddress, keysOfArray } from "./array-address.js";
import { ArrayCache, listWindows, StoredLayers } from "./array-cache.js";
import { ArrayReader, type ArraySource } from "./array-reader.js";
import { type CommitRequest, type Committed, commit, restart } from "./commit.js";
import { CommitBell } from "./commit-bell.js";
import { getContainer } from "./containers.js";
import { type ReclaimReport, reclaimContainers } from "./destruction.js";
import type { ContainerChange, DiffOptions } from "./diff.js";
import type { Epoch } from "./epoch.js";
import { HandleTable } from "./handle-locks.js";
import { KeyView } from "./key-view.js";
import { LocalCatalog } from "./local-catalog.js";
import type { CopyableValue, LongValue } from "./long-value.js";
import type { ObjectAddress } from "./names.js";
import { OwnLayer } from "./own-layer.js";
import { pinnedDiff } from "./pinned-diff.js";
import { type Pin, PinTable } from "./pins.js";
import type { ReadSet } from "./read-set.js";
import { type RolledBack, rollBack } from "./rollback.js";
import { Scrubber, type ScrubReport, type ScrubSource } from "./scrub.js";
import type { Target } from "./target.js";
import { Transaction, type TransactionOwner } from "./transaction.js";
import { INDEX_FILE, setLimits, type TargetUsage, type TierLimits, targetUsage } from "./usage.js";
import { readValue } from "./value-reader.js";

/** Where an embedded target lies, and what it is reached through. */
export interface LocalTargetOptions {
  readonly device: Device;
  readonly index: IndexStore;
  /** Directory of the index and the pins. */
  readonly scm: string;
  /** Directory of the segments. */
  readonly nvme: string;
  /** The pool's UUID, 16 bytes. */
  readonly poolUuid: Uint8Array;
  /** Whether commits survive a power cut. */
  readonly durable: boolean;
  /** What this process calls itself when it writes. */
  readonly owner: string;
}

const NO_AGGREGATION = { runs: 0, merged: 0, values: 0, bytes: 0, copied: 0, isBusy: false };

/** File of the pinned epochs, in the `scm` directory. */
export const PINS_FILE = "pins";

/** Codes of conditions that did not hold. */
const REFUSALS = ["DER_EXIST", "DER_NONEXIST"] as const;

function noteCommit(
  { container, contributions }: CommitRequest,
  { epoch, bytes }: Committed,
  began: number,
): void {
  metrics.commits.add(1);
  metrics.committedBytes.add(bytes);
  metrics.commitSeconds.observe((performance.now() - began) / 1000);
  if (!events.commit.hasSubscribers) return;
  events.commit.publish({ container, epoch, bytes, contributors: contributions.length });
}

function noteFailure(error: unknown): void {
  if (isDaosError(error, "DER_TX_RESTART")) metrics.restarts.add(1);
  else if (REFUSALS.some((code) => isDaosError(error, code))) metrics.refused.add(1);
  else metrics.failures.add(1);
}

/** Counts and tells of what aggregation does. */
function* noted(
  container: number,
  steps: Iterable<AggregationReport>,
): Generator<AggregationReport, void, undefined> {
  for (const step of steps) {
    const { runs, values, bytes, copied } = step;
    metrics.aggregationSteps.add(1);
    metrics.aggregatedRuns.add(runs);
    metrics.aggregatedValues.add(values);
    metrics.aggregatedBytes.add(bytes);
    metrics.copiedBytes.add(copied);
    const { aggregation } = events;
    if (aggregation.hasSubscribers) aggregation.publish({ container, runs, values, bytes, copied });
    yield step;
  }
}

/** The embedded target. One per open pool handle. */
export class LocalTarget extends LocalCatalog implements Target, TransactionOwner {
  readonly #options: LocalTargetOptions;
  readonly #source: ArraySource;
  /** Of long values, which are not remembered. */
  readonly #values: ArraySource;
  readonly #store: SegmentStore;
  readonly #segments: SegmentCache;
  readonly #pins: PinTable;
  readonly #transactions = new Set<Transaction>();
  readonly #passes = new Set<Generator<AggregationReport, void, undefined>>();
  readonly #memory = emptyMemory();
  readonly bell: CommitBell;
  readonly handles: HandleTable;
  /** The version that was last found readable, and the state of the index that said so. */
  #readable = { state: 0, container: 0, epoch: 0n };
  #writer: LogWriter | undefined;
  #open = true;

  constructor(options: LocalTargetOptions) {
    const { device, index, nvme: directory, poolUuid, durable } = options;
    super();
    const openIndex = () => this.index;
    this.#options = options;
    const dropReaders = () => this.#segments.drop();
    const pattern = path.join(options.scm, INDEX_FILE);
    const origin = { device, index, directory, pattern, poolUuid, durable, dropReaders };
    this.#store = new SegmentStore(origin);
    this.#segments = new SegmentCache(device, poolUuid, (id) => this.#store.path(id));
    this.#pins = new PinTable(device, path.join(options.scm, PINS_FILE));
    this.bell = new CommitBell(pattern);
    this.handles = new HandleTable(device, path.join(options.scm, PINS_FILE));
    const keysOf = (array: ArrayAddress) => keysOfArray(this.index, array);
    this.#source = { segments: this.#segments, arrays: new ArrayCache(openIndex), keysOf };
    this.#values = { ...this.#source, arrays: new StoredLayers(openIndex) };
  }

  protected override get index(): IndexStore {
    if (!this.#open) throw closedError("Using a container");
    return this.#options.index;
  }

  protected override now(): bigint {
    return this.#options.device.now();
  }

  /** The process's log; its id is drawn at the first write. */
  get writer(): LogWriter {
    if (this.#writer === undefined) {
      const { owner } = this.#options;
      let id = 0n;
      // Also who only removes something is a writer.
      const draw = (tx: IndexTransaction) => {
        id = addWriter(tx, { owner, pid: process.pid }).id;
      };
      this.index.transact("Drawing a writer id", draw, "remove");
      this.#writer = new LogWriter(this.#store, id);
    }
    return this.#writer;
  }

  *reclaim(): Generator<ReclaimReport, void, undefined> {
    const { device, scm } = this.#options;
    const isOpen = (container: number) => this.handles.isOpen(container);
    const pinsPath = path.join(scm, PINS_FILE);
    const source = { index: this.index, device, pins: this.#pins, pinsPath, isOpen };
    let isAny = false;
    for (const step of reclaimContainers(source)) {
      isAny = true;
      yield step;
    }
    if (isAny && this.#open) this.#store.recover();
  }

  diff(
    container: number,
    how: { from: Epoch; to: Epoch } & Required<DiffOptions>,
  ): Generator<ContainerChange, void, undefined> {
    return pinnedDiff(
      {
        openIndex: () => this.index,
        pin: (of, epoch) => this.pin(of, epoch),
        keys: (of, epoch) => this.keys(of, epoch),
        array: (array, version) => this.array(array, version),
        value: (object, value) => this.value(object, value),
      },
      container,
      how,
    );
  }

  rollBack(container: number, to: Epoch): RolledBack {
    // Pinned, so that aggregation leaves what the transaction is to find.
    const pin = this.pin(container, to);
    try {
      return rollBack(this.index, pin, this.now());
    } finally {
      pin.release();
    }
  }

  pin(container: number, epoch: Epoch): Pin {
    metrics.views.add(1);
    // While nothing was committed since, an epoch is as readable as it was: aggregation commits before it
    // looks for pins.
    const { state, ...version } = this.#readable;
    if (epoch === version.epoch && container === version.container) {
      const pin = this.#pins.pin(container, epoch);
      if (state !== 0 && state === this.index.stateNumber) return pin;
      pin.release();
    }
    // A new version to read is the moment to let go of segments that only old ones used.
    this.#segments.sweep();
    const now = this.index.stateNumber;
    // Commits to come draw later epochs than the last one: a view of the future would change.
    const last = readCounter(this.index, "epoch");
    const pin = this.#pins.pin(container, epoch < last ? epoch : last);
    try {
      this.requireReadable(container, epoch);
      if (pin.epoch === epoch) this.#readable = { state: now, container, epoch };
      return pin;
    } catch (error) {
      pin.release();
      throw error;
    }
  }

  keys(container: number, epoch: Epoch): KeyView {
    return new KeyView(() => this.index, container, epoch);
  }

  array(array: ArrayAddress, version: { epoch: Epoch; since: Epoch }): ArrayReader {
    return new ArrayReader(this.#source, array, version);
  }

  value(object: ObjectAddress, value: LongValue): CopyableValue {
    return readValue(() => this.index, this.#values, object, value);
  }

  windows(object: ObjectAddress, akey: Uint8Array): number[] {
    return listWindows(this.index, object, akey);
  }

  ownLayer(transaction: Transaction, epoch: Epoch): OwnLayer {
    return new OwnLayer(() => this.index, transaction, epoch);
  }

  begin(container: number, reads?: ReadSet): Transaction {
    if (!this.#open) throw closedError("Beginning a transaction");
    const transaction = new Transaction(this, container, reads);
    this.#transactions.add(transaction);
    return transaction;
  }

  /** See {@link TransactionOwner}. */
  othersOpen(transaction: Transaction): boolean {
    for (const other of this.#transactions) {
      if (other !== transaction && other.bytes > 0) return true;
    }
    return false;
  }

  /** See {@link TransactionOwner}. */
  closed(transaction: Transaction): void {
    this.#transactions.delete(transaction);
  }

  commit(request: CommitRequest): Committed {
    const pins = request.isPinned ? [] : this.#pinReads(request);
    const began = performance.now();
    try {
      const committed = commit(this.index, request, this.now());
      noteCommit(request, committed, began);
      return committed;
    } catch (error) {
      noteFailure(error);
      throw error;
    } finally {
      for (const pin of pins) pin.release();
    }
  }

  /**
   * Pins the versions that contributions of other processes read, so that they can be compared. Those
   * that read them hold pins of their own, unless they died: then the versions may be gone.
   */
  #pinReads({ container, contributions }: CommitRequest): Pin[] {
    const epochs = new Set(contributions.flatMap(({ reads }) => (reads ? [reads.epoch] : [])));
    const pins: Pin[] = [];
    const horizon = getContainer(this.index, container)?.horizon ?? 0n;
    const readers = [...epochs].some((epoch) => epoch < horizon)
      ? this.#pins.epochsOf(container)
      : [];
    try {
      for (const epoch of epochs) {
        if (epoch < horizon && !readers.includes(epoch)) {
          throw restart(`the version that was read, ${epoch}, is gone`, { epoch, horizon });
        }
        const shared = this.#pins.share(container, epoch);
        pins.push(shared ?? this.#pins.pin(container, epoch));
        // This process holds it for a reader.
        if (shared !== undefined) continue;
        // Aggregation may have come in between: then whoever read it must still hold it, besides this pin.
        const now = getContainer(this.index, container)?.horizon ?? 0n;
        const holders = () => this.#pins.epochsOf(container).filter((pinned) => pinned === epoch);
        if (epoch < now && holders().length < 2) {
          throw restart(`the version that was read, ${epoch}, is gone`, { epoch, horizon: now });
        }
      }
      return pins;
    } catch (error) {
      for (const pin of pins) pin.release();
      throw error;
    }
  }

  *aggregate(
    container: number,
    options: PassOptions,
  ): Generator<AggregationReport, void, undefined> {
    const pass = new Aggregation(this.#aggregationSource(), container, options).steps();
    this.#passes.add(pass);
    try {
      yield* noted(container, pass);
    } finally {
      this.#passes.delete(pass);
    }
    if (!this.#open) throw closedError("Aggregating a container");
    for (const _ of this.reclaim()) yield NO_AGGREGATION;
    this.#store.recover();
  }

  #aggregationSource(): AggregationSource {
    const { device, poolUuid, owner, scm } = this.#options;
    const openIndex = () => this.index;
    const store = this.#store;
    return {
      get index() {
        return openIndex();
      },
      device,
      owner,
      store,
      pins: this.#pins,
      pinsPath: path.join(scm, PINS_FILE),
      memory: this.#memory,
      releaseLog: (isToEmpty) => this.#releaseLog(isToEmpty),
      openSegments: () => new SegmentCache(device, poolUuid, (id) => store.path(id)),
    };
  }

  /** Ends the leases of this process's own log if it is idle and one of its segments is to be emptied. */
  #releaseLog(isToEmpty: (id: number, record: SegmentRecord) => boolean): void {
    const writer = this.#writer;
    if (writer === undefined || [...this.#transactions].some(({ bytes }) => bytes > 0)) return;
    const isOwn = ({ state, writer: holder }: SegmentRecord) =>
      state === "leased" && holder === writer.id;
    const segments = listSegments(this.index);
    if (segments.some(({ id, record }) => isOwn(record) && isToEmpty(id, record))) writer.close();
  }

  scrub(stepSize: number): Generator<ScrubReport, void, undefined> {
    const { device, poolUuid } = this.#options;
    const openIndex = () => this.index;
    const source: ScrubSource = {
      get index() {
        return openIndex();
      },
      segments: { device, poolUuid, pathOf: (id) => this.#store.path(id) },
    };
    return new Scrubber(source, stepSize).steps();
  }

  recover(): RecoveryReport {
    const report = this.#store.recover();
    metrics.recoveries.add(1);
    if (events.recover.hasSubscribers) events.recover.publish({ report });
    return report;
  }

  usage(): TargetUsage {
    return targetUsage({ ...this.#options, index: this.index });
  }

  setLimits(limits: TierLimits): void {
    this.#segments.drop();
    setLimits({ ...this.#options, index: this.index }, limits);
  }

  /** Ends the writer's leases and forgets it. */
  #closeWriter(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    writer.close();
    try {
      const forget = (tx: IndexTransaction) => removeWriter(tx, writer.id);
      this.index.transact("Forgetting a writer", forget, "reclaim");
    } catch (error) {
      // On a full disk the record stays; it says nothing of what is stored.
      if (!isDaosError(error)) throw error;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.bell.close();
    for (const transaction of this.#transactions) transaction.abort();
    for (const pass of this.#passes) pass.return();
    this.#closeWriter();
    this.#segments.close();
    this.#pins.close();
    this.handles.close();
    this.#open = false;
    this.#options.index.close();
  }
}
