/**
 * Does the operations of a case with our API, and compares what they give with what h5py gives.
 *
 * @module
 */

import { isDaosError } from "daos-ts";
import type { Dataset, DatasetOptions, Elements, File } from "daos-ts/hdf5";
import { type Case, type Fit, isFancy, type Op, type Part, selectionOf } from "./cases.ts";
import { type CaseType, numbersOf, pythonNameOf, TYPES, type Values } from "./types.ts";

/** What came of an operation. */
export type Outcome =
  | { readonly shape: readonly number[]; readonly data: unknown }
  | { readonly error: string }
  | { readonly [name in never]: never };

/** What is asked of h5py, and what ours gave. */
export interface Played {
  readonly question: unknown;
  readonly outcomes: readonly Outcome[];
}

const count = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);

function typeOf({ type }: Case): CaseType {
  return TYPES[type] as CaseType;
}

async function create(file: File, name: string, one: Case): Promise<Dataset> {
  const { ours, values } = typeOf(one);
  const { shape, chunks, filters, seed, fill, isResizable } = one;
  const options: DatasetOptions = {
    shape,
    dtype: ours,
    ...(chunks === undefined ? {} : { chunks }),
    ...(isResizable ? { maxShape: shape.map(() => null) } : {}),
    ...(filters.includes("gzip") ? { compression: "gzip" } : {}),
    shuffle: filters.includes("shuffle"),
    fletcher32: filters.includes("fletcher32"),
    ...(fill === undefined ? {} : { fillValue: fill }),
  };
  const dataset = await file.createDataset(name, options);
  const data = seed === undefined ? undefined : values(count(shape), seed).ours;
  if (data !== undefined) await dataset.write({ data, shape });
  return dataset as Dataset;
}

/** The options of a dataset in Python. */
function pythonOptions({ chunks, filters, fill, isResizable, shape }: Case) {
  return {
    ...(chunks === undefined ? {} : { chunks }),
    ...(isResizable ? { maxshape: shape.map(() => null) } : {}),
    ...(filters.includes("gzip") ? { compression: "gzip" } : {}),
    ...(filters.includes("shuffle") ? { shuffle: true } : {}),
    ...(filters.includes("fletcher32") ? { fletcher32: true } : {}),
    ...(fill === undefined ? {} : { fillvalue: fill }),
  };
}

/** The shape of values for a selection. */
function fitted(fit: Fit, shape: readonly number[], seed: number): readonly number[] {
  if (fit === "scalar") return [];
  if (fit === "exact") return shape;
  if (fit === "wrong") return seed % 2 === 0 ? [...shape].reverse() : [...shape, 2];
  const spread = shape.map((extent, dimension) => ((seed >> dimension) & 1 ? 1 : extent));
  return spread.slice(seed % (shape.length + 1));
}

/** Whether h5py says what values of a shape do: it takes anything for no elements, and spreads less than ours. */
function isComparable(
  values: readonly number[],
  {
    selected,
    type,
    parts,
  }: { selected: readonly number[]; type: CaseType; parts: readonly Part[] },
): boolean {
  if (count(selected) === 0 || isFancy(parts)) return false;
  return values.length > 0 || type.inner.length === 0;
}

interface Done {
  readonly outcome: Outcome;
  /** What Python is to do; nothing for what it cannot be asked. */
  readonly question: unknown;
}

async function attempt(call: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await call();
  } catch (error) {
    if (isDaosError(error)) return { error: error.message };
    throw error;
  }
}

async function read(
  dataset: Dataset,
  op: Op & { op: "read" | "field" | "convert" },
): Promise<Outcome> {
  const selection = selectionOf(op.parts);
  if (op.op === "convert") return dataset.asType(op.memory).read(selection);
  return op.op === "field" ? dataset.fields("a").read(selection) : dataset.read(selection);
}

