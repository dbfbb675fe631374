/**
 * A scenario that passes every path of the log: new segments, tails leased again, segments that become
 * free and are recycled, aggregation, and what a reopened pool must show at any moment of it.
 *
 * Each step is tried until it succeeds, and a failure must be a typed error: a test makes operations
 * fail or takes crash images, and the scenario knows what is acknowledged.
 *
 * @module
 */

import {
  type Container,
  type Device,
  type Epoch,
  isDaosError,
  Pattern,
  Pool,
  wholeOf,
} from "daos-ts";

const ARRAY = 1n;
const OBJECT = 2n;
const KEY = Buffer.from("k");
/** Holds a value that lies in the log. */
const LONG_KEY = Buffer.from("l");
const LONG_SIZE = 7000;
/** Past a checksum block, so that full blocks and a partial last one are written. */
const SIZE = 40_000;
const ATTEMPTS_MAX = 3;

/** Version `n` of the container: bytes of its array, and the values of its keys. */
function bytesOf(version: number): Uint8Array {
  return Uint8Array.from({ length: SIZE }, (_, at) => version * 31 + at * 7 + (at >> 8));
}

/** A pool that goes through versions, and what is known of them. */
export class CommitScenario {
  readonly #path: string;
  readonly #device: Device;
  #pool: Pool | undefined;
  /** Versions whose commit returned, by epoch. */
  readonly #acknowledged = new Map<Epoch, number>();
  /** Epochs that aggregation may have dropped already. */
  #horizon: Epoch = 0n;
  /** The version that is being committed. */
  #inFlight: number | undefined;
  #version = 0;

  constructor(path: string, device: Device) {
    this.#path = path;
    this.#device = device;
  }

  /** Creates the pool and its container, which everything after needs. */
  create(): void {
    const device = this.#device;
    this.#pool = Pool.create({ path: this.#path, device });
    this.#pool.createContainer("c", { retainCommits: 1 });
  }

  get #container(): Container {
    return (this.#pool as Pool).openContainer("c");
  }

  /** Tries a step until it succeeds; only typed errors are allowed. */
  #persist(step: () => void): void {
    for (let attempt = 1; ; attempt++) {
      try {
        step();
        return;
      } catch (error) {
        if (!isDaosError(error) || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** Commits the next version: the whole array, or its second half and then some. */
  commitOnce(): void {
    this.#version += 1;
    const version = this.#version;
    const bytes = bytesOf(version);
    this.#inFlight = version;
    const container = this.#container;
    const { epoch } = container.update((tx) => {
      for (const [start, end] of [
        [0, 10_000],
        [10_000, SIZE],
      ] as const) {
        const range = wholeOf(Pattern.contiguous(start, end));
        tx.write(ARRAY, range, bytes.subarray(start, end), 0n);
      }
      const value = Buffer.from(`version ${version}`);
      tx.put({ oid: OBJECT, dkey: KEY, akey: KEY, value, condition: "none" });
      const long = bytes.subarray(0, LONG_SIZE);
      tx.put({ oid: OBJECT, dkey: KEY, akey: LONG_KEY, value: long, condition: "none" });
    });
    this.#acknowledged.set(epoch, version);
    this.#inFlight = undefined;
  }

  #reopen(): void {
    this.#pool?.close();
    this.#pool = undefined;
    this.#persist(() => {
      this.#pool = Pool.connect(this.#path, { device: this.#device });
    });
  }

