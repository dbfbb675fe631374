/**
 * Arrays of simulations as record batches, at any version, while the job writes the next one.
 *
 *     storage      one batch for each stored fragment, in the order of the array: mapped, not copied
 *     row-major    everything in the order of the array, gathered: what was never written, too
 *
 * @module
 */

import {
  type Data,
  type DataType,
  Field,
  FixedSizeList,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Type,
} from "apache-arrow";
import { type Container, type Epoch, isDaosError, Pattern, wholeOf } from "../../../core/index.js";
import { invalid } from "../errors.js";
import type { BatchStream } from "../ipc/types.js";
import { ARRAY_BATCH_SIZE, ARRAY_WINDOW_SIZE } from "../limits.js";
import type { NumericType } from "../numeric-types.js";
import { type TableVersion, versionOf } from "../table/table.js";
import { type ArrayName, type ArraySource, numberOf, openArray } from "./array-source.js";
import { type Box, boxesOfRun, coordinatesAlong, countOf } from "./boxes.js";

/** Order of the batches of an array. */
export type ArrayOrder = "storage" | "row-major";
/** What a row is. */
export type ArrayForm = "tensor" | "long";

/** How an array is read. */
export type ScanArrayOptions = ArrayName &
  TableVersion & {
    /**
     * `"storage"` by default: a batch for each fragment that lies in one piece, or each stored chunk; what was never
     * written is left out. Elements that Arrow does not have as they are stored (compounds, text, other byte orders)
     * come in row-major order.
     */
    readonly order?: ArrayOrder;
    /**
     * `"tensor"` by default: in row-major order, a row for each index of the first axis, of type
     * `arrow.fixed_shape_tensor` if there are more axes and elements are numbers; else a row for each element.
     * `"long"`: a row for each element, with its coordinates as columns `dim_0`, `dim_1`, ...
     */
    readonly form?: ArrayForm;
    /** Bytes of a batch that is gathered, about; 8 MiB by default. */
    readonly batchSize?: number;
  };

/** The batches of an array at one version. Iterate over it, or close it: until then the version stays pinned. */
export interface ArrayStream extends BatchStream, AsyncDisposable {
  /** The version. */
  readonly epoch: Epoch;
  /** Extents of the array, slowest first. */
  readonly shape: readonly number[];
  /** Lets go of the version. */
  close(): Promise<void>;
}

interface Plan {
  readonly source: ArraySource;
  readonly schema: Schema;
  readonly order: ArrayOrder;
  readonly form: ArrayForm;
  /** Elements inside of an index of the first axis, where each of those is a row; else `undefined`. */
  readonly tensor: number | undefined;
  readonly batchSize: number;
}

const DIMENSION_MAX = 2 ** 31 - 1;

function tensorField(name: string, item: DataType, inner: readonly number[]): Field {
  const type = new FixedSizeList(countOf(inner), new Field("item", item, false));
  const metadata = new Map([
    ["ARROW:extension:name", "arrow.fixed_shape_tensor"],
    ["ARROW:extension:metadata", JSON.stringify({ shape: inner })],
  ]);
  return new Field(name, type, false, metadata);
}

function fieldsOf(source: ArraySource, form: ArrayForm, hasTensors: boolean): Field[] {
  const { arrowType, shape } = source;
  if (hasTensors) return [tensorField("value", arrowType, shape.slice(1))];
  const isTable = arrowType instanceof Struct;
  const values = isTable ? (arrowType.children as Field[]) : [new Field("value", arrowType, false)];
  if (form === "tensor") return values;
  return [...shape.map((_, at) => new Field(`dim_${at}`, new Int32(), false)), ...values];
}

function isNumber({ typeId }: DataType): boolean {
  return typeId === Type.Int || typeId === Type.Float;
}

function planOf(container: Container, source: ArraySource, options: ScanArrayOptions): Plan {
  const { order: wanted = "storage", form = "tensor", batchSize = ARRAY_BATCH_SIZE } = options;
  const what = `Reading "${options.path}" as record batches`;
  if (!["storage", "row-major"].includes(wanted) || !["tensor", "long"].includes(form)) {
    const why = `there is no order "${wanted}", or no form "${form}"`;
    throw invalid(what, why, 'choose "storage" or "row-major", and "tensor" or "long"');
  }
  if (!(batchSize >= 1)) throw invalid(what, `${batchSize} is no size`, "give a size in bytes");
  const { shape, arrowType } = source;
  if (form === "long" && shape.some((extent) => extent > DIMENSION_MAX)) {
    throw invalid(what, "its coordinates need more than 32 bits", 'choose the form "tensor"');
  }
  const hasTensors =
    wanted === "row-major" && form === "tensor" && shape.length > 1 && isNumber(arrowType);
  const metadata = new Map([
    ["daos.pool", container.pool],
    ["daos.container", container.label],
    ["daos.path", options.path],
    ...("dataset" in options ? [["daos.dataset", options.dataset] as const] : []),
    ["daos.epoch", String(source.view.epoch)],
    ["daos.shape", JSON.stringify(shape)],
    ["daos.order", wanted],
  ]);
  const schema = new Schema(fieldsOf(source, form, hasTensors), metadata);
  const tensor = hasTensors ? countOf(shape.slice(1)) : undefined;
  return { source, schema, order: wanted, form, tensor, batchSize };
}

