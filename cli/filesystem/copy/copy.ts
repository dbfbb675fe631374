/**
 * Copying a tree: file by file, each as a whole or not at all.
 *
 *     walk ─▶ there already? ── yes ─▶ counted as skipped
 *                  │ no
 *                  ▼
 *              put: moved, then seen under its name ─▶ verify: read again
 *
 * 1. A copy that was killed is taken up by running it again: what is complete is recognised by its size
 *    and time of modification, or by its bytes.
 * 2. A file that cannot be copied is reported, and the others are copied.
 * 3. Nothing is read or written through a symbolic link; links are copied as they are.
 * 4. Permission bits, times of modification and extended attributes of users go along.
 *
 * @module
 */

import { setImmediate } from "node:timers/promises";
import { DaosError, isDaosError } from "../../../core/index.js";
import { systemFailure } from "../../verb.js";
import { isSameContent, verify } from "./content.js";
import {
  joined,
  type SourceTree,
  sameAttributes,
  type TargetTree,
  type TreeEntry,
  type Written,
} from "./tree.js";

/** Failures and warnings that a report names one by one. */
const NAMED_MAX = 1000;

/** How a copy is made. */
export interface CopyOptions {
  /** Reads each written file again. */
  readonly verifies: boolean;
  /** Compares bytes, where sizes and times would do. */
  readonly comparesBytes: boolean;
  /** Told how many bytes were done. */
  readonly advance: (bytes: number) => void;
}

/** A path that could not be copied. */
export interface CopyFailure {
  readonly path: string;
  readonly code: string;
  readonly why: string;
}

/** What a copy did. */
export interface CopyReport {
  /** Files that were written. */
  files: number;
  /** Directories that were made. */
  directories: number;
  /** Symbolic links that were made. */
  links: number;
  /** Files and links that were there already. */
  skipped: number;
  /** Bytes of the files that were written. */
  bytes: number;
  /** Files that were read again, and are what was written. */
  verified: number;
  /** What is of no kind that can be copied (devices, sockets, pipes), or could not be kept. */
  warnings: string[];
  warningCount: number;
  failures: CopyFailure[];
  failureCount: number;
}

/** A report of nothing. */
export function emptyReport(): CopyReport {
  const counts = { files: 0, directories: 0, links: 0, skipped: 0, bytes: 0, verified: 0 };
  return { ...counts, warnings: [], warningCount: 0, failures: [], failureCount: 0 };
}

/** A copy under way. */
export class Copy {
  readonly report: CopyReport = emptyReport();
  readonly #source: SourceTree;
  readonly #options: CopyOptions;
  #target!: TargetTree;
  #pending: Written[] = [];

  constructor(source: SourceTree, options: CopyOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** The target's listener: a file is there, or not. */
  readonly written = (path: string, written: Written | undefined, error?: unknown): void => {
    if (written === undefined) {
      this.#fail(path, error);
      return;
    }
    this.report.files += 1;
    this.report.bytes += written.size;
    if (written.lost !== undefined) this.#warnOf(path, written.lost);
    if (this.#options.verifies) this.#pending.push(written);
  };

  /** Copies all of the source. */
  async run(target: TargetTree): Promise<CopyReport> {
    this.#target = target;
    const root = this.#source.entry("");
    if (root?.kind === "directory") await this.#directory("");
    else if (root !== undefined) this.#one("", root, target.entry(""));
    target.flush();
    this.#verifyPending();
    return this.report;
  }

  #fail(path: string, error: unknown): void {
    const { report } = this;
    const known = systemFailure(error);
    const failure = {
      path: this.#source.display(path),
      code: isDaosError(known) ? known.code : "UNEXPECTED",
      why: isDaosError(known) ? known.text.why : String((error as Error)?.message ?? error),
    };
    report.failureCount += 1;
    if (report.failures.length < NAMED_MAX) report.failures.push(failure);
  }

  #warnOf(path: string, why: string | undefined): void {
    if (why !== undefined) this.#warn(`${this.#target.display(path)}: ${why}`);
  }