  #aggregate(): void {
    this.#horizon = [...this.#acknowledged.keys()].at(-1) ?? 0n;
    this.#persist(() => this.#container.aggregate());
  }

  #commit(): void {
    this.#persist(() => this.commitOnce());
  }

  #checkAll(): void {
    this.#persist(() => this.#check(this.#container));
  }

  /** The whole scenario. */
  run(): void {
    this.#commit();
    this.#commit();
    this.#checkAll();
    this.#aggregate();
    this.#reopen();
    this.#commit();
    this.#checkAll();
    this.#reopen();
    this.#recycle();
    this.#commit();
    this.#aggregate();
    this.#persist(() => (this.#pool as Pool).recover());
    this.#reopen();
    this.#commit();
    this.#checkAll();
  }

  /** Frees a segment while another one is leased, so that the next writer recycles it. */
  #recycle(): void {
    // This writer goes on with the tail of the first segment, the scenario's own makes a second.
    this.#beside((container) => {
      const range = wholeOf(Pattern.contiguous(0, 10));
      container.update((tx) => tx.write(3n, range, new Uint8Array(10), container.incarnation(3n)));
      this.#commit();
      container.update((tx) => tx.punch(3n));
    });
    // Nothing that is kept lies in the first segment any more.
    this.#commit();
    this.#aggregate();
    this.#reopen();
    this.#commit();
    this.#beside((container) => {
      const range = wholeOf(Pattern.contiguous(0, SIZE));
      const incarnation = container.incarnation(4n);
      container.update((tx) => tx.write(4n, range, new Uint8Array(SIZE), incarnation));
    });
  }

  /** Lets another writer work on the container. */
  #beside(work: (container: Container) => void): void {
    this.#persist(() => {
      const pool = Pool.connect(this.#path, { device: this.#device });
      try {
        work(pool.openContainer("c"));
      } finally {
        pool.close();
      }
    });
  }

  #check(container: Container): void {
    for (const [epoch, version] of this.#acknowledged) {
      if (epoch < this.#horizon) continue;
      checkVersion(container, epoch, version);
    }
  }

  /** Opens what a power cut left and checks it; throws if anything acknowledged is not there. */
  checkImage(path: string): void {
    using pool = Pool.connect(path);
    const container = pool.openContainer("c");
    const expected = [...this.#acknowledged].filter(([epoch]) => epoch >= this.#horizon);
    const [newest] = container.commits();
    for (const [epoch, version] of expected) checkVersion(container, epoch, version);
    const last = [...this.#acknowledged.keys()].at(-1) ?? 0n;
    const beyond = newest !== undefined && newest.epoch > last;
    if (beyond) this.#checkInFlight(container, newest.epoch);
    pool.recover();
    this.#checkWrites(container);
    for (const [epoch, version] of expected.slice(-1)) checkVersion(container, epoch, version);
  }

  /** What is newer than everything acknowledged is the whole commit in flight, or of another writer. */
  #checkInFlight(container: Container, epoch: Epoch): void {
    const version = versionAt(container, epoch);
    const isKnown = [...this.#acknowledged.values()].includes(version);
    if (version !== this.#inFlight && !isKnown) throw new Error(`version ${version} is visible`);
    checkVersion(container, epoch, version);
  }

  /** The pool takes writes: twice, so that segments are leased and gone on with. */
  #checkWrites(container: Container): void {
    for (const tag of [1, 2]) {
      const bytes = new Uint8Array(SIZE).fill(tag);
      const { epoch } = container.update((tx) => {
        tx.write(9n, wholeOf(Pattern.contiguous(0, SIZE)), bytes, 0n);
      });
      using view = container.view(epoch);
      const read = view.readBytes(9n, 0, SIZE);
      if (Buffer.compare(read, bytes) !== 0) throw new Error("a new write reads back wrong");
    }
  }

  /** Closes the pool. */
  close(): void {
    this.#pool?.close();
  }
}

function versionAt(container: Container, epoch: Epoch): number {
  using view = container.view(epoch);
  const value = view.getValue(OBJECT, KEY, KEY);
  return Number(/\d+$/.exec(Buffer.from(value ?? "0").toString())?.[0]);
}

function checkVersion(container: Container, epoch: Epoch, version: number): void {
  const found = versionAt(container, epoch);
  if (found !== version) throw new Error(`epoch ${epoch} has version ${found}, not ${version}`);
  if (version === 0) return;
  using view = container.view(epoch);
  if (view.arraySize(ARRAY) !== SIZE) throw new Error(`epoch ${epoch} has another array size`);
  if (Buffer.compare(view.readBytes(ARRAY, 0, SIZE), bytesOf(version)) !== 0) {
    throw new Error(`epoch ${epoch} reads back other bytes`);
  }
  const long = view.getValue(OBJECT, KEY, LONG_KEY) ?? new Uint8Array();
  if (Buffer.compare(long, bytesOf(version).subarray(0, LONG_SIZE)) !== 0) {
    throw new Error(`epoch ${epoch} has another long value`);
  }
}
