/**
 * Verifies the flatbuffer of an Arrow message before anything follows its offsets.
 *
 * The readers that are generated from Arrow's schema believe every offset and every length: a message of a few
 * bytes may name a list of four thousand million fields, or lead around in circles. Here each table, list and
 * text is checked to lie in the buffer, and what is visited is counted: what passes can be read in time and memory
 * that its size bounds.
 *
 * @module
 */

import { NESTING_MAX } from "../limits.js";

/** What a field of a table is. */
type Shape =
  | { readonly kind: "scalar"; readonly size: 1 | 2 | 4 | 8 }
  | { readonly kind: "text" }
  | { readonly kind: "table"; readonly of: () => TableShape }
  | { readonly kind: "structs"; readonly size: number }
  | { readonly kind: "tables"; readonly of: () => TableShape }
  /** The table that the number in the field before it names. */
  | { readonly kind: "union"; readonly of: (which: number) => TableShape | undefined };

/** The fields of a table, by their numbers in Arrow's schema. */
type TableShape = readonly Shape[];

/** Why a message is no Arrow message. */
export class MessageFault extends Error {}

const scalar = (size: 1 | 2 | 4 | 8): Shape => ({ kind: "scalar", size });
const text: Shape = { kind: "text" };
const table = (of: () => TableShape): Shape => ({ kind: "table", of });
const tables = (of: () => TableShape): Shape => ({ kind: "tables", of });
const structs = (size: number): Shape => ({ kind: "structs", size });

const KEY_VALUE: TableShape = [text, text];
const INT: TableShape = [scalar(4), scalar(1)];
const DICTIONARY_ENCODING: TableShape = [scalar(8), table(() => INT), scalar(1), scalar(2)];
/** The types that have fields other than one or two small numbers, by their numbers; 11 is a decimal. */
const TYPES: Readonly<Record<number, TableShape>> = {
  2: INT,
  3: [scalar(2)],
  7: [scalar(4), scalar(4), scalar(4)],
  8: [scalar(2)],
  9: [scalar(2), scalar(4)],
  10: [scalar(2), text],
  11: [scalar(2)],
  14: [scalar(2), structs(4)],
  15: [scalar(4)],
  16: [scalar(4)],
  17: [scalar(1)],
  18: [scalar(2)],
};
const FIELD: TableShape = [
  text,
  scalar(1),
  scalar(1),
  { kind: "union", of: (which) => TYPES[which] ?? [] },
  table(() => DICTIONARY_ENCODING),
  tables(() => FIELD),
  tables(() => KEY_VALUE),
];
const SCHEMA: TableShape = [scalar(2), tables(() => FIELD), tables(() => KEY_VALUE), structs(8)];
const RECORD_BATCH: TableShape = [
  scalar(8),
  structs(16),
  structs(16),
  table(() => [scalar(1), scalar(1)]),
  structs(8),
];
const DICTIONARY_BATCH: TableShape = [scalar(8), table(() => RECORD_BATCH), scalar(1)];
const HEADERS: Readonly<Record<number, TableShape>> = {
  1: SCHEMA,
  2: DICTIONARY_BATCH,
  3: RECORD_BATCH,
};
const MESSAGE: TableShape = [
  scalar(2),
  scalar(1),
  { kind: "union", of: (which) => HEADERS[which] },
  scalar(8),
  tables(() => KEY_VALUE),
];
const FOOTER: TableShape = [
  scalar(2),
  table(() => SCHEMA),
  structs(24),
  structs(24),
  tables(() => KEY_VALUE),
];

class Verifier {
  readonly #view: DataView;
  /** Tables, lists and texts that may still be visited: each has bytes of its own in an honest message. */
  #budget: number;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#budget = bytes.byteLength;
  }

  root(shape: TableShape): void {
    this.#table(this.#follow(0), shape, 0);
  }

  #need(position: number, size: number): void {
    if (position < 0 || position + size > this.#view.byteLength) {
      throw new MessageFault("an offset leads out of the message");
    }
  }

  #spend(amount: number): void {
    this.#budget -= amount;
    if (this.#budget < 0) throw new MessageFault("the same bytes are used again and again");
  }

  #follow(position: number): number {
    this.#need(position, 4);
    const offset = this.#view.getUint32(position, true);
    if (offset < 4) throw new MessageFault("an offset leads to itself");
    return position + offset;
  }

  /** Position of a list's first element. */
  #list(position: number, elementSize: number): { start: number; count: number } {
    const at = this.#follow(position);
    this.#need(at, 4);
    const count = this.#view.getUint32(at, true);
    this.#need(at + 4, count * elementSize);
    this.#spend(4);
    return { start: at + 4, count };
  }

  #table(at: number, shape: TableShape, depth: number): void {
    if (depth > 4 * NESTING_MAX) throw new MessageFault("it is nested too deeply");
    this.#spend(4);
    this.#need(at, 4);
    const fields = at - this.#view.getInt32(at, true);
    this.#need(fields, 4);
    const fieldsSize = this.#view.getUint16(fields, true);
    const size = this.#view.getUint16(fields + 2, true);
    if (fieldsSize < 4 || fieldsSize % 2 !== 0) throw new MessageFault("a table is damaged");
    this.#need(fields, fieldsSize);
    this.#need(at, size);
    for (const [index, field] of shape.entries()) {
      const slot = 4 + index * 2;
      if (slot >= fieldsSize) return;
      const offset = this.#view.getUint16(fields + slot, true);
      if (offset === 0) continue;
      const which = field.kind === "union" ? this.#byteField(at, fields, index - 1) : 0;
      this.#field(at + offset, field, { depth, which });
    }
  }

  /** The value of a field of one byte. */
  #byteField(at: number, fields: number, index: number): number {
    const offset = this.#view.getUint16(fields + 4 + index * 2, true);
    this.#need(at + offset, 1);
    return offset === 0 ? 0 : this.#view.getUint8(at + offset);
  }

  #field(
    position: number,
    field: Shape,
    { depth, which }: { readonly depth: number; readonly which: number },
  ): void {
    if (field.kind === "scalar") this.#need(position, field.size);
    else if (field.kind === "text") this.#list(position, 1);
    else if (field.kind === "structs") this.#list(position, field.size);
    else if (field.kind === "table") this.#table(this.#follow(position), field.of(), depth + 1);
    else if (field.kind === "tables") {
      const { start, count } = this.#list(position, 4);
      for (let index = 0; index < count; index++) {
        this.#table(this.#follow(start + index * 4), field.of(), depth + 1);
      }
    } else {
      const shape = field.of(which);
      if (shape === undefined) throw new MessageFault(`its kind, ${which}, is not known`);
      this.#table(this.#follow(position), shape, depth + 1);
    }
  }
}

function verify(bytes: Uint8Array, shape: TableShape): void {
  try {
    new Verifier(bytes).root(shape);
  } catch (error) {
    if (error instanceof RangeError) throw new MessageFault("an offset leads out of the message");
    throw error;
  }
}

/**
 * Verifies the flatbuffer of a message.
 *
 * @throws MessageFault
 */
export function verifyMessage(bytes: Uint8Array): void {
  verify(bytes, MESSAGE);
}

/**
 * Verifies the footer of an IPC file.
 *
 * @throws MessageFault
 */
export function verifyFooter(bytes: Uint8Array): void {
  verify(bytes, FOOTER);
}
