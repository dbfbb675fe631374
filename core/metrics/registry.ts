/**
 * Metrics: counters, gauges and histograms of one process, in one array of numbers.
 *
 *     counter     1 slot
 *     histogram   1 slot per bound, 1 for what is above all of them, 1 for the sum
 *
 * To count is to add to a slot: no allocation, no look-up, no branch. Reading them is {@link
 * MetricRegistry.snapshot}; `prometheus.ts` prints what that returns.
 *
 * @module
 */

import { DaosError } from "../errors.js";
import { METRIC_SLOTS_MAX } from "../limits.js";

/** Names and values that tell samples of one metric apart. */
export type MetricLabels = Readonly<Record<string, string>>;

/** A number of one metric. */
export interface MetricSample {
  /** Empty if the metric has one sample. */
  readonly labels: MetricLabels;
  /** In the unit that the metric's name ends with. */
  readonly value: number;
}

/** A distribution of one metric. */
export interface HistogramSample {
  /** Empty if the metric has one sample. */
  readonly labels: MetricLabels;
  /** Upper bounds of the buckets, increasing, without infinity. */
  readonly bounds: readonly number[];
  /** Observations per bucket, not accumulated; one more than bounds. */
  readonly counts: readonly number[];
  /** Sum of all observations. */
  readonly sum: number;
}

/** What all metrics have. */
export interface MetricFacts {
  /** Name, with its unit at the end. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
}

/** A metric of single numbers. */
export interface NumberFamily extends MetricFacts {
  /** Whether it only grows. */
  readonly type: "counter" | "gauge";
  /** One for each set of labels. */
  readonly samples: readonly MetricSample[];
}

/** A metric of distributions. */
export interface HistogramFamily extends MetricFacts {
  /** Its kind. */
  readonly type: "histogram";
  /** One for each set of labels. */
  readonly samples: readonly HistogramSample[];
}

/** A metric and its numbers at one moment. */
export type MetricFamily = NumberFamily | HistogramFamily;

/** What a metric is called. */
export interface MetricOptions {
  /** Letters, digits and `_`, with the unit at the end: `daos_read_bytes_total`. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  /** What tells it apart from others of that name. */
  readonly labels?: MetricLabels;
}

const NAME_PATTERN = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_PATTERN = /^(?!__)(?!le$)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** A number that only grows. */
export class Counter {
  readonly #slots: Float64Array;
  readonly #slot: number;

  constructor(slots: Float64Array, slot: number) {
    this.#slots = slots;
    this.#slot = slot;
  }

  /**
   * Counts more.
   *
   * @param count How many more; not negative.
   */
  add(count: number): void {
    (this.#slots[this.#slot] as number) += count;
  }

  /** What was counted. */
  get value(): number {
    return this.#slots[this.#slot] as number;
  }
}

/** How often values fell into each of a few buckets. */
export class Histogram {
  readonly #slots: Float64Array;
  readonly #slot: number;
  readonly #bounds: Float64Array;

  constructor(slots: Float64Array, slot: number, bounds: readonly number[]) {
    this.#slots = slots;
    this.#slot = slot;
    this.#bounds = Float64Array.from(bounds);
  }

