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
  type PatternRange,
  Pool,
  type Transaction,
  type ValueCondition,
} from "daos-ts";
import {
  ContainerModel,
  type ContainerState,
  empty,
  ModelTransaction,
  valueKey,
} from "./container-model.ts";
import { OFFSETS_MAX } from "./patterns.ts";
import { checkLiveSizes } from "./scattered-array.ts";

/** Object ids of the arrays, and what one offset of the small domain stands for in each. */
const ARRAYS = [
  { oid: 1n, unit: 1 },
  { oid: 2n, unit: 1 },
  { oid: 3n, unit: 2048 },
] as const;
const VALUE_OBJECTS = [1n, 4n] as const;
const KEYS = ["a", "ab", "b\0"] as const;
const SNAPSHOTS = ["s", "t", "s.1"] as const;
const HANDLES = 2;

interface Open {
  readonly real: Transaction;
  readonly model: ModelTransaction;
  readonly handle: number;
}

/** What a step may refer to: indices are taken modulo what there is. */
export type Step =
  | { type: "begin"; handle: number }
  | { type: "write"; tx: number; array: number; range: PatternRange }
  | {
      type: "put";
      tx: number;
      object: number;
      key: number;
      akey: number;
      punch: boolean;
      condition: ValueCondition;
    }
  | { type: "punch"; tx: number; array: number }
  | { type: "commit"; tx: number }
  | { type: "abort"; tx: number }
  | { type: "collective" }
  | { type: "update"; handle: number; array: number; range: PatternRange; key: number }
  | { type: "view"; handle: number; epoch: number }
  | { type: "closeView"; view: number }
  | { type: "readOwn"; tx: number; array: number }
  | { type: "snapshot"; handle: number; name: number; epoch: number }
  | { type: "destroySnapshot"; handle: number; name: number }
  | { type: "viewSnapshot"; handle: number; name: number }
  | { type: "aggregate"; handle: number }
  | { type: "reopen"; handle: number };

function scaled({ pattern, from, to }: PatternRange, unit: number): PatternRange {
  const { start, blockLength, levels } = pattern;
  const larger = new Pattern({
    start: start * unit,
    blockLength: blockLength * unit,
    levels: levels.map(({ stride, count }) => ({ stride: stride * unit, count })),
  });
  return { pattern: larger, from: from * unit, to: to * unit };
}

function arraySize(oid: bigint): number {
  return OFFSETS_MAX * (ARRAYS.find((array) => array.oid === oid)?.unit ?? 1);
}

function differs(what: string, real: unknown, model: unknown): Error {
  return new Error(`${what}: the store says ${real}, the model ${model}`);
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
    const earlier = open.model.writes.find((write) => write.oid === oid);
    const incarnation = earlier?.incarnation ?? this.#model.incarnation(oid);
    open.model.writes.push({ oid, range: larger, bytes, incarnation });
    const scratch = Uint8Array.from(bytes);
    open.real.write(oid, larger, scratch, this.#container(open.handle).incarnation(oid));
    // The caller may reuse its buffer at once.
    scratch.fill(0xee);
  }

  #put({ tx, object, key, akey, punch, condition }: Extract<Step, { type: "put" }>): void {
    const open = this.#at(this.#open, tx);
    if (open === undefined) return;
    const oid = VALUE_OBJECTS[object % VALUE_OBJECTS.length] as bigint;
    const [dname, aname] = [KEYS[key % KEYS.length], KEYS[akey % KEYS.length]] as [string, string];
    this.#tag += 1;
    const value = punch ? undefined : `value ${this.#tag}`;
    open.model.put({ key: valueKey(oid, dname, aname), value, condition });
    const bytes = value === undefined ? undefined : Buffer.from(value);
    const [dkey, akeyBytes] = [Buffer.from(dname), Buffer.from(aname)];
    open.real.put({ oid, dkey, akey: akeyBytes, value: bytes, condition });
    for (const buffer of [dkey, akeyBytes, bytes]) buffer?.fill(0xee);
  }

  #punch({ tx, array }: { tx: number; array: number }): void {
    const open = this.#at(this.#open, tx);
    const { oid } = ARRAYS[array % ARRAYS.length] as (typeof ARRAYS)[number];
    open?.real.punch(oid);
    open?.model.punches.add(oid);
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
      if (typeof expected === "string" && isDaosError(error, expected)) return;
      throw error;
    }
    if (typeof expected === "string") throw differs("a commit", `epoch ${epoch}`, expected);
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
    const put = { object: array, key, akey: 0, punch: key % 4 === 0, condition: "none" } as const;
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
      if (typeof expected === "string") throw differs("a publication", epoch, expected);
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
      if (typeof expected !== "string" || !isDaosError(error, expected)) throw error;
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
    const expected = open.model.over(this.#model.at(view.epoch), oid, arraySize(oid));
    const size = view.arraySize(oid, open.real);
    if (size !== expected.size) throw differs("own size", size, expected.size);
    const target = new Uint8Array(arraySize(oid)).fill(0xcc);
    const all = { pattern: Pattern.contiguous(0, target.length), from: 0, to: target.length };
    view.readArray(oid, all, target, open.real);
    compareBytes(`own array ${oid}`, target, expected.bytes);
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
      if (size !== expected.size) throw differs(`size of ${oid}`, size, expected.size);
      const bytes = view.readBytes(oid, 0, arraySize(oid));
      compareBytes(`array ${oid} at ${view.epoch}`, bytes, expected.bytes);
    }
    this.#checkValues(view, state);
  }

  #checkValues(view: ContainerView, state: ContainerState): void {
    for (const oid of VALUE_OBJECTS) {
      for (const akey of KEYS) {
        const listed: string[] = [];
        for (const dkey of KEYS) {
          const value = view.getValue(oid, Buffer.from(dkey), Buffer.from(akey));
          const text = value === undefined ? undefined : Buffer.from(value).toString();
          const expected = state.values.get(valueKey(oid, dkey, akey));
          if (text !== expected) throw differs(`value ${oid}/${dkey}/${akey}`, text, expected);
          if (expected !== undefined) listed.push(`${dkey}=${expected}`);
        }
        const found = view
          .listDkeys(oid, { akey: Buffer.from(akey) })
          .map(({ dkey, value }) => `${Buffer.from(dkey)}=${Buffer.from(value)}`);
        if (String(found) !== String(listed)) throw differs(`dkeys of ${oid}`, found, listed);
      }
    }
  }

  /** Closes everything. */
  close(): void {
    for (const pool of this.#pools) pool.close();
  }
}

/** What `body` returns, or the code of its typed error. */
function outcome(body: () => string): string {
  try {
    return body();
  } catch (error) {
    if (isDaosError(error)) return error.code;
    throw error;
  }
}

function epochIn(line: string | undefined): bigint {
  return BigInt((line ?? "").split(" ")[0] as string);
}

function compareBytes(what: string, real: Uint8Array, model: Uint8Array): void {
  if (Buffer.compare(real, model) === 0) return;
  const at = model.findIndex((byte, index) => byte !== real[index]);
  throw differs(`${what}, byte ${at}`, real[at], model[at]);
}
