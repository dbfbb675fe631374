/**
 * Where a verb prints: for people on a terminal, for programs in a pipe, as JSON if asked.
 *
 * | | terminal | pipe | `--json` |
 * |---|---|---|---|
 * | tables | aligned, with a head | tab-separated rows, no head | the answer |
 * | sizes | `1.5 GiB` | bytes | bytes |
 * | colours | unless `NO_COLOR` is set | never | never |
 * | progress, errors | standard error | errors only, standard error | the envelope |
 *
 * @module
 */

import Table from "cli-table3";
import { humanSize } from "./size.js";

/** What a cell of a table holds. */
export type Cell = string | number | { readonly bytes: number } | undefined;

/** A column of a table. */
export interface Column {
  readonly head: string;
  /** Where its cells stand; to the left by default. */
  readonly align?: "left" | "right";
}

/** Escape sequences of the colours that are used. */
const COLOURS = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33", cyan: "36" } as const;

/** A colour or weight. */
export type Colour = keyof typeof COLOURS;

const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
} as const;

/** How a verb was asked to print. */
export interface OutputOptions {
  /** Print one JSON envelope and nothing else. */
  readonly json: boolean;
  /** Print no progress. */
  readonly quiet: boolean;
}

/** Prints for whoever reads. */
export class Output {
  /** Whether the answer goes out as JSON. */
  readonly json: boolean;
  /** Whether progress is shown. */
  readonly showsProgress: boolean;
  readonly #isTerminal: boolean;

  constructor({ json, quiet }: OutputOptions) {
    this.json = json;
    this.#isTerminal = process.stdout.isTTY === true;
    this.showsProgress = !json && !quiet && process.stderr.isTTY === true;
  }

  /** Whether a person reads standard output. */
  get isTerminal(): boolean {
    return this.#isTerminal;
  }

  /** Text in a colour, where there are colours. */
  colour(colour: Colour, text: string): string {
    return this.#isTerminal ? coloured(colour, text, process.stdout) : text;
  }

  /** Prints a line. */
  line(text = ""): void {
    process.stdout.write(`${text}\n`);
  }

  /** Prints a warning on standard error. */
  warn(text: string): void {
    if (this.json) return;
    process.stderr.write(`${coloured("yellow", "warning:", process.stderr)} ${text}\n`);
  }

  /** A size for whoever reads. */
  size(bytes: number): string {
    return this.#isTerminal ? humanSize(bytes) : String(bytes);
  }

  #cell(cell: Cell): string {
    if (cell === undefined) return this.#isTerminal ? "-" : "";
    if (typeof cell !== "object") {
      return this.#isTerminal ? printable(String(cell)) : flat(cell);
    }
    return this.size(cell.bytes);
  }

  /** Prints a table; to a pipe only its rows. */
  table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void {
    const cells = rows.map((row) => row.map((cell) => this.#cell(cell)));
    if (!this.#isTerminal) {
      for (const row of cells) this.line(row.join("\t"));
      return;
    }
    const table = new Table({
      head: columns.map(({ head }) => this.colour("bold", head)),
      colAligns: columns.map(({ align }) => align ?? "left"),
      chars: NO_BORDERS,
      style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
    });
    table.push(...cells);
    for (const row of table.toString().split("\n")) this.line(row.trimEnd());
  }

  /** Prints names and values, one pair a line. */
  facts(facts: readonly (readonly [name: string, value: Cell])[]): void {
    if (!this.#isTerminal) {
      for (const [name, value] of facts) this.line(`${name}\t${this.#cell(value)}`);
      return;
    }
    const width = Math.max(...facts.map(([name]) => name.length)) + 2;
    for (const [name, value] of facts) {
      this.line(`${this.colour("cyan", name.padEnd(width))}${this.#cell(value)}`);
    }
  }
}

/** Whether a stream shows colours: a terminal, and the user did not ask for none (no-color.org). */
export function hasColours(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, TERM } = process.env;
  return stream.isTTY === true && (NO_COLOR === undefined || NO_COLOR === "") && TERM !== "dumb";
}

/** Text in a colour, if the stream shows colours. */
export function coloured(colour: Colour, text: string, stream: NodeJS.WriteStream): string {
  return hasColours(stream) ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;
}

/** Control characters of stored names as escapes: a name must not steer somebody's terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** A cell of a tab-separated row: without tabs and line ends, which would make two of it. */
function flat(cell: string | number): string {
  return String(cell).replace(/[\t\n\r]/g, (character) => JSON.stringify(character).slice(1, -1));
}
