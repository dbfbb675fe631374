/**
 * Attributes: values that programs and libraries of a program attach to communicators.
 *
 * @module
 */

/**
 * What happens to an attribute when its communicator is duplicated.
 *
 * @returns The value for the copy; undefined if it gets none.
 */
export type AttributeCopy<T> = (value: T) => T | undefined;

/** How attributes of a key behave. */
export interface KeyvalOptions<T> {
  /** Called by `dup`; by default the copy gets none (MPI_COMM_NULL_COPY_FN). */
  readonly copy?: AttributeCopy<T>;
  /** Called when the attribute is replaced or deleted, or its communicator freed. */
  readonly delete?: (value: T) => void;
}

/** A key for attributes (MPI_Comm_create_keyval): an object, known to who made it. @mpi MPI_Comm_create_keyval */
export class Keyval<T> {
  readonly #options: KeyvalOptions<T>;

  /** @param options What happens to values. */
  constructor(options: KeyvalOptions<T> = {}) {
    this.#options = options;
  }

  /** @internal */
  copyOf(value: T): T | undefined {
    return this.#options.copy?.(value);
  }

  /** @internal */
  deleted(value: T): void {
    this.#options.delete?.(value);
  }
}

/** A copy function that hands the same value on (MPI_COMM_DUP_FN). */
export function sameValue<T>(value: T): T {
  return value;
}

/** The attributes of one communicator. */
export class Attributes {
  readonly #values = new Map<Keyval<unknown>, unknown>();

  get<T>(key: Keyval<T>): T | undefined {
    return this.#values.get(key as Keyval<unknown>) as T | undefined;
  }

  set<T>(key: Keyval<T>, value: T): void {
    this.delete(key);
    this.#values.set(key as Keyval<unknown>, value);
  }

  delete<T>(key: Keyval<T>): boolean {
    const known = key as Keyval<unknown>;
    if (!this.#values.has(known)) return false;
    const value = this.#values.get(known);
    this.#values.delete(known);
    known.deleted(value);
    return true;
  }

  /** What a copy of the communicator gets. */
  copyTo(other: Attributes): void {
    for (const [key, value] of this.#values) {
      const copy = key.copyOf(value);
      if (copy !== undefined) other.#values.set(key, copy);
    }
  }

  /** Gives all values away, as they are. */
  moveTo(other: Attributes): void {
    for (const [key, value] of this.#values) other.#values.set(key, value);
    this.#values.clear();
  }

  /** Deletes all, the last one first. */
  clear(): void {
    for (const key of [...this.#values.keys()].reverse()) this.delete(key);
  }
}

/** What a library says of itself and the job, by the names of the standard without `MPI_`. */
export const PREDEFINED_ATTRIBUTES = [
  "TAG_UB",
  "UNIVERSE_SIZE",
  "APPNUM",
  "WTIME_IS_GLOBAL",
  "LASTUSEDCODE",
] as const;

/** Name of a predefined attribute. */
export type PredefinedAttribute = (typeof PREDEFINED_ATTRIBUTES)[number];
