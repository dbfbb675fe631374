/**
 * The watcher: a reader that looks at a container while a job writes to it, and checks that every
 * version that it can see is a whole checkpoint.
 *
 * @module
 */

import { type Container, type Epoch, isDaosError } from "daos-ts";
import { defectOf, type Finding, findingOf, readVersion } from "./inspection.js";

const LOOK_INTERVAL_MS = 150;
/** The newest version is read again, although it should not change, at least so often. */
const AGAIN_INTERVAL_MS = 1000;

/** Watches one container. */
export class Watcher {
  readonly #container: Container;
  readonly #address: string;
  readonly #findings = new Map<Epoch, Finding | undefined>();
  readonly #defects: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lookedAgain = 0;
  #lookCount = 0;

  /**
   * @param container Handle of this process.
   * @param address Of the checkpoint file in it.
   */
  constructor(container: Container, address: string) {
    this.#container = container;
    this.#address = address;
  }

  /** Number of versions that were read and judged. */
  get lookCount(): number {
    return this.#lookCount;
  }

  /** What was wrong with versions that were visible, for people. */
  get defects(): readonly string[] {
    return this.#defects;
  }

  /** The whole checkpoints that were seen, by epoch. */
  get findings(): Finding[] {
    const found = [...this.#findings.values()].filter((it) => it !== undefined);
    return found.sort((a, b) => (a.epoch < b.epoch ? -1 : 1));
  }

  /** Starts to look now and then. */
  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_INTERVAL_MS);
  }

  /** Stops, after a last look at all that is visible. */
  stop(): void {
    clearInterval(this.#timer);
    this.#lookedAgain = 0;
    this.look();
  }

  /** Judges the versions that are new, and now and then the newest one again. */
  look(): void {
    for (const { epoch } of this.#container.commits()) {
      if (!this.#findings.has(epoch)) this.#judge(epoch);
    }
    if (performance.now() - this.#lookedAgain < AGAIN_INTERVAL_MS) return;
    this.#lookedAgain = performance.now();
    this.#judge();
  }

  #judge(epoch?: Epoch): void {
    this.#lookCount += 1;
    try {
      const version = readVersion(this.#address, epoch);
      const defect = version && defectOf(version);
      if (defect !== undefined) this.#defects.push(`epoch ${version?.epoch}: ${defect}`);
      const seen = version?.epoch ?? epoch;
      if (seen === undefined || this.#findings.has(seen)) return;
      this.#findings.set(seen, version && defect === undefined ? findingOf(version) : undefined);
    } catch (error) {
      // Old versions may go between being listed and being read.
      if (isDaosError(error, "DER_EPOCH_GONE")) return;
      this.#defects.push(`epoch ${epoch ?? "newest"}: ${(error as Error).message}`);
    }
  }
}