/** A batch of the elements of a box. */
function batchOf({ source, schema, form, tensor }: Plan, box: Box, elements: Data): RecordBatch {
  const count = countOf(box.shape);
  const metadata = new Map([
    ["daos.epoch", String(source.view.epoch)],
    ["daos.origin", JSON.stringify(box.origin)],
    ["daos.shape", JSON.stringify(box.shape)],
  ]);
  const struct = (length: number, children: readonly Data[]) => {
    const type = new Struct(schema.fields);
    const data = makeData({ type, length, nullCount: 0, children } as never);
    return new RecordBatch(schema, data as never, metadata);
  };
  if (tensor !== undefined) {
    const length = box.shape[0] as number;
    const type = schema.fields[0]?.type as DataType;
    const rows = makeData({ type, length, nullCount: 0, child: elements } as never) as Data;
    return struct(length, [rows]);
  }
  const values = source.arrowType instanceof Struct ? elements.children : [elements];
  if (form === "tensor") return struct(count, values);
  const coordinates = box.shape.map((_, dimension) => {
    const data = coordinatesAlong(box, dimension);
    return makeData({ type: new Int32(), length: count, nullCount: 0, data });
  });
  return struct(count, [...coordinates, ...values]);
}

async function* rowMajor(plan: Plan): AsyncGenerator<RecordBatch> {
  const { source, tensor, batchSize } = plan;
  const { shape, itemSize } = source;
  const count = countOf(shape);
  const most = Math.max(1, Math.floor(batchSize / itemSize));
  if (tensor === undefined) {
    for (const box of boxesOfRun(shape, 0, count, most)) {
      yield batchOf(plan, box, await source.read(box));
    }
    return;
  }
  const [rows = 0, ...inner] = shape;
  const step = Math.max(1, Math.floor(most / Math.max(1, tensor)));
  for (let row = 0; row < rows; row += step) {
    const box = {
      origin: [row, ...inner.map(() => 0)],
      shape: [Math.min(step, rows - row), ...inner],
    };
    yield batchOf(plan, box, await source.read(box));
  }
}

/** A column over mapped bytes; over a copy, where they begin within an element. */
function mappedColumn(type: NumericType, bytes: Uint8Array): Data {
  return type.column(bytes.byteOffset % type.size === 0 ? bytes : new Uint8Array(bytes));
}

