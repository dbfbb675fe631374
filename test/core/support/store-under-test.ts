/**
 * Drives a real pool and the model of its container through the same steps and compares them.
 *
 * Two handles write, so that there are two writers with logs of their own. Array 0 and 1 are small;
 * array 2 is the same in units of 2 KiB, so that the logs pass the ends of checksum blocks.
 *
 * @module
 */

import {
  type Container,
  type ContainerView,
  type Durability,
  isDaosError,
  Pattern,
  Pool,
  type Transaction,
} from "daos-ts";
import {
  ContainerModel,
  empty,
  isRefused,
  ModelTransaction,
  sizeOf,
  valueKey,
} from "./container-model.ts";
import { epochIn, isAmong, outcome } from "./outcomes.ts";
import { OFFSETS_MAX, scaled } from "./patterns.ts";
import { rollBackBoth } from "./rollback-step.ts";
import { checkLiveSizes } from "./scattered-array.ts";
import {
  AKEYS,
  bytesOfValue,
  checkLists,
  checkObject,
  checkWritten,
  compareBytes,
  differs,
  dkeysOf,
  KEYS,
  RECORD_SIZE,
  RECORD_STARTS,
  RECORDS,
  RECORDS_MAX,
} from "./store-checks.ts";
import type { Step } from "./store-step.ts";

/** Object ids of the arrays, and what one offset of the small domain stands for in each. */
const ARRAYS = [
  { oid: 1n, unit: 1 },
  { oid: 2n, unit: 1 },
  { oid: 3n, unit: 2048 },
] as const;
const VALUE_OBJECTS = [1n, 4n] as const;
const SNAPSHOTS = ["s", "t", "s.1"] as const;
const HANDLES = 2;

interface Open {
  readonly real: Transaction;
  readonly model: ModelTransaction;
  readonly handle: number;
}

function arraySize(oid: bigint): number {
  return OFFSETS_MAX * (ARRAYS.find((array) => array.oid === oid)?.unit ?? 1);
}

/** A pool, its model, and what is open. */
export class StoreUnderTest {
  readonly #path: string;
  readonly #model: ContainerModel;
  readonly #pools: Pool[] = [];
  readonly #containers: Container[] = [];
  #open: Open[] = [];
  #views: { handle: number; view: ContainerView }[] = [];
  #tag = 0;

  constructor(path: string, options: { retainCommits: number; durability: Durability }) {
    this.#path = path;
    this.#model = new ContainerModel({ ...options, arraySize });
    const first = Pool.create({ path, durability: options.durability });
    first.createContainer("c", { retainCommits: options.retainCommits });
    first.close();
    for (let handle = 0; handle < HANDLES; handle++) this.#connect(handle);
  }

