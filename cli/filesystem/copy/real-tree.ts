/**
 * A tree of real files.
 *
 * A file is written under a temporary name beside its own, then renamed: it appears as a whole. The name
 * holds the process id, so that what a killed copy left is known by its dead process and removed by the
 * next one that comes by.
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import {
  DaosError,
  dataRanges,
  listXattrs,
  removeXattr,
  setTimes,
  setXattr,
} from "../../../core/index.js";
import { moveContent } from "./content.js";
import type {
  Attributes,
  ByteRange,
  Content,
  EntryKind,
  FileJob,
  TargetTree,
  TreeEntry,
  WrittenListener,
} from "./tree.js";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = fs.constants;
const TEMPORARY = /^\.daos-copy\.(\d+)\.\d+$/;
const PERMISSIONS = 0o7777;
/** Of the extended attributes, those that users set; the system's have a meaning on their own file system only. */
const XATTR_CLASS = "user.";

function kindOf(stats: fs.BigIntStats): TreeEntry["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  return stats.isSymbolicLink() ? "symlink" : "special";
}

function entryOf(name: string, stats: fs.BigIntStats): TreeEntry {
  const kind = kindOf(stats);
  return {
    name,
    kind,
    size: kind === "file" ? Number(stats.size) : 0,
    modified: stats.mtimeNs,
  };
}

/** An open real file. */
class RealContent implements Content {
  readonly size: number;
  readonly #fd: number;
  readonly #modified: bigint;

