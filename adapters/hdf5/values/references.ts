/**
 * References: elements that lead to objects of the file, or to elements of datasets.
 *
 * @module
 */

import type { SpaceSelection } from "../description.js";

/** A reference to an object of the same file; see `File.dereference`. */
export class Reference {
  /** The object, as elements hold it. */
  readonly object: bigint;

  /** @internal */
  constructor(object: bigint) {
    this.object = object;
  }
}

/** A reference to elements of a dataset; see `File.region`. */
export class RegionReference extends Reference {
  /** The elements. */
  readonly selection: SpaceSelection;

  /** @internal */
  constructor(object: bigint, selection: SpaceSelection) {
    super(object);
    this.selection = selection;
  }
}