/** Elements `[first, end)` in row-major order. */
interface ElementRun {
  readonly first: number;
  readonly end: number;
  /** Where they lie, mapped; `undefined` if they do not lie in one piece. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * What of an array was written, as runs of elements in order. An element that a fragment has only a part of comes
 * by itself, without bytes.
 */
function* writtenRuns(source: ArraySource, size: number, offset: number): Generator<ElementRun> {
  const { view, oid, shape } = source;
  const end = offset + countOf(shape) * size;
  let next = 0;
  for (let from = offset; from < end; from += ARRAY_WINDOW_SIZE) {
    const to = Math.min(end, from + ARRAY_WINDOW_SIZE);
    for (const { start, bytes } of view.mapArray(oid, wholeOf(Pattern.contiguous(from, to)))) {
      if (bytes === undefined) continue;
      const at = from + start - offset;
      const [first, last] = [Math.ceil(at / size), Math.floor((at + bytes.length) / size)];
      // Elements that this fragment has only a part of, at its beginning and at its end.
      const [head, tail] = [first - 1, last];
      if (at % size > 0 && head >= next) {
        next = head + 1;
        yield { first: head, end: next, bytes: undefined };
      }
      if (last > first) {
        const begin = first * size - at;
        yield { first, end: last, bytes: bytes.subarray(begin, begin + (last - first) * size) };
        next = last;
      }
      if ((at + bytes.length) % size > 0 && tail >= next) {
        next = tail + 1;
        yield { first: tail, end: next, bytes: undefined };
      }
    }
  }
}

/** The fragments of an array that lies in one object, mapped. */
async function* mapped(plan: Plan, type: NumericType, offset: number): AsyncGenerator<RecordBatch> {
  const { source } = plan;
  for (const { first, end, bytes } of writtenRuns(source, type.size, offset)) {
    let at = 0;
    for (const box of boxesOfRun(source.shape, first, end)) {
      if (bytes === undefined) {
        yield batchOf(plan, box, await source.read(box));
        continue;
      }
      const part = bytes.subarray(at, at + box.count * type.size);
      at += part.length;
      yield batchOf(plan, box, mappedColumn(type, part));
    }
  }
}

async function* storageOrder(plan: Plan): AsyncGenerator<RecordBatch> {
  const { source } = plan;
  if (source.linear !== undefined) {
    yield* mapped(plan, source.linear.type, source.linear.offset);
    return;
  }
  const boxes = await source.boxes();
  if (boxes === undefined) {
    yield* rowMajor(plan);
    return;
  }
  boxes.sort((a, b) => numberOf(a.origin, source.shape) - numberOf(b.origin, source.shape));
  for (const box of boxes) yield batchOf(plan, box, await source.read(box));
}

/**
 * Opens an array as record batches: a file of bytes that MPI-IO wrote, with its shape and type, or a dataset of an
 * HDF5-like file.
 *
 * In storage order nothing is copied: buffers are those of the pool's files, mapped into memory; they are to be read,
 * not changed, and stay valid after the iteration. A fragment that is no box of the array comes as several batches,
 * which share its memory.
 *
 * @returns Batches whose metadata has `daos.origin` and `daos.shape`, the box of the array that they are, as JSON, and
 *   `daos.epoch`.
 * @throws `DaosError` `DER_NONEXIST` if there is no such file or dataset; `DER_INVAL` for options that make no sense,
 *   or a shape that needs more bytes than the file has; `DER_NOSYS` for elements that Arrow has no type for;
 *   `DER_EPOCH_GONE`. While iterating, `DER_CSUM` if stored bytes are damaged.
 *
 * @example
 * ```ts
 * const fragments = await scanArray(container, { path: "u", shape: [96, 96, 96], type: "float64" });
 * for await (const batch of fragments) console.log(batch.metadata.get("daos.origin"), batch.numRows);
 *
 * const planes = await scanArray(container, { path: "run.h5", dataset: "/fields/u", order: "row-major" });
 * await writeIpcFile(planes, "u.arrow"); // each row is a tensor of shape [96, 96]
 * ```
 */
export async function scanArray(
  container: Container,
  options: ScanArrayOptions,
): Promise<ArrayStream> {
  const source = await openArray(container, options, versionOf(options));
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    await source.close();
  };
  try {
    const plan = planOf(container, source, options);
    const batches = (async function* () {
      try {
        yield* plan.order === "storage" ? storageOrder(plan) : rowMajor(plan);
      } finally {
        await close();
      }
    })();
    return {
      ...{ schema: plan.schema, epoch: source.view.epoch, shape: source.shape, close },
      [Symbol.asyncIterator]: () => batches,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** How an array is followed. */
export type FollowArrayOptions = Omit<ScanArrayOptions, keyof TableVersion> &
  ArrayName & {
    /** The version after which changes are wanted; the newest one now is the first to come by default. */
    readonly from?: Epoch;
    /** Ends it. */
    readonly signal?: AbortSignal;
  };

/**
 * Follows an array: a stream for the newest version, then one for each commit that changes it, by whatever process, as
 * they come. Commits that were aggregated before they were come to are left out.
 *
 * @throws `DaosError` as {@link scanArray}; an array that is not there yet is waited for.
 *
 * @example
 * ```ts
 * for await (const step of followArray(container, { path: "u", shape: [96, 96, 96], type: "float64", signal })) {
 *   for await (const batch of step) draw(batch);
 * }
 * ```
 */
export async function* followArray(
  container: Container,
  { from, signal, ...options }: FollowArrayOptions,
): AsyncGenerator<ArrayStream, void, void> {
  let after = from ?? newestEpoch(container);
  const watch = container.watch({ from: after, ...(signal === undefined ? {} : { signal }) });
  try {
    if (from === undefined) {
      const now = await openIfThere(container, options as ScanArrayOptions, after);
      if (now !== undefined) yield now;
    }
    for await (const { epoch } of watch) {
      const next = await openIfThere(container, options as ScanArrayOptions, epoch, after);
      after = epoch;
      if (next !== undefined) yield next;
    }
  } finally {
    watch.close();
  }
}

function newestEpoch(container: Container): Epoch {
  using view = container.view();
  return view.epoch;
}

/** The array at a version; `undefined` if it, or the version, is not there, or was not changed after another one. */
async function openIfThere(
  container: Container,
  options: ScanArrayOptions,
  epoch: Epoch,
  after?: Epoch,
): Promise<ArrayStream | undefined> {
  try {
    if (after !== undefined && !(await isChanged(container, options, epoch, after))) {
      return undefined;
    }
    return await scanArray(container, { ...options, epoch });
  } catch (error) {
    const isAway = isDaosError(error, "DER_NONEXIST") || isDaosError(error, "DER_EPOCH_GONE");
    if (isAway) return undefined;
    throw error;
  }
}

async function isChanged(
  container: Container,
  options: ScanArrayOptions,
  epoch: Epoch,
  after: Epoch,
): Promise<boolean> {
  const source = await openArray(container, options, epoch);
  try {
    return (source.view.newestChange(source.oid) ?? 0n) > after;
  } finally {
    await source.close();
  }
}
