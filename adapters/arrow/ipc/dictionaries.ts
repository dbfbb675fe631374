/**
 * The dictionaries of a stream that is written: which of them its readers know already.
 *
 * A reader gets each dictionary once. One that grew, so that its first values are those that are known, goes on
 * with a delta; any other one replaces what was there, which a stream may do and a file may not.
 *
 * @module
 */

import { type Data, DataType, type Vector } from "apache-arrow";
import { assemble } from "./assemble.js";
import { childrenOf } from "./types.js";

/** A dictionary message to write. */
export interface DictionaryPart {
  readonly id: number;
  readonly values: Data;
  readonly isDelta: boolean;
}

/** What is to be written before a batch. */
export interface DictionaryChange {
  readonly parts: readonly DictionaryPart[];
  /** Whether one of them replaces what was written before. */
  readonly replaces: boolean;
}

interface Known {
  readonly chunks: readonly Data[];
  readonly length: number;
}

/** Visits the dictionaries of data, inner ones first, with the types that the stream declares. */
export function visitDictionaries(
  type: DataType,
  data: Data,
  visit: (type: DataType & { id: number }, dictionary: Vector) => void,
): void {
  if (DataType.isDictionary(type)) {
    const dictionary = data.dictionary as Vector;
    for (const chunk of dictionary.data) visitDictionaries(type.dictionary, chunk, visit);
    visit(type, dictionary);
    return;
  }
  for (const [index, child] of childrenOf(type).entries()) {
    const childData = data.children[index];
    if (childData !== undefined) visitDictionaries(child.type, childData, visit);
  }
}

/** Whether two chunks hold the same values. */
function isSameChunk(a: Data, b: Data): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  const [x, y] = [assemble([a]), assemble([b])];
  if (x.buffers.length !== y.buffers.length) return false;
  return x.buffers.every((buffer, index) => {
    return Buffer.compare(buffer, y.buffers[index] as Uint8Array) === 0;
  });
}

/** Whether `chunks` begin with those of `first`. */
export function beginsWith(chunks: readonly Data[], first: readonly Data[]): boolean {
  return first.every((chunk, index) => {
    const other = chunks[index];
    return other !== undefined && isSameChunk(chunk, other);
  });
}

/** Remembers what was written of the dictionaries of one stream. */
export class DictionaryLog {
  #known = new Map<number, Known>();

  /** What a batch needs: nothing is remembered until {@link commit}. */
  changeFor(types: readonly DataType[], columns: readonly Data[]): DictionaryChange {
    const parts: DictionaryPart[] = [];
    const pending = new Map<number, Known>();
    let replaces = false;
    for (const [index, type] of types.entries()) {
      visitDictionaries(type, columns[index] as Data, ({ id }, dictionary) => {
        const known = pending.get(id) ?? this.#known.get(id);
        const chunks = dictionary.data.filter(({ length }) => length > 0);
        if (known !== undefined && beginsWith(known.chunks, chunks)) return;
        const isLonger = known !== undefined && beginsWith(chunks, known.chunks);
        replaces ||= known !== undefined && !isLonger;
        const first = isLonger ? known.chunks.length : 0;
        for (const [at, values] of chunks.entries()) {
          if (at >= first) parts.push({ id, values, isDelta: at > 0 });
        }
        pending.set(id, { chunks, length: dictionary.length });
      });
    }
    this.#pending = pending;
    return { parts, replaces };
  }

  #pending = new Map<number, Known>();

  /** Takes what {@link changeFor} returned last as written. */
  commit(): void {
    for (const [id, known] of this.#pending) this.#known.set(id, known);
  }

  /** Forgets what was written: a new stream begins. */
  clear(): void {
    this.#known = new Map();
  }
}