async function write(
  dataset: Dataset,
  type: CaseType,
  { parts, fit, memory, seed }: Op & { op: "write" },
): Promise<Done> {
  const selection = selectionOf(parts);
  const there = await attempt(() => dataset.read(selection));
  const all = "shape" in there ? there.shape : [];
  const selected = all.slice(0, all.length - type.inner.length);
  const wanted = fitted(fit, selected, seed);
  const shape = isComparable(wanted, { selected, type, parts }) ? wanted : selected;
  const make = (size: number): Values =>
    memory === undefined ? type.values(size, seed) : numbersOf(memory, size, seed);
  const { ours, python } = make(count(shape));
  const outcome = await attempt(async () => {
    await dataset.write({ data: ours as Elements, shape } as never, selection);
    return {};
  });
  return { outcome, question: { op: "write", selection: parts, shape, values: python } };
}

async function play(dataset: Dataset, type: CaseType, op: Op): Promise<Done> {
  if (op.op === "write") return write(dataset, type, op);
  if (op.op === "resize") {
    const outcome = await attempt(async () => {
      await dataset.resize(op.size);
      return {};
    });
    return { outcome, question: op };
  }
  const outcome = await attempt(() => read(dataset, op));
  const dtype = op.op === "convert" ? { dtype: pythonNameOf(op.memory) } : { field: "a" };
  return { outcome, question: { op: op.op, selection: op.parts, ...dtype } };
}

/** Plays a case, first its creation; at the end, everything is flushed and read. */
export async function playCase(file: File, name: string, one: Case): Promise<Played> {
  const type = typeOf(one);
  const done: Done[] = [];
  let dataset: Dataset | undefined;
  const created = await attempt(async () => {
    dataset = await create(file, name, one);
    return {};
  });
  if (dataset !== undefined) {
    for (const op of one.ops) done.push(await play(dataset, type, op));
    await file.flush();
    done.push(await play(dataset, type, { op: "read", parts: [["ellipsis"]] }));
  }
  const { seed, shape } = one;
  const question = {
    dtype: type.python,
    shape,
    options: pythonOptions(one),
    data: seed === undefined ? null : type.values(count(shape), seed).python,
    ops: done.map((item) => item.question),
  };
  return { question, outcomes: [created, ...done.map(({ outcome }) => outcome)] };
}

type ArrayClass = new (buffer: ArrayBuffer) => ArrayLike<unknown>;

/** Elements of Python's answer, as a list like ours. */
function decode(ours: unknown, theirs: unknown): unknown {
  if (typeof theirs !== "string" || !ArrayBuffer.isView(ours)) return theirs;
  const { buffer } = Uint8Array.from(Buffer.from(theirs, "base64"));
  return new (ours.constructor as ArrayClass)(buffer);
}

/** A list, or lists by members, in a form that is compared: -0 is not 0, and NaN is NaN. */
function plain(value: unknown): unknown {
  if (typeof value === "string" || value === undefined || value === null) return value;
  if (ArrayBuffer.isView(value)) return [...(value as Uint8Array)];
  if (Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}

/** What h5py gave, in the form of ours. */
export function expectedOf(ours: Outcome, theirs: Outcome): unknown {
  if ("error" in theirs && "error" in ours) return { refused: true };
  if (!("data" in theirs)) return theirs;
  if (!("data" in ours)) return theirs;
  const [own, other] = [ours.data, theirs.data];
  const isColumns = typeof other === "object" && other !== null && !Array.isArray(other);
  const data = isColumns
    ? Object.fromEntries(
        Object.entries(other).map(([name, column]) => [
          name,
          plain(decode((own as Record<string, unknown>)[name], column)),
        ]),
      )
    : plain(decode(own, other));
  return { shape: theirs.shape, data };
}

/** What ours gave, in a form that can be compared. */
export function comparable(ours: Outcome, theirs: Outcome): unknown {
  if ("error" in theirs && "error" in ours) return { refused: true };
  return "data" in ours ? { shape: ours.shape, data: plain(ours.data) } : ours;
}
