/**
 * A dump as text, in the form of h5dump.
 *
 * @module
 */

import { type Output, printable } from "../output/output.js";
import type { Dump, DumpedObject } from "./dump.js";
import type { JsonValue } from "./values.js";

const WIDTH_MAX = 100;

const quoted = (value: string): string => printable(JSON.stringify(value));
const shown = (value: JsonValue): string =>
  typeof value === "string" ? quoted(value) : printable(JSON.stringify(value));

/** Prints an answer. */
export function printDump({ file, userBlock, objects }: Dump, output: Output): void {
  const printer = new Printer(output);
  printer.line(`HDF5 ${quoted(file)} {`);
  printer.within(() => {
    if (userBlock > 0) printer.line(`USERBLOCK ${userBlock}`);
    for (const one of objects) printObject(printer, one);
  });
  printer.line("}");
}

/** Prints lines below one another. */
class Printer {
  readonly #output: Output;
  #depth = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  line(text: string): void {
    this.#output.line(`${"   ".repeat(this.#depth)}${text}`);
  }

  within(print: () => void): void {
    this.#depth++;
    print();
    this.#depth--;
  }

  /** A block, if there is something in it. */
  block(head: string, print: () => void): void {
    this.line(`${head} {`);
    this.within(print);
    this.line("}");
  }

  /** Values on as few lines as fit. */
  values(values: readonly JsonValue[], more?: string): void {
    let text = "";
    for (const value of values) {
      const next = text === "" ? shown(value) : `${text}, ${shown(value)}`;
      if (text !== "" && next.length > WIDTH_MAX) {
        this.line(`${text},`);
        text = shown(value);
      } else text = next;
    }
    if (text !== "") this.line(text);
    if (more !== undefined) this.line(more);
  }
}

function printObject(printer: Printer, one: DumpedObject): void {
  printer.block(`${one.kind.toUpperCase()} ${quoted(one.path)}`, () => {
    if (one.comment !== undefined) printer.line(`COMMENT ${quoted(one.comment)}`);
    if (one.type !== undefined) printer.line(`DATATYPE ${printable(one.type)}`);
    if (one.committedType !== undefined) printer.line(`COMMITTED ${quoted(one.committedType)}`);
    if (one.space !== undefined) printer.line(`DATASPACE ${one.space}`);
    for (const part of one.layout ?? []) printer.line(`LAYOUT ${printable(part)}`);
    for (const filter of one.filters ?? []) printer.line(`FILTER ${printable(filter)}`);
    if (one.fillTime !== undefined) printer.line(`FILLTIME ${one.fillTime}`);
    if (one.fillValue !== undefined) printer.line(`FILLVALUE ${shown(one.fillValue)}`);
    if (one.linkOrder !== undefined) printer.line(`LINKORDER ${one.linkOrder}`);
    if (one.attributeOrder !== undefined) printer.line(`ATTRIBUTEORDER ${one.attributeOrder}`);
    for (const { name, kind, target } of one.links ?? []) {
      printer.line(`LINK ${quoted(name)} ${kind} ${quoted(target)}`);
    }
    if (one.values !== undefined) printValues(printer, one);
    printAttributes(printer, one);
  });
}

function printValues(
  printer: Printer,
  { values = [], elements = 0, truncated }: DumpedObject,
): void {
  const more = truncated === true ? `... ${elements - values.length} more (--limit)` : undefined;
  printer.block("DATA", () => printer.values(values, more));
}

function printAttributes(printer: Printer, { attributes }: DumpedObject): void {
  for (const { name, type, space, committedType, values } of attributes) {
    printer.block(`ATTRIBUTE ${quoted(name)}`, () => {
      printer.line(`DATATYPE ${printable(type)}`);
      if (committedType !== undefined) printer.line(`COMMITTED ${quoted(committedType)}`);
      printer.line(`DATASPACE ${space}`);
      if (values.length > 0) printer.block("DATA", () => printer.values(values));
    });
  }
}
