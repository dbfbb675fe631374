/**
 * The journal that `test/core/native/journal.c` writes: what processes did to the files of a directory.
 *
 * The shim is compiled by the test that needs it, once, into a temporary directory.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runSuccessfully } from "../../support/processes.ts";
import { root } from "../../support/root.ts";

/** One change of a file, a directory or of what is durable. Names are relative to the recorded directory. */
export type JournalRecord =
  | { readonly kind: "create"; readonly name: string; readonly file: bigint }
  | {
      readonly kind: "write";
      readonly name: string;
      readonly file: bigint;
      readonly offset: number;
      readonly bytes: Uint8Array;
      /** Whether the write itself returned only when its bytes were durable (O_DSYNC). */
      readonly isDurable: boolean;
    }
  | { readonly kind: "resize"; readonly name: string; readonly file: bigint; readonly size: number }
  | { readonly kind: "sync"; readonly name: string; readonly file: bigint }
  | { readonly kind: "syncNames"; readonly name: string }
  | { readonly kind: "rename"; readonly name: string; readonly target: string }
  | { readonly kind: "unlink"; readonly name: string }
  | { readonly kind: "makeDirectory"; readonly name: string }
  | { readonly kind: "removeDirectory"; readonly name: string };

/** In the order of the C source's numbers, from 1. */
const KINDS = [
  "create",
  "write",
  "resize",
  "sync",
  "syncNames",
  "rename",
  "unlink",
  "makeDirectory",
  "removeDirectory",
] as const;
const HEADER_SIZE = 40;

/** Compiles the shim into `directory`; returns its path. */
export function compileShim(directory: string): string {
  const source = join(root, "test", "core", "native", "journal.c");
  const shim = join(directory, "journal.so");
  const compiler = process.env.CC?.split(" ")[0] || "cc";
  const flags = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra"];
  runSuccessfully(compiler, [...flags, "-o", shim, source, "-ldl", "-lpthread"]);
  return shim;
}

/** The environment in which a program is recorded. */
export function recordedBy(
  shim: string,
  { directory, journal }: { directory: string; journal: string },
): NodeJS.ProcessEnv {
  return { LD_PRELOAD: shim, JOURNAL_ROOT: directory, JOURNAL_FILE: journal };
}

function parse(
  kind: (typeof KINDS)[number],
  header: { flag: number; file: bigint; offset: number },
  { name, bytes }: { name: string; bytes: Uint8Array },
): JournalRecord {
  const { file, offset, flag } = header;
  if (kind === "write") return { kind, name, file, offset, bytes, isDurable: flag !== 0 };
  if (kind === "resize") return { kind, name, file, size: offset };
  if (kind === "create" || kind === "sync") return { kind, name, file };
  if (kind !== "rename") return { kind, name };
  const [source, target] = name.split("\0") as [string, string];
  return { kind, name: source, target };
}

/** Reads a journal. */
export function readJournal(path: string): JournalRecord[] {
  const journal = readFileSync(path);
  const records: JournalRecord[] = [];
  for (let at = 0; at < journal.length; ) {
    const kind = KINDS[journal.readUInt32LE(at) - 1];
    if (kind === undefined) throw new Error(`byte ${at} of the journal begins no record`);
    const header = {
      flag: journal.readUInt32LE(at + 4),
      file: journal.readBigUInt64LE(at + 8),
      offset: Number(journal.readBigUInt64LE(at + 16)),
    };
    const size = Number(journal.readBigUInt64LE(at + 24));
    const nameEnd = at + HEADER_SIZE + Number(journal.readBigUInt64LE(at + 32));
    const name = journal.toString("utf8", at + HEADER_SIZE, nameEnd);
    const end = nameEnd + (kind === "write" ? size : 0);
    records.push(parse(kind, header, { name, bytes: journal.subarray(nameEnd, end) }));
    at = end;
  }
  return records;
}