  /** Adds a value, in the unit of the metric; a bucket holds what is at most its bound. */
  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
    (this.#slots[this.#slot + bucket] as number) += 1;
    (this.#slots[this.#slot + bounds.length + 1] as number) += value;
  }

  /** What was observed. */
  sample(labels: MetricLabels): HistogramSample {
    const end = this.#slot + this.#bounds.length + 1;
    const counts = [...this.#slots.subarray(this.#slot, end)];
    return { labels, bounds: [...this.#bounds], counts, sum: this.#slots[end] as number };
  }
}

type Registered = MetricOptions & { readonly labels: MetricLabels } & (
    | { readonly type: "counter"; readonly metric: Counter }
    | { readonly type: "gauge"; readonly read: () => number }
    | { readonly type: "histogram"; readonly metric: Histogram }
  );

/** All metrics of a process. Metrics are registered once, at the start, and stay. */
export class MetricRegistry {
  readonly #slots = new Float64Array(METRIC_SLOTS_MAX);
  readonly #registered: Registered[] = [];
  #used = 0;

  /**
   * Registers a counter.
   *
   * @throws {@link DaosError} `DER_INVAL` for a bad name or label, `DER_EXIST` if name and labels are taken,
   *   or the name is one of another kind, `DER_NOSPACE` if there is no room for another.
   */
  counter(options: MetricOptions): Counter {
    const labels = this.#check(options, "counter");
    const metric = new Counter(this.#slots, this.#take(options.name, 1));
    this.#registered.push({ ...options, labels, type: "counter", metric });
    return metric;
  }

  /** Registers a number that is asked for when metrics are read; throws as {@link counter} does. */
  gauge(options: MetricOptions, read: () => number): void {
    const labels = this.#check(options, "gauge");
    this.#registered.push({ ...options, labels, type: "gauge", read });
  }

  /**
   * Registers a histogram; throws as {@link counter} does.
   *
   * @param bounds Upper bounds of its buckets, increasing and finite; at least one.
   */
  histogram(options: MetricOptions, bounds: readonly number[]): Histogram {
    const labels = this.#check(options, "histogram");
    const isRising = bounds.every((bound, at) => {
      return Number.isFinite(bound) && (at === 0 || bound > (bounds[at - 1] as number));
    });
    if (!isRising || bounds.length === 0) {
      const what = `Registering metric ${options.name}`;
      const remedy = "give finite bounds, each larger than the one before";
      throw new DaosError("DER_INVAL", { what, why: "its bounds are not increasing", remedy });
    }
    const slot = this.#take(options.name, bounds.length + 2);
    const metric = new Histogram(this.#slots, slot, bounds);
    this.#registered.push({ ...options, labels, type: "histogram", metric });
    return metric;
  }

  #check({ name, labels = {} }: MetricOptions, type: Registered["type"]): MetricLabels {
    const what = `Registering metric ${JSON.stringify(name)}`;
    if (!NAME_PATTERN.test(name) || Object.keys(labels).some((key) => !LABEL_PATTERN.test(key))) {
      const remedy = "use letters, digits and _";
      throw new DaosError("DER_INVAL", { what, why: "its name or a label is none", remedy });
    }
    const same = this.#registered.filter((other) => other.name === name);
    const keyOf = (of: MetricLabels) => JSON.stringify(Object.entries(of).sort());
    const isTaken = same.some((other) => keyOf(other.labels) === keyOf(labels));
    if (isTaken || same.some((other) => other.type !== type)) {
      const remedy = "choose another name";
      throw new DaosError("DER_EXIST", { what, why: "there is one of that name", remedy });
    }
    return labels;
  }

  #take(name: string, count: number): number {
    const slot = this.#used;
    if (slot + count > METRIC_SLOTS_MAX) {
      const why = `${slot} of ${METRIC_SLOTS_MAX} slots are in use`;
      const text = { what: `Registering metric ${name}`, why, remedy: "register fewer metrics" };
      throw new DaosError("DER_NOSPACE", text);
    }
    this.#used += count;
    return slot;
  }

  /** All metrics as they are now, in the order of registration; those of one name together. */
  snapshot(): MetricFamily[] {
    const families = new Map<
      string,
      { name: string; help: string; type: string; samples: unknown[] }
    >();
    for (const entry of this.#registered) {
      const { name, help, type, labels } = entry;
      let family = families.get(name);
      if (family === undefined) {
        family = { name, help, type, samples: [] };
        families.set(name, family);
      }
      if (entry.type === "histogram") family.samples.push(entry.metric.sample(labels));
      else {
        const value = entry.type === "counter" ? entry.metric.value : entry.read();
        family.samples.push({ labels, value });
      }
    }
    return [...families.values()] as MetricFamily[];
  }
}