  #connect(handle: number): void {
    this.#pools[handle] = Pool.connect(this.#path);
    this.#containers[handle] = (this.#pools[handle] as Pool).openContainer("c");
  }

  #container(handle: number): Container {
    return this.#containers[handle % HANDLES] as Container;
  }

  #at<T>(list: readonly T[], index: number): T | undefined {
    return list.length === 0 ? undefined : list[index % list.length];
  }

  /** Takes one step on both sides. */
  take(step: Step): void {
    if (step.type === "begin") this.#begin(step.handle % HANDLES);
    else if (step.type === "write") this.#write(step);
    else if (step.type === "put") this.#put(step);
    else if (step.type === "punch") this.#punch(step);
    else if (step.type === "punchRange") this.#punchRange(step);
    else if (step.type === "punchDkey") this.#punchDkey(step);
    else if (step.type === "records") this.#records(step);
    else if (step.type === "commit") this.#commit(step.tx);
    else if (step.type === "abort") this.#abort(step.tx);
    else if (step.type === "update") this.#update(step);
    else if (step.type === "collective") this.#collective();
    else if (step.type === "view") this.#openView(step);
    else if (step.type === "closeView") this.#closeView(step.view);
    else if (step.type === "readOwn") this.#readOwn(step);
    else if (step.type === "snapshot") this.#snapshot(step);
    else if (step.type === "destroySnapshot") this.#destroySnapshot(step);
    else if (step.type === "viewSnapshot") this.#viewSnapshot(step);
    else if (step.type === "rollback") this.#rollBack(step);
    else if (step.type === "aggregate") this.#aggregate(step.handle);
    else this.#reopen(step.handle % HANDLES);
  }

  #begin(handle: number): void {
    if (this.#open.filter((open) => open.handle === handle).length >= 2) return;
    const real = this.#container(handle).begin();
    this.#open.push({ real, model: new ModelTransaction(), handle });
  }

  #write({ tx, array, range }: Extract<Step, { type: "write" }>): void {
    const open = this.#at(this.#open, tx);
    if (open === undefined) return;
    const { oid, unit } = ARRAYS[array % ARRAYS.length] as (typeof ARRAYS)[number];
    const larger = scaled(range, unit);
    this.#tag += 37;
    const bytes = Uint8Array.from({ length: larger.to - larger.from }, (_, at) => this.#tag + at);
    this.#openArray(open, oid);
    open.model.operations.push({ type: "write", oid, range: larger, bytes });
    const scratch = Uint8Array.from(bytes);
    open.real.write(oid, larger, scratch, this.#container(open.handle).incarnation(oid));
    // The caller may reuse its buffer at once.
    scratch.fill(0xee);
  }

  /** The first write of a transaction to an array says which punches it knows of. */
  #openArray({ model }: Open, oid: bigint): void {
    if (!model.incarnations.has(oid)) model.incarnations.set(oid, this.#model.incarnation(oid));
  }

  #punchRange({ tx, array, range }: Extract<Step, { type: "punchRange" }>): void {
    const open = this.#at(this.#open, tx);
    if (open === undefined) return;
    const { oid, unit } = ARRAYS[array % ARRAYS.length] as (typeof ARRAYS)[number];
    const larger = scaled(range, unit);
    this.#openArray(open, oid);
    open.model.operations.push({ type: "punchRange", oid, range: larger });
    open.real.punchRange(oid, larger, this.#container(open.handle).incarnation(oid));
  }

  /** Runs an operation whose conditions the transaction's own changes may contradict. */
  #conditional(open: Open, expected: string | undefined, run: () => void): boolean {
    const found = outcome(() => {
      run();
      return "done";
    });
    if (found !== (expected ?? "done")) throw differs("a condition", found, expected);
    return expected === undefined && open.real !== undefined;
  }

  #put({ tx, object, key, akey, size, punch, condition }: Extract<Step, { type: "put" }>): void {
    const open = this.#at(this.#open, tx);
    if (open === undefined) return;
    const oid = VALUE_OBJECTS[object % VALUE_OBJECTS.length] as bigint;
    const dname = KEYS[key % KEYS.length] as string;
    const aname = AKEYS[akey % AKEYS.length] as string;
    this.#tag += 1;
    const value = punch ? undefined : `${this.#tag}*${size}`;
    const name = valueKey(oid, dname, aname);
    const expected = open.model.demand(name, condition);
    const bytes = value === undefined ? undefined : Buffer.from(bytesOfValue(value));
    const [dkey, akeyBytes] = [Buffer.from(dname), Buffer.from(aname)];
    const done = this.#conditional(open, expected, () =>
      open.real.put({ oid, dkey, akey: akeyBytes, value: bytes, condition }),
    );
    if (done) open.model.operations.push({ type: "put", key: name, value });
    for (const buffer of [dkey, akeyBytes, bytes]) buffer?.fill(0xee);
  }

  #punch({ tx, array }: { tx: number; array: number }): void {
    const open = this.#at(this.#open, tx);
    if (open === undefined) return;
    const { oid } = ARRAYS[array % ARRAYS.length] as (typeof ARRAYS)[number];
    open.real.punch(oid);
    open.model.operations.push({ type: "punch", prefix: `${oid}/`, oid });
    // What was written before is dropped, and with it what it knew.
    open.model.incarnations.delete(oid);
  }

  #punchDkey({ tx, object, key, condition }: Extract<Step, { type: "punchDkey" }>): void {
    const open = this.#at(this.#open, tx);
    if (open === undefined) return;
    const oid = VALUE_OBJECTS[object % VALUE_OBJECTS.length] as bigint;
    const dname = KEYS[key % KEYS.length] as string;
    const prefix = `${oid}/${dname}/`;
    const expected = open.model.demand(prefix, condition);
    const done = this.#conditional(open, expected, () =>
      open.real.punchDkey(oid, Buffer.from(dname), condition),
    );
    if (done) open.model.operations.push({ type: "punch", prefix, oid });
  }

  #records(step: Extract<Step, { type: "records" }>): void {
    const open = this.#at(this.#open, step.tx);
    if (open === undefined) return;
    const oid = VALUE_OBJECTS[step.object % VALUE_OBJECTS.length] as bigint;
    const dname = KEYS[step.key % KEYS.length] as string;
    const from = RECORD_STARTS[step.start % RECORD_STARTS.length] as bigint;
    const count = 1 + (step.count % RECORDS_MAX);
    const cells = Array.from({ length: count }, () => {
      this.#tag += 1;
      return this.#tag;
    });
    const key = valueKey(oid, dname, RECORDS);
    const expected = open.model.holdsValue(key)
      ? "DER_INVAL"
      : open.model.demand(`${oid}/${dname}/`, step.condition);
    const bytes = Buffer.alloc(count * RECORD_SIZE);
    for (const [at, cell] of cells.entries()) bytes.writeUInt32LE(cell, at * RECORD_SIZE);
    const done = this.#conditional(open, expected, () => {
      // In two buffers, cut anywhere.
      const cut = this.#tag % bytes.length;
      const data = step.punch ? undefined : [bytes.subarray(0, cut), bytes.subarray(cut)];
      const ranges = [{ index: from, count }];
      const update = { akey: Buffer.from(RECORDS), recordSize: RECORD_SIZE, ranges, data };
      open.real.update(oid, Buffer.from(dname), [update], { condition: step.condition });
    });
    bytes.fill(0xee);
    if (!done) return;
    if (step.punch) open.model.operations.push({ type: "punchRecords", key, from, count });
    else open.model.operations.push({ type: "records", key, from, cells });
  }

  #commit(tx: number): void {
    const open = this.#at(this.#open, tx);
    if (open === undefined) return;
    this.#open = this.#open.filter((other) => other !== open);
    const expected = this.#model.after([open.model]);
    let epoch: bigint;
    try {
      epoch = this.#container(open.handle).commit(open.real).epoch;
    } catch (error) {
      if (isAmong(expected, error)) return;
      throw error;
    }
    if (isRefused(expected)) throw differs("a commit", `epoch ${epoch}`, expected);
    this.#model.commit(epoch, expected, [open.model]);
  }

  /** A whole transaction at once, so that versions pile up quickly. */
  #update({ handle, array, range, key }: Extract<Step, { type: "update" }>): void {
    this.#open.push({
      real: this.#container(handle).begin(),
      model: new ModelTransaction(),
      handle: handle % HANDLES,
    });
    const tx = this.#open.length - 1;
    this.#write({ type: "write", tx, array, range });
    const size = key % 3 === 0 ? 5000 + key : key;
    const put = {
      object: array,
      key,
      akey: 0,
      size,
      punch: key % 4 === 0,
      condition: "none",
    } as const;
    this.#put({ type: "put", tx, ...put });
    this.#commit(tx);
  }

  #abort(tx: number): void {
    const open = this.#at(this.#open, tx);
    open?.real.abort();
    this.#open = this.#open.filter((other) => other !== open);
  }

  /** One transaction of each handle, published together. */
  #collective(): void {
    const parts = [0, 1].flatMap((handle) => {
      const own = this.#open.filter((open) => open.handle === handle);
      return own.slice(0, 1);
    });
    this.#open = this.#open.filter((open) => !parts.includes(open));
    const expected = this.#model.after(parts.map(({ model }) => model));
    const contributions = parts.map(({ real }) => real.prepare());
    const leader = this.#container(0);
    const id = leader.newTransactionId();
    try {
      const { epoch } = leader.publish(contributions, id);
      if (isRefused(expected)) throw differs("a publication", epoch, expected);
      if (this.#container(1).epochOf(id) !== epoch) throw differs("epochOf()", "no", epoch);
      // A repeated publication changes nothing.
      if (leader.publish(contributions, id).epoch !== epoch) throw differs("again", "no", epoch);
      this.#model.commit(
        epoch,
        expected,
        parts.map(({ model }) => model),
      );
      for (const { real } of parts) real.settle();
    } catch (error) {
      for (const { real } of parts) real.abort();
      if (!isAmong(expected, error)) throw error;
    }
  }

  #openView({ handle, epoch }: { handle: number; epoch: number }): void {
    const wanted = this.#at(this.#model.epochs, epoch) as bigint;
    const isHead = wanted === this.#model.epochs.at(-1);
    try {
      const view = this.#container(handle).view(isHead ? undefined : wanted);
      if (!this.#model.isReadable(wanted)) throw differs("a view", "open", "gone");
      this.#views.push({ handle: handle % HANDLES, view });
    } catch (error) {
      if (this.#model.isReadable(wanted) || !isDaosError(error, "DER_EPOCH_GONE")) throw error;
    }
  }

  /** Creates a snapshot of any epoch there ever was; of the newest, by leaving the epoch out. */
  #snapshot({ handle, name, epoch }: { handle: number; name: number; epoch: number }): void {
    const label = SNAPSHOTS[name % SNAPSHOTS.length] as string;
    const wanted = this.#at(this.#model.epochs, epoch) as bigint;
    const isHead = wanted === this.#model.epochs.at(-1);
    const { snapshots } = this.#model;
    let expected = "created";
    if (!this.#model.isReadable(wanted)) expected = "DER_EPOCH_GONE";
    if (snapshots.has(label)) expected = "DER_EXIST";
    const found = outcome(() => {
      const container = this.#container(handle);
      const created = isHead
        ? container.createSnapshot(label)
        : container.createSnapshot(label, wanted);
      if (created.epoch !== wanted) throw differs("a snapshot", created.epoch, wanted);
      return "created";
    });
    if (found !== expected) throw differs("createSnapshot()", found, expected);
    if (found === "created") snapshots.set(label, wanted);
  }

  #destroySnapshot({ handle, name }: { handle: number; name: number }): void {
    const label = SNAPSHOTS[name % SNAPSHOTS.length] as string;
    const expected = this.#model.snapshots.delete(label) ? "destroyed" : "DER_NONEXIST";
    const found = outcome(() => {
      this.#container(handle).destroySnapshot(label);
      return "destroyed";
    });
    if (found !== expected) throw differs("destroySnapshot()", found, expected);
  }

  #viewSnapshot({ handle, name }: { handle: number; name: number }): void {
    const label = SNAPSHOTS[name % SNAPSHOTS.length] as string;
    const expected = String(this.#model.snapshots.get(label) ?? "DER_NONEXIST");
    const found = outcome(() => {
      const view = this.#container(handle).view({ snapshot: label });
      this.#views.push({ handle: handle % HANDLES, view });
      return String(view.epoch);
    });
    if (found !== expected) throw differs(`a view of snapshot ${label}`, found, expected);
  }

  #closeView(index: number): void {
    const closing = this.#at(this.#views, index);
    if (closing === undefined) return;
    closing.view.close();
    // Closing again must not end a pin that took the slot since.
    this.#views = this.#views.filter((other) => other !== closing);
    this.#openView({ handle: closing.handle, epoch: this.#model.epochs.length - 1 });
    closing.view.close();
  }

  #readOwn({ tx, array }: { tx: number; array: number }): void {
    const open = this.#at(this.#open, tx);
    if (open === undefined) return;
    const { oid } = ARRAYS[array % ARRAYS.length] as (typeof ARRAYS)[number];
    using view = this.#container(open.handle).view();
    const state = open.model.over(this.#model.at(view.epoch), arraySize);
    // Its commit will be refused: what it shows until then is not said.
    if (state.isMixed === true) return;
    const expected = state.arrays.get(oid) ?? empty(arraySize(oid));
    const size = view.arraySize(oid, open.real);
    if (size !== sizeOf(expected)) throw differs("own size", size, sizeOf(expected));
    const target = new Uint8Array(arraySize(oid)).fill(0xcc);
    const all = { pattern: Pattern.contiguous(0, target.length), from: 0, to: target.length };
    view.readArray(oid, all, target, open.real);
    compareBytes(`own array ${oid}`, target, expected.bytes);
    for (const object of VALUE_OBJECTS) checkObject(view, state, object, open.real);
  }

  #rollBack({ handle, epoch }: { handle: number; epoch: number }): void {
    const wanted = this.#at(this.#model.epochs, epoch) as bigint;
    rollBackBoth(this.#container(handle), this.#model, wanted);
  }

  #aggregate(handle: number): void {
    this.#container(handle).aggregate();
    this.#model.aggregate();
    this.checkAll();
    checkLiveSizes(this.#pools[0] as Pool);
  }

  #reopen(handle: number): void {
    (this.#pools[handle] as Pool).close();
    this.#open = this.#open.filter((open) => open.handle !== handle);
    this.#views = this.#views.filter((view) => view.handle !== handle);
    this.#connect(handle);
  }

  /** Compares every epoch that can be read, every open view, and the list of commits. */
  checkAll(): void {
    for (const { view } of this.#views) this.#checkView(view);
    const reader = this.#container(this.#tag);
    const listed = reader.commits().map(({ epoch }) => epoch);
    const kept = this.#model.commits;
    if (String(listed) !== String(kept)) throw differs("commits()", listed, kept);
    const named = reader.listSnapshots().map(({ name, epoch }) => `${epoch} ${name}`);
    const snapshots = [...this.#model.snapshots].map(([name, epoch]) => `${epoch} ${name}`);
    const isSorted = named.every((line, at) => at === 0 || epochIn(named[at - 1]) <= epochIn(line));
    if (!isSorted) throw differs("listSnapshots()", named, "oldest first");
    if (String(named.sort()) !== String(snapshots.sort())) {
      throw differs("listSnapshots()", named, snapshots);
    }
    for (const epoch of this.#model.epochs) {
      const isReadable = this.#model.isReadable(epoch);
      try {
        using view = reader.view(epoch);
        if (!isReadable) throw differs(`epoch ${epoch}`, "there", "gone");
        this.#checkView(view);
      } catch (error) {
        if (isReadable || !isDaosError(error, "DER_EPOCH_GONE")) throw error;
      }
    }
  }

  #checkView(view: ContainerView): void {
    const state = this.#model.at(view.epoch);
    for (const { oid } of ARRAYS) {
      const expected = state.arrays.get(oid) ?? empty(arraySize(oid));
      const size = view.arraySize(oid);
      if (size !== sizeOf(expected)) throw differs(`size of ${oid}`, size, sizeOf(expected));
      checkWritten(view, oid, expected);
      const bytes = view.readBytes(oid, 0, arraySize(oid));
      compareBytes(`array ${oid} at ${view.epoch}`, bytes, expected.bytes);
    }
    for (const oid of VALUE_OBJECTS) {
      checkObject(view, state, oid);
      checkLists(view, state, oid);
    }
    const objects = view.listObjects().keys;
    const expected = [1n, 2n, 3n, 4n].filter(
      (oid) => state.arrays.has(oid) || dkeysOf(state, oid).length > 0,
    );
    if (String(objects) !== String(expected)) throw differs("listObjects()", objects, expected);
  }

  /** Closes everything. */
  close(): void {
    for (const pool of this.#pools) pool.close();
  }
}