  #warn(warning: string): void {
    const { report } = this;
    report.warningCount += 1;
    if (report.warnings.length < NAMED_MAX) report.warnings.push(warning);
  }

  async #directory(path: string): Promise<void> {
    let known: Map<string, TreeEntry>;
    let entries: TreeEntry[];
    try {
      known = this.#enter(path);
      entries = this.#source.list(path);
    } catch (error) {
      this.#fail(path, error);
      return;
    }
    for (const child of entries) {
      const below = joined(path, child.name);
      if (child.kind === "directory") await this.#directory(below);
      else this.#one(below, child, known.get(child.name));
      await this.#breathe();
    }
    try {
      const attributes = this.#source.attributes(path);
      this.#warnOf(path, this.#target.putAttributes(path, "directory", attributes));
    } catch (error) {
      this.#fail(path, error);
    }
  }

  /** Makes a directory in the target, and returns what it held before. */
  #enter(path: string): Map<string, TreeEntry> {
    const there = this.#target.entry(path);
    if (there !== undefined && there.kind !== "directory") {
      const what = `Copying to ${this.#target.display(path)}`;
      const why = `there is a ${there.kind} where a directory is needed`;
      throw new DaosError("DER_EXIST", { what, why, remedy: "remove it, then copy again" });
    }
    if (there === undefined) {
      this.#target.makeDirectory(path);
      this.report.directories += 1;
      return new Map();
    }
    return new Map(this.#target.list(path).map((entry) => [entry.name, entry]));
  }

  #breathes = 0;

  /** Lets timers run now and then. */
  async #breathe(): Promise<void> {
    this.#breathes += 1;
    if (this.#breathes % 64 === 0) await setImmediate();
  }

  #one(path: string, entry: TreeEntry, there: TreeEntry | undefined): void {
    const shown = this.#source.display(path);
    if (entry.kind === "special") {
      this.#warn(`${shown} is a device, a socket or a pipe: left out`);
      return;
    }
    try {
      if (entry.kind === "invalid") throw notCopied(shown, "its name is not UTF-8", "rename it");
      if (entry.kind === "symlink") this.#link(path, there);
      else this.#file(path, entry, there);
    } catch (error) {
      this.#fail(path, error);
    }
  }

  #link(path: string, there: TreeEntry | undefined): void {
    if (there !== undefined && there.kind !== "symlink") {
      const why = `there is a ${there.kind} of that name in the target`;
      throw notCopied(this.#source.display(path), why, "remove it, then copy again");
    }
    const target = this.#source.linkTarget(path);
    if (there !== undefined && this.#target.linkTarget(path) === target) {
      this.report.skipped += 1;
      return;
    }
    this.#target.putLink(path, target, this.#source.attributes(path));
    this.report.links += 1;
  }

  #file(path: string, entry: TreeEntry, there: TreeEntry | undefined): void {
    if (there !== undefined && there.kind !== "file") {
      const why = `there is a ${there.kind} of that name in the target`;
      throw notCopied(this.#source.display(path), why, "remove it, then copy again");
    }
    using content = this.#source.open(path);
    const attributes = this.#source.attributes(path);
    if (there !== undefined && this.#isThere(path, { entry, there }, content)) {
      this.report.skipped += 1;
      this.#options.advance(content.size);
      if (!sameAttributes(attributes, this.#target.attributes(path))) {
        this.#warnOf(path, this.#target.putAttributes(path, "file", attributes));
      }
      return;
    }
    let moved = 0;
    const advance = (bytes: number) => {
      moved += bytes;
      this.#options.advance(bytes);
    };
    this.#target.putFile({ path, attributes, content }, advance);
    // Holes count as done, so that the bar reaches its end.
    this.#options.advance(content.size - moved);
    if (this.#pending.length > 0) this.#verifyPending();
  }

  /** Whether the target has the file already. */
  #isThere(
    path: string,
    { entry, there }: { entry: TreeEntry; there: TreeEntry },
    content: SourceContent,
  ): boolean {
    if (there.size !== content.size) return false;
    const knowsTimes = entry.modified !== undefined && there.modified !== undefined;
    if (knowsTimes && !this.#options.comparesBytes) return entry.modified === there.modified;
    using copied = this.#target.open(path);
    return isSameContent(content, copied);
  }

  #verifyPending(): void {
    for (const written of this.#pending.splice(0)) {
      try {
        verify(this.#target, written);
        this.report.verified += 1;
      } catch (error) {
        this.#fail(written.path, error);
      }
    }
  }
}

type SourceContent = ReturnType<SourceTree["open"]>;

function notCopied(shown: string, why: string, remedy: string): DaosError {
  return new DaosError("DER_NOSYS", { what: `Copying ${shown}`, why, remedy });
}

/** Files and bytes of a tree: what there is to do. */
export function measure(source: SourceTree, path = ""): { files: number; bytes: number } {
  const sum = { files: 0, bytes: 0 };
  const root = source.entry(path);
  if (root?.kind === "file") return { files: 1, bytes: root.size };
  if (root?.kind !== "directory") return sum;
  const pending = [path];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    let entries: TreeEntry[] = [];
    try {
      entries = source.list(at);
    } catch {
      // The copy itself reports it.
    }
    for (const entry of entries) {
      if (entry.kind === "directory") pending.push(joined(at, entry.name));
      if (entry.kind !== "file") continue;
      sum.files += 1;
      sum.bytes += entry.size;
    }
  }
  return sum;
}
