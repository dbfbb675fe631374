/**
 * Info: keys and values that a program tells a library, or a library a program (MPI_Info).
 *
 * A list in plain TypeScript; a library is told of it by the call that it is given to, so that there is nothing to
 * free, and infos work without a library, too. Keys keep the order in which they were set.
 *
 * @module
 */

import { MpiError } from "../errors.js";

/** Longest key, in bytes (MPI_MAX_INFO_KEY of MPICH; Open MPI takes 36). */
const KEY_SIZE_MAX = 255;
/** Longest value, in bytes (MPI_MAX_INFO_VAL of MPICH; Open MPI takes 256). */
const VALUE_SIZE_MAX = 1024;

/** What an info can be made of. */
export type InfoEntries =
  | Iterable<readonly [key: string, value: string]>
  | Readonly<Record<string, string>>;

/**
 * Keys and values, both strings, in the order in which they were set.
 *
 * Every method throws an {@link MpiError}: `MPI_ERR_INFO` after `free`, `MPI_ERR_INFO_KEY` and `MPI_ERR_INFO_VALUE`
 * for what is no string, empty, or too long (255 and 1024 bytes; a library may take less, and says so in the call
 * that is given the info).
 *
 * @example
 * ```ts
 * const info = new Info({ no_locks: "true" });
 * info.set("same_size", "true").size; // 2
 * const window = comm.allocateWindow(1024, { info });
 * ```
 * @mpi MPI_Info_create
 */
export class Info implements Iterable<[string, string]> {
  readonly #values = new Map<string, string>();
  #isFreed = false;

  /** @param entries What it has from the start: an object, a Map, another info, or pairs. */
  constructor(entries: InfoEntries = []) {
    if (typeof entries !== "object" || entries === null) {
      const why = `a ${typeof entries} is no list of keys and values`;
      throw new MpiError({ code: "MPI_ERR_ARG", call: "MPI_Info_create", why });
    }
    const pairs = Symbol.iterator in entries ? entries : Object.entries(entries);
    for (const pair of pairs as Iterable<readonly [string, string]>) this.set(pair[0], pair[1]);
  }

  /** Number of keys (MPI_Info_get_nkeys). @mpi MPI_Info_get_nkeys */
  get size(): number {
    return this.#live("MPI_Info_get_nkeys").size;
  }

  /** Sets the value of a key (MPI_Info_set). @mpi MPI_Info_set */
  set(key: string, value: string): this {
    const values = this.#live("MPI_Info_set");
    requireText("MPI_Info_set", "MPI_ERR_INFO_KEY", key, KEY_SIZE_MAX);
    requireText("MPI_Info_set", "MPI_ERR_INFO_VALUE", value, VALUE_SIZE_MAX);
    values.set(key, value);
    return this;
  }

  /**
   * The value of a key; undefined if it has none (MPI_Info_get).
   *
   * @mpi MPI_Info_get, MPI_Info_get_string, MPI_Info_get_valuelen
   */
  get(key: string): string | undefined {
    return this.#live("MPI_Info_get").get(key);
  }

  /** Whether a key has a value. */
  has(key: string): boolean {
    return this.#live("MPI_Info_get").has(key);
  }

  /** Removes a key; false if it has no value (MPI_Info_delete). @mpi MPI_Info_delete */
  delete(key: string): boolean {
    return this.#live("MPI_Info_delete").delete(key);
  }

  /** Removes all keys. */
  clear(): void {
    this.#live("MPI_Info_delete").clear();
  }

  /**
   * The key at a place (MPI_Info_get_nthkey).
   *
   * @param place From 0 to `size` - 1.
   * @throws {@link MpiError} `MPI_ERR_ARG` for another one.
   * @mpi MPI_Info_get_nthkey
   */
  nthKey(place: number): string {
    const key = [...this.#live("MPI_Info_get_nthkey").keys()][place];
    if (key !== undefined) return key;
    const why = `there is no key ${place} of ${this.#values.size}`;
    throw new MpiError({ code: "MPI_ERR_ARG", call: "MPI_Info_get_nthkey", why });
  }

  /** A copy, in the same order (MPI_Info_dup). @mpi MPI_Info_dup */
  dup(): Info {
    return new Info(this.#live("MPI_Info_dup"));
  }

  /** Makes it useless, as MPI_Info_free does; there is no need to. @mpi MPI_Info_free */
  free(): void {
    this.#live("MPI_Info_free").clear();
    this.#isFreed = true;
  }

  keys(): MapIterator<string> {
    return this.#live("MPI_Info_get_nthkey").keys();
  }

  values(): MapIterator<string> {
    return this.#live("MPI_Info_get").values();
  }

  entries(): MapIterator<[string, string]> {
    return this.#live("MPI_Info_get").entries();
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  #live(call: string): Map<string, string> {
    if (!this.#isFreed) return this.#values;
    throw infoError(call, "the info has been freed");
  }
}

function infoError(call: string, why: string): MpiError {
  return new MpiError({ code: "MPI_ERR_INFO", call, why, remedy: "Pass an Info, or undefined" });
}

function requireText(call: string, code: string, text: unknown, sizeMax: number): void {
  const isText = typeof text === "string" && text.length > 0 && !text.includes("\0");
  if (isText && Buffer.byteLength(text) <= sizeMax) return;
  const shown = typeof text === "string" ? JSON.stringify(text.slice(0, 40)) : String(text);
  throw new MpiError({
    code,
    call,
    why: `${shown} is not allowed`,
    remedy: `Use a string of 1 to ${sizeMax} bytes without NUL`,
  });
}

/** Keys and values in turn, as the addon takes and gives them. @internal */
export type InfoPairs = readonly string[];

/**
 * An info as the addon takes it; undefined is MPI_INFO_NULL.
 *
 * @throws {@link MpiError} `MPI_ERR_INFO` for what is no info, or a freed one.
 * @internal
 */
export function infoPairs(call: string, info: Info | undefined): InfoPairs | undefined {
  if (info === undefined) return undefined;
  if (!(info instanceof Info)) throw infoError(call, "the info is none");
  return [...info].flat();
}

/** An info of what the addon gives. @internal */
export function infoOf(pairs: InfoPairs): Info {
  const info = new Info();
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const [key, value] = [pairs[i] as string, pairs[i + 1] as string];
    if (value !== "") info.set(key, value); // Open MPI lists keys of which nothing is known.
  }
  return info;
}
