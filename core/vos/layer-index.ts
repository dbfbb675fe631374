/**
 * The layers of one array at one epoch, so that a read meets only those that it may show.
 *
 *     recent   the newest layers, walked one by one              few
 *     sparse   patterns: an interval tree over their bounds      those that overlap the read
 *     solid    contiguous layers: flattened, see solid-map.ts    those that the read shows
 *
 * Layers have numbers, and the newer has the larger one: indexed layers first, then recent ones. An
 * index never changes: a later epoch's extends it and shares what it can. When there are many recent
 * layers, they are put into a new index, and those that are hidden fall out of it.
 *
 * Algorithm only: no I/O.
 *
 * @module
 */

import { LAYERS_RECENT_MAX, LAYERS_UNINDEXED_MAX } from "../limits.js";
import { finished, PAUSE_COUNT, type Pausing, sortedBy } from "./pausing.js";
import { isHole, type Layer } from "./piece.js";
import { flatten, flattenPausing, NO_OWNER, SolidMap } from "./solid-map.js";
import { type NumberList, SparseTree } from "./sparse-tree.js";

/** Most arrays are small and have no indexed layer: they share what says so. */
const NOTHING_INDEXED = {
  sparse: new SparseTree([], []),
  solid: flatten([], 0),
  shifts: new Float64Array(0),
};

/** Layers that can be searched; see the module. */
export class LayerIndex<L extends Layer = Layer> {
  /** Indexed layers, oldest first. */
  readonly #indexed: readonly L[];
  readonly #recent: readonly L[];
  readonly #sparse: SparseTree;
  /** Which contiguous layer shows each offset; recent ones are not among them. */
  readonly solid: SolidMap;
  /** What leads from an array offset to a packed byte of each indexed layer that is contiguous. */
  readonly #shifts: Float64Array;
  /** Whether a layer may be a punched range. */
  readonly hasHoles: boolean;

  private constructor(parts: {
    indexed: readonly L[];
    recent: readonly L[];
    sparse: SparseTree;
    solid: SolidMap;
    shifts: Float64Array;
    hasHoles: boolean;
  }) {
    this.hasHoles = parts.hasHoles;
    this.#shifts = parts.shifts;
    this.#indexed = parts.indexed;
    this.#recent = parts.recent;
    this.#sparse = parts.sparse;
    this.solid = parts.solid;
  }

  /** An index of layers given oldest first. */
  static of<L extends Layer>(layers: readonly L[]): LayerIndex<L> {
    return layers.length <= LAYERS_UNINDEXED_MAX
      ? LayerIndex.#unindexed(layers)
      : finished(LayerIndex.pausing(layers));
  }

  /** The common case: so few that they are only walked. */
  static #unindexed<L extends Layer>(recent: readonly L[]): LayerIndex<L> {
    const hasHoles = recent.some(({ piece }) => isHole(piece));
    return new LayerIndex<L>({ indexed: [], recent, hasHoles, ...NOTHING_INDEXED });
  }

  /** The same, with pauses. */
  static *pausing<L extends Layer>(layers: readonly L[]): Pausing<LayerIndex<L>> {
    if (layers.length <= LAYERS_UNINDEXED_MAX) return LayerIndex.#unindexed(layers);
    return yield* LayerIndex.#unindexed<L>([]).#rebuilt(layers);
  }

  /** Number of layers. */
  get count(): number {
    return this.#indexed.length + this.#recent.length;
  }

  /** A layer by number. */
  layer(number: number): L {
    const recent = number - this.#indexed.length;
    return (recent < 0 ? this.#indexed[number] : this.#recent[recent]) as L;
  }

  /**
   * The packed byte at an offset that the solid map says is a layer's. It looks at no layer: there may
   * be very many, spread over memory.
   */
  packedOf(owner: number, offset: number): number {
    return offset + (this.#shifts[owner] as number);
  }

  /** This index with newer layers, given oldest first. */
  extended(layers: readonly L[]): LayerIndex<L> {
    if (layers.length === 0) return this;
    const indexed = this.#indexed;
    const recent = [...this.#recent, ...layers];
    if (recent.length > LAYERS_RECENT_MAX) return finished(this.#rebuilt(recent));
    const [sparse, solid, shifts] = [this.#sparse, this.solid, this.#shifts];
    const hasHoles = this.hasHoles || layers.some(({ piece }) => isHole(piece));
    return new LayerIndex({ indexed, recent, sparse, solid, shifts, hasHoles });
  }

  *#rebuilt(recent: readonly L[]): Pausing<LayerIndex<L>> {
    const first = this.#indexed.length;
    const all = this.#indexed.concat(recent);
    const solid = yield* this.solid.under(yield* flattenPausing(recent, first));
    yield;
    const shown = new Uint8Array(all.length);
    for (const owner of solid.owners) if (owner !== NO_OWNER) shown[owner] = 1;
    const sparse: number[] = [];
    for (const number of this.#sparse.numbers) sparse.push(number);
    for (const [index, { piece }] of recent.entries()) {
      if (piece.pattern.levels.length > 0) sparse.push(first + index);
    }
    yield;
    for (const number of yield* withoutTwins(all, sparse)) shown[number] = 2;
    // Layers that are hidden fall out; the others take new numbers, in the same order.
    const renumbered = new Int32Array(all.length);
    const indexed: L[] = [];
    const sparseNumbers: number[] = [];
    let hasHoles = false;
    for (let number = 0; number < all.length; number++) {
      if (shown[number] === 0) continue;
      const layer = all[number] as L;
      renumbered[number] = indexed.length;
      if (shown[number] === 2) sparseNumbers.push(indexed.length);
      hasHoles ||= isHole(layer.piece);
      indexed.push(layer);
      if (number % PAUSE_COUNT === PAUSE_COUNT - 1) yield;
    }
    const owners = solid.owners.map((owner) =>
      owner === NO_OWNER ? NO_OWNER : (renumbered[owner] as number),
    );
    yield;
    const startOf = (number: number) => (indexed[number] as L).start;
    const numbers = yield* sortedBy(sparseNumbers, startOf);
    yield;
    return new LayerIndex({
      indexed,
      recent: [],
      sparse: new SparseTree(indexed, numbers),
      solid: new SolidMap({ starts: solid.starts, owners }, solid.count),
      shifts: Float64Array.from(indexed, ({ piece, start }) => piece.from - start),
      hasHoles,
    });
  }

  /** Adds the layers other than solid ones whose bounds overlap `[start, end)`, in no order. */
  collect(start: number, end: number, into: NumberList): void {
    this.#sparse.collect(start, end, into);
    for (let index = 0; index < this.#recent.length; index++) {
      const layer = this.#recent[index] as L;
      if (layer.start < end && layer.end > start) into.add(this.#indexed.length + index);
    }
  }
}

/** The layers that no newer one of the same pattern hides. */
function* withoutTwins(layers: readonly Layer[], numbers: readonly number[]): Pausing<number[]> {
  const newest = new Map<string, number>();
  let left = PAUSE_COUNT;
  for (const number of numbers) {
    const { pattern, from, to } = (layers[number] as Layer).piece;
    const levels = pattern.levels.map(({ stride, count }) => `${stride}x${count}`);
    const name = [pattern.start, pattern.blockLength, ...levels, from, to].join(",");
    newest.set(name, Math.max(number, newest.get(name) ?? 0));
    left -= 8;
    if (left > 0) continue;
    left = PAUSE_COUNT;
    yield;
  }
  return [...newest.values()];
}
