/**
 * Elements read into memory that is there, or written from parts of it.
 *
 * @module
 */

import { DaosError } from "../../../core/index.js";
import {
  arrayOver,
  bytesOf,
  bytesPerElement,
  dtypeOfArray,
  type NumberArray,
  type NumericName,
} from "../datatype/names.js";
import { type MemoryArray, pickElements, placeElements } from "../selection/pick.js";
import {
  type ResolvedSelection,
  resolveSelection,
  type Selection,
} from "../selection/selection.js";
import { wholeRegion } from "../selection/space-selection.js";
import type { Shaped } from "../values/elements.js";
import { convertNumbers } from "../values/numbers.js";

/** Elements of an array in memory. */
export interface DirectPlace {
  readonly name: NumericName;
  readonly array: MemoryArray;
  /** `undefined` for all of them. */
  readonly selection: ResolvedSelection | undefined;
}

function invalid(dataset: string, why: string, remedy: string): DaosError {
  return new DaosError("DER_INVAL", {
    what: `Copying elements of dataset "${dataset}"`,
    why,
    remedy,
  });
}

/**
 * Elements of an array in memory that take part in a transfer.
 *
 * @throws `DaosError` `DER_INVAL` for what is no array of numbers, or another count of elements.
 */
export function directPlace(
  dataset: string,
  memory: NumberArray | Shaped<NumberArray>,
  selection: Selection | undefined,
  count: number,
): DirectPlace {
  const data = ArrayBuffer.isView(memory) ? memory : memory.data;
  const shape = ArrayBuffer.isView(memory) ? [memory.length] : memory.shape;
  const name = dtypeOfArray(data);
  if (name === undefined) throw invalid(dataset, "the memory is no typed array", "give one");
  if (shape.reduce((product, extent) => product * extent, 1) !== data.length) {
    throw invalid(dataset, `${data.length} elements are not [${shape}]`, "correct the shape");
  }
  const resolved = selection === undefined ? undefined : resolveSelection(shape, selection);
  const here = resolved?.count ?? data.length;
  if (here !== count) {
    const why = `${count} elements of the dataset are selected, and ${here} in memory`;
    throw invalid(dataset, why, "select as many on both sides");
  }
  const array = { bytes: bytesOf(data), shape, itemSize: bytesPerElement(name) };
  return { name, array, selection: resolved };
}

/** All elements of a place. */
function resolvedOf({ array, selection }: DirectPlace): ResolvedSelection {
  const count = array.bytes.length / array.itemSize;
  return selection ?? { region: wholeRegion(array.shape), shape: array.shape, count };
}

/**
 * Puts elements where they go, converted if need be.
 *
 * @throws `DaosError` `DER_INVAL` if they are no numbers.
 */
export function placeNumbers(dataset: string, elements: unknown, place: DirectPlace): void {
  if (dtypeOfArray(elements) === undefined) {
    throw invalid(dataset, "its elements are no numbers", "use read()");
  }
  const converted = convertNumbers(place.name, elements as NumberArray);
  placeElements(bytesOf(converted), place.array, resolvedOf(place));
}

/** The elements of a place, behind one another. */
export function pickNumbers(place: DirectPlace): NumberArray {
  return arrayOver(place.name, pickElements(place.array, resolvedOf(place)));
}
