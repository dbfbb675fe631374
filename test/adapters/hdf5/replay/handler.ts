/**
 * How a call of h5py's is made with our API.
 *
 * @module
 */

import { type Call, Inexpressible, type Recorded } from "./recording.ts";
import type { Seen } from "./seen.ts";
import type { World } from "./world.ts";

/** Arguments by their names in h5py. */
export type Arguments = { readonly [name: string]: Recorded };

/** Makes a call. @throws Inexpressible if our API has no counterpart. */
export type Handler = (world: World, args: Arguments, call: Call) => Promise<Seen>;

/** Calls by their names: `Dataset.shape`. */
export type Handlers = { readonly [op: string]: Handler };

/** A call that has no counterpart. */
export function inexpressible(reason: string): Handler {
  return async () => {
    throw new Inexpressible(reason);
  };
}

/** What is the same for several calls. */
export function forAll(names: readonly string[], handler: Handler): Handlers {
  return Object.fromEntries(names.map((name) => [name, handler]));
}

/**
 * Leaves out arguments that are about HDF5's own files: how the library stores and caches does not change what is
 * stored. A call that fails because of them is not expressed.
 *
 * @param left Names of the arguments, and what they are.
 */
export function leaveOut(
  args: Arguments,
  { error }: Call,
  left: { readonly [name: string]: string },
): Arguments {
  const names = Object.keys(args).filter((name) => Object.hasOwn(left, name));
  if (names.length > 0 && error !== undefined) {
    throw new Inexpressible(left[names[0] as string] as string);
  }
  return Object.fromEntries(Object.entries(args).filter(([name]) => !names.includes(name)));
}
