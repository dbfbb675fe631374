/**
 * Compares two versions of a target's container, pinned for as long as that takes.
 *
 * @module
 */

import type { IndexReader } from "../index/index-reader.js";
import { type ContainerChange, ContainerDiff, type DiffOptions, type DiffSource } from "./diff.js";
import type { Epoch } from "./epoch.js";
import type { KeyView } from "./key-view.js";
import type { Pin } from "./pins.js";

/** What is needed of the target. */
export interface DiffTarget extends Pick<DiffSource, "array" | "value"> {
  /** The index, or an error once it is closed. */
  readonly openIndex: () => IndexReader & { readonly readOnly: boolean };
  pin(container: number, epoch: Epoch): Pin;
  keys(container: number, epoch: Epoch): KeyView;
}

/** What differs between two versions; see diff.ts. */
export function* pinnedDiff(
  target: DiffTarget,
  container: number,
  { from, to, compare }: { from: Epoch; to: Epoch } & Required<DiffOptions>,
): Generator<ContainerChange, void, undefined> {
  const isBackward = from > to;
  const pins: Pin[] = [];
  try {
    for (const epoch of isBackward ? [to, from] : [from, to]) {
      pins.push(target.pin(container, epoch));
    }
    const epochs = pins.map(({ epoch }) => epoch) as [Epoch, Epoch];
    const source: DiffSource = {
      get index() {
        return target.openIndex();
      },
      container,
      epochs,
      isBackward,
      compare,
      keys: epochs.map((epoch) => target.keys(container, epoch)) as [KeyView, KeyView],
      array: (array, version) => target.array(array, version),
      value: (object, value) => target.value(object, value),
      requireReadable: () => {
        // Who can write has pinned the versions; who cannot looks whether they are still there.
        if (!target.openIndex().readOnly) return;
        for (const epoch of epochs) target.pin(container, epoch).release();
      },
    };
    yield* new ContainerDiff(source).changes();
  } finally {
    for (const pin of pins) pin.release();
  }
}
