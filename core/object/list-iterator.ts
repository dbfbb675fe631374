/**
 * Lists as async iterators that take a batch of the index at a time and can be resumed.
 *
 * One version is shown from the first item to the last: it stays pinned until the list ends, or its loop is
 * left.
 *
 * @module
 */

import type { ContainerView } from "../pool/view.js";
import type { Anchor } from "../vos/anchor.js";
import type { CallOptions, ObjectSource } from "./object-access.js";

/** Which part of a list is wanted, and how. */
export interface IterateOptions extends CallOptions {
  /** Where to go on, from {@link ListIterator.anchor} or a split; from the start by default. */
  readonly anchor?: Anchor | undefined;
}

/** How one kind of list works. */
export interface ListKind<Item> {
  /** The next items from an anchor on. */
  batch(
    view: ContainerView,
    anchor: Anchor | undefined,
  ): { items: readonly Item[]; anchor: Anchor | undefined };
  /** Where the list goes on behind an item. */
  anchorAfter(item: Item, first: Anchor | undefined): Anchor;
}

/**
 * Iterates over a list.
 *
 * @example
 * ```ts
 * const dkeys = object.listDkeys();
 * for await (const dkey of dkeys) if (isEnough(dkey)) break;
 * for await (const dkey of object.listDkeys({ anchor: dkeys.anchor })) more(dkey);
 * ```
 */
export class ListIterator<Item> implements AsyncIterableIterator<Item, undefined> {
  readonly #source: ObjectSource;
  readonly #options: IterateOptions;
  readonly #kind: ListKind<Item>;
  #opened: ContainerView | undefined;
  #items: readonly Item[] = [];
  #at = 0;
  #last: { readonly item: Item } | undefined;
  #next: Anchor | undefined;
  #state: "begins" | "runs" | "ended" = "begins";

  constructor(source: ObjectSource, options: IterateOptions, kind: ListKind<Item>) {
    this.#source = source;
    this.#options = options;
    this.#kind = kind;
    this.#next = options.anchor;
  }

  /** Where a list goes on behind the item that came last; `undefined` if none came, and none was given. */
  get anchor(): Anchor | undefined {
    const { anchor } = this.#options;
    return this.#last === undefined ? anchor : this.#kind.anchorAfter(this.#last.item, anchor);
  }

  /** The next item. */
  async next(): Promise<IteratorResult<Item, undefined>> {
    try {
      if (this.#state !== "ended" && this.#at >= this.#items.length) this.#take();
    } catch (error) {
      this.#end();
      throw error;
    }
    const item = this.#items[this.#at];
    if (this.#state === "ended" || item === undefined) {
      this.#end();
      return { done: true, value: undefined };
    }
    this.#at += 1;
    this.#last = { item };
    return { done: false, value: item };
  }

  /** Takes the next batch, if there is one. */
  #take(): void {
    this.#options.signal?.throwIfAborted();
    if (this.#state === "runs" && this.#next === undefined) return;
    const { tx } = this.#options;
    if (tx === undefined) this.#opened ??= this.#source.view();
    const view = tx?.view ?? (this.#opened as ContainerView);
    this.#state = "runs";
    const { items, anchor } = this.#kind.batch(view, this.#next);
    this.#items = items;
    this.#next = anchor;
    this.#at = 0;
  }

  #end(): void {
    this.#state = "ended";
    this.#items = [];
    this.#opened?.close();
    this.#opened = undefined;
  }

  /** Ends the list early, as a loop that is left does. */
  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  /** Itself: a list is iterated over once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** All items that are left. */
  async toArray(): Promise<Item[]> {
    const items: Item[] = [];
    for await (const item of this) items.push(item);
    return items;
  }
}
