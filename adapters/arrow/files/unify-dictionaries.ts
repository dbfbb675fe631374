/**
 * One dictionary for each column of a file, whatever dictionaries its batches come with.
 *
 * A file may add to a dictionary, but not replace it. Values that are known keep their numbers, new ones are put behind
 * them, and the indices of a batch are counted anew where its dictionary numbers values otherwise.
 *
 * @module
 */

import { type Data, DataType, makeData, type Schema, Vector } from "apache-arrow";
import { invalid } from "../errors.js";
import { assemble, bitsFrom } from "../ipc/assemble.js";
import { beginsWith } from "../ipc/dictionaries.js";
import { childrenOf } from "../ipc/types.js";
import { gather } from "../table/gather.js";

interface Unified {
  chunks: Data[];
  vector: Vector;
  /** The numbers of values, by their bytes; of the first {@link numbered} values. */
  readonly numbers: Map<string, number>;
  numbered: number;
}

/** Numbers of a dictionary's values among the unified ones; `undefined` if they are the same. */
type Mapping = Int32Array | undefined;

type Indices = { [index: number]: number | bigint; readonly length: number };
type IndicesOf = new (length: number) => Indices;

/** The bytes of one value: equal values have equal ones. */
function nameOf(chunk: Data, row: number): string {
  const { nodes, buffers } = assemble([chunk.slice(row, 1)]);
  const isNull = nodes[0]?.nullCount === 1;
  return isNull ? "null" : buffers.map((bytes) => Buffer.from(bytes).toString("latin1")).join("|");
}

function numberRest(unified: Unified): void {
  let number = 0;
  for (const chunk of unified.chunks) {
    for (let row = 0; row < chunk.length; row++, number++) {
      if (number < unified.numbered) continue;
      const name = nameOf(chunk, row);
      if (!unified.numbers.has(name)) unified.numbers.set(name, number);
    }
  }
  unified.numbered = number;
}

function grow(unified: Unified, chunks: readonly Data[]): void {
  if (chunks.length === 0) return;
  unified.chunks = [...unified.chunks, ...chunks];
  unified.vector = new Vector(unified.chunks);
}

/** Adds the values of a dictionary that are new; says which number each of its values has. */
function merge(unified: Unified, chunks: readonly Data[]): Mapping {
  if (beginsWith(unified.chunks, chunks)) return undefined;
  if (beginsWith(chunks, unified.chunks)) {
    grow(unified, chunks.slice(unified.chunks.length));
    return undefined;
  }
  numberRest(unified);
  const mapping = new Int32Array(chunks.reduce((sum, { length }) => sum + length, 0));
  const added: Data[] = [];
  let at = 0;
  for (const chunk of chunks) {
    const news: number[] = [];
    for (let row = 0; row < chunk.length; row++) {
      const name = nameOf(chunk, row);
      let number = unified.numbers.get(name);
      if (number === undefined) {
        number = unified.numbered;
        unified.numbered += 1;
        unified.numbers.set(name, number);
        news.push(row);
      }
      mapping[at++] = number;
    }
    if (news.length > 0) added.push(gather(chunk, Int32Array.from(news)));
  }
  grow(unified, added);
  return mapping;
}

/** Unifies the dictionaries of batches that come one after the other. */
export class DictionaryUnifier {
  readonly #schema: Schema;
  readonly #what: string;
  readonly #unified = new Map<number, Unified>();
  /** Mappings of dictionaries that were met; by column, as columns may share one. */
  readonly #mappings = new Map<number, WeakMap<Vector, { readonly mapping: Mapping }>>();

  /**
   * @param schema Its dictionaries are numbered one by one.
   * @param what What is done, for errors.
   */
  constructor(schema: Schema, what: string) {
    this.#schema = schema;
    this.#what = what;
  }

  /**
   * The columns of a batch, with unified dictionaries; themselves, where nothing has to change.
   *
   * @throws `DaosError` `DER_INVAL` if there are more values than the indices of a column can number.
   */
  unify(columns: readonly Data[]): Data[] {
    const { fields } = this.#schema;
    return columns.map((data, index) => this.#rewrite(fields[index]?.type as DataType, data));
  }

  #rewrite(type: DataType, data: Data): Data {
    if (DataType.isDictionary(type)) return this.#dictionary(type, data);
    const fields = childrenOf(type);
    let changed = false;
    const children = fields.map((field, index) => {
      const child = data.children[index] as Data;
      const rewritten = this.#rewrite(field.type, child);
      changed ||= rewritten !== child;
      return rewritten;
    });
    if (!changed) return data;
    const { offset, length, nullCount, buffers } = data;
    return data.clone(data.type, offset, length, nullCount, buffers, children);
  }

  #mappingOf(type: DataType & { id: number; dictionary: DataType }, dictionary: Vector): Mapping {
    let known = this.#mappings.get(type.id);
    if (known === undefined) {
      known = new WeakMap();
      this.#mappings.set(type.id, known);
    }
    const met = known.get(dictionary);
    if (met !== undefined) return met.mapping;
    const chunks = dictionary.data
      .filter(({ length }) => length > 0)
      .map((chunk) => this.#rewrite(type.dictionary, chunk));
    let unified = this.#unified.get(type.id);
    if (unified === undefined) {
      unified = { chunks, vector: dictionary, numbers: new Map(), numbered: 0 };
      if (chunks.length > 0) unified.vector = new Vector(chunks);
      this.#unified.set(type.id, unified);
      known.set(dictionary, { mapping: undefined });
      return undefined;
    }
    const mapping = merge(unified, chunks);
    known.set(dictionary, { mapping });
    return mapping;
  }

  #dictionary(type: DataType & { id: number; dictionary: DataType }, data: Data): Data {
    const mapping = this.#mappingOf(type, data.dictionary as Vector);
    const { vector } = this.#unified.get(type.id) as Unified;
    if (mapping === undefined && data.dictionary === vector) return data;
    const { offset, length, nullCount } = data;
    const hasNulls = nullCount > 0;
    const nullBitmap = hasNulls
      ? bitsFrom(data.nullBitmap as Uint8Array, offset, length)
      : undefined;
    const values = data.values as unknown as Indices;
    const indices = mapping === undefined ? values : this.#renumbered(values, mapping, data);
    const own = { type: data.type, length, nullCount, nullBitmap, data: indices };
    return makeData({ ...own, dictionary: vector } as never) as Data;
  }

  #renumbered(values: Indices, mapping: Int32Array, { type, length }: Data): Indices {
    const Kind = (values as object).constructor as IndicesOf;
    const renumbered = new Kind(length);
    const isWide = typeof values[0] === "bigint";
    for (let row = 0; row < length; row++) {
      // Under a null there may be anything.
      const number = mapping[Number(values[row])] ?? 0;
      renumbered[row] = isWide ? BigInt(number) : number;
      if (Number(renumbered[row]) === number) continue;
      const why = `there are more than ${number} values in a column of type ${String(type)}`;
      const remedy = "write a stream, where dictionaries may be replaced, or wider indices";
      throw invalid(this.#what, why, remedy);
    }
    return renumbered;
  }
}
