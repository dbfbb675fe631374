/**
 * What the recorder of `python/recorder` writes: the calls that h5py's own tests make, with results and errors.
 * The forms of values are described in its `encode.py`.
 *
 * @module
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { type H5py, runPython } from "../../../support/h5py.ts";

/** A value of Python's. */
export type Recorded =
  | null
  | boolean
  | number
  | string
  | readonly Recorded[]
  | { readonly [kind: string]: unknown };

/** Bytes in base64, compressed if they are many. */
export type Packed = string | { readonly zlib: string };

/** A type of NumPy's, with what h5py adds to it. */
export interface RecordedType {
  readonly kind: string;
  readonly size: number;
  readonly order: "<" | ">" | "|";
  readonly base?: RecordedType;
  readonly shape?: readonly number[];
  readonly fields?: readonly {
    readonly name: string;
    readonly offset: number;
    readonly dtype: RecordedType;
  }[];
  readonly enum?: readonly (readonly [string, string])[];
  readonly text?: { readonly encoding: "ascii" | "utf-8"; readonly length: number | null };
  readonly vlen?: RecordedType;
  readonly ref?: "object" | "region";
  readonly opaque?: true;
  readonly str?: string;
}

/** An array of NumPy's. */
export interface RecordedArray {
  readonly dtype: RecordedType;
  readonly shape: readonly number[];
  readonly data:
    | Packed
    | readonly Recorded[]
    | { readonly columns: readonly (readonly [string, RecordedArray])[] };
}

/** An error of Python's. */
export interface RecordedError {
  readonly class: string;
  readonly bases: readonly string[];
  readonly message: string;
}

/** A call. */
export interface Call {
  readonly op: string;
  readonly on?: Recorded;
  readonly args?: { readonly [name: string]: Recorded };
  readonly result?: Recorded;
  readonly error?: RecordedError;
  /** Why there is no counterpart, if the recorder found that. */
  readonly inexpressible?: string;
  /** Of `read_direct` and `write_direct`: the elements of the program's own array. */
  readonly picked?: RecordedArray;
}

/** What happens in a test: calls, and changes of files that no call made. */
export type Step =
  | Call
  | { readonly restore: string; readonly bytes: Packed }
  | { readonly remove: string };

/** A test of h5py's. */
export interface RecordedTest {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly text: string;
  readonly calls: readonly Step[];
}

/** All tests of one version of h5py. */
export interface Recording {
  readonly h5py: string;
  readonly numpy: string;
  /** The folder of their files, with a slash at its end: `$TMP/` in the names of files. */
  readonly folder: string;
  readonly tests: readonly RecordedTest[];
}

/** Runs h5py's tests, and records their calls. */
export function record(h5py: H5py): Recording {
  const directory = mkdtempSync(join(tmpdir(), "h5py-calls-"));
  try {
    const target = join(directory, "calls.json");
    const { status, stderr } = runPython(h5py, "recorder/record.py", [target]);
    if (status !== 0) throw new Error(`record.py: status ${status}\n${stderr}`);
    return JSON.parse(readFileSync(target, "utf8")) as Recording;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The bytes that were packed. */
export function unpack(packed: Packed): Uint8Array {
  if (typeof packed === "string") return Uint8Array.from(Buffer.from(packed, "base64"));
  return Uint8Array.from(inflateSync(Buffer.from(packed.zlib, "base64")));
}

/** A call that has no counterpart in our API; the message is the reason. */
export class Inexpressible extends Error {}

/** The part of a value that is of a kind: `kindOf(value, "slice")`. */
export function kindOf<T>(value: unknown, kind: string): T | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, kind) ? (value as Record<string, T>)[kind] : undefined;
}