  constructor(file: string) {
    // Between listing and opening, somebody may have put a link or a pipe there.
    this.#fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW | fs.constants.O_NONBLOCK);
    const stats = fs.fstatSync(this.#fd, { bigint: true });
    this.size = Number(stats.size);
    this.#modified = stats.mtimeNs;
  }

  ranges(): Iterable<ByteRange> {
    return dataRanges(this.#fd, this.size);
  }

  read(target: Uint8Array, position: number): void {
    for (let done = 0; done < target.length; ) {
      const count = fs.readSync(this.#fd, target, done, target.length - done, position + done);
      if (count === 0) throw new Error(`the file ended at byte ${position + done}`);
      done += count;
    }
  }

  changed(): string | undefined {
    const { size, mtimeNs } = fs.fstatSync(this.#fd, { bigint: true });
    if (Number(size) !== this.size) return `it had ${this.size} bytes and has ${size}`;
    return mtimeNs === this.#modified ? undefined : "it was written to";
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd);
  }
}

/** Real files below a directory. */
export class RealTree implements TargetTree {
  readonly #root: string;
  readonly #listener: WrittenListener;
  #temporaries = 0;

  /**
   * @param root Absolute path.
   * @param listener Told of written files.
   */
  constructor(root: string, listener: WrittenListener = () => undefined) {
    this.#root = root;
    this.#listener = listener;
  }

  display(below: string): string {
    return below === "" ? this.#root : path.join(this.#root, below);
  }

  entry(below: string): TreeEntry | undefined {
    const file = this.display(below);
    const stats = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
    return stats && entryOf(path.basename(file), stats);
  }

  list(below: string): TreeEntry[] {
    const directory = this.display(below);
    const found: TreeEntry[] = [];
    for (const bytes of fs.readdirSync(directory, { encoding: "buffer" })) {
      const name = bytes.toString();
      if (!Buffer.from(name).equals(bytes)) {
        const shown = `0x${bytes.toString("hex")}`;
        const nothing = { size: 0, modified: undefined };
        found.push({ name: shown, kind: "invalid", ...nothing });
        continue;
      }
      if (TEMPORARY.test(name)) {
        this.#sweep(directory, name);
        continue;
      }
      const file = path.join(directory, name);
      const stats = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
      // What was removed since the directory was read is not there.
      if (stats !== undefined) found.push(entryOf(name, stats));
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Removes what a killed copy left. */
  #sweep(directory: string, name: string): void {
    const pid = TEMPORARY.exec(name)?.[1];
    if (!fs.existsSync(`/proc/${pid}`)) fs.rmSync(path.join(directory, name), { force: true });
  }

  open(below: string): Content {
    return new RealContent(this.display(below));
  }

  attributes(below: string): Attributes {
    const file = this.display(below);
    const stats = fs.lstatSync(file, { bigint: true });
    const mode = Number(stats.mode) & PERMISSIONS;
    const xattrs = stats.isSymbolicLink() ? new Map() : userXattrs(file);
    return { mode, modified: stats.mtimeNs, xattrs };
  }

  linkTarget(below: string): string {
    return fs.readlinkSync(this.display(below));
  }

  makeDirectory(below: string): void {
    fs.mkdirSync(this.display(below), { recursive: below === "" });
  }

  putLink(below: string, target: string, { modified }: Attributes): void {
    const file = this.display(below);
    const temporary = this.#temporaryBeside(file);
    fs.symlinkSync(target, temporary);
    try {
      setTimes(temporary, { accessed: modified, modified });
      fs.renameSync(temporary, file);
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw error;
    }
  }

  #temporaryBeside(file: string): string {
    this.#temporaries += 1;
    return path.join(path.dirname(file), `.daos-copy.${process.pid}.${this.#temporaries}`);
  }

  putFile({ path: below, attributes, content }: FileJob, advance: (bytes: number) => void): void {
    const file = this.display(below);
    const temporary = this.#temporaryBeside(file);
    const fd = fs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      const written = moveContent(below, content, (bytes, position) => {
        for (let done = 0; done < bytes.length; ) {
          done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
        }
        advance(bytes.length);
      });
      fs.ftruncateSync(fd, content.size);
      requireUnchanged(content, file);
      const lost = applyAttributes(temporary, attributes);
      fs.renameSync(temporary, file);
      this.#listener(below, lost === undefined ? written : { ...written, lost });
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw error;
    } finally {
      fs.closeSync(fd);
    }
  }

  flush(): void {
    // Each file is there already.
  }

  putAttributes(below: string, _kind: EntryKind, attributes: Attributes): string | undefined {
    return applyAttributes(this.display(below), attributes);
  }
}

/** The extended attributes of users; none where the file system has none. */
function userXattrs(file: string): Map<string, Uint8Array> {
  try {
    return new Map([...listXattrs(file)].filter(([name]) => name.startsWith(XATTR_CLASS)));
  } catch (error) {
    if (systemCode(error) === "ENOTSUP") return new Map();
    throw error;
  }
}

/** @returns What could not be kept. */
function applyAttributes(file: string, { mode, modified, xattrs }: Attributes): string | undefined {
  const lost = applyXattrs(file, xattrs);
  fs.chmodSync(file, mode);
  setTimes(file, { accessed: modified, modified });
  return lost;
}

function applyXattrs(file: string, xattrs: Attributes["xattrs"]): string | undefined {
  for (const name of userXattrs(file).keys()) if (!xattrs.has(name)) removeXattr(file, name);
  const lost: string[] = [];
  for (const [name, value] of xattrs) {
    try {
      setXattr(file, name, value);
    } catch (error) {
      // Names that only root may set, or more than the file system keeps.
      if (!["ENOTSUP", "EPERM", "ENOSPC", "E2BIG"].includes(systemCode(error) ?? "")) throw error;
      lost.push(name);
    }
  }
  if (lost.length === 0) return undefined;
  return `the file system does not keep ${lost.join(", ")}`;
}

function systemCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** @throws {@link DaosError} `DER_TX_RESTART` if a source was changed while it was read. */
export function requireUnchanged(content: Content, target: string): void {
  const why = content.changed();
  if (why === undefined) return;
  const what = `Copying to ${target}`;
  const remedy = "copy it again when nobody writes to it";
  throw new DaosError("DER_TX_RESTART", { what, why: `the source changed: ${why}`, remedy });
}
